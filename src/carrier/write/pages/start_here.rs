//! `START-HERE.txt`: the page that opens everywhere. The page states the content of the medium, and how to check it
//! before use.

use super::contents::Contents;
use super::ways::{IMPORT, TRUST, checks};
use crate::update::{count, human_size, neutral};

/// Returns the text of `START-HERE.txt`.
pub(super) fn text(contents: &Contents) -> String {
    let mut text = String::new();
    let mut line = |words: &str| {
        text.push_str(&neutral(words));
        text.push_str("\r\n");
    };
    line(&format!("kbmirror export set {} - Windows updates for a network without Internet", contents.label));
    if contents.demo {
        line("");
        line("DEMO: these files come from a recording. They are stand-ins; nothing here can be installed.");
    }
    line("");
    line(&format!("Made:   {}", contents.made()));
    line(&format!("Valid:  {}", contents.valid()));
    line(&format!("Mirror: {}", contents.identity));
    line(&format!(
        "Holds:  {}, {}, {}",
        count(contents.sets.len(), "package set"),
        count(contents.files, "file"),
        human_size(contents.bytes)
    ));
    line("");
    line("What is on it, in which order, and why: open index.html in any browser.");
    line("");
    line("Before you use it, check it, from the folder in which this file lies:");
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
    line(
        "The root key of the mirror that made it (compare it with what you have on paper, not with this line alone):",
    );
    line(&format!("  {}", contents.root_key));
    line(&format!("  id {}", contents.root_id));
    for sentence in TRUST {
        line(sentence);
    }
    line("");
    line(&format!("Take it into the mirror on this side:   {IMPORT}"));
    line("Install without a mirror:               data\\KB...\\<product>.cmd, as administrator");
    if !contents.tools.is_empty() {
        line(&format!("Programs sent along:                    tools\\{}", contents.tools.join(", tools\\")));
    }
    if !contents.missing.is_empty() {
        line("");
        line("NOT COMPLETE. What was wanted and is not here:");
        for (kb, why) in &contents.missing {
            line(&format!("  {kb} {why}"));
        }
    }
    text
}
