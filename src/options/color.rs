//! The use of colour: `--color` and the variables `NO_COLOR`, `CLICOLOR_FORCE`, and `TERM`. Pure.
//!
//! Under `auto`, a stream gets colour if it is a terminal. `NO_COLOR` (no-color.org) and `TERM=dumb` switch colour
//! off, and `CLICOLOR_FORCE` (bixense.com/clicolors) switches it on, also on a pipe. `NO_COLOR` takes precedence.

use std::collections::BTreeMap;
use std::str::FromStr;

/// The value of `--color`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// By the stream and the environment.
    #[default]
    Auto,
    /// On every stream.
    Always,
    /// On no stream.
    Never,
}

impl ColorChoice {
    /// Every value as it is written on the command line.
    pub const NAMES: [&'static str; 3] = ["auto", "always", "never"];

    /// Returns `true` if a stream gets colour.
    pub fn is_used(self, environment: &BTreeMap<String, String>, is_terminal: bool) -> bool {
        let variable = |name| environment.get(name).map(String::as_str).unwrap_or_default();
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if !variable("NO_COLOR").is_empty() => false,
            Self::Auto if !matches!(variable("CLICOLOR_FORCE"), "" | "0") => true,
            Self::Auto => is_terminal && variable("TERM") != "dumb",
        }
    }
}

impl FromStr for ColorChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            _ => Err(format!("{text:?} is not one of {}", Self::NAMES.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option_takes_precedence_over_variables_and_stream() {
        for (text, variables, of_terminal, of_pipe) in [
            ("auto", &[][..], true, false),
            ("auto", &[("NO_COLOR", "1")], false, false),
            ("auto", &[("NO_COLOR", "")], true, false),
            ("auto", &[("CLICOLOR_FORCE", "1")], true, true),
            ("auto", &[("CLICOLOR_FORCE", "0")], true, false),
            ("auto", &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false, false),
            ("auto", &[("TERM", "dumb")], false, false),
            ("auto", &[("TERM", "xterm-256color")], true, false),
            ("always", &[("NO_COLOR", "1"), ("TERM", "dumb")], true, true),
            ("never", &[("CLICOLOR_FORCE", "1")], false, false),
        ] {
            let choice: ColorChoice = text.parse().unwrap();
            let environment = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
            let environment = environment.collect();
            assert_eq!(choice.is_used(&environment, true), of_terminal, "{text} {variables:?}");
            assert_eq!(choice.is_used(&environment, false), of_pipe, "{text} {variables:?}");
        }
        assert_eq!("blue".parse::<ColorChoice>().unwrap_err(), "\"blue\" is not one of auto, always, never");
    }
}
