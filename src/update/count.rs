//! A number with its noun, singular or plural. Nothing else in the crate forms plurals.

/// Returns `1 file`, `2 files`, or `0 files`. The noun is regular or ends in a consonant and `y`.
pub fn count(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{number} {}", plural(number, noun))
}

/// Returns only the noun, in the form for this number.
pub fn plural(number: impl TryInto<u64>, noun: &str) -> String {
    if number.try_into().is_ok_and(|number| number == 1) {
        return noun.to_owned();
    }
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        assert_eq!(count(1_usize, "script"), "1 script");
        assert_eq!(count(0_usize, "script"), "0 scripts");
        assert_eq!(count(2_u64, "package set"), "2 package sets");
        assert_eq!(count(2_u64, "entry"), "2 entries");
        assert_eq!(plural(2_u64, "day"), "days");
    }
}
