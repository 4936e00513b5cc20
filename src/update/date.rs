//! Dates and months in the spelling of the Catalog, independent of the locale.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use super::{ParseError, serde_as_text};

/// Reads a date of the Catalog, `M/D/YYYY` without padding, independent of the locale of this machine.
pub fn parse_catalog_date(text: &str) -> Result<Date, ParseError> {
    let error = || ParseError::new("a date such as 9/29/2026", text);
    let mut parts = text.trim().split('/');
    let (Some(month), Some(day), Some(year), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(error());
    };
    if year.len() != 4 {
        return Err(error());
    }
    let date = Date::new(
        year.parse().map_err(|_| error())?,
        month.parse().map_err(|_| error())?,
        day.parse().map_err(|_| error())?,
    );
    date.map_err(|_| error())
}

/// The month at the beginning of a title: `2026-09`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// Returns a month of a year, or `None` if the month or the year is out of range.
    pub fn new(year: i16, month: i8) -> Option<Self> {
        ((2000..2100).contains(&year) && (1..=12).contains(&month)).then_some(Self { year, month })
    }

    /// Returns the month of a date, or `None` if the year is out of range.
    pub fn of(date: Date) -> Option<Self> {
        Self::new(date.year(), date.month())
    }

    /// Returns the previous month, or `None` if the year is out of range.
    pub fn previous(self) -> Option<Self> {
        Self::of(self.first_day().yesterday().ok()?)
    }

    /// Returns the first day.
    pub fn first_day(self) -> Date {
        jiff::civil::date(self.year, self.month, 1)
    }

    /// Returns the last day.
    pub fn last_day(self) -> Date {
        self.first_day().last_of_month()
    }
}

impl FromStr for Month {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new("a month such as 2026-09", text);
        let (year, month) = text.split_once('-').ok_or_else(error)?;
        if year.len() != 4 || month.len() != 2 {
            return Err(error());
        }
        let (year, month) = (year.parse().map_err(|_| error())?, month.parse().map_err(|_| error())?);
        Self::new(year, month).ok_or_else(error)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.year, self.month)
    }
}

serde_as_text!(Month, "Month", "A month, such as 2026-09", "^[0-9]{4}-[0-9]{2}$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalog_dates_are_month_first() {
        assert_eq!(parse_catalog_date("9/29/2026").unwrap().to_string(), "2026-09-29");
        assert_eq!(parse_catalog_date(" 12/1/2019 ").unwrap().to_string(), "2019-12-01");
        for text in ["", "29/9/2026", "2026-09-29", "9/29/26", "9/29/2026/1", "n/a"] {
            assert!(parse_catalog_date(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn months_have_four_and_two_digits() {
        assert_eq!("2026-09".parse::<Month>().unwrap().to_string(), "2026-09");
        assert_eq!("2026-01".parse::<Month>().unwrap().previous(), Month::new(2025, 12));
        assert_eq!(Month::new(2000, 1).unwrap().previous(), None);
        for text in ["2026-13", "2026-00", "26-09", "2026-9", "1999-12", ""] {
            assert!(text.parse::<Month>().is_err(), "{text:?}");
        }
    }
}
