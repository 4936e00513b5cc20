//! `START-HERE.txt`: the page that opens everywhere. The page states the content of the medium, and how to check it
//! before use.

use super::checks::{IMPORT, TRUST, checks};
use super::contents::PageContents;
use crate::update::{count, escape_hidden, human_size};

/// Returns the text of `START-HERE.txt`.
pub(super) fn text(contents: &PageContents) -> String {
    let mut text = String::new();
    let mut line = |words: &str| {
        text.push_str(&escape_hidden(words));
        text.push_str("\r\n");
    };
    line(&format!("kbmirror export set {} - Windows updates for a network without Internet", contents.label));
    if contents.demo {
        line("");
        line("DEMO: these files come from a recording. They are stand-ins and cannot be installed.");
    }
    line("");
    line(&format!("Made:   {}", contents.created_text()));
    line(&format!("Valid:  {}", contents.validity_text()));
    line(&format!("Mirror: {}", contents.identity));
    line(&format!(
        "Holds:  {}, {}, {}",
        count(contents.sets.len(), "package set"),
        count(contents.files, "file"),
        human_size(contents.bytes)
    ));
    line("");
    line("Content, order of installation, and reasons: open index.html in any browser.");
    line("");
    line("Check the medium before you use it. Run the check in the folder of this file:");
    for check in checks(contents) {
        for (number, command) in check.commands.iter().enumerate() {
            let label = if number == 0 { check.label } else { "" };
            line(&format!("  {label:<34}{command}"));
        }
        if !check.note.is_empty() {
            line(&format!("  {:<34}{}", "", check.note));
        }
    }
    line("");
    line("Root key of the mirror that made this medium (compare it with the key that you have on paper):");
    line(&format!("  {}", contents.root_key));
    line(&format!("  id {}", contents.root_id));
    for sentence in TRUST {
        line(sentence);
    }
    line("");
    line(&format!("Import into the mirror on this side:    {IMPORT}"));
    line("Install without a mirror:               data\\KB...\\<product>.cmd, as administrator");
    if !contents.tools.is_empty() {
        line(&format!("Added programs:                         tools\\{}", contents.tools.join(", tools\\")));
    }
    if !contents.missing.is_empty() {
        line("");
        line("INCOMPLETE. Selected, but missing on this medium:");
        for (kb, why) in &contents.missing {
            line(&format!("  {kb} {why}"));
        }
    }
    text
}
