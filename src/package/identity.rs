//! The identity of a package, as its metadata state it.

use roxmltree::Node;
use schemars::JsonSchema;
use serde::Serialize;

use crate::update::{Architecture, Kb};

/// The identity of an assembly or a package of Windows: an `assemblyIdentity`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AssemblyIdentity {
    /// The name: `Package_for_KB2465285`.
    pub name: String,
    /// The version with four parts: `6.1.7601.17514`.
    pub version: Option<String>,
    /// The processor architecture in the words of the package: `amd64`.
    pub processor_architecture: Option<String>,
    /// The language; `neutral` for most packages.
    pub language: Option<String>,
    /// The token of the public key of its publisher.
    pub public_key_token: Option<String>,
}

impl AssemblyIdentity {
    /// Returns the identity in the attributes of an element, or `None` without a name.
    pub(super) fn of(node: Node<'_, '_>) -> Option<Self> {
        let attribute = |name: &str| node.attribute(name).map(str::to_owned);
        Some(Self {
            name: attribute("name")?,
            version: attribute("version"),
            processor_architecture: attribute("processorArchitecture"),
            language: attribute("language"),
            public_key_token: attribute("publicKeyToken"),
        })
    }

    /// Returns the architecture, or `None` for a package of several architectures.
    pub fn architecture(&self) -> Option<Architecture> {
        self.processor_architecture.as_deref()?.parse().ok()
    }

    /// Returns the KB in the name, or `None` if the name contains none.
    pub fn kb(&self) -> Option<Kb> {
        let parts = self.name.split(['_', '-', '~']);
        let mut kbs = parts.filter(|part| has_prefix(part)).filter_map(|part| part.parse().ok());
        kbs.next()
    }
}

fn has_prefix(part: &str) -> bool {
    part.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("kb"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kb_of_a_name_is_found() {
        let kb = |name: &str| {
            let identity = AssemblyIdentity {
                name: name.to_owned(),
                version: None,
                processor_architecture: None,
                language: None,
                public_key_token: None,
            };
            identity.kb().map(|kb| kb.to_string())
        };
        assert_eq!(kb("Package_for_KB2465285").as_deref(), Some("KB2465285"));
        assert_eq!(kb("Package_for_KB2465285_SP1").as_deref(), Some("KB2465285"));
        assert_eq!(kb("Package_for_RollupFix"), None);
        assert_eq!(kb("Package_for_1234567"), None);
        assert_eq!(kb("kü"), None);
    }
}
