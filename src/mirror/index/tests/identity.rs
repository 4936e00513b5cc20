//! The identity of files does not depend on the order of the statements.

use super::*;

/// The digests of a file that a page states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StatedDigests {
    Sha1,
    Sha256,
    Both,
    /// Only the SHA-1 in the name.
    Name,
}

/// Returns file `number` of a universe in which every file has one SHA-1 and one SHA-256.
fn universe_file(number: u8, states: StatedDigests) -> FileRecord {
    let name = match states {
        StatedDigests::Name => format!("f{number}_{}.msu", sha1(number)),
        _ => format!("f{number}.msu"),
    };
    FileRecord {
        name,
        url: format!("https://host/{number}/{states:?}"),
        sha1: matches!(states, StatedDigests::Sha1 | StatedDigests::Both).then(|| sha1(number)),
        sha256: matches!(states, StatedDigests::Sha256 | StatedDigests::Both).then(|| sha256(100 + number)),
    }
}

fn any_states() -> impl Strategy<Value = StatedDigests> {
    prop_oneof![
        Just(StatedDigests::Sha1),
        Just(StatedDigests::Sha256),
        Just(StatedDigests::Both),
        Just(StatedDigests::Name)
    ]
}

/// Returns the expected number of rows: one for each group of digests that statements have joined.
fn identities(statements: &[(u8, StatedDigests)]) -> usize {
    let numbers: BTreeSet<u8> = statements.iter().map(|&(number, _)| number).collect();
    let rows = |number: u8| {
        let of = |wanted: &[StatedDigests]| {
            statements.iter().any(|&(other, states)| other == number && wanted.contains(&states))
        };
        let joined = of(&[StatedDigests::Both]);
        if joined {
            1
        } else {
            usize::from(of(&[StatedDigests::Sha1, StatedDigests::Name]))
                + usize::from(of(&[StatedDigests::Sha256]))
        }
    };
    numbers.into_iter().map(rows).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_row_exists_per_identity(
        statements in prop::collection::vec((0_u8..5, any_states()), 1..24),
        order in any::<prop::sample::Index>(),
    ) {
        let index = Index::in_memory();
        let mut said = Vec::new();
        for &(number, states) in &statements {
            let (_, conflict) = index.autocommit().record_file(&universe_file(number, states), Source::Dialog, None, MONDAY).unwrap();
            prop_assert_eq!(conflict, None);
            said.push((number, states));
            prop_assert_eq!(count(&index, "files"), i64::try_from(identities(&said)).unwrap());
        }
        let mut numbers: Vec<u8> =
            statements.iter().map(|&(number, _)| number).collect::<BTreeSet<u8>>().into_iter().collect();
        let turn = order.index(numbers.len());
        numbers.rotate_left(turn);
        for &number in &numbers {
            index.autocommit().record_file(&universe_file(number, StatedDigests::Both), Source::Dialog, None, TUESDAY).unwrap();
        }
        prop_assert_eq!(count(&index, "files"), i64::try_from(numbers.len()).unwrap());
        for &number in &numbers {
            let (key, _) = index.autocommit().record_file(&universe_file(number, StatedDigests::Sha1), Source::Dialog, None, TUESDAY).unwrap();
            let file = index.file(key).unwrap().unwrap();
            prop_assert_eq!((file.sha1, file.sha256), (Some(sha1(number)), Some(sha256(100 + number))));
            let addresses: BTreeSet<String> = statements
                .iter()
                .filter(|&&(other, _)| other == number)
                .map(|&(_, states)| universe_file(number, states).url)
                .chain([StatedDigests::Both, StatedDigests::Sha1].map(|states| universe_file(number, states).url))
                .collect();
            prop_assert_eq!(file.urls.into_iter().collect::<BTreeSet<String>>(), addresses);
        }
        assert_sound(&index);
    }

    #[test]
    fn update_shows_its_newest_dialog_in_any_order_of_statements(
        dialogs in prop::collection::vec(
            (0_usize..3, prop::collection::btree_map(0_u8..4, any_states(), 0..4), any::<bool>()),
            1..12,
        )
    ) {
        let index = Index::in_memory();
        let mut newest: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for ((number, listed, upwards), now) in dialogs.into_iter().zip((0..).map(|second| MONDAY.shifted_by(second))) {
            index.autocommit().record_update(&update(number, TITLE_24H2), now).unwrap();
            let mut listed: Vec<(u8, StatedDigests)> = listed.into_iter().collect();
            if !upwards {
                listed.reverse();
            }
            let files: Vec<FileRecord> =
                listed.iter().map(|&(number, states)| universe_file(number, states)).collect();
            index.autocommit().record_dialog(id(number), &files, now).unwrap();
            newest.insert(number, listed.iter().map(|(number, _)| format!("f{number}")).collect());
            for (&number, expected) in &newest {
                // A file has one of several names; its number is in all of them.
                let names: Vec<String> = current_names(&index, number)
                    .iter()
                    .map(|name| name.chars().take(2).collect())
                    .collect();
                prop_assert_eq!(&names, expected);
            }
        }
        assert_sound(&index);
    }
}
