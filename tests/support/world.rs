//! The content of a Catalog written by a test: updates, their files, and the search.

use std::collections::HashMap;
use std::sync::Arc;

use data_encoding::{BASE64, HEXLOWER};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::file_answer::file_answer;
use super::http::{Answer, Request};
use super::loopback::{Hosts, ListenerRole};
use super::pages::{self, Dialect, SearchResults};

/// The maximum number of rows that the Catalog returns.
const MAX_ROWS: usize = 1000;

/// The content of a Catalog.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    updates: Vec<UpdateSpec>,
}

impl World {
    /// Returns an empty Catalog.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds an update. Searches list updates in the order in which they were added.
    pub(crate) fn update(mut self, update: UpdateSpec) -> Self {
        self.updates.push(update);
        self
    }
}

/// An update.
#[derive(Debug, Clone)]
pub(crate) struct UpdateSpec {
    pub(crate) id: String,
    pub(crate) title: String,
    /// The products cell: names separated by commas.
    pub(crate) products: String,
    pub(crate) classification: String,
    /// The date as `M/D/YYYY`.
    pub(crate) last_updated: String,
    /// The files in the order of the dialog. The sum of their `bytes` is the size of the update.
    pub(crate) files: Vec<FileSpec>,
    /// The update ids and titles of newer updates.
    pub(crate) superseded_by: Vec<(String, String)>,
    /// The titles of older updates.
    pub(crate) supersedes: Vec<String>,
    /// The KB numbers, digits only, as on the details page.
    pub(crate) kbs: Vec<String>,
}

impl UpdateSpec {
    /// Returns a security update for Windows 11 of 9/10/2024 without files or related updates. Its KB is the title's
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

    /// Returns `true` if every word of a search is in the title or products, ignoring case. `"two words"` count as
    /// one word, and a word after `-` must be absent.
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

/// Returns the words of a search. A quoted phrase is one word, without its quotes.
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

/// A digest as stated in the dialog.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum StatedDigest {
    /// The digest of [`FileSpec::bytes`].
    #[default]
    Truth,
    /// `''`, as in entries of 2016 and 2017.
    Empty,
    /// A missing line in the dialog, as for SHA-256 before 2020.
    NoLine,
    /// This text.
    Text(String),
}

impl StatedDigest {
    /// Returns the text of the dialog's line, or `None` if the line is missing.
    pub(super) fn text<T: AsRef<[u8]>>(&self, truth: impl FnOnce() -> T) -> Option<String> {
        match self {
            Self::Truth => Some(BASE64.encode(truth().as_ref())),
            Self::Empty => Some(String::new()),
            Self::NoLine => None,
            Self::Text(text) => Some(text.clone()),
        }
    }
}

/// A package file.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileSpec {
    pub(crate) name: String,
    /// The bytes to which the stated digests and sizes belong.
    pub(crate) bytes: Vec<u8>,
    /// The bytes that the CDN sends in place of `bytes`.
    pub(crate) served: Option<Vec<u8>>,
    pub(crate) sha1_stated: StatedDigest,
    pub(crate) sha256_stated: StatedDigest,
    /// The URL in the dialog, if it is not the default URL on the CDN. `{catalog}` and `{cdn}` stand for the hosts
    /// and ports of the listeners. Both listeners serve the file under the path of this URL.
    pub(crate) url: Option<String>,
}

impl FileSpec {
    /// Returns a file with a name in Microsoft's form: `windows11.0-kb5043080-arm64_<SHA-1>.msu`.
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

    /// Returns the URL in the dialog. Equal files have equal URLs.
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

/// Returns the update id with this number, the same in every test.
pub(crate) fn id(number: u32) -> String {
    format!("{number:08x}-5eed-4000-8000-{number:012x}")
}

/// A [`World`] with URLs, ready to answer requests.
#[derive(Debug)]
pub(super) struct ServedWorld {
    world: World,
    hosts: Hosts,
    /// The files by the path of their URL.
    files: HashMap<String, Arc<[u8]>>,
}

impl ServedWorld {
    pub(super) fn new(world: World, hosts: &Hosts) -> Self {
        let files = world.updates.iter().flat_map(|update| &update.files);
        let files = files.map(|file| (path_of(&file.address(hosts)), file.served().into())).collect();
        Self { world, hosts: hosts.clone(), files }
    }

    pub(super) fn answer(&self, role: ListenerRole, request: &Request) -> Option<Answer> {
        if let Some(bytes) = self.files.get(&request.path) {
            return Some(file_answer(request, bytes, &Vec::new()));
        }
        match (role, request.path.as_str()) {
            (ListenerRole::Catalog, "/Search.aspx") => Some(Answer::page(self.search(request))),
            (ListenerRole::Catalog, "/ScopedViewInline.aspx") => Some(self.details(request)),
            (ListenerRole::Catalog, "/DownloadDialog.aspx") => Some(Answer::page(self.dialog(request))),
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
        pages::search(&SearchResults { search, rows: given, page, more: rows.len() > MAX_ROWS })
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

    /// Returns the dialog of the requested updates, or an empty dialog if an update is unknown or the form is
    /// invalid.
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

/// Returns the path of an absolute http URL.
fn path_of(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.find('/').map_or_else(|| "/".to_owned(), |slash| rest[slash..].to_owned())
}
