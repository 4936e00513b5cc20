use super::*;
use crate::servicing::Knowledge;

fn found(number: u32, date: &str, size: u64, title: &str, products: &str) -> ClassifiedRow {
    ClassifiedRow::from(SearchRow {
        update_id: format!("00000000-0000-4000-8000-{number:012}").parse().unwrap(),
        title: title.to_owned(),
        products: products.to_owned(),
        classification: if title.contains("Preview") { "Updates" } else { "Security Updates" }.to_owned(),
        last_updated: date.parse().unwrap(),
        version: None,
        size,
        size_text: String::new(),
    })
}

fn rows() -> Vec<ClassifiedRow> {
    vec![
        found(
            5,
            "2026-03-31",
            90,
            "2026-03 Cumulative Update for Windows 11 Version 25H2 for x64-based Systems (KB5086672)",
            "Windows 11",
        ),
        found(
            1,
            "2026-03-31",
            80,
            "2026-03 Cumulative Update for Windows 11 Version 24H2 for x64-based Systems (KB5086672)",
            "Windows 11",
        ),
        found(
            2,
            "2026-03-31",
            70,
            "2026-03 Cumulative Update for Windows 11 Version 24H2 for ARM64-based Systems (KB5086672)",
            "Windows 11",
        ),
        found(
            3,
            "2026-03-26",
            60,
            "2026-03 Cumulative Update Preview for Windows 11 Version 24H2 for x64-based Systems (KB5079391)",
            "Windows 11",
        ),
        found(
            4,
            "2026-03-10",
            50,
            "2026-03 Cumulative Update for Microsoft server operating system version 24H2 for x64-based Systems (KB5078740)",
            "Microsoft Server Operating System-24H2",
        ),
        found(
            6,
            "2026-03-10",
            5,
            "2026-03 Cumulative Update for .NET Framework 3.5 and 4.8 for Windows 10 Version 22H2 (KB5030841)",
            "Windows 10, version 1903 and later",
        ),
        found(
            7,
            "2026-03-10",
            40,
            "2026-03 Dynamic Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB5030842)",
            "Windows 10 and later GDR-DU",
        ),
        found(
            8,
            "2025-01-01",
            1,
            "Example - Net - 1.2",
            "Windows 11 Client,  version 24H2 and later,  Servicing Drivers, Windows 10 LTSB",
        ),
    ]
}

fn numbers(chosen: &SelectedRows) -> Vec<u32> {
    let last = |found: &ClassifiedRow| found.row.update_id.to_string()[24..].parse().unwrap();
    chosen.rows.iter().map(last).collect()
}

fn knowledge() -> Knowledge {
    Knowledge::built_in().unwrap()
}

fn of(choice: &RowSelection) -> Vec<u32> {
    numbers(&choice.apply(rows(), knowledge().families().all()))
}

#[test]
fn rows_are_sorted_newest_first_then_by_title_and_id() {
    let all = [2, 1, 5, 3, 6, 4, 7, 8];
    assert_eq!(of(&RowSelection::default()), all);
    let mut turned = rows();
    turned.reverse();
    assert_eq!(numbers(&RowSelection::default().apply(turned, &[])), all, "for any order of the rows");
    let twins = vec![found(9, "2026-01-01", 1, "x", ""), found(8, "2026-01-01", 1, "x", "")];
    assert_eq!(numbers(&RowSelection::default().apply(twins, &[])), [8, 9]);
    assert!(!RowSelection { limit: Some(1), ..RowSelection::default() }.needs_all_rows());
    assert!(RowSelection { reverse: true, ..RowSelection::default() }.needs_all_rows());
}

#[test]
fn architectures_and_kinds_are_distinguished() {
    use Architecture::{Arm64, X64, X86};
    let arch =
        |list: &[Architecture]| of(&RowSelection { architectures: list.to_vec(), ..RowSelection::default() });
    assert_eq!(arch(&[Arm64]), [2]);
    assert_eq!(arch(&[X64]), [1, 5, 3, 4, 7]);
    assert_eq!(arch(&[X86]), [6], "a .NET title without an architecture");
    assert_eq!(arch(&[Arm64, X86]), [2, 6]);
    let kind = |list: &[Kind]| of(&RowSelection { kinds: list.to_vec(), ..RowSelection::default() });
    assert_eq!(kind(&[Kind::Lcu]), [2, 1, 5, 4]);
    assert_eq!(kind(&[Kind::LcuPreview]), [3]);
    assert_eq!(kind(&[Kind::DynamicCu]), [7]);
    assert_eq!(kind(&[Kind::DotnetCu, Kind::LcuPreview]), [3, 6]);
}

#[test]
fn a_product_is_matched_by_all_its_names() {
    let product = |requested: &str| {
        let filter = ProductFilter::new(requested, None, knowledge().families()).unwrap();
        of(&RowSelection { products: vec![filter], ..RowSelection::default() })
    };
    for (requested, numbers) in [
        ("Windows 11 24H2", &[2, 1, 3][..]),
        ("windows 11, version 24h2", &[2, 1, 3]),
        ("windows-11-24h2", &[2, 1, 5, 3]),
        ("25H2", &[5, 3]),
        ("26200", &[5, 3]),
        ("26H2", &[2, 1, 5, 3]),
        ("Windows Server 2025", &[4]),
        ("server-2025", &[4]),
        ("Microsoft Server Operating System-24H2", &[4]),
        ("Windows 10, version 1903 and later", &[6]),
        ("Windows 10 22H2", &[6, 7]),
        ("windows-10-22h2", &[6, 7]),
        ("Windows 10 21H2", &[6, 7]),
        ("Windows 11 Client, version 24H2 and later, Servicing Drivers", &[8]),
        ("Windows 10 LTSB", &[8]),
        ("Windows 12", &[]),
    ] {
        assert_eq!(product(requested), numbers, "{requested}");
    }
    for requested in ["Windows 11", "Windows 10", "24H2", "Windows", "server operating system", ","] {
        assert!(ProductFilter::new(requested, None, knowledge().families()).is_err(), "{requested}");
    }
    let filters = ["Windows 10 LTSB", "25H2", "Windows 10 LTSC"];
    let filters =
        filters.map(|requested| ProductFilter::new(requested, None, knowledge().families()).unwrap());
    let unknown =
        unknown_product(&filters, &rows(), knowledge().families().all()).and_then(ProductFilter::refusal);
    assert!(unknown.unwrap().message().starts_with("\"Windows 10 LTSC\" is not a known product"));
}

#[test]
fn a_classification_matches_as_a_prefix() {
    let class = |requested: &str| {
        of(&RowSelection { classifications: vec![requested.to_owned()], ..RowSelection::default() }).len()
    };
    assert_eq!((class("security updates"), class("SECURITY"), class("Updates")), (7, 7, 1));
    assert_eq!((class("urity"), class("Security Updates and more")), (0, 0));
}

#[test]
fn both_day_limits_are_inclusive() {
    let between = |since: &str, until: &str| {
        of(&RowSelection { since: since.parse().ok(), until: until.parse().ok(), ..RowSelection::default() })
    };
    assert_eq!(between("2026-03-26", "2026-03-26"), [3]);
    assert_eq!(between("2026-03-27", ""), [2, 1, 5]);
    assert_eq!(between("", "2026-03-09"), [8]);
}

#[test]
fn each_sort_key_works_in_both_directions() {
    let sorted = |sort, reverse| of(&RowSelection { sort, reverse, ..RowSelection::default() });
    assert_eq!(sorted(SortKey::Date, true), [8, 6, 4, 7, 3, 2, 1, 5]);
    assert_eq!(sorted(SortKey::Size, false), [5, 1, 2, 3, 4, 7, 6, 8]);
    assert_eq!(sorted(SortKey::Size, true), [8, 6, 7, 4, 3, 2, 1, 5]);
    assert_eq!(sorted(SortKey::Title, false), [6, 4, 2, 1, 5, 3, 7, 8]);
    assert_eq!(sorted(SortKey::Kind, false), [2, 1, 5, 4, 3, 7, 6, 8]);
    assert_eq!(
        sorted(SortKey::Kind, true),
        [6, 7, 3, 2, 1, 5, 4, 8],
        "rows without a kind are last in both directions"
    );
    assert_eq!(sorted(SortKey::Product, false), [4, 6, 7, 8, 2, 1, 3, 5]);
}

#[test]
fn each_filter_counts_the_rows_that_it_excludes() {
    let choice = RowSelection {
        architectures: vec![Architecture::Arm64],
        kinds: vec![Kind::Ssu],
        limit: Some(1),
        ..RowSelection::default()
    };
    let chosen = choice.apply(rows(), &[]);
    assert_eq!((chosen.rows.len(), chosen.matching), (0, 0));
    let counts: Vec<String> =
        chosen.exclusions.iter().map(|out| format!("{} {}", out.filter, out.updates)).collect();
    assert_eq!(counts, ["--arch 7", "--kind 8"]);
    let limited = RowSelection { limit: Some(3), ..RowSelection::default() }.apply(rows(), &[]);
    assert_eq!((numbers(&limited), limited.matching), (vec![2, 1, 5], 8));
    assert_eq!(
        filter_values(Filter::Kind, &rows()).into_iter().collect::<Vec<_>>(),
        ["dotnet_cu", "dynamic_cu", "lcu", "lcu_preview"]
    );
}

proptest::proptest! {
    #[test]
    fn the_result_does_not_depend_on_the_order_of_rows(seed in proptest::collection::vec(0..1000_u32, 8), turn in proptest::bool::ANY) {
        let mut keyed: Vec<(u32, ClassifiedRow)> = seed.into_iter().zip(rows()).collect();
        keyed.sort_by_key(|(key, _)| *key);
        let shuffled: Vec<ClassifiedRow> = keyed.into_iter().map(|(_, found)| found).collect();
        for sort in [SortKey::Date, SortKey::Title, SortKey::Size, SortKey::Kind, SortKey::Product] {
            let choice = RowSelection { sort, reverse: turn, ..RowSelection::default() };
            proptest::prop_assert_eq!(choice.apply(shuffled.clone(), &[]), choice.apply(rows(), &[]));
        }
    }
}
