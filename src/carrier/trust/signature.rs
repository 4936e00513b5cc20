//! Signatures in the format of minisign, which the standard program can check: `minisign -Vm set.json -P RW…`.
//!
//! Signature files are read strictly: the exact comment line of kbmirror, base64 in its canonical form, four lines,
//! and nothing after them. So every byte of a signature file counts, also the bytes that the cryptography does not
//! cover.

use std::fmt;
use std::io::Cursor;
use std::str::FromStr;

use data_encoding::{BASE64, HEXUPPER};

use crate::error::{Error, ErrorKind, Result};

/// The first line of the signatures that kbmirror writes.
const UNTRUSTED: &str = "untrusted comment: signature made by kbmirror";
const TRUSTED: &str = "trusted comment: ";
/// The bytes of algorithm, key number, and signature.
const SIGNATURE_BYTES: usize = 2 + 8 + 64;
const GLOBAL_BYTES: usize = 64;
/// The bytes of algorithm, key number, and key.
const KEY_BYTES: usize = 2 + 8 + 32;

/// A public key, as the 56 characters that begin with `RW`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(String);

impl PublicKey {
    /// Returns the number by which minisign names the key.
    pub fn id(&self) -> String {
        let bytes = BASE64.decode(self.0.as_bytes()).unwrap_or_default();
        let mut number: Vec<u8> = bytes.get(2..10).unwrap_or_default().to_vec();
        number.reverse();
        HEXUPPER.encode(&number)
    }

    /// Returns the beginning of the key, short enough for an evidence line.
    pub fn short(&self) -> String {
        format!("{}\u{2026}", self.0.chars().take(12).collect::<String>())
    }

    /// Returns the complete key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text of the key's file, in the format of `minisign -p`.
    pub fn to_file_text(&self, what: &str) -> String {
        format!("untrusted comment: kbmirror {what} key {}\n{}\n", self.id(), self.0)
    }

    /// Checks a signature file over some bytes. Returns the trusted comment.
    pub fn verify(&self, bytes: &[u8], signature: &str) -> Result<String> {
        let comment = strict_comment(signature)?;
        let refused = |what: &str| Error::new(ErrorKind::Refused, what.to_owned());
        let key = minisign_verify::PublicKey::from_base64(&self.0)
            .map_err(|error| refused("the key cannot be used").caused_by(error))?;
        let signature = minisign_verify::Signature::decode(signature)
            .map_err(|error| refused("the signature cannot be read").caused_by(error))?;
        key.verify(bytes, &signature, false)
            .map_err(|error| refused("the signature does not match").caused_by(error))?;
        Ok(comment)
    }
}

impl FromStr for PublicKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        // A text of the size of a secret key is not repeated in a message: terminals and logs would store it.
        if text.lines().any(is_secret_key) {
            return Err(Error::usage("this is a secret key, and only a public key can be trusted")
                .hint("name the public key: kbmirror keys show prints it, and root.pub holds it")
                .hint("create new keys if this secret key was on a medium or in a message"));
        }
        let refused = || {
            let shown = match text.chars().count() {
                0 => "an empty text".to_owned(),
                1..=64 => format!("{text:?}"),
                length => format!("a text of {length} characters"),
            };
            Error::usage(format!("{shown} is not a public key"))
                .hint("use the word of 56 characters that begins with RW, as kbmirror keys show prints it")
        };
        let bytes = BASE64.decode(text.as_bytes()).map_err(|_| refused())?;
        if bytes.len() != KEY_BYTES || !text.starts_with("RW") {
            return Err(refused());
        }
        minisign_verify::PublicKey::from_base64(text).map_err(|_| refused())?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl serde::Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(|error: Error| serde::de::Error::custom(error.message()))
    }
}

/// Refuses a signature file that does not have the exact form of kbmirror. Does not check the signature itself.
pub(in crate::carrier) fn check_form(text: &str) -> Result<()> {
    strict_comment(text).map(drop)
}

/// Returns the trusted comment of a signature file that has the exact form of kbmirror.
fn strict_comment(text: &str) -> Result<String> {
    let refused = |what: &str| {
        Error::new(
            ErrorKind::Refused,
            format!("the signature file does not have the format of kbmirror: {what}"),
        )
    };
    let body = text.strip_suffix('\n').ok_or_else(|| refused("it does not end with a line break"))?;
    let lines: Vec<&str> = body.split('\n').collect();
    let [untrusted, signature, trusted, global] = lines.as_slice() else {
        return Err(refused("it does not have four lines"));
    };
    if *untrusted != UNTRUSTED {
        return Err(refused("its first line is wrong"));
    }
    let canonical =
        |line: &str, bytes: usize| BASE64.decode(line.as_bytes()).is_ok_and(|decoded| decoded.len() == bytes);
    if !canonical(signature, SIGNATURE_BYTES) || !canonical(global, GLOBAL_BYTES) {
        return Err(refused("a line is not a signature"));
    }
    let comment = trusted.strip_prefix(TRUSTED).ok_or_else(|| refused("its third line is wrong"))?;
    if comment.chars().any(char::is_control) {
        return Err(refused("its comment has a control character"));
    }
    Ok(comment.to_owned())
}

/// Returns `true` if a line holds a secret key of minisign, with or without a passphrase.
fn is_secret_key(line: &str) -> bool {
    /// The size of a secret key in minisign's format: three algorithms (signature, key derivation, checksum), the
    /// salt, the limits, the key number, both keys, and the checksum.
    const BYTES: usize = 158;
    let decoded = BASE64.decode(line.trim().as_bytes());
    decoded.is_ok_and(|bytes| bytes.len() == BYTES && bytes.starts_with(b"Ed"))
}

/// Returns `true` if the secret key in a file text has a passphrase.
pub(super) fn is_locked(text: &str) -> bool {
    /// The identifier of the key derivation from a passphrase in minisign's format.
    const SCRYPT: &[u8] = b"Sc";
    let line = text.lines().nth(1).unwrap_or_default().trim();
    is_secret_key(line) && BASE64.decode(line.as_bytes()).is_ok_and(|bytes| bytes.get(2..4) == Some(SCRYPT))
}

/// A secret key.
pub struct SecretKey {
    secret: minisign::SecretKey,
    public: minisign::PublicKey,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey(\u{2026})")
    }
}

fn key_error(error: minisign::PError) -> Error {
    Error::new(ErrorKind::Internal, "cannot create or use a key").caused_by(error)
}

impl SecretKey {
    /// Creates a new key.
    pub fn generate() -> Result<Self> {
        let pair = minisign::KeyPair::generate_unencrypted_keypair().map_err(key_error)?;
        Ok(Self { secret: pair.sk, public: pair.pk })
    }

    /// Creates a new key. Returns it with the text of its file, which is encrypted if a passphrase is given.
    pub fn generate_with(what: &str, passphrase: Option<&str>) -> Result<(Self, String)> {
        let Some(passphrase) = passphrase else {
            let key = Self::generate()?;
            let text = key.to_text(what)?;
            return Ok((key, text));
        };
        let pair = minisign::KeyPair::generate_encrypted_keypair(Some(passphrase.to_owned()));
        let comment = format!("kbmirror {what} key, secret, with a passphrase");
        let text = pair.and_then(|pair| pair.sk.to_box(Some(&comment))).map_err(key_error)?.into_string();
        // Decrypt the text as every later run does.
        Ok((Self::unlock(&text, passphrase)?, text))
    }

    /// Decrypts the key in the text of a file with a passphrase.
    pub fn unlock(text: &str, passphrase: &str) -> Result<Self> {
        let unusable = |error: minisign::PError| {
            Error::usage("the passphrase is wrong, or the secret key is damaged").caused_by(error)
        };
        let boxed = minisign::SecretKeyBox::from_string(text).map_err(unusable)?;
        let secret = boxed.into_secret_key(Some(passphrase.to_owned())).map_err(unusable)?;
        let public = minisign::PublicKey::from_secret_key(&secret).map_err(unusable)?;
        Ok(Self { secret, public })
    }

    /// Reads the key in the text of a file without a passphrase.
    pub fn from_text(text: &str) -> Result<Self> {
        let unusable = |error: minisign::PError| {
            Error::usage("the text is not a usable secret key, or it needs a passphrase").caused_by(error)
        };
        let boxed = minisign::SecretKeyBox::from_string(text).map_err(unusable)?;
        let secret = boxed.into_unencrypted_secret_key().map_err(unusable)?;
        let public = minisign::PublicKey::from_secret_key(&secret).map_err(unusable)?;
        Ok(Self { secret, public })
    }

    /// Returns the text of the key file, which the standard program can read too. Only for a new key: a decrypted
    /// key keeps the flag of a passphrase.
    fn to_text(&self, what: &str) -> Result<String> {
        let comment = format!("kbmirror {what} key, secret");
        Ok(self.secret.to_box(Some(&comment)).map_err(key_error)?.into_string())
    }

    /// Returns the public key of this secret key.
    pub fn public(&self) -> Result<PublicKey> {
        self.public.to_base64().parse()
    }

    /// Returns a signature file over some bytes.
    pub fn sign(&self, bytes: &[u8], trusted_comment: &str) -> Result<String> {
        let untrusted = UNTRUSTED.strip_prefix("untrusted comment: ");
        let made = minisign::sign(
            Some(&self.public),
            &self.secret,
            Cursor::new(bytes),
            Some(trusted_comment),
            untrusted,
        );
        let mut text = made.map_err(key_error)?.into_string();
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_verifies_only_its_bytes_and_key() {
        let key = SecretKey::from_text(&SecretKey::generate().unwrap().to_text("export").unwrap()).unwrap();
        let public = key.public().unwrap();
        assert_eq!((public.as_str().len(), &public.as_str()[..2], public.id().len()), (56, "RW", 16));
        let signature = key.sign(b"set", "set 0007").unwrap();
        assert_eq!(public.verify(b"set", &signature).unwrap(), "set 0007");
        assert!(public.verify(b"sets", &signature).is_err());
        let other = SecretKey::generate().unwrap().public().unwrap();
        assert!(other.verify(b"set", &signature).is_err());
        assert!(!format!("{key:?}").contains("RW"));
    }

    #[test]
    fn every_byte_of_a_signature_file_counts() {
        let key = SecretKey::generate().unwrap();
        let public = key.public().unwrap();
        let signature = key.sign(b"set", "set 0007").unwrap();
        for place in 0..signature.len() {
            for change in [1_u8, 32, 128] {
                let mut bytes = signature.clone().into_bytes();
                bytes[place] ^= change;
                let Ok(text) = String::from_utf8(bytes) else { continue };
                assert!(public.verify(b"set", &text).is_err(), "byte {place}: {text}");
            }
        }
        for text in [
            format!("{signature}\n"),
            format!("{signature}x"),
            signature.trim_end().to_owned(),
            signature.replace('\n', "\r\n"),
        ] {
            assert!(public.verify(b"set", &text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn only_the_right_passphrase_decrypts_a_key() {
        let (key, text) = SecretKey::generate_with("export", Some("caf\u{e9} and tea")).unwrap();
        assert!(is_locked(&text));
        let again = SecretKey::unlock(&text, "caf\u{e9} and tea").unwrap();
        assert_eq!(again.public().unwrap(), key.public().unwrap());
        again.public().unwrap().verify(b"set", &again.sign(b"set", "x").unwrap()).unwrap();
        for wrong in ["", "caf\u{e9} and tea ", "cafe and tea"] {
            let error = SecretKey::unlock(&text, wrong).unwrap_err();
            assert!(error.message().contains("the passphrase is wrong"), "{error}");
        }
        assert!(SecretKey::from_text(&text).is_err());
        let (_, open) = SecretKey::generate_with("export", None).unwrap();
        assert!(!is_locked(&open) && SecretKey::unlock(&open, "x").is_err());
        assert!(text.parse::<PublicKey>().unwrap_err().message().contains("secret key"));
    }

    #[test]
    fn text_that_is_not_a_key_is_refused() {
        let key = SecretKey::generate().unwrap().public().unwrap();
        assert_eq!(key.as_str().parse::<PublicKey>().unwrap(), key);
        for text in ["", "RW", "KB5086672", &key.as_str()[1..], &format!("{key} ")] {
            assert!(text.parse::<PublicKey>().is_err(), "{text:?}");
        }
    }
}
