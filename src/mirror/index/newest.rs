//! The newest updates: by the months of their titles, and by supersedence.

use super::Index;
use super::read::{UPDATE_COLUMNS, read_update};
use crate::error::Result;
use crate::facts::UpdateFacts;
use crate::update::{Kb, Month, classify};

impl Index {
    /// Returns the newest month at the beginning of a seen update's title.
    pub fn newest_month(&self) -> Result<Option<Month>> {
        let sql = "SELECT title FROM updates WHERE title >= '2000' AND title < '2100'
            AND title GLOB '20[0-9][0-9]-[01][0-9] *' AND NOT mentioned_only ORDER BY title DESC LIMIT 1";
        let title: Option<String> = self.first(sql, [], |row| row.get(0))?;
        Ok(title.and_then(|title| title.get(..7)?.parse().ok()))
    }

    /// Returns the seen updates whose titles begin with a month.
    pub fn updates_of_month(&self, month: Month) -> Result<Vec<UpdateFacts>> {
        let sql = format!(
            "SELECT {UPDATE_COLUMNS} FROM updates WHERE title >= ?1 AND title < ?2 AND NOT mentioned_only"
        );
        // '!' follows the space in ASCII.
        let bounds = [format!("{month} "), format!("{month}!")];
        Ok(self.rows(&sql, bounds, read_update)?.into_iter().map(|(_, update)| update).collect())
    }

    /// Returns the updates that replace those of a KB, directly or through other updates, as details pages state
    /// it. The facts of an update that was never seen itself come from its title.
    pub fn replacements_of(&self, kb: Kb) -> Result<Vec<UpdateFacts>> {
        let sql = format!(
            "WITH RECURSIVE newer (id) AS (
                SELECT supersedes.newer FROM supersedes JOIN updates older ON older.id = supersedes.older WHERE older.kb = ?1
                UNION
                SELECT supersedes_titles.newer FROM updates older JOIN titles ON titles.title = older.title
                    JOIN supersedes_titles ON supersedes_titles.title_ref = titles.id WHERE older.kb = ?1
                UNION
                SELECT supersedes.newer FROM supersedes JOIN newer ON newer.id = supersedes.older
            )
            SELECT {UPDATE_COLUMNS} FROM newer JOIN updates ON updates.id = newer.id ORDER BY update_id"
        );
        let rows = self.rows(&sql, [kb.number()], read_update)?;
        Ok(rows.into_iter().map(|(_, update)| with_title(update)).collect())
    }
}

/// Adds the facts in the title of an update of which nothing else is recorded.
fn with_title(update: UpdateFacts) -> UpdateFacts {
    if update.kb.is_some() {
        return update;
    }
    let class = classify(&update.title, "", None);
    UpdateFacts {
        kb: class.kb,
        kind: class.kind,
        month: class.month,
        product: class.product,
        release: class.release,
        architecture: class.architecture,
        build: class.build,
        ..update
    }
}
