//! Patch Tuesdays: the second Tuesday of each month, on which Microsoft releases cumulative updates.

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

/// The number of days from a second Tuesday until its release counts as due.
///
/// Observed releases first appeared 0 to 2 days after their Tuesday. Lists and time zones cause delays, and the Catalog
/// shows the architectures of one update hours apart. On the third day, a missing release is a finding.
pub const PATCH_TUESDAY_GRACE_DAYS: i64 = 3;

/// Returns the second Tuesday in the month of a day, or `None` if the calendar has no such date.
pub fn second_tuesday(day: Date) -> Option<Date> {
    day.nth_weekday_of_month(2, Weekday::Tuesday).ok()
}

/// Returns the first day on which the release of a second Tuesday counts as due.
pub fn due_day(tuesday: Date) -> Date {
    tuesday.saturating_add(PATCH_TUESDAY_GRACE_DAYS.days())
}

/// Returns the second Tuesdays after `day` whose releases are due on `today`, earliest first.
pub fn patch_tuesdays_since(day: Date, today: Date) -> Vec<Date> {
    let mut found = Vec::new();
    let mut month = day.first_of_month();
    while month <= today {
        let due = second_tuesday(month).filter(|tuesday| *tuesday > day && due_day(*tuesday) <= today);
        found.extend(due);
        match month.checked_add(1.month()) {
            Ok(next) => month = next,
            Err(_) => break,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn releases_are_due_on_the_third_day() {
        for (day, today, count) in [
            ("2026-09-29", "2026-10-10", 0),
            ("2026-09-29", "2026-10-15", 0),
            ("2026-09-29", "2026-10-16", 1),
            ("2026-09-29", "2026-11-12", 1),
            ("2026-09-29", "2026-11-13", 2),
            ("2026-09-29", "2026-11-30", 2),
            ("2026-09-29", "2027-06-01", 8),
            // The release on `day` itself is known.
            ("2026-10-13", "2026-10-16", 0),
            ("2026-10-12", "2026-10-16", 1),
            ("2026-12-31", "2027-01-15", 1),
            ("2027-06-01", "2026-11-30", 0),
            ("2026-11-30", "2026-11-30", 0),
        ] {
            let found = patch_tuesdays_since(day.parse().unwrap(), today.parse().unwrap());
            assert_eq!(found.len(), count, "{day} {today} {found:?}");
        }
    }

    proptest! {
        #[test]
        fn counting_days_gives_the_same_tuesdays(first in 0_i64..8000, length in 0_i64..400) {
            let start: Date = "2015-01-01".parse().unwrap();
            let day = start.saturating_add(first.days());
            let today = day.saturating_add(length.days());
            let by_day = (1..=length).map(|step| day.saturating_add(step.days())).filter(|tuesday| {
                tuesday.weekday() == Weekday::Tuesday && (8..=14).contains(&tuesday.day())
            });
            let due = by_day.filter(|tuesday| tuesday.saturating_add(PATCH_TUESDAY_GRACE_DAYS.days()) <= today);
            prop_assert_eq!(patch_tuesdays_since(day, today), due.collect::<Vec<_>>());
        }
    }

    #[test]
    fn ends_of_the_calendar_cause_no_panic() {
        assert!(patch_tuesdays_since(Date::MAX, Date::MAX).is_empty());
        assert!(
            !patch_tuesdays_since("1990-01-01".parse().unwrap(), "2030-01-01".parse().unwrap()).is_empty()
        );
    }
}
