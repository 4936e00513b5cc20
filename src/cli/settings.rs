//! What options, environment, and configuration come to: a flag goes before its variable, that before the file, and the
//! file before what is built in.
//!
//! The file is `--config`, or `KBMIRROR_CONFIG`, or `kbmirror.toml` in the mirror. A file that is named has to be there; one
//! that cannot be understood ends every command with exit code 2 before anything else is done.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;

use super::args::Global;
use super::process::Process;
use crate::crawl::TransferOptions;
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::event::LogFormat;
use crate::mirror::Layout;
use crate::net::{AllowedHost, ProxyUrl};
use crate::sync::{Config, Options};
use crate::update::{parse_age, parse_bytes, parse_duration, parse_parallel, parse_stall};

/// The settings of one command.
#[derive(Debug, Default)]
pub(super) struct Settings {
    mirror: Option<Utf8PathBuf>,
    index: Option<Utf8PathBuf>,
    /// The configuration, where there is one.
    pub(super) config: Option<Config>,
    pub(super) knowledge: Option<Utf8PathBuf>,
    pub(super) catalog_url: Option<String>,
    pub(super) allow_host: Vec<AllowedHost>,
    pub(super) catalog_rate: Option<f64>,
    pub(super) patience: Option<Duration>,
    pub(super) proxy: Option<ProxyUrl>,
    pub(super) ca_cert: Vec<Utf8PathBuf>,
    pub(super) transfers: TransferOptions,
    pub(super) log_format: LogFormat,
    pub(super) max_age: Option<Duration>,
}

/// A configuration that does not fit is a mistake of whoever wrote it, and never this long.
const CONFIG_CAP: u64 = 1 << 20;

/// The variables of the environment; an empty one is none.
struct Variables<'p>(&'p BTreeMap<String, String>);

impl Variables<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    fn path(&self, name: &str) -> Option<Utf8PathBuf> {
        self.text(name).map(Utf8PathBuf::from)
    }

    fn parsed<T>(&self, name: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        read(text).map(Some).map_err(|message| Error::usage(format!("{name}: {message}")))
    }
}

impl Settings {
    /// What is left where they cannot be gathered: how that is told.
    pub(super) fn unreadable(log_format: LogFormat) -> Self {
        Self { log_format, ..Self::default() }
    }

    /// Gathers them. Without `reads_config` no file is looked at.
    pub(super) fn gather(global: &Global, process: &Process, reads_config: bool) -> Result<Self> {
        let variables = Variables(&process.env);
        let mirror = global.mirror.clone().or_else(|| variables.path("KBMIRROR_DIR"));
        let config = if reads_config { read_config(global, &variables, mirror.as_ref())? } else { None };
        let Options {
            mirror: of_file,
            index,
            knowledge,
            catalog_url,
            allow_host,
            catalog_rate,
            patience,
            proxy,
            ca_cert,
            transfers,
            log_format,
            max_age,
        } = config.as_ref().map(|config| config.options.clone()).unwrap_or_default();
        let rate = |text: &str| text.parse().map_err(|_| format!("{text:?} is not a number"));
        let host = |text: &str| text.parse::<AllowedHost>();
        let allow_host = if !global.allow_host.is_empty() {
            global.allow_host.clone()
        } else if let Some(hosts) = variables.text("KBMIRROR_ALLOW_HOST") {
            hosts.split([',', ' ']).filter(|text| !text.is_empty()).map(host).collect::<Result<_>>()?
        } else {
            allow_host.iter().map(|text| host(text)).collect::<Result<_>>()?
        };
        Ok(Self {
            mirror: mirror.or(of_file),
            index: global.index.clone().or_else(|| variables.path("KBMIRROR_INDEX")).or(index),
            knowledge: global
                .knowledge
                .clone()
                .or_else(|| variables.path("KBMIRROR_KNOWLEDGE"))
                .or(knowledge),
            catalog_url: global
                .catalog_url
                .clone()
                .or_else(|| variables.text("KBMIRROR_CATALOG_URL").map(str::to_owned))
                .or(catalog_url),
            allow_host,
            catalog_rate: match global.catalog_rate {
                None => variables.parsed("KBMIRROR_CATALOG_RATE", rate)?.or(catalog_rate),
                flag => flag,
            },
            patience: match global.patience {
                None => variables.parsed("KBMIRROR_PATIENCE", parse_duration)?.or(patience),
                flag => flag,
            },
            proxy: match &global.proxy {
                None => variables.parsed("KBMIRROR_PROXY", ProxyUrl::parse)?.or(proxy),
                Some(text) => {
                    let wrong = |message| Error::usage(format!("--proxy: {message}"));
                    Some(ProxyUrl::parse(text).map_err(wrong)?)
                }
            },
            ca_cert: if global.ca_cert.is_empty() {
                variables.path("KBMIRROR_CA_CERT").map_or(ca_cert, |path| vec![path])
            } else {
                global.ca_cert.clone()
            },
            transfers: TransferOptions {
                parallel: match global.parallel {
                    None => variables.parsed("KBMIRROR_PARALLEL", parse_parallel)?.or(transfers.parallel),
                    flag => flag,
                },
                limit_rate: match global.limit_rate {
                    None => variables.parsed("KBMIRROR_LIMIT_RATE", parse_bytes)?.or(transfers.limit_rate),
                    flag => flag,
                },
                stall_after: match global.stall_after {
                    None => variables.parsed("KBMIRROR_STALL_AFTER", parse_stall)?.or(transfers.stall_after),
                    flag => flag,
                },
            },
            log_format: match global.log_format {
                None => variables.parsed("KBMIRROR_LOG_FORMAT", str::parse)?.or(log_format),
                flag => flag,
            }
            .unwrap_or_default(),
            max_age: variables.parsed("KBMIRROR_MAX_AGE", parse_age)?.or(max_age),
            config,
        })
    }

    /// Where the mirror's things lie.
    pub(super) fn layout(&self) -> Layout {
        let root = self.mirror.clone().unwrap_or_else(|| "mirror".into());
        Layout::new(root, self.index.clone())
    }

    /// The index, where it was named.
    pub(super) fn index(&self) -> Option<&Utf8PathBuf> {
        self.index.as_ref()
    }
}

fn read_config(
    global: &Global,
    variables: &Variables<'_>,
    mirror: Option<&Utf8PathBuf>,
) -> Result<Option<Config>> {
    let named = global.config.clone().or_else(|| variables.path("KBMIRROR_CONFIG"));
    let path = match &named {
        Some(path) => path.clone(),
        None => Layout::new(mirror.cloned().unwrap_or_else(|| "mirror".into()), None).config(),
    };
    if named.is_none() && !disk::exists(&path) {
        return Ok(None);
    }
    let text = disk::read_text(&path, CONFIG_CAP).map_err(|error| error.with_kind(ErrorKind::Usage))?;
    Config::parse(&text, &path).map(Some)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use clap::Parser as _;

    use super::*;
    use crate::cli::Signals;
    use crate::cli::args::Cli;
    use crate::clock::SystemClock;
    use crate::net::Stop;

    fn gather(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Settings> {
        let words = ["kbmirror"].iter().chain(arguments).chain(&["list"]);
        let cli = Cli::try_parse_from(words).unwrap();
        let process = Process {
            stdin: Box::new(std::io::empty()),
            stdin_is_terminal: false,
            args: Vec::new(),
            env: variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
            stdout: Box::new(std::io::sink()),
            stderr: Arc::new(Mutex::new(Box::new(std::io::sink()))),
            stdout_width: None,
            stderr_is_terminal: false,
            clock: Arc::new(SystemClock::start()),
            signals: Signals::Given(Stop::never()),
        };
        Settings::gather(&cli.global, &process, true)
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
        assert_eq!((of_file.catalog_rate, of_file.patience), (Some(3.0), Some(Duration::from_mins(3))));
        assert_eq!(of_file.catalog_url.as_deref(), Some("https://of-file/"));
        assert_eq!(of_file.allow_host, ["of-file".parse().unwrap()]);
        assert_eq!(of_file.proxy.as_ref().unwrap().to_string(), "http://of-file:1");
        assert_eq!(of_file.ca_cert, [folder.join("of-file.pem")]);
        assert_eq!(of_file.log_format, LogFormat::Json);

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
        assert_eq!((of_env.catalog_rate, of_env.patience), (Some(2.0), Some(Duration::from_mins(2))));
        assert_eq!(of_env.catalog_url.as_deref(), Some("https://of-env/"));
        assert_eq!(of_env.allow_host, ["one".parse().unwrap(), "two:8080".parse().unwrap()]);
        assert_eq!(of_env.proxy.unwrap().to_string(), "http://of-env:1");
        assert_eq!(of_env.ca_cert, ["of-env.pem"]);
        assert_eq!(of_env.log_format, LogFormat::Text);

        let flags = ["--mirror", "flag", "--index", "flag.db", "--catalog-rate", "1", "--patience", "1m"];
        let flags = [&flags[..], &["--catalog-url", "https://flag/", "--allow-host", "flag"]].concat();
        let flags = [&flags[..], &["--proxy", "flag:1", "--ca-cert", "a.pem", "--ca-cert", "b.pem"]].concat();
        let flags = [&flags[..], &["--log-format", "json"]].concat();
        let of_flags = gather(&flags, &variables).unwrap();
        assert_eq!((of_flags.layout().root(), of_flags.layout().index()), ("flag".into(), "flag.db".into()));
        assert_eq!((of_flags.catalog_rate, of_flags.patience), (Some(1.0), Some(Duration::from_mins(1))));
        assert_eq!(of_flags.catalog_url.as_deref(), Some("https://flag/"));
        assert_eq!(of_flags.allow_host, ["flag".parse().unwrap()]);
        assert_eq!(of_flags.proxy.unwrap().to_string(), "http://flag:1");
        assert_eq!(of_flags.ca_cert, ["a.pem", "b.pem"]);
        assert_eq!(of_flags.log_format, LogFormat::Json);

        // An empty variable is none, and a wrong one is named.
        let empty = gather(&file, &[("KBMIRROR_DIR", ""), ("KBMIRROR_PATIENCE", "")]).unwrap();
        assert_eq!(
            (empty.layout().root(), empty.patience),
            (folder.join("here").as_path(), of_file.patience)
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
}
