//! From sets to the answer for one request. The order of judgement is fixed, so that the same request always gets the
//! same kind of answer; every refusal names the way out where there is one.

use super::answer::{Choice, Place, Plan, Request, Status, Step};
use super::roles::{Member, Role};
use super::sets::PackageSet;
use crate::servicing::{Family, Knowledge};
use crate::update::{Architecture, Build};

/// The plan for a request, from the sets of its KB.
///
/// Judged in this order: is the baseline known at all, is it a hotpatch, is there a set for the architecture, for the
/// family and installation; is it withdrawn; is it for the place; does the baseline have it already; then the steps.
pub fn plan(request: &Request, sets: &[PackageSet], knowledge: &Knowledge) -> Plan {
    let mut answer = empty(request, knowledge);
    let at = match request.baseline {
        None => Vec::new(),
        Some(build) => {
            let families: Vec<&Family> = knowledge
                .families_of_build(build.number)
                .filter(|family| request.installation.is_none_or(|wanted| wanted == family.installation))
                .collect();
            if families.is_empty() {
                answer.status = Status::Unknown;
                answer.advice =
                    Some(format!("build {build} is of no family that is known as of {}", knowledge.date()));
                return answer;
            }
            families
        }
    };
    if knowledge.hotpatch(request.kb).is_some() {
        answer.status = Status::UnavailableOffline;
        answer.advice = Some(format!(
            "{} is a hotpatch, which the Catalog does not have: take the cumulative update of that month",
            request.kb
        ));
        return answer;
    }
    let candidates = match narrow(request, sets, &at) {
        Ok(candidates) => candidates,
        Err(advice) => {
            answer.status = Status::NotApplicable;
            answer.advice = Some(advice);
            return answer;
        }
    };
    let [set] = candidates.as_slice() else {
        answer.status = Status::Ambiguous;
        answer.choices = candidates.iter().map(|set| choice(set)).collect();
        answer.advice = Some("name one with --arch and --product".to_owned());
        return answer;
    };
    answer.architecture = set.architecture;
    answer.product = Some(set.products.join("; "));
    answer.family = set.families.first().map(|family| family.folder.clone());
    answer.warnings.clone_from(&set.warnings);
    if let Some(withdrawn) = knowledge.withdrawn(request.kb) {
        answer.status = Status::Withdrawn;
        answer.successor = Some(withdrawn.successor);
        answer.advice = Some(format!("{}: take {} instead", withdrawn.why, withdrawn.successor));
        return answer;
    }
    answer_from_set(request, set, answer)
}

fn empty(request: &Request, knowledge: &Knowledge) -> Plan {
    Plan {
        id: None,
        kb: request.kb,
        architecture: request.architecture,
        product: request.product.clone(),
        family: None,
        baseline: request.baseline,
        status: Status::Install,
        steps: Vec::new(),
        missing: Vec::new(),
        choices: Vec::new(),
        advice: None,
        total_bytes: None,
        missing_bytes: None,
        expected_build: None,
        successor: None,
        warnings: Vec::new(),
        knowledge_date: knowledge.date().to_string(),
    }
}

/// The sets that a request can mean, at least one; else the sentence why there is none.
fn narrow<'s>(
    request: &Request,
    sets: &'s [PackageSet],
    at: &[&Family],
) -> Result<Vec<&'s PackageSet>, String> {
    let kb = request.kb;
    let main: Vec<&PackageSet> = sets.iter().filter(|set| !set.is_dynamic_variant).collect();
    let mut left = main;
    if let Some(architecture) = request.architecture {
        let there = words(left.iter().map(|set| set.architecture.map_or("any", Architecture::as_str)));
        left.retain(|set| set.architecture.is_none_or(|of_set| of_set == architecture));
        if left.is_empty() {
            return Err(format!("{kb} has no package for {architecture}; it has some for {there}"));
        }
    }
    if let Some(product) = &request.product {
        let there = words(left.iter().flat_map(|set| set.products.iter().map(String::as_str)));
        left.retain(|set| set.serves_product(product));
        if left.is_empty() {
            return Err(format!("{kb} is not for {product:?}; it is for {there}"));
        }
    }
    if let Some(build) = request.baseline {
        let there = words(left.iter().flat_map(|set| set.families.iter().map(|family| family.name.as_str())));
        let here = |set: &&PackageSet| {
            let of_machine = |family: &Family| {
                set.families.iter().any(|own| own.id == family.id && own.installation == family.installation)
            };
            // A set of no known family cannot be told to be for another one.
            set.families.is_empty() || at.iter().any(|family| of_machine(family))
        };
        left.retain(here);
        if left.is_empty() {
            let machine = words(at.iter().map(|family| family.name.as_str()));
            return Err(format!(
                "{kb} is for {there}; build {build} is {machine}, which never takes its packages"
            ));
        }
    } else if let Some(installation) = request.installation {
        left.retain(|set| {
            set.families.is_empty() || set.families.iter().any(|family| family.installation == installation)
        });
        if left.is_empty() {
            return Err(format!("{kb} has no package for a {}", installation.as_str()));
        }
    }
    Ok(left)
}

fn words<'a>(items: impl Iterator<Item = &'a str>) -> String {
    let sorted: std::collections::BTreeSet<&str> = items.collect();
    sorted.into_iter().collect::<Vec<_>>().join(", ")
}

fn choice(set: &PackageSet) -> Choice {
    Choice {
        product: set.products.first().cloned().unwrap_or_else(|| set.folder.clone()),
        architecture: set.architecture,
        folder: set.folder.clone(),
    }
}

fn answer_from_set(request: &Request, set: &PackageSet, mut answer: Plan) -> Plan {
    let target = set.build();
    let has_checkpoint = set.members.iter().any(|member| member.role == Role::Checkpoint);
    let cumulative = set.kind.is_some_and(crate::update::Kind::is_windows_cumulative);
    if request.place == Place::Winre && cumulative {
        answer.status = Status::NotApplicable;
        answer.advice = Some(format!(
            "winre.wim does not take {}: it takes the servicing stack inside of it, then the Safe OS dynamic update of that month",
            set.kb
        ));
        return answer;
    }
    // The builds of one family compare by revision: 26200.8117 is at 26100.8117.
    let baseline = request.baseline.filter(|_| request.place != Place::Mirror);
    let past = |build: Build| baseline.map(|at| at.revision >= build.revision);
    let adds_features_to_image = request.features_on_demand && request.place == Place::Image;
    answer.expected_build =
        target.map(|build| Build::new(baseline.map_or(build.number, |at| at.number), build.revision));

    match target {
        Some(build) if past(build) == Some(true) => {
            let is_same = baseline.is_some_and(|at| at.revision == build.revision);
            if !(adds_features_to_image && is_same) {
                answer.status = Status::NothingToDo;
                answer.expected_build = baseline;
                answer.total_bytes = Some(0);
                answer.missing_bytes = Some(0);
                if request.features_on_demand {
                    answer.advice = Some(
                        "apply the later cumulative update again after adding features or languages"
                            .to_owned(),
                    );
                }
                return answer;
            }
            answer.advice =
                Some("applied again for the added features; the build does not change".to_owned());
        }
        None if baseline.is_some() && cumulative => {
            answer.warnings.push(format!(
                "the build that {} brings is not known here, so nobody can tell whether {} has it already",
                set.kb,
                baseline.map(|at| at.to_string()).unwrap_or_default()
            ));
        }
        _ => {}
    }
    if request.features_on_demand && request.place == Place::Online && cumulative {
        let text = "after adding features on demand or languages to a running machine, apply the cumulative update again";
        answer.warnings.push(text.to_owned());
    }
    if request.place == Place::Winpe && has_checkpoint && baseline.is_none() {
        answer.warnings.push(
            "leave the checkpoint out of the folder when boot.wim is at it or past it: DISM fails with 0x80073712 there"
                .to_owned(),
        );
    }

    let mut order = 0;
    for member in &set.members {
        let needed = match (member.role, member.build) {
            (Role::Checkpoint, Some(build)) => adds_features_to_image || past(build) != Some(true),
            _ => true,
        };
        if !needed {
            continue;
        }
        order += 1;
        let order = (member.role != Role::Companion).then_some(order);
        answer.steps.push(step(order, member, set, request, baseline));
    }
    let whole = answer.steps.len() == set.members.len();
    answer.total_bytes = answer.steps.iter().map(|step| step.size).sum::<Option<u64>>();
    if whole && answer.total_bytes.is_none() {
        answer.total_bytes = set.stated_size;
    }
    let absent: Vec<&Step> = answer.steps.iter().filter(|step| !step.present).collect();
    answer.missing_bytes = absent.iter().map(|step| step.size).sum();
    if answer.missing_bytes.is_none() && absent.len() == answer.steps.len() {
        answer.missing_bytes = answer.total_bytes;
    }
    answer
}

fn step(
    order: Option<usize>,
    member: &Member,
    set: &PackageSet,
    request: &Request,
    baseline: Option<Build>,
) -> Step {
    let kb = set.kb;
    let features = request.features_on_demand && request.place == Place::Image;
    let because = match (member.role, member.build, baseline) {
        (Role::Checkpoint, Some(build), Some(_)) if features => {
            format!(
                "features or languages are being added to an image: {kb} needs its checkpoint {build} beside it"
            )
        }
        (Role::Checkpoint, Some(build), Some(at)) => {
            format!("{at} is below the checkpoint {build} that {kb} builds upon")
        }
        (Role::Checkpoint, Some(build), None) => format!("{kb} builds upon the checkpoint {build}"),
        (Role::Checkpoint, None, _) => format!("{kb} builds upon this checkpoint"),
        (Role::Ssu, ..) => format!("the servicing stack comes before {kb}"),
        (Role::DotnetChild, ..) => format!("one of the packages that make up {kb}"),
        (Role::Target, Some(build), Some(at)) => {
            format!("the update asked for: from {at} to {}", Build::new(at.number, build.revision))
        }
        (Role::Target, Some(build), None) => format!("the update asked for: brings build {build}"),
        (Role::Target, None, _) => "the update asked for".to_owned(),
        (Role::Companion, ..) => format!("listed with {kb}; nothing proves whether it comes before or after"),
    };
    let needed_if = match (member.role, member.build) {
        _ if baseline.is_some() || request.place == Place::Mirror => None,
        (Role::Checkpoint, Some(build)) if request.place == Place::Winpe => {
            Some(format!("build below {build}"))
        }
        (Role::Checkpoint, Some(build)) => Some(format!("build below {build}, or features on demand")),
        (Role::Target, Some(build)) => Some(format!("build below {build}")),
        (Role::DotnetChild, _) => Some("the .NET Framework that it is for is installed".to_owned()),
        _ => None,
    };
    Step {
        order,
        role: member.role,
        kb: member.kb(),
        name: member.file.name.clone(),
        sha1: member.file.sha1,
        sha256: member.file.sha256,
        size: member.file.size,
        url: member.file.urls.first().cloned(),
        present: member.file.present,
        because,
        needed_if,
        evidence: member.evidence.iter().map(ToString::to_string).collect(),
        restart_after: false,
    }
}
