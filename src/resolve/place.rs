//! The place that takes the packages, as a value.

use serde::{Deserialize, Serialize};

/// The place that takes the packages.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Place {
    /// A running machine.
    Online,
    /// An offline `install.wim`.
    Image,
    /// `boot.wim`.
    Winpe,
    /// `winre.wim`.
    Winre,
    /// The setup files of media, `\sources`.
    Media,
    /// A mirror: the complete set, independent of the baseline.
    Mirror,
}
