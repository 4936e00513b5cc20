//! The names of members. Nothing is unpacked to a disk here, but a name that leads out of its folder is a sign of an
//! attack on the programs that unpack.

/// Returns `true` if a name stays in its folder on every system: it is relative, without `..`, a drive, or control
/// characters. Both separators count, and subfolders are allowed.
pub(super) fn is_safe(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(|letter: char| letter == ':' || letter.is_control())
        && name.split(['/', '\\']).all(|part| !part.is_empty() && part != "." && part != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_their_folder_are_unsafe() {
        for name in ["update.mum", "amd64_a\\b.dll", "a/b", "..a", "a..b", "ü.txt", "a b"] {
            assert!(is_safe(name), "{name}");
        }
        for name in
            ["", "..", "../a", "a\\..\\b", "/a", "\\a", "\\\\host\\a", "C:\\a", "C:a", "a/", "./a", "a\nb"]
        {
            assert!(!is_safe(name), "{name}");
        }
    }
}
