use std::sync::LazyLock;

use super::*;
use crate::servicing::Knowledge;

fn knowledge() -> &'static Knowledge {
    static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| Knowledge::built_in().unwrap());
    &KNOWLEDGE
}

/// Returns folder and version of a name, the folders of an ambiguous name separated by `|`, or `?` for an unknown name.
fn meaning(requested: &str, installation: Option<Installation>) -> String {
    let folders = |families: Vec<&Family>| {
        families.into_iter().map(|family| family.folder.clone()).collect::<Vec<_>>().join("|")
    };
    match knowledge().families().product(requested, installation) {
        ProductName::Known(product) => match product.release {
            Some(release) => format!("{} {release}", product.family.folder),
            None => product.family.folder.clone(),
        },
        ProductName::Ambiguous(choices) => folders(choices),
        ProductName::Unknown(nearest) => format!("?{}", folders(nearest)),
    }
}

#[test]
fn all_spellings_of_a_family_are_understood() {
    for (requested, expected) in [
        ("windows-11-24h2", "windows-11-24h2"),
        ("Windows 11 24H2, 25H2, 26H2", "windows-11-24h2"),
        ("Windows 11, version 25H2", "windows-11-24h2 25H2"),
        ("win11 25h2", "windows-11-24h2 25H2"),
        ("windows-11-26h2", "windows-11-24h2 26H2"),
        ("25H2", "windows-11-24h2 25H2"),
        ("26200", "windows-11-24h2 25H2"),
        ("26200.8117", "windows-11-24h2 25H2"),
        ("10.0.26300.1", "windows-11-24h2 26H2"),
        ("OS Build 22631.3007", "windows-11-22h2 23H2"),
        ("Windows 11 21H2", "windows-11-21h2"),
        ("Windows 10 21H2", "windows-10-22h2 21H2"),
        ("22000", "windows-11-21h2"),
        ("28020", "windows-11-26h1"),
        ("Server 2025", "server-2025"),
        ("Microsoft Server operating system-24H2", "server-2025 24H2"),
        ("microsoft server operating system, version 21H2", "server-2022 21H2"),
        ("Windows Server 2022", "server-2022"),
        ("Windows Server, version 23H2", "server-23h2"),
        ("Windows Server 2016", "server-2016"),
        ("Windows Server 2016 version 1709", "server-1709 1709"),
        ("Windows Server 2019 (1809)", "server-2019 1809"),
        ("windows server 2012", "server-2012"),
        ("2012 r2", "?"),
        ("server 2012r2", "server-2012-r2"),
        ("Windows 7", "windows-7"),
        ("Windows 8.1", "windows-8.1"),
        ("20348", "server-2022"),
        ("1511", "windows-10-1511 1511"),
    ] {
        assert_eq!(meaning(requested, None), expected, "{requested}");
    }
}

#[test]
fn ambiguous_name_is_never_decided_by_order() {
    for (requested, expected) in [
        ("Windows 11", "windows-11-26h1|windows-11-24h2|windows-11-22h2|windows-11-21h2"),
        ("21H2", "windows-11-21h2|server-2022|windows-10-22h2"),
        ("22h2", "windows-11-22h2|azure-stack-hci-22h2|windows-10-22h2"),
        ("24H2", "windows-11-24h2|server-2025"),
        ("23H2", "server-23h2|windows-11-22h2"),
        ("26100", "windows-11-24h2|server-2025"),
        ("26100.1742", "windows-11-24h2|server-2025"),
        ("1809", "windows-10-1809|server-2019"),
        ("2004", "windows-10-22h2|server-20h2"),
        ("microsoft server operating system", "server-2025|server-23h2|server-2022|azure-stack-hci-22h2"),
    ] {
        assert_eq!(meaning(requested, None), expected, "{requested}");
    }
    for requested in ["Windows", "Windows 10", "Server", "Windows Server", "windows-10"] {
        assert!(
            meaning(requested, None).matches('|').count() > 5,
            "{requested}: {}",
            meaning(requested, None)
        );
    }
    // An installation separates client and server, but does not hide the meaning of a name.
    assert_eq!(meaning("24H2", Some(Installation::Client)), "windows-11-24h2 24H2");
    assert_eq!(meaning("26100", Some(Installation::Server)), "server-2025");
    assert_eq!(meaning("25H2", Some(Installation::Server)), "windows-11-24h2 25H2");
}

#[test]
fn unknown_name_gets_the_nearest_choices() {
    for (requested, nearest) in [
        ("Windws 11 24H2", "windows-11-24h2"),
        ("windows 11 24h3", "windows-11-24h2"),
        ("Server 2026", "server-2025"),
        ("windows-12", ""),
        ("Windows 11 27H2", "windows-11-24h2"),
        ("27000", ""),
        ("Office 2016", ""),
        ("Windows Server 2008", "server-2008-r2"),
    ] {
        let found = meaning(requested, None);
        assert!(found.starts_with('?') && found.contains(nearest), "{requested}: {found}");
    }
    for requested in ["", " ", ",", "version", "\u{1f980}", "26200.x", "-1", "99999999999999999999"] {
        assert!(meaning(requested, None).starts_with('?'), "{requested}: {}", meaning(requested, None));
    }
    let refusal = knowledge().families().one_product("Windws 11 24H2", None).unwrap_err();
    let beginning =
        "\"Windws 11 24H2\" is not a known product; similar names: windows-11-24h2 (Windows 11 24H2, ";
    assert!(refusal.message().starts_with(beginning), "{refusal}");
    assert!(refusal.hints()[0].contains("windows-10-1507"), "{refusal:?}");
    let refusal = knowledge().families().one_product("Windows 11", None).unwrap_err();
    for choice in ["windows-11-26h1 (Windows 11 26H1)", "windows-11-21h2"] {
        assert!(refusal.message().contains(choice), "{refusal}");
    }
    let error = Error::from(refusal);
    assert_eq!((error.code().number(), error.hints().len()), (2, 1));
}

#[test]
fn every_name_in_the_table_means_its_family_only() {
    let knowledge = knowledge();
    for family in knowledge.families() {
        let versions = family.title_names().filter(|(_, release)| release.is_some()).map(|(name, _)| name);
        let titles = versions.chain(family.title_products().filter(|name| name.contains("version")));
        for name in family.own_names().map(str::to_owned).chain(titles) {
            let product = knowledge.families().one_product(&name, None).unwrap();
            assert_eq!(product.family, family, "{name}");
            assert_eq!(
                knowledge.families().one_product(&name.to_uppercase(), None).unwrap(),
                product,
                "{name}"
            );
        }
        for build in &family.builds {
            let product =
                knowledge.families().one_product(&build.to_string(), Some(family.installation)).unwrap();
            assert_eq!(product.family, family, "{build}");
        }
    }
}

#[test]
fn table_with_two_families_of_one_name_is_refused() {
    let families = include_str!("../data/families.toml");
    let twice =
        families.replacen("name = \"Windows Server 2022\"", "name = \"Windows Server, version 23h2\"", 1);
    let tables = crate::servicing::Tables { families: &twice, ..crate::servicing::Tables::built_in() };
    let error = Knowledge::parse(tables).unwrap_err();
    assert!(error.message().contains("server-23h2"), "{error}");
}

fn filed<'a>(families: &[&str], names: &[&'a str], products: &[&'a str]) -> ProductLabels<'a> {
    let knowledge = knowledge();
    let key = |folder: &&str| {
        let family = knowledge.families().one_product(folder, None).unwrap().family;
        (family.id, family.installation)
    };
    ProductLabels {
        families: families.iter().map(key).collect(),
        names: names.to_vec(),
        products: products.to_vec(),
    }
}

#[test]
fn version_picks_updates_that_name_it_or_else_the_family() {
    let (old, new) = (
        filed(&["windows-10-22h2"], &["Windows 10, version 21H2"], &["Windows 10, version 1903 and later"]),
        filed(&["windows-10-22h2"], &["Windows 10, version 22H2"], &["Windows 10, version 1903 and later"]),
    );
    let both = [old.clone(), new];
    let picks = |requested: &str, filed: &[ProductLabels<'_>]| {
        ProductFilter::new(requested, None, knowledge().families()).unwrap().pick(filed)
    };
    assert_eq!(picks("Windows 10 21H2", &both), [true, false]);
    assert_eq!(picks("19045", &both), [false, true]);
    assert_eq!(picks("windows-10-22h2", &both), [true, true]);
    assert_eq!(picks("Windows 10 2004", &both), [true, true], "one family");
    assert_eq!(picks("Windows 10 22H2", &[old]), [true], "a 21H2 title serves 22H2");
    assert_eq!(picks("Windows 11 25H2", &both), [false, false]);
    assert_eq!(picks("windows 10, VERSION 1903 and later", &both), [true, true]);
    let office =
        filed(&[], &["Update for Office"], &["Office 2016, Windows 11 Client, version 24H2 and later"]);
    assert_eq!(picks("office 2016", std::slice::from_ref(&office)), [true]);
    assert_eq!(picks("Windows 11 Client, version 24H2 and later", std::slice::from_ref(&office)), [true]);
    assert_eq!(picks("office", &[office]), [false], "nothing is guessed");
    let server = filed(&["server-2025"], &["Microsoft server operating system, version 24H2"], &[]);
    assert_eq!(
        picks("Windows 11 24H2", std::slice::from_ref(&server)),
        [false],
        "client and server stay apart"
    );
    assert_eq!(picks("server-2025", &[server]), [true]);
    assert!(ProductFilter::new("Windows 11", None, knowledge().families()).is_err());
    assert!(ProductFilter::new(",", None, knowledge().families()).is_err());
}

proptest::proptest! {
    #[test]
    fn any_product_name_is_read_without_panic(requested in "\\PC{0,60}") {
        let knowledge = knowledge();
        let refused = knowledge.families().one_product(&requested, None).is_err();
        let is_known = matches!(knowledge.families().product(&requested, None), ProductName::Known(_));
        proptest::prop_assert_eq!(refused, !is_known);
    }

    #[test]
    fn case_commas_and_spaces_do_not_change_a_product(gap in "[ ,_-]{1,4}", upper in proptest::bool::ANY) {
        let knowledge = knowledge();
        for family in knowledge.families() {
            let name = family.folder.replace('-', &gap);
            let name = if upper { name.to_uppercase() } else { name };
            proptest::prop_assert_eq!(knowledge.families().one_product(&name, None).unwrap().family, family);
        }
    }
}
