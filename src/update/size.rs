//! Sizes in the spellings of the Catalog and of people.

use super::ParseError;

/// Reads the size text of the Catalog, "4933.5 MB" or "160 KB". One KB has 1024 bytes in the Catalog. The text has only
/// one decimal, so it can check the exact number beside it, but cannot replace that number.
pub fn parse_size_text(text: &str) -> Result<u64, ParseError> {
    let error = || ParseError::new("a size such as 349.7 MB", text);
    let (number, unit) = text.trim().rsplit_once(' ').ok_or_else(error)?;
    let unit = match unit.to_ascii_lowercase().as_str() {
        "kb" => 1024,
        "mb" => 1024 * 1024,
        "gb" => 1024 * 1024 * 1024,
        "bytes" | "b" => 1,
        _ => return Err(error()),
    };
    let (whole, tenths) = number.split_once('.').unwrap_or((number, "0"));
    let whole: u64 = whole.parse().map_err(|_| error())?;
    let tenths: u64 = match tenths.len() {
        1 => tenths.parse().map_err(|_| error())?,
        _ => return Err(error()),
    };
    whole.checked_mul(unit).and_then(|bytes| bytes.checked_add(tenths * unit / 10)).ok_or_else(error)
}

/// Returns a size for people: "4.3 GB". Units are powers of 1024, as in Windows and in the Catalog.
pub fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut unit = 0;
    let mut divisor = 1024_u64;
    while bytes / divisor >= 1024 && unit + 1 < UNITS.len() {
        unit += 1;
        divisor *= 1024;
    }
    let tenths = (u128::from(bytes) * 10 + u128::from(divisor) / 2) / u128::from(divisor);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalog_sizes_are_powers_of_1024() {
        assert_eq!(parse_size_text("160 KB"), Ok(163_840));
        assert_eq!(parse_size_text("4933.5 MB"), Ok(5_173_149_696));
        assert_eq!(parse_size_text(" 349.7 MB\r\n"), Ok(366_687_027));
        for text in
            ["", "n/a", "MB", "1,5 MB", "1.55 MB", "99999999999999999999 MB", "18446744073709551615 GB"]
        {
            assert!(parse_size_text(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn human_sizes_have_one_decimal() {
        assert_eq!(human_size(0), "0 B");
        assert_eq!(human_size(1023), "1023 B");
        assert_eq!(human_size(5_173_184_334), "4.8 GB");
        assert_eq!(human_size(u64::MAX), "16777216.0 TB");
    }
}
