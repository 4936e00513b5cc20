//! Filters, order, limits, and table of `search`, and its report of the updates that are not shown.

use serde_json::{Value, json};

use super::harness::{Bench, RunOutput, field_texts, items, recording};
use super::support::{FileSpec, Loopback, UpdateSpec, World, id};

/// Runs a command against a loopback Catalog.
fn run_against(bench: &Bench, loopback: &Loopback, arguments: &[&str]) -> RunOutput {
    let url = loopback.catalog_url();
    let network = ["--catalog-url", &url, "--catalog-rate", "1000", "--patience", "0"];
    bench.json(&[&network, arguments].concat())
}

fn update(number: u32, date: &str, title: &str, products: &str, classification: &str) -> UpdateSpec {
    UpdateSpec {
        products: products.to_owned(),
        classification: classification.to_owned(),
        last_updated: date.to_owned(),
        files: vec![FileSpec::package("windows11.0-kb5100000-x64", "msu", vec![b'x'; number as usize])],
        ..UpdateSpec::new(&id(number), title)
    }
}

/// Returns a Catalog with one month of easily confused updates; every title has the month in it.
fn month() -> World {
    let (secure, other, critical) = ("Security Updates", "Updates", "Critical Updates");
    let du = "Windows Safe OS Dynamic Update, Windows 10 and later Dynamic Update";
    let rows = [
        (
            "11/24/2026",
            "2026-11 Cumulative Update Preview for Windows 11, version 24H2 for x64-based Systems (KB5100003) (26100.9700)",
            "Windows 11",
            other,
        ),
        (
            "11/10/2026",
            "2026-11 Cumulative Update for Windows 11, version 24H2 for x64-based Systems (KB5100001) (26100.9600)",
            "Windows 11",
            secure,
        ),
        (
            "11/10/2026",
            "2026-11 Cumulative Update for Windows 11, version 24H2 for arm64-based Systems (KB5100001) (26100.9600)",
            "Windows 11",
            secure,
        ),
        (
            "11/10/2026",
            "2026-11 Cumulative Update for Windows 11, version 25H2 for x64-based Systems (KB5100001) (26200.9600)",
            "Windows 11",
            secure,
        ),
        (
            "11/10/2026",
            "2026-11 Cumulative Update for Microsoft server operating system version 24H2 for x64-based Systems (KB5100002)",
            "Microsoft Server Operating System-24H2",
            secure,
        ),
        (
            "11/10/2026",
            "2026-11 Dynamic Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB5100004)",
            "Windows 10 and later GDR-DU",
            secure,
        ),
        (
            "11/10/2026",
            "2026-11 Safe OS Dynamic Update for Windows 11, version 24H2 for x64-based Systems (KB5100005)",
            du,
            critical,
        ),
        (
            "11/10/2026",
            "2026-11 Cumulative Update for .NET Framework 3.5 and 4.8 for Windows 10 Version 22H2 (KB5100006)",
            "Windows 10, version 1903 and later",
            secure,
        ),
        (
            "11/9/2026",
            "2026-11 Cumulative Update Preview for .NET Framework 3.5 and 4.8.1 for Windows 11, version 24H2 for x64 (KB5100007)",
            "Windows 11",
            other,
        ),
        (
            "11/1/2026",
            "2026-11 Example - Net - 12.4",
            "Windows 11 Client,  version 24H2 and later,  Servicing Drivers",
            "Drivers (Networking)",
        ),
    ];
    rows.iter().zip(1..).fold(World::new(), |world, (&(date, title, products, class), number)| {
        world.update(update(number, date, title, products, class))
    })
}

#[test]
fn each_filter_selects_the_matching_updates() {
    let (bench, loopback) = (Bench::new(), Loopback::start(month()));
    for (filters, kbs) in [
        (&["--arch", "aarch64"][..], &["KB5100001"][..]),
        (&["--arch", "amd64", "--kind", "lcu"], &["KB5100002", "KB5100001", "KB5100001"]),
        (&["--arch", "arm64", "--arch", "x86"], &["KB5100006", "KB5100001"]),
        (&["--kind", "lcu_preview"], &["KB5100003"]),
        (&["--kind", "DYNAMIC_CU"], &["KB5100004"]),
        (&["--kind", "dotnet_cu", "--kind", "dotnet_preview"], &["KB5100006", "KB5100007"]),
        (&["--product", "windows server 2025"], &["KB5100002"]),
        // For KB5100001 the row with the version is found, for the others the rows of its family.
        (&["--product", "25H2"], &["KB5100003", "KB5100001", "KB5100005", "KB5100007"]),
        (&["--product", "26200", "--kind", "lcu"], &["KB5100001"]),
        (&["--product", "windows 10, version 1903 and later"], &["KB5100006"]),
        (&["--classification", "critical updates"], &["KB5100005"]),
        (&["--classification", "UPDATES", "--since", "2026-11-20"], &["KB5100003"]),
        (&["--since", "2026-11-09", "--until", "2026-11-09"], &["KB5100007"]),
    ] {
        let found =
            run_against(&bench, &loopback, &[&["search", "2026-11"], filters].concat()).exits(0).json();
        assert_eq!(field_texts(&found["updates"], "kb"), kbs, "{filters:?}");
        assert_eq!((&found["total"], &found["complete"]), (&json!(10), &json!(true)));
    }
    let drivers =
        run_against(&bench, &loopback, &["search", "2026-11", "--classification", "drivers"]).exits(0).json();
    assert_eq!(drivers["updates"][0]["kb"], Value::Null);
    assert_eq!(
        drivers["left_out"],
        json!([{ "filter": "--classification", "updates": 9 }]),
        "updates that are not shown must be counted"
    );
    assert!(!bench.mirror().exists(), "a search must not write to the mirror");
}

#[test]
fn results_are_sorted_as_requested() {
    let (bench, loopback) = (Bench::new(), Loopback::start(month()));
    let sizes = |arguments: &[&str]| -> Vec<u64> {
        let found =
            run_against(&bench, &loopback, &[&["search", "2026-11"], arguments].concat()).exits(0).json();
        items(&found["updates"]).iter().map(|update| update["size"].as_u64().unwrap()).collect()
    };
    // The size of an update is its number in this Catalog.
    assert_eq!(sizes(&["--sort", "size"]), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(sizes(&["--sort", "size", "--reverse", "--limit", "3"]), [1, 2, 3]);
    assert_eq!(sizes(&[]), [1, 8, 5, 3, 2, 4, 6, 7, 9, 10]);
    assert_eq!(sizes(&["--reverse"]), [10, 9, 8, 5, 3, 2, 4, 6, 7, 1]);
    assert_eq!(sizes(&["--sort", "kind"]), [5, 3, 2, 4, 1, 6, 8, 9, 7, 10]);
    assert_eq!(sizes(&["--sort", "product", "--limit", "2"]), [5, 8]);
}

/// Returns a Catalog of 80 updates with different dates, on four pages.
fn pages(newest_first: bool) -> World {
    (0..80).fold(World::new(), |world, number| {
        let day = if newest_first { 80 - number } else { number + 1 };
        let date = format!("{}/{}/2026", day / 28 + 1, day % 28 + 1);
        let title =
            format!("Cumulative Update for Windows 11, version 24H2 for x64-based Systems (KB51{number:05})");
        world.update(update(number + 1, &date, &title, "Windows 11", "Updates"))
    })
}

#[test]
fn a_limit_requests_only_the_pages_it_needs() {
    for (world, arguments, requests, complete) in [
        (true, &["--limit", "30"][..], 2, false),
        (true, &["--limit", "25"], 1, false),
        (true, &[], 4, true),
        (true, &["--limit", "30", "--kind", "lcu"], 4, false),
        (true, &["--limit", "30", "--sort", "title"], 4, false),
        (true, &["--limit", "80"], 4, true),
        // The Catalog does not list the newest update first: the first page is not sufficient, so all pages are
        // requested.
        (false, &["--limit", "5"], 1 + 4, false),
    ] {
        let (bench, loopback) = (Bench::new(), Loopback::start(pages(world)));
        let found =
            run_against(&bench, &loopback, &[&["search", "Windows 11"], arguments].concat()).exits(0).json();
        assert_eq!(loopback.requests().len(), requests, "{arguments:?}");
        assert_eq!((&found["total"], &found["complete"]), (&json!(80), &json!(complete)), "{arguments:?}");
        if !arguments.contains(&"--sort") {
            assert_eq!(found["updates"][0]["last_updated"], "2026-03-25", "the newest update must be first");
        }
    }
}

#[test]
fn the_last_line_counts_hidden_updates() {
    let (bench, loopback) = (Bench::new(), Loopback::start(pages(true)));
    let url = loopback.catalog_url();
    let last = |arguments: &[&str]| {
        let ran = bench.run(
            &[&["-q", "--catalog-url", &url, "--catalog-rate", "1000", "search", "Windows"], arguments]
                .concat(),
        );
        ran.exits(0).stderr
    };
    assert_eq!(last(&[]), "80 found\n");
    assert_eq!(last(&["--limit", "30"]), "80 found, 30 shown, 50 cut by --limit\n");
    assert_eq!(
        last(&["--until", "2026-03-20", "--since", "2026-01-10", "--limit", "7"]),
        "80 found, 7 shown, 13 excluded by filters (--since 8, --until 5), 60 cut by --limit\n"
    );
    let catalog = recording("catalog");
    let capped = ["-q", "--replay", catalog.as_str(), "search", "cumulative", "update", "--limit", "5"];
    let stdout = bench.run(&capped).exits(0).stderr;
    assert_eq!(stdout, "more than 1000 found, 5 shown, the others cut by --limit\n");
}

#[test]
fn filters_without_matches_are_reported_with_the_choices() {
    let (bench, loopback) = (Bench::new(), Loopback::start(month()));
    let none =
        run_against(&bench, &loopback, &["search", "2026-11", "--arch", "arm64", "--kind", "ssu"]).exits(3);
    let (kind, message) = none.error();
    assert_eq!(kind, "not_found");
    assert_eq!(
        message,
        "the filters exclude all 10 updates that the Catalog has for \"2026-11\"; excluded: --arch 9, --kind 10"
    );
    let hints = &none.json()["error"]["hints"];
    assert_eq!(
        hints,
        &json!(["use --kind with dotnet_cu, dotnet_preview, dynamic_cu, lcu, lcu_preview, safeos_du"])
    );
    let none =
        run_against(&bench, &loopback, &["search", "2026-11", "--since", "2027-01-01"]).exits(3).json();
    assert_eq!(none["error"]["hints"], json!(["use --since with a day from 2026-11-01 to 2026-11-24"]));
    let none = run_against(&bench, &loopback, &["search", "2026-12"]).exits(3);
    assert_eq!(none.error().1, "the Catalog finds nothing for \"2026-12\"");
}

#[test]
fn invalid_searches_are_refused_without_a_request() {
    let (bench, loopback) = (Bench::new(), Loopback::start(month()));
    let long = "x".repeat(101);
    for (arguments, parts) in [
        (
            &["search", "x", "--kind", "cumulative"][..],
            &["'cumulative'", "lcu, lcu_preview", "dotnet_cu"][..],
        ),
        (&["search", "x", "--arch", "64"], &["\"64\"", "arm64"]),
        (&["search", "x", "--since", "10.11.2026"], &["10.11.2026", "--since"]),
        (&["search", "x", "--until", "2026-02-30"], &["2026-02-30"]),
        (
            &["search", "x", "--since", "2026-02-02", "--until", "2026-02-01"],
            &["--since 2026-02-02 is later than --until 2026-02-01"],
        ),
        (&["search", "x", "--product", ""], &["--product"]),
        (&["search", "x", "--sort", "age"], &["date", "title", "size", "kind", "product"]),
        (&["search", "x", "--limit", "0"], &["--limit"]),
        (&["search", " "], &["the query is empty"]),
        (&["search", &long], &["101 characters", "at most 100"]),
        (&["search", "KB5129195\u{1b}[2J"], &["control character U+001B"]),
        (&["crawl", "one\ntwo"], &["control character U+000A"]),
    ] {
        let (kind, message) = run_against(&bench, &loopback, arguments).exits(2).error();
        assert_eq!(kind, "usage", "{arguments:?}");
        assert!(parts.iter().all(|part| message.contains(part)), "{arguments:?}: {message}");
    }
    assert_eq!(loopback.requests().len(), 0);
}

#[test]
fn the_table_fits_each_terminal_and_a_pipe_has_one_line_per_row() {
    let (bench, loopback) = (Bench::new(), Loopback::start(month()));
    let url = loopback.catalog_url();
    let search = ["--catalog-url", &url, "--catalog-rate", "1000", "search", "2026-11"];
    let rows = [
        "KB5100006  2026-11-10  dotnet_cu",
        "KB5100003  2026-11-24  lcu_preview",
        "-          2026-11-01  -",
    ];
    for columns in [80, 100, 120, 200] {
        let stdout = bench.run_at_width(columns, &search).exits(0).stdout;
        let widest = stdout.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= usize::from(columns), "{widest} of {columns}:\n{stdout}");
        assert!(rows.iter().all(|row| stdout.contains(row)), "{columns}:\n{stdout}");
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let title = "2026-11 Cumulative Update for .NET Framework 3.5 and 4.8 for Windows 10 Version 22H2 (KB5100006)";
        let is_complete = words(&stdout).contains(title);
        // The title may continue in the lines below its row, which contain nothing else.
        assert!(is_complete, "{columns}:\n{stdout}");
    }
    let under = bench.run_at_width(80, &search).exits(0).stdout;
    assert!(under.lines().nth(2).unwrap().starts_with("    2026-11 "), "{under}");
    let piped = bench.run(&search).exits(0).stdout;
    assert_eq!(piped.lines().count(), 11, "{piped}");
    assert!(piped.lines().skip(1).all(|line| line.contains("2026-11 ")), "{piped}");
}
