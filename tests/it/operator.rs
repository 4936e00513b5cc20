//! Small assurances that an operator relies on: a refusal that says why, an output that arrived, a trial without a trace.
#![expect(clippy::disallowed_methods, reason = "folders are looked at as they lie")]

use std::fs;
use std::process::{Command, Stdio};

use serde_json::json;

use super::carry::{KB, connected, export, import, isolated, keys, root_of};
use super::harness::{Bench, Ran, each, names_in, recording, text_of, tree};

/// The commands that need the Catalog.
const OF_THE_CATALOG: [&str; 5] = ["fetch", "sync", "crawl", "search", "--catalog"];

#[test]
fn help_shows_its_examples_in_full() {
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
fn the_isolated_side_is_not_sent_to_the_catalog() {
    let here = connected(&[KB, "--arch", "arm64"]);
    let medium = here.path("stick");
    export(&here, &[KB], &medium).exits(0);
    let there = isolated(&root_of(&here));
    let silent = |ran: &Ran, what: &str| {
        let text = format!("{}{}", ran.stdout, ran.stderr);
        for command in OF_THE_CATALOG {
            assert!(!text.contains(command), "{what} advises {command}:\n{text}");
        }
    };
    // Before the first medium there are keys alone.
    for arguments in [&["list"][..], &["show", "KB9999999"], &["resolve", "KB9999999"], &["verify"]] {
        silent(&there.run(arguments), &format!("{arguments:?} before the first medium"));
    }
    import(&there, &medium).exits(0);
    let elsewhere = there.path("elsewhere");
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
        silent(&there.run(arguments), &format!("{arguments:?}"));
    }
    let stage = ["stage", "KB5046617", "--arch", "x64", "--to", elsewhere.as_str()];
    silent(&there.run(&stage), "stage");
    there.run(&["export", "KB9999999", "--to", elsewhere.as_str()]).exits(2);
    keys(&there);
    silent(&there.run(&["export", "KB9999999", "--to", elsewhere.as_str()]).exits(3), "export");
}

#[test]
fn a_trial_leaves_no_trace() {
    let demo = recording("demo");
    let new = Bench::new();
    for command in [&["fetch", KB, "--dry-run"][..], &["fetch", "KB9999999", "--dry-run"]] {
        new.replay(&demo, command);
        assert!(!new.mirror().exists(), "{command:?}");
    }
    let known = connected(&["KB5085516", "--arch", "arm64"]);
    known.configure(
        "format = 1\n[[profile]]\nname = \"a\"\nfamily = \"windows-11-24h2\"\narchitectures = [\"x64\"]\n",
    );
    let before = tree(&known.mirror());
    let planned = known.replay(&demo, &["fetch", KB, "--dry-run"]).exits(0).json();
    assert_eq!(each(&planned["sets"], "status"), ["planned", "planned"]);
    let checkpoint = &planned["sets"][0]["files"][0];
    assert_eq!((&checkpoint["role"], &checkpoint["present"]), (&json!("checkpoint"), &json!(true)));
    known.replay(&demo, &["sync", "--dry-run", "--as-of", "2026-03-31"]).exits(0);
    assert!(tree(&known.mirror()) == before, "a trial changed the mirror");
}

#[test]
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn output_that_did_not_arrive_is_an_error() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else {
        println!("skipped: there is no /dev/full here");
        return;
    };
    let here = connected(&[KB, "--arch", "arm64"]);
    for (arguments, reads_json) in [(&["list"][..], false), (&["list", "--json"], true), (&["--help"], false)]
    {
        let ran = Command::new(env!("CARGO_BIN_EXE_kbmirror"))
            .args(["--mirror", here.mirror().as_str()])
            .args(arguments)
            .stdout(Stdio::from(full.try_clone().unwrap()))
            .output()
            .unwrap();
        let told = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(9), "{arguments:?}: {told}");
        assert!(told.contains("could not be written"), "{arguments:?} {reads_json}: {told}");
    }
}

#[test]
fn a_prepared_mirror_is_listed_as_empty() {
    let bench = Bench::new();
    bench.run(&["list"]).exits(3);
    bench.run(&["init"]).exits(0);
    let listed = bench.run(&["list"]).exits(0);
    assert!(listed.stdout.contains("is empty"), "{}", listed.stdout);
    assert_eq!(bench.json(&["list"]).exits(0).json(), json!({ "sets": [] }));
}

#[test]
fn a_misspelt_key_of_a_batch_line_is_its_error() {
    let mut bench = connected(&[KB, "--arch", "arm64"]);
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
fn generated_texts_go_into_files() {
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
fn a_secret_key_is_named_and_not_repeated() {
    let bench = Bench::new();
    keys(&bench);
    for name in ["root.key", "export.key"] {
        let path = bench.mirror().join("keys").join(name);
        let text = fs::read_to_string(&path).unwrap();
        let secret = text.lines().last().unwrap();
        for given in [path.as_str(), secret, text.as_str()] {
            for ran in [bench.run(&["keys", "trust", given]), bench.json(&["keys", "trust", given])] {
                let ran = ran.exits(2);
                let told = format!("{}{}", ran.stdout, ran.stderr);
                assert!(told.contains("this is a secret key"), "{told}");
                assert!(!told.contains(&secret[8..]), "{told}");
            }
        }
    }
    assert!(!bench.mirror().join("keys/trusted.txt").exists());
}

#[test]
fn folders_that_the_readme_makes_are_ignored_by_git() {
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
    let here = connected(&[KB, "--arch", "arm64"]);
    for end in ["", "-wal", "-shm"] {
        let _absent = fs::remove_file(here.mirror().join(format!("mirror.db{end}")));
    }
    here.run(&["init"]).exits(0);
    let ran = here.run(&["list"]).exits(3);
    assert!(ran.stderr.contains("the index is missing"), "{}", ran.stderr);
    fs::write(here.mirror().join("mirror.db"), "no database").unwrap();
    let ran = here.run(&["list"]).exits(2);
    assert!(ran.stderr.contains("makes it anew"), "{}", ran.stderr);
}

#[test]
#[cfg(unix)]
fn a_signing_key_that_is_no_file_is_refused() {
    let here = connected(&[KB, "--arch", "arm64"]);
    let key = here.mirror().join("keys/export.key");
    let stick = here.path("stick");
    fs::remove_file(&key).unwrap();
    let ran = here.run(&["export", KB, "--to", stick.as_str()]).exits(2);
    assert!(ran.stderr.contains("export.key is missing"), "{}", ran.stderr);
    assert!(Command::new("mkfifo").arg(&key).status().unwrap().success());
    let ran = here.run(&["export", KB, "--to", stick.as_str()]).exits(2);
    assert!(ran.stderr.contains("not a regular file"), "{}", ran.stderr);
}

#[test]
#[cfg(unix)]
fn a_named_file_never_replaces_a_link_a_device_or_a_folder() {
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
            assert!(ran.stderr.contains("is not a regular file"), "{command:?}: {}", ran.stderr);
        }
    }
    assert_eq!(fs::read_to_string(&target).unwrap(), "mine");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink() && folder.is_dir());
}

#[test]
fn options_of_a_machine_are_refused_beside_a_batch() {
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
    let root = keys(&bench);
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
    let ran = bench.run(&["keys", "trust", bench.path("no.pub").as_str()]).exits(2);
    assert!(ran.stderr.contains("does not exist"), "{}", ran.stderr);
    fs::write(&file, format!("\u{feff}untrusted comment: root\r\n{root}\r\n")).unwrap();
    bench.run(&["keys", "trust", file.as_str()]).exits(0);
}
