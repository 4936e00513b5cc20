//! The configuration of a new mirror: every key with its meaning. A test parses the text for every family, also with
//! the commented-out keys enabled.

use super::config::KINDS;
use crate::options::{ConfigSection, ConfigShape, TABLE};
use crate::servicing::Family;
use crate::update::{Architecture, Kind};

/// Returns the text that `init` writes: every key with its meaning, one profile, and all other keys commented out.
pub fn template(family: &Family, architectures: &[Architecture]) -> String {
    let words: Vec<String> = architectures.iter().map(|architecture| format!("\"{architecture}\"")).collect();
    format!(
        r#"# The content of this mirror. `kbmirror sync` updates the mirror and deletes nothing.
format = 1

# Single KBs in addition to the profiles, whatever their month, and the architectures of these KBs (default: all).
# kbs = ["KB5086672"]
# architectures = ["arm64"]

{options}
# One table per family. `kbmirror sync --dry-run` shows the updates of a profile.
[[profile]]
name = "{folder}"
family = "{folder}"  # {name}
architectures = [{architectures}]        # of: {all}
kinds = ["lcu"]                 # of: {kinds}; updates that they need are added
policy = "oob"                  # security: second Tuesdays; oob: out-of-band updates too; preview: everything
months = 2                      # number of months before the current one to keep up to date
"#,
        options = option_lines(),
        folder = family.folder,
        name = family.name,
        architectures = words.join(", "),
        all = family.architectures.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        kinds = KINDS.map(Kind::as_str).join(", "),
    )
}

/// Returns the tables of options, with every key commented out, a sample value, and its meaning.
fn option_lines() -> String {
    let mut text = "\
# Command-line options. A flag overrides its variable (KBMIRROR_CATALOG_RATE), and the variable overrides this file.
# Relative paths are relative to this file; dir is used only with --config.
"
    .to_owned();
    for section in ConfigSection::ALL {
        text.extend(["[", section.as_str(), "]\n"]);
        let rows = TABLE.iter().filter_map(|row| Some((row, row.key.filter(|key| key.section == section)?)));
        for (row, key) in rows {
            let line = format!("# {} = {}", key.name, written(row.sample, key.shape));
            text.extend([format!("{line:<31} # {}\n", row.help)]);
        }
        text.push('\n');
    }
    text.trim_end().to_owned() + "\n"
}

/// Returns a value in the syntax of kbmirror.toml.
fn written(texts: &[&str], shape: ConfigShape) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| format!("\"{text}\"")).collect();
    match shape {
        ConfigShape::Number => texts.concat(),
        ConfigShape::Text | ConfigShape::Path => quoted.concat(),
        ConfigShape::Texts | ConfigShape::Paths => format!("[{}]", quoted.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::LogFormat;
    use crate::options::{OptionSource, Options};
    use crate::resolve::Policy;
    use crate::servicing::Knowledge;
    use crate::sync::{Config, Profile};

    fn profiles(text: &str) -> Vec<Profile> {
        let config = Config::parse(text, "kbmirror.toml".into()).unwrap();
        config.profiles(&Knowledge::built_in().unwrap()).unwrap()
    }

    #[test]
    fn template_is_a_valid_configuration_for_every_family() {
        let knowledge = Knowledge::built_in().unwrap();
        for family in knowledge.families() {
            let text = template(family, &family.architectures);
            let parsed = profiles(&text);
            assert_eq!(parsed.len(), 1);
            assert_eq!(&parsed[0].family, family);
            assert_eq!(parsed[0].policy, Policy::Oob);
            // Every commented-out line is valid, too.
            let all = text.replace("# kbs", "kbs").replace("# arch", "arch");
            let keys = || TABLE.iter().filter_map(|row| Some((row, row.key?)));
            let all = keys().fold(all, |all, (_, key)| {
                all.replace(&format!("\n# {} = ", key.name), &format!("\n{} = ", key.name))
            });
            let config = Config::parse(&all, "/srv/kb/kbmirror.toml".into()).unwrap();
            assert_eq!(config.kbs.len(), 1);
            assert_eq!(config.options.len(), keys().count());
            let options =
                Options::read(&Options::defaults().with(OptionSource::File, config.options)).unwrap();
            assert_eq!(options.patience, Some(Duration::from_mins(45)));
            assert_eq!(options.proxy.unwrap().to_string(), "http://proxy.example:3128");
            assert_eq!(options.ca_cert, ["/srv/kb/company.pem"]);
            assert_eq!(options.limit_rate, Some(20 << 20));
            assert_eq!(options.log_format, LogFormat::Json);
            assert_eq!(options.knowledge, Some("/srv/kb/knowledge".into()));
        }
    }
}
