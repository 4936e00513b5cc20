//! The settings from options, environment, and configuration. A flag overrides its variable, a variable overrides the
//! file, and the file overrides the default.
//!
//! The file is `--config`, or `KBMIRROR_CONFIG`, or `kbmirror.toml` in the mirror. A named file must exist. An
//! invalid file ends every command with exit code 2 before it does anything else.

use camino::Utf8PathBuf;

use super::process::Process;
use crate::disk;
use crate::error::{ErrorKind, Result};
use crate::mirror::Layout;
use crate::options::{GivenOptions, OptionSource, OptionTexts, Options};
use crate::sync::Config;

/// The settings of one command.
#[derive(Debug)]
pub(super) struct Settings {
    /// The values of all options.
    pub(super) options: Options,
    /// The configuration, if a file exists.
    pub(super) config: Option<Config>,
}

/// The size limit of a configuration. Real ones have a few kilobytes.
const CONFIG_CAP: u64 = 1 << 20;

impl Settings {
    /// Gathers the settings. Without `reads_config`, no file is read.
    pub(super) fn gather(flags: &OptionTexts, process: &Process, reads_config: bool) -> Result<Self> {
        let given = Options::defaults()
            .with(OptionSource::Flag, flags.clone())
            .with(OptionSource::Variable, Options::of_environment(&process.env));
        let config = if reads_config { read_config(&given)? } else { None };
        let of_file = config.as_ref().map(|config| config.options.clone()).unwrap_or_default();
        let options = Options::read(&given.with(OptionSource::File, of_file))?;
        Ok(Self { options, config })
    }

    /// Returns the layout of the mirror.
    pub(super) fn layout(&self) -> Layout {
        Layout::new(self.options.mirror.clone(), self.options.index.clone())
    }

    /// Returns the path of the index, or `None` if no option names it.
    pub(super) fn index(&self) -> Option<&Utf8PathBuf> {
        self.options.index.as_ref()
    }
}

/// Reads the named configuration or that of the mirror. Returns `None` if no file is named and the mirror has none.
fn read_config(given: &GivenOptions) -> Result<Option<Config>> {
    let named = given.explicit_text("config").map(Utf8PathBuf::from);
    let path = named.clone().unwrap_or_else(|| {
        let mirror = given.first_text("mirror").map_or_else(Utf8PathBuf::new, Utf8PathBuf::from);
        Layout::new(mirror, None).config()
    });
    if named.is_none() && !disk::exists(&path) {
        return Ok(None);
    }
    let text = disk::read_text(&path, CONFIG_CAP).map_err(|error| error.with_kind(ErrorKind::Usage))?;
    Config::parse(&text, &path).map(Some)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;
    use crate::cli::Signals;
    use crate::cli::flags::{definition, given_flags};
    use crate::clock::SystemClock;
    use crate::event::LogFormat;
    use crate::net::StopRequest;
    use crate::options::TABLE;

    fn gather(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Settings> {
        let words = ["kbmirror"].iter().chain(arguments).chain(&["list"]);
        let matches = definition().try_get_matches_from(words).unwrap();
        let process = Process {
            stdin: Box::new(std::io::empty()),
            stdin_is_terminal: false,
            read_hidden: Box::new(|_| Ok(String::new())),
            args: Vec::new(),
            env: variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
            stdout: Box::new(std::io::sink()),
            stderr: Arc::new(Mutex::new(Box::new(std::io::sink()))),
            stdout_width: None,
            stderr_is_terminal: false,
            clock: Arc::new(SystemClock::start()),
            signals: Signals::Given(StopRequest::never()),
        };
        Settings::gather(&given_flags(&matches), &process, true)
    }

    #[test]
    fn a_flag_goes_before_its_variable_and_that_before_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        let path = folder.join("kbmirror.toml");
        disk::write_atomic(
            &path,
            b"format = 1\n[mirror]\ndir = 'here'\nindex = 'of-file.db'\n[network]\ncatalog_rate = 3.0\npatience = '3m'\n\
              catalog_url = 'https://of-file/'\nallow_host = ['of-file']\nproxy = 'http://u:secret@of-file:1'\n\
              ca_cert = ['of-file.pem']\n[log]\nformat = 'json'\n",
        )
        .unwrap();
        let file = ["--config", path.as_str()];
        let of_file = gather(&file, &[]).unwrap();
        assert_eq!(of_file.layout().root(), folder.join("here"));
        assert_eq!(of_file.layout().index(), folder.join("of-file.db"));
        assert_eq!(
            (of_file.options.catalog_rate, of_file.options.patience),
            (3.0, Some(Duration::from_mins(3)))
        );
        assert_eq!(of_file.options.catalog_url.as_deref(), Some("https://of-file/"));
        assert_eq!(of_file.options.allow_host, ["of-file".parse().unwrap()]);
        assert_eq!(of_file.options.proxy.as_ref().unwrap().to_string(), "http://of-file:1");
        assert_eq!(of_file.options.ca_cert, [folder.join("of-file.pem")]);
        assert_eq!(of_file.options.log_format, LogFormat::Json);

        let variables = [
            ("KBMIRROR_CONFIG", path.as_str()),
            ("KBMIRROR_DIR", "of-env"),
            ("KBMIRROR_INDEX", "of-env.db"),
            ("KBMIRROR_CATALOG_RATE", "2"),
            ("KBMIRROR_PATIENCE", "2m"),
            ("KBMIRROR_CATALOG_URL", "https://of-env/"),
            ("KBMIRROR_ALLOW_HOST", "one, two:8080"),
            ("KBMIRROR_PROXY", "of-env:1"),
            ("KBMIRROR_CA_CERT", "of-env.pem"),
            ("KBMIRROR_LOG_FORMAT", "text"),
        ];
        let of_env = gather(&[], &variables).unwrap();
        assert_eq!((of_env.layout().root(), of_env.layout().index()), ("of-env".into(), "of-env.db".into()));
        assert_eq!(
            (of_env.options.catalog_rate, of_env.options.patience),
            (2.0, Some(Duration::from_mins(2)))
        );
        assert_eq!(of_env.options.catalog_url.as_deref(), Some("https://of-env/"));
        assert_eq!(of_env.options.allow_host, ["one".parse().unwrap(), "two:8080".parse().unwrap()]);
        assert_eq!(of_env.options.proxy.unwrap().to_string(), "http://of-env:1");
        assert_eq!(of_env.options.ca_cert, ["of-env.pem"]);
        assert_eq!(of_env.options.log_format, LogFormat::Text);

        let flags = ["--mirror", "flag", "--index", "flag.db", "--catalog-rate", "1", "--patience", "1m"];
        let flags = [&flags[..], &["--catalog-url", "https://flag/", "--allow-host", "flag"]].concat();
        let flags = [&flags[..], &["--proxy", "flag:1", "--ca-cert", "a.pem", "--ca-cert", "b.pem"]].concat();
        let flags = [&flags[..], &["--log-format", "json"]].concat();
        let of_flags = gather(&flags, &variables).unwrap();
        assert_eq!((of_flags.layout().root(), of_flags.layout().index()), ("flag".into(), "flag.db".into()));
        assert_eq!(
            (of_flags.options.catalog_rate, of_flags.options.patience),
            (1.0, Some(Duration::from_mins(1)))
        );
        assert_eq!(of_flags.options.catalog_url.as_deref(), Some("https://flag/"));
        assert_eq!(of_flags.options.allow_host, ["flag".parse().unwrap()]);
        assert_eq!(of_flags.options.proxy.unwrap().to_string(), "http://flag:1");
        assert_eq!(of_flags.options.ca_cert, ["a.pem", "b.pem"]);
        assert_eq!(of_flags.options.log_format, LogFormat::Json);

        // An empty variable is ignored. An invalid variable is refused by its name.
        let empty = gather(&file, &[("KBMIRROR_DIR", ""), ("KBMIRROR_PATIENCE", "")]).unwrap();
        assert_eq!(
            (empty.layout().root(), empty.options.patience),
            (folder.join("here").as_path(), of_file.options.patience)
        );
        for (name, value) in [
            ("KBMIRROR_CATALOG_RATE", "fast"),
            ("KBMIRROR_PATIENCE", "5 min"),
            ("KBMIRROR_LOG_FORMAT", "xml"),
            ("KBMIRROR_PROXY", "http://u:secret@:1"),
            ("KBMIRROR_MAX_AGE", "30"),
        ] {
            let error = gather(&[], &[(name, value)]).unwrap_err();
            assert!(error.message().contains(name) && error.code().number() == 2, "{error}");
            assert!(!error.message().contains("secret"), "{error}");
        }
    }

    /// A row of the table is sufficient for an option: flag, variable, and key have the same effect.
    #[test]
    fn every_way_to_give_an_option_has_the_same_effect() {
        for row in TABLE.iter().filter(|row| row.value.is_some()) {
            let texts: Vec<String> = row.sample.iter().map(|&text| text.to_owned()).collect();
            assert!(!texts.is_empty(), "{} has a sample", row.id);
            let read = |source| {
                let given = Options::defaults().with(source, OptionTexts::from([(row.id, texts.clone())]));
                Options::read(&given).unwrap()
            };
            let expected = read(OptionSource::Flag);
            let words = texts.iter().flat_map(|text| [format!("--{}", row.flag), text.clone()]);
            let command = match row.flag {
                "max-age" => &["kbmirror", "status"][..],
                "expires" => &["kbmirror", "export", "--to", "stick"],
                _ => &["kbmirror", "list"],
            };
            let words = command.iter().map(|&word| word.to_owned()).chain(words);
            let matches = definition().try_get_matches_from(words).unwrap();
            assert_eq!(given_flags(&matches), BTreeMap::from([(row.id, texts.clone())]));
            if let Some(variable) = row.variable {
                let environment = BTreeMap::from([(variable.to_owned(), texts.join(","))]);
                let given =
                    Options::defaults().with(OptionSource::Variable, Options::of_environment(&environment));
                assert_eq!(Options::read(&given).unwrap(), expected, "{variable}");
            }
            if let Some(key) = row.key {
                let written = [format!("{:?}", texts[0]), texts[0].clone(), format!("{texts:?}")];
                let parsed = written.iter().find_map(|value| {
                    let text = format!("format = 1\n[{}]\n{} = {value}\n", key.section.as_str(), key.name);
                    Config::parse(&text, "kbmirror.toml".into()).ok()
                });
                let given = Options::defaults().with(OptionSource::File, parsed.unwrap().options);
                assert_eq!(Options::read(&given).unwrap(), expected, "{}", key.name);
            }
        }
    }

    #[test]
    fn the_layout_document_lists_every_option_once() {
        let document = include_str!("../../mirror-layout.md");
        for row in TABLE.iter().filter(|row| row.variable.is_some() || row.key.is_some()) {
            let variable = row.variable.map_or_else(|| "-".to_owned(), |name| format!("`{name}`"));
            let key = row
                .key
                .map_or_else(|| "-".to_owned(), |key| format!("`[{}] {}`", key.section.as_str(), key.name));
            let default = row.default_words.or(row.default).unwrap_or("-");
            let line = format!("| `--{}` | {variable} | {key} | {default} |", row.flag);
            assert_eq!(document.matches(&line).count(), 1, "{line}");
        }
    }

    #[test]
    fn the_defaults_of_the_table_are_those_of_the_rooms() {
        let own = gather(&[], &[]).unwrap().options;
        assert_eq!(usize::from(own.parallel), crate::crawl::PARALLEL);
        assert_eq!(own.stall_after, crate::download::STALL_WINDOW);
        assert_eq!(own.max_age, crate::sync::DEFAULT_MAX_AGE);
        let minutes = |time: Duration| time.as_secs() / 60;
        let (short, long) =
            (minutes(crate::net::INTERACTIVE_RETRY_BUDGET), minutes(crate::net::UNATTENDED_RETRY_BUDGET));
        let words = crate::options::option_row("patience").unwrap().default_words;
        assert_eq!(words, Some(format!("{short}m; {long}m for sync").as_str()));
    }
}
