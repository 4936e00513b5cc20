//! The files beside the set folders of a KB: digests for `sha256sum -c`, JSON for programs, a page for people, and
//! the install scripts.
//!
//! Pure: the document of the KB, the plans of its sets, and the knowledge of the run become texts. The same input
//! gives the same texts, so that a file on disk can be compared with the expected text. Only the JSON
//! serialization can fail.

mod facts;
mod places;
mod readme;

use std::fmt::Write as _;

pub use facts::{KbFacts, PlannedView};
pub use places::{PlacedFile, PublishedPlaces};

use crate::documents::{KbDocument, SetRecord};
use crate::error::{Error, Result};
use crate::facts::SetFolder;
use crate::resolve::Plan;
use crate::script::{FileLocations, ScriptTarget, install_script, script_job};
use crate::servicing::Knowledge;

/// The texts of the files beside the set folders of a KB.
#[derive(Debug)]
pub struct KbViews {
    /// The document of the KB, from which `json` is made.
    pub document: KbDocument,
    /// `SHA256SUMS`.
    pub sums: String,
    /// `<KB>.json`.
    pub json: String,
    /// `README.txt`.
    pub readme: String,
    /// The install scripts, each with the set folder beside it.
    pub scripts: Vec<(SetFolder, String)>,
}

/// Makes the views of a KB.
pub fn kb_views(facts: KbFacts) -> Result<KbViews> {
    let mut json = serde_json::to_string_pretty(&facts.document).map_err(Error::cannot_write_json)?;
    json.push('\n');
    let (sums, readme) = (sha256sums(&facts.document.sets), readme::readme(&facts));
    let sets = facts.document.sets.iter().zip(facts.planned);
    let scripts = sets.filter_map(|(set, planned)| Some((set.folder.clone(), planned.script?))).collect();
    Ok(KbViews { sums, json, readme, scripts, document: facts.document })
}

/// Returns the text of `SHA256SUMS` for some sets of a KB.
fn sha256sums(sets: &[SetRecord]) -> String {
    let mut sums = String::new();
    for file in sets.iter().flat_map(|set| &set.files) {
        if let Some(sha256) = file.sha256 {
            // Formatting into a string cannot fail.
            let _ = writeln!(sums, "{sha256}  {}", file.path);
        }
    }
    sums
}

/// Returns the install script of a plan for running machines, or `None` if no script can carry out the plan.
pub fn online_script(
    plan: &Plan,
    knowledge: &Knowledge,
    is_demo: bool,
    places: &dyn FileLocations,
) -> Option<String> {
    let job = script_job(plan, Some(ScriptTarget::Online), knowledge, is_demo, places).ok()?;
    Some(install_script(&job))
}

#[cfg(test)]
mod tests;
