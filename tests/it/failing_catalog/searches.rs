//! Searches with several pages: lists that change while they are read, and queries over the limit of the Catalog.

use super::*;

/// A list of 60 updates on three pages changes while it is read.
#[test]
fn a_list_that_changes_while_it_is_read_is_read_again() {
    let numbered = |numbers: &mut dyn Iterator<Item = u32>| {
        numbers.fold(control(), |world, number| {
            world.update(lcu(number, "2024-08", KB, &format!(" (26100.{number})")))
        })
    };
    let changes: [(&str, World, u32); 4] = [
        // The last update is revised and moves to the front.
        ("moved", numbered(&mut [159].into_iter().chain(100..159)), 60),
        ("new", numbered(&mut [200].into_iter().chain(100..160)), 61),
        ("removed", numbered(&mut (101..160)), 59),
        ("shorter", numbered(&mut (100..120)), 20),
    ];
    for (change, later, expected) in changes {
        for page in [1, 2] {
            let (bench, loopback) = (Bench::new(), Loopback::start(numbered(&mut (100..160))));
            loopback.rule(Rule::once(
                &format!("/Search.aspx?p={page}"),
                Action::ReplaceWorld(Box::new(later.clone())),
            ));
            let found = run_with(&bench, &loopback, &["search", KB]).exits(0).json();
            assert_eq!(
                (&found["total"], &found["complete"]),
                (&json!(expected), &json!(true)),
                "{change}: {found:#}"
            );
            let mut ids = field_texts(&found["updates"], "update_id");
            let row_count = ids.len();
            ids.sort();
            ids.dedup();
            assert_eq!(
                (ids.len(), row_count),
                (expected as usize, expected as usize),
                "{change} on page {page}"
            );
            assert!(loopback.requests().len() <= 6, "{change}: {}", loopback.requests().len());
        }
    }
    // A list that changes all the time: the rows seen are used, and a warning says that the list may be incomplete.
    let (bench, loopback) = (Bench::new(), Loopback::start(numbered(&mut (100..160))));
    let rotated =
        |by: u32| Box::new(numbered(&mut (100..160).map(move |number| 100 + (number - 100 + by) % 60)));
    for by in [59, 58, 57, 56] {
        loopback.rule(Rule::once("/Search.aspx?p=1", Action::ReplaceWorld(rotated(by))));
    }
    let document = run_with(&bench, &loopback, &["crawl", KB]).exits(0).json();
    assert!(document["warnings"].to_string().contains("changes while it is read"), "{document:#}");
    assert_eq!(bench.rows("SELECT count(*) FROM absences"), [["0"]]);
}

/// A query matches 2,600 updates, and the Catalog shows at most 1000.
#[test]
fn a_search_over_the_limit_is_split_until_it_is_complete() {
    let mut world = World::new();
    let mut number = 0;
    for month in ["2026-09", "2026-08", "2026-07", "2026-06"] {
        for version in ["24H2", "25H2"] {
            for (arch, count) in [("x64", 200), ("arm64", 100)] {
                for _ in 0..count {
                    number += 1;
                    let title = format!(
                        "{month} Cumulative Update for Windows 11, version {version} for {arch}-based Systems (KB{})",
                        5_100_000 + number
                    );
                    world = world
                        .update(UpdateSpec { files: Vec::new(), ..UpdateSpec::new(&id(number), &title) });
                }
            }
        }
    }
    for _ in 0..200 {
        number += 1;
        world =
            world.update(UpdateSpec::new(&id(number), &format!("Example - Net - {number} for Windows 11")));
    }
    assert_eq!(number, 2_600);
    let loopback = Loopback::start(world);
    let bench = Bench::new();
    let found = run_with(&bench, &loopback, &["search", "windows", "11"]).exits(0).json();
    assert_eq!((&found["total"], &found["complete"]), (&json!(2600), &json!(true)), "{}", found["parts"]);
    let mut ids = field_texts(&found["updates"], "update_id");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 2_600);
    let parts = items(&found["parts"]);
    assert!(parts.len() > 2 && parts.iter().all(|part| part["cut"] == false), "{}", found["parts"]);
    let sum: u64 = parts.iter().map(|part| part["total"].as_u64().unwrap()).sum();
    assert_eq!(sum, 2_600, "the parts do not overlap: {}", found["parts"]);
    // Each row is read once, and each split costs one page.
    assert!(loopback.requests().len() <= 2_600 / 25 + 3 * parts.len(), "{}", loopback.requests().len());

    // A limit below 1000 does not split the query.
    let before = loopback.requests().len();
    let some = run_with(&bench, &loopback, &["search", "windows", "11", "--limit", "30"]).exits(0).json();
    assert_eq!((items(&some["updates"]).len(), &some["complete"]), (30, &json!(false)));
    assert_eq!(loopback.requests().len(), before + 2);
}

#[test]
fn a_search_that_cannot_be_split_is_reported_as_truncated() {
    let world = (0..1_200).fold(World::new(), |world, number| {
        world.update(UpdateSpec::new(&id(number), &format!("Example - Net - {number} for Windows 11")))
    });
    let loopback = Loopback::start(world);
    let bench = Bench::new();
    let found = run_with(&bench, &loopback, &["search", "example"]).exits(0).json();
    assert_eq!((items(&found["updates"]).len(), &found["complete"]), (1000, &json!(false)));
    assert!(items(&found["parts"]).iter().any(|part| part["cut"] == true), "{}", found["parts"]);
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let ran = bench.run(&[
        "--catalog-url",
        &url,
        "--allow-host",
        &host,
        "--catalog-rate",
        "1000",
        "search",
        "example",
    ]);
    assert!(ran.exits(0).stderr.contains("more exist"), "the warning is also printed without --json");
}
