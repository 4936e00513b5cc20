//! An update as the index describes it.

use jiff::civil::Date;

use super::file::FileKey;
use crate::servicing::{Family, Installation, Knowledge};
use crate::update::title::{Title, TitleVersion, is_windows_version};
use crate::update::{Architecture, Build, Kb, Kind, Month, UpdateId};

/// The facts of one update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateFacts {
    /// The update id.
    pub id: UpdateId,
    /// The Catalog's title.
    pub title: String,
    /// The KB of the title, else of the details page.
    pub kb: Option<Kb>,
    /// The kind of the update.
    pub kind: Option<Kind>,
    /// The month of the title.
    pub month: Option<Month>,
    /// Product words of the title.
    pub product: Option<String>,
    /// Version words of the title.
    pub release: Option<String>,
    /// The Catalog's product string.
    pub products: String,
    /// Architecture of the title.
    pub architecture: Option<Architecture>,
    /// Build suffix of the title.
    pub build: Option<Build>,
    /// Date of the entry.
    pub last_updated: Option<Date>,
    /// The total size of the files, as the search page states it.
    pub size: Option<u64>,
    /// The files in the dialog's order; `None` if the dialog was never read.
    pub files: Option<Vec<FileKey>>,
    /// The date on which the dialog was last read.
    pub files_seen: Option<Date>,
    /// The removal from the Catalog; `None` if the Catalog still shows the update.
    pub expired: Option<Disappearance>,
}

/// The facts of an update that disappeared from the Catalog. Disappearance alone is not a fault of the
/// update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disappearance {
    /// The first day on which the update was certainly missing.
    pub since: Date,
    /// The newest KB that replaces the update, as the Catalog stated.
    pub successor: Option<Kb>,
}

/// The other end of a replacement. The field names are part of JSON and do not change.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct RelatedUpdate {
    /// The identifier; null if the title matches no single update.
    pub update_id: Option<UpdateId>,
    /// The title.
    pub title: String,
}

impl UpdateFacts {
    /// Returns the family that the title names, or `None` if the title names no known family. If product and build
    /// of the title contradict each other, the build decides.
    pub fn family<'k>(&self, knowledge: &'k Knowledge) -> Option<&'k Family> {
        let product = self.product.as_deref()?;
        let named = knowledge.families().of_title(product, self.release.as_deref());
        let Some(build) =
            self.build.filter(|build| !named.is_some_and(|own| own.builds.contains(&build.number)))
        else {
            return named;
        };
        let is_server = product.to_ascii_lowercase().contains("server");
        let guessed = if is_server { Installation::Server } else { Installation::Client };
        let installation = named.map_or(guessed, |family| family.installation);
        let mut of_build = knowledge.families().of_build(build.number).peekable();
        if of_build.peek().is_none() {
            return named;
        }
        of_build.find(|family| family.installation == installation)
    }

    /// Returns the version of Windows that the title names and the tables do not contain: another version of a known
    /// product, or another product.
    pub fn unknown_version(&self, knowledge: &Knowledge) -> Option<String> {
        let product = self.product.as_deref()?;
        let has_known_product = knowledge.families().iter().any(|family| family.has_product_word(product));
        let is_windows = if has_known_product { self.release.is_some() } else { is_windows_version(product) };
        (is_windows && self.family(knowledge).is_none()).then(|| self.product_name())
    }

    /// Returns the KB that a machine must not have, as the title states: "… without KB2919355".
    pub fn without(&self) -> Option<Kb> {
        Title::parse(&self.title).without
    }

    /// Returns the version of the program that the title names.
    pub fn version(&self) -> Option<TitleVersion> {
        Title::parse(&self.title).version
    }

    /// Returns product and version for display, such as "Windows 11, version 24H2", or the title if it names
    /// no product.
    pub fn product_name(&self) -> String {
        match (&self.product, &self.release) {
            (Some(product), Some(release)) => format!("{product}, version {release}"),
            (Some(product), None) => product.clone(),
            (None, _) => self.title.clone(),
        }
    }
}
