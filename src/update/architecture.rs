//! Architectures, by every name that Microsoft and operators use.

use std::fmt;
use std::str::FromStr;

use super::{ParseError, serde_as_text};

/// The processor architecture of a package. It is a hard filter: an x64 package never fits arm64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Architecture {
    /// 64-bit ARM. The Catalog also writes `ARM64`.
    Arm64,
    /// 64-bit Intel and AMD, also written `amd64`.
    X64,
    /// 32-bit Intel.
    X86,
    /// 32-bit ARM, as in Windows RT.
    Arm,
    /// Itanium, as in Windows Server 2008 R2.
    Ia64,
}

impl Architecture {
    /// All architectures, in the order of listings.
    pub const ALL: [Self; 5] = [Self::Arm64, Self::X64, Self::X86, Self::Arm, Self::Ia64];

    /// Returns the lower-case word used in options, JSON, folder names, and Microsoft's file names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X64 => "x64",
            Self::X86 => "x86",
            Self::Arm => "arm",
            Self::Ia64 => "ia64",
        }
    }
}

impl FromStr for Architecture {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text.to_ascii_lowercase().as_str() {
            "x64" | "amd64" | "x86_64" => Ok(Self::X64),
            "x86" | "i386" => Ok(Self::X86),
            "arm64" | "aarch64" => Ok(Self::Arm64),
            "arm" => Ok(Self::Arm),
            "ia64" | "itanium" => Ok(Self::Ia64),
            _ => Err(ParseError::new("an architecture (x64, x86, arm64, arm, or ia64)", text)),
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

serde_as_text!(Architecture, "Architecture", "An architecture", words Architecture::ALL);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_of_an_architecture_are_accepted() {
        assert_eq!("amd64".parse(), Ok(Architecture::X64));
        assert_eq!("AArch64".parse(), Ok(Architecture::Arm64));
        assert!("64".parse::<Architecture>().is_err());
        for architecture in Architecture::ALL {
            assert_eq!(architecture.as_str().parse(), Ok(architecture));
        }
    }
}
