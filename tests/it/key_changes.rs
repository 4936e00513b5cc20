//! Key changes: a new export key, a leaked key, a key with an end date, and secret keys that other users can read.
#![expect(clippy::disallowed_methods, reason = "tests read and damage keys and media directly")]

#[cfg(unix)]
mod passphrases;

use std::fs;
use std::process::Command;

use camino::Utf8Path;
use serde_json::{Value, json};

use super::air_gap::{
    export, file_digests, import, isolated_mirror, mirror_digests, secret_key, share_keys, sign_again_with,
    small_medium, small_medium_of_two_kbs,
};
use super::harness::{Bench, copy_folder, failure, items, text_of};

const FIRST: &str = "KB5041865";

/// Returns id and state of each key.
#[track_caller]
fn states(bench: &Bench) -> Vec<(String, String)> {
    let listed = bench.json(&["keys", "list"]).exits(0).json();
    items(&listed["keys"]).iter().map(|key| (text_of(&key["id"]), text_of(&key["state"]))).collect()
}

#[track_caller]
fn assert_refused(isolated: &Bench, medium: &Utf8Path, words: &str) {
    let before = mirror_digests(&isolated.mirror());
    for command in ["check-medium", "import"] {
        let (kind, message) = isolated.json(&[command, medium.as_str()]).exits(11).error();
        assert!(kind == "refused" && message.contains(words), "{command}: {words:?} in {message:?}");
        assert_eq!(mirror_digests(&isolated.mirror()), before, "{command}");
    }
}

/// Creates a mirror with the content and the keys of the maker of small media.
fn maker() -> Bench {
    let maker = Bench::new();
    copy_folder(&small_medium_of_two_kbs().maker.mirror(), &maker.mirror());
    share_keys(&small_medium_of_two_kbs().maker, &maker);
    maker
}

#[test]
fn the_documented_recovery_from_a_leaked_key_runs_as_written() {
    let connected = maker();
    let folder = connected.mirror().parent().unwrap().to_owned();
    fs::rename(connected.mirror(), folder.join("connected")).unwrap();
    let program = |arguments: &[&str]| {
        let ran = Command::new(env!("CARGO_BIN_EXE_kbmirror"))
            .args(arguments)
            .env_remove("KBMIRROR_DIR")
            .current_dir(&folder)
            .output()
            .unwrap();
        let text =
            format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        (ran.status.code(), text)
    };
    let succeed = |arguments: &[&str]| {
        let (code, output) = program(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {output}");
        output
    };
    succeed(&["--mirror", "isolated", "keys", "trust", "connected/keys/root.pub"]);
    succeed(&["--mirror", "connected", "export", FIRST, "--to", "stick"]);
    succeed(&["--mirror", "isolated", "import", "stick"]);
    // An attacker with the key signs a medium of their own.
    let (key, forged) = (secret_key(small_medium_of_two_kbs(), "export.key"), folder.join("forged"));
    let number = key.public().unwrap().id();
    let forge = |from: &str| {
        let _gone = fs::remove_dir_all(&forged);
        copy_folder(&folder.join(from), &forged);
        sign_again_with(&key, &forged, |set| set["seq"] = json!(set["seq"].as_u64().unwrap() + 5));
    };
    forge("stick");
    let (code, output) = program(&["--mirror", "isolated", "check-medium", "forged"]);
    assert_eq!(code, Some(0), "the key is valid until the isolated side learns of the leak: {output}");

    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let section = readme.split("### A leaked export key").nth(1).unwrap();
    let block = section.split("```console\n").nth(1).unwrap().split("```").next().unwrap();
    let commands: Vec<String> = block.lines().map(|line| line.replace("NUMBER", &number)).collect();
    assert_eq!(commands.len(), 6);
    let is_refused = |medium: &str| {
        for command in ["check-medium", "import"] {
            let (code, output) = program(&["--mirror", "isolated", command, medium]);
            assert_eq!(code, Some(11), "{command} {medium}: {output}");
        }
    };
    for (done, command) in commands.iter().enumerate() {
        let words: Vec<&str> = command.strip_prefix("$ kbmirror ").unwrap().split(' ').collect();
        succeed(&words);
        // From the first command on, which follows a phone call, media signed with the key are refused.
        is_refused("forged");
        assert!(done < 3 || folder.join("new-stick/set.json").exists());
    }
    is_refused("stick");
    // A second mirror that learns of the leak only from the new stick.
    succeed(&["--mirror", "second", "keys", "trust", "connected/keys/root.pub"]);
    succeed(&["--mirror", "second", "import", "stick"]);
    succeed(&["--mirror", "second", "import", "new-stick"]);
    for medium in ["stick", "forged"] {
        let (code, output) = program(&["--mirror", "second", "import", medium]);
        assert!(code == Some(11) && output.contains("replaced"), "{output}");
    }
    // A medium signed with the old key that contains the new list, which revokes the key.
    forge("new-stick");
    let (code, output) = program(&["--mirror", "second", "import", "forged"]);
    assert!(code == Some(11), "{output}");
}

#[test]
fn a_new_key_signs_and_the_old_key_is_retired_and_revoked() {
    let connected = maker();
    let old = text_of(&connected.json(&["keys", "list"]).exits(0).json()["keys"][1]["id"]);
    let stick = connected.path("stick");
    export(&connected, &[FIRST], &stick).exits(0);
    let ran = connected.json(&["keys", "revoke", &old]).exits(2);
    assert_eq!(ran.error(), failure("usage", format!("{old} is the current export key of this mirror")));
    let rotated = connected.json(&["keys", "rotate"]).exits(0).json();
    assert_eq!((&rotated["version"], &rotated["retired_id"]), (&json!(2), &json!(old)));
    let new = text_of(&rotated["id"]);
    let state = |id: &str| states(&connected).into_iter().find(|(own, _)| own == id).unwrap().1;
    assert_eq!((state(&old), state(&new)), ("retired".to_owned(), "signing".to_owned()));
    let revoked = connected.json(&["keys", "revoke", &old]).exits(0).json();
    assert_eq!((&revoked["version"], &revoked["new"]), (&json!(3), &json!(true)));
    assert_eq!(connected.json(&["keys", "revoke", &old]).exits(0).json()["new"], false);
    assert_eq!(state(&old), "revoked");
    connected.json(&["keys", "revoke", "0123456789ABCDEF"]).exits(3);
    // The stick is recognized by its content, and is signed with the new key.
    export(&connected, &[FIRST], &stick).exits(0);
    let isolated = isolated_mirror(&small_medium_of_two_kbs().root);
    import(&isolated, &stick).exits(0);
    let list: Value = serde_json::from_slice(&fs::read(stick.join("keys.json")).unwrap()).unwrap();
    assert_eq!((&list["version"], &list["retired"][0]["revoked"]), (&json!(3), &json!(true)));
    assert!(
        !connected.mirror().join("keys/next").exists() && !connected.mirror().join("keys/next.part").exists()
    );
}

#[test]
fn an_interrupted_change_of_keys_is_completed() {
    let connected = maker();
    let keys = connected.mirror().join("keys");
    let before = connected.path("before");
    copy_folder(&keys, &before);
    connected.json(&["keys", "rotate"]).exits(0);
    let after = file_digests(&keys);
    let names = ["export.key", "keys.json.minisig", "keys.json"];
    // Interrupted after the change was written, and after each of its renames.
    for done in 0..=names.len() {
        let next = keys.join("next");
        fs::create_dir(&next).unwrap();
        for name in &names[done..] {
            fs::rename(keys.join(name), next.join(name)).unwrap();
            fs::copy(before.join(name), keys.join(name)).unwrap();
        }
        export(&connected, &[FIRST, "--dry-run"], &connected.path("stick")).exits(0);
        assert_eq!(file_digests(&keys), after, "{done}");
    }
    // Interrupted earlier: the old keys remain.
    fs::create_dir(keys.join("next.part")).unwrap();
    fs::write(keys.join("next.part/keys.json"), "{").unwrap();
    export(&connected, &[FIRST, "--dry-run"], &connected.path("stick")).exits(0);
    connected.json(&["keys", "rotate"]).exits(0);
    assert!(!keys.join("next.part").exists());
}

#[test]
fn a_key_signs_until_its_end_date() {
    let connected = maker();
    connected.json(&["keys", "rotate", "--valid-for", "30d"]).exits(0);
    let stick = connected.path("stick");
    export(&connected, &[FIRST], &stick).exits(0);
    connected.clock.advance(std::time::Duration::from_hours(31 * 24));
    for more in [&[][..], &["--dry-run"]] {
        let (kind, message) = export(&connected, &[&[FIRST], more].concat(), &stick).exits(2).error();
        assert!(kind == "usage" && message.contains("was valid until 2026-12-23"), "{message}");
    }
    assert!(states(&connected).iter().any(|(_, state)| state == "ended"));
    // A set from before the end stays valid. A set that is dated after the end is refused.
    let isolated = isolated_mirror(&small_medium_of_two_kbs().root);
    isolated.json(&["check-medium", stick.as_str()]).exits(0);
    let text = fs::read_to_string(connected.mirror().join("keys/export.key")).unwrap();
    let key = kbmirror::carrier::SecretKey::from_text(&text).unwrap();
    sign_again_with(&key, &stick, |set| set["created"] = json!("2026-12-24T00:00:00Z"));
    assert_refused(&isolated, &stick, "was valid until 2026-12-23");
}

#[test]
fn media_of_a_distrusted_root_key_are_refused() {
    let small = small_medium();
    let isolated = isolated_mirror(&small.root);
    let medium = isolated.path("medium");
    small.copy_to(&medium);
    let number = secret_key(small, "root.key").public().unwrap().id();
    assert_eq!(
        isolated.json(&["keys", "distrust", &small.root]).exits(0).json(),
        json!({"id": number, "new": true})
    );
    assert_eq!(isolated.json(&["keys", "distrust", &number]).exits(0).json()["new"], false);
    assert_refused(&isolated, &medium, "does not trust any root key");
    let ran = isolated.json(&["import", medium.as_str(), "--trust-on-first-use"]).exits(11);
    let key = format!("the root key {}… (id {number})", &small.root[..12]);
    assert_eq!(
        ran.error(),
        failure("refused", format!("set 0001 is signed under {key}, which is distrusted"))
    );
    let ran = isolated.json(&["keys", "trust", &small.root]).exits(2);
    assert_eq!(ran.error(), failure("usage", format!("{} (id {number}) is distrusted", small.root)));
    assert_eq!(states(&isolated), [(number, "distrusted".to_owned())]);
    let text = fs::read_to_string(small.maker.mirror().join("keys/root.key")).unwrap();
    let ran = isolated.json(&["keys", "distrust", text.lines().nth(1).unwrap()]).exits(2);
    assert!(!ran.stdout.contains(text.lines().nth(1).unwrap()), "a secret key is not repeated");
}

#[test]
fn an_offline_root_key_must_be_given_by_path() {
    let connected = maker();
    let offline = connected.path("offline");
    let ran = connected.json(&["keys", "move-root", "--to", offline.as_str()]).exits(2);
    assert_eq!(ran.error(), failure("usage", format!("{offline} is not a folder")));
    let advice = |connected: &Bench| connected.json(&["status"]).json()["advice"].clone();
    let keys = connected.mirror().join("keys");
    let advised = format!(
        "the secret root key is beside the export key in {keys}; \
         move it offline: kbmirror keys move-root --to DIR"
    );
    assert_eq!(advice(&connected), json!([advised]));
    fs::create_dir(&offline).unwrap();
    connected.json(&["keys", "move-root", "--to", connected.mirror().join("keys").as_str()]).exits(2);
    let text = fs::read(connected.mirror().join("keys/root.key")).unwrap();
    connected.json(&["keys", "move-root", "--to", offline.as_str()]).exits(0);
    assert_eq!(fs::read(offline.join("root.key")).unwrap(), text);
    assert!(!connected.mirror().join("keys/root.key").exists());
    assert_eq!(advice(&connected), json!([]));
    let ran = connected.json(&["keys", "rotate"]).exits(2);
    let root_key = keys.join("root.key");
    assert_eq!(ran.error(), failure("usage", format!("the secret root key is not at {root_key}")));
    let export_key = keys.join("export.key");
    let (_, message) =
        connected.json(&["keys", "rotate", "--root-key", export_key.as_str()]).exits(2).error();
    assert!(message.contains("is not the root key of this mirror"), "{message}");
    connected.json(&["keys", "rotate", "--root-key", offline.join("root.key").as_str()]).exits(0);
    export(&connected, &[FIRST], &connected.path("stick")).exits(0);
}

#[cfg(unix)]
#[test]
fn a_secret_key_readable_by_other_users_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let connected = maker();
    for (name, command) in [("export.key", &["keys", "rotate"][..]), ("root.key", &["keys", "rotate"])] {
        let path = connected.mirror().join("keys").join(name);
        for mode in [0o640, 0o604, 0o666, 0o610] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let ran = connected.json(command).exits(2);
            let message = format!("other users can read the secret key {path}");
            assert_eq!(ran.error(), failure("usage", message));
            assert!(ran.stdout.contains(&format!("chmod 600 {path}")), "{}", ran.stdout);
            if name == "export.key" {
                export(&connected, &[FIRST], &connected.path("stick")).exits(2);
                assert!(!connected.path("stick").exists());
            }
        }
        for mode in [0o600, 0o400] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            export(&connected, &[FIRST, "--dry-run"], &connected.path("stick")).exits(0);
        }
    }
}

#[test]
fn a_folder_named_like_a_file_of_the_program_is_refused() {
    let small = small_medium();
    for name in ["README.txt", "readme.TXT", "SHA256SUMS", "KB5041865.json", "windows.cmd"] {
        let isolated = isolated_mirror(&small.root);
        let medium = isolated.path("medium");
        small.copy_to(&medium);
        let kb = medium.join("data").join(FIRST);
        fs::rename(kb.join("windows-11-24h2-arm64"), kb.join(name)).unwrap();
        fs::rename(kb.join("windows-11-24h2-arm64.cmd"), kb.join(format!("{name}.cmd"))).unwrap();
        for text in ["manifest-sha256.txt", "listing.jsonl"] {
            let old = fs::read_to_string(medium.join(text)).unwrap();
            let mut lines: Vec<String> =
                old.replace("windows-11-24h2-arm64", name).lines().map(str::to_owned).collect();
            if text.starts_with("manifest") {
                lines.sort_by_key(|line| line[66..].to_owned());
            }
            fs::write(medium.join(text), format!("{}\n", lines.join("\n"))).unwrap();
        }
        sign_again_with(&secret_key(small, "export.key"), &medium, |_| {});
        assert_refused(&isolated, &medium, &format!("lists the folder {name}"));
    }
}
