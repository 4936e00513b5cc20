//! Digests as distinct types, in the spellings of the download dialog, file names, and `sha256sum`. The types prevent
//! the use of a SHA-1 as a SHA-256.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};

use super::{ParseError, serde_as_text};

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident, $length:literal, $hex:literal, $base64:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $length]);

        impl $name {
            /// Makes a digest from its bytes.
            pub fn from_bytes(bytes: [u8; $length]) -> Self {
                Self(bytes)
            }

            /// Returns the raw bytes.
            pub fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }

            /// Returns the digest with these bytes, or `None` if the length is wrong.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Reads strict base64, the form of digests in the download dialog.
            pub fn from_base64(text: &str) -> Result<Self, ParseError> {
                let bytes = BASE64.decode(text.as_bytes()).ok();
                let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
                bytes.map(Self).ok_or_else(|| ParseError::new($base64, text))
            }

            /// Returns base64, the form of digests in the download dialog.
            pub fn to_base64(self) -> String {
                BASE64.encode(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            /// Reads hexadecimal digits of either case.
            fn from_str(text: &str) -> Result<Self, ParseError> {
                let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
                let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
                bytes.map(Self).ok_or_else(|| ParseError::new($hex, text))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, formatter)
            }
        }

        serde_as_text!($name);

        crate::update::schema_of_text!($name, stringify!($name), |generator: &mut schemars::SchemaGenerator| {
            let pattern = format!("^[0-9a-f]{{{}}}$", 2 * $length);
            crate::update::schema::pattern_schema(generator, $hex, &pattern)
        });
    };
}

digest!(
    /// SHA-1: the digest that the Catalog has always given (`digest` in the dialog, the 40 digits in file names).
    Sha1, 20, "a SHA-1 digest of 40 hexadecimal digits", "a SHA-1 digest in base64"
);
digest!(
    /// SHA-256: the digest that the Catalog gives for newer updates, and the key of the pool.
    Sha256, 32, "a SHA-256 digest of 64 hexadecimal digits", "a SHA-256 digest in base64"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dialog_base64_equals_file_name_hex() {
        let digest = Sha1::from_base64("7TYYeOwrVqff248lZWUmOn/cjqo=").unwrap();
        assert_eq!(digest.to_string(), "ed361878ec2b56a7dfdb8f256565263a7fdc8eaa");
        assert_eq!("ED361878EC2B56A7DFDB8F256565263A7FDC8EAA".parse(), Ok(digest));
        assert_eq!(digest.to_base64(), "7TYYeOwrVqff248lZWUmOn/cjqo=");
    }

    #[test]
    fn digest_of_another_length_is_refused() {
        assert!(Sha1::from_base64("sz/3qrW7u7c4Z/P1wvSS/pfAEpuWqhlBvCcGENeHbfo=").is_err());
        assert!(Sha256::from_base64("7TYYeOwrVqff248lZWUmOn/cjqo=").is_err());
        assert!(Sha1::from_base64("7TYYeOwrVqff248lZWUmOn/cjqo").is_err(), "padding is part of it");
        assert!(Sha1::from_base64("").is_err());
        assert!("ed36".parse::<Sha1>().is_err());
    }
}
