//! Windows 8.1 and Server 2012 R2 with their service levels, conditions in titles, entries with several packages, and
//! servicing stacks that need older ones.

use super::*;

const UPDATE_1: &str = "15-kb2919355-true-title";
const BUNDLE: &str = "17-bundle-script-drops-files";
const WITHOUT: &str = "19-title-without-kb";
const STACKS: &str = "24-ssu-needs-older-ssu";

/// Returns the request of a KB on a server of Windows 8.1's build.
fn server<'a>(kb: &'a str, build: &'a str) -> [&'a str; 7] {
    [kb, "--arch", "x64", "--baseline", build, "--installation", "server"]
}

#[test]
fn windows_8_1_update_is_for_its_windows_and_its_level() {
    let Some(world) = world_of(UPDATE_1) else { return };
    let closed = Closed::after(world, &["crawl", "KB2919355", "KB2919442"]);
    let crawled = closed.connected.json();
    let set = items(&crawled["sets"]).iter().find(|set| set["kb"] == "KB2919355").unwrap();
    assert_eq!((&set["family"], &set["architecture"]), (&"server-2012-r2".into(), &"x64".into()), "{set:#}");
    let (status, steps) = closed.answer(&server("KB2919355", "9600.16384"));
    assert_eq!(status, "install");
    assert_eq!(&steps[..2], ["1 ssu KB2919442", "2 target KB2919355"]);
    assert_eq!(steps[2..].iter().filter(|step| step.starts_with("? companion")).count(), 5, "{steps:?}");
    let ssu = [&server("KB2919355", "9600.16384")[..], &["--installed", "KB2919442"]].concat();
    assert_eq!(closed.answer(&ssu).1[0], "1 target KB2919355");

    assert_eq!(closed.status(&["KB2919355", "--arch", "x64", "--baseline", "19045.6456"]), "not_applicable");
    for build in ["9600.17031", "9600.17415", "9600.21620"] {
        assert_eq!(closed.status(&server("KB2919355", build)), "nothing_to_do", "{build}");
    }
    let installed = [&server("KB2919355", "9600.16384")[..], &["--installed", "KB2919355"]].concat();
    assert_eq!(closed.status(&installed), "nothing_to_do");
}

#[test]
fn later_updates_need_the_service_level() {
    let titles = [
        (
            "2018-01 Security Monthly Quality Rollup for Windows Server 2012 R2 for x64-based Systems (KB4999991)",
            "1/9/2018",
        ),
        ("Security Update for Windows Server 2012 R2 (KB4999992)", "11/11/2014"),
        ("Security Update for Windows Server 2012 R2 (KB4999993)", "2/11/2014"),
    ];
    let world = titles.into_iter().zip(1..).fold(World::new(), |world, ((title, date), number)| {
        let kb = classify(title, "", None).kb.unwrap().number();
        let files = vec![FileSpec::package(
            &format!("windows8.1-kb{kb}-x64"),
            "msu",
            format!("MSCF{kb}").into_bytes(),
        )];
        world.update(UpdateSpec { last_updated: date.to_owned(), ..entry(&id(number), title, files) })
    });
    let closed = Closed::after(world, &["crawl", "KB4999991", "KB4999992", "KB4999993"]);
    let before = ["KB2919442", "KB2919355"];
    for (kb, build, needed) in [
        ("KB4999991", "9600.16384", &before[..]),
        ("KB4999991", "9600.17031", &[]),
        ("KB4999992", "9600.16384", &before),
        ("KB4999992", "9600.17415", &[]),
        ("KB4999993", "9600.16384", &[]),
    ] {
        let (status, steps) = closed.answer(&server(kb, build));
        let kbs: Vec<&str> = steps.iter().map(|step| step.rsplit(' ').next().unwrap()).collect();
        assert_eq!(status, "install", "{kb} {build}");
        assert_eq!(kbs, [needed, &[kb]].concat(), "{kb} {build}");
    }
    // A running machine is at the service level only after a restart.
    let request = server("KB4999992", "9600.16384");
    for (place, is_needed) in [("online", true), ("image", false)] {
        let plan = closed.plan(&[&request[..], &["--for", place]].concat());
        assert_eq!(plan["steps"][1]["restart_after"], is_needed, "{plan:#}");
        assert_eq!(plan["steps"][2]["restart_after"], false, "{plan:#}");
    }
}

#[test]
fn packages_of_one_entry_are_all_named_without_an_order() {
    let Some(world) = world_of(BUNDLE) else { return };
    let closed = Closed::after(world, &["crawl", "KB2975719"]);
    let (status, mut steps) = closed.answer(&server("KB2975719", "9600.17031"));
    steps.sort();
    assert_eq!(status, "install");
    let companions =
        ["KB2979582", "KB2990532", "KB2993100", "KB2993651"].map(|kb| format!("? companion {kb}"));
    assert_eq!(steps, [&["1 target KB2975719".to_owned()], &companions[..]].concat());
    let heading =
        closed.bench.run(&[&["--offline", "resolve"], &server("KB2975719", "9600.17031")[..]].concat());
    assert!(heading.stdout.contains("install 5 files; the order of 4 is unknown"), "{}", heading.stdout);
}

#[test]
fn condition_of_a_title_decides_applicability() {
    let Some(world) = world_of(WITHOUT) else { return };
    let closed = Closed::after(world, &["crawl", "KB2961858"]);
    let client = |build| ["KB2961858", "--arch", "x64", "--baseline", build, "--installation", "client"];
    assert_eq!(
        closed.answer(&client("9600.16384")),
        ("install".to_owned(), vec!["1 target KB2961858".to_owned()])
    );
    for build in ["9600.17031", "9600.17415"] {
        assert_eq!(closed.status(&client(build)), "not_applicable", "{build}");
    }
    let installed = ["--installed", "KB2919355"];
    for build in ["9600.16384", "9600.17031"] {
        assert_eq!(closed.status(&[&client(build)[..], &installed].concat()), "not_applicable", "{build}");
    }
    assert_eq!(closed.status(&["KB2961858", "--arch", "x64", "--installed", "KB2919355"]), "not_applicable");
    let plan = closed.plan(&["KB2961858", "--arch", "x64"]);
    assert_eq!(plan["steps"][0]["needed_if"], "build below 9600.17031", "{plan:#}");
}

#[test]
fn an_entry_whose_condition_is_met_has_precedence() {
    let title = "Security Update for Windows 8.1 for x64-based Systems (KB4999996)";
    let conditional = format!("{title} without KB2919355");
    let world = [title, &conditional].into_iter().zip(1..).fold(World::new(), |world, (title, number)| {
        let files =
            vec![FileSpec::package("windows8.1-kb4999996-x64", "msu", format!("MSCF{title}").into_bytes())];
        world.update(UpdateSpec { last_updated: "6/10/2014".to_owned(), ..entry(&id(number), title, files) })
    });
    let closed = Closed::after(world, &["crawl", "KB4999996"]);
    let at = |build| closed.plan(&["KB4999996", "--arch", "x64", "--baseline", build]);
    let updated = at("9600.17031");
    let bare = at("9600.16384");
    for plan in [&updated, &bare] {
        assert_eq!((&plan["status"], items(&plan["steps"]).len()), (&"install".into(), 1), "{plan:#}");
    }
    assert_ne!(updated["steps"][0]["name"], bare["steps"][0]["name"]);
}

#[test]
fn a_servicing_stack_may_need_an_older_one() {
    let Some(world) = world_of(STACKS) else { return };
    let closed = Closed::after(world, &["crawl", "KB4465659", "KB4132216"]);
    let image = [&server("KB4465659", "14393.0")[..], &["--for", "image"]].concat();
    let both = vec!["1 ssu KB4132216".to_owned(), "2 target KB4465659".to_owned()];
    assert_eq!(closed.answer(&image), ("install".to_owned(), both));
    let installed = [&image[..], &["--installed", "KB4132216"]].concat();
    assert_eq!(closed.answer(&installed).1, ["1 target KB4465659"]);
    let older = [&server("KB4132216", "14393.0")[..], &["--for", "image"]].concat();
    assert_eq!(closed.answer(&older).1, ["1 target KB4132216"]);
}
