//! The kinds of updates: one list that defines words, parsing, and order.

use std::fmt;
use std::str::FromStr;

use super::{ParseError, serde_as_text};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The kind of an update. The words are part of the JSON interface.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[$doc])* $name,)*
        }

        impl Kind {
            /// All kinds, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns the word used in options, in JSON, and in the index.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

kinds! {
    /// Latest cumulative update of Windows, monthly or out of band.
    Lcu = "lcu",
    /// Optional preview of the next cumulative update, or of the next monthly rollup.
    LcuPreview = "lcu_preview",
    /// Copy of the cumulative update that only Windows Setup takes.
    DynamicCu = "dynamic_cu",
    /// Cumulative update of .NET Framework.
    DotnetCu = "dotnet_cu",
    /// Preview of the next cumulative update of .NET Framework.
    DotnetPreview = "dotnet_preview",
    /// .NET Framework itself.
    DotnetFeature = "dotnet_feature",
    /// Separate servicing stack update.
    Ssu = "ssu",
    /// Dynamic update for the recovery environment.
    SafeosDu = "safeos_du",
    /// Dynamic update for the setup files of media.
    SetupDu = "setup_du",
    /// Dynamic update for components, as in 2016.
    ComponentDuCritical = "component_du_critical",
    /// A dynamic update whose kind neither title nor products state.
    DuAmbiguous = "du_ambiguous",
    /// Enablement package, which switches a version on.
    Enablement = "enablement",
    /// Preparation for Extended Security Updates.
    EsuLicensing = "esu_licensing",
    /// Restart-less update between two baselines.
    Hotpatch = "hotpatch",
    /// Differences to exactly the previous month, until 2019. It is recorded, and never fetched or planned.
    Delta = "delta",
    /// Monthly rollup of Windows 7 to 8.1.
    MonthlyRollup = "monthly_rollup",
    /// Security-only update of Windows 7 to 8.1.
    SecurityOnly = "security_only",
    /// A single security update that is not cumulative.
    SecurityStandalone = "security_standalone",
    /// Cumulative update of Internet Explorer.
    IeCu = "ie_cu",
    /// Adobe Flash Player, or its removal.
    Flash = "flash",
    /// Office and server applications: Exchange, SQL Server, and others.
    OfficeOrServerApp = "office_or_server_app",
    /// An application, such as the new Microsoft Edge.
    App = "app",
    /// Any other "Update for …".
    UpdateOther = "update_other",
    /// The heading of a KB article, not a Catalog title.
    KbHeading = "kb_heading",
}

impl Kind {
    /// Returns `true` for the variants that Windows Setup downloads for itself. They resemble the update that an
    /// operator wants, therefore `fetch` excludes them unless they are requested.
    pub fn is_dynamic(self) -> bool {
        matches!(
            self,
            Self::DynamicCu | Self::SafeosDu | Self::SetupDu | Self::ComponentDuCritical | Self::DuAmbiguous
        )
    }

    /// Returns `true` for cumulative updates of Windows itself, to which builds and checkpoints refer.
    pub fn is_windows_cumulative(self) -> bool {
        matches!(self, Self::Lcu | Self::LcuPreview | Self::DynamicCu)
    }

    /// Returns `true` for cumulative updates of .NET Framework, whose entries contain child packages with KBs of their
    /// own.
    pub fn is_dotnet(self) -> bool {
        matches!(self, Self::DotnetCu | Self::DotnetPreview)
    }
}

impl FromStr for Kind {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let found = Self::ALL.iter().copied().find(|kind| kind.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| ParseError::new("a kind of update such as lcu or dotnet_cu", text))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

serde_as_text!(Kind, "Kind", "A kind of update", words Kind::ALL);
