//! `*-pkgProperties.txt`: lines of `key="value"` beside the cabinet of an `.msu`.
//!
//! Unknown keys and lines of another form are left out. A value that is not understood stays unknown.

use schemars::JsonSchema;
use serde::Serialize;

use crate::update::{Architecture, Kb};

/// The properties of a package, as far as they are stated.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct PackageProperties {
    /// The KB.
    pub kb: Option<Kb>,
    /// The architecture.
    pub architecture: Option<Architecture>,
    /// The type in the words of the package: `Hotfix`, `Security Update`.
    pub package_type: Option<String>,
    /// The system to which it applies: `Windows 6.1`.
    pub applies_to: Option<String>,
    /// The products to which it applies: `Windows 7.0 Client SP1`.
    pub applicability: Vec<String>,
    /// The day of its build in the words of the package: `2010/12/22`.
    pub build_date: Option<String>,
    /// The language: `ALL`.
    pub language: Option<String>,
}

/// Reads the properties of a text.
pub(super) fn read(text: &str) -> PackageProperties {
    let mut properties = PackageProperties::default();
    for line in text.lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        let value = value.trim();
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        if value.is_empty() {
            continue;
        }
        let text = || Some(value.to_owned());
        match key.trim().to_ascii_lowercase().as_str() {
            "kb article number" => properties.kb = value.parse().ok(),
            "processor architecture" => properties.architecture = value.parse().ok(),
            "package type" => properties.package_type = text(),
            "applies to" => properties.applies_to = text(),
            "applicabilityinfo" => {
                let parts = value.split(';').map(str::trim).filter(|part| !part.is_empty());
                properties.applicability = parts.map(str::to_owned).collect();
            }
            "build date" => properties.build_date = text(),
            "language" => properties.language = text(),
            _ => {}
        }
    }
    properties
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_read_and_the_rest_is_left_out() {
        let text = "ApplicabilityInfo=\"Windows 7.0 Client SP1;Windows 7.0 Client;\"\r\n\
                    KB Article Number=\"2465285\"\r\n\
                    Processor Architecture=\"amd64\"\r\nnothing\r\nLanguage=\"\"\r\nPackage Type=\"Hotfix\"\r\n";
        let properties = read(text);
        assert_eq!(properties.kb.unwrap().to_string(), "KB2465285");
        assert_eq!(properties.architecture, Some(Architecture::X64));
        assert_eq!(properties.applicability, ["Windows 7.0 Client SP1", "Windows 7.0 Client"]);
        assert_eq!((properties.package_type.as_deref(), properties.language), (Some("Hotfix"), None));
        assert_eq!(read("KB Article Number=\"none\"").kb, None);
    }
}
