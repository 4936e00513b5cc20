//! What the Catalog has, written by a test: updates and their files, and how they are found.

use std::collections::HashMap;
use std::sync::Arc;

use data_encoding::{BASE64, HEXLOWER};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::file_answer::file_answer;
use super::http::{Answer, Request};
use super::loopback::{Hosts, Role};
use super::pages::{self, Dialect, Found};

/// The Catalog gives no more rows than these.
const MAX_ROWS: usize = 1000;

/// The content of a Catalog.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    updates: Vec<UpdateSpec>,
}

impl World {
    /// An empty Catalog.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// With one more update; searches list updates in the order they were added.
    pub(crate) fn update(mut self, update: UpdateSpec) -> Self {
        self.updates.push(update);
        self
    }
}

/// One update.
#[derive(Debug, Clone)]
pub(crate) struct UpdateSpec {
    pub(crate) id: String,
    pub(crate) title: String,
    /// As the products cell has them: separated by commas.
    pub(crate) products: String,
    pub(crate) classification: String,
    /// `M/D/YYYY`.
    pub(crate) last_updated: String,
    /// In the order of the dialog. The sum of their `bytes` is the size of the update.
    pub(crate) files: Vec<FileSpec>,
    /// Update ids and titles.
    pub(crate) superseded_by: Vec<(String, String)>,
    /// Titles.
    pub(crate) supersedes: Vec<String>,
    /// Digits only, as the details page has them.
    pub(crate) kbs: Vec<String>,
}

impl UpdateSpec {
    /// A security update for Windows 11 of 9/10/2024 without files or neighbours; its KB is the title's
    /// `(KB…)`.
    pub(crate) fn new(id: &str, title: &str) -> Self {
        let kb = title.split_once("(KB").and_then(|(_, rest)| rest.split_once(')'));
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            products: "Windows 11".to_owned(),
            classification: "Security Updates".to_owned(),
            last_updated: "9/10/2024".to_owned(),
            files: Vec::new(),
            superseded_by: Vec::new(),
            supersedes: Vec::new(),
            kbs: kb.map(|(digits, _)| digits.to_owned()).into_iter().collect(),
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.files.iter().map(|file| file.bytes.len() as u64).sum()
    }

    /// Whether every word of a search is in title or products, case aside. `"two words"` are one word, and a
    /// word behind `-` must not be there.
    fn matches(&self, search: &str) -> bool {
        let text = format!("{}\n{}", self.title, self.products).to_lowercase();
        let words = words(&search.to_lowercase());
        !words.is_empty()
            && words.iter().all(|word| match word.strip_prefix('-') {
                Some(unwanted) => !text.contains(unwanted),
                None => text.contains(word.as_str()),
            })
    }
}

/// The words of a search; a quoted phrase is one, without its quotes.
fn words(search: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in search.chars() {
        match (character, words.last_mut()) {
            ('"', _) => quoted = !quoted,
            (blank, _) if blank.is_whitespace() && !quoted => words.push(String::new()),
            (other, Some(word)) => word.push(other),
            (_, None) => {}
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A digest as the dialog states it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Stated {
    /// That of [`FileSpec::bytes`].
    #[default]
    Truth,
    /// `''`, as in entries of 2016 and 2017.
    Empty,
    /// No such line in the dialog, as for SHA-256 before 2020.
    NoLine,
    /// This text.
    Text(String),
}

impl Stated {
    /// The text of the dialog's line, if there is a line.
    pub(super) fn text<T: AsRef<[u8]>>(&self, truth: impl FnOnce() -> T) -> Option<String> {
        match self {
            Self::Truth => Some(BASE64.encode(truth().as_ref())),
            Self::Empty => Some(String::new()),
            Self::NoLine => None,
            Self::Text(text) => Some(text.clone()),
        }
    }
}

/// One package file.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileSpec {
    pub(crate) name: String,
    /// What the Catalog means: stated digests and sizes are of these.
    pub(crate) bytes: Vec<u8>,
    /// What the CDN sends instead of `bytes`.
    pub(crate) served: Option<Vec<u8>>,
    pub(crate) sha1_stated: Stated,
    pub(crate) sha256_stated: Stated,
    /// The address in the dialog when it is not the usual one on the CDN; `{catalog}` and `{cdn}` stand for
    /// host and port of the listeners. Both listeners serve the file under the path of this address.
    pub(crate) url: Option<String>,
}

impl FileSpec {
    /// A file named as Microsoft names them: `windows11.0-kb5043080-arm64_<SHA-1>.msu`.
    pub(crate) fn package(stem: &str, extension: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let sha1 = HEXLOWER.encode(&Sha1::digest(&bytes));
        Self { name: format!("{stem}_{sha1}.{extension}"), bytes, ..Self::default() }
    }

    pub(super) fn sha1_text(&self) -> Option<String> {
        self.sha1_stated.text(|| Sha1::digest(&self.bytes))
    }

    pub(super) fn sha256_text(&self) -> Option<String> {
        self.sha256_stated.text(|| Sha256::digest(&self.bytes))
    }

    fn served(&self) -> &[u8] {
        self.served.as_ref().unwrap_or(&self.bytes)
    }

    /// The address in the dialog. Equal files have equal addresses.
    pub(super) fn address(&self, hosts: &Hosts) -> String {
        if let Some(url) = &self.url {
            return url.replace("{catalog}", &hosts.catalog).replace("{cdn}", &hosts.cdn);
        }
        let mut hasher = Sha1::new();
        hasher.update(&self.name);
        hasher.update(self.served());
        let hex = HEXLOWER.encode(&hasher.finalize());
        let folder = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32]].join("-");
        format!("{}://{}/files/{folder}/public/{}", hosts.scheme, hosts.cdn, self.name)
    }
}

/// The update id number so-and-so: the same for every test.
pub(crate) fn id(number: u32) -> String {
    format!("{number:08x}-5eed-4000-8000-{number:012x}")
}

/// A [`World`] with addresses, ready to answer.
#[derive(Debug)]
pub(super) struct Stage {
    world: World,
    hosts: Hosts,
    /// By the path of the address.
    files: HashMap<String, Arc<[u8]>>,
}

impl Stage {
    pub(super) fn new(world: World, hosts: &Hosts) -> Self {
        let files = world.updates.iter().flat_map(|update| &update.files);
        let files = files.map(|file| (path_of(&file.address(hosts)), file.served().into())).collect();
        Self { world, hosts: hosts.clone(), files }
    }

    pub(super) fn answer(&self, role: Role, request: &Request) -> Option<Answer> {
        if let Some(bytes) = self.files.get(&request.path) {
            return Some(file_answer(request, bytes, &Vec::new()));
        }
        match (role, request.path.as_str()) {
            (Role::Catalog, "/Search.aspx") => Some(Answer::page(self.search(request))),
            (Role::Catalog, "/ScopedViewInline.aspx") => Some(self.details(request)),
            (Role::Catalog, "/DownloadDialog.aspx") => Some(Answer::page(self.dialog(request))),
            _ => None,
        }
    }

    fn search(&self, request: &Request) -> String {
        let search = request.value("q").unwrap_or_default();
        let page = request.value("p").and_then(|text| text.parse().ok()).unwrap_or(0);
        let rows: Vec<&UpdateSpec> =
            self.world.updates.iter().filter(|update| update.matches(search)).collect();
        if rows.is_empty() {
            return pages::no_result(search, Dialect::of(page));
        }
        let given = &rows[..rows.len().min(MAX_ROWS)];
        pages::search(&Found { search, rows: given, page, more: rows.len() > MAX_ROWS })
    }

    fn find(&self, id: &str) -> Option<(usize, &UpdateSpec)> {
        self.world.updates.iter().enumerate().find(|(_, update)| update.id.eq_ignore_ascii_case(id))
    }

    fn details(&self, request: &Request) -> Answer {
        match request.value("updateid").and_then(|id| self.find(id)) {
            Some((number, update)) => Answer::page(pages::details(update, Dialect::of(number))),
            None => Answer::redirect(pages::THANKS_TARGET),
        }
    }

    /// The dialog of the updates asked for; none when any is unknown, or when the form says nothing.
    fn dialog(&self, request: &Request) -> String {
        let asked = request.form.iter().find(|(name, _)| name.eq_ignore_ascii_case("updateIDs"));
        let asked = asked.and_then(|(_, json)| serde_json::from_str::<Vec<serde_json::Value>>(json).ok());
        let updates: Option<Vec<&UpdateSpec>> = asked
            .unwrap_or_default()
            .iter()
            .map(|entry| self.find(entry["updateID"].as_str()?).map(|(_, update)| update))
            .collect();
        pages::dialog(&updates.unwrap_or_default(), &self.hosts)
    }
}

/// The path of an absolute http address.
fn path_of(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.find('/').map_or_else(|| "/".to_owned(), |slash| rest[slash..].to_owned())
}
