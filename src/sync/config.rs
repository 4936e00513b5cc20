//! `kbmirror.toml`: the content of a mirror, and the options for every run on it.
//!
//! The configuration is read in two steps. [`Config::parse`] parses the text and reads the options, including the
//! location of the knowledge. [`Config::profiles`] then resolves the family names. Pure: text and knowledge in, values
//! out.
//!
//! Unknown keys, invalid values, and mistyped words are refused with the file, the line, the value, and the allowed
//! words. Nothing is guessed or silently ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use toml::Spanned;

use crate::error::{Error, Result};
use crate::net::redacted_text;
use crate::options::{ConfigSection, ConfigShape, OptionRow, OptionTexts, TABLE};
use crate::resolve::Policy;
use crate::servicing::{Family, Knowledge};
use crate::update::{Architecture, Kb, Kind};

/// The format that this program reads.
const FORMAT: u32 = 1;
/// The default number of months before the current one.
const MONTHS: u8 = 2;
/// The maximum number of months: two years. In most families, the Catalog removes superseded updates earlier.
const MOST_MONTHS: u8 = 24;

/// The kinds that a profile may contain. Previews depend on the policy, not on the kind.
pub(super) const KINDS: [Kind; 8] = [
    Kind::Lcu,
    Kind::DotnetCu,
    Kind::Ssu,
    Kind::SafeosDu,
    Kind::SetupDu,
    Kind::DynamicCu,
    Kind::MonthlyRollup,
    Kind::SecurityOnly,
];

/// The updates of one family that the mirror keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The name in reports.
    pub name: String,
    /// The family.
    pub family: Family,
    /// The architectures; never empty.
    pub architectures: Vec<Architecture>,
    /// The kinds. Updates that they need are added.
    pub kinds: Vec<Kind>,
    /// The releases to keep.
    pub policy: Policy,
    /// The number of months before the current one.
    pub months: u8,
}

impl Profile {
    /// Returns `true` if a release of some kind of the profile is due on every Patch Tuesday.
    pub fn expects_monthly(&self) -> bool {
        self.kinds.iter().copied().any(is_monthly_kind)
    }
}

/// Returns `true` for kinds that are released on every Patch Tuesday.
pub(super) fn is_monthly_kind(kind: Kind) -> bool {
    matches!(kind, Kind::Lcu | Kind::MonthlyRollup | Kind::SecurityOnly)
}

/// A configuration with unresolved family names.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The texts of the options for every run; each text is valid for its option. Paths are relative to the working
    /// folder, no longer to the file.
    pub options: OptionTexts,
    /// The KBs outside of the profiles.
    pub kbs: Vec<Kb>,
    /// The architectures of these KBs; empty means all.
    pub architectures: Vec<Architecture>,
    profiles: Vec<ProfileTable>,
    source: ConfigText,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigDocument {
    format: Spanned<u32>,
    #[serde(default)]
    kbs: Vec<Spanned<String>>,
    #[serde(default)]
    architectures: Vec<Spanned<String>>,
    #[serde(default)]
    mirror: OptionValues,
    #[serde(default)]
    network: OptionValues,
    #[serde(default)]
    log: OptionValues,
    #[serde(default)]
    monitor: OptionValues,
    #[serde(default)]
    export: OptionValues,
    #[serde(default)]
    profile: Vec<ProfileTable>,
}

/// The values of one table of options, by key. The option table defines the allowed keys.
type OptionValues = BTreeMap<String, Spanned<toml::Value>>;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileTable {
    name: Spanned<String>,
    family: Spanned<String>,
    architectures: Option<Vec<Spanned<String>>>,
    kinds: Option<Vec<Spanned<String>>>,
    policy: Option<Spanned<String>>,
    months: Option<Spanned<u8>>,
}

/// The text and its path, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ConfigText {
    path: Utf8PathBuf,
    text: String,
}

impl ConfigText {
    /// Refuses a value with its line. Redacts credentials, because the message may repeat the value.
    fn refuse(&self, span: Option<Range<usize>>, message: &str) -> Error {
        self.refuse_redacted(span, &redacted_text(message.trim()))
    }

    /// Refuses a value with its line. The message contains no credentials and is not changed.
    fn refuse_redacted(&self, span: Option<Range<usize>>, message: &str) -> Error {
        let Some(before) = span.and_then(|span| self.text.get(..span.start)) else {
            return Error::usage(format!("{}: {message}", self.path));
        };
        let number = before.matches('\n').count();
        // The comment behind the value is cut off.
        let line = self.text.lines().nth(number).unwrap_or_default();
        let line = redacted_text(line);
        let line = line.split('#').next().unwrap_or_default().trim();
        Error::usage(format!("{} line {}, {line:?}: {message}", self.path, number + 1))
    }

    /// Reads the value of an option as texts; each text is valid for the option.
    fn option(
        &self,
        section: ConfigSection,
        name: &str,
        value: &Spanned<toml::Value>,
        folder: &Utf8Path,
    ) -> Result<(&'static str, Vec<String>)> {
        let refuse = |message: &str| self.refuse(Some(value.span()), message);
        let in_section = |row: &&OptionRow| row.key.is_some_and(|key| key.section == section);
        let mut rows = TABLE.iter().filter(in_section).filter_map(|row| Some((row, row.key?)));
        let Some((row, key)) = rows.clone().find(|(_, key)| key.name == name) else {
            let names: Vec<String> = rows.by_ref().map(|(_, key)| format!("`{}`", key.name)).collect();
            return Err(refuse(&format!("unknown field `{name}`, expected one of {}", names.join(", "))));
        };
        let texts = texts_of(value.get_ref(), key.shape).map_err(|message| refuse(&message))?;
        for text in &texts {
            (row.check)(text).map_err(|message| {
                if row.is_secret {
                    self.refuse_redacted(Some(value.span()), &message)
                } else {
                    refuse(&message)
                }
            })?;
        }
        let from_here =
            |text: String| if key.shape.is_path() { folder.join(text).into_string() } else { text };
        Ok((row.id, texts.into_iter().map(from_here).collect()))
    }

    /// Parses a word, or refuses it with the allowed words.
    fn parse_word<T>(
        &self,
        word: &Spanned<String>,
        read: impl Fn(&str) -> Option<T>,
        allowed: &str,
    ) -> Result<T> {
        read(word.get_ref()).ok_or_else(|| {
            self.refuse(Some(word.span()), &format!("{:?} is not one of {allowed}", word.get_ref()))
        })
    }
}

impl Config {
    /// Parses a configuration; `path` is its location.
    pub fn parse(text: &str, path: &Utf8Path) -> Result<Self> {
        let source = ConfigText { path: path.to_owned(), text: text.to_owned() };
        let document: ConfigDocument =
            toml::from_str(text).map_err(|error| source.refuse(error.span(), error.message()))?;
        if *document.format.get_ref() != FORMAT {
            let message = format!("the format is not supported; this program reads format {FORMAT}");
            return Err(source.refuse(Some(document.format.span()), &message));
        }
        let folder = path.parent().unwrap_or_else(|| Utf8Path::new(""));
        let mut options = OptionTexts::new();
        for section in ConfigSection::ALL {
            let values = match section {
                ConfigSection::Mirror => &document.mirror,
                ConfigSection::Network => &document.network,
                ConfigSection::Log => &document.log,
                ConfigSection::Monitor => &document.monitor,
                ConfigSection::Export => &document.export,
            };
            for (name, value) in values {
                let (id, texts) = source.option(section, name, value, folder)?;
                options.insert(id, texts);
            }
        }
        let read_kb = |kb: &Spanned<String>| {
            source.parse_word(kb, |word| word.parse().ok(), "the KB numbers (such as KB5086672)")
        };
        let kbs = document.kbs.iter().map(read_kb).collect::<Result<BTreeSet<Kb>>>()?;
        let architectures = architectures(&source, &document.architectures, &Architecture::ALL)?;
        let mut names = BTreeSet::new();
        for profile in &document.profile {
            let name = profile.name.get_ref();
            if name.trim().is_empty() || !names.insert(name.clone()) {
                let message = "the name of a profile is empty or used twice";
                return Err(source.refuse(Some(profile.name.span()), message));
            }
        }
        Ok(Self {
            options,
            kbs: kbs.into_iter().collect(),
            architectures,
            profiles: document.profile,
            source,
        })
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Utf8Path {
        &self.source.path
    }

    /// Returns `true` if `sync` has work: a profile or a separate KB.
    pub fn has_work(&self) -> bool {
        !(self.profiles.is_empty() && self.kbs.is_empty())
    }

    /// Returns the profiles with their families resolved.
    pub fn profiles(&self, knowledge: &Knowledge) -> Result<Vec<Profile>> {
        self.profiles.iter().map(|profile| self.profile(profile, knowledge)).collect()
    }

    fn profile(&self, table: &ProfileTable, knowledge: &Knowledge) -> Result<Profile> {
        let source = &self.source;
        let family = self.family(&table.family, knowledge)?;
        let architectures = match &table.architectures {
            None => family.architectures.clone(),
            Some(words) => architectures(source, words, &family.architectures)?,
        };
        if architectures.is_empty() {
            let message = "architectures is empty; omit the key to select all architectures of the family";
            return Err(source.refuse(Some(table.name.span()), message));
        }
        let kinds = match &table.kinds {
            None => vec![Kind::Lcu],
            Some(words) => {
                let allowed = KINDS.map(Kind::as_str).join(", ");
                let allowed = format!("{allowed} (previews come with policy = \"preview\")");
                let read = |word: &str| word.parse().ok().filter(|kind| KINDS.contains(kind));
                words
                    .iter()
                    .map(|word| source.parse_word(word, read, &allowed))
                    .collect::<Result<Vec<Kind>>>()?
            }
        };
        let policy = match &table.policy {
            None => Policy::default(),
            Some(word) => {
                let all = [Policy::Security, Policy::Oob, Policy::Preview];
                let read = |word: &str| all.into_iter().find(|policy| policy.as_str() == word);
                source.parse_word(word, read, &all.map(Policy::as_str).join(", "))?
            }
        };
        let months = match &table.months {
            None => MONTHS,
            Some(months) if *months.get_ref() <= MOST_MONTHS => *months.get_ref(),
            Some(months) => {
                let message = format!("months must be a number from 0 to {MOST_MONTHS}");
                return Err(source.refuse(Some(months.span()), &message));
            }
        };
        Ok(Profile { name: table.name.get_ref().clone(), family, architectures, kinds, policy, months })
    }

    fn family(&self, word: &Spanned<String>, knowledge: &Knowledge) -> Result<Family> {
        knowledge.families().mirrored(word.get_ref()).map_err(|refusal| {
            let error = self.source.refuse(Some(word.span()), refusal.message());
            refusal.hints().iter().fold(error, |error, hint| error.hint(hint.clone()))
        })
    }
}

/// Returns the texts of a value, or the expected type as an error.
fn texts_of(value: &toml::Value, shape: ConfigShape) -> Result<Vec<String>, String> {
    use toml::Value;
    let wrong =
        |value: &Value, expected: &str| format!("invalid type: {}, expected {expected}", value.type_str());
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        other => Err(wrong(other, "a string")),
    };
    match (shape, value) {
        (ConfigShape::Text | ConfigShape::Path, one) => Ok(vec![text(one)?]),
        (ConfigShape::Texts | ConfigShape::Paths, Value::Array(values)) => values.iter().map(text).collect(),
        (ConfigShape::Texts | ConfigShape::Paths, other) => Err(wrong(other, "a sequence of strings")),
        (ConfigShape::Number, Value::Integer(number)) => Ok(vec![number.to_string()]),
        (ConfigShape::Number, Value::Float(number)) => Ok(vec![number.to_string()]),
        (ConfigShape::Number, other) => Err(wrong(other, "a number")),
    }
}

fn architectures(
    source: &ConfigText,
    words: &[Spanned<String>],
    allowed: &[Architecture],
) -> Result<Vec<Architecture>> {
    let names: Vec<&str> = allowed.iter().map(|architecture| architecture.as_str()).collect();
    let read = |word: &str| word.parse().ok().filter(|architecture| allowed.contains(architecture));
    let found = words.iter().map(|word| source.parse_word(word, read, &names.join(", ")));
    Ok(found.collect::<Result<BTreeSet<Architecture>>>()?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profiles(text: &str) -> Result<Vec<Profile>> {
        Config::parse(text, "kbmirror.toml".into())?.profiles(&Knowledge::built_in()?)
    }

    #[test]
    fn missing_keys_have_defaults() {
        let parsed = profiles("format = 1\n[[profile]]\nname = 'a'\nfamily = 'Windows 11 25H2'\n").unwrap();
        let [profile] = parsed.as_slice() else { panic!("{parsed:?}") };
        assert_eq!(profile.family.folder, "windows-11-24h2");
        assert_eq!(profile.architectures, [Architecture::X64, Architecture::Arm64]);
        assert_eq!((profile.kinds.as_slice(), profile.months), (&[Kind::Lcu][..], 2));
    }

    #[test]
    fn fault_is_reported_with_line_and_allowed_words() {
        let head = "format = 1\n[[profile]]\nname = 'a'\nfamily = 'windows-11-24h2'\n";
        for (tail, words) in [
            ("archs = ['x64']", &["line 5", "archs", "architectures"][..]),
            ("architectures = ['x86']", &["line 5", "x86", "x64, arm64"]),
            ("architectures = []", &["empty"]),
            ("kinds = ['lcus']", &["line 5", "lcus", "lcu, dotnet_cu"]),
            ("kinds = ['lcu_preview']", &["lcu_preview", "policy"]),
            ("policy = 'secruity'", &["line 5", "secruity", "security, oob, preview"]),
            ("months = 99", &["line 5", "months", "0 to 24"]),
            ("months = 'two'", &["line 5", "months", "two"]),
            ("[network]\ncatalog_rate = 'fast'", &["line 6", "catalog_rate", "fast"]),
            ("[network]\npatience = '5 min'", &["line 6", "5 min", "10m"]),
            ("[network]\nproxi = 'x'", &["line 6", "proxi", "catalog_url"]),
            ("[network]\nproxy = 'ftp://u:secret@x'", &["line 6", "ftp://***@x", "http://"]),
            ("[network]\nproxy = 'http://u:1 secret@:x", &["line 6", "proxy"]),
            ("[network]\nproxy = 'u:1#secret@x:y'", &["line 6", "***@x:y", "%23"]),
            ("[network]\ncatalog_rate = 'u:1 secret@x'", &["line 6", "***@x"]),
            ("[network]\nca_cert = 'one.pem'", &["line 6", "ca_cert", "sequence"]),
            ("[monitor]\nmax_age = '30'", &["line 6", "unit", "8d"]),
            ("[monitor]\nmax_age = 30", &["line 6", "max_age", "string"]),
            ("[monitor]\nmax_age = '0d'", &["line 6", "0d"]),
            ("[monitor]\nmaxage = '30d'", &["line 6", "maxage", "max_age"]),
            ("[log]\nformat = 'xml'", &["line 6", "xml", "text, json"]),
            ("[[profile]]\nname = 'a'\nfamily = 'windows-11-24h2'", &["line 6", "used twice"]),
            ("[[profile]]\nname = 'b'", &["line 5", "family"]),
            ("[[profile]]\nname = 'b'\nfamily = 'windows-12'", &["line 7", "windows-12", "windows-11-24h2"]),
        ] {
            let error = profiles(&format!("{head}{tail}\n")).unwrap_err();
            for word in words {
                assert!(error.message().contains(word), "{word} in {error}");
            }
            assert!(!error.message().contains("secret"), "{error}");
            assert_eq!(error.code().number(), 2);
        }
        for (text, word) in [
            ("", "format"),
            ("format = 2\n", "format 1"),
            ("format = 1\nkbs = ['KB12']\n", "KB5086672"),
            ("format = 1\nkb = ['KB5086672']\n", "kbs"),
            ("format = \n", "line 1"),
        ] {
            let error = profiles(text).unwrap_err();
            assert!(error.message().contains(word), "{word} in {error}");
        }
    }
}
