//! Updates, supersedence, and the effect of a later reading of the same pages.

use super::*;

#[test]
fn reissued_dialog_shows_its_newest_files_and_keeps_history() {
    let index = Index::in_memory();
    index.autocommit().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    let old = file(&digit_name("kb5129195", 9), Some(9), None);
    index.autocommit().record_dialog(id(1), &[old.clone(), checkpoint()], MONDAY).unwrap();
    index.autocommit().record_dialog(id(1), &[checkpoint(), target()], TUESDAY).unwrap();
    let facts = index.facts_of(&[kb("KB5129195")].into()).unwrap();
    let names: Vec<&str> =
        facts.files_of(&facts.updates[0]).into_iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, [checkpoint().name, target().name]);
    assert_eq!(facts.updates[0].files_seen, Some(jiff::civil::date(2026, 9, 22)));
    assert!(facts.files.values().all(|file| file.name != old.name));
    assert_eq!((links(&index, 1).len(), count(&index, "files")), (3, 3));
    let listed: Vec<(String, bool)> = index
        .rows("SELECT name, current FROM v_update_files ORDER BY current, position", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(listed, [(old.name, false), (checkpoint().name, true), (target().name, true)]);
}

#[test]
fn unread_dialog_differs_from_an_empty_dialog() {
    let index = Index::in_memory();
    index.autocommit().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    assert_eq!(seen(&index, 1).unwrap().0.files, None);
    index.autocommit().record_dialog(id(1), &[], MONDAY).unwrap();
    assert_eq!(seen(&index, 1).unwrap().0.files, Some(Vec::new()));
}

#[test]
fn revised_row_takes_new_values_and_keeps_details_facts() {
    let index = Index::in_memory();
    index
        .autocommit()
        .record_update(&update(1, "2026-09 Update for Windows 11 for x64-based Systems"), MONDAY)
        .unwrap();
    assert_eq!(seen(&index, 1).unwrap().0.kb, None);
    index.autocommit().record_details(&details(1), MONDAY).unwrap();
    assert_eq!(seen(&index, 1).unwrap().0.kb, Some(kb("KB5129195")));
    index
        .autocommit()
        .record_update(&update(1, "2026-09 Update for Windows 11 for arm64-based Systems"), TUESDAY)
        .unwrap();
    let (details, _) = index.details_of(UpdateSelector::Kb(kb("KB5129195"))).unwrap();
    assert_eq!(details.len(), 1);
    assert!(details[0].facts.title.ends_with("arm64-based Systems"), "{}", details[0].facts.title);
    assert_eq!(details[0].severity.as_deref(), Some("Critical"));
    assert_eq!(details[0].restart.as_deref(), Some("Can request restart"));
    let period = details[0].seen.unwrap();
    assert_eq!(period, SeenPeriod { first: MONDAY, last: TUESDAY });
    let words = (period.first.to_string(), period.last.to_string());
    assert_eq!(words, ("2026-09-21T14:13:20Z".to_owned(), "2026-09-22T14:13:20Z".to_owned()));
}

#[test]
fn kb_of_the_title_wins_and_several_kbs_of_a_page_are_ignored() {
    let index = Index::in_memory();
    index.autocommit().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    index
        .autocommit()
        .record_details(&DetailsRecord { kbs: vec![kb("KB5000001")], ..details(1) }, MONDAY)
        .unwrap();
    assert_eq!(seen(&index, 1).unwrap().0.kb, Some(kb("KB5129195")));
    index.autocommit().record_update(&update(2, "Realtek - Net - 10.68.815.2023"), MONDAY).unwrap();
    let several = vec![kb("KB5000001"), kb("KB5000002")];
    index.autocommit().record_details(&DetailsRecord { kbs: several, ..details(2) }, MONDAY).unwrap();
    assert_eq!(seen(&index, 2).unwrap().0.kb, None);
}

#[test]
fn mentioned_update_does_not_count_until_it_is_seen() {
    let index = Index::in_memory();
    index.autocommit().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    let newer = "2026-10 Cumulative Update for Windows 11, version 24H2 for x64-based Systems (KB5130001) (26100.9999)";
    let record = DetailsRecord { superseded_by: vec![(id(2), newer.to_owned())], ..details(1) };
    index.autocommit().record_details(&record, MONDAY).unwrap();
    assert_eq!(seen(&index, 2), None);
    assert!(!index.knows_kb(kb("KB5130001")).unwrap());
    assert_eq!(index.facts_of(&[kb("KB5130001"), kb("KB5129195")].into()).unwrap().updates.len(), 1);
    assert_eq!((count(&index, "updates"), count(&index, "v_updates")), (2, 1));
    // The edge exists already.
    let replaced_by = |index: &Index| {
        let (details, _) = index.details_of(UpdateSelector::Kb(kb("KB5129195"))).unwrap();
        details[0].superseded_by.clone()
    };
    assert_eq!(replaced_by(&index), [related(Some(2), newer)]);
    index.autocommit().record_update(&update(2, newer), TUESDAY).unwrap();
    assert!(index.knows_kb(kb("KB5130001")).unwrap());
    assert_eq!(seen(&index, 2).unwrap().0.kb, Some(kb("KB5130001")));
    let (of_newer, _) = index.details_of(UpdateSelector::Update(id(2))).unwrap();
    assert_eq!(of_newer[0].supersedes, [related(Some(1), TITLE_24H2)]);
    // Another mention does not count as being seen.
    index.autocommit().record_details(&record, WEDNESDAY).unwrap();
    let (of_newer, _) = index.details_of(UpdateSelector::Update(id(2))).unwrap();
    assert_eq!(of_newer[0].seen.unwrap().last, TUESDAY);
    assert_eq!(replaced_by(&index).len(), 1);
}

#[test]
fn superseded_title_matches_a_single_update_only() {
    let index = Index::in_memory();
    index.autocommit().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    let older = "2026-08 Cumulative Update for Windows 11, version 24H2 for x64-based Systems (KB5125000) (26100.9000)";
    index
        .autocommit()
        .record_details(&DetailsRecord { supersedes: vec![older.to_owned()], ..details(1) }, MONDAY)
        .unwrap();
    let replaces = |index: &Index| {
        let (details, _) = index.details_of(UpdateSelector::Update(id(1))).unwrap();
        details[0].supersedes.clone()
    };
    assert_eq!(replaces(&index), [related(None, older)]);
    index.autocommit().record_update(&update(2, older), TUESDAY).unwrap();
    assert_eq!(replaces(&index), [related(Some(2), older)]);
    let (of_older, _) = index.details_of(UpdateSelector::Update(id(2))).unwrap();
    assert_eq!(of_older[0].superseded_by, [related(Some(1), TITLE_24H2)], "known from both ends");
    index.autocommit().record_update(&update(3, older), TUESDAY).unwrap();
    assert_eq!(replaces(&index), [related(None, older)]);
    // The older update's own page names the newer one by id. That is an edge, and the title adds no second one.
    let own_page = DetailsRecord { superseded_by: vec![(id(1), TITLE_24H2.to_owned())], ..details(2) };
    index.autocommit().record_details(&own_page, TUESDAY).unwrap();
    assert_eq!(replaces(&index), [related(Some(2), older)]);
}

#[test]
fn shorter_supersedence_lists_keep_the_history() {
    let index = Index::in_memory();
    index.autocommit().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    let full = DetailsRecord {
        superseded_by: vec![(id(2), "newer one".to_owned()), (id(3), "newer two".to_owned())],
        supersedes: vec!["older one".to_owned(), "older two".to_owned()],
        ..details(1)
    };
    index.autocommit().record_details(&full, MONDAY).unwrap();
    let short = DetailsRecord {
        superseded_by: vec![(id(3), "newer two".to_owned())],
        supersedes: Vec::new(),
        ..details(1)
    };
    index.autocommit().record_details(&short, TUESDAY).unwrap();
    let (details, _) = index.details_of(UpdateSelector::Update(id(1))).unwrap();
    assert_eq!(details[0].superseded_by, [related(Some(2), "newer one"), related(Some(3), "newer two")]);
    assert_eq!(details[0].supersedes, [related(None, "older one"), related(None, "older two")]);
    let times: Vec<Time> =
        index.rows("SELECT last_seen FROM supersedes ORDER BY last_seen", [], |row| row.get(0)).unwrap();
    assert_eq!(times, [MONDAY, TUESDAY], "the time of the last statement is kept");
}

#[test]
fn repeated_facts_only_advance_last_seen() {
    let index = Index::in_memory();
    record_all(&index, MONDAY);
    // A check has the date at which it was repeated.
    let lasting = |table: &str, column: &str| {
        !column.ends_with("last_seen")
            && !matches!((table, column), ("checks", "checked") | ("searches", "last_asked"))
    };
    let (before, all_before) = (dump(&index, lasting), dump(&index, |_, _| true));
    let empty: Vec<&str> =
        before.iter().filter(|(_, rows)| rows.is_empty()).map(|(table, _)| table.as_str()).collect();
    assert_eq!(empty, ["published", "runs"], "every other table takes part");
    record_all(&index, TUESDAY);
    assert_eq!(dump(&index, lasting), before);
    assert_ne!(dump(&index, |_, _| true), all_before);
    for table in ["updates", "files", "file_urls", "update_files", "needs", "supersedes_titles", "sets"] {
        let sql = format!("SELECT DISTINCT last_seen FROM {table}");
        let times: Vec<Time> = index.rows(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(times, [TUESDAY], "{table}");
    }
    assert_sound(&index);
}

#[test]
fn failed_transaction_leaves_no_changes() {
    let mut index = Index::in_memory();
    let before = dump(&index, |_, _| true);
    let failed: Result<()> = index.in_transaction(|index| {
        index.autocommit().record_update(&update(1, TITLE_24H2), MONDAY)?;
        // The update does not exist, so its dialog cannot be recorded.
        index.autocommit().record_dialog(id(2), &[target()], MONDAY).map(|_| ())
    });
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Internal);
    assert_eq!(dump(&index, |_, _| true), before);
    index.in_transaction(|index| index.autocommit().record_update(&update(1, TITLE_24H2), MONDAY)).unwrap();
    assert_eq!(count(&index, "updates"), 1);
}

#[test]
fn absence_keeps_its_first_date_and_presence_removes_it() {
    let index = Index::in_memory();
    index.autocommit().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    index.autocommit().record_dialog(id(1), &[target(), checkpoint()], MONDAY).unwrap();
    let newer = "2026-10 Cumulative Update for Windows 11, version 24H2 for x64-based Systems (KB5130000) (26100.9500)";
    let record = DetailsRecord { superseded_by: vec![(id(8), newer.to_owned())], ..details(1) };
    index.autocommit().record_details(&record, MONDAY).unwrap();
    let only = |index: &Index| index.facts_of(&[kb("KB5129195")].into()).unwrap().updates[0].clone();
    let known = only(&index);

    index.autocommit().record_absence(id(1), TUESDAY, None).unwrap();
    assert_eq!(only(&index), known, "missing once is not gone");
    index.autocommit().record_absence(id(1), WEDNESDAY, Some(WEDNESDAY)).unwrap();
    index.autocommit().record_absence(id(1), WEDNESDAY.shifted_by(1), Some(WEDNESDAY.shifted_by(1))).unwrap();
    let seen = index.seen_updates_of(kb("KB5129195")).unwrap();
    assert_eq!((seen[0].missing_since, seen[0].expired), (Some(TUESDAY), Some(WEDNESDAY)));
    let gone = only(&index).expired.unwrap();
    assert_eq!((gone.since, gone.successor), (WEDNESDAY.date(), Some(kb("KB5130000"))));
    let facts = index.facts_of(&[kb("KB5129195")].into()).unwrap();
    let sets = package_sets(kb("KB5129195"), &facts, &Knowledge::built_in().unwrap());
    assert!(sets[0].warnings[0].contains("KB5130000 replaces it"), "{:?}", sets[0].warnings);

    index.autocommit().record_presence(id(1)).unwrap();
    assert_eq!(only(&index), known);
}

#[test]
fn search_keeps_its_last_sound_response() {
    let index = Index::in_memory();
    assert_eq!(index.last_search_time("KB1").unwrap(), None);
    index.autocommit().record_search("KB1", 3, MONDAY).unwrap();
    index.autocommit().record_search("KB1", 0, TUESDAY).unwrap();
    assert_eq!(
        (index.last_search_time("KB1").unwrap(), index.last_search_count("KB1").unwrap()),
        (Some(TUESDAY), Some(0))
    );
}
