//! The facts from which the views of a KB are made.

use crate::documents::KbDocument;
use crate::resolve::Plan;
use crate::update::{Architecture, Build};

/// A set of a KB with its plan and script.
#[derive(Debug, Default)]
pub struct PlannedView {
    /// The complete plan, or `None` if the knowledge has other files of the KB.
    pub plan: Option<Plan>,
    /// The install script for running machines, or `None` if no script can install the set.
    pub script: Option<String>,
}

/// The facts of a KB from which its views are made.
#[derive(Debug)]
pub struct KbFacts {
    /// The document of the KB.
    pub document: KbDocument,
    /// The builds that the KB's updates install, by architecture.
    pub builds: Vec<(Option<Architecture>, Build)>,
    /// The plans of the sets, in the order of the document.
    pub planned: Vec<PlannedView>,
}
