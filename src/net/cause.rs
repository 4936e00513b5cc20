//! The cause of a request that failed, found in the chain of errors of the HTTP client.
//!
//! A failure comes wrapped: a certificate that is not trusted is a TLS error in an I/O error in a connection error in a
//! request error. So the whole chain is searched, and the inner error of an I/O error too, which is not in its chain of
//! sources.

use std::error::Error as StdError;
use std::io;

/// The cause of a request that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// No name, no connection, or one that broke off.
    Transport,
    /// Nothing came in time.
    Timeout,
    /// A proxy opened no way to the host.
    NoTunnel,
    /// A proxy wants a login.
    ProxyLogin,
    /// A certificate does not hold.
    Certificate(CertificateFault),
}

/// The fault of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateFault {
    /// Its issuer is not trusted here.
    UnknownIssuer,
    /// It is for another host.
    WrongName,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// Anything else: revoked, of a bad encoding or signature, for another purpose.
    Other,
}

impl Cause {
    /// Finds the cause of a failed request.
    pub(super) fn of(error: &reqwest::Error) -> Self {
        Self::of_chain(error).unwrap_or(Self::Transport)
    }

    /// Finds the cause in a chain: a deeper error is nearer to it, and a named cause goes before a mere failed connection.
    fn of_chain(error: &(dyn StdError + 'static)) -> Option<Self> {
        if let Some(rustls::Error::InvalidCertificate(certificate)) = error.downcast_ref::<rustls::Error>() {
            return Some(Self::Certificate(CertificateFault::of(certificate)));
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let inner = inner.and_then(|inner| Self::of_chain(inner as &(dyn StdError + 'static)));
        let deeper = inner.or_else(|| error.source().and_then(Self::of_chain));
        match deeper {
            None | Some(Self::Transport) => Self::of_request(error).or(deeper),
            _ => deeper,
        }
    }

    fn of_request(error: &(dyn StdError + 'static)) -> Option<Self> {
        // The tunnel's error type has no public name; its words are held by a test over a real socket.
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
            // A signature that does not fit is that of an authority with the name of a trusted one, such as a company's
            // renewed one.
            Found::UnknownIssuer | Found::BadSignature => Self::UnknownIssuer,
            Found::NotValidForName | Found::NotValidForNameContext { .. } => Self::WrongName,
            Found::Expired | Found::ExpiredContext { .. } => Self::Expired,
            Found::NotValidYet | Found::NotValidYetContext { .. } => Self::NotYetValid,
            _ => Self::Other,
        }
    }

    /// Describes the fault of this host's certificate.
    pub(super) fn in_words(self, host: &str) -> String {
        match self {
            Self::UnknownIssuer => {
                format!("the certificate of {host} was issued by nobody whom this machine trusts")
            }
            Self::WrongName => format!("the certificate that {host} showed is for another name"),
            Self::Expired => format!("the certificate of {host} has expired"),
            Self::NotYetValid => format!("the certificate of {host} is not valid yet"),
            Self::Other => format!("the certificate of {host} does not hold"),
        }
    }

    /// Returns the next step.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::UnknownIssuer => {
                "a proxy that opens TLS signs with a certificate of its own: name that with --ca-cert FILE, or add it to the system's trust store"
            }
            Self::WrongName => {
                "look at the address; a proxy or a captive portal may have answered in place of the host"
            }
            Self::Expired | Self::NotYetValid => {
                "look at the clock of this machine; when it is right, the host, or the proxy that opens TLS, needs a new certificate"
            }
            Self::Other => "ask whoever runs the host, or the proxy that opens TLS",
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
    fn a_certificate_is_found_however_deep_it_is_wrapped() {
        let unknown = || certificate(rustls::CertificateError::UnknownIssuer);
        let expected = Some(Cause::Certificate(CertificateFault::UnknownIssuer));
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, unknown()));
        assert_eq!(Cause::of_chain(&unknown()), expected);
        assert_eq!(Cause::of_chain(&wrapped), expected);
        let error = crate::error::Error::usage("x").caused_by(wrapped).context("y");
        assert_eq!(Cause::of_chain(&error), expected);
        assert_eq!(Cause::of_chain(&io::Error::other("reset")), None);
        assert_eq!(Cause::of_chain(&rustls::Error::HandshakeNotComplete), None);
    }

    #[test]
    fn the_faults_of_certificates_are_told_apart() {
        for (found, fault) in [
            (rustls::CertificateError::BadSignature, CertificateFault::UnknownIssuer),
            (rustls::CertificateError::NotValidForName, CertificateFault::WrongName),
            (rustls::CertificateError::Expired, CertificateFault::Expired),
            (rustls::CertificateError::NotValidYet, CertificateFault::NotYetValid),
            (rustls::CertificateError::Revoked, CertificateFault::Other),
        ] {
            assert_eq!(Cause::of_chain(&certificate(found)), Some(Cause::Certificate(fault)));
            assert!(fault.in_words("host.example").contains("host.example"));
        }
    }
}
