//! The form of names of folders: lower-case words with hyphens between them.

/// Returns text as lower-case words with hyphens between them.
pub(crate) fn slug(text: &str) -> String {
    let words = text.to_ascii_lowercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), " ");
    words.split_whitespace().collect::<Vec<_>>().join("-")
}
