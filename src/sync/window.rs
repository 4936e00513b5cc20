//! The months of a profile, and the queries that find their updates in the Catalog. Pure: today is an argument.
//!
//! A query contains a month, a kind, and one version of Windows, but no architecture. Its result then has about ten
//! rows, far below the Catalog's limit of 1000. It also shows an update that exists only for another architecture so
//! far.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};

use super::config::Profile;
use crate::update::{Kind, Month};

/// The months from the oldest one of the profile to the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The current day, or the day that the run uses as today.
    pub today: Date,
    /// The oldest month.
    pub first: Month,
    /// The newest month.
    pub last: Month,
}

impl Window {
    /// Returns the current month and a number of months before it, or `None` for a day outside of this century.
    pub fn back(today: Date, months: u8) -> Option<Self> {
        let last = Month::of(today)?;
        let first = (0..months).try_fold(last, |month, _| month.previous())?;
        Some(Self { today, first, last })
    }

    /// Returns `true` if a month is in the window.
    pub fn contains(&self, month: Month) -> bool {
        (self.first..=self.last).contains(&month)
    }

    /// Returns the months, newest first.
    pub fn months(&self) -> Vec<Month> {
        let all = std::iter::successors(Some(self.last), |month| month.previous());
        all.take_while(|&month| month >= self.first).collect()
    }

    /// Returns the second Tuesday of the current month, or `None` until it is over.
    pub fn patch_tuesday_over(&self) -> Option<Date> {
        let tuesday = self.today.nth_weekday_of_month(2, Weekday::Tuesday).ok()?;
        (self.today > tuesday).then_some(tuesday)
    }
}

/// Returns the Catalog queries of a profile, newest month first.
pub fn queries(profile: &Profile, window: &Window) -> Vec<String> {
    let mut all = Vec::new();
    for month in window.months() {
        let mut of_month: Vec<String> = Vec::new();
        for product in profile.family.all_search_words() {
            for words in profile.kinds.iter().map(|&kind| words_of(kind)) {
                let query = format!("{month} {words} {product}");
                if !of_month.contains(&query) {
                    of_month.push(query);
                }
            }
        }
        // The Catalog matches all words, so a query with all words of another one finds nothing more.
        let words = |query: &str| -> BTreeSet<String> {
            query.split_whitespace().map(str::to_ascii_lowercase).collect()
        };
        let needed = |query: &&String| {
            !of_month.iter().any(|other| {
                let (own, other) = (words(query), words(other));
                other.is_subset(&own) && other != own
            })
        };
        all.extend(of_month.iter().filter(needed).cloned());
    }
    all
}

/// Returns the words in titles of a kind.
fn words_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Ssu => "Servicing Stack Update",
        Kind::SafeosDu | Kind::SetupDu => "Dynamic Update",
        Kind::DynamicCu => "Dynamic Cumulative Update",
        Kind::MonthlyRollup => "Monthly Quality Rollup",
        Kind::SecurityOnly => "Security Only Quality Update",
        _ => "Cumulative Update",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Query;
    use crate::servicing::Knowledge;
    use crate::sync::Config;
    use crate::sync::config::KINDS;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn profile(family: &str) -> Profile {
        let text = format!("format = 1\n[[profile]]\nname = 'a'\nfamily = '{family}'\n");
        let config = Config::parse(&text, "kbmirror.toml".into()).unwrap();
        config.profiles(&Knowledge::built_in().unwrap()).unwrap().remove(0)
    }

    #[test]
    fn window_crosses_the_turn_of_the_year() {
        let window = Window::back(date("2026-01-03"), 2).unwrap();
        let months: Vec<String> = window.months().iter().map(ToString::to_string).collect();
        assert_eq!(months, ["2026-01", "2025-12", "2025-11"]);
        assert!(window.contains("2025-11".parse().unwrap()) && !window.contains("2025-10".parse().unwrap()));
        assert!(!window.contains("2026-02".parse().unwrap()));
        assert_eq!(Window::back(date("2026-03-31"), 0).unwrap().months().len(), 1);
        assert_eq!(Window::back(date("2000-01-01"), 1), None);
    }

    #[test]
    fn patch_tuesday_is_over_on_the_next_day() {
        for (today, over) in [("2026-11-09", None), ("2026-11-10", None), ("2026-11-11", Some("2026-11-10"))]
        {
            let window = Window::back(date(today), 0).unwrap();
            assert_eq!(window.patch_tuesday_over(), over.map(date), "{today}");
        }
    }

    #[test]
    fn one_query_per_month_and_version() {
        let window = Window::back(date("2026-03-31"), 1).unwrap();
        assert_eq!(
            queries(&profile("windows-11-24h2"), &window),
            [
                "2026-03 Cumulative Update Windows 11 24H2",
                "2026-03 Cumulative Update Windows 11 25H2",
                "2026-03 Cumulative Update Windows 11 26H2",
                "2026-02 Cumulative Update Windows 11 24H2",
                "2026-02 Cumulative Update Windows 11 25H2",
                "2026-02 Cumulative Update Windows 11 26H2",
            ]
        );
        // "Windows 11" alone finds 21H2, too.
        let first: Vec<String> = queries(&profile("windows-11-21h2"), &window);
        assert_eq!(first.len(), 2);
        assert_eq!(first[0], "2026-03 Cumulative Update Windows 11");
    }

    #[test]
    fn no_query_exceeds_the_catalog_limit() {
        let window = Window::back(date("2026-03-31"), 0).unwrap();
        for family in Knowledge::built_in().unwrap().families() {
            let profile = Profile { kinds: KINDS.to_vec(), ..profile(&family.folder) };
            for query in queries(&profile, &window) {
                assert!(Query::new(&query).is_ok(), "{query}");
            }
        }
    }
}
