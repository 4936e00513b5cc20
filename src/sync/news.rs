//! The news of a mirror after a run: the updates that arrived, and the updates that they replace.
//!
//! An update is new if nothing of its KB was published before for this family and architecture. The same folder with
//! other files is a re-issue. A lost folder that was made again is not news. Withdrawn updates are those that the
//! knowledge lists as withdrawn. Unlisted updates are those that the Catalog no longer shows, which alone is not a
//! failure.

use std::collections::{BTreeMap, BTreeSet};

use crate::crawl::Failure;
use crate::documents::{News, NewsItem, SetStatus};
use crate::error::{ErrorKind, Result};
use crate::facts::{SetFolder, SetId};
use crate::fetch::FetchedSet;
use crate::mirror::Index;
use crate::mirror::index::{PublishState, UpdateSelector};
use crate::servicing::Knowledge;
use crate::update::title::Title;
use crate::update::{Architecture, Kb, human_size};

/// The format that this program writes.
pub const NEWS_FORMAT: u32 = 1;

/// The published folders by KB and folder, each with its set.
pub(super) type PublishedFolders = BTreeMap<(Kb, SetFolder), SetId>;

/// Returns the published folders.
pub(super) fn read_published_folders(index: &Index) -> Result<PublishedFolders> {
    let folders = index.published_folders(None)?.into_iter();
    let published = folders.filter(|(.., state)| *state == PublishState::Published);
    Ok(published.map(|(kb, folder, set, _)| ((kb, folder), set)).collect())
}

impl News {
    /// Returns the news of a run.
    pub(super) fn of_run(
        before: &PublishedFolders,
        sets: &[FetchedSet],
        failures: &[Failure],
        index: &Index,
        time: String,
    ) -> Result<Self> {
        let mut news = Self { format: NEWS_FORMAT, time, ..Self::default() };
        for fetched in sets.iter().filter(|fetched| fetched.status == SetStatus::Published) {
            let row = &fetched.planned.row;
            if before.values().any(|set| *set == row.id) {
                continue;
            }
            let item = item_of(fetched, index)?;
            if before.contains_key(&(row.kb, row.folder.clone())) {
                news.reissued.push(item);
            } else {
                news.new.push(item);
            }
        }
        // An item that a budget deferred to the next run did not fail.
        news.failed =
            failures.iter().filter(|failure| failure.kind != ErrorKind::Budget).map(Failure::line).collect();
        Ok(news)
    }

    /// Returns `true` if no news exists.
    pub fn is_empty(&self) -> bool {
        let Self { format: _, time: _, new, reissued, withdrawn, unlisted, failed } = self;
        new.is_empty()
            && reissued.is_empty()
            && withdrawn.is_empty()
            && unlisted.is_empty()
            && failed.is_empty()
    }

    /// Returns the news for people, by product.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut by_product: BTreeMap<String, Vec<(&NewsItem, &str)>> = BTreeMap::new();
        let marked = self.new.iter().map(|item| (item, "new"));
        for (item, mark) in marked.chain(self.reissued.iter().map(|item| (item, "re-issued, other files"))) {
            by_product.entry(item.products.join("; ")).or_default().push((item, mark));
        }
        for (product, items) in by_product {
            lines.push(product);
            for (item, mark) in items {
                let month = item.month.map(|month| format!(" of {month}")).unwrap_or_default();
                let architecture = item.architecture.map_or("any", Architecture::as_str);
                let size = item.size.map(|size| format!(", {}", human_size(size))).unwrap_or_default();
                lines.push(format!("  {}{month} ({architecture}{size}): {mark}", item.kb));
                if !item.needed_by.is_empty() {
                    lines.push(format!("    needed by {}", joined(&item.needed_by)));
                }
                if !item.replaces.is_empty() {
                    lines.push(format!("    replaces {}", joined(&item.replaces)));
                }
            }
        }
        if !self.withdrawn.is_empty() {
            lines.push(format!("withdrawn by Microsoft, still in the mirror: {}", joined(&self.withdrawn)));
        }
        if !self.unlisted.is_empty() {
            lines.push(format!("no longer in the Catalog, still in the mirror: {}", joined(&self.unlisted)));
        }
        lines.extend(self.failed.iter().map(|failed| format!("failed: {failed}")));
        lines
    }
}

fn joined<'k>(kbs: impl IntoIterator<Item = &'k Kb>) -> String {
    kbs.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn item_of(fetched: &FetchedSet, index: &Index) -> Result<NewsItem> {
    let row = &fetched.planned.row;
    let own = &fetched.planned.set.updates;
    let (updates, _) = index.details_of(UpdateSelector::Kb(row.kb))?;
    let replaced = updates.iter().filter(|update| own.contains(&update.facts.id));
    let replaced =
        replaced.flat_map(|update| &update.supersedes).filter_map(|one| Title::parse(&one.title).kb);
    let replaces: BTreeSet<Kb> = replaced.filter(|kb| *kb != row.kb).collect();
    let products: Vec<String> = row.products.split("; ").map(str::to_owned).collect();
    Ok(NewsItem {
        kb: row.kb,
        month: fetched.planned.set.month,
        product_list: products.clone(),
        products,
        architecture: row.architecture,
        folder: format!("kb/{}/{}", row.kb, row.folder),
        size: row.members.iter().map(|member| member.file.size).sum(),
        replaces: replaces.into_iter().collect(),
        needed_by: fetched.planned.needed_by.clone(),
    })
}

/// Returns the published KBs that the knowledge lists as withdrawn.
pub(super) fn withdrawn(folders: &PublishedFolders, knowledge: &Knowledge) -> Vec<Kb> {
    let kbs: BTreeSet<Kb> = folders.keys().map(|(kb, _)| *kb).collect();
    kbs.into_iter().filter(|&kb| knowledge.withdrawn().of_kb(kb).is_some()).collect()
}
