//! The pages of a medium for people, and the check scripts, which need no installation. Pure: from a plan and its
//! facts to texts. All external text is escaped.

mod checks;
mod contents;
mod index;
mod start_here;

use std::fmt::Write as _;

pub(super) use contents::{PageContents, SetFacts};

use super::plan::ExportPlan;

/// Returns every page and script of a medium, by name.
pub(super) fn files(contents: &PageContents) -> Vec<(String, Vec<u8>)> {
    vec![
        (crate::carrier::medium::START_HERE.to_owned(), start_here::text(contents).into_bytes()),
        ("index.html".to_owned(), index::html(contents).into_bytes()),
        ("verify.cmd".to_owned(), with_crlf(include_str!("verify.cmd")).into_bytes()),
        ("verify.ps1".to_owned(), with_crlf(include_str!("verify.ps1")).into_bytes()),
    ]
}

/// Returns a text with Windows line endings.
fn with_crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

/// Returns the text of `bag-info.txt`.
pub(super) fn bag_info(contents: &PageContents, plan: &ExportPlan) -> String {
    let scripts: u64 = plan.scripts.values().map(|script| script.len() as u64).sum();
    let octets = plan.bytes + scripts;
    let streams = plan.payload.len() + plan.scripts.len();
    let mut text = String::new();
    for (name, value) in [
        ("Bag-Software-Agent", format!("kbmirror {}", env!("CARGO_PKG_VERSION"))),
        ("Bagging-Date", contents.created.date().to_string()),
        ("Bag-Group-Identifier", format!("{}-{}", contents.identity, contents.label)),
        ("Bag-Count", "1 of 1".to_owned()),
        ("External-Identifier", format!("KBM-{}-1OF1", contents.label)),
        ("Payload-Oxum", format!("{octets}.{streams}")),
    ] {
        let _written = writeln!(text, "{name}: {value}");
    }
    text
}
