//! `keys`: makes, rotates, and revokes the keys of the connected side, lists keys, and trusts keys on the isolated
//! side.

use camino::{Utf8Path, Utf8PathBuf};

use super::media_args::{KeysArgs, KeysCommand};
use super::output::Output;
use super::passphrases::ProcessPassphrases;
use super::setup::Setup;
use crate::carrier::{KeyFolder, KeyRevocation, KeyRotation, Passphrases, PublicKey, key_number};
use crate::clock::Time;
use crate::disk;
use crate::documents::{
    DistrustDocument, KeyKind, KeyListDocument, KeyState, KeysDocument, ListedKey, MovedRootDocument,
    NewKeysDocument, RevokedDocument, RotatedDocument, TrustDocument,
};
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::report::Column;
use crate::update::count;

/// Runs `keys`.
pub(super) fn run(setup: &Setup, arguments: &KeysArgs, output: &mut Output) -> Result<ExitCode> {
    let folder = KeyFolder::new(setup.layout().keys());
    let now = Time::from(setup.now()).to_string();
    let passphrases = ProcessPassphrases(setup);
    match &arguments.command {
        KeysCommand::Init { root_to, passphrase } => {
            let passphrases = passphrase.then_some(&passphrases as &dyn Passphrases);
            let (root, secret) = folder.init(root_to.as_deref(), passphrases, &now)?;
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
            output.line("Run once on the isolated side:");
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
                        format!("{} contains no keys", setup.layout().keys()),
                    )
                    .hint("run kbmirror keys init on the connected side")
                    .hint("run kbmirror keys trust KEY on the isolated side"));
                }
                (None, keys) => {
                    for key in keys {
                        output.line(format!("{key}  trusted, id {}", key.id()));
                    }
                }
            }
        }
        KeysCommand::List => list(&folder, &now, output)?,
        KeysCommand::Rotate { root_key, valid_for, passphrase } => {
            let end = valid_for.map(|time| setup.now().saturating_add(time)).transpose();
            let end = end.map_err(|error| Error::usage("--valid-for is too long").caused_by(error))?;
            let (root_key, end) = (root_key.as_deref(), end.map(|end| end.to_string()));
            let now = setup.now().to_string();
            let rotated = folder.rotate(root_key, end, *passphrase, &passphrases, &now)?;
            show_rotated(&rotated, output)?;
        }
        KeysCommand::Revoke { key, root_key } => {
            let revoked = folder.revoke(&number_of(key)?, root_key.as_deref(), &passphrases)?;
            show_revoked(&revoked, output)?;
        }
        KeysCommand::Distrust { key } => distrust(&folder, key, &now, output)?,
        KeysCommand::MoveRoot { to } => show_moved(folder.move_root(to, &passphrases)?, output)?,
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

/// Prints all keys of this side.
fn list(folder: &KeyFolder, now: &str, output: &mut Output) -> Result<()> {
    let keys = listed(folder, now)?;
    if output.is_json() {
        return output.document(&KeyListDocument { keys });
    }
    let mut table = output.table([
        Column::new("kind"),
        Column::new("id"),
        Column::new("state").status(),
        Column::new("from").importance(2),
        Column::new("until").importance(3),
        Column::new("passphrase").importance(1),
        Column::new("key").importance(4),
    ]);
    for row in &keys {
        let or_nothing = |text: &Option<String>| text.clone().unwrap_or_default();
        table.row([
            row.kind.as_str().to_owned(),
            row.id.clone(),
            row.state.as_str().to_owned(),
            or_nothing(&row.from),
            or_nothing(&row.until),
            row.passphrase.map_or("", |has| if has { "yes" } else { "no" }).to_owned(),
            or_nothing(&row.key),
        ]);
    }
    output.text(table.render());
    Ok(())
}

fn listed(folder: &KeyFolder, now: &str) -> Result<Vec<ListedKey>> {
    let row = |kind, state, key: &PublicKey| ListedKey {
        kind,
        id: key.id(),
        state,
        from: None,
        until: None,
        passphrase: None,
        key: Some(key.to_string()),
    };
    let own = folder.own_root()?;
    let of_root = folder.has_passphrase("root.key");
    let own_row = |key| ListedKey { passphrase: of_root, ..row(KeyKind::Root, KeyState::Own, key) };
    let mut keys: Vec<ListedKey> = own.iter().map(own_row).collect();
    if own.is_some() && folder.has_list() {
        let list = folder.key_list()?;
        for one in &list.export_keys {
            let state = if one.has_ended(now) { KeyState::Ended } else { KeyState::Signing };
            keys.push(ListedKey {
                from: Some(whole_seconds(&one.valid_from)),
                until: one.valid_until.as_deref().map(whole_seconds),
                passphrase: folder.has_passphrase("export.key"),
                ..row(KeyKind::Export, state, &one.key)
            });
        }
        for one in &list.retired {
            let state = if one.revoked { KeyState::Revoked } else { KeyState::Retired };
            keys.push(ListedKey {
                from: Some(whole_seconds(&one.valid_from)),
                until: Some(whole_seconds(&one.retired)),
                ..row(KeyKind::Export, state, &one.key)
            });
        }
    }
    let trusted = folder.trusted()?;
    keys.extend(
        trusted
            .iter()
            .filter(|key| own.as_ref() != Some(key))
            .map(|key| row(KeyKind::Root, KeyState::Trusted, key)),
    );
    keys.extend(folder.distrusted()?.into_iter().map(|id| ListedKey {
        kind: KeyKind::Unknown,
        id,
        state: KeyState::Distrusted,
        from: None,
        until: None,
        passphrase: None,
        key: None,
    }));
    Ok(keys)
}

fn show_rotated(rotated: &KeyRotation, output: &mut Output) -> Result<()> {
    let (new, old) = (&rotated.new, &rotated.retired);
    if output.is_json() {
        return output.document(&RotatedDocument {
            key: new.key.to_string(),
            id: new.key.id(),
            valid_until: new.valid_until.clone(),
            retired_id: old.id(),
            version: rotated.version,
        });
    }
    output.line(format!("export key  {} (id {})", new.key, new.key.id()));
    output.line(format!("retired     {old} (id {})", old.id()));
    if let Some(end) = &new.valid_until {
        output.line(format!("valid until {end}"));
    }
    output.line("The next export is signed with the new key and carries the change to the isolated side.");
    output.line("If another person may have the old key, run:");
    output.line(format!("  kbmirror keys revoke {}", old.id()));
    Ok(())
}

/// Returns the number of a key. The word is the key, its number, or a file with the key.
fn number_of(word: &str) -> Result<String> {
    match key_number(word) {
        Some(number) => Ok(number),
        None => word.parse::<PublicKey>().or_else(|_| read_key(word)).map(|key| key.id()),
    }
}

fn show_revoked(revoked: &KeyRevocation, output: &mut Output) -> Result<()> {
    if output.is_json() {
        let (id, key) = (revoked.key.id(), revoked.key.to_string());
        return output.document(&RevokedDocument { id, key, version: revoked.version, new: revoked.is_new });
    }
    let already = if revoked.is_new { "" } else { " already" };
    output.line(format!("revoked{already}: {} (id {})", revoked.key, revoked.key.id()));
    output.line("The next export carries the revocation. Until it is imported, run on the isolated side:");
    output.line(format!("  kbmirror keys distrust {}", revoked.key.id()));
    Ok(())
}

fn distrust(folder: &KeyFolder, key: &str, now: &str, output: &mut Output) -> Result<()> {
    let id = number_of(key)?;
    let new = folder.distrust(&id, now)?;
    if output.is_json() {
        return output.document(&DistrustDocument { id, new });
    }
    let when = if new { "now" } else { "already" };
    output.line(format!("distrusted {when}: {id}"));
    Ok(())
}

fn show_moved(secret_root_key: Utf8PathBuf, output: &mut Output) -> Result<()> {
    if output.is_json() {
        return output.document(&MovedRootDocument { secret_root_key });
    }
    output.line(format!("moved the secret root key to {secret_root_key}; no other copy is left here"));
    output.line(format!("use it with keys rotate and keys revoke: --root-key {secret_root_key}"));
    Ok(())
}

/// Reads a key. The word is the key, or a file such as `root.pub`.
fn read_key(word: &str) -> Result<PublicKey> {
    if let Ok(key) = word.parse() {
        return Ok(key);
    }
    // The pasted text of a key file is not a path.
    let path = Utf8Path::new(word);
    if !word.contains('\n') && disk::file_size(path).ok().flatten().is_some() {
        /// The largest key file. It has two lines.
        const CAP: u64 = 4096;
        let text =
            disk::read_text(path, CAP).map_err(|error| error.with_kind(crate::error::ErrorKind::Usage))?;
        let root = "name the file root.pub of the connected side, or the key itself";
        let text = text.trim_start_matches('\u{feff}');
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| line.starts_with("RW")).collect();
        let [line] = lines.as_slice() else {
            let found = count(lines.len(), "public key");
            return Err(Error::usage(format!("{path} contains {found}, not 1")).hint(root));
        };
        let key = line.parse().map_err(|error: Error| error.context(path))?;
        // The comment is not signed, but it reveals a mistake: an export key cannot certify another key.
        if text.lines().any(|line| line.starts_with("untrusted comment:") && line.contains("export key")) {
            return Err(Error::usage(format!("{path} contains an export key, not a root key")).hint(root));
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

/// Returns a time without fractions of a second, which earlier versions wrote. Returns other texts unchanged.
fn whole_seconds(time: &str) -> String {
    time.parse::<Time>().map_or_else(|_| time.to_owned(), |time| time.to_string())
}
