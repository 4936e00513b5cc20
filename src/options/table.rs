//! The option table: every option that several commands share, or that has an environment variable or a configuration
//! key. A new option needs only a new row. Flag, help, variable, key and template of kbmirror.toml, and the field of
//! [`Options`] come from the row.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;

use super::color::ColorChoice;
use super::given::{GivenOptions, OptionSource, OptionTexts};
use super::row::{ConfigSection, ConfigShape, OptionRow, OptionScope};
use crate::error::Result;
use crate::event::LogFormat;
use crate::net::{AllowedHost, ProxyUrl};
use crate::update::{parse_age, parse_bytes, parse_duration, parse_expiry, parse_parallel, parse_stall};

/// Declares the type [`Options`], the table, and the function that reads the options by the table.
///
/// A row is `id: form<type> = reader, help, names;`. The form is `one` (optional value), `set` (value with a default),
/// `many` (list), or `switch`.
macro_rules! option_table {
    (@type one $type:ty) => { Option<$type> };
    (@type set $type:ty) => { $type };
    (@type many $type:ty) => { Vec<$type> };
    (@type switch $type:ty) => { $type };
    (@is_list many) => { true };
    (@is_list $other:ident) => { false };
    (@row $id:ident $form:ident $read:expr, $help:literal, $row:expr) => {
        OptionRow {
            id: stringify!($id),
            help: $help,
            is_list: option_table!(@is_list $form),
            check: |text| $read(text).map(drop),
            ..$row
        }
    };
    ($( $id:ident: $form:ident<$type:ty> = $read:expr, $help:literal, $row:expr; )+) => {
        /// The values of all options, from flags, environment, and configuration.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Options {
            $(
                #[doc = concat!("The value of the row `", stringify!($id), "`.")]
                pub $id: option_table!(@type $form $type),
            )+
        }

        /// Every option.
        pub const TABLE: &[OptionRow] = &[
            $( option_table!(@row $id $form $read, $help, $row), )+
        ];

        impl Options {
            /// Reads the values; refuses an invalid text under the name by which it was given.
            pub fn read(given: &GivenOptions) -> Result<Self> {
                Ok(Self {
                    $( $id: {
                        const ROW: OptionRow = option_table!(@row $id $form $read, $help, $row);
                        given.$form(&ROW, $read)?
                    }, )+
                })
            }
        }
    };
}

use OptionScope::{Command, Network};

option_table! {
    mirror: set<Utf8PathBuf> = path, "The mirror's folder",
        OptionRow::of("mirror", "DIR").variable("KBMIRROR_DIR").default("mirror").sample(&["."])
            .key(ConfigSection::Mirror, "dir", ConfigShape::Path);
    index: one<Utf8PathBuf> = path, "The index, for a mirror on a share",
        OptionRow::of("index", "PATH").variable("KBMIRROR_INDEX").default_words("DIR/mirror.db")
            .sample(&["/var/lib/kbmirror/mirror.db"])
            .key(ConfigSection::Mirror, "index", ConfigShape::Path);
    knowledge: one<Utf8PathBuf> = path, "Read the knowledge tables in this folder; missing tables are built in",
        OptionRow::of("knowledge", "DIR").variable("KBMIRROR_KNOWLEDGE").sample(&["knowledge"])
            .key(ConfigSection::Mirror, "knowledge", ConfigShape::Path);
    config: one<Utf8PathBuf> = path, "The configuration",
        OptionRow::of("config", "FILE").variable("KBMIRROR_CONFIG")
            .default_words("DIR/kbmirror.toml, if it exists").sample(&["kbmirror.toml"]);
    json: switch<bool> = switch, "Print one JSON document to stdout", OptionRow::switch("json");
    quiet: switch<bool> = switch, "Print warnings and errors only", OptionRow::switch("quiet").short('q');
    verbose: switch<bool> = switch, "Print a line for every request", OptionRow::switch("verbose").short('v');
    no_progress: switch<bool> = switch, "Print plain lines instead of bars", OptionRow::switch("no-progress");
    color: set<ColorChoice> = color, "Colour status words, warnings, and errors: auto, always, never; auto obeys NO_COLOR and CLICOLOR_FORCE",
        OptionRow::of("color", "WHEN").default("auto").values(&ColorChoice::NAMES).sample(&["always"]);
    log_format: set<LogFormat> = log_format, "The format of stderr: text, or json with one object per line",
        OptionRow::of("log-format", "FORMAT").variable("KBMIRROR_LOG_FORMAT").default("text").sample(&["json"])
            .values(&["text", "json"])
            .key(ConfigSection::Log, "format", ConfigShape::Text);
    key_passphrase_file: one<Utf8PathBuf> = path, "Read the passphrase of secret keys from the first line of this file",
        OptionRow::of("key-passphrase-file", "FILE").variable("KBMIRROR_KEY_PASSPHRASE_FILE")
            .default_words("prompt on the terminal").sample(&["passphrase.txt"])
            .key(ConfigSection::Export, "key_passphrase_file", ConfigShape::Path);
    offline: switch<bool> = switch, "Do not use the network; fail if something is missing",
        OptionRow::switch("offline");
    catalog_url: one<String> = text, "Query this Catalog instead of Microsoft's",
        OptionRow::of("catalog-url", "URL").on(Network).variable("KBMIRROR_CATALOG_URL")
            .sample(&["https://catalog.example/"])
            .key(ConfigSection::Network, "catalog_url", ConfigShape::Text);
    allow_host: many<AllowedHost> = host, "Also allow package files from this host, over plain http too",
        OptionRow::of("allow-host", "HOST[:PORT]").on(Network).variable("KBMIRROR_ALLOW_HOST").separated()
            .sample(&["cache.example:8080"])
            .key(ConfigSection::Network, "allow_host", ConfigShape::Texts);
    catalog_rate: set<f64> = rate, "Maximum number of Catalog requests per second",
        OptionRow::of("catalog-rate", "N").on(Network).variable("KBMIRROR_CATALOG_RATE").default("1")
            .sample(&["1.0"])
            .key(ConfigSection::Network, "catalog_rate", ConfigShape::Number);
    proxy: one<ProxyUrl> = ProxyUrl::parse, "Use this proxy: http://user:password@host:port",
        OptionRow::of("proxy", "URL").on(Network).variable("KBMIRROR_PROXY").secret()
            .default_words("HTTPS_PROXY and similar variables").sample(&["http://proxy.example:3128"])
            .key(ConfigSection::Network, "proxy", ConfigShape::Text);
    ca_cert: many<Utf8PathBuf> = path, "Trust the certificates in this PEM file in addition to those of the system",
        OptionRow::of("ca-cert", "FILE").on(Network).variable("KBMIRROR_CA_CERT").sample(&["company.pem"])
            .key(ConfigSection::Network, "ca_cert", ConfigShape::Paths);
    patience: one<Duration> = parse_duration, "How long to retry an unavailable Catalog, e.g. 90s, 10m, 0",
        OptionRow::of("patience", "DURATION").on(Network).variable("KBMIRROR_PATIENCE")
            .default_words("10m; 45m for sync").sample(&["45m"])
            .key(ConfigSection::Network, "patience", ConfigShape::Text);
    parallel: set<u8> = parse_parallel, "Maximum number of parallel downloads",
        OptionRow::of("parallel", "N").on(Network).variable("KBMIRROR_PARALLEL").default("4").sample(&["4"])
            .key(ConfigSection::Network, "parallel", ConfigShape::Number);
    limit_rate: one<u64> = parse_bytes, "Maximum bytes per second of all transfers together, e.g. 20M",
        OptionRow::of("limit-rate", "N").on(Network).variable("KBMIRROR_LIMIT_RATE").sample(&["20M"])
            .key(ConfigSection::Network, "limit_rate", ConfigShape::Text);
    stall_after: set<Duration> = parse_stall, "Reconnect and resume a transfer slower than 1 KB per second for this time",
        OptionRow::of("stall-after", "DURATION").on(Network).variable("KBMIRROR_STALL_AFTER").default("60s")
            .sample(&["60s"])
            .key(ConfigSection::Network, "stall_after", ConfigShape::Text);
    record: one<Utf8PathBuf> = path, "Record the responses of the Catalog in this folder",
        OptionRow::of("record", "DIR").on(Network).conflicts("replay").sample(&["recording"]);
    replay: one<Utf8PathBuf> = path, "Use recorded responses instead of the network",
        OptionRow::of("replay", "DIR").on(Network).sample(&["recording"]);
    max_age: set<Duration> = parse_age, "Maximum age of the last complete sync and of the newest medium, e.g. 36h",
        OptionRow::of("max-age", "AGE").on(Command("status")).variable("KBMIRROR_MAX_AGE").default("8d").sample(&["8d"])
            .key(ConfigSection::Monitor, "max_age", ConfigShape::Text);
    expires: set<Option<Duration>> = parse_expiry, "How long a medium may be imported, e.g. 120d, or never",
        OptionRow::of("expires", "DURATION").on(Command("export")).variable("KBMIRROR_EXPIRES").default("120d")
            .sample(&["120d"])
            .key(ConfigSection::Export, "expires", ConfigShape::Text);
}

impl Options {
    /// Returns the defaults of the table, which have the lowest precedence.
    pub fn defaults() -> GivenOptions {
        let default = |row: &OptionRow| Some((row.id, vec![row.default?.to_owned()]));
        GivenOptions::default().with(OptionSource::Default, TABLE.iter().filter_map(default).collect())
    }

    /// Returns the texts of the environment variables; an empty variable counts as unset.
    pub fn of_environment(environment: &BTreeMap<String, String>) -> OptionTexts {
        let texts = |row: &OptionRow| {
            let text = environment.get(row.variable?).filter(|text| !text.is_empty())?;
            let parts = text.split([',', ' ']).filter(|part| !part.is_empty());
            let single = || vec![text.to_owned()];
            Some((row.id, if row.is_separated { parts.map(str::to_owned).collect() } else { single() }))
        };
        TABLE.iter().filter_map(texts).collect()
    }
}

type ReadResult<T> = Result<T, String>;

#[expect(clippy::unnecessary_wraps, reason = "a reader of the table")]
fn path(text: &str) -> ReadResult<Utf8PathBuf> {
    Ok(text.into())
}

#[expect(clippy::unnecessary_wraps, reason = "a reader of the table")]
fn text(text: &str) -> ReadResult<String> {
    Ok(text.to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "a reader of the table")]
fn switch(_: &str) -> ReadResult<bool> {
    Ok(true)
}

fn rate(text: &str) -> ReadResult<f64> {
    text.parse().map_err(|_| format!("{text:?} is not a number"))
}

fn host(text: &str) -> ReadResult<AllowedHost> {
    text.parse().map_err(|error: crate::error::Error| error.message().to_owned())
}

fn color(text: &str) -> ReadResult<ColorChoice> {
    text.parse()
}

fn log_format(text: &str) -> ReadResult<LogFormat> {
    text.parse()
}
