//! A row of the option table: the names of an option, its help, and the check of its text.
//!
//! Rows are constants, because the table is a constant. Names are unique; the tests of the table check this.

/// An option: its names on the command line, in the environment, and in kbmirror.toml, its default, and its help.
#[derive(Debug, Clone, Copy)]
pub struct OptionRow {
    /// The name in the program, which is also the name of the field in [`super::Options`].
    pub id: &'static str,
    /// The long flag, without dashes.
    pub flag: &'static str,
    /// The short flag.
    pub short: Option<char>,
    /// The name of the value in the help; `None` for a switch.
    pub value: Option<&'static str>,
    /// `true` if the option can be given several times.
    pub is_list: bool,
    /// The commands that have the option.
    pub scope: OptionScope,
    /// The environment variable.
    pub variable: Option<&'static str>,
    /// `true` if blanks and commas separate the values of the variable.
    pub is_separated: bool,
    /// The place in kbmirror.toml.
    pub key: Option<ConfigKey>,
    /// The default, as the operator would write it.
    pub default: Option<&'static str>,
    /// The default in words, if the default is not a fixed text.
    pub default_words: Option<&'static str>,
    /// Every value, if only a few are allowed. Completions offer them.
    pub values: &'static [&'static str],
    /// A sample value for the template and the tests.
    pub sample: &'static [&'static str],
    /// The flag that cannot be combined with this one.
    pub conflict: Option<&'static str>,
    /// `true` if the value can contain credentials. Only the reader of the value writes messages about it and hides
    /// them.
    pub is_secret: bool,
    /// The effect of the option, for help and for kbmirror.toml.
    pub help: &'static str,
    /// The check of a text.
    pub check: fn(&str) -> Result<(), String>,
}

/// The commands that have an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionScope {
    /// Every command.
    Global,
    /// Commands that use the network. Other commands accept the option and ignore it.
    Network,
    /// A single command.
    Command(&'static str),
}

/// The place of an option in kbmirror.toml.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfigKey {
    /// The table.
    pub section: ConfigSection,
    /// The key.
    pub name: &'static str,
    /// The type of the value.
    pub shape: ConfigShape,
}

/// A table of kbmirror.toml that holds options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigSection {
    /// `[mirror]`
    Mirror,
    /// `[network]`
    Network,
    /// `[log]`
    Log,
    /// `[monitor]`
    Monitor,
    /// `[export]`
    Export,
}

impl ConfigSection {
    /// Every table, in the order of the template.
    pub const ALL: [Self; 5] = [Self::Mirror, Self::Network, Self::Log, Self::Monitor, Self::Export];

    /// Returns the name of the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mirror => "mirror",
            Self::Network => "network",
            Self::Log => "log",
            Self::Monitor => "monitor",
            Self::Export => "export",
        }
    }
}

/// The type that a value has in kbmirror.toml.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigShape {
    /// A string.
    Text,
    /// A string that is a path, relative to the configuration file.
    Path,
    /// A number, with or without a fraction.
    Number,
    /// A list of strings.
    Texts,
    /// A list of paths.
    Paths,
}

impl ConfigShape {
    /// Returns `true` if the values are paths.
    pub fn is_path(self) -> bool {
        matches!(self, Self::Path | Self::Paths)
    }
}

impl OptionRow {
    /// Makes a row for a flag with a value.
    pub(super) const fn of(flag: &'static str, value: &'static str) -> Self {
        Self { value: Some(value), ..Self::switch(flag) }
    }

    /// Makes a row for a flag without a value.
    pub(super) const fn switch(flag: &'static str) -> Self {
        Self {
            id: "",
            flag,
            short: None,
            value: None,
            is_list: false,
            scope: OptionScope::Global,
            variable: None,
            is_separated: false,
            key: None,
            default: None,
            default_words: None,
            values: &[],
            sample: &[],
            conflict: None,
            is_secret: false,
            help: "",
            check: |_| Ok(()),
        }
    }

    /// Adds the short flag.
    pub(super) const fn short(self, letter: char) -> Self {
        Self { short: Some(letter), ..self }
    }

    /// Sets the commands that have the option.
    pub(super) const fn on(self, scope: OptionScope) -> Self {
        Self { scope, ..self }
    }

    /// Adds the environment variable.
    pub(super) const fn variable(self, name: &'static str) -> Self {
        Self { variable: Some(name), ..self }
    }

    /// Makes blanks and commas separate the values of the variable.
    pub(super) const fn separated(self) -> Self {
        Self { is_separated: true, ..self }
    }

    /// Adds the place in kbmirror.toml.
    pub(super) const fn key(self, section: ConfigSection, name: &'static str, shape: ConfigShape) -> Self {
        Self { key: Some(ConfigKey { section, name, shape }), ..self }
    }

    /// Adds the default, as the operator would write it.
    pub(super) const fn default(self, text: &'static str) -> Self {
        Self { default: Some(text), ..self }
    }

    /// Adds the default in words.
    pub(super) const fn default_words(self, words: &'static str) -> Self {
        Self { default_words: Some(words), ..self }
    }

    /// Adds every allowed value.
    pub(super) const fn values(self, values: &'static [&'static str]) -> Self {
        Self { values, ..self }
    }

    /// Adds a sample value.
    pub(super) const fn sample(self, sample: &'static [&'static str]) -> Self {
        Self { sample, ..self }
    }

    /// Sets the flag that cannot be combined with this one.
    pub(super) const fn conflicts(self, flag: &'static str) -> Self {
        Self { conflict: Some(flag), ..self }
    }

    /// Leaves messages about the value to its reader.
    pub(super) const fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    /// Returns the help on the command line: the description, the variable, and the default.
    pub fn full_help(&self) -> String {
        let repeatable = if self.is_list { " (repeatable)" } else { "" };
        let variable = self.variable.map(|name| format!(" [env: {name}]")).unwrap_or_default();
        let default = self.default_words.or(self.default);
        let default = default.map(|words| format!(" [default: {words}]")).unwrap_or_default();
        format!("{}{repeatable}{variable}{default}", self.help)
    }
}
