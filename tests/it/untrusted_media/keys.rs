//! Media that are signed with wrong, replaced, or unknown keys.

use super::*;

#[test]
fn media_signed_with_wrong_keys_are_refused() {
    let small = small_medium();
    // Signatures are missing.
    for name in ["set.json.minisig", "keys.json.minisig", "manifest-sha256.txt.minisig"] {
        let (isolated, medium) = copy_of(small);
        fs::remove_file(medium.join(name)).unwrap();
        assert_refused(&isolated, &medium, name);
    }
    // The set is signed by an export key that the root key did not sign.
    let (isolated, medium) = copy_of(small);
    let foreign_key = SecretKey::generate().unwrap();
    let set = fs::read(medium.join("set.json")).unwrap();
    fs::write(medium.join("set.json.minisig"), foreign_key.sign(&set, "set").unwrap()).unwrap();
    assert_refused(&isolated, &medium, "set.json: the signature does not match");
    // Another root key signed the list of export keys.
    let other = Bench::new();
    let other_root = create_keys(&other);
    let (isolated, medium) = copy_of(small);
    for name in ["keys.json", "keys.json.minisig"] {
        fs::copy(other.mirror().join("keys").join(name), medium.join(name)).unwrap();
    }
    assert_refused(&isolated, &medium, &other_root);
    // The list states the trusted root key, but another key signed it.
    let (isolated, medium) = copy_of(small);
    let list = fs::read(medium.join("keys.json")).unwrap();
    fs::write(medium.join("keys.json.minisig"), foreign_key.sign(&list, "keys").unwrap()).unwrap();
    assert_refused(&isolated, &medium, "keys.json: the signature does not match");
}

#[test]
fn media_of_a_replaced_key_are_refused() {
    let small = small_medium();
    let (isolated, old) = copy_of(small);
    let (root, next) = (secret_key(small, "root.key"), SecretKey::generate().unwrap());
    let medium = isolated.path("next");
    small.copy_to(&medium);
    let mut list: Value = serde_json::from_slice(&fs::read(medium.join("keys.json")).unwrap()).unwrap();
    list["version"] = json!(2);
    list["export_keys"][0]["key"] = json!(next.public().unwrap());
    let text = serde_json::to_string_pretty(&list).unwrap();
    fs::write(medium.join("keys.json"), &text).unwrap();
    fs::write(medium.join("keys.json.minisig"), root.sign(text.as_bytes(), "keys").unwrap()).unwrap();
    sign_again_with(&next, &medium, |set| set["seq"] = json!(2));

    // Until the new list arrives, the old key is valid.
    isolated.json(&["check-medium", old.as_str()]).exits(0);
    import(&isolated, &medium).exits(0);
    assert_refused(&isolated, &old, "version 2 of the list of export keys");
    isolated.json(&["check-medium", medium.as_str()]).exits(0);
}

#[test]
fn trust_on_first_use_needs_a_valid_medium_and_works_once() {
    let small = small_medium();
    let isolated = Bench::new();
    let medium = isolated.path("medium");
    small.copy_to(&medium);
    let package = medium.join(package_path(&medium));
    let right = fs::read(&package).unwrap();
    fs::write(&package, b"the wrong file").unwrap();
    let first = ["import", medium.as_str(), "--trust-on-first-use"];
    isolated.json(&first).exits(11);
    assert!(mirror_digests(&isolated.mirror()).is_empty(), "{:?}", mirror_digests(&isolated.mirror()));
    isolated.json(&["keys", "show"]).exits(0);
    fs::write(&package, right).unwrap();
    import(&isolated, &medium).exits(11);
    let checked = isolated.run(&["check-medium", medium.as_str(), "--trust-on-first-use"]).exits(0);
    let root = format!("the root key {}", small.root);
    let warning =
        format!("warning: {root} is from the medium itself; compare it with the key of the connected side");
    assert_eq!(checked.stderr.lines().last(), Some(&*warning));
    let imported = isolated.run(&first).exits(0);
    let warning = format!("warning: trusted {root} without comparing it with the key of the connected side");
    assert_eq!(imported.stderr.lines().last(), Some(&*warning));
    assert_eq!(root_of_trusted(&isolated), [small.root.as_str()]);
    // After the first use, another key is refused, even with the option.
    let other = connected_mirror(&["KB5086672", "--arch", "arm64"]);
    let foreign_medium = other.path("medium");
    export(&other, &["KB5086672"], &foreign_medium).exits(0);
    let (_, message) =
        isolated.json(&["import", foreign_medium.as_str(), "--trust-on-first-use"]).exits(11).error();
    assert!(message.contains(&root_key_of(&other)) && message.contains(&small.root), "{message}");
}

fn root_of_trusted(bench: &Bench) -> Vec<String> {
    let shown = bench.json(&["keys", "show"]).exits(0).json();
    shown["trusted"].as_array().unwrap().iter().map(text_of).collect()
}
