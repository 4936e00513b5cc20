//! Tests of files of an entry whose place only the details pages prove.

use super::*;

const TARGET: &str = "windows11.0-kb5200003-x64_3333333333333333333333333333333333333333.msu";
const LISTED: &str = "windows11.0-kb5200002-x64_2222222222222222222222222222222222222222.msu";
const CHECKPOINT: &str = "windows11.0-kb5043080-x64_953449672073f8fb99badb4cc6d5d7849b9c83e8.msu";

/// Returns the plan for KB5200003 of a server whose titles state no build. Each pair replaces the second entry.
fn plan_of(replaced: &[(usize, usize)]) -> Plan {
    let title = |kb: &str, month: &str| {
        format!(
            "{month} Cumulative Update for Microsoft server operating system version 24H2 for x64-based Systems ({kb})"
        )
    };
    let titles =
        [title("KB5200003", "2027-03"), title("KB5200002", "2027-01"), title("KB5043080", "2024-09")];
    let entries: [(&str, &[&str]); 3] =
        [(&titles[0], &[TARGET, CHECKPOINT, LISTED]), (&titles[1], &[LISTED]), (&titles[2], &[CHECKPOINT])];
    let mut facts = facts(&entries);
    let ids: Vec<_> = facts.updates.iter().map(|update| update.id).collect();
    facts.supersedes = replaced.iter().map(|&(newer, older)| (ids[newer], ids[older])).collect();
    let knowledge = knowledge();
    let machine = Machine {
        architecture: Some(Architecture::X64),
        baseline: Some("26100.1".parse().unwrap()),
        installation: Some(Installation::Server),
        ..Machine::default()
    };
    let library = FactsLibrary::new(facts, &knowledge);
    resolve(&Request { machine, ..Request::new(kb("KB5200003")) }, &library, &knowledge).unwrap()
}

fn order(plan: &Plan) -> Vec<(Option<usize>, String)> {
    plan.steps.iter().map(|step| (step.order, format!("{} {}", step.role, step.kb.unwrap()))).collect()
}

#[test]
fn replaced_file_has_a_place_and_no_other_role() {
    for replaced in [vec![(0, 1), (1, 2)], vec![(0, 1), (0, 2), (1, 2)]] {
        let plan = plan_of(&replaced);
        assert_eq!(
            order(&plan),
            [
                (Some(1), "checkpoint KB5043080".to_owned()),
                (Some(2), "companion KB5200002".to_owned()),
                (Some(3), "target KB5200003".to_owned())
            ],
            "{replaced:?}"
        );
        assert!(!plan.warnings.iter().any(|text| text.contains("order is unknown")), "{:?}", plan.warnings);
    }
}

#[test]
fn place_needs_a_proof_against_every_other_file() {
    for replaced in [vec![], vec![(0, 1)], vec![(1, 2)], vec![(1, 0), (1, 2)], vec![(0, 1), (1, 0), (1, 2)]] {
        let plan = plan_of(&replaced);
        assert_eq!(
            order(&plan).last().unwrap(),
            &(None, "companion KB5200002".to_owned()),
            "{replaced:?}: {:?}",
            order(&plan)
        );
        assert!(plan.warnings.iter().any(|text| text.contains("order is unknown")), "{replaced:?}");
    }
}

#[test]
fn supersedence_creates_no_step() {
    let title = "2027-03 Cumulative Update for Microsoft server operating system version 24H2 for x64-based Systems (KB5200003)";
    let entries: [(&str, &[&str]); 2] = [
        (title, &[TARGET, CHECKPOINT]),
        (
            "2027-01 Cumulative Update for Microsoft server operating system version 24H2 for x64-based Systems (KB5200002)",
            &[LISTED],
        ),
    ];
    let mut facts = facts(&entries);
    facts.supersedes = [(facts.updates[0].id, facts.updates[1].id)].into();
    let sets = package_sets(kb("KB5200003"), &facts, &knowledge());
    assert_eq!(roles(&sets[0]), ["checkpoint KB5043080", "target KB5200003"]);
    assert_eq!(sets[0].needs.len(), 1);
}
