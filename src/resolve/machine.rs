//! The facts about one device or image, as a value. Host files, command lines, batch lines, and folder checks
//! all convert into it.
//!
//! `None` means unknown, which is not the same as false. Nothing here is guessed. A mirror is a place too: it
//! keeps every set complete, so its build and its installed KBs do not count.

use super::place::Place;
use crate::servicing::{Dotnet, Installation};
use crate::update::{Architecture, Build, Kb};

/// A device or an image that takes packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The architecture.
    pub architecture: Option<Architecture>,
    /// The current build.
    pub baseline: Option<Build>,
    /// Client or server, if the build alone does not decide it.
    pub installation: Option<Installation>,
    /// `EditionID`: `Professional`, `EnterpriseS`.
    pub edition: Option<String>,
    /// The place that takes the packages.
    pub place: Place,
    /// `true` if features on demand or language packs are being added.
    pub features_on_demand: bool,
    /// The installed .NET Framework.
    pub dotnet: Option<Dotnet>,
    /// `true` if the machine is prepared for Extended Security Updates.
    pub esu: Option<bool>,
    /// The installed KBs that matter.
    pub installed: Vec<Kb>,
}

impl Default for Machine {
    /// Returns a running machine without known facts.
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
    /// Returns the build, or `None` for a mirror, whose build does not count.
    pub(super) fn effective_build(&self) -> Option<Build> {
        self.baseline.filter(|_| self.place != Place::Mirror)
    }

    /// Returns `true` if features are added to an image. The image then needs the complete payload beside it.
    pub(super) fn adds_features_to_image(&self) -> bool {
        self.features_on_demand && self.place == Place::Image
    }

    /// Returns `true` if a KB is installed. Always `false` for a mirror.
    pub(crate) fn has_installed(&self, kb: Kb) -> bool {
        self.place != Place::Mirror && self.installed.contains(&kb)
    }
}
