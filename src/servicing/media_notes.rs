//! The table of notes on images and media: what they need beside their packages, and sources that disagree. A row without
//! a place, a text, or a source is refused.

use serde::Deserialize;

use super::families::{Family, FamilyReference, Installation};
use super::finding::{TableFinding, find_missing_sources};
use super::table::{check_format, read_table};
use crate::error::Result;
use crate::update::Build;

/// A place that takes packages offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaPlace {
    /// `install.wim`.
    Image,
    /// `boot.wim`.
    Winpe,
    /// `winre.wim`.
    Winre,
    /// The setup files of media.
    Media,
}

/// The circumstance in which a note applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaCondition {
    /// Every plan.
    #[default]
    Always,
    /// Features or languages are being added, and a checkpoint is left out.
    FeaturesPastCheckpoint,
}

/// A note on an image or on media.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaNote {
    /// The ids of the families; all families if it is empty.
    #[serde(default)]
    families: Vec<u32>,
    /// Client or server, if the note is for one of them.
    #[serde(default)]
    installation: Option<Installation>,
    /// The places.
    places: Vec<MediaPlace>,
    /// The first build to which the note applies.
    #[serde(default)]
    from: Option<Build>,
    /// The circumstance.
    #[serde(default)]
    pub when: MediaCondition,
    /// The note.
    pub text: String,
    /// The source of the row.
    pub source: String,
}

impl MediaNote {
    /// Returns `true` if the note is for a place and for a build of a family. An unknown build has no notes that begin
    /// with a build. Media have no build, and all their notes apply.
    pub fn is_for(&self, place: MediaPlace, family: Option<&Family>, build: Option<Build>) -> bool {
        let is_of_family = match family {
            Some(family) => {
                (self.families.is_empty() || self.families.contains(&family.id))
                    && self.installation.is_none_or(|own| own == family.installation)
            }
            None => self.families.is_empty() && self.installation.is_none(),
        };
        let has_begun = self.from.is_none_or(|from| {
            place == MediaPlace::Media || build.is_some_and(|build| build.revision >= from.revision)
        });
        self.places.contains(&place) && is_of_family && has_begun
    }
}

/// The table of notes on images and media.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaNotes {
    format: u32,
    #[serde(default)]
    note: Vec<MediaNote>,
}

const NAME: &str = "media.toml";

impl MediaNotes {
    pub(super) fn read(text: &str) -> Result<Self> {
        let table: Self = read_table(NAME, text)?;
        check_format(NAME, table.format)?;
        Ok(table)
    }

    /// Returns all notes.
    pub fn all(&self) -> &[MediaNote] {
        &self.note
    }

    /// Returns the family id of each row.
    pub(super) fn families(&self) -> Vec<FamilyReference> {
        let ids = self.note.iter().flat_map(|row| &row.families);
        ids.map(|id| FamilyReference::new(NAME, id, *id)).collect()
    }

    pub(super) fn faults(&self) -> Vec<TableFinding> {
        let named = |row: &MediaNote| row.text.chars().take(40).collect::<String>();
        let mut faults = find_missing_sources(NAME, self.note.iter().map(|row| (named(row), &row.source)));
        for row in self.note.iter().filter(|row| row.places.is_empty() || row.text.trim().is_empty()) {
            faults.push(TableFinding::new(NAME, "note_empty", named(row), "a note has no place or no text"));
        }
        for row in &self.note {
            let Some(from) = row.from else { continue };
            // Revisions are comparable only within a family.
            if row.families.len() != 1 {
                let message = format!("a note that begins with {from} is for one family only");
                faults.push(TableFinding::new(NAME, "note_families", named(row), message));
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servicing::Knowledge;
    use crate::servicing::finding::refuse_findings;

    const TABLE: &str = include_str!("data/media.toml");

    fn parse(text: &str) -> Result<MediaNotes> {
        let table = MediaNotes::read(text)?;
        refuse_findings(table.faults())?;
        Ok(table)
    }

    #[test]
    fn note_begins_with_its_build_and_family() {
        let (table, knowledge) = (parse(TABLE).unwrap(), Knowledge::built_in().unwrap());
        let family = |id, installation| {
            let mut families = knowledge.families().iter();
            families.find(|family| family.id == id && family.installation == installation)
        };
        let client = family(26100, Installation::Client);
        let has = |place, family: Option<&Family>, build: Option<Build>| {
            let mut notes = table.all().iter().filter(|row| row.is_for(place, family, build));
            notes.any(|row| row.text.contains("boot.stl"))
        };
        let build = |revision| Some(Build::new(26200, revision));
        assert!(has(MediaPlace::Image, client, build(8655)));
        assert!(has(MediaPlace::Winpe, client, build(9457)));
        assert!(!has(MediaPlace::Winpe, client, build(8654)));
        assert!(!has(MediaPlace::Winpe, client, None), "an unknown build");
        assert!(!has(MediaPlace::Winre, client, build(8655)));
        assert!(has(MediaPlace::Media, client, None), "a Setup update has no build");
        assert!(!has(MediaPlace::Image, family(26100, Installation::Server), build(32995)));
        assert!(!has(MediaPlace::Media, family(19041, Installation::Client), None));
        assert!(!has(MediaPlace::Media, None, None), "an unknown family");
    }

    #[test]
    fn note_without_text_source_or_family_is_refused() {
        for (from, to) in [
            (r#"places = ["winre"]"#, "places = []"),
            (r#"source = "learn.microsoft.com, media-dynamic-update, step 27""#, r#"source = " ""#),
            ("families = [26100]", "families = [26100, 22621]"),
        ] {
            assert!(parse(&TABLE.replacen(from, to, 1)).is_err(), "{from}");
        }
    }
}
