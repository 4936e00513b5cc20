//! The parsers against recorded pages of the Catalog. The expected values were read from the pages by eye. The sums
//! of sizes and the counts of dates were computed with `grep`.
//!
//! The recordings belong to other parties and are not part of the project. Without them these tests pass and report
//! the skipped files.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

mod dialogs;

use std::path::Path;

use jiff::civil::date;
use kbmirror::catalog::{
    DetailsPage, PageFault, PageKind, SearchPage, SearchRow, page_kind, parse_details_page,
    parse_download_dialog, parse_search_page,
};

/// Returns the body of a recording, or `None` if it is missing. `.http` files begin with the status line and the
/// headers.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test reads its input and reports a skipped file"
)]
fn body(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/recorded-pages").join(name);
    let Ok(bytes) = std::fs::read(&path) else {
        println!("skipped: {} is missing", path.display());
        return None;
    };
    let text = String::from_utf8(bytes).unwrap();
    if Path::new(name).extension().is_none_or(|extension| extension != "http") {
        return Some(text);
    }
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"));
    Some(body.to_owned())
}

#[test]
fn every_page_is_classified_by_kind() {
    let pages = [
        ("search-KB5030524-3rows-2023.html", PageKind::Rows),
        ("search-2023-cumulative-page1of31.html", PageKind::Rows),
        ("search-cumulative-update-over1000-2023.html", PageKind::Rows),
        ("search-office-2013-over1000-2019.http", PageKind::Rows),
        ("search-KB5129195-6rows-2026-retyped.html", PageKind::Rows),
        ("error-8DDD0010-2023.html", PageKind::Error { number: Some("8DDD0010".to_owned()) }),
        ("details-KB5030524-never-restarts-2023.html", PageKind::Details),
        ("details-KB5025239-arm64-2023.html", PageKind::Details),
        ("details-KB5026446-arm64-2023.html", PageKind::Details),
        ("dialog-KB4461444-1file-2019.http", PageKind::Dialog),
        ("dialog-KB5129195-checkpoint-2files-2026-retyped.js", PageKind::Dialog),
        ("dialog-KB3172729-prerequisite-2files-2016-retyped.js", PageKind::Dialog),
    ];
    for (name, kind) in pages {
        let Some(text) = body(name) else { return };
        assert_eq!(page_kind(&text, None), kind, "{name}");
        // Each parser accepts its own kind and refuses the others.
        assert_eq!(parse_search_page(&text).is_ok(), kind == PageKind::Rows, "{name}");
        assert_eq!(parse_details_page(&text).is_ok(), kind == PageKind::Details, "{name}");
        assert_eq!(parse_download_dialog(&text).is_ok(), kind == PageKind::Dialog, "{name}");
    }
}

/// Returns a row without a version: id, title, products, classification, date, size, size text.
fn row(
    id: &str,
    title: &str,
    products: &str,
    classification: &str,
    day: (i16, i8, i8),
    size: u64,
    size_text: &str,
) -> SearchRow {
    SearchRow {
        update_id: id.parse().unwrap(),
        title: title.to_owned(),
        products: products.to_owned(),
        classification: classification.to_owned(),
        last_updated: date(day.0, day.1, day.2),
        version: None,
        size,
        size_text: size_text.to_owned(),
    }
}

/// Returns "first - last of total (page of pages)", `true` if a next page exists, `true` if the results are capped,
/// the number of rows, and the sum of sizes.
fn summary(page: &SearchPage) -> (String, bool, bool, usize, u64) {
    let SearchPage { first, last, total, page: number, pages, .. } = page;
    let range = format!("{first} - {last} of {total} ({number} of {pages})");
    (range, page.has_next, page.capped, page.rows.len(), page.rows.iter().map(|row| row.size).sum())
}

fn count(page: &SearchPage, wanted: impl Fn(&SearchRow) -> bool) -> usize {
    page.rows.iter().filter(|row| wanted(row)).count()
}

fn search(name: &str) -> Option<SearchPage> {
    let page: Result<_, PageFault> = parse_search_page(&body(name)?);
    let page = page.unwrap();
    assert_eq!(count(&page, |row| row.version.is_none()), page.rows.len(), "only drivers have a version");
    Some(page)
}

#[test]
fn search_with_3_rows_of_2023() {
    let Some(page) = search("search-KB5030524-3rows-2023.html") else { return };
    assert_eq!(summary(&page), ("1 - 3 of 3 (1 of 1)".to_owned(), false, false, 3, 502_513_283));
    let exchange = |id, version: &str, size, size_text| {
        let title = format!("Security Update For Exchange Server {version} (KB5030524)");
        let products = format!("Exchange Server {}", &version[..4]);
        row(id, &title, &products, "Security Updates", (2023, 8, 15), size, size_text)
    };
    let expected = [
        exchange("56a97db8-1478-4860-a935-7996c78d10be", "2019 CU12", 168_724_351, "160.9 MB"),
        exchange("70c08420-a012-4f5b-9b48-95a6b177d34a", "2019 CU13", 168_755_833, "160.9 MB"),
        exchange("a08b526d-3947-4ddd-ba72-a8244b39c611", "2016 CU23", 165_033_099, "157.4 MB"),
    ];
    assert_eq!(page.rows, expected);
}

#[test]
fn search_with_6_rows_of_2026() {
    let Some(page) = search("search-KB5129195-6rows-2026-retyped.html") else { return };
    assert_eq!(summary(&page), ("1 - 6 of 6 (1 of 1)".to_owned(), false, false, 6, 30_526_181_052));
    let entry = |id, release, architecture, build, day| {
        let title = format!(
            "2026-09 Cumulative Update for Windows 11, version {release} for {architecture}-based Systems (KB5129195) ({build}.9457)"
        );
        let (size, size_text) =
            if architecture == "x64" { (5_173_184_334, "4933.5 MB") } else { (5_002_209_350, "4770.5 MB") };
        row(id, &title, "Windows 11", "Security Updates", (2026, 9, day), size, size_text)
    };
    let expected = [
        entry("be656f78-0714-440c-a0be-b27b4f9e5d71", "26H2", "x64", 26300, 29),
        entry("c432f508-9161-4d0e-a55e-9d928f7f7245", "26H2", "arm64", 26300, 29),
        entry("6e06682e-94e4-41c6-9446-89fee2744961", "25H2", "arm64", 26200, 14),
        entry("5cc91450-4f0f-40a8-a67a-63dc58d9dac9", "25H2", "x64", 26200, 14),
        entry("6523f702-594e-4013-bc9b-0764bddd9dd1", "24H2", "x64", 26100, 14),
        entry("fc35b25f-82f4-455a-9361-fbca555dd261", "24H2", "arm64", 26100, 14),
    ];
    assert_eq!(page.rows, expected);
}

#[test]
fn search_with_25_of_761_rows() {
    let Some(page) = search("search-2023-cumulative-page1of31.html") else { return };
    assert_eq!(summary(&page), ("1 - 25 of 761 (1 of 31)".to_owned(), true, false, 25, 5_695_354_621));
    let first = row(
        "82883688-97ea-4566-899f-a5ee6fb699e1",
        "2023-09 Cumulative Update Preview for Windows 10 Version 22H2 for ARM64-based Systems (KB5030300)",
        "Windows 10,  version 1903 and later",
        "Updates",
        (2023, 9, 26),
        831_818_518,
        "793.3 MB",
    );
    let eleventh = row(
        "fbc03bd7-61e3-4f3b-b2b2-7183d79c273f",
        "2023-09 Cumulative Update Preview for Windows 11 Version 22H2 for x64-based Systems (KB5030310)",
        "Windows 11",
        "Updates",
        (2023, 9, 26),
        630_375_316,
        "601.2 MB",
    );
    let last = row(
        "05a26b2b-c3cb-4662-b7e7-c68ed8bb9348",
        "2023-09 Cumulative Security Update for Internet Explorer 11 for Windows Server 2008 R2 for x64-based systems (KB5030209)",
        "Windows Server 2008 R2",
        "Security Updates",
        (2023, 9, 12),
        58_110_216,
        "55.4 MB",
    );
    assert_eq!((&page.rows[0], &page.rows[10], &page.rows[24]), (&first, &eleventh, &last));
    assert_eq!(page.rows[23].products, "Windows Embedded Standard 7");
    assert_eq!(
        count(&page, |row| row.classification == "Updates" && row.last_updated == date(2023, 9, 26)),
        23
    );
    assert_eq!(count(&page, |row| row.products == "Windows 10,  version 1903 and later"), 11);
    assert_eq!(count(&page, |row| row.products == "Windows 11"), 12);
}

#[test]
fn search_with_more_than_1000_rows_of_2023() {
    let Some(page) = search("search-cumulative-update-over1000-2023.html") else { return };
    assert_eq!(summary(&page), ("1 - 25 of 1000 (1 of 40)".to_owned(), true, true, 25, 13_234_386_579));
    let first = row(
        "359a842e-d72e-4dcc-997e-a40b3f0957e5",
        "2023-09 Cumulative Update Preview for Windows 11 for x64-based Systems (KB5030301)",
        "Windows 11",
        "Updates",
        (2023, 9, 26),
        366_675_397,
        "349.7 MB",
    );
    let third = row(
        "0c7f2fb3-a7d8-4d1b-96d2-8694b3ec621d",
        "SQL Server 2022 RTM Cumulative Update (CU) 8 KB5029666",
        "Microsoft SQL Server 2022",
        "Updates",
        (2023, 9, 14),
        419_135_592,
        "399.7 MB",
    );
    let last = row(
        "84741ba7-2076-4752-89f0-984c6397815f",
        "2023-07 Cumulative Update Preview for Windows 10 Version 22H2 for ARM64-based Systems (KB5028244)",
        "Windows 10,  version 1903 and later",
        "Updates",
        (2023, 7, 25),
        820_863_433,
        "782.8 MB",
    );
    assert_eq!((&page.rows[0], &page.rows[2], &page.rows[24]), (&first, &third, &last));
    // Two entries are equal except for their ids.
    assert_eq!(page.rows[22].update_id.to_string(), "a6879dee-dc43-44c2-8718-d664627109e5");
    assert_eq!(SearchRow { update_id: page.rows[23].update_id, ..page.rows[22].clone() }, page.rows[23]);
    assert_eq!(count(&page, |row| row.products == "Windows 10 and later GDR-DU"), 16);
    assert_eq!(count(&page, |row| row.classification == "Security Updates"), 16);
    for (day, number) in [(date(2023, 9, 12), 8), (date(2023, 8, 8), 8), (date(2023, 7, 26), 2)] {
        assert_eq!(count(&page, |row| row.last_updated == day), number);
    }
}

#[test]
fn search_with_more_than_1000_rows_of_2019() {
    let Some(page) = search("search-office-2013-over1000-2019.http") else { return };
    assert_eq!(summary(&page), ("1 - 25 of 1000 (1 of 40)".to_owned(), true, true, 25, 1_486_750_498));
    let office = |id, kb, bits, day, size, size_text| {
        let title = format!("Update for Microsoft Office 2013 ({kb}) {bits}-Bit Edition");
        row(id, &title, "Office 2013", "Critical Updates", day, size, size_text)
    };
    let expected = [
        (
            0,
            office(
                "1fd12850-50f0-4cb9-9fc0-9df72443ae87",
                "KB4475562",
                64,
                (2019, 9, 10),
                3_686_124,
                "3.5 MB",
            ),
        ),
        (
            10,
            office("6726024b-1689-464a-a958-49e0a76f2538", "KB4092455", 32, (2019, 3, 12), 361_564, "353 KB"),
        ),
        (
            13,
            office("01307cf3-382e-45b7-9abf-ed2f15af1b6a", "KB4092455", 64, (2019, 3, 12), 451_112, "440 KB"),
        ),
        (
            17,
            office(
                "7f659ce1-a58f-41a8-bcf0-18fe434f0916",
                "KB4461444",
                64,
                (2019, 2, 13),
                11_464_752,
                "10.9 MB",
            ),
        ),
        (
            24,
            office(
                "d001ca72-ce16-4700-9a6d-b2bb28974002",
                "KB4022233",
                64,
                (2018, 9, 11),
                11_457_318,
                "10.9 MB",
            ),
        ),
    ];
    for (number, expected) in expected {
        assert_eq!(page.rows[number], expected);
    }
    assert_eq!(
        count(&page, |row| row.products == "Office 2013" && row.classification == "Critical Updates"),
        25
    );
    for (day, number) in [(date(2019, 4, 9), 4), (date(2019, 2, 13), 6), (date(2018, 11, 14), 4)] {
        assert_eq!(count(&page, |row| row.last_updated == day), number);
    }
}

/// Returns "2022-10 Cumulative Update for Windows 11 Version 22H2 for ARM64-based Systems (KB5018427)"
fn cumulative(month: &str, preview: &str, architecture: &str, behind: &str) -> String {
    format!(
        "{month} Cumulative Update{preview} for Windows 11 Version 22H2 for {architecture}-based Systems ({behind}"
    )
}

/// Returns the fields that the two details pages of Windows 11 have in common.
fn windows_11(kb: &str) -> DetailsPage {
    let support = format!("https://support.microsoft.com/help/{kb}");
    DetailsPage {
        title: String::new(),
        update_id: None,
        last_modified: date(2023, 1, 1),
        size_text: String::new(),
        description: Some("Install this update to resolve issues in Windows. For a complete listing of the issues that are included in \
             this update, see the associated Microsoft Knowledge Base article for more information. After you install \
             this item, you may have to restart your computer.".to_owned()),
        architecture: None,
        classification: None,
        products: "Windows 11".to_owned(),
        languages: Some("all".to_owned()),
        msrc_number: None,
        msrc_severity: None,
        kbs: vec![kb.parse().unwrap()],
        superseded_by: Vec::new(),
        supersedes: Vec::new(),
        restart_behavior: Some("Can request restart".to_owned()),
        user_input: Some("No".to_owned()),
        exclusive: None,
        network: Some("No".to_owned()),
        more_information: vec![support.clone()],
        support_url: Some(support),
        uninstall_notes: None,
    }
}

#[test]
fn details_of_a_superseded_update() {
    let Some(text) = body("details-KB5025239-arm64-2023.html") else { return };
    let by = |id: &str, title| (id.parse().unwrap(), title);
    let expected = DetailsPage {
        title: cumulative("2023-04", "", "arm64", "KB5025239)"),
        last_modified: date(2023, 4, 11),
        size_text: "401.5 MB".to_owned(),
        classification: Some("Security Updates".to_owned()),
        msrc_severity: Some("Critical".to_owned()),
        superseded_by: vec![
            by("0b97c243-5833-4bf3-bcf8-77063e53c42a", cumulative("2023-05", "", "arm64", "KB5026372)")),
            by(
                "23e2eefb-e159-41df-8918-7994eee5b6f2",
                cumulative("2023-04", " Preview", "arm64", "KB5025305)"),
            ),
            by(
                "acbe4fd0-394e-40e8-a96b-c4facae62c8b",
                cumulative("2023-05", " Preview", "arm64", "KB5026446)"),
            ),
        ],
        supersedes: vec![
            cumulative("2023-03", " Preview", "arm64", "KB5023778)"),
            cumulative("2022-09", "", "ARM64", "KB5019311)"),
            cumulative("2022-10", "", "ARM64", "KB5018427)"),
            cumulative("2022-09", "", "ARM64", "KB5017321)"),
            cumulative("2022-11", "", "ARM64", "KB5019980)"),
            cumulative("2023-01", "", "ARM64", "KB5022303)"),
            cumulative("2023-02", "", "ARM64", "KB5022845)"),
            cumulative("2022-09", " Preview", "ARM64", "KB5017389)"),
            cumulative("2023-02", " Preview", "ARM64", "KB5022913)"),
            cumulative("2022-10", "", "ARM64", "KB5019509)"),
            cumulative("2023-02", " Preview", "arm64", "KB5022913) UUP"),
            cumulative("2022-12", "", "ARM64", "KB5021255)"),
            cumulative("2022-10", " Preview", "ARM64", "KB5018496)"),
            cumulative("2023-01", " Preview", "ARM64", "KB5022360)"),
            cumulative("2022-11", " Preview", "ARM64", "KB5020044)"),
            cumulative("2023-03", "", "ARM64", "KB5023706)"),
        ],
        ..windows_11("5025239")
    };
    assert_eq!(parse_details_page(&text).unwrap(), expected);
}

#[test]
fn details_of_an_update_that_is_not_superseded() {
    let Some(text) = body("details-KB5026446-arm64-2023.html") else { return };
    let expected = DetailsPage {
        title: cumulative("2023-05", " Preview", "arm64", "KB5026446)"),
        last_modified: date(2023, 5, 24),
        size_text: "400.5 MB".to_owned(),
        classification: Some("Updates".to_owned()),
        supersedes: vec![
            cumulative("2023-02", " Preview", "arm64", "KB5022913) UUP"),
            cumulative("2022-09", "", "ARM64", "KB5019311)"),
            cumulative("2023-03", " Preview", "arm64", "KB5023778)"),
            cumulative("2022-09", "", "ARM64", "KB5017321)"),
            cumulative("2023-04", "", "arm64", "KB5025239)"),
            cumulative("2022-09", " Preview", "ARM64", "KB5017389)"),
            cumulative("2023-04", " Preview", "arm64", "KB5025305)"),
            cumulative("2023-05", "", "arm64", "KB5026372)"),
            cumulative("2022-10", "", "ARM64", "KB5018427)"),
            cumulative("2022-11", "", "ARM64", "KB5019980)"),
            cumulative("2022-10", "", "ARM64", "KB5019509)"),
            cumulative("2022-10", " Preview", "ARM64", "KB5018496)"),
            cumulative("2022-12", "", "ARM64", "KB5021255)"),
            cumulative("2023-01", "", "ARM64", "KB5022303)"),
            cumulative("2023-01", " Preview", "ARM64", "KB5022360)"),
            cumulative("2022-11", " Preview", "ARM64", "KB5020044)"),
            cumulative("2023-02", "", "ARM64", "KB5022845)"),
            cumulative("2023-02", " Preview", "ARM64", "KB5022913)"),
            cumulative("2023-03", "", "ARM64", "KB5023706)"),
        ],
        ..windows_11("5026446")
    };
    assert_eq!(parse_details_page(&text).unwrap(), expected);
}

#[test]
fn details_with_an_update_id_and_many_languages() {
    let Some(text) = body("details-KB5030524-never-restarts-2023.html") else { return };
    let languages = "Arabic, Bulgarian, Chinese (Traditional), Czech, Danish, German, Greek, English, Spanish, Finnish, French, \
         Hebrew, Hungarian, Italian, Japanese, Korean, Dutch, Norwegian, Polish, Portuguese (Brazil), Romanian, Russian, \
         Croatian, Slovak, Swedish, Thai, Turkish, Ukrainian, Slovenian, Estonian, Latvian, Lithuanian, Hindi, \
         Chinese (Simplified), Portuguese (Portugal), Serbian (Latin), Chinese - Hong Kong SAR, Japanese NEC";
    let expected = DetailsPage {
        title: "Security Update For Exchange Server 2019 CU12 (KB5030524)".to_owned(),
        update_id: Some("56a97db8-1478-4860-a935-7996c78d10be".parse().unwrap()),
        last_modified: date(2023, 8, 15),
        size_text: "160.9 MB".to_owned(),
        description: Some(
            "The security update addresses the vulnerabilities descripted in the CVEs".to_owned(),
        ),
        classification: Some("Security Updates".to_owned()),
        products: "Exchange Server 2019".to_owned(),
        languages: Some(languages.to_owned()),
        supersedes: vec![
            "Security Update For Exchange Server 2019 CU12 (KB5026261)".to_owned(),
            "Security Update For Exchange Server 2019 CU12 (KB5024296)".to_owned(),
        ],
        restart_behavior: Some("Never restarts".to_owned()),
        more_information: vec![
            "https://techcommunity.microsoft.com/t5/exchange-team-blog/bg-p/Exchange".to_owned(),
        ],
        support_url: Some("https://technet.microsoft.com/en-us/exchange/fp179701".to_owned()),
        uninstall_notes: Some(
            "This software update can be removed via Add or Remove Programs in Control Panel.".to_owned(),
        ),
        ..windows_11("5030524")
    };
    assert_eq!(parse_details_page(&text).unwrap(), expected);
}
