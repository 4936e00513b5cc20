//! The selection of Catalog rows for a profile, and the updates that the profile expects but the Catalog does not show.
//! Pure.
//!
//! A row belongs to a profile if its title names the family, its month is in the window, and its kind is requested.
//! Rows with one KB are one candidate. The policy decides by the same rule as `resolve --latest`: previews by title or
//! knowledge, second Tuesdays by the day on which the update first appeared. Withdrawn updates are never selected.
//!
//! The Catalog shows the architectures of one update hours apart, and the updates of some months late. Both cases are
//! reported as [`ExpectedUpdate`]: the run does not fail, but the next run should search again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::config::Profile;
use super::window::Window;
use crate::crawl::ListedUpdate;
use crate::documents::{ExpectedUpdate, SkipReason};
use crate::resolve::{Policy, is_regular};
use crate::servicing::{Knowledge, ReleaseKind};
use crate::update::{Architecture, Kb, Kind, Month};

/// A KB that the Catalog shows for a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The KB.
    pub kb: Kb,
    /// The kind.
    pub kind: Kind,
    /// The month of its title.
    pub month: Month,
    /// The day on which the update first appeared, as far as it is known.
    pub date: Date,
    /// The release type: second Tuesday, out of band, or preview.
    pub release_kind: ReleaseKind,
    /// The architectures that the Catalog shows.
    pub architectures: BTreeSet<Architecture>,
    /// The reason why the KB is not fetched; `None` if it is fetched.
    pub unwanted: Option<SkipReason>,
}

/// The selection of a profile from some rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// All KBs of the family and the kinds, newest first.
    pub candidates: Vec<Candidate>,
    /// The expected updates that the Catalog does not show.
    pub expected: Vec<ExpectedUpdate>,
}

/// Selects from the rows that the searches of a profile returned.
pub fn select(profile: &Profile, window: &Window, rows: &[ListedUpdate], knowledge: &Knowledge) -> Selection {
    let mut by_kb: BTreeMap<Kb, Vec<&ListedUpdate>> = BTreeMap::new();
    for row in rows.iter().filter(|row| matches_profile(profile, window, row, knowledge)) {
        if let Some(kb) = row.class.kb {
            by_kb.entry(kb).or_default().push(row);
        }
    }
    let of_kb = |(kb, rows): (Kb, Vec<&ListedUpdate>)| candidate(kb, &rows, profile, window, knowledge);
    let mut candidates: Vec<Candidate> = by_kb.into_iter().filter_map(of_kb).collect();
    candidates.sort_by_key(|one| std::cmp::Reverse((one.month, one.date, one.kb)));
    let expected = expected(profile, window, &candidates);
    Selection { candidates, expected }
}

/// Returns `true` if a row has the family and a kind of the profile, and a month in the window.
fn matches_profile(profile: &Profile, window: &Window, row: &ListedUpdate, knowledge: &Knowledge) -> bool {
    let class = &row.class;
    let family = class
        .product
        .as_deref()
        .and_then(|product| knowledge.families().of_title(product, class.release.as_deref()));
    let names_it = |product: &str| profile.family.has_product(product, class.release.as_deref());
    let own = match family {
        Some(family) => family.folder == profile.family.folder,
        None => class.product.as_deref().is_some_and(names_it),
    };
    let kind = class.kind.is_some_and(|kind| searches_for(profile, kind));
    own && kind && month_of(row).is_some_and(|month| window.contains(month))
}

/// Returns `true` if the searches of a profile show updates of a kind. Previews appear with the kind that they precede.
pub(super) fn searches_for(profile: &Profile, kind: Kind) -> bool {
    let shown_with = match kind {
        Kind::LcuPreview => Kind::Lcu,
        Kind::DotnetPreview => Kind::DotnetCu,
        kind => kind,
    };
    profile.kinds.contains(&shown_with)
}

fn month_of(row: &ListedUpdate) -> Option<Month> {
    row.class.month.or_else(|| Month::of(row.last_updated))
}

fn candidate(
    kb: Kb,
    rows: &[&ListedUpdate],
    profile: &Profile,
    window: &Window,
    knowledge: &Knowledge,
) -> Option<Candidate> {
    let kind = rows.iter().find_map(|row| row.class.kind)?;
    let month = rows.iter().filter_map(|row| month_of(row)).max()?;
    let architectures = rows.iter().filter_map(|row| row.class.implied_architecture()).collect();
    let releases = knowledge.releases().of_kb_for(kb, &profile.family);
    let release = releases.last();
    // The date of an entry may be later than its release, but never earlier.
    let of_rows = rows.iter().map(|row| row.last_updated).min()?;
    let date = release.and_then(|release| release.date.or(release.first_seen)).unwrap_or(of_rows);
    let is_preview = matches!(kind, Kind::LcuPreview | Kind::DotnetPreview);
    let release_kind = match release.and_then(|release| release.kind) {
        _ if is_preview => ReleaseKind::Preview,
        Some(proven @ (ReleaseKind::Preview | ReleaseKind::OutOfBand)) => proven,
        _ if is_regular(date) => ReleaseKind::Regular,
        _ => ReleaseKind::OutOfBand,
    };
    let allowed = match profile.policy {
        Policy::Security => release_kind == ReleaseKind::Regular,
        Policy::Oob => release_kind != ReleaseKind::Preview,
        Policy::Preview => true,
    };
    let mut one = Candidate { kb, kind, month, date, release_kind, architectures, unwanted: None };
    one.unwanted = if date > window.today {
        Some(SkipReason::Later)
    } else if knowledge.withdrawn().of_kb(kb).is_some() {
        Some(SkipReason::Withdrawn)
    } else if !allowed {
        Some(SkipReason::Policy)
    } else if !one.architectures.is_empty() && one.architectures_for(profile).is_empty() {
        Some(SkipReason::Architecture)
    } else {
        None
    };
    Some(one)
}

impl Candidate {
    /// Returns the architectures of the profile that the Catalog shows.
    pub fn architectures_for(&self, profile: &Profile) -> Vec<Architecture> {
        let there = |own: &&Architecture| self.architectures.contains(own);
        profile.architectures.iter().filter(there).copied().collect()
    }
}

fn expected(profile: &Profile, window: &Window, candidates: &[Candidate]) -> Vec<ExpectedUpdate> {
    let mut expected = Vec::new();
    let is_due = |one: &&Candidate| {
        matches!(one.unwanted, None | Some(SkipReason::Architecture)) && !one.architectures.is_empty()
    };
    for one in candidates.iter().filter(is_due) {
        for &architecture in profile.architectures.iter().filter(|own| !one.architectures.contains(own)) {
            let there: Vec<&str> = one.architectures.iter().map(|other| other.as_str()).collect();
            expected.push(ExpectedUpdate {
                profile: profile.name.clone(),
                kb: Some(one.kb),
                architecture: Some(architecture),
                month: Some(one.month),
                message: format!(
                    "{} is available for {} since {}, but not yet for {architecture}: some architectures appear hours later",
                    one.kb,
                    there.join(" and "),
                    one.date
                ),
            });
        }
    }
    let of_month = |month: Option<Month>, message: String| ExpectedUpdate {
        profile: profile.name.clone(),
        kb: None,
        architecture: None,
        month,
        message,
    };
    let name = &profile.family.name;
    if candidates.is_empty() {
        let message = format!(
            "the Catalog shows nothing for {name} from {} to {}: check if the product is still updated",
            window.first, window.last
        );
        expected.push(of_month(None, message));
    } else if let Some(tuesday) = window.patch_tuesday_over()
        && candidates.iter().any(is_monthly)
        && !candidates.iter().any(|one| is_monthly(one) && one.month == window.last)
    {
        let message = format!(
            "the Catalog does not show the cumulative update of {} for {name} yet; the second Tuesday was {tuesday}",
            window.last
        );
        expected.push(of_month(Some(window.last), message));
    }
    expected
}

/// Returns `true` for an update that appears on every second Tuesday.
fn is_monthly(one: &Candidate) -> bool {
    matches!(one.kind, Kind::Lcu | Kind::MonthlyRollup) && one.release_kind == ReleaseKind::Regular
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::Config;
    use crate::update::classify;

    fn listed(date: &str, title: &str) -> ListedUpdate {
        ListedUpdate { class: classify(title, "", None), last_updated: date.parse().unwrap() }
    }

    fn lcu(date: &str, kb: u32, words: &str, arch: &str) -> ListedUpdate {
        let month = &date[..7];
        listed(
            date,
            &format!("{month} {words} for Windows 11, version 24H2 for {arch}-based Systems (KB{kb})"),
        )
    }

    /// Returns the selection of a 24H2 profile with additional keys.
    fn selected(keys: &str, today: &str, rows: &[ListedUpdate]) -> Selection {
        let text = format!("format = 1\n[[profile]]\nname = 'p'\nfamily = 'windows-11-24h2'\n{keys}\n");
        let knowledge = Knowledge::built_in().unwrap();
        let config = Config::parse(&text, "kbmirror.toml".into()).unwrap();
        let profile = config.profiles(&knowledge).unwrap().remove(0);
        let window = Window::back(today.parse().unwrap(), profile.months).unwrap();
        select(&profile, &window, rows, &knowledge)
    }

    fn wanted(selection: &Selection) -> Vec<String> {
        let wanted = selection.candidates.iter().filter(|one| one.unwanted.is_none());
        wanted.map(|one| one.kb.to_string()).collect()
    }

    const CU: &str = "Cumulative Update";

    /// Returns updates of a future year that no table contains: regular, out of band, preview.
    fn spring() -> Vec<ListedUpdate> {
        vec![
            lcu("2027-03-09", 5_990_001, CU, "x64"),
            lcu("2027-03-09", 5_990_001, CU, "arm64"),
            lcu("2027-03-20", 5_990_002, CU, "x64"),
            lcu("2027-03-20", 5_990_002, CU, "arm64"),
            lcu("2027-03-25", 5_990_003, "Cumulative Update Preview", "x64"),
            lcu("2027-03-25", 5_990_003, "Cumulative Update Preview", "arm64"),
            listed(
                "2027-03-09",
                "2027-03 Cumulative Update for Windows 11, version 23H2 for x64-based Systems (KB5990004)",
            ),
            listed(
                "2027-03-09",
                "2027-03 Cumulative Update for .NET Framework 3.5 and 4.8.1 for Windows 11, version 24H2 for x64 (KB5990005)",
            ),
            lcu("2026-11-10", 5_980_001, CU, "x64"),
        ]
    }

    #[test]
    fn policy_decides_and_newest_come_first() {
        for (policy, kbs) in [
            ("security", &["KB5990001"][..]),
            ("oob", &["KB5990002", "KB5990001"]),
            ("preview", &["KB5990003", "KB5990002", "KB5990001"]),
        ] {
            let selection = selected(&format!("policy = '{policy}'"), "2027-03-31", &spring());
            assert_eq!(wanted(&selection), kbs, "{policy}");
            assert_eq!(selection.expected, []);
        }
        let dotnet = selected("kinds = ['dotnet_cu']\narchitectures = ['x64']", "2027-03-31", &spring());
        assert_eq!(wanted(&dotnet), ["KB5990005"]);
        // On an earlier day, later updates do not exist yet.
        let earlier = selected("", "2027-03-10", &spring());
        assert_eq!(wanted(&earlier), ["KB5990001"]);
        assert_eq!(earlier.candidates[0].unwanted, Some(SkipReason::Later));
        // A longer window contains the older month.
        assert_eq!(wanted(&selected("months = 4", "2027-03-31", &spring())).last().unwrap(), "KB5980001");
    }

    #[test]
    fn withdrawn_update_is_not_selected() {
        let rows = [lcu("2026-03-26", 5_079_391, "Cumulative Update Preview", "x64")];
        let selection = selected("policy = 'preview'\narchitectures = ['x64']", "2026-03-31", &rows);
        assert_eq!(selection.candidates[0].unwanted, Some(SkipReason::Withdrawn));
        assert_eq!(wanted(&selection), Vec::<String>::new());
    }

    #[test]
    fn arm64_that_appears_hours_later_is_expected() {
        let rows = [lcu("2027-03-09", 5_990_001, CU, "x64")];
        let both = selected("", "2027-03-10", &rows);
        assert_eq!(wanted(&both), ["KB5990001"]);
        assert_eq!(both.expected.len(), 1);
        assert_eq!(both.expected[0].architecture, Some(Architecture::Arm64));
        assert!(both.expected[0].message.contains("KB5990001 is available for x64"), "{both:?}");
        let arm64 = selected("architectures = ['arm64']", "2027-03-10", &rows);
        assert_eq!((wanted(&arm64).len(), arm64.expected.len()), (0, 1));
        let x64 = selected("architectures = ['x64']", "2027-03-10", &rows);
        assert_eq!((wanted(&x64).len(), x64.expected.len()), (1, 0));
        // A preview that the policy excludes is not expected.
        let preview = [lcu("2027-03-25", 5_990_003, "Cumulative Update Preview", "x64")];
        assert!(selected("", "2027-03-26", &preview).expected.is_empty());
    }

    #[test]
    fn missing_monthly_update_is_reported_after_patch_tuesday() {
        let rows = [lcu("2027-03-09", 5_990_001, CU, "x64"), lcu("2027-03-09", 5_990_001, CU, "arm64")];
        assert_eq!(selected("", "2027-04-13", &rows).expected, [], "Tuesday itself");
        let late = selected("", "2027-04-14", &rows);
        assert_eq!(late.expected.len(), 1);
        assert_eq!(late.expected[0].month.unwrap().to_string(), "2027-04");
        let nothing = selected("", "2027-04-14", &[]);
        assert!(nothing.expected[0].message.contains("still updated"), "{nothing:?}");
    }
}
