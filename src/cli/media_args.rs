//! The arguments of what goes across the gap: keys, and media on their way out and in.

use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

use crate::update::{Architecture, Kb, parse_age};

/// `keys`
#[derive(Debug, Args)]
pub(super) struct Keys {
    /// The subcommand.
    #[command(subcommand)]
    pub(super) command: KeysCommand,
}

/// `keys …`
#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Make a root key and an export key, once
    Init {
        /// Put the secret root key into this folder, such as one on a stick that is kept offline
        #[arg(long, value_name = "DIR")]
        root_to: Option<Utf8PathBuf>,
        /// Protect both secret keys with a passphrase, which is asked for
        #[arg(long)]
        passphrase: bool,
    },
    /// Print the root key
    Show,
    /// Print every key of this side: its number, its state, and its dates
    List,
    /// Make a new export key, signed by the root key; the old one is retired
    Rotate {
        /// The secret root key, where it is kept elsewhere
        #[arg(long, value_name = "FILE")]
        root_key: Option<Utf8PathBuf>,
        /// Sign with the new key for this time at the most, such as 365d [default: no end]
        #[arg(long, value_name = "AGE", value_parser = parse_age)]
        valid_for: Option<Duration>,
        /// Protect the new key with a passphrase, which is asked for; so is a key in the place of one that has one
        #[arg(long)]
        passphrase: bool,
    },
    /// Revoke a retired export key: the next medium brings the news, and no medium of the key is taken any more
    Revoke {
        /// The key or its number, as `keys list` prints them
        #[arg(value_name = "KEY")]
        key: String,
        /// The secret root key, where it is kept elsewhere
        #[arg(long, value_name = "FILE")]
        root_key: Option<Utf8PathBuf>,
    },
    /// Take no media under a key any more, on the isolated side and at once
    Distrust {
        /// The key, its number, or a file with it
        #[arg(value_name = "KEY|FILE")]
        key: String,
    },
    /// Move the secret root key to another folder, such as one on a stick that is kept offline
    MoveRoot {
        /// The folder
        #[arg(long, value_name = "DIR")]
        to: Utf8PathBuf,
    },
    /// Trust media that are signed under a root key
    Trust {
        /// The key, or a file with it
        #[arg(value_name = "KEY|FILE")]
        key: String,
    },
}

/// `export`
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The KBs
    #[arg(value_name = "KB", conflicts_with = "all")]
    pub(super) kbs: Vec<Kb>,
    /// Everything that is published
    #[arg(long)]
    pub(super) all: bool,
    /// Only this architecture (repeatable) [default: all]
    #[arg(long, value_name = "ARCH")]
    pub(super) arch: Vec<Architecture>,
    /// The medium: an empty folder, or one that this mirror made, to which the export adds; at most its last folder is made
    #[arg(long, value_name = "DIR")]
    pub(super) to: Utf8PathBuf,
    /// Remove everything from the medium that is not selected
    #[arg(long)]
    pub(super) prune: bool,
    /// Do not ask before --prune removes more than a fifth of the bytes
    #[arg(long)]
    pub(super) yes: bool,
    /// Refuse a folder on the file system of / or of the mirror: the medium must be mounted
    #[arg(long)]
    pub(super) expect_mount: bool,
    /// Begin a new lineage where state.json is lost: a new name of the mirror, and numbers from the clock on
    #[arg(long)]
    pub(super) new_lineage: bool,
    /// Send a program along, such as kbmirror for the other side (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(super) with_tool: Vec<Utf8PathBuf>,
    /// Print what would be added, updated, and removed; write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// `check-medium`
#[derive(Debug, Args)]
pub(super) struct CheckMedium {
    /// The medium: the folder in which START-HERE.txt lies
    #[arg(value_name = "DIR")]
    pub(super) dir: Utf8PathBuf,
    /// Take the root key that came with the medium where none is trusted yet
    #[arg(long)]
    pub(super) trust_on_first_use: bool,
}

/// `import`
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The medium: the folder in which START-HERE.txt lies
    #[arg(value_name = "DIR")]
    pub(super) dir: Utf8PathBuf,
    /// Take the KBs that are whole where listed files are missing
    #[arg(long)]
    pub(super) partial_ok: bool,
    /// Trust the root key that came with the medium, where none is trusted yet
    #[arg(long)]
    pub(super) trust_on_first_use: bool,
    /// Take the medium although state.json is lost, and remember media from this one on
    #[arg(long)]
    pub(super) accept_lineage: bool,
    /// Take a medium whose validity has ended
    #[arg(long)]
    pub(super) accept_expired: bool,
}
