//! Certificates that are trusted in addition to those of the system: `--ca-cert`.
//!
//! They add to the system's store and replace nothing. Checks are never disabled. A file that is missing, is not PEM,
//! or contains no usable certificate is a usage error.

use camino::Utf8PathBuf;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::disk;
use crate::error::{Error, ErrorKind, Result};

/// The size limit of a certificate file. A bundle of all public authorities has some 220 KB.
const FILE_CAP: u64 = 4 * 1024 * 1024;

/// The certificates in addition to those of the system.
#[derive(Debug, Clone, Default)]
pub struct ExtraRoots(Vec<CertificateDer<'static>>);

impl ExtraRoots {
    /// Reads PEM files with one or more certificates each.
    pub fn read(files: &[Utf8PathBuf]) -> Result<Self> {
        let mut roots = Vec::new();
        for path in files {
            let bytes = disk::read(path, FILE_CAP)
                .map_err(|error| error.with_kind(ErrorKind::Usage).context("--ca-cert"))?;
            roots.extend(certificates(&bytes).map_err(|why| {
                Error::usage(format!("--ca-cert {path}: {why}")).hint(
                    "use certificates in PEM, which begin with -----BEGIN CERTIFICATE-----; convert the binary form \
                     with openssl x509 -inform der -in FILE -out FILE.pem",
                )
            })?);
        }
        Ok(Self(roots))
    }

    pub(super) fn certificates(&self) -> impl Iterator<Item = &CertificateDer<'static>> {
        self.0.iter()
    }
}

fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = CertificateDer::pem_slice_iter(bytes).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| format!("it is not readable PEM ({error})"))?;
    if found.is_empty() {
        return Err("it does not contain a certificate".to_owned());
    }
    for (index, certificate) in found.iter().enumerate() {
        RootCertStore::empty()
            .add(certificate.clone())
            .map_err(|error| format!("certificate {} cannot be used ({error})", index + 1))?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(name: &str) -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
        parameters.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn a_file_may_contain_several_certificates() {
        let one = authority("one");
        assert_eq!(certificates(one.as_bytes()).unwrap().len(), 1);
        let both = format!("a comment\n{one}\n{}", authority("two"));
        assert_eq!(certificates(both.as_bytes()).unwrap().len(), 2);
    }

    #[test]
    fn a_file_without_a_certificate_is_refused_with_a_reason() {
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let cut = authority("one").replace("-----END CERTIFICATE-----", "");
        for (text, word) in [
            ("", "does not contain"),
            ("hello", "does not contain"),
            (&key, "does not contain"),
            (garbage, "certificate 1"),
            (&cut, "PEM"),
        ] {
            let why = certificates(text.as_bytes()).unwrap_err();
            assert!(why.contains(word), "{why}");
        }
        let missing = ExtraRoots::read(&["no/such/file.pem".into()]).unwrap_err();
        assert_eq!(missing.code().number(), 2);
        assert!(missing.full_message().contains("no/such/file.pem"), "{missing:?}");
    }
}
