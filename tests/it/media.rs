//! Statements of the isolated side about a medium: which parts were verified, and which file is damaged.
#![expect(clippy::disallowed_methods, reason = "media are spoiled as they lie")]

use std::fs;

use regex::Regex;

use super::air_gap::{file_digests, import, isolated_mirror, mirror_digests, small_medium_of_two_kbs};

#[test]
fn an_applied_medium_is_verified_again() {
    let small = small_medium_of_two_kbs();
    let isolated = isolated_mirror(&small.root);
    let medium = isolated.path("medium");
    small.copy_to(&medium);
    import(&isolated, &medium).exits(0);
    let output = isolated.run(&["import", medium.as_str()]).exits(0).stdout;
    for fragment in [
        "was imported before",
        "verified signatures, manifest, and listing",
        "did not read the payload again",
    ] {
        assert!(output.contains(fragment), "{fragment}: {output}");
    }
    let before = mirror_digests(&isolated.mirror());
    let names: Vec<String> = file_digests(&medium).into_keys().collect();
    for name in &names {
        let path = medium.join(name);
        let right = fs::read(&path).unwrap();
        let is_payload = name.starts_with("data/");
        let mut flipped = right.clone();
        flipped[right.len() / 2] ^= 1;
        let mut first = right.clone();
        first[0] ^= 2;
        let longer = [right.clone(), vec![b'\n']].concat();
        for (number, wrong) in [flipped, first, longer, Vec::new()].into_iter().enumerate() {
            fs::write(&path, wrong).unwrap();
            let (_, message) = isolated.json(&["check-medium", medium.as_str()]).exits(11).error();
            assert!(message.contains(name.as_str()), "{name}, {number}: {message}");
            let again = import(&isolated, &medium);
            // The listing has no size of a script, and the payload is not read again: a changed script is not
            // detected here.
            if !is_payload {
                let (_, message) = again.exits(11).error();
                assert!(message.contains(name.as_str()), "{name}, {number}: {message}");
            }
            assert_eq!(mirror_digests(&isolated.mirror()), before, "{name}, {number}");
        }
        fs::remove_file(&path).unwrap();
        let (_, message) = isolated.json(&["check-medium", medium.as_str()]).exits(11).error();
        assert!(message.contains(name.as_str()), "{name}: {message}");
        let again = isolated.run(&["import", medium.as_str()]);
        if is_payload {
            // The mirror has the file already. The import still reports that the medium lost it.
            assert!(again.code == 0 && again.stderr.contains(name.as_str()), "{name}: {}", again.stderr);
            assert!(again.stderr.contains("missing"), "{name}: {}", again.stderr);
        } else {
            assert!(again.code == 11 && again.stderr.contains(name.as_str()), "{name}: {}", again.stderr);
        }
        fs::write(&path, right).unwrap();
    }
    import(&isolated, &medium).exits(0);
}

#[test]
fn text_and_html_page_show_the_same_commands() {
    let small = small_medium_of_two_kbs();
    let page = |name: &str| fs::read_to_string(small.medium.join(name)).unwrap();
    let (text, html) = (page("START-HERE.txt"), page("index.html"));
    let in_html: Vec<String> =
        Regex::new("<code>((?:kbmirror|minisign|sha256sum|\\.\\\\verify)[^<]*)</code>")
            .unwrap()
            .captures_iter(&html)
            .map(|found| found[1].to_owned())
            .collect();
    let in_text: Vec<String> =
        Regex::new(r"((?:kbmirror (?:check|import)|minisign -|sha256sum -|\.\\verify)[^\r\n]*)")
            .unwrap()
            .captures_iter(&text)
            .map(|found| found[1].trim_end().to_owned())
            .collect();
    assert_eq!(in_text, in_html);
    assert_eq!(in_text.len(), 7, "{in_text:?}");
    for page in [&text, &html] {
        assert!(page.contains("Trust begins with the root key"), "{page}");
    }
}
