//! The generations of a KB whose files Microsoft replaced under the same number, and the folder names of sets that
//! would share one.
//!
//! Two sets are generations of one another if KB, kind, families, versions, architecture, and parts agree and their
//! own files differ. The first of these that differs orders them:
//!
//! 1. the version tag in the file names (`-v3-`)
//! 2. the build in their own titles
//! 3. the month of the folder on the content delivery network
//! 4. the dates of the entries, between entries of the same titles only
//!
//! Sets that nothing orders are different sets, and a request must choose between them. The result depends on the
//! facts alone, never on the order in which they were learned.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::issue::Generation;
use super::member::Member;
use super::package_set::PackageSet;
use crate::facts::SetFolder;
use crate::update::{Architecture, Kb, Kind, Month, PackageName};

/// The properties that two generations share.
type GenerationKey<'s> = (
    Option<Kind>,
    Vec<&'s str>,
    &'s [String],
    Option<Architecture>,
    bool,
    BTreeSet<(Option<Kb>, Option<String>)>,
);

/// Numbers the generations among the sets of a KB, and gives each set a folder of its own.
pub(super) fn order_generations(sets: &mut [PackageSet]) {
    let mut groups: BTreeMap<GenerationKey<'_>, Vec<usize>> = BTreeMap::new();
    for (place, set) in sets.iter().enumerate() {
        groups.entry(key_of(set)).or_default().push(place);
    }
    let ordered: Vec<Vec<usize>> = groups.into_values().filter_map(|group| in_order(group, sets)).collect();
    for group in ordered {
        let of = group.len();
        for (number, place) in (1..).zip(group) {
            sets[place].generation = Some(Generation { number, of });
        }
    }
    make_folders_distinct(sets);
}

fn key_of(set: &PackageSet) -> GenerationKey<'_> {
    let parts = own_files(set).map(|member| {
        let name = PackageName::parse(&member.file.name);
        (member.kb(), name.dotnet)
    });
    (
        set.kind,
        set.families.iter().map(|family| family.name.as_str()).collect(),
        &set.products,
        set.architecture,
        set.is_dynamic_variant,
        parts.collect(),
    )
}

/// Returns the members that are the update itself.
fn own_files(set: &PackageSet) -> impl Iterator<Item = &Member> {
    set.members.iter().filter(|member| member.role.is_update())
}

/// Returns the places of some sets in the order of their issue, or `None` if they are not generations.
fn in_order(mut group: Vec<usize>, sets: &[PackageSet]) -> Option<Vec<usize>> {
    if group.len() < 2 {
        return None;
    }
    for (place, &a) in group.iter().enumerate() {
        for &b in &group[place + 1..] {
            let files = |set: usize| {
                own_files(&sets[set]).map(|member| member.file.identity()).collect::<BTreeSet<_>>()
            };
            if !files(a).is_disjoint(&files(b)) || issue_order(&sets[a], &sets[b]).is_none() {
                return None;
            }
        }
    }
    // Each proof is an order of its own. A group that mixes them may be a circle, which has no order.
    let newer_than = |&a: &usize| {
        let is_newer = |b: &&usize| issue_order(&sets[a], &sets[**b]) == Some(Ordering::Greater);
        group.iter().filter(|b| **b != a).filter(is_newer).count()
    };
    let wins: BTreeMap<usize, usize> = group.iter().map(|place| (*place, newer_than(place))).collect();
    if wins.values().collect::<BTreeSet<_>>().len() != group.len() {
        return None;
    }
    group.sort_by_key(|place| wins.get(place).copied());
    Some(group)
}

/// Returns the order of two sets by the first proof that differs, or `None` if no proof does.
fn issue_order(a: &PackageSet, b: &PackageSet) -> Option<Ordering> {
    let differing = |order: Ordering| Some(order).filter(|order| order.is_ne());
    let both = |a: Option<Month>, b: Option<Month>| a.zip(b).and_then(|(a, b)| differing(a.cmp(&b)));
    differing(version_of(a).cmp(&version_of(b)))
        .or_else(|| revision_of(a).zip(revision_of(b)).and_then(|(a, b)| differing(a.cmp(&b))))
        .or_else(|| both(month_in_urls(a), month_in_urls(b)))
        .or_else(|| {
            let dates = a.issue.last_updated.zip(b.issue.last_updated);
            dates.filter(|_| a.issue.titles == b.issue.titles).and_then(|(a, b)| differing(a.cmp(&b)))
        })
}

/// Returns the highest version tag in the names of a set's own files. A name without a tag is of the first version.
fn version_of(set: &PackageSet) -> u32 {
    let tag = |member: &Member| PackageName::parse(&member.file.name).revision.unwrap_or(1);
    own_files(set).map(tag).max().unwrap_or(1)
}

/// Returns the highest revision in the titles of a set's own entries. The versions of a family share revisions.
fn revision_of(set: &PackageSet) -> Option<u32> {
    set.issue.builds.iter().map(|build| build.revision).max()
}

/// Returns the month of the folder in the URLs of a set's own files: `…/secu/2019/09/…`.
fn month_in_urls(set: &PackageSet) -> Option<Month> {
    let urls = own_files(set).flat_map(|member| &member.file.urls);
    urls.filter_map(|url| month_in_url(url)).max()
}

fn month_in_url(url: &str) -> Option<Month> {
    let parts: Vec<&str> = url.split('/').collect();
    let is_number =
        |text: &str, length: usize| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    let pair = parts.windows(2).find(|pair| is_number(pair[0], 4) && is_number(pair[1], 2))?;
    Month::of(format!("{}-{}-01", pair[0], pair[1]).parse().ok()?)
}

/// Gives sets with the same folder names of their own. The newest generation keeps the plain name. Others get the
/// month of their issue, and a number from the second set of a month on. A set whose month is unknown gets the first
/// digits of its fingerprint.
fn make_folders_distinct(sets: &mut [PackageSet]) {
    let mut of_folder: BTreeMap<SetFolder, Vec<usize>> = BTreeMap::new();
    for (place, set) in sets.iter().enumerate() {
        of_folder.entry(set.folder.clone()).or_default().push(place);
    }
    for (folder, mut places) in of_folder.into_iter().filter(|(_, places)| places.len() > 1) {
        let newest: Vec<usize> =
            places.iter().copied().filter(|&place| is_newest_issue(&sets[place])).collect();
        let first_issues = places.iter().filter(|&&place| sets[place].generation.is_none()).count();
        if let ([newest], 0) = (newest.as_slice(), first_issues) {
            places.retain(|place| place != newest);
        }
        places.sort_by_key(|&place| (sets[place].issue.last_updated, sets[place].fingerprint()));
        let mut count: BTreeMap<Month, usize> = BTreeMap::new();
        for place in places {
            let set = &sets[place];
            let suffix = match month_in_urls(set).or(set.month).or(set.issue.last_updated.and_then(Month::of))
            {
                Some(month) => {
                    let nth = count.entry(month).or_default();
                    *nth += 1;
                    if *nth == 1 { month.to_string() } else { format!("{month}-{nth}") }
                }
                None => set.fingerprint().to_string().chars().take(8).collect(),
            };
            sets[place].folder = SetFolder::from_words(&format!("{folder}-{suffix}"));
        }
    }
}

fn is_newest_issue(set: &PackageSet) -> bool {
    set.generation.is_some_and(Generation::is_newest)
}
