//! Secret keys with a passphrase. The program prompts on a terminal. Without a terminal it reads a file, and never
//! waits.
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use super::super::air_gap::{export, import, isolated_mirror, mirror_digests, small_medium_of_two_kbs};
use super::super::harness::{Bench, copy_folder, failure, items, skip};

const FIRST: &str = "KB5041865";
const PASSPHRASE: &str = "correct horse, caf\u{e9}";
const VARIABLE: &str = "KBMIRROR_KEY_PASSPHRASE_FILE";

/// Creates a mirror with content and without keys.
fn keyless() -> Bench {
    let bench = Bench::new();
    copy_folder(&small_medium_of_two_kbs().maker.mirror(), &bench.mirror());
    fs::remove_dir_all(bench.mirror().join("keys")).unwrap();
    bench
}

/// Simulates a user at a terminal who enters these passphrases.
fn with_passphrases(bench: &mut Bench, secrets: &[&str]) {
    bench.is_interactive = true;
    bench.secrets = secrets.iter().map(|&secret| secret.to_owned()).collect();
}

/// Simulates a run without a terminal.
fn without_terminal(bench: &mut Bench) {
    bench.is_interactive = false;
    bench.secrets.clear();
}

/// Creates a mirror whose secret keys have the passphrase, and returns it with its root key. The bench has no terminal.
fn locked() -> (Bench, String) {
    let mut bench = keyless();
    with_passphrases(&mut bench, &[PASSPHRASE, PASSPHRASE]);
    let created = bench.json(&["keys", "init", "--passphrase"]).exits(0).json();
    without_terminal(&mut bench);
    (bench, created["root"].as_str().unwrap().to_owned())
}

fn passphrase_file(bench: &Bench, text: &str, mode: u32) -> Utf8PathBuf {
    let path = bench.path("passphrase.txt");
    let _gone = fs::remove_file(&path);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

/// Returns the field `passphrase` of the own keys in `keys list`.
fn passphrase_states(bench: &Bench) -> Vec<Value> {
    let listed = bench.json(&["keys", "list"]).exits(0).json();
    let signing = |key: &&Value| ["own", "signing"].contains(&key["state"].as_str().unwrap());
    items(&listed["keys"]).iter().filter(signing).map(|key| key["passphrase"].clone()).collect()
}

#[track_caller]
fn assert_usage_error(bench: &Bench, command: &[&str], words: &str) {
    let before = mirror_digests(&bench.mirror());
    let ran = bench.json(command).exits(2);
    let (kind, message) = ran.error();
    assert!(kind == "usage" && message.contains(words), "{command:?}: {words:?} in {message:?}");
    assert_eq!(mirror_digests(&bench.mirror()), before, "{command:?}");
    assert!(!ran.stdout.contains(PASSPHRASE) && !ran.stderr.contains(PASSPHRASE), "{ran:?}");
}

#[test]
fn without_terminal_and_file_a_passphrase_is_an_error() {
    let (connected, _) = locked();
    let stick = connected.path("stick");
    for command in [
        &["export", FIRST, "--to", stick.as_str()][..],
        &["export", FIRST, "--to", stick.as_str(), "--dry-run"],
        &["keys", "rotate"],
        &["keys", "revoke", "0000000000000000"],
        &["keys", "move-root", "--to", connected.mirror().as_str()],
    ] {
        assert_usage_error(
            &connected,
            command,
            "has a passphrase, but without a terminal it cannot be asked for",
        );
        let ran = connected.json(command).exits(2);
        assert!(ran.stdout.contains(VARIABLE), "the hint names the variable: {}", ran.stdout);
        assert!(!stick.exists(), "{command:?}");
    }
    let new = keyless();
    let ran = new.json(&["keys", "init", "--passphrase"]).exits(2);
    let message = "the new secret key needs a passphrase, but without a terminal it cannot be asked for";
    assert_eq!(ran.error(), failure("usage", message));
    assert!(!new.mirror().join("keys/root.key").exists() && !new.mirror().join("keys/keys.json").exists());
    // Commands without a secret key do not prompt.
    for command in [&["keys", "show"][..], &["keys", "list"], &["verify"]] {
        connected.json(command).exits(0);
    }
}

#[test]
fn a_wrong_passphrase_is_reported() {
    let (mut connected, root) = locked();
    let stick = connected.path("stick");
    for wrong in ["wrong", "", "correct horse, cafe"] {
        with_passphrases(&mut connected, &[wrong]);
        assert_usage_error(&connected, &["export", FIRST, "--to", stick.as_str()], "the passphrase is wrong");
        assert!(!stick.exists());
    }
    with_passphrases(&mut connected, &[PASSPHRASE]);
    export(&connected, &[FIRST], &stick).exits(0);
    import(&isolated_mirror(&root), &stick).exits(0);

    let mut new = keyless();
    for (secrets, words) in [([PASSPHRASE, "other"], "differ"), (["", ""], "is empty")] {
        with_passphrases(&mut new, &secrets);
        let ran = new.json(&["keys", "init", "--passphrase"]).exits(2);
        assert!(ran.error().1.contains(words), "{:?}", ran.error());
        assert!(!new.mirror().join("keys/root.key").exists());
    }
}

#[test]
fn a_run_without_a_terminal_reads_the_passphrase_from_a_file() {
    let (mut connected, root) = locked();
    let stick = connected.path("stick");
    let arguments = ["export", FIRST, "--to", stick.as_str()];
    let file = passphrase_file(&connected, &format!("{PASSPHRASE}\r\n# a comment\n"), 0o640);
    connected.env.insert(VARIABLE.to_owned(), file.to_string());
    assert_usage_error(&connected, &arguments, "other users can read the passphrase file");
    for (text, words) in
        [("wrong\n", "the passphrase is wrong"), ("\nx", "has no passphrase in its first line")]
    {
        passphrase_file(&connected, text, 0o600);
        assert_usage_error(&connected, &arguments, words);
    }
    fs::remove_file(&file).unwrap();
    assert_usage_error(&connected, &arguments, "is not a file");
    assert!(!stick.exists());
    passphrase_file(&connected, &format!("{PASSPHRASE}\r\n# a comment\n"), 0o600);
    connected.json(&arguments).exits(0);
    import(&isolated_mirror(&root), &stick).exits(0);
    // The option and the configuration also specify the file.
    connected.env.clear();
    let second = connected.path("second");
    let by_flag = ["export", FIRST, "--to", second.as_str(), "--key-passphrase-file", file.as_str()];
    connected.json(&by_flag).exits(0);
    connected.configure(&format!("format = 1\n[export]\nkey_passphrase_file = '{file}'\n"));
    connected.json(&arguments).exits(0);
}

#[test]
fn a_new_key_keeps_or_gets_a_passphrase() {
    let mut connected = keyless();
    connected.json(&["keys", "init"]).exits(0);
    assert_eq!(passphrase_states(&connected), [json!(false), json!(false)]);
    assert_eq!(connected.json(&["status"]).json()["export_key_passphrase"], json!(false));
    with_passphrases(&mut connected, &[PASSPHRASE, PASSPHRASE]);
    connected.json(&["keys", "rotate", "--passphrase"]).exits(0);
    assert_eq!(passphrase_states(&connected), [json!(false), json!(true)]);
    assert_eq!(connected.json(&["status"]).json()["export_key_passphrase"], json!(true));
    assert!(connected.run(&["status"]).stdout.contains("with a passphrase"));
    // Only the passphrase of the root key is needed, so the passphrase of the old key may be lost.
    with_passphrases(&mut connected, &["another one", "another one"]);
    let rotated = connected.json(&["keys", "rotate"]).exits(0).json();
    assert_eq!(
        passphrase_states(&connected),
        [json!(false), json!(true)],
        "the new key also has a passphrase"
    );
    without_terminal(&mut connected);
    connected.json(&["keys", "revoke", rotated["retired_id"].as_str().unwrap()]).exits(0);
    with_passphrases(&mut connected, &["another one"]);
    export(&connected, &[FIRST], &connected.path("stick")).exits(0);
    fs::remove_file(connected.mirror().join("keys/export.key")).unwrap();
    assert_eq!(connected.json(&["status"]).json()["export_key_passphrase"], Value::Null);
}

#[test]
fn a_root_key_with_a_passphrase_can_be_moved_and_used() {
    let (mut connected, _) = locked();
    let offline = connected.path("offline");
    fs::create_dir(&offline).unwrap();
    let text = fs::read(connected.mirror().join("keys/root.key")).unwrap();
    with_passphrases(&mut connected, &[PASSPHRASE, "new", "new"]);
    connected.json(&["keys", "move-root", "--to", offline.as_str()]).exits(0);
    assert_eq!(fs::read(offline.join("root.key")).unwrap(), text);
    assert_eq!(
        passphrase_states(&connected),
        [Value::Null, json!(true)],
        "the root key is not in the mirror"
    );
    connected.json(&["keys", "rotate", "--root-key", offline.join("root.key").as_str()]).exits(0);
    with_passphrases(&mut connected, &["new"]);
    export(&connected, &[FIRST], &connected.path("stick")).exits(0);
}

/// Runs minisign with the passphrase on its standard input.
fn minisign(folder: &Utf8Path, arguments: &[&str]) -> Option<(bool, String)> {
    let mut command = Command::new("minisign");
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else { return skip("minisign is not installed") };
    // minisign may end without reading the passphrase.
    let _unread = child.stdin.take().unwrap().write_all(format!("{PASSPHRASE}\n{PASSPHRASE}\n").as_bytes());
    let output = child.wait_with_output().unwrap();
    let output_text = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&output_text).into_owned()))
}

#[test]
fn minisign_and_kbmirror_accept_each_others_keys() {
    let (mut connected, _) = locked();
    let folder = connected.path("stock");
    fs::create_dir(&folder).unwrap();
    let keys = connected.mirror().join("keys");
    let listed = connected.json(&["keys", "list"]).exits(0).json();
    for (place, name) in ["root.key", "export.key"].into_iter().enumerate() {
        fs::write(folder.join("text"), name).unwrap();
        let secret = keys.join(name);
        let Some((is_signed, output_text)) = minisign(&folder, &["-Sm", "text", "-s", secret.as_str()])
        else {
            return;
        };
        assert!(is_signed, "{name}: {output_text}");
        let public = listed["keys"][place]["key"].as_str().unwrap();
        let (is_valid, output_text) = minisign(&folder, &["-Vm", "text", "-P", public]).unwrap();
        assert!(is_valid, "{name}: {output_text}");
    }
    // kbmirror opens a key that minisign created and encrypted.
    let (created, output_text) = minisign(&folder, &["-G", "-p", "own.pub", "-s", "own.key"]).unwrap();
    assert!(created, "{output_text}");
    let text = fs::read_to_string(folder.join("own.key")).unwrap();
    let key = kbmirror::carrier::SecretKey::unlock(&text, PASSPHRASE).unwrap();
    let public = fs::read_to_string(folder.join("own.pub")).unwrap();
    assert!(public.contains(key.public().unwrap().as_str()), "{public}");
    with_passphrases(&mut connected, &[PASSPHRASE]);
    let path = folder.join("own.key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let (_, message) = connected.json(&["keys", "rotate", "--root-key", path.as_str()]).exits(2).error();
    assert!(message.contains("is not the root key of this mirror"), "the key was opened: {message}");
}
