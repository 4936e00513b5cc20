//! Harmful pages, each sent in place of a page of the Catalog: too large, too deeply nested, too full, or endless.
//!
//! [`hostile_world`] belongs to [`hostile_pages`]: the pages requested before a hostile page are valid.
//!
//! The requirements for each page are exit code 7, less than 128 MiB of memory, and less than one second. Tests check
//! the exit code, and the bench `hostile-pages` shows memory and time.

use std::io::Write as _;

use flate2::write::GzEncoder;
use flate2::{Compress, Compression, FlushCompress};

use super::fault::{Action, Stream};
use super::http::pair;
use super::world::{FileSpec, UpdateSpec, World, id};

/// The page of the Catalog that is replaced by a hostile page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplacedPage {
    Search,
    Details,
    Dialog,
}

/// A hostile page.
#[derive(Debug, Clone)]
pub(crate) struct HostilePage {
    pub(crate) name: &'static str,
    pub(crate) place: ReplacedPage,
    pub(crate) action: Action,
    /// `true` if the page exceeds the size limit, so that it is never parsed.
    pub(crate) is_too_large: bool,
}

impl ReplacedPage {
    /// Returns the part of the URL.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Search => "/Search.aspx",
            Self::Details => "/ScopedViewInline.aspx",
            Self::Dialog => "/DownloadDialog.aspx",
        }
    }
}

/// The size limit of a page.
const SIZE_LIMIT: usize = 2 * 1024 * 1024;
const MIB: usize = 1024 * 1024;
const ID: &str = "00000000-0000-4000-8000-000000000001";

/// Returns the markup of a search page up to its rows.
fn search_frame(range: &str) -> String {
    format!(
        r#"<div id="tableContainer"><span id="ctl00_catalogBody_searchDuration">{range}</span>
        <table id="ctl00_catalogBody_updateMatches"><tr id="headerRow"></tr>"#
    )
}

/// Returns the only row of a search page, with this title.
fn row(title: &str) -> String {
    format!(
        r#"<tr id="{ID}_R0"><td id="{ID}_C1_R0"><a id="{ID}_link">{title}</a></td><td id="{ID}_C2_R0">Windows 10</td>
        <td id="{ID}_C3_R0">Updates</td><td id="{ID}_C4_R0">9/9/2025</td><td id="{ID}_C5_R0">n/a</td>
        <td id="{ID}_C6_R0"><span id="{ID}_size">1 KB</span><span id="{ID}_originalSize">1024</span></td></tr>"#
    )
}

/// Returns the markup of a details page with this list of replaced updates.
fn details(title: &str, supersedes: &str) -> String {
    format!(
        r#"<span id="ScopedViewHandler_titleText">{title}</span><span id="ScopedViewHandler_date">9/9/2025</span>
        <div id="supersededbyInfo">n/a</div><div id="supersedesInfo">{supersedes}</div>"#
    )
}

/// Returns a download dialog up to its files, with one update of this title.
fn dialog(title: &str) -> String {
    let update = "downloadInformation[0]";
    format!(
        "<script>\nvar downloadInformation = new Array();\n{update} = new Object();\n{update}.updateID ='{ID}';\n\
         {update}.enTitle ='{title}';\n{update}.files = new Array();\n"
    )
}

/// Returns `count` files of the dialog.
fn files(count: usize) -> String {
    let file = |number| {
        let file = format!("downloadInformation[0].files[{number}]");
        format!("{file} = new Object();\n{file}.url = 'https://a.example/{number}.cab';\n")
    };
    (0..count).map(file).collect()
}

/// Returns the beginning with as many pieces as the size limit allows.
fn fill_to_limit(beginning: &str, piece: &str) -> String {
    beginning.to_owned() + &piece.repeat((SIZE_LIMIT - beginning.len()) / piece.len())
}

fn page(name: &'static str, place: ReplacedPage, text: String) -> HostilePage {
    bytes(name, place, text.into_bytes())
}

/// Returns a page within the size limit.
fn bytes(name: &'static str, place: ReplacedPage, bytes: Vec<u8>) -> HostilePage {
    assert!(bytes.len() <= SIZE_LIMIT, "{name}");
    let stream = Stream { headers: Vec::new(), beginning: bytes, piece: Vec::new(), times: 0 };
    HostilePage { name, place, action: Action::Stream(stream), is_too_large: false }
}

/// Returns a page that exceeds the size limit.
fn stream(
    name: &'static str,
    place: ReplacedPage,
    beginning: String,
    piece: String,
    times: usize,
) -> HostilePage {
    assert!(beginning.len() + piece.len() * times > SIZE_LIMIT, "{name}");
    let stream =
        Stream { headers: Vec::new(), beginning: beginning.into_bytes(), piece: piece.into_bytes(), times };
    HostilePage { name, place, action: Action::Stream(stream), is_too_large: true }
}

/// Returns a page compressed with gzip by a factor of some hundreds.
fn compressed(name: &'static str, place: ReplacedPage, text: &str) -> HostilePage {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_bytes()).expect("into memory");
    let headers = vec![pair("Content-Encoding", "gzip")];
    let stream =
        Stream { headers, beginning: gzip.finish().expect("into memory"), piece: Vec::new(), times: 0 };
    HostilePage { name, place, action: Action::Stream(stream), is_too_large: false }
}

/// Returns a gzip of `mib` MiB that is itself within the size limit. Its only block is repeated and its checksum is
/// wrong, so only a reader that unpacks all of it finds the error.
fn gzip_bomb(name: &'static str, place: ReplacedPage, mib: usize) -> HostilePage {
    const HEADER: [u8; 10] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF];
    const END: [u8; 10] = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut block = Vec::with_capacity(64 * 1024);
    let text = "x".repeat(MIB);
    let mut deflate = Compress::new(Compression::fast(), false);
    deflate.compress_vec(text.as_bytes(), &mut block, FlushCompress::Full).expect("into memory");
    assert_eq!(deflate.total_in(), MIB as u64, "one block has it all");
    let beginning = [&HEADER[..], &block.repeat(mib), &END].concat();
    assert!(beginning.len() < SIZE_LIMIT, "the bytes on the wire are within the cap");
    let headers = vec![pair("Content-Encoding", "gzip")];
    let stream = Stream { headers, beginning, piece: Vec::new(), times: 0 };
    HostilePage { name, place, action: Action::Stream(stream), is_too_large: mib * MIB > SIZE_LIMIT }
}

/// Returns all hostile pages.
pub(crate) fn hostile_pages() -> Vec<HostilePage> {
    use ReplacedPage::{Details, Dialog, Search};
    let one = search_frame("1 - 1 of 1 (page 1 of 1)");
    let valid_row = row("2025-09 Cumulative Update (KB5100001)");
    // The page counts as a page of rows, so it is parsed twice.
    let two = search_frame("1 - 2 of 2 (page 1 of 1)") + &valid_row;
    let million = search_frame("1 - 1,000,000 of 1,000,000 (page 1 of 1)");
    vec![
        stream("100 MB of text", Search, String::new(), "x".repeat(MIB), 100),
        stream("100 MB behind a sound row", Search, one.clone() + &valid_row, "\n".repeat(MIB), 100),
        gzip_bomb("a gzip of 100 MB", Search, 100),
        compressed("a gzip of 1 MiB of nested div", Search, &"<div>".repeat(MIB / 5)),
        stream("a million whole rows", Search, million.clone(), valid_row.repeat(100), 10_000),
        page("as many of a million rows as fit", Search, fill_to_limit(&million, "<tr></tr>")),
        page("nested div", Search, fill_to_limit(&one, "<div>")),
        page("nested tables", Search, fill_to_limit(&one, "<table><tr><td>")),
        page(
            "nested rows with an id",
            Search,
            fill_to_limit(&one, &format!(r#"<tr id="{ID}_R0"><td><table>"#)),
        ),
        page("a title of 1 MB", Search, one.clone() + &row(&"x".repeat(MIB))),
        page("a million attributes in one tag", Search, fill_to_limit(&(one.clone() + "<div "), "a ")),
        page(
            "as many tags of 256 attributes as fit",
            Search,
            fill_to_limit(&one, &format!("<p {}></p>", attributes())),
        ),
        page("an attribute without end", Search, fill_to_limit(&(one.clone() + "<div id=\""), "x")),
        page("comments without end", Search, fill_to_limit(&one, "<!--")),
        page("whole comments", Search, fill_to_limit(&one, "<!---->")),
        page("formatting that is never closed", Search, fill_to_limit(&one, "<b>")),
        page(
            "formatting opened again in every block",
            Search,
            fill_to_limit(&(one.clone() + &"<b><i><font>".repeat(60)), "<p>x</p>"),
        ),
        page("formatting closed out of turn", Search, fill_to_limit(&one, "<b><i></b></i>")),
        page("links inside links", Search, fill_to_limit(&one, "<a><p></a>")),
        page("lone angle brackets", Search, fill_to_limit(&one, "<")),
        page("text before the table", Search, fill_to_limit(&one, "<table>x")),
        page("entities", Search, fill_to_limit(&one, "&amp")),
        page("entities, and a row too few", Search, fill_to_limit(&two, "&amp")),
        page("zeros, and a row too few", Search, fill_to_limit(&two, "\0")),
        page("a script without end", Search, fill_to_limit(&(one.clone() + "<script>"), "</scrip")),
        bytes("bytes that are not text", Search, vec![0xFF; SIZE_LIMIT]),
        page("nothing but zeros", Search, "\0".repeat(SIZE_LIMIT)),
        stream("100 MB of details", Details, details("x", "n/a"), " ".repeat(MIB), 100),
        page("a details page with a title of 1 MB", Details, details(&"x".repeat(MIB), "n/a")),
        page(
            "it replaces a title of 1 MB",
            Details,
            details("x", &format!("<div>{}</div>", "x".repeat(MIB))),
        ),
        page(
            "it replaces as many as fit",
            Details,
            details("x", &"<div>x</div>".repeat((SIZE_LIMIT - 1024) / 12)),
        ),
        page("a details page of nested div", Details, fill_to_limit(&details("x", "n/a"), "<div>")),
        page("a line of 2 MiB", Dialog, fill_to_limit(&dialog("x"), "x")),
        page("a title of nearly 2 MiB in a dialog", Dialog, dialog(&"x".repeat(SIZE_LIMIT - 1024))),
        page("a title of escapes in a dialog", Dialog, dialog(&r"\u0041".repeat((SIZE_LIMIT - 1024) / 6))),
        page(
            "a line that never ends its text",
            Dialog,
            fill_to_limit(&dialog("x"), r"downloadInformation[0].files[0].url = '\'"),
        ),
        stream("100,000 files", Dialog, dialog("x") + &files(20_000), files(20_000), 4),
        page("as many files as fit", Dialog, dialog("x") + &files(14_000)),
        stream("100 MB of a dialog", Dialog, dialog("x"), "\n".repeat(MIB), 100),
    ]
}

/// Returns 256 attributes with different names, the maximum of one tag.
fn attributes() -> String {
    (0..256).map(|number| format!("a{number}")).collect::<Vec<_>>().join(" ")
}

/// The KB of the search, the details page, and the dialog.
pub(crate) const HOSTILE_KB: &str = "KB5100001";

/// Returns a Catalog with this one KB.
pub(crate) fn hostile_world() -> World {
    let title = "2025-09 Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB5100001)";
    let file = FileSpec::package("windows10.0-kb5100001-x64", "msu", "the bytes");
    World::new().update(UpdateSpec { files: vec![file], ..UpdateSpec::new(&id(1), title) })
}
