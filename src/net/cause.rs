//! The cause of a failed request, found in the error chain of the HTTP client.
//!
//! A failure arrives wrapped: an untrusted certificate is a TLS error in an I/O error in a connection error in a
//! request error. The complete chain is therefore searched. The inner error of an I/O error is searched too, because it
//! is not in the chain of sources.

use std::error::Error as StdError;
use std::io;

/// The cause of a failed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestCause {
    /// A failed name lookup, a failed connection, or a connection that broke.
    Transport,
    /// A timeout.
    Timeout,
    /// A proxy that opened no tunnel to the host.
    NoTunnel,
    /// A proxy that requires a login.
    ProxyLogin,
    /// A certificate that is not valid.
    Certificate(CertificateFault),
}

/// The fault of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateFault {
    /// An issuer that this machine does not trust.
    UnknownIssuer,
    /// A certificate for another host.
    WrongName,
    /// A certificate that has expired.
    Expired,
    /// A certificate that is not valid yet.
    NotYetValid,
    /// Any other fault: revoked, badly encoded, badly signed, or meant for another purpose.
    Other,
}

impl RequestCause {
    /// Finds the cause of a failed request.
    pub(super) fn find(error: &reqwest::Error) -> Self {
        Self::find_in_chain(error).unwrap_or(Self::Transport)
    }

    /// Finds the cause in a chain. A deeper error is closer to the cause, and a named cause precedes a failed
    /// connection.
    fn find_in_chain(error: &(dyn StdError + 'static)) -> Option<Self> {
        if let Some(rustls::Error::InvalidCertificate(certificate)) = error.downcast_ref::<rustls::Error>() {
            return Some(Self::Certificate(CertificateFault::of(certificate)));
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let inner = inner.and_then(|inner| Self::find_in_chain(inner as &(dyn StdError + 'static)));
        let deeper = inner.or_else(|| error.source().and_then(Self::find_in_chain));
        match deeper {
            None | Some(Self::Transport) => Self::classify(error).or(deeper),
            _ => deeper,
        }
    }

    fn classify(error: &(dyn StdError + 'static)) -> Option<Self> {
        // The error type of the tunnel has no public name. A test over a real socket checks these two texts.
        match error.to_string().as_str() {
            "tunnel error: proxy authorization required" => return Some(Self::ProxyLogin),
            "tunnel error: unsuccessful" => return Some(Self::NoTunnel),
            _ => {}
        }
        let request = error.downcast_ref::<reqwest::Error>()?;
        Some(if request.is_timeout() { Self::Timeout } else { Self::Transport })
    }
}

impl CertificateFault {
    fn of(error: &rustls::CertificateError) -> Self {
        use rustls::CertificateError as Found;
        match error {
            // A bad signature means an authority with the same name as a trusted one, such as a renewed company
            // authority.
            Found::UnknownIssuer | Found::BadSignature => Self::UnknownIssuer,
            Found::NotValidForName | Found::NotValidForNameContext { .. } => Self::WrongName,
            Found::Expired | Found::ExpiredContext { .. } => Self::Expired,
            Found::NotValidYet | Found::NotValidYetContext { .. } => Self::NotYetValid,
            _ => Self::Other,
        }
    }

    /// Describes the fault of the certificate of `host`.
    pub(super) fn describe(self, host: &str) -> String {
        match self {
            Self::UnknownIssuer => {
                format!(
                    "the certificate of {host} was issued by an authority that this machine does not trust"
                )
            }
            Self::WrongName => format!("the certificate of {host} is for another name"),
            Self::Expired => format!("the certificate of {host} has expired"),
            Self::NotYetValid => format!("the certificate of {host} is not valid yet"),
            Self::Other => format!("the certificate of {host} is not valid"),
        }
    }

    /// Returns the hint for the operator.
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::UnknownIssuer => {
                "add the authority with --ca-cert FILE or to the system's trust store; a proxy that inspects TLS signs with a certificate of its own"
            }
            Self::WrongName => {
                "check the URL; a proxy or a captive portal may have answered in place of the host"
            }
            Self::Expired | Self::NotYetValid => {
                "check the clock of this machine; if it is right, the host or the proxy that inspects TLS needs a new certificate"
            }
            Self::Other => "ask the operator of the host, or of the proxy that inspects TLS",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(error: rustls::CertificateError) -> rustls::Error {
        rustls::Error::InvalidCertificate(error)
    }

    #[test]
    fn a_certificate_fault_is_found_at_any_depth_of_the_chain() {
        let unknown = || certificate(rustls::CertificateError::UnknownIssuer);
        let expected = Some(RequestCause::Certificate(CertificateFault::UnknownIssuer));
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, unknown()));
        assert_eq!(RequestCause::find_in_chain(&unknown()), expected);
        assert_eq!(RequestCause::find_in_chain(&wrapped), expected);
        let error = crate::error::Error::usage("x").caused_by(wrapped).context("y");
        assert_eq!(RequestCause::find_in_chain(&error), expected);
        assert_eq!(RequestCause::find_in_chain(&io::Error::other("reset")), None);
        assert_eq!(RequestCause::find_in_chain(&rustls::Error::HandshakeNotComplete), None);
    }

    #[test]
    fn certificate_faults_are_distinguished() {
        for (found, fault) in [
            (rustls::CertificateError::BadSignature, CertificateFault::UnknownIssuer),
            (rustls::CertificateError::NotValidForName, CertificateFault::WrongName),
            (rustls::CertificateError::Expired, CertificateFault::Expired),
            (rustls::CertificateError::NotValidYet, CertificateFault::NotYetValid),
            (rustls::CertificateError::Revoked, CertificateFault::Other),
        ] {
            assert_eq!(
                RequestCause::find_in_chain(&certificate(found)),
                Some(RequestCause::Certificate(fault))
            );
            assert!(fault.describe("host.example").contains("host.example"));
        }
    }
}
