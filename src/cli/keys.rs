//! `keys`: making the keys of the connected side, showing the root key, and pinning one on the isolated side.

use super::media_args::{Keys, KeysCommand};
use super::output::Output;
use super::setup::Setup;
use crate::carrier::{KeyFolder, PublicKey};
use crate::disk;
use crate::documents::{KeysDocument, NewKeysDocument, TrustDocument};
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::update::count;

/// `keys init|show|trust`
pub(super) fn run(setup: &Setup, arguments: &Keys, output: &mut Output) -> Result<ExitCode> {
    let folder = KeyFolder::new(setup.layout().keys());
    let now = setup.now().to_string();
    match &arguments.command {
        KeysCommand::Init { root_to } => {
            let (root, secret) = folder.init(root_to.as_deref(), &now)?;
            if output.is_json() {
                let (id, root) = (root.id(), root.to_string());
                output.document(&NewKeysDocument { root, id, secret_root_key: secret })?;
                return Ok(ExitCode::OK);
            }
            output.line(format!("root key    {root}"));
            output.line(format!("id          {}", root.id()));
            output.line(format!("kept in     {}", setup.layout().keys()));
            output.line("");
            output.line(format!("Move {secret} to a safe place: exports do not need it."));
            output.line("On the isolated side, once, by hand or from paper:");
            output.line(format!("  kbmirror keys trust {root}"));
        }
        KeysCommand::Show => {
            let own = folder.own_root()?;
            let trusted = folder.trusted()?;
            if output.is_json() {
                output.document(&KeysDocument {
                    root: own.as_ref().map(ToString::to_string),
                    trusted: trusted.iter().map(ToString::to_string).collect(),
                })?;
                return Ok(ExitCode::OK);
            }
            match (&own, trusted.as_slice()) {
                (Some(root), _) => output.line(root.as_str()),
                (None, []) => {
                    return Err(Error::new(
                        crate::error::ErrorKind::NotFound,
                        format!("there are no keys in {}", setup.layout().keys()),
                    )
                    .hint("kbmirror keys init makes them on the connected side")
                    .hint("kbmirror keys trust KEY pins one on the isolated side"));
                }
                (None, keys) => {
                    for key in keys {
                        output.line(format!("{key}  trusted, id {}", key.id()));
                    }
                }
            }
        }
        KeysCommand::Trust { key } => {
            let key = read_key(key)?;
            let new = folder.trust(&key, "pinned by hand", &now)?;
            if output.is_json() {
                output.document(&TrustDocument { trusted: key.to_string(), id: key.id(), new })?;
            } else if new {
                output.line(format!("trusted now: {key} (id {})", key.id()));
            } else {
                output.line(format!("trusted already: {key} (id {})", key.id()));
            }
        }
    }
    Ok(ExitCode::OK)
}

/// A key by itself, or in a file such as `root.pub`.
fn read_key(word: &str) -> Result<PublicKey> {
    if let Ok(key) = word.parse() {
        return Ok(key);
    }
    // A pasted key file is not the name of one.
    let path = camino::Utf8Path::new(word);
    if !word.contains('\n') && disk::file_size(path).ok().flatten().is_some() {
        /// A key file has two lines.
        const CAP: u64 = 4096;
        let text =
            disk::read_text(path, CAP).map_err(|error| error.with_kind(crate::error::ErrorKind::Usage))?;
        let root = "name the file root.pub of the connected side, or the key itself";
        let text = text.trim_start_matches('\u{feff}');
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| line.starts_with("RW")).collect();
        let [line] = lines.as_slice() else {
            let found = count(lines.len(), "public key");
            return Err(Error::usage(format!("{path} holds {found}, and one is needed")).hint(root));
        };
        let key = line.parse().map_err(|error: Error| error.context(path))?;
        // The comment is not signed, and still tells a mistake: an export key vouches for no other key.
        if text.lines().any(|line| line.starts_with("untrusted comment:") && line.contains("export key")) {
            return Err(Error::usage(format!(
                "{path} holds an export key, and trust begins at the root key"
            ))
            .hint(root));
        }
        return Ok(key);
    }
    let is_path =
        word.contains(['/', '\\']) || [".pub", ".key", ".txt"].iter().any(|end| word.ends_with(end));
    if is_path && !word.contains('\n') && !word.starts_with("RW") {
        let message = if disk::exists(path) { "is not a regular file" } else { "does not exist" };
        return Err(Error::usage(format!("{path} {message}")));
    }
    word.parse()
}
