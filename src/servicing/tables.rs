//! The texts of the tables by file name, with the purpose of each table.

use serde::Serialize;
use serde_json::Value;
use sha2::Digest as _;

use super::table::read_table;
use crate::error::Result;
use crate::update::Sha256;

macro_rules! tables {
    ($($field:ident = $file:literal, $about:literal;)*) => {
        /// The texts of the tables, by file name.
        #[derive(Debug, Clone, Copy)]
        pub struct Tables<'a> {
            $(#[doc = concat!("`", $file, "`: ", $about)] pub $field: &'a str,)*
        }

        impl Tables<'static> {
            /// Returns the compiled-in tables.
            pub const fn built_in() -> Self {
                Self { $($field: include_str!(concat!("data/", $file)),)* }
            }
        }

        impl<'a> Tables<'a> {
            /// The file names of all tables.
            pub const NAMES: &'static [&'static str] = &[$($file,)*];

            /// Replaces the text of a table. Returns `false` if no table has this name.
            pub fn replace(&mut self, name: &str, text: &'a str) -> bool {
                match name {
                    $($file => self.$field = text,)*
                    _ => return false,
                }
                true
            }

            /// Returns all tables with their file names.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
                [$(($file, self.$field),)*].into_iter()
            }

            /// Returns purpose and number of rows of each table.
            pub fn overview(&self) -> Result<Vec<TableInfo>> {
                Ok(vec![$(TableInfo { name: $file, about: $about, rows: rows_of($file, self.$field)?.len() },)*])
            }
        }
    };
}

tables! {
    families = "families.toml", "builds that share packages, and their names in titles";
    checkpoints = "checkpoints.toml", "cumulative updates on which later updates are based";
    withdrawn = "withdrawn.toml", "withdrawn, faulty, and expired updates, and those that only Windows Update delivers";
    prerequisites = "prerequisites.toml", "updates needed first: separate servicing stacks, floors, single KBs";
    enablement = "enablement.toml", "packages that switch a version on, with their minimum builds";
    editions = "editions.toml", "long-term editions, and Extended Security Updates";
    lifecycle = "lifecycle.toml", "end of servicing, by version and group of editions";
    articles = "articles.toml", "statements of articles: release dates, kinds of dynamic updates";
    dotnet = "dotnet.toml", ".NET Framework updates: bundles, their packages, and the versions that they are for";
    parents = "parents.toml", "service packs that updates need; corrections of names and titles";
    media = "media.toml", "what images and media need beside their packages";
    contradictions = "contradictions.toml", "accepted contradictions between tables, with reasons";
    releases = "releases.txt", "release history: build and release date of each KB";
    files = "files.txt", "files of cumulative updates, with their names in the Catalog";
    packages = "packages.txt", "all other packages: servicing stacks, .NET Framework, dynamic updates";
    stacks = "stacks.txt", "separate servicing stacks, paired with cumulative updates";
    rollups = "rollups.txt", "monthly rollups of systems before Windows 10, with their servicing stacks";
}

/// The description of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct TableInfo {
    /// The file name.
    pub name: &'static str,
    /// The purpose.
    pub about: &'static str,
    /// The number of rows.
    pub rows: usize,
}

impl Tables<'_> {
    /// Returns the file name of a table from its name with or without extension (`releases`), or `None` if no table has
    /// it.
    pub fn name_of(word: &str) -> Option<&'static str> {
        let named = |name: &&&str| **name == word || name.split('.').next() == Some(word);
        Self::NAMES.iter().find(named).copied()
    }

    /// Returns the digest of all tables, each with its name and length.
    pub(super) fn digest(&self) -> Sha256 {
        let mut hasher = sha2::Sha256::new();
        for (name, text) in self.iter() {
            hasher.update(format!("{name} {}\n", text.len()));
            hasher.update(text);
        }
        Sha256::from_bytes(hasher.finalize().into())
    }

    /// Returns the text of a table, or `None` if no table has this name.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.iter().find(|(own, _)| *own == name).map(|(_, text)| text)
    }
}

/// Returns the rows of a table: lines of a text table, or objects of a TOML table with their array name under `table`.
pub fn rows_of(name: &'static str, text: &str) -> Result<Vec<Value>> {
    if !name.rsplit('.').next().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        return Ok(lines.map(|line| Value::from(line.trim_end())).collect());
    }
    let document: serde_json::Map<String, Value> = read_table(name, text)?;
    let mut rows = Vec::new();
    for (array, values) in document {
        let Value::Array(values) = values else { continue };
        for value in values {
            let mut row = serde_json::Map::from_iter([("table".to_owned(), Value::from(array.clone()))]);
            if let Value::Object(fields) = value {
                row.extend(fields);
            }
            rows.push(Value::Object(row));
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_rows_and_a_purpose() {
        for table in Tables::built_in().overview().unwrap() {
            assert!(table.rows > 0 && !table.about.is_empty(), "{table:?}");
        }
        assert_eq!(Tables::name_of("releases"), Some("releases.txt"));
        assert_eq!(Tables::name_of("releases.txt"), Some("releases.txt"));
        assert_eq!(Tables::name_of("release"), None);
    }
}
