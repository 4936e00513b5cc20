//! `DownloadDialog.aspx`: the files of an update, with URLs and digests, in the order of the site (which has no
//! meaning).
//!
//! The page carries its data as assignments in a script, one per line ([`super::dialog_line`]). They are parsed, never
//! executed. The data block begins at `var downloadInformation = new Array();` and ends at the next `var` or at the end
//! of the script. Assignments anywhere else are a fault, so that no file is overlooked. Objects must be created before
//! they get properties, and in order.
//!
//! No update, or an update without files, is a fault. The site returns this if it did not receive the form (a POST that
//! was redirected) or does not know the id. It never means that the update has no files. Several updates in one
//! response are accepted, because a client may request several, though no such response was ever recorded.

use std::collections::{BTreeMap, BTreeSet};

use super::dialog_line::{AssignedValue, AssignmentTarget, DATA_PREFIX, is_declaration, parse_line};
use super::fault::PageFault;
use super::html;
use crate::update::{Sha1, Sha256, UpdateId};

const PAGE: &str = "download dialog";
const DATA: &str = "downloadInformation";
/// The most files of one update: the number that fits into a page of [`super::PAGE_CAP`], at 700 bytes per real file.
const FILE_CAP: usize = 3_000;

/// The response to a request for the files of one or more updates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadDialog {
    /// The updates in the order of the response; at least one.
    pub updates: Vec<DialogUpdate>,
    /// The properties with unknown names, as warnings.
    pub warnings: Vec<String>,
}

/// An update and its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialogUpdate {
    /// The id of the update.
    pub update_id: UpdateId,
    /// The English title.
    pub title: String,
    /// The files of the update; at least one. The order is arbitrary: a checkpoint comes before or after the target.
    pub files: Vec<DialogFile>,
}

/// A file of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialogFile {
    /// The download URL. It does not identify the file: the same file has several URLs.
    pub url: String,
    /// The SHA-1; `None` in entries of 2016 and 2017.
    pub sha1: Option<Sha1>,
    /// The SHA-256; present in newer entries.
    pub sha256: Option<Sha256>,
    /// The name of the file as the site states it.
    pub file_name: Option<String>,
    /// The architecture, such as "AMD64"; usually empty.
    pub architectures: String,
    /// The language, such as "all"; usually empty.
    pub languages: String,
    /// The reason why the file cannot be trusted, such as a malformed digest. The file is kept so that it can be named,
    /// and must be refused later.
    pub fault: Option<String>,
}

/// Parses a download dialog ([`super::PageKind::Dialog`]).
pub fn parse_download_dialog(text: &str) -> Result<DownloadDialog, PageFault> {
    html::check_size(PAGE, text)?;
    let mut draft = DialogDraft::default();
    let mut block = DialogBlock::NotYet;
    for line in text.lines().map(str::trim) {
        if line.starts_with("var downloadInformation") {
            if !(is_declaration(line) && block == DialogBlock::NotYet) {
                return Err(PageFault::new(PAGE, DATA, "one declaration of an array", line));
            }
            block = DialogBlock::Data;
        } else if line.starts_with(DATA_PREFIX) {
            match (parse_line(line), block) {
                // Without the page around it, the data begins with the first object.
                (Some(assignment), DialogBlock::NotYet | DialogBlock::Data) => {
                    block = DialogBlock::Data;
                    draft.assign(assignment, line)?;
                }
                (Some(_), DialogBlock::Over) => {
                    return Err(PageFault::new(PAGE, DATA, "the end of the data", line));
                }
                (None, DialogBlock::Data) => {
                    return Err(PageFault::new(PAGE, DATA, "an assignment of a known form", line));
                }
                (None, DialogBlock::NotYet | DialogBlock::Over) => {}
            }
        } else if block == DialogBlock::Data && (line.starts_with("var ") || line.contains("</script")) {
            block = DialogBlock::Over;
        }
    }
    if block == DialogBlock::NotYet {
        return Err(PageFault::missing(PAGE, DATA, "a declaration of the data"));
    }
    draft.finish()
}

/// Returns `true` if a text has the marks of a download dialog, even one without updates.
pub(super) fn is_dialog(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    lines.any(|line| is_declaration(line) || (line.starts_with(DATA_PREFIX) && parse_line(line).is_some()))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DialogBlock {
    NotYet,
    Data,
    Over,
}

type Properties<'a> = BTreeMap<&'a str, AssignedValue>;

/// The objects created so far.
#[derive(Debug, Default)]
struct DialogDraft<'a> {
    updates: Vec<UpdateDraft<'a>>,
    warnings: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct UpdateDraft<'a> {
    properties: Properties<'a>,
    /// The files; `None` until the array is created.
    files: Option<Vec<Properties<'a>>>,
}

const UPDATE_TEXTS: [&str; 3] = ["updateID", "enTitle", "sizeLanguage"];
const UPDATE_OTHERS: [&str; 2] = ["isHotFix", "allFilesExist"];
const FILE_TEXTS: [&str; 7] =
    ["url", "digest", "sha256", "architectures", "languages", "longLanguages", "fileName"];
/// The length of a path in a browser's dialog, not the size of a file.
const FILE_OTHERS: [&str; 1] = ["defaultFileNameLength"];

impl<'a> DialogDraft<'a> {
    fn assign(
        &mut self,
        (place, value): (AssignmentTarget<'a>, AssignedValue),
        line: &str,
    ) -> Result<(), PageFault> {
        let fault = |expected: &str| PageFault::new(PAGE, DATA, expected, line);
        match place {
            AssignmentTarget::Update(index) => {
                if index != self.updates.len() || value != AssignedValue::NewObject {
                    return Err(fault("a new object for the next update"));
                }
                self.updates.push(UpdateDraft::default());
            }
            AssignmentTarget::UpdateProperty(index, "files") => {
                let update =
                    self.updates.get_mut(index).ok_or_else(|| fault("an update that was created"))?;
                if update.files.is_some() || value != AssignedValue::NewArray {
                    return Err(fault("one new array of files"));
                }
                update.files = Some(Vec::new());
            }
            AssignmentTarget::UpdateProperty(index, name) => {
                let update =
                    self.updates.get_mut(index).ok_or_else(|| fault("an update that was created"))?;
                if !set_property(&mut update.properties, name, value, (&UPDATE_TEXTS, &UPDATE_OTHERS), line)?
                {
                    self.warnings.insert(format!("unknown property {name} of an update"));
                }
            }
            AssignmentTarget::File(index, number) => {
                let files = self.updates.get_mut(index).and_then(|update| update.files.as_mut());
                let files = files.ok_or_else(|| fault("an array of files that was created"))?;
                if number != files.len() || value != AssignedValue::NewObject {
                    return Err(fault("a new object for the next file"));
                }
                if files.len() == FILE_CAP {
                    return Err(fault(&format!("at most {FILE_CAP} files")));
                }
                files.push(Properties::new());
            }
            AssignmentTarget::FileProperty(index, number, name) => {
                let files = self.updates.get_mut(index).and_then(|update| update.files.as_mut());
                let file = files.and_then(|files| files.get_mut(number));
                let file = file.ok_or_else(|| fault("a file that was created"))?;
                if !set_property(file, name, value, (&FILE_TEXTS, &FILE_OTHERS), line)? {
                    self.warnings.insert(format!("unknown property {name} of a file"));
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<DownloadDialog, PageFault> {
        if self.updates.is_empty() {
            return Err(PageFault::new(PAGE, DATA, "at least one update", "an empty array"));
        }
        let mut updates: Vec<DialogUpdate> = Vec::new();
        for (index, draft) in self.updates.into_iter().enumerate() {
            let update = draft.finish(&format!("{DATA}[{index}]"))?;
            if updates.iter().any(|other| other.update_id == update.update_id) {
                let mark = format!("{DATA}[{index}].updateID");
                return Err(PageFault::new(
                    PAGE,
                    mark,
                    "an update without an earlier object",
                    &update.update_id.to_string(),
                ));
            }
            updates.push(update);
        }
        Ok(DownloadDialog { updates, warnings: self.warnings.into_iter().collect() })
    }
}

impl UpdateDraft<'_> {
    fn finish(mut self, mark: &str) -> Result<DialogUpdate, PageFault> {
        let id = take_text(&mut self.properties, "updateID");
        let update_id =
            id.parse().map_err(|_| PageFault::new(PAGE, format!("{mark}.updateID"), "an update id", &id))?;
        let title = take_text(&mut self.properties, "enTitle");
        html::check_title(PAGE, &format!("{mark}.enTitle"), &title)?;
        let drafts = self.files.unwrap_or_default();
        if drafts.is_empty() {
            return Err(PageFault::new(PAGE, format!("{mark}.files"), "at least one file", "an empty array"));
        }
        let mut files = Vec::new();
        for (number, draft) in drafts.into_iter().enumerate() {
            files.push(finish_file(draft, &format!("{mark}.files[{number}]"))?);
        }
        Ok(DialogUpdate { update_id, title, files })
    }
}

fn finish_file(mut draft: Properties<'_>, mark: &str) -> Result<DialogFile, PageFault> {
    let url = take_text(&mut draft, "url");
    if url.is_empty() {
        return Err(PageFault::missing(PAGE, format!("{mark}.url"), "a URL"));
    }
    let mut faults = Vec::new();
    let mut digest = |name: &'static str| -> Option<String> {
        Some(take_text(&mut draft, name)).filter(|digest| !digest.is_empty())
    };
    let sha1 = digest("digest").and_then(|text| keep_fault(Sha1::from_base64(&text), "digest", &mut faults));
    let sha256 =
        digest("sha256").and_then(|text| keep_fault(Sha256::from_base64(&text), "sha256", &mut faults));
    let file_name = take_text(&mut draft, "fileName");
    Ok(DialogFile {
        url,
        sha1,
        sha256,
        file_name: Some(file_name).filter(|name| !name.is_empty()),
        architectures: take_text(&mut draft, "architectures"),
        languages: take_text(&mut draft, "languages"),
        fault: (!faults.is_empty()).then(|| faults.join("; ")),
    })
}

fn keep_fault<T>(
    digest: Result<T, crate::update::ParseError>,
    name: &str,
    faults: &mut Vec<String>,
) -> Option<T> {
    digest.inspect_err(|error| faults.push(format!("{name}: {error}"))).ok()
}

/// Sets a property, which must be new. Returns `false` if its name is unknown.
fn set_property<'a>(
    properties: &mut Properties<'a>,
    name: &'a str,
    value: AssignedValue,
    (texts, others): (&[&str], &[&str]),
    line: &str,
) -> Result<bool, PageFault> {
    let is_text = matches!(value, AssignedValue::Text(_));
    if texts.contains(&name) && !is_text {
        return Err(PageFault::new(PAGE, DATA, "a text in single quotes", line));
    }
    if properties.insert(name, value).is_some() {
        return Err(PageFault::new(PAGE, DATA, "a property that was not set before", line));
    }
    Ok(texts.contains(&name) || others.contains(&name))
}

/// Returns the text of a property, or an empty text if it was not set.
fn take_text(properties: &mut Properties<'_>, name: &str) -> String {
    match properties.remove(name) {
        Some(AssignedValue::Text(text)) => text,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIALOG: &str = r"<script>
        var f = function () { var files = downloadInformation[0].files;
        downloadInformation[i].x = files; };
        </script><script language='javascript'>
        // Writes the eula and file info arrays
        var downloadInformation = new Array();
downloadInformation[0] = new Object();
downloadInformation[0].updateID ='be656f78-0714-440c-a0be-b27b4f9e5d71';
downloadInformation[0].isHotFix =false;
downloadInformation[0].enTitle ='Microsoft\'s update for C:\\ (KB5129195)';
downloadInformation[0].sizeLanguage ='';
downloadInformation[0].files = new Array();
downloadInformation[0].files[0] = new Object();
downloadInformation[0].files[0].url = 'https://a.example/b_ed361878ec2b56a7dfdb8f256565263a7fdc8eaa.msu';
downloadInformation[0].files[0].digest = '7TYYeOwrVqff248lZWUmOn/cjqo=';
downloadInformation[0].files[0].sha256 = 'sz/3qrW7u7c4Z/P1wvSS/pfAEpuWqhlBvCcGENeHbfo=';
downloadInformation[0].files[0].architectures = 'AMD64';
downloadInformation[0].files[0].languages = 'all';
downloadInformation[0].files[0].longLanguages = 'all';
downloadInformation[0].files[0].fileName = 'b.msu';
downloadInformation[0].files[0].defaultFileNameLength = 181;
downloadInformation[0].files[1] = new Object();
downloadInformation[0].files[1].url = 'http://a.example/c.cab';
downloadInformation[0].files[1].digest = '';
downloadInformation[0].allFilesExist = false;
var minFilePathLength =130;
var eulaInfo =  new Array();
        for (;;) { downloadInformation[updateIndex].enTitle = x; }
        </script>";

    fn fault(from: &str, to: &str) -> PageFault {
        assert!(DIALOG.contains(from), "{from}");
        parse_download_dialog(&DIALOG.replacen(from, to, 1)).unwrap_err()
    }

    #[test]
    fn files_with_and_without_digests() {
        let dialog = parse_download_dialog(&DIALOG.replace('\n', "\r\n")).unwrap();
        assert_eq!(dialog.warnings, Vec::<String>::new());
        let [update] = dialog.updates.try_into().unwrap();
        assert_eq!(update.update_id.to_string(), "be656f78-0714-440c-a0be-b27b4f9e5d71");
        assert_eq!(update.title, r"Microsoft's update for C:\ (KB5129195)");
        let [first, second] = update.files.try_into().unwrap();
        assert_eq!(first.sha1.unwrap().to_string(), "ed361878ec2b56a7dfdb8f256565263a7fdc8eaa");
        assert_eq!(first.sha256.unwrap().to_base64(), "sz/3qrW7u7c4Z/P1wvSS/pfAEpuWqhlBvCcGENeHbfo=");
        assert_eq!((first.architectures.as_str(), first.languages.as_str()), ("AMD64", "all"));
        assert_eq!((first.file_name.as_deref(), first.fault), (Some("b.msu"), None));
        let expected = DialogFile {
            url: "http://a.example/c.cab".to_owned(),
            sha1: None,
            sha256: None,
            file_name: None,
            architectures: String::new(),
            languages: String::new(),
            fault: None,
        };
        assert_eq!(second, expected);
    }

    #[test]
    fn a_malformed_digest_is_reported_with_its_file() {
        let text = DIALOG.replace("7TYYeOwrVqff248lZWUmOn/cjqo=", "7TYYeOwrVqff").replace("sz/3", "!z/3");
        let dialog = parse_download_dialog(&text).unwrap();
        let file = &dialog.updates[0].files[0];
        assert_eq!((file.sha1, file.sha256), (None, None));
        let fault = file.fault.as_ref().unwrap();
        assert!(
            fault.contains("digest: \"7TYYeOwrVqff\" is not a SHA-1") && fault.contains("sha256: "),
            "{fault}"
        );
        assert_eq!(dialog.updates[0].files[1].fault, None);
    }

    #[test]
    fn several_updates_and_unknown_properties_are_accepted() {
        let data = DIALOG.lines().filter(|line| line.starts_with(DATA_PREFIX)).collect::<Vec<_>>().join("\n");
        let other = data
            .replace("downloadInformation[0]", "downloadInformation[1]")
            .replace("be656f78", "ce656f78")
            .replace(".sizeLanguage", ".newThing")
            .replace(".defaultFileNameLength", ".size");
        let dialog = parse_download_dialog(&format!("{data}\n{other}")).unwrap();
        assert_eq!(dialog.updates.len(), 2);
        assert_eq!(
            dialog.warnings,
            ["unknown property newThing of an update", "unknown property size of a file"]
        );
        let twice = other.replace("ce656f78", "be656f78");
        assert_eq!(
            parse_download_dialog(&format!("{data}\n{twice}")).unwrap_err().mark,
            "downloadInformation[1].updateID"
        );
    }

    #[test]
    fn an_empty_dialog_never_means_no_files() {
        let empty = "<script>\nvar downloadInformation = new Array();\nvar minFilePathLength =0;\n</script>";
        assert_eq!(parse_download_dialog(empty).unwrap_err().found, "an empty array");
        assert_eq!(parse_download_dialog("<html></html>").unwrap_err().mark, "downloadInformation");
        let no_files =
            DIALOG.lines().filter(|line| !line.contains("].files[")).collect::<Vec<_>>().join("\n");
        assert_eq!(parse_download_dialog(&no_files).unwrap_err().mark, "downloadInformation[0].files");
        assert_eq!(fault("'http://a.example/c.cab'", "''").mark, "downloadInformation[0].files[1].url");
    }

    #[test]
    fn a_malformed_data_line_refuses_the_page() {
        let line = "downloadInformation[0].files[1].digest = '' + secret();";
        assert_eq!(fault("downloadInformation[0].files[1].digest = '';", line).found, line);
        assert!(fault("files[1] = new", "files[2] = new").expected.contains("next file"));
        assert!(
            fault("downloadInformation[0] = new", "downloadInformation[1] = new")
                .expected
                .contains("next update")
        );
        assert!(fault("files[1].digest", "files[0].digest").expected.contains("not set before"));
        assert!(fault("files[1].digest", "files[2].digest").expected.contains("a file that was created"));
        assert!(fault(".enTitle ='Micro", ".updateID ='Micro").expected.contains("not set before"));
        assert!(fault("].url = 'http:", "].url = 1; //").expected.contains("known form"));
        assert!(fault("= 'b.msu'", "= 12").expected.contains("single quotes"));
        assert!(fault("new Array();\ndown", "[];\ndown").expected.contains("declaration"));
        assert!(
            fault("var minFilePathLength =130;", "var downloadInformation = new Array();")
                .expected
                .contains("one declaration")
        );
        assert!(
            fault("downloadInformation[0].allFiles", "var x = 1;\ndownloadInformation[0].allFiles")
                .expected
                .contains("the end of the data")
        );
        assert_eq!(fault("be656f78-", "").mark, "downloadInformation[0].updateID");
    }

    #[test]
    fn titles_and_files_are_limited() {
        let long = fault("Microsoft", &"x".repeat(1_000_000));
        assert_eq!(long.mark, "downloadInformation[0].enTitle");
        let files = |count: usize| -> String {
            let file = |number| {
                format!(
                    "downloadInformation[0].files[{number}] = new Object();\ndownloadInformation[0].files[{number}].url = 'x';\n"
                )
            };
            let end = "downloadInformation[0].allFilesExist = false;\n";
            DIALOG.replace(end, &((2..count).map(file).collect::<String>() + end))
        };
        assert_eq!(parse_download_dialog(&files(3_000)).unwrap().updates[0].files.len(), 3_000);
        assert!(parse_download_dialog(&files(3_001)).unwrap_err().expected.contains("3000 files"));
    }

    proptest! {
        #[test]
        fn any_page_is_accepted_without_a_panic(text in any::<String>(), at in any::<prop::sample::Index>(), length in 0..40_usize, patch in "[\\PC\n]{0,8}") {
            let _result = parse_download_dialog(&text);
            let mut page: Vec<char> = DIALOG.chars().collect();
            let from = at.index(page.len());
            let to = page.len().min(from + length);
            page.splice(from..to, patch.chars());
            let page: String = page.into_iter().collect();
            let _kind = is_dialog(&page);
            let _result = parse_download_dialog(&page);
        }
    }
}
