//! Tests of sets and plans over small invented facts, and of the checkpoint rule against an oracle.

use std::collections::BTreeMap;
use std::rc::Rc;

use proptest::prelude::*;

use super::*;
use crate::facts::{Facts, FileFacts, FileKey, NeedsEdge, Role, Source, UpdateFacts};
use crate::servicing::{Family, Installation, Knowledge, ProductFilter};
use crate::update::{Architecture, Build, Kb, Kind, classify};

mod companions;
mod other_windows;
mod reissues;

/// Returns the facts of entries, each given as title and file names of its dialog.
fn facts(entries: &[(&str, &[&str])]) -> Facts {
    let mut keys: BTreeMap<String, FileKey> = BTreeMap::new();
    let mut facts = Facts::default();
    for (number, (title, names)) in entries.iter().enumerate() {
        let class = classify(title, "", None);
        let mut files = Vec::new();
        for name in *names {
            let next = FileKey(i64::try_from(keys.len()).unwrap() + 1);
            let key = *keys.entry((*name).to_owned()).or_insert(next);
            let file = FileFacts { key: Some(key), ..FileFacts::from_name(name) };
            facts.files.insert(key, file);
            files.push(key);
        }
        facts.updates.push(UpdateFacts {
            id: format!("00000000-0000-0000-0000-{number:012}").parse().unwrap(),
            title: (*title).to_owned(),
            kb: class.kb,
            kind: class.kind,
            month: class.month,
            product: class.product,
            release: class.release,
            products: String::new(),
            architecture: class.architecture,
            build: class.build,
            last_updated: None,
            size: None,
            files: Some(files),
            files_seen: Some(jiff::civil::date(2026, 11, 23)),
            expired: None,
        });
    }
    facts
}

fn knowledge() -> Knowledge {
    Knowledge::built_in().unwrap()
}

fn kb(text: &str) -> Kb {
    text.parse().unwrap()
}

fn roles(set: &PackageSet) -> Vec<String> {
    set.members
        .iter()
        .map(|member| format!("{} {}", member.role, member.kb().map(|kb| kb.to_string()).unwrap_or_default()))
        .collect()
}

const LCU_24H2: &str =
    "2026-03 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems (KB5086672) (26100.8117)";
const LCU_25H2: &str =
    "2026-03 Cumulative Update for Windows 11, version 25H2 for arm64-based Systems (KB5086672) (26200.8117)";
const TARGET: &str = "windows11.0-kb5086672-arm64_ec8e69856b92118f17bac6e2046f54b3c87e59b0.msu";
const CHECKPOINT: &str = "windows11.0-kb5043080-arm64_df540a05f9b118e339c5520f4090bb5d450f090b.msu";

/// A library that has only these sets.
struct SetsLibrary<'s>(&'s [PackageSet]);

impl Library for SetsLibrary<'_> {
    fn sets(&self, kb: Kb) -> crate::error::Result<Rc<[PackageSet]>> {
        Ok(self.0.iter().filter(|set| set.kb == kb).cloned().collect())
    }

    fn unread_architectures(
        &self,
        _: Kb,
    ) -> crate::error::Result<std::collections::BTreeSet<Option<Architecture>>> {
        Ok(std::collections::BTreeSet::new())
    }

    fn updates_of(&self, _: &[Kind]) -> crate::error::Result<Rc<[UpdateFacts]>> {
        Ok(Rc::new([]))
    }

    fn newest_of(&self, _: &Family, _: Option<jiff::civil::Date>) -> crate::error::Result<NewestReleases> {
        Ok(NewestReleases::default())
    }

    fn replacements_of(&self, _: Kb) -> crate::error::Result<Vec<UpdateFacts>> {
        Ok(Vec::new())
    }
}

fn plan(request: &Request, sets: &[PackageSet], knowledge: &Knowledge) -> Plan {
    resolve(request, &SetsLibrary(sets), knowledge).unwrap()
}

fn steps(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| format!("{} {}", step.role, step.kb.unwrap())).collect()
}

fn plan_at(sets: &[PackageSet], baseline: Option<&str>) -> Plan {
    let baseline = baseline.map(|text| text.parse().unwrap());
    let machine = Machine { baseline, architecture: Some(Architecture::Arm64), ..Machine::default() };
    let request = Request { machine, ..Request::new(kb("KB5086672")) };
    plan(&request, sets, &knowledge())
}

fn serves(set: &PackageSet, product: &str) -> bool {
    ProductFilter::new(product, None, knowledge().families()).unwrap().pick(&[set.filed()]) == [true]
}

#[test]
fn entries_with_the_same_files_are_one_set_in_any_order() {
    let facts = facts(&[(LCU_24H2, &[TARGET, CHECKPOINT]), (LCU_25H2, &[CHECKPOINT, TARGET])]);
    let sets = package_sets(kb("KB5086672"), &facts, &knowledge());
    assert_eq!(sets.len(), 1);
    assert_eq!(sets[0].folder, "windows-11-24h2-arm64");
    assert_eq!(sets[0].products, ["Windows 11, version 24H2", "Windows 11, version 25H2"]);
    assert_eq!(roles(&sets[0]), ["checkpoint KB5043080", "target KB5086672"]);
    assert_eq!(sets[0].build(), Some(Build::new(26100, 8117)));
    assert_eq!(sets[0].needs, [NeedsEdge { from: 1, to: 0, role: Role::Checkpoint, source: Source::Dialog }]);
    assert_eq!(sets[0].warnings, Vec::<String>::new());
    for product in
        ["Windows 11 24H2", "windows 11, version 25h2", "windows-11-24h2", "Windows 11 24H2, 25H2, 26H2"]
    {
        assert!(serves(&sets[0], product), "{product}");
    }
    assert!(!serves(&sets[0], "Windows Server 2025"));
}

#[test]
fn unlisted_checkpoint_is_added_from_knowledge_with_a_warning() {
    let facts = facts(&[(LCU_24H2, &[TARGET])]);
    let sets = package_sets(kb("KB5086672"), &facts, &knowledge());
    assert_eq!(roles(&sets[0]), ["checkpoint KB5043080", "target KB5086672"]);
    assert_eq!(sets[0].members[0].file.name, CHECKPOINT);
    assert_eq!(sets[0].needs[0].source, Source::Knowledge);
    assert!(sets[0].warnings[0].contains("does not list the checkpoint KB5043080"), "{:?}", sets[0].warnings);
    assert_eq!(
        unlisted_kbs(kb("KB5086672"), &facts, &knowledge()).into_iter().collect::<Vec<_>>(),
        [kb("KB5043080")]
    );
}

#[test]
fn title_without_a_build_is_compared_by_month() {
    let names: &[&str] = &["windows11.0-kb5051987-x64_199ed7806a74fe78e3b0ef4f2073760000f71972.msu"];
    let title = "2025-02 Cumulative Update for Windows 11 Version 24H2 for x64-based Systems (KB5051987)";
    let sets = package_sets(kb("KB5051987"), &facts(&[(title, names)]), &knowledge());
    assert_eq!(roles(&sets[0]), ["checkpoint KB5043080", "target KB5051987"]);
    let before = "2024-08 Cumulative Update for Windows 11 Version 24H2 for x64-based Systems (KB5041571)";
    let names: &[&str] = &["windows11.0-kb5041571-x64_0123456789012345678901234567890123456789.msu"];
    let sets = package_sets(kb("KB5041571"), &facts(&[(before, names)]), &knowledge());
    assert_eq!(roles(&sets[0]), ["target KB5041571"]);
}

#[test]
fn unknown_checkpoints_are_ordered_by_builds_of_their_titles() {
    let entry = "2028-01 Cumulative Update for Windows 11, version 24H2 for arm64-based Systems (KB5300003) (26100.20003)";
    let first = "2027-01 Cumulative Update for Windows 11, version 24H2 for arm64-based Systems (KB5300009) (26100.12000)";
    let second = "2027-06 Cumulative Update for Windows 11, version 25H2 for arm64-based Systems (KB5300001) (26200.15000)";
    let names: [&str; 3] = [
        "windows11.0-kb5300001-arm64_1111111111111111111111111111111111111111.msu",
        "windows11.0-kb5300003-arm64_3333333333333333333333333333333333333333.msu",
        "windows11.0-kb5300009-arm64_9999999999999999999999999999999999999999.msu",
    ];
    let entries: [(&str, &[&str]); 3] = [(entry, &names), (first, &names[2..]), (second, &names[..1])];
    let sets = package_sets(kb("KB5300003"), &facts(&entries), &knowledge());
    assert_eq!(roles(&sets[0]), ["checkpoint KB5300009", "checkpoint KB5300001", "target KB5300003"]);
    let edges: Vec<(usize, usize)> = sets[0].needs.iter().map(|edge| (edge.from, edge.to)).collect();
    assert_eq!(edges, [(1, 0), (2, 0), (2, 1)]);

    let request = |baseline: &str| Request {
        machine: Machine { baseline: Some(baseline.parse().unwrap()), ..Machine::default() },
        ..Request::new(kb("KB5300003"))
    };
    let plan_at = |baseline| plan(&request(baseline), &sets, &knowledge());
    assert_eq!(
        steps(&plan_at("26100.9000")),
        ["checkpoint KB5300009", "checkpoint KB5300001", "target KB5300003"]
    );
    assert_eq!(steps(&plan_at("26200.12000")), ["checkpoint KB5300001", "target KB5300003"]);
    assert_eq!(steps(&plan_at("26300.15000")), ["target KB5300003"]);
    assert_eq!(plan_at("26300.20003").status, Status::NothingToDo);
}

#[test]
fn candidate_of_unknown_build_is_a_companion() {
    let entries: [(&str, &[&str]); 1] = [(
        "Security Update for Windows Server 2012 R2 (KB3172729)",
        &[
            "windows8.1-kb3173424-x64_9a1c9e0082978d92abee71f2cfed5e0f4b6ce85c.msu",
            "windows8.1-kb3172729-x64_e8003822a7ef4705cbb65623b72fd3cec73fe222.msu",
        ],
    )];
    let mut facts = facts(&entries);
    let sets = package_sets(kb("KB3172729"), &facts, &knowledge());
    assert_eq!(roles(&sets[0]), ["target KB3172729", "companion KB3173424"]);
    assert_eq!(sets[0].architecture, Some(Architecture::X64), "by the names, as the title is silent");
    assert_eq!(plan(&Request::new(kb("KB3172729")), &sets, &knowledge()).steps[1].order, None);
    assert!(sets[0].warnings[0].contains("order is unknown"));

    // The entry of the candidate itself states its kind.
    let mut own = facts.updates[0].clone();
    own.kb = Some(kb("KB3173424"));
    own.kind = Some(Kind::Ssu);
    own.files = None;
    facts.updates.push(own);
    let sets = package_sets(kb("KB3172729"), &facts, &knowledge());
    assert_eq!(roles(&sets[0]), ["ssu KB3173424", "target KB3172729"]);
}

#[test]
fn files_that_all_have_other_kbs_are_the_update_itself() {
    let title = "2025-01 Cumulative Update for .NET Framework 3.5, 4.7.2 and 4.8 for Windows Server 2019 for x64 (KB5050182)";
    let entries: [(&str, &[&str]); 1] = [(
        title,
        &[
            "windows10.0-kb5049615-x64-ndp48_17bbac9f33539f6515297a7e2183d20b3b165424.msu",
            "windows10.0-kb5049608-x64_1a94518425035b7c11ccd554c89ae09752db511c.msu",
        ],
    )];
    let sets = package_sets(kb("KB5050182"), &facts(&entries), &knowledge());
    assert_eq!(sets[0].folder, "server-2019-x64");
    assert_eq!(roles(&sets[0]), ["dotnet_child KB5049608", "dotnet_child KB5049615"]);
    assert_eq!(sets[0].needs, []);
}

#[test]
fn client_and_server_are_one_set_only_with_the_same_files() {
    let server = "2024-11 Cumulative Update for Microsoft server operating system version 24H2 for x64-based Systems (KB5046617)";
    let client = "2024-11 Cumulative Update for Windows 11 Version 24H2 for x64-based Systems (KB5046617)";
    let checkpoint = "windows11.0-kb5043080-x64_953449672073f8fb99badb4cc6d5d7849b9c83e8.msu";
    let target = "windows11.0-kb5046617-x64_1e5d7b716c0747592ae80c218f1d81bbb7b0c7ab.msu";
    let other = "windows11.0-kb5046617-x64_2222222222222222222222222222222222222222.msu";
    let shared = package_sets(
        kb("KB5046617"),
        &facts(&[(server, &[checkpoint, target]), (client, &[target, checkpoint])]),
        &knowledge(),
    );
    assert_eq!(shared.len(), 1);
    assert_eq!(shared[0].folder, "windows-11-24h2-x64");
    assert!(serves(&shared[0], "Windows Server 2025") && serves(&shared[0], "Windows 11 24H2"));

    let apart = package_sets(
        kb("KB5046617"),
        &facts(&[(server, &[checkpoint, other]), (client, &[target, checkpoint])]),
        &knowledge(),
    );
    let folders: Vec<&str> = apart.iter().map(|set| set.folder.as_str()).collect();
    assert_eq!(folders, ["server-2025-x64", "windows-11-24h2-x64"]);
    let answer = plan(&Request::new(kb("KB5046617")), &apart, &knowledge());
    assert_eq!((answer.status, answer.choices.len()), (Status::Ambiguous, 2));
    let request = Request {
        machine: Machine { installation: Some(Installation::Server), ..Machine::default() },
        ..Request::new(kb("KB5046617"))
    };
    assert_eq!(plan(&request, &apart, &knowledge()).status, Status::Install);
}

#[test]
fn dynamic_variants_have_own_folders_and_are_never_planned() {
    let main = "2023-09 Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB5030211)";
    let dynamic =
        "2023-09 Dynamic Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB5030211)";
    let entries: [(&str, &[&str]); 2] = [
        (main, &["windows10.0-kb5030211-x64_1111111111111111111111111111111111111111.msu"]),
        (dynamic, &["windows10.0-kb5030211-x64_2222222222222222222222222222222222222222.cab"]),
    ];
    let sets = package_sets(kb("KB5030211"), &facts(&entries), &knowledge());
    let folders: Vec<&str> = sets.iter().map(|set| set.folder.as_str()).collect();
    assert_eq!(folders, ["windows-10-22h2-x64", "windows-10-22h2-x64-dynamic"]);
    assert_eq!(plan(&Request::new(kb("KB5030211")), &sets, &knowledge()).status, Status::Install);
}

#[test]
fn different_sets_of_one_family_get_a_suffix() {
    let names: [&str; 2] = [
        "windows11.0-kb5051989-x64_1111111111111111111111111111111111111111.msu",
        "windows11.0-kb5051989-x64_2222222222222222222222222222222222222222.msu",
    ];
    let entries: [(&str, &[&str]); 2] = [
        (
            "2025-02 Cumulative Update for Windows 11 Version 22H2 for x64-based Systems (KB5051989)",
            &names[..1],
        ),
        (
            "2025-02 Cumulative Update for Windows 11 Version 23H2 for x64-based Systems (KB5051989)",
            &names[1..],
        ),
    ];
    let sets = package_sets(kb("KB5051989"), &facts(&entries), &knowledge());
    assert_eq!(sets.len(), 2);
    let folders: Vec<&str> = sets.iter().map(|set| set.folder.as_str()).collect();
    assert_eq!(folders, ["windows-11-22h2-x64-2025-02", "windows-11-22h2-x64-2025-02-2"]);
    assert!(sets.iter().all(|set| set.generation.is_none()), "other versions are other sets");
}

fn needed_if(step: &Step) -> String {
    step.needed_if.as_ref().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn checkpoint_rule_applies_to_every_kind_of_baseline() {
    let sets = package_sets(kb("KB5086672"), &facts(&[(LCU_24H2, &[TARGET, CHECKPOINT])]), &knowledge());
    let complete = plan_at(&sets, None);
    assert_eq!(steps(&complete), ["checkpoint KB5043080", "target KB5086672"]);
    assert_eq!(needed_if(&complete.steps[0]), "build below 26100.1742, or features on demand");
    assert_eq!(needed_if(&complete.steps[1]), "build below 26100.8117");
    assert_eq!(steps(&plan_at(&sets, Some("26100.863"))), ["checkpoint KB5043080", "target KB5086672"]);
    assert_eq!(steps(&plan_at(&sets, Some("26100.8037"))), ["target KB5086672"]);
    let upgraded = plan_at(&sets, Some("26200.8039"));
    assert_eq!(steps(&upgraded), ["target KB5086672"]);
    assert_eq!(upgraded.expected_build, Some(Build::new(26200, 8117)));
    for at in ["26100.8117", "26300.9457"] {
        assert_eq!(plan_at(&sets, Some(at)).status, Status::NothingToDo, "{at}");
    }
    let other = plan_at(&sets, Some("28000.1719"));
    assert_eq!(other.status, Status::NotApplicable);
    assert!(other.advice.unwrap().contains("Windows 11 26H1"));
    assert_eq!(plan_at(&sets, Some("31000.1")).status, Status::Unknown);

    let with = |place, fod, at: &str| {
        let request = Request {
            machine: Machine {
                place,
                features_on_demand: fod,
                baseline: Some(at.parse().unwrap()),
                ..Machine::default()
            },
            ..Request::new(kb("KB5086672"))
        };
        plan(&request, &sets, &knowledge())
    };
    assert_eq!(steps(&with(Place::Image, true, "26100.1742")).len(), 2);
    assert_eq!(steps(&with(Place::Image, true, "26100.8117")).len(), 2, "applied again");
    assert_eq!(with(Place::Image, true, "26100.8246").status, Status::NothingToDo);
    assert_eq!(steps(&with(Place::Online, true, "26100.1742")), ["target KB5086672"]);
    assert_eq!(steps(&with(Place::Mirror, false, "26100.8117")).len(), 2, "a mirror keeps the complete set");
    assert_eq!(with(Place::Winre, false, "26100.1742").status, Status::NotApplicable);
    let x64 = Request {
        machine: Machine { architecture: Some(Architecture::X64), ..Machine::default() },
        ..Request::new(kb("KB5086672"))
    };
    assert_eq!(plan(&x64, &sets, &knowledge()).status, Status::NotApplicable);
}

proptest! {
    /// Plans any chain of checkpoints, listed in any order, from any baseline. The oracle expects the
    /// checkpoints between baseline and target.
    #[test]
    fn plan_contains_updates_between_baseline_and_target(
        revisions in prop::collection::btree_set(2000_u32..9000, 1..6),
        numbers in Just((5_400_000_u32..5_400_006).collect::<Vec<_>>()).prop_shuffle(),
        rotation in 0_usize..6,
        baseline in 1_u32..10_000,
    ) {
        let revisions: Vec<u32> = revisions.into_iter().collect();
        let chain: Vec<(u32, u32)> = revisions.into_iter().zip(numbers).map(|(revision, kb)| (kb, revision)).collect();
        let mut names: Vec<String> =
            chain.iter().map(|(kb, _)| format!("windows11.0-kb{kb}-x64_{kb:040}.msu")).collect();
        let own: Vec<String> = names.clone();
        let places = names.len();
        names.rotate_left(rotation % places);
        let listed: Vec<&str> = names.iter().map(String::as_str).collect();
        let titles: Vec<String> = chain.iter().map(|(kb, revision)| format!(
            "2028-01 Cumulative Update for Windows 11, version 26H1 for x64-based Systems (KB{kb}) (28000.{revision})"
        )).collect();
        let (target, target_revision) = *chain.last().unwrap();
        let last = titles.len() - 1;
        let mut entries: Vec<(&str, &[&str])> = vec![(&titles[last], &listed)];
        let singles: Vec<[&str; 1]> = own.iter().map(|name| [name.as_str()]).collect();
        entries.extend(titles.iter().zip(&singles).take(last).map(|(title, name)| (title.as_str(), name.as_slice())));
        let knowledge = knowledge();
        let sets = package_sets(Kb::from_number(target).unwrap(), &facts(&entries), &knowledge);
        let request = Request { machine: Machine { baseline: Some(Build::new(28000, baseline)), ..Machine::default() }, ..Request::new(Kb::from_number(target).unwrap()) };
        let answer = plan(&request, &sets, &knowledge);
        let expected: Vec<u32> = if baseline >= target_revision { Vec::new() } else {
            chain.iter().filter(|(_, revision)| *revision > baseline).map(|(kb, _)| *kb).collect()
        };
        let found: Vec<u32> = answer.steps.iter().map(|step| step.kb.unwrap().number()).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn stated_sha1_is_kept_in_the_step_before_an_enablement() {
    // The file name has no digest; the Catalog's dialog states it.
    let title = "2026-10 Cumulative Update for Windows 11, version 24H2 for x64-based Systems (KB5990001) (26100.9900)";
    let mut facts = facts(&[(title, &["windows11.0-kb5990001-x64.msu"])]);
    let stated = "df540a05f9b118e339c5520f4090bb5d450f090b".parse().unwrap();
    for file in facts.files.values_mut() {
        (file.sha1, file.sha1_is_stated, file.size) = (Some(stated), true, Some(7));
    }
    let knowledge = knowledge();
    let library = FactsLibrary::new(facts, &knowledge);
    for place in [Place::Online, Place::Image] {
        let request = Request {
            machine: Machine {
                baseline: Some(Build::new(26100, 1742)),
                architecture: Some(Architecture::X64),
                place,
                ..Machine::default()
            },
            ..Request::of(Goal::Enable("25H2".to_owned()))
        };
        let plan = resolve(&request, &library, &knowledge).unwrap();
        let step = plan.steps.iter().find(|step| step.kb == Some(kb("KB5990001"))).unwrap();
        assert_eq!((step.role, step.sha1, step.size), (Role::Prerequisite, Some(stated), Some(7)));
        assert_eq!(step.restart_after, place == Place::Online);
        let orders: Vec<Option<usize>> = plan.steps.iter().map(|step| step.order).collect();
        assert_eq!(orders, (1..=plan.steps.len()).map(Some).collect::<Vec<_>>());
    }
}
