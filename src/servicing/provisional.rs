//! Families for versions of Windows that the table does not contain.
//!
//! A new version appears in titles of the Catalog before this program has a row for it. A mirror can search for its
//! updates and keep them, because titles name the product and the version. A provisional family holds exactly that. It
//! has no builds, so no plan rests on it, and the resolver never sees it.
//!
//! Only a version that is newer than each known version of its product gets one: the table is complete before its
//! newest version, so any other version is a mistyped one and is refused.

use super::families::{Families, Family};
use super::product::ProductRefusal;
use super::product_words::{is_release, words};

impl Families {
    /// Returns the family that a mirror is to keep: a known one, or a provisional one. Refuses other names with the
    /// choices.
    pub fn mirrored(&self, requested: &str) -> Result<Family, ProductRefusal> {
        match self.one_product(requested, None) {
            Ok(product) => Ok(product.family.clone()),
            Err(refusal) => self.provisional(requested).ok_or(refusal),
        }
    }

    /// Returns a family for a product of the table with a newer version than any in the table, or `None` for other
    /// names.
    ///
    /// Its architectures are those of the newest known version of the product, because no public source states those
    /// of the next version.
    pub fn provisional(&self, requested: &str) -> Option<Family> {
        let requested = words(requested);
        let (product, release) = requested.rsplit_once(' ').filter(|(_, release)| is_release(release))?;
        let release = release.to_ascii_uppercase();
        let known = self.iter().flat_map(|family| {
            family.title_pairs().filter_map(move |(name, release)| Some((release?, name, family)))
        });
        let of_product = known.filter(|(_, name, _)| words(name) == product);
        // Versions sort as texts: "1909", "2004", "20H2", "26H1".
        let (newest, name, family) = of_product.max_by(|(a, ..), (b, ..)| a.cmp(b))?;
        (release.as_str() > newest).then(|| family.next_version(name, &release))
    }
}

impl Family {
    /// Returns the warning that only titles are known of a provisional family.
    pub fn provisional_warning(&self) -> Option<String> {
        self.is_provisional().then(|| {
            format!(
                "{} is not in the knowledge tables: only titles of the Catalog name its updates, and its builds, \
                checkpoints, and end of servicing are unknown; \"A version of Windows that the tables do not \
                contain\" in mirror-layout.md shows how to add it",
                self.name
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::servicing::Knowledge;
    use crate::update::{Architecture, slug};

    #[test]
    fn newer_version_of_a_known_product_gets_a_family() {
        let knowledge = Knowledge::built_in().unwrap();
        let families = knowledge.families();
        for spelled in ["Windows 11 27H2", "windows-11-27h2", "Windows 11, version 27H2", "win11 27 H2"] {
            let family = families.provisional(spelled).unwrap();
            assert_eq!(
                (family.name.as_str(), family.folder.as_str()),
                ("Windows 11 27H2", "windows-11-27h2")
            );
            assert_eq!(family.architectures, [Architecture::X64, Architecture::Arm64]);
            assert!(family.is_provisional() && family.builds.is_empty());
            assert!(family.has_product("Windows 11", Some("27H2")), "titles name it");
            assert!(!family.has_product("Windows 11", Some("26H1")));
            assert_eq!(family.folder, slug(&family.search_words()), "as set folders");
        }
        let server = families.provisional("Microsoft server operating system-27H2").unwrap();
        assert!(server.folder.starts_with("microsoft-server-operating-system"), "{}", server.folder);
    }

    #[test]
    fn known_old_and_unrelated_names_get_no_family() {
        let knowledge = Knowledge::built_in().unwrap();
        let names = [
            "Windows 11 24H2", // known
            "Windows 11 22H1", // older than the newest, and not in the table
            "Windows 10 1909",
            "Windows 11",
            "27H2",
            "29600",
            "Office 27H2",
            "Windows 11 27H3",
            "",
        ];
        for name in names {
            assert_eq!(knowledge.families().provisional(name), None, "{name}");
        }
        assert!(knowledge.families().iter().all(|family| !family.is_provisional()));
    }
}
