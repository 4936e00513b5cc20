//! The pages of the Catalog: the element ids, markers, and quoting that parsers of the real pages rely on, and little
//! else. The texts and the layout are our own.
//!
//! The real site writes two dialects of markup, depending on the user agent. The pages alternate between them, so
//! that every test with several pages parses both.

use super::loopback::Hosts;
use super::world::{FileSpec, UpdateSpec};

pub(super) const ERROR_PATH: &str = "/Error.aspx";
pub(super) const ERROR_TARGET: &str = "/Error.aspx?id=-1914896368";
pub(super) const THANKS_PATH: &str = "/Thanks.aspx";
pub(super) const THANKS_TARGET: &str = "/Thanks.aspx?id=190";

const ROWS_PER_PAGE: usize = 25;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// The dialect for browser-like user agents: `style` after the ids, hidden fields in a div.
    Browser,
    /// The dialect for unknown user agents: `bordercolor` before the id, no `style`, no div.
    DownLevel,
}

impl Dialect {
    /// Returns the dialect of the page with this number.
    pub(super) fn of(number: usize) -> Self {
        if number.is_multiple_of(2) { Self::Browser } else { Self::DownLevel }
    }
}

/// The results of a search, and the requested page.
#[derive(Debug)]
pub(super) struct SearchResults<'a> {
    pub(super) search: &'a str,
    /// All rows, not only the rows of the page.
    pub(super) rows: &'a [&'a UpdateSpec],
    /// The page number, counted from 0.
    pub(super) page: usize,
    /// `true` if more matches exist than `rows`.
    pub(super) more: bool,
}

/// Returns a page of rows. After the last row, the page has neither rows nor the no-result text.
pub(super) fn search(results: &SearchResults<'_>) -> String {
    let SearchResults { search, rows, page, more } = *results;
    let dialect = Dialect::of(page);
    let start = page.saturating_mul(ROWS_PER_PAGE);
    let shown: Vec<&UpdateSpec> = rows.iter().copied().skip(start).take(ROWS_PER_PAGE).collect();
    if shown.is_empty() {
        return document(dialect, "", &heading(search, ""));
    }
    let pages = rows.len().div_ceil(ROWS_PER_PAGE);
    let position =
        format!("{} - {} of {} (page {} of {pages})", start + 1, start + shown.len(), rows.len(), page + 1);
    let notice = if more {
        r#"<div id="ctl00_catalogBody_moreResults"><span id="ctl00_catalogBody_textMoreResults">There are over 1000 matching updates.  Only the first 1000 are returned.</span></div>"#
    } else {
        ""
    };
    let table = match dialect {
        Dialect::Browser => r#"rules="all" id="ctl00_catalogBody_updateMatches" style="border-color:Gray;""#,
        Dialect::DownLevel => {
            r#"bordercolor="Gray" rules="all" border="1" id="ctl00_catalogBody_updateMatches""#
        }
    };
    let table_rows: Vec<String> =
        shown.iter().enumerate().map(|(number, update)| row(update, number, dialect)).collect();
    let body = format!(
        r#"{heading}{notice}
<span id="ctl00_catalogBody_labelUpdates_Separator">Updates:</span>
<span id="ctl00_catalogBody_searchDuration">{position}</span><br />
{previous} <span>|</span> {next}
<div id="tableContainer">
<table class="resultsBorder" cellspacing="0" {table}>
	<tr id="headerRow">{header}
	</tr>{table_rows}
</table>
</div>"#,
        heading = heading(search, ""),
        previous = page_link("prev", "Previous", page > 0),
        next = page_link("next", "Next", page + 1 < pages),
        header = header_cells(),
        table_rows = table_rows.concat(),
    );
    document(dialect, "", &body)
}

/// Returns the page for an empty result.
pub(super) fn no_result(search: &str, dialect: Dialect) -> String {
    let text = r#"<span id="ctl00_catalogBody_noResultText">We did not find any results for </span>"#;
    let body = format!(
        r#"{}
<div id="ctl00_catalogBody_noResults"><span>Try other words.</span></div>
<div id="tableContainer">
</div>"#,
        heading(search, text)
    );
    document(dialect, "", &body)
}

/// Returns a page with the size of an empty result but without its text.
pub(super) fn without_rows(search: &str) -> String {
    /// The size of the view state, which makes up most of the 41 KB of the page.
    const VIEW_STATE: usize = 40_000;
    let state = "A".repeat(VIEW_STATE);
    let body = format!(
        r#"{}<input type="hidden" id="__VIEWSTATE" value="{state}" /><div id="tableContainer">
</div>"#,
        heading(search, "")
    );
    document(Dialect::Browser, "", &body)
}

fn heading(search: &str, before: &str) -> String {
    let search = escape(search);
    format!(
        r#"<table id="ctl00_catalogBody_ResultsHeaderTable"><tr><td>{before}<span id="ctl00_catalogBody_searchString">"{search}"</span></td></tr></table>"#
    )
}

/// Returns the link to the previous or next page, or a plain span if that page does not exist.
fn page_link(direction: &str, label: &str, exists: bool) -> String {
    let prefix = format!("ctl00_catalogBody_{direction}Page");
    if exists {
        let target = format!("ctl00$catalogBody${direction}PageLinkText");
        format!(
            r#"<span id="{prefix}Link"><a id="{prefix}LinkText" href="javascript:__doPostBack(&#39;{target}&#39;,&#39;&#39;)"><span>{label}</span></a></span>"#
        )
    } else {
        format!(r#"<span id="{prefix}"><span>{label}</span></span>"#)
    }
}

fn header_cells() -> String {
    let columns =
        ["&nbsp;", "Title", "Products", "Classification", "Last Updated", "Version", "Size", "Download"];
    let cells: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(number, label)| {
            format!("\n\t\t<th scope=\"col\" id=\"header_C{number}\"><span>{label}</span></th>")
        })
        .collect();
    cells.concat()
}

fn row(update: &UpdateSpec, number: usize, dialect: Dialect) -> String {
    let id = &update.id;
    let style = match dialect {
        Dialect::Browser => r#" style="border-width:0px;""#,
        Dialect::DownLevel => "",
    };
    let size = update.size();
    let contents = [
        String::new(),
        format!(
            r#"<a id='{id}_link' href= "javascript:void(0);" onclick='goToDetails("{id}");' class="contentTextItemSpacerNoBreakLink">
                {}
            </a>"#,
            escape(&update.title)
        ),
        bare(&update.products),
        escape(&update.classification),
        escape(&update.last_updated),
        "n/a".to_owned(),
        format!(
            r#"<span id="{id}_size">{}</span>
            <span class="noDisplay" id="{id}_originalSize">{size}</span>"#,
            size_text(size)
        ),
        format!(r#"<input id="{id}" class="flatBlueButtonDownload" type="button" value='Download' />"#),
    ];
    let cells: Vec<String> = contents
        .iter()
        .enumerate()
        .map(|(column, content)| {
            format!("<td class=\"resultspadding\" id=\"{id}_C{column}_R{number}\">\n            {content}\n        </td>")
        })
        .collect();
    format!("<tr id=\"{id}_R{number}\"{style}>\n\t\t{}\n\t</tr>", cells.concat())
}

/// Returns a details page.
pub(super) fn details(update: &UpdateSpec, dialect: Dialect) -> String {
    // The browser dialect uses double quotes, the other one single quotes.
    let quote = if dialect == Dialect::Browser { '"' } else { '\'' };
    let newer = update.superseded_by.iter().map(|(id, title)| {
        format!("<a href={quote}ScopedViewInline.aspx?updateid={id}{quote}>{}</a>", escape(title))
    });
    let older = update.supersedes.iter().map(|title| escape(title));
    let links = update.kbs.iter().map(|kb| {
        let url = format!("https://support.microsoft.com/help/{kb}");
        format!(r#"<a target="catalogNew" href="{url}" class ="contentTextItemSpacerNoBreakLink">{url}</a>"#)
    });
    let links = list(links.collect());
    let span = |id: &str, value: &str| format!(r#"<span id="ScopedViewHandler_{id}">{value}</span>"#);
    let fields = [
        ("titleDiv", String::new(), span("titleText", &escape(&update.title))),
        ("dateDiv", label("LastModified", "Last Modified:"), span("date", &escape(&update.last_updated))),
        ("sizeDiv", label("", "Size:"), span("size", &size_text(update.size()))),
        ("updateIdDiv", label("", "UpdateID:"), span("UpdateID", &update.id)),
        ("descDiv", label("Description", "Description:"), span("desc", "A made-up update.")),
        ("archDiv", label("Architecture", "Architecture:"), "n/a".to_owned()),
        ("classificationDiv", label("Classification", "Classification:"), escape(&update.classification)),
        ("productsDiv", label("SupportedProducts", "Supported products:"), bare(&update.products)),
        ("languagesDiv", label("SupportedLanguages", "Supported languages:"), "all".to_owned()),
        ("securityBullitenDiv", label("SecurityBulliten", "MSRC Number:"), "n/a".to_owned()),
        ("msrcSeverityDiv", label("MSRCSeverity", "MSRC severity:"), span("msrcSeverity", "Critical")),
        ("kbDiv", label("KBArticle", "KB article numbers:"), update.kbs.join(",\n        ")),
        ("moreInfoDiv", label("MoreInfo", "More information:"), links.clone()),
        ("suportUrlDiv", label("SupportUrl", "Support Url:"), links),
        (
            "rebootBehaviorDiv",
            label("RebooBehavior", "Restart behavior:"),
            span("rebootBehavior", "Can request restart"),
        ),
        ("userInputDiv", label("RequiresInput", "May request user input:"), span("userInput", "No")),
        (
            "installationImpactDiv",
            label("InstallationImpact", "Must be installed exclusively:"),
            span("installationImpact", ""),
        ),
        (
            "connectivityDiv",
            label("InstallRequiresConnectivity", "Requires network connectivity:"),
            span("connectivity", "No"),
        ),
        (
            "uninstallNotesDiv",
            label("UninstallNotes", "Uninstall Notes:"),
            "<div>\n        n/a\n    </div>".to_owned(),
        ),
        (
            "uninstallStepsDiv",
            label("UninstallSteps", "Uninstall Steps:"),
            "<div>\n        n/a\n    </div>".to_owned(),
        ),
    ];
    let fields = fields.map(|(id, label, value)| format!("<div id=\"{id}\">\n    {label}{value}\n</div>\n"));
    let body = format!(
        r#"{fields}<div id="packageBox" style="display: none">
{replaced_by}
<div id="supersededbyInfo">
{newer}
</div>
{replaces}
<div id="supersedesInfo">
{older}
</div>
</div>"#,
        fields = fields.concat(),
        replaced_by = label("SupersedingUpdates", "This update has been replaced by the following updates:"),
        replaces = label("SupersededUpdates", "This update replaces the following updates:"),
        newer = list(newer.collect()),
        older = list(older.collect()),
    );
    document(dialect, "", &body)
}

/// Returns the label in front of a field; some fields have no name.
fn label(name: &str, text: &str) -> String {
    let id = if name.is_empty() {
        String::new()
    } else {
        format!(r#" id="ScopedViewHandler_label{name}_Separator""#)
    };
    format!("<span{id} class=\"labelTitle\">{text}</span>\n    ")
}

/// Returns one div per item, or `n/a`.
fn list(items: Vec<String>) -> String {
    if items.is_empty() {
        return "    n/a".to_owned();
    }
    let items: Vec<String> = items
        .into_iter()
        .map(|item| format!("    <div style=\"padding-bottom: 0.3em;\">\n        {item}\n    </div>\n"))
        .collect();
    items.concat()
}

/// Returns a download dialog. Without updates it has the empty array that the Catalog returns for an unknown id.
pub(super) fn dialog(updates: &[&UpdateSpec], hosts: &Hosts) -> String {
    let mut lines = vec!["var downloadInformation = new Array();".to_owned()];
    for (number, update) in updates.iter().enumerate() {
        let entry = format!("downloadInformation[{number}]");
        lines.push(format!("{entry} = new Object();"));
        lines.push(format!("{entry}.updateID ='{}';", update.id));
        lines.push(format!("{entry}.isHotFix =false;"));
        lines.push(format!("{entry}.enTitle ='{}';", script_text(&update.title)));
        lines.push(format!("{entry}.sizeLanguage ='';"));
        lines.push(format!("{entry}.files = new Array();"));
        for (number, file) in update.files.iter().enumerate() {
            lines.extend(file_lines(&format!("{entry}.files[{number}]"), file, hosts));
        }
        lines.push(format!("{entry}.allFilesExist = false;"));
    }
    let body = format!(
        r#"<script type="text/javascript">
{}
var minFilePathLength =130;
var eulaInfo = '';
</script>
<div id="downloadFiles"></div>"#,
        lines.join("\n")
    );
    document(Dialect::Browser, "", &body)
}

/// Returns the Catalog's answer to a request without a form.
pub(super) fn empty_dialog() -> String {
    dialog(&[], &Hosts { scheme: "http", catalog: String::new(), cdn: String::new() })
}

fn file_lines(entry: &str, file: &FileSpec, hosts: &Hosts) -> Vec<String> {
    let fields = [
        ("url", Some(file.address(hosts))),
        ("digest", file.sha1_text()),
        ("sha256", file.sha256_text()),
        ("architectures", Some(String::new())),
        ("languages", Some(String::new())),
        ("longLanguages", Some(String::new())),
        ("fileName", Some(file.name.clone())),
    ];
    let mut lines = vec![format!("{entry} = new Object();")];
    for (name, value) in fields {
        lines.extend(value.map(|value| format!("{entry}.{name} = '{}';", script_text(&value))));
    }
    lines.push(format!("{entry}.defaultFileNameLength = {};", file.name.len() + 108));
    lines
}

/// Returns the error page, which has status 200.
pub(super) fn error() -> String {
    let body = r#"<span id="ctl00_catalogBody_errorHandler_textHeaderError">The website has encountered a problem </span>
<div id="errorPageDisplayedError">
    [<span id="ctl00_catalogBody_errorHandler_textErrorNumberError">Error number: </span>8DDD0010]
</div>"#;
    document(Dialect::Browser, r#" class="error""#, body)
}

/// Returns the page for an update that is unknown or was removed.
pub(super) fn thanks() -> String {
    let body = r#"<div id="ctl00_catalogBody_thanksNoUpdate"><span>There is no such update.</span></div>"#;
    document(Dialect::Browser, r#" class="thanks""#, body)
}

/// Returns a complete page as sent over the network, with blank lines in front and CR LF line ends.
fn document(dialect: Dialect, body_attributes: &str, body: &str) -> String {
    let state = r#"<input type="hidden" name="__VIEWSTATE" id="__VIEWSTATE" value="" />"#;
    let hidden = match dialect {
        Dialect::Browser => format!(
            r#"<div class="aspNetHidden">
<input type="hidden" name="__EVENTTARGET" id="__EVENTTARGET" value="" />
{state}
</div>"#
        ),
        Dialect::DownLevel => state.to_owned(),
    };
    let page = format!(
        r#"

<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" dir="ltr" lang="en">
<head><meta charset="utf-8" /><title>Microsoft Update Catalog</title></head>
<body{body_attributes}>
<form method="post" id="aspnetForm">
{hidden}
{body}
<input type="hidden" id="updateIDs" name="updateIDs" />
</form>
</body>
</html>
"#
    );
    page.replace('\n', "\r\n")
}

/// Formats a size as MB with one decimal, also above 1024 MB, or as KB below 1 MB.
fn size_text(bytes: u64) -> String {
    const KB: u64 = 1024;
    const MB: u64 = 1024 * KB;
    if bytes < MB {
        return format!("{} KB", bytes / KB);
    }
    let tenths = (bytes * 10 + MB / 2) / MB;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

fn escape(text: &str) -> String {
    bare(&text.replace('&', "&amp;")).replace('\'', "&#39;").replace('"', "&quot;")
}

/// Escapes `<` and `>` only, as the Catalog writes products: `&` is not escaped.
fn bare(text: &str) -> String {
    text.replace('<', "&lt;").replace('>', "&gt;")
}

/// Returns the content of a single-quoted script string.
fn script_text(text: &str) -> String {
    text.replace('\\', r"\\").replace('\'', r"\'")
}
