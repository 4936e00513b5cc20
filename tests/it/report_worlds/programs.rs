//! Entries with several programs, several versions of one program, and delta updates.

use super::*;

const DEFENDER: &str = "04-defender-platform-all-architectures";
const DELTA: &str = "07-delta-update-taken";

/// Returns the file names of a plan.
fn names(plan: &Value) -> Vec<String> {
    field_texts(&plan["steps"], "name")
}

/// Returns the title of a version of the Defender platform.
fn platform(version: &str, channel: &str) -> String {
    format!(
        "Update for Microsoft Defender Antivirus antimalware platform - KB4052623 (Version {version}) - Current Channel ({channel})"
    )
}

#[test]
fn only_the_program_of_the_architecture_is_fetched() {
    let Some(world) = world_of(DEFENDER) else { return };
    let closed = Closed::after(world, &["fetch", "KB4052623", "--arch", "x64"]);
    let fetched = closed.connected.json();
    let files: Vec<String> =
        items(&fetched["sets"]).iter().flat_map(|set| field_texts(&set["files"], "name")).collect();
    assert!(matches!(files.as_slice(), [one] if one.starts_with("updateplatform.amd64fre_")), "{files:?}");
    let left_out: Vec<String> = field_texts(&fetched["left_out"], "left_out_by");
    assert_eq!(left_out.iter().filter(|reason| *reason == "older_version").count(), 1, "{fetched:#}");
    assert_eq!(left_out.iter().filter(|reason| *reason == "architecture").count(), 4, "{fetched:#}");

    let at = ["KB4052623", "--baseline", "19045.5000", "--arch"];
    let plan = closed.plan(&[&at[..], &["x64"]].concat());
    assert_eq!((&plan["status"], names(&plan)), (&"install".into(), files), "{plan:#}");
    assert!(plan["product"].as_str().unwrap().contains("4.18.26020.6"), "{plan:#}");
    let older = "KB4052623 has the older version 4.18.26010.5; used 4.18.26020.6";
    assert!(items(&plan["warnings"]).contains(&older.into()), "{plan:#}");
    for (architecture, word) in [("arm64", "arm64fre"), ("x86", "x86fre")] {
        let plan = closed.plan(&[&at[..], &[architecture]].concat());
        assert!(matches!(names(&plan).as_slice(), [one] if one.contains(word)), "{plan:#}");
    }
}

#[test]
fn an_older_version_can_be_requested_by_its_title() {
    let Some(world) = world_of(DEFENDER) else { return };
    let title = platform("4.18.26010.5", "Broad");
    let request = ["KB4052623", "--arch", "x64", "--product", &title];
    let closed = Closed::after(world, &[&["fetch"], &request[..]].concat());
    assert_eq!(items(&closed.connected.json()["sets"]).len(), 1);
    let plan = closed.plan(&request);
    assert_eq!(plan["product"], title.as_str(), "{plan:#}");
}

#[test]
fn versions_of_two_channels_are_not_compared() {
    let world = [("4.18.26020.6", "Broad"), ("4.18.26030.1", "Staged"), ("4.18.26010.5", "Broad")];
    let world = world.into_iter().zip(1..).fold(World::new(), |world, ((version, channel), number)| {
        let files = vec![program("updateplatform.amd64fre", version)];
        world.update(entry(&id(number), &platform(version, channel), files))
    });
    let closed = Closed::after(world, &["crawl", "KB4052623"]);
    let plan = closed.plan(&["KB4052623", "--arch", "x64"]);
    assert_eq!((&plan["status"], items(&plan["choices"]).len()), (&"ambiguous".into(), 2), "{plan:#}");
}

#[test]
fn names_without_an_architecture_are_not_for_every_one() {
    let files = (0..3).map(|number| program("updateplatform", &number.to_string())).collect();
    let world = World::new().update(entry(&id(1), &platform("4.18.2001.10", "Broad"), files));
    let closed = Closed::after(world, &["crawl", "KB4052623"]);
    let plan = closed.plan(&["KB4052623", "--arch", "x64"]);
    assert_eq!(plan["status"], "unknown", "{plan:#}");
    assert!(text_of(&plan["advice"]).contains("updateplatform_"), "{plan:#}");
    // Without an architecture, all are named, and no order is claimed.
    let (status, steps) = closed.answer(&["KB4052623"]);
    assert_eq!((status.as_str(), steps), ("install", vec!["? target KB4052623".to_owned(); 3]));
    let heading = closed.bench.run(&["--offline", "resolve", "KB4052623"]).stdout;
    assert!(heading.contains("install from 3 files; their order is unknown"), "{heading}");
}

#[test]
fn every_token_of_an_architecture_filters() {
    let stems = ["tool-x64", "tool_x86_", "tool-arm64", "setup.amd64fre", "setup.x86fre", "readme"];
    let files = stems.iter().map(|stem| program(stem, "")).collect();
    let world = World::new().update(entry(&id(1), "Update for Windows Tools (KB4999999)", files));
    let closed = Closed::after(world, &["crawl", "KB4999999"]);
    for (architecture, expected) in [
        ("x64", ["readme", "setup.amd64fre", "tool-x64"].as_slice()),
        ("x86", &["readme", "setup.x86fre", "tool_x86_"]),
        ("arm64", &["readme", "tool-arm64"]),
    ] {
        let plan = closed.plan(&["KB4999999", "--arch", architecture]);
        let mut found = names(&plan);
        found.sort();
        let found: Vec<&str> = found.iter().map(|name| name.rsplit_once('_').unwrap().0).collect();
        assert_eq!(found, expected, "{plan:#}");
        let unclear = items(&plan["steps"]).iter().find(|step| text_of(&step["name"]).starts_with("readme"));
        assert_eq!(unclear.unwrap()["role"], "companion", "{plan:#}");
    }
}

#[test]
fn a_delta_update_is_recorded_and_never_fetched() {
    let Some(world) = world_of(DELTA) else { return };
    let closed = Closed::after(world, &["fetch", "KB4034658", "--no-closure"]);
    let fetched = closed.connected.json();
    let folders = field_texts(&fetched["sets"], "folder");
    assert_eq!(folders, ["kb/KB4034658/server-2016-x64"], "{fetched:#}");
    assert_eq!(fetched["left_out"][0]["left_out_by"], "delta");
    let shown = closed.bench.json(&["--offline", "show", "KB4034658"]).exits(0).json();
    assert!(field_texts(&shown["updates"], "kind").contains(&"delta".to_owned()), "{shown:#}");
    let graph = closed.bench.run(&["--offline", "graph", "KB4034658"]).exits(0);
    assert!(graph.stdout.contains("_delta_"), "{}", graph.stdout);

    let request = ["KB4034658", "--arch", "x64", "--baseline", "14393.1000", "--installation", "server"];
    let plan = closed.plan(&request);
    assert_eq!(plan["status"], "install", "{plan:#}");
    assert!(names(&plan).iter().all(|name| !name.contains("_delta_")), "{plan:#}");
    assert!(names(&plan).iter().any(|name| name.starts_with("windows10.0-kb4034658-x64_")), "{plan:#}");
}

#[test]
fn a_delta_update_alone_is_never_planned() {
    let title = "2018-12 Delta Update for Windows 10 Version 1709 for arm64-based Systems (KB4999998)";
    let world = |title: &str| {
        let files =
            vec![FileSpec::package("windows10.0-kb4999998-arm64_delta", "msu", b"MSCF delta".to_vec())];
        World::new().update(entry(&id(1), title, files))
    };
    for title in [title, &title.replace("Delta Update", "Cumulative Update")] {
        let closed = Closed::after(world(title), &["crawl", "KB4999998"]);
        let request = ["KB4999998", "--arch", "arm64", "--baseline", "16299.15"];
        assert_eq!(closed.status(&request), "not_applicable", "{title}");
        assert_eq!(closed.status(&["KB4999998"]), "not_applicable", "{title}");
        let staged = closed.bench.path("staged");
        let stage = ["--offline", "stage", "KB4999998", "--arch", "arm64", "--to", staged.as_str()];
        assert_eq!(closed.bench.json(&stage).code, 10, "{title}");
        let loopback = Loopback::start(world(title));
        let (url, host) = (loopback.catalog_url(), loopback.file_host());
        let network = ["--catalog-url", &url, "--allow-host", &host];
        for kind in [&["fetch", "KB4999998"][..], &["fetch", "KB4999998", "--kind", "delta"]] {
            let fetched = closed.bench.json(&[&network[..], kind].concat());
            assert_eq!((fetched.code, items(&fetched.json()["sets"]).len()), (3, 0), "{title}");
        }
    }
}

#[test]
fn a_delta_file_beside_the_complete_one_is_left_out() {
    let title = "2018-12 Cumulative Update for Windows 10 Version 1709 for x64-based Systems (KB4999997)";
    let stems = ["windows10.0-kb4999997-x64_delta", "windows10.0-kb4999997-x64"];
    let files = stems.iter().map(|stem| FileSpec::package(stem, "msu", format!("MSCF{stem}").into_bytes()));
    let world = World::new().update(entry(&id(1), title, files.collect()));
    let closed = Closed::after(world, &["fetch", "KB4999997", "--no-closure"]);
    let plan = closed.plan(&["KB4999997", "--arch", "x64", "--baseline", "16299.15"]);
    assert!(names(&plan).iter().all(|name| !name.contains("_delta_")), "{plan:#}");
    assert_eq!(plan["status"], "install", "{plan:#}");
}
