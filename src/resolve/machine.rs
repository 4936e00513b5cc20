//! The knowledge about one device or image, as a value. Host files, command lines, batch lines, and requests about
//! folders all convert into it.
//!
//! `None` stands for what is unknown, which is not the same as false. Nothing here is guessed. A mirror is a place too:
//! it keeps the complete set of everything, so neither its build nor its installed KBs count.

use super::place::Place;
use crate::servicing::{Dotnet, Installation};
use crate::update::{Architecture, Build, Kb};

/// A device or an image to which packages go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its architecture.
    pub architecture: Option<Architecture>,
    /// The build that it is at.
    pub baseline: Option<Build>,
    /// Client or server, where the build alone does not tell.
    pub installation: Option<Installation>,
    /// `EditionID`: `Professional`, `EnterpriseS`.
    pub edition: Option<String>,
    /// The place that takes the packages.
    pub place: Place,
    /// `true` if features on demand or language packs are being added.
    pub features_on_demand: bool,
    /// The .NET Framework that is installed.
    pub dotnet: Option<Dotnet>,
    /// `true` if it is prepared for Extended Security Updates.
    pub esu: Option<bool>,
    /// The KBs that are installed, as far as they matter.
    pub installed: Vec<Kb>,
}

impl Default for Machine {
    /// Returns a running machine of which nothing is known.
    fn default() -> Self {
        Self {
            architecture: None,
            baseline: None,
            installation: None,
            edition: None,
            place: Place::Online,
            features_on_demand: false,
            dotnet: None,
            esu: None,
            installed: Vec::new(),
        }
    }
}

impl Machine {
    /// Returns the build, where it counts.
    pub(super) fn at(&self) -> Option<Build> {
        self.baseline.filter(|_| self.place != Place::Mirror)
    }

    /// Returns `true` if features are added to an image, which then needs the whole payload beside it.
    pub(super) fn adds_features_to_image(&self) -> bool {
        self.features_on_demand && self.place == Place::Image
    }

    /// Returns `true` if a KB is installed and that counts.
    pub(crate) fn has(&self, kb: Kb) -> bool {
        self.place != Place::Mirror && self.installed.contains(&kb)
    }
}
