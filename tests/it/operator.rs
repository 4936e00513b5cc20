//! Small guarantees that an operator relies on: refusals with a reason, detection of unwritten output, and dry runs
//! without side effects.
#![expect(clippy::disallowed_methods, reason = "folders are looked at as they lie")]

use std::fs;
use std::process::{Command, Stdio};

use serde_json::json;

use super::air_gap::{KB, connected_mirror, create_keys, export, import, isolated_mirror, root_key_of};
use super::harness::{Bench, RunOutput, field_texts, names_in, read_tree, recording, text_of};

/// The commands and the option that need the Catalog.
const NEEDING_CATALOG: [&str; 5] = ["fetch", "sync", "crawl", "search", "--catalog"];

#[test]
fn help_shows_complete_examples() {
    let bench = Bench::new();
    for (arguments, uses_network) in [
        (&["keys"][..], false),
        (&["knowledge"], false),
        (&["keys", "--help"], false),
        (&["fetch", "--help"], true),
        (&["crawl", "--help"], true),
        (&["search", "--help"], true),
        (&["sync", "--help"], true),
    ] {
        let ran = bench.run(arguments);
        let text = format!("{}{}", ran.stdout, ran.stderr);
        let has_proxy = text.contains("http://user:password@host:port");
        assert_eq!(has_proxy, uses_network, "{arguments:?}: {text}");
        assert!(text.contains("KBMIRROR_DIR") && !text.contains("***"), "{arguments:?}: {text}");
    }
    let ran = bench.run(&["list", "--proxi", "http://me:secret@proxy:1"]).exits(2);
    assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
    bench.configure("format = 1\n[network]\nproxy = \"me:secret@\"\n");
    let ran = bench.run(&["list"]).exits(2);
    assert!(ran.stderr.contains("http://user:password@host:port"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
}

#[test]
fn the_isolated_side_gets_no_advice_to_use_the_catalog() {
    let connected_side = connected_mirror(&[KB, "--arch", "arm64"]);
    let medium = connected_side.path("stick");
    export(&connected_side, &[KB], &medium).exits(0);
    let isolated_side = isolated_mirror(&root_key_of(&connected_side));
    let expect_no_catalog_advice = |ran: &RunOutput, situation: &str| {
        let text = format!("{}{}", ran.stdout, ran.stderr);
        for command in NEEDING_CATALOG {
            assert!(!text.contains(command), "{situation} advises {command}:\n{text}");
        }
    };
    // The mirror has only keys before the first medium is imported.
    for arguments in [&["list"][..], &["show", "KB9999999"], &["resolve", "KB9999999"], &["verify"]] {
        expect_no_catalog_advice(
            &isolated_side.run(arguments),
            &format!("{arguments:?} before the first medium"),
        );
    }
    import(&isolated_side, &medium).exits(0);
    let elsewhere = isolated_side.path("elsewhere");
    let arguments: [&[&str]; 10] = [
        &["resolve", "KB9999999", "--arch", "x64"],
        &["resolve", KB, "--arch", "x64"],
        &["resolve", "--latest", "--arch", "arm64", "--baseline", "26100.863", "--kind", "setup_du"],
        &["why", "KB9999999"],
        &["show", "KB9999999"],
        &["show", "00000000-0000-4000-8000-000000000000"],
        &["graph", "KB9999999"],
        &["script", "KB9999999"],
        &["status", "--news"],
        &["resolve", "KB9999999", "--offline"],
    ];
    for arguments in arguments {
        expect_no_catalog_advice(&isolated_side.run(arguments), &format!("{arguments:?}"));
    }
    let stage = ["stage", "KB5046617", "--arch", "x64", "--to", elsewhere.as_str()];
    expect_no_catalog_advice(&isolated_side.run(&stage), "stage");
    isolated_side.run(&["export", "KB9999999", "--to", elsewhere.as_str()]).exits(2);
    create_keys(&isolated_side);
    expect_no_catalog_advice(
        &isolated_side.run(&["export", "KB9999999", "--to", elsewhere.as_str()]).exits(3),
        "export",
    );
}

#[test]
fn a_dry_run_has_no_side_effects() {
    let demo = recording("demo");
    let new = Bench::new();
    for command in [&["fetch", KB, "--dry-run"][..], &["fetch", "KB9999999", "--dry-run"]] {
        new.replay(&demo, command);
        assert!(!new.mirror().exists(), "{command:?}");
    }
    let known = connected_mirror(&["KB5085516", "--arch", "arm64"]);
    known.configure(
        "format = 1\n[[profile]]\nname = \"a\"\nfamily = \"windows-11-24h2\"\narchitectures = [\"x64\"]\n",
    );
    let before = read_tree(&known.mirror());
    let planned = known.replay(&demo, &["fetch", KB, "--dry-run"]).exits(0).json();
    assert_eq!(field_texts(&planned["sets"], "status"), ["planned", "planned"]);
    let checkpoint = &planned["sets"][0]["files"][0];
    assert_eq!((&checkpoint["role"], &checkpoint["present"]), (&json!("checkpoint"), &json!(true)));
    known.replay(&demo, &["sync", "--dry-run", "--as-of", "2026-03-31"]).exits(0);
    assert!(read_tree(&known.mirror()) == before, "a dry run changed the mirror");
}

#[test]
#[expect(clippy::print_stdout, reason = "a skipped test reports the reason")]
fn unwritten_output_is_an_error() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else {
        println!("skipped: /dev/full does not exist");
        return;
    };
    let connected_side = connected_mirror(&[KB, "--arch", "arm64"]);
    for (arguments, reads_json) in [(&["list"][..], false), (&["list", "--json"], true), (&["--help"], false)]
    {
        let ran = Command::new(env!("CARGO_BIN_EXE_kbmirror"))
            .args(["--mirror", connected_side.mirror().as_str()])
            .args(arguments)
            .stdout(Stdio::from(full.try_clone().unwrap()))
            .output()
            .unwrap();
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(9), "{arguments:?}: {stderr}");
        assert!(stderr.contains("cannot write to standard output"), "{arguments:?} {reads_json}: {stderr}");
    }
}

#[test]
fn a_new_mirror_is_listed_as_empty() {
    let bench = Bench::new();
    bench.run(&["list"]).exits(3);
    bench.run(&["init"]).exits(0);
    let listed = bench.run(&["list"]).exits(0);
    let hint = "run kbmirror sync or kbmirror fetch KB to add the first updates";
    assert_eq!(listed.stdout, format!("the mirror at {} is empty: {hint}\n", bench.mirror()));
    assert_eq!(bench.json(&["list"]).exits(0).json(), json!({ "sets": [] }));
}

#[test]
fn an_unknown_key_in_a_batch_line_is_an_error_of_that_line() {
    let mut bench = connected_mirror(&[KB, "--arch", "arm64"]);
    let right = r#"{"id":"right","request":{"kb":"KB5086672"},"baseline":{"architecture":"arm64"}}"#;
    let wrong = [
        r#"{"id":"w","request":{"kb":"KB5086672","archtecture":"arm64"}}"#,
        r#"{"id":"w","request":{"kb":"KB5086672"},"baseline":{"architecture":"arm64","instaled":[]}}"#,
        r#"{"id":"w","request":{"kb":"KB5086672"},"Baseline":{"architecture":"arm64"}}"#,
        r#"{"id":"w","request":{"kb":"KB5086672"},"baseline":{"build":"26100.1","build":"26100.9999"}}"#,
    ];
    bench.stdin = format!("{right}\n{}\n{right}\n", wrong.join("\n"));
    let ran = bench.run(&["resolve", "--batch", "-"]).exits(2);
    let answers: Vec<serde_json::Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 6);
    for answer in &answers[1..5] {
        assert_eq!((&answer["id"], &answer["error"]["kind"]), (&json!("w"), &json!("usage")), "{answer:#}");
    }
    assert!(text_of(&answers[1]["error"]["message"]).contains("archtecture"), "{:#}", answers[1]);
    for answer in [&answers[0], &answers[5]] {
        assert_eq!((&answer["id"], &answer["status"]), (&json!("right"), &json!("install")), "{answer:#}");
    }
}

#[test]
fn generated_texts_are_written_to_files() {
    let bench = Bench::new();
    bench.run(&["init"]).exits(0);
    let (folder, file) = (bench.path("units"), bench.path("task.xml"));
    let table = bench.path("withdrawn.toml");
    bench.run(&["schedule", "--to", folder.as_str()]).exits(0);
    assert_eq!(names_in(&folder), ["kbmirror.service", "kbmirror.timer"]);
    let printed = bench.run(&["schedule", "--windows-task"]).exits(0).stdout;
    bench.run(&["schedule", "--windows-task", "--to", file.as_str()]).exits(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), printed);
    let printed = bench.run(&["knowledge", "show", "withdrawn"]).exits(0).stdout;
    bench.run(&["knowledge", "show", "withdrawn", "--to", table.as_str()]).exits(0);
    assert_eq!(fs::read_to_string(&table).unwrap(), printed);
    bench.run(&["knowledge", "show", "--to", table.as_str()]).exits(2);
}

#[test]
fn a_secret_key_is_refused_and_not_printed() {
    let bench = Bench::new();
    create_keys(&bench);
    for name in ["root.key", "export.key"] {
        let path = bench.mirror().join("keys").join(name);
        let text = fs::read_to_string(&path).unwrap();
        let secret = text.lines().last().unwrap();
        for given in [path.as_str(), secret, text.as_str()] {
            for ran in [bench.run(&["keys", "trust", given]), bench.json(&["keys", "trust", given])] {
                let ran = ran.exits(2);
                let stderr = format!("{}{}", ran.stdout, ran.stderr);
                assert!(stderr.contains("this is a secret key"), "{stderr}");
                assert!(!stderr.contains(&secret[8..]), "{stderr}");
            }
        }
    }
    assert!(!bench.mirror().join("keys/trusted.txt").exists());
}

#[test]
fn folders_created_by_the_readme_are_in_gitignore() {
    let root = env!("CARGO_MANIFEST_DIR");
    let read = |name: &str| fs::read_to_string(format!("{root}/{name}")).unwrap();
    let (readme, ignored) = (read("README.md"), read(".gitignore"));
    let words: Vec<&str> = readme.split_whitespace().collect();
    let named = words.windows(2).filter(|pair| ["--mirror", "--to", "--record"].contains(&pair[0]));
    let relative = named.map(|pair| pair[1].trim_end_matches(['`', ',', ')']));
    let mut seen = 0;
    for folder in relative.filter(|name| name.starts_with(|letter: char| letter.is_ascii_lowercase())) {
        seen += 1;
        let is_ignored = ignored.lines().any(|line| line.trim_matches('/') == folder);
        assert!(is_ignored, "{folder} is not in .gitignore");
    }
    assert!(seen > 5, "{seen}");
}

#[test]
fn a_lost_index_is_not_an_empty_mirror() {
    let connected_side = connected_mirror(&[KB, "--arch", "arm64"]);
    for end in ["", "-wal", "-shm"] {
        let _absent = fs::remove_file(connected_side.mirror().join(format!("mirror.db{end}")));
    }
    connected_side.run(&["init"]).exits(0);
    let ran = connected_side.run(&["list"]).exits(3);
    assert!(ran.stderr.contains("rebuilds the missing index"), "{}", ran.stderr);
    fs::write(connected_side.mirror().join("mirror.db"), "no database").unwrap();
    let ran = connected_side.run(&["list"]).exits(2);
    assert!(ran.stderr.contains("rebuilds it from kb/"), "{}", ran.stderr);
}

#[test]
#[cfg(unix)]
fn a_signing_key_that_is_not_a_regular_file_is_refused() {
    let connected_side = connected_mirror(&[KB, "--arch", "arm64"]);
    let key = connected_side.mirror().join("keys/export.key");
    let stick = connected_side.path("stick");
    fs::remove_file(&key).unwrap();
    let ran = connected_side.run(&["export", KB, "--to", stick.as_str()]).exits(2);
    let hint = "  hint: put the file back from a backup of the key folder\n";
    assert_eq!(ran.stderr, format!("error: {key} is missing, so media cannot be signed\n{hint}"));
    assert!(Command::new("mkfifo").arg(&key).status().unwrap().success());
    let ran = connected_side.run(&["export", KB, "--to", stick.as_str()]).exits(2);
    assert_eq!(ran.stderr, format!("error: {key} is not a regular file, so media cannot be signed\n{hint}"));
}

#[test]
#[cfg(unix)]
fn output_files_never_replace_links_pipes_or_folders() {
    let bench = Bench::new();
    bench.run(&["init"]).exits(0);
    let (target, link, folder, pipe) =
        (bench.path("target"), bench.path("link"), bench.path("folder"), bench.path("pipe"));
    fs::write(&target, "mine").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    fs::create_dir(&folder).unwrap();
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for to in [&link, &folder, &pipe] {
        for command in [
            &["knowledge", "show", "withdrawn", "--to", to.as_str()][..],
            &["script", "--collect", "--to", to.as_str()],
            &["schedule", "--cron", "--to", to.as_str()],
        ] {
            let ran = bench.run(command).exits(2);
            let error = format!("error: {to} is not a regular file");
            assert_eq!(ran.stderr.lines().next(), Some(&*error), "{command:?}");
        }
    }
    assert_eq!(fs::read_to_string(&target).unwrap(), "mine");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink() && folder.is_dir());
}

#[test]
fn machine_options_are_refused_with_a_batch() {
    let mut bench = Bench::new();
    bench.stdin = r#"{"request":{"kb":"KB5046617"}}"#.to_owned();
    bench.run(&["resolve", "--batch", "-"]).exits(0);
    for option in [
        &["--arch", "arm64"][..],
        &["--baseline", "26100.8037"],
        &["--for", "winpe"],
        &["--installation", "server"],
        &["--product", "nonsense"],
        &["--host", "nofile"],
        &["--policy", "security"],
        &["--esu"],
        &["--no-esu"],
        &["--edition", "EnterpriseS"],
        &["--dotnet", "4.8"],
        &["--installed", "KB5043080"],
        &["--fod"],
        &["--available", "."],
        &["--minimal"],
        &["--accept-withdrawn"],
    ] {
        bench.run(&[&["resolve", "--batch", "-"], option].concat()).exits(2);
    }
}

#[test]
fn only_a_file_with_one_root_key_is_trusted() {
    let bench = Bench::new();
    let root = create_keys(&bench);
    let file = bench.path("some.pub");
    let trusted = bench.mirror().join("keys/trusted.txt");
    for text in [
        format!("untrusted comment: kbmirror export key\n{root}\n"),
        format!("{root}\n{root}\n"),
        "nothing\n".to_owned(),
    ] {
        fs::write(&file, &text).unwrap();
        bench.run(&["keys", "trust", file.as_str()]).exits(2);
        assert!(!trusted.exists(), "{text}");
    }
    let absent = bench.path("no.pub");
    let ran = bench.run(&["keys", "trust", absent.as_str()]).exits(2);
    assert_eq!(ran.stderr, format!("error: {absent} does not exist\n"));
    fs::write(&file, format!("\u{feff}untrusted comment: root\r\n{root}\r\n")).unwrap();
    bench.run(&["keys", "trust", file.as_str()]).exits(0);
}
