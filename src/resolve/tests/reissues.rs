//! Tests of KBs that Microsoft issued again: their order, the plans for each issue, and the folder names.

use super::*;
use crate::facts::UpdateFacts;

const OLD: &str = "windows6.1-kb4474419-x64_1111111111111111111111111111111111111111.msu";
const NEW: &str = "windows6.1-kb4474419-v3-x64_2222222222222222222222222222222222222222.msu";
const OF_MARCH: &str = "2019-03 Security Update for Windows 7 for x64-based Systems (KB4474419)";
const OF_SEPTEMBER: &str = "2019-09 Security Update for Windows 7 for x64-based Systems (KB4474419)";

/// Returns the sets of entries of KB4474419, changed by a function.
fn sets_of(
    entries: &[(&str, &[&str])],
    change: impl Fn(usize, &mut UpdateFacts, &mut FileFacts),
) -> Vec<PackageSet> {
    let mut facts = facts(entries);
    for (number, update) in facts.updates.iter_mut().enumerate() {
        for key in update.files.clone().unwrap() {
            change(number, update, facts.files.get_mut(&key).unwrap());
        }
    }
    package_sets(kb("KB4474419"), &facts, &knowledge())
}

fn unchanged(_: usize, _: &mut UpdateFacts, _: &mut FileFacts) {}

/// Returns folder and generation of each set.
fn generations(sets: &[PackageSet]) -> Vec<(String, Option<(usize, usize)>)> {
    let of = |set: &PackageSet| set.generation.map(|own| (own.number, own.of));
    sets.iter().map(|set| (set.folder.to_string(), of(set))).collect()
}

fn plan_of(sets: &[PackageSet], generation: GenerationChoice) -> Plan {
    let machine = Machine {
        architecture: Some(Architecture::X64),
        baseline: Some("7601.17514".parse().unwrap()),
        installed: vec![kb("KB4490628")],
        ..Machine::default()
    };
    plan(&Request { generation, machine, ..Request::new(kb("KB4474419")) }, sets, &knowledge())
}

#[test]
fn newest_issue_is_the_answer_and_the_older_is_named() {
    let sets = sets_of(&[(OF_SEPTEMBER, &[NEW]), (OF_MARCH, &[OLD])], unchanged);
    assert_eq!(
        generations(&sets),
        [("windows-7-x64".to_owned(), Some((2, 2))), ("windows-7-x64-2019-03".to_owned(), Some((1, 2)))]
    );
    let newest = plan_of(&sets, GenerationChoice::Newest);
    assert_eq!(newest.status, Status::Install, "{newest:?}");
    assert_eq!(newest.steps.last().unwrap().name.as_deref(), Some(NEW));
    let named = |plan: &Plan, words: &str| plan.warnings.iter().any(|warning| warning.contains(words));
    assert!(named(&newest, &format!("--generation 1 selects the older {OLD}")), "{:?}", newest.warnings);
    let older = plan_of(&sets, GenerationChoice::Number(1));
    assert_eq!(older.steps.last().unwrap().name.as_deref(), Some(OLD));
    assert!(named(&older, "issue 1, not the newest issue"), "{:?}", older.warnings);
    assert_eq!(plan_of(&sets, GenerationChoice::Number(3)).status, Status::Unknown);
    let all = plan_of(&sets, GenerationChoice::All);
    assert_eq!(all.status, Status::Ambiguous);
    assert!(all.advice.unwrap().ends_with("select one with --generation"));
    let options: Vec<String> = all.choices.iter().map(|choice| choice.options(all.kb)).collect();
    assert!(options.iter().any(|line| line.ends_with("--generation 1")), "{options:?}");
}

#[test]
fn month_on_the_network_and_dates_of_equal_titles_order_issues() {
    let names: [&str; 2] = [
        "windows6.1-kb4474419-x64_3333333333333333333333333333333333333333.msu",
        "windows6.1-kb4474419-x64_1111111111111111111111111111111111111111.msu",
    ];
    let entries: [(&str, &[&str]); 2] = [(OF_MARCH, &names[..1]), (OF_MARCH, &names[1..])];
    let by_url = sets_of(&entries, |number, _, file| {
        let month = ["2019/03", "2019/09"][number];
        file.urls =
            vec![format!("https://example.test/d/msdownload/update/software/secu/{month}/{}", file.name)];
    });
    assert_eq!(
        generations(&by_url),
        [("windows-7-x64".to_owned(), Some((2, 2))), ("windows-7-x64-2019-03".to_owned(), Some((1, 2)))]
    );
    assert_eq!(by_url[0].members[0].file.name, names[1]);
    let dated = |number: usize, update: &mut UpdateFacts| {
        update.last_updated = Some(["2019-03-12", "2019-03-20"][number].parse().unwrap());
    };
    let by_date = sets_of(&entries, |number, update, _| dated(number, update));
    assert_eq!(by_date[0].members[0].file.name, names[1], "titles agree, so the dates count");
    assert_eq!(
        generations(&by_date),
        [("windows-7-x64".to_owned(), Some((2, 2))), ("windows-7-x64-2019-03".to_owned(), Some((1, 2)))]
    );
    let other_titles: [(&str, &[&str]); 2] = [(OF_MARCH, &names[..1]), (OF_SEPTEMBER, &names[1..])];
    let unordered = sets_of(&other_titles, |number, update, _| dated(number, update));
    assert_eq!(
        generations(&unordered),
        [("windows-7-x64-2019-03".to_owned(), None), ("windows-7-x64-2019-09".to_owned(), None)],
        "dates of entries with different titles prove nothing"
    );
}

#[test]
fn unordered_sets_get_no_advice_that_cannot_work() {
    let names: [&str; 2] = [
        "windows6.1-kb4474419-x64_3333333333333333333333333333333333333333.msu",
        "windows6.1-kb4474419-x64_1111111111111111111111111111111111111111.msu",
    ];
    let sets = sets_of(&[(OF_MARCH, &names[..1]), (OF_MARCH, &names[1..])], unchanged);
    let folders: Vec<String> = generations(&sets).into_iter().map(|(folder, _)| folder).collect();
    assert_eq!(folders, ["windows-7-x64-2019-03", "windows-7-x64-2019-03-2"]);
    let answer = plan_of(&sets, GenerationChoice::Newest);
    assert_eq!(answer.status, Status::Ambiguous);
    let advice = answer.advice.unwrap();
    assert!(!advice.contains("--product") && names.iter().all(|name| advice.contains(name)), "{advice}");
}

#[test]
fn entries_that_share_a_file_are_not_generations() {
    let sets = sets_of(&[(OF_MARCH, &[OLD]), (OF_SEPTEMBER, &[OLD, NEW])], unchanged);
    assert!(sets.iter().all(|set| set.generation.is_none()), "{:?}", generations(&sets));
}

/// Returns the entries of two issues of a KB for one Windows, with these builds in their titles.
fn plan_of_builds(builds: [&str; 2], generation: GenerationChoice, at: &str) -> Plan {
    let titles = builds.map(|build| {
        format!(
            "2028-03 Cumulative Update for Windows 11, version 26H1 for x64-based Systems (KB5912345){build}"
        )
    });
    let entries: [(&str, &[&str]); 2] = [(&titles[0], &[FIRST]), (&titles[1], &[SECOND])];
    let machine = Machine {
        architecture: Some(Architecture::X64),
        baseline: Some(at.parse().unwrap()),
        ..Machine::default()
    };
    let knowledge = knowledge();
    let library = FactsLibrary::new(facts(&entries), &knowledge);
    resolve(&Request { generation, machine, ..Request::new(kb("KB5912345")) }, &library, &knowledge).unwrap()
}

const FIRST: &str = "windows11.0-kb5912345-x64_3333333333333333333333333333333333333333.msu";
const SECOND: &str = "windows11.0-kb5912345-x64_1111111111111111111111111111111111111111.msu";

#[test]
fn builds_in_titles_order_issues_and_stay_their_own() {
    let of = |generation| plan_of_builds([" (28000.3000)", " (28000.4000)"], generation, "28000.1");
    let newest = of(GenerationChoice::Newest);
    assert_eq!(newest.status, Status::Install, "{:?}", newest.advice);
    assert_eq!(newest.steps.last().unwrap().name.as_deref(), Some(SECOND));
    assert_eq!(newest.expected_build, Some(Build::new(28000, 4000)));
    let older = of(GenerationChoice::Number(1));
    assert_eq!(older.steps.last().unwrap().name.as_deref(), Some(FIRST));
    assert_eq!(older.expected_build, Some(Build::new(28000, 3000)));
}

#[test]
fn build_of_another_issue_orders_no_title_without_one() {
    let answer = plan_of_builds([" (28000.3000)", ""], GenerationChoice::Newest, "28000.1");
    assert_eq!(answer.status, Status::Ambiguous, "{:?}", answer.warnings);
}

#[test]
fn issues_of_another_windows_do_not_count() {
    let titles = ["26H1", "26H1", "24H2"].map(|version| {
        format!("2028-03 Security Update for Windows 11, version {version} for x64-based Systems (KB5912345)")
    });
    let newest = "windows11.0-kb5912345-v2-x64_1111111111111111111111111111111111111111.msu";
    let other = "windows11.0-kb5912345-x64_2222222222222222222222222222222222222222.msu";
    let entries: [(&str, &[&str]); 3] =
        [(&titles[0], &[FIRST]), (&titles[1], &[newest]), (&titles[2], &[other])];
    let knowledge = knowledge();
    let library = FactsLibrary::new(facts(&entries), &knowledge);
    let status = |at: &str, generation| {
        let machine = Machine {
            architecture: Some(Architecture::X64),
            baseline: Some(at.parse().unwrap()),
            installation: Some(Installation::Client),
            ..Machine::default()
        };
        let generation = GenerationChoice::Number(generation);
        let request = Request { generation, machine, ..Request::new(kb("KB5912345")) };
        resolve(&request, &library, &knowledge).unwrap().status
    };
    assert_eq!(status("28000.1", 2), Status::Install);
    assert_eq!(status("26100.1", 1), Status::Install);
    assert_eq!(status("26100.1", 2), Status::Unknown, "26H1 has the second issue, and 24H2 takes the KB too");
}
