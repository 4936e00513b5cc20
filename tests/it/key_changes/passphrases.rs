//! Secret keys with a passphrase: asked for on a terminal, read from a file by a run without one, and never waited for.
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use super::super::carry::{content, export, import, isolated, small_two};
use super::super::harness::{Bench, copy_folder, items, skipped};

const FIRST: &str = "KB5041865";
const PASSPHRASE: &str = "correct horse, caf\u{e9}";
const VARIABLE: &str = "KBMIRROR_KEY_PASSPHRASE_FILE";

/// A mirror with content and without keys.
fn keyless() -> Bench {
    let bench = Bench::new();
    copy_folder(&small_two().maker.mirror(), &bench.mirror());
    fs::remove_dir_all(bench.mirror().join("keys")).unwrap();
    bench
}

/// Lets a person answer with these passphrases.
fn answering(bench: &mut Bench, secrets: &[&str]) {
    bench.answers = true;
    bench.secrets = secrets.iter().map(|&secret| secret.to_owned()).collect();
}

/// Lets no person answer.
fn alone(bench: &mut Bench) {
    bench.answers = false;
    bench.secrets.clear();
}

/// A mirror whose secret keys have the passphrase, and no terminal; and its root key.
fn locked() -> (Bench, String) {
    let mut bench = keyless();
    answering(&mut bench, &[PASSPHRASE, PASSPHRASE]);
    let made = bench.json(&["keys", "init", "--passphrase"]).exits(0).json();
    alone(&mut bench);
    (bench, made["root"].as_str().unwrap().to_owned())
}

fn passphrase_file(bench: &Bench, text: &str, mode: u32) -> Utf8PathBuf {
    let path = bench.path("passphrase.txt");
    let _gone = fs::remove_file(&path);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

/// Whether the secret keys of the own keys are said to have a passphrase.
fn told(bench: &Bench) -> Vec<Value> {
    let listed = bench.json(&["keys", "list"]).exits(0).json();
    let signing = |key: &&Value| ["own", "signing"].contains(&key["state"].as_str().unwrap());
    items(&listed["keys"]).iter().filter(signing).map(|key| key["passphrase"].clone()).collect()
}

#[track_caller]
fn refused(bench: &Bench, command: &[&str], words: &str) {
    let before = content(&bench.mirror());
    let ran = bench.json(command).exits(2);
    let (kind, message) = ran.error();
    assert!(kind == "usage" && message.contains(words), "{command:?}: {words:?} in {message:?}");
    assert_eq!(content(&bench.mirror()), before, "{command:?}");
    assert!(!ran.stdout.contains(PASSPHRASE) && !ran.stderr.contains(PASSPHRASE), "{ran:?}");
}

#[test]
fn without_a_terminal_and_a_file_nothing_is_begun() {
    let (here, _) = locked();
    let stick = here.path("stick");
    for command in [
        &["export", FIRST, "--to", stick.as_str()][..],
        &["export", FIRST, "--to", stick.as_str(), "--dry-run"],
        &["keys", "rotate"],
        &["keys", "revoke", "0000000000000000"],
        &["keys", "move-root", "--to", here.mirror().as_str()],
    ] {
        refused(&here, command, "has a passphrase, and there is no terminal to ask for it");
        let ran = here.json(command).exits(2);
        assert!(ran.stdout.contains(VARIABLE), "the way out is named: {}", ran.stdout);
        assert!(!stick.exists(), "{command:?}");
    }
    let new = keyless();
    let ran = new.json(&["keys", "init", "--passphrase"]).exits(2);
    assert!(ran.error().1.contains("there is no terminal"), "{:?}", ran.error());
    assert!(!new.mirror().join("keys/root.key").exists() && !new.mirror().join("keys/keys.json").exists());
    // What needs no secret key asks for nothing.
    for command in [&["keys", "show"][..], &["keys", "list"], &["verify"]] {
        here.json(command).exits(0);
    }
}

#[test]
fn a_person_is_asked_and_a_wrong_passphrase_is_said() {
    let (mut here, root) = locked();
    let stick = here.path("stick");
    for wrong in ["wrong", "", "correct horse, cafe"] {
        answering(&mut here, &[wrong]);
        refused(&here, &["export", FIRST, "--to", stick.as_str()], "the passphrase is wrong");
        assert!(!stick.exists());
    }
    answering(&mut here, &[PASSPHRASE]);
    export(&here, &[FIRST], &stick).exits(0);
    import(&isolated(&root), &stick).exits(0);

    let mut new = keyless();
    for (secrets, words) in [([PASSPHRASE, "other"], "differ"), (["", ""], "is empty")] {
        answering(&mut new, &secrets);
        let ran = new.json(&["keys", "init", "--passphrase"]).exits(2);
        assert!(ran.error().1.contains(words), "{:?}", ran.error());
        assert!(!new.mirror().join("keys/root.key").exists());
    }
}

#[test]
fn a_run_without_a_terminal_reads_the_passphrase_from_a_file() {
    let (mut here, root) = locked();
    let stick = here.path("stick");
    let arguments = ["export", FIRST, "--to", stick.as_str()];
    let file = passphrase_file(&here, &format!("{PASSPHRASE}\r\n# a comment\n"), 0o640);
    here.env.insert(VARIABLE.to_owned(), file.to_string());
    refused(&here, &arguments, "others can read the passphrase file");
    for (text, words) in
        [("wrong\n", "the passphrase is wrong"), ("\nx", "has no passphrase in its first line")]
    {
        passphrase_file(&here, text, 0o600);
        refused(&here, &arguments, words);
    }
    fs::remove_file(&file).unwrap();
    refused(&here, &arguments, "is not a file");
    assert!(!stick.exists());
    passphrase_file(&here, &format!("{PASSPHRASE}\r\n# a comment\n"), 0o600);
    here.json(&arguments).exits(0);
    import(&isolated(&root), &stick).exits(0);
    // The flag and the configuration name it as well.
    here.env.clear();
    let second = here.path("second");
    let by_flag = ["export", FIRST, "--to", second.as_str(), "--key-passphrase-file", file.as_str()];
    here.json(&by_flag).exits(0);
    here.configure(&format!("format = 1\n[export]\nkey_passphrase_file = '{file}'\n"));
    here.json(&arguments).exits(0);
}

#[test]
fn a_new_key_has_a_passphrase_when_asked_for_or_when_the_old_one_has() {
    let mut here = keyless();
    here.json(&["keys", "init"]).exits(0);
    assert_eq!(told(&here), [json!(false), json!(false)]);
    assert_eq!(here.json(&["status"]).json()["export_key_passphrase"], json!(false));
    answering(&mut here, &[PASSPHRASE, PASSPHRASE]);
    here.json(&["keys", "rotate", "--passphrase"]).exits(0);
    assert_eq!(told(&here), [json!(false), json!(true)]);
    assert_eq!(here.json(&["status"]).json()["export_key_passphrase"], json!(true));
    assert!(here.run(&["status"]).stdout.contains("with a passphrase"));
    // The passphrase of the old key may be lost: the root key alone is asked for.
    answering(&mut here, &["another one", "another one"]);
    let rotated = here.json(&["keys", "rotate"]).exits(0).json();
    assert_eq!(told(&here), [json!(false), json!(true)], "protection is not dropped in silence");
    alone(&mut here);
    here.json(&["keys", "revoke", rotated["retired_id"].as_str().unwrap()]).exits(0);
    answering(&mut here, &["another one"]);
    export(&here, &[FIRST], &here.path("stick")).exits(0);
    fs::remove_file(here.mirror().join("keys/export.key")).unwrap();
    assert_eq!(here.json(&["status"]).json()["export_key_passphrase"], Value::Null);
}

#[test]
fn a_root_key_with_a_passphrase_moves_and_signs() {
    let (mut here, _) = locked();
    let offline = here.path("offline");
    fs::create_dir(&offline).unwrap();
    let text = fs::read(here.mirror().join("keys/root.key")).unwrap();
    answering(&mut here, &[PASSPHRASE, "new", "new"]);
    here.json(&["keys", "move-root", "--to", offline.as_str()]).exits(0);
    assert_eq!(fs::read(offline.join("root.key")).unwrap(), text);
    assert_eq!(told(&here), [Value::Null, json!(true)], "the root key is elsewhere");
    here.json(&["keys", "rotate", "--root-key", offline.join("root.key").as_str()]).exits(0);
    answering(&mut here, &["new"]);
    export(&here, &[FIRST], &here.path("stick")).exits(0);
}

/// Runs the stock program with a passphrase on its standard input.
fn minisign(folder: &Utf8Path, arguments: &[&str]) -> Option<(bool, String)> {
    let mut command = Command::new("minisign");
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else { return skipped("minisign is not here") };
    // It may end without asking.
    let _unread = child.stdin.take().unwrap().write_all(format!("{PASSPHRASE}\n{PASSPHRASE}\n").as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn the_stock_program_takes_these_keys_and_the_other_way_round() {
    let (mut here, _) = locked();
    let folder = here.path("stock");
    fs::create_dir(&folder).unwrap();
    let keys = here.mirror().join("keys");
    let listed = here.json(&["keys", "list"]).exits(0).json();
    for (place, name) in ["root.key", "export.key"].into_iter().enumerate() {
        fs::write(folder.join("text"), name).unwrap();
        let secret = keys.join(name);
        let Some((signed, said)) = minisign(&folder, &["-Sm", "text", "-s", secret.as_str()]) else { return };
        assert!(signed, "{name}: {said}");
        let public = listed["keys"][place]["key"].as_str().unwrap();
        let (right, said) = minisign(&folder, &["-Vm", "text", "-P", public]).unwrap();
        assert!(right, "{name}: {said}");
    }
    // A key that the stock program made and encrypted opens here.
    let (made, said) = minisign(&folder, &["-G", "-p", "own.pub", "-s", "own.key"]).unwrap();
    assert!(made, "{said}");
    let text = fs::read_to_string(folder.join("own.key")).unwrap();
    let key = kbmirror::carrier::SecretKey::unlock(&text, PASSPHRASE).unwrap();
    let public = fs::read_to_string(folder.join("own.pub")).unwrap();
    assert!(public.contains(key.public().unwrap().as_str()), "{public}");
    answering(&mut here, &[PASSPHRASE]);
    let path = folder.join("own.key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let (_, message) = here.json(&["keys", "rotate", "--root-key", path.as_str()]).exits(2).error();
    assert!(message.contains("is not the root key of this mirror"), "it was opened: {message}");
}
