//! Durations and sizes in the spellings of people, for the command line and `kbmirror.toml`. Pure.

use std::time::Duration;

/// Reads `90s`, `10m`, `2h`, `8d`, and bare seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a duration such as 90s, 10m, 2h, or 8d");
    let (number, unit) = split(text);
    let seconds = match unit {
        "s" | "" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

/// The maximum age: ten years, the support period of Windows. A larger number is a typing error.
const LONGEST_AGE_DAYS: u64 = 3660;

/// Reads an age such as `36h` or `8d`. The unit is required, because an operator may mean `30` as days, not as seconds.
pub fn parse_age(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not an age such as 36h or 8d");
    if split(text).1.is_empty() {
        return Err(format!("{}: a unit is required (s, m, h, or d)", wrong()));
    }
    let age = parse_duration(text).map_err(|_| wrong())?;
    if age.is_zero() || age.as_secs() > LONGEST_AGE_DAYS * 86_400 {
        return Err(format!("{}: the range is 1s to {LONGEST_AGE_DAYS}d", wrong()));
    }
    Ok(age)
}

/// Reads the validity of a medium: an age, or `never`.
pub fn parse_expiry(text: &str) -> Result<Option<Duration>, String> {
    if text == "never" { Ok(None) } else { parse_age(text).map(Some) }
}

/// Reads the time after which a stalled transfer is aborted; the minimum is one second.
pub fn parse_stall(text: &str) -> Result<Duration, String> {
    let time = parse_duration(text)?;
    if time.is_zero() { Err("the minimum is 1s".to_owned()) } else { Ok(time) }
}

/// Reads the number of parallel transfers.
pub fn parse_parallel(text: &str) -> Result<u8, String> {
    /// The maximum. More connections burden the server and bring no speed.
    const MOST: u8 = 32;
    let wrong = || format!("{text:?} is not a number of files from 1 to {MOST}");
    text.parse().ok().filter(|files| (1..=MOST).contains(files)).ok_or_else(wrong)
}

/// Reads `500M`, `20GB`, and bare bytes. Units are powers of 1024, as everywhere in the output.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is not a size such as 500M, 20G, or a number of bytes");
    let (number, unit) = split(text);
    let unit = unit.trim_start().to_ascii_uppercase();
    let shift = match unit.strip_suffix('B').unwrap_or(&unit) {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

fn split(text: &str) -> (&str, &str) {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_an_optional_unit() {
        assert_eq!(parse_duration("0"), Ok(Duration::ZERO));
        assert_eq!(parse_duration("10m"), Ok(Duration::from_mins(10)));
        assert_eq!(parse_duration("8d"), Ok(Duration::from_hours(192)));
        for text in ["", "m", "-1", "1.5h", "10 m", "10w"] {
            assert!(parse_duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn ages_need_a_unit_and_are_limited() {
        assert_eq!(parse_age("36h"), Ok(Duration::from_hours(36)));
        assert_eq!(parse_age("1s"), Ok(Duration::from_secs(1)));
        assert_eq!(parse_age("3660d"), Ok(Duration::from_hours(3660 * 24)));
        assert!(parse_age("30").unwrap_err().contains("unit"));
        for text in [
            "",
            "0",
            "8",
            "0d",
            "0s",
            "d",
            "-8d",
            "+8d",
            "8 d",
            "8D",
            "8d ",
            "1.5d",
            "8w",
            "3661d",
            "99999999999999999999d",
            "18446744073709551615d",
            "8dd",
        ] {
            assert!(parse_age(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn sizes_and_counts_are_checked() {
        assert_eq!(parse_bytes("61498"), Ok(61_498));
        assert_eq!(parse_bytes("20G"), Ok(20 << 30));
        assert_eq!(parse_bytes("20 gb"), Ok(20 << 30));
        assert_eq!(parse_bytes("0"), Ok(0));
        for text in ["", "G", "-1", "1.5G", "10 miles", "99999999999999T"] {
            assert!(parse_bytes(text).is_err(), "{text:?}");
        }
        assert_eq!((parse_parallel("1"), parse_parallel("32")), (Ok(1), Ok(32)));
        assert!(["0", "33", "", "-1", "300"].iter().all(|text| parse_parallel(text).is_err()));
        assert!(parse_stall("0").is_err() && parse_stall("1s").is_ok());
    }
}
