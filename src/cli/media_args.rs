//! The arguments of the commands that cross the air gap: keys, export, and import.

use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

use crate::update::{Architecture, Kb, parse_age};

/// `keys`
#[derive(Debug, Args)]
pub(super) struct KeysArgs {
    /// The subcommand.
    #[command(subcommand)]
    pub(super) command: KeysCommand,
}

/// `keys …`
#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Make a root key and an export key, once
    Init {
        /// Write the secret root key into this folder, such as a stick that is kept offline
        #[arg(long, value_name = "DIR")]
        root_to: Option<Utf8PathBuf>,
        /// Protect both secret keys with a passphrase from the terminal
        #[arg(long)]
        passphrase: bool,
    },
    /// Print the root key
    Show,
    /// Print the number, state, and dates of every key of this side
    List,
    /// Make a new export key, signed by the root key, and retire the old key
    Rotate {
        /// The secret root key, if it is kept elsewhere
        #[arg(long, value_name = "FILE")]
        root_key: Option<Utf8PathBuf>,
        /// Let the new key sign for at most this time, such as 365d [default: no end]
        #[arg(long, value_name = "AGE", value_parser = parse_age)]
        valid_for: Option<Duration>,
        /// Protect the new key with a passphrase from the terminal. A key that replaces a protected key always gets one
        #[arg(long)]
        passphrase: bool,
    },
    /// Revoke a retired export key. The next medium carries the revocation, and media of the key are refused after it
    Revoke {
        /// The key or its number, as `keys list` prints them
        #[arg(value_name = "KEY")]
        key: String,
        /// The secret root key, if it is kept elsewhere
        #[arg(long, value_name = "FILE")]
        root_key: Option<Utf8PathBuf>,
    },
    /// Refuse all media of a key from now on, on the isolated side
    Distrust {
        /// The key, its number, or a file with it
        #[arg(value_name = "KEY|FILE")]
        key: String,
    },
    /// Move the secret root key to another folder, such as a stick that is kept offline
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
pub(super) struct ExportArgs {
    /// The KBs
    #[arg(value_name = "KB", conflicts_with = "all")]
    pub(super) kbs: Vec<Kb>,
    /// Export all published sets
    #[arg(long)]
    pub(super) all: bool,
    /// Only this architecture (repeatable) [default: all]
    #[arg(long, value_name = "ARCH")]
    pub(super) arch: Vec<Architecture>,
    /// The medium: an empty folder, or one that this mirror wrote before. At most the last folder of the path is
    /// created
    #[arg(long, value_name = "DIR")]
    pub(super) to: Utf8PathBuf,
    /// Remove all sets from the medium that are not selected
    #[arg(long)]
    pub(super) prune: bool,
    /// Do not prompt before --prune removes more than a fifth of the bytes
    #[arg(long)]
    pub(super) yes: bool,
    /// Refuse a folder on the file system of / or of the mirror: the medium must be mounted
    #[arg(long)]
    pub(super) expect_mount: bool,
    /// Begin a new lineage if state.json is lost: a new name of the mirror, and numbers from the clock
    #[arg(long)]
    pub(super) new_lineage: bool,
    /// Add a program to the medium, such as kbmirror for the other side (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(super) with_tool: Vec<Utf8PathBuf>,
    /// Print what would be added, updated, and removed; write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// `check-medium`
#[derive(Debug, Args)]
pub(super) struct CheckMediumArgs {
    /// The medium: the folder that contains START-HERE.txt
    #[arg(value_name = "DIR")]
    pub(super) dir: Utf8PathBuf,
    /// Check with the root key on the medium if no key is trusted yet
    #[arg(long)]
    pub(super) trust_on_first_use: bool,
}

/// `import`
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The medium: the folder that contains START-HERE.txt
    #[arg(value_name = "DIR")]
    pub(super) dir: Utf8PathBuf,
    /// Import the complete KBs if listed files are missing
    #[arg(long)]
    pub(super) partial_ok: bool,
    /// Trust the root key on the medium if no key is trusted yet
    #[arg(long)]
    pub(super) trust_on_first_use: bool,
    /// Import the medium although state.json is lost, and record media from this one on
    #[arg(long)]
    pub(super) accept_lineage: bool,
    /// Import a medium that has expired
    #[arg(long)]
    pub(super) accept_expired: bool,
}
