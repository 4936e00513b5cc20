//! What sort of failure a request met, and whether the same request may succeed later.
//!
//! A failure comes wrapped: a certificate that nobody trusts is a TLS error in an I/O error in a connection error in a
//! request error. So the whole chain of causes is searched, and an I/O error's inner error too, which it leaves out of
//! its chain of sources. Whoever knows the sort puts a [`Fault`] into the chain as the cause; it is found there again.
//!
//! What cannot pass is fatal at once: certificates, refused addresses, pages of proxies, and the statuses of the
//! client's own faults. Whether an error may pass is stated by [`Error::is_retryable`] alone; the fault says why.

use std::error::Error as StdError;
use std::io;

use crate::error::{Error, ErrorKind};

/// The sorts of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No name, no connection, or one that broke off.
    #[error("the connection failed")]
    Transport,
    /// Nothing came in time.
    #[error("no answer in time")]
    Timeout,
    /// A proxy that opened no way to the host, for whatever reason: it said more, and the client does not hear it.
    #[error("the proxy opened no way")]
    Tunnel,
    /// A status that is not 200.
    #[error("status {0}")]
    Status(u16),
    /// The Catalog's own error page.
    #[error("the Catalog's error page")]
    ErrorPage,
    /// A page of no known kind, or one that is cut or contradicts itself.
    #[error("a page that is not understood")]
    UnclassifiedPage,
    /// The Catalog's backend is ill: sound-looking pages that say nothing.
    #[error("a stall of the Catalog")]
    Stall,
    /// A page of a proxy or a captive portal in place of what was asked for.
    #[error("a proxy's page")]
    ProxyPage,
    /// A certificate that does not hold.
    #[error("the certificate does not hold")]
    Certificate(CertificateFault),
    /// An address that the rules refuse.
    #[error("a refused address")]
    Refused,
    /// Nothing of the network, or nothing that asking again would change.
    #[error("a failure of another sort")]
    Other,
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateFault {
    /// Issued by nobody who is trusted here.
    UnknownIssuer,
    /// For another host.
    WrongName,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// Anything else: revoked, of a bad encoding or signature, for another purpose.
    Other,
}

impl Fault {
    /// The sort of this failure, by all that is in its chain.
    pub fn of(error: &Error) -> Self {
        let found = Self::of_chain(error);
        if error.is_retryable() {
            let by_kind = || match error.kind() {
                ErrorKind::PageChanged => Self::UnclassifiedPage,
                _ => Self::ErrorPage,
            };
            return found.filter(|fault| fault.may_pass()).unwrap_or_else(by_kind);
        }
        match found {
            Some(fault) if !fault.may_pass() => fault,
            _ if matches!(error.kind(), ErrorKind::Integrity | ErrorKind::HostNotAllowed) => Self::Refused,
            _ => Self::Other,
        }
    }

    /// The sort that something in this chain tells; what lies deeper is nearer to the cause, and what is named goes
    /// before what is only a connection that failed.
    pub(super) fn of_chain(error: &(dyn StdError + 'static)) -> Option<Self> {
        if let Some(fault) = error.downcast_ref::<Self>() {
            return Some(*fault);
        }
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
            "tunnel error: proxy authorization required" => return Some(Self::Status(407)),
            "tunnel error: unsuccessful" => return Some(Self::Tunnel),
            _ => {}
        }
        let request = error.downcast_ref::<reqwest::Error>()?;
        Some(if request.is_timeout() { Self::Timeout } else { Self::Transport })
    }

    /// Whether the same request may succeed later.
    pub fn may_pass(self) -> bool {
        match self {
            Self::Transport
            | Self::Timeout
            | Self::Tunnel
            | Self::ErrorPage
            | Self::UnclassifiedPage
            | Self::Stall => true,
            // 511 is a captive portal that wants somebody to log in.
            Self::Status(status) => matches!(status, 408 | 429 | 500..=599) && status != 511,
            Self::ProxyPage | Self::Certificate(_) | Self::Refused | Self::Other => false,
        }
    }
}

impl CertificateFault {
    fn of(error: &rustls::CertificateError) -> Self {
        use rustls::CertificateError as Said;
        match error {
            // A signature that does not fit is that of an authority which only has the name of one that is trusted, such as
            // a company's renewed one.
            Said::UnknownIssuer | Said::BadSignature => Self::UnknownIssuer,
            Said::NotValidForName | Said::NotValidForNameContext { .. } => Self::WrongName,
            Said::Expired | Said::ExpiredContext { .. } => Self::Expired,
            Said::NotValidYet | Said::NotValidYetContext { .. } => Self::NotYetValid,
            _ => Self::Other,
        }
    }

    /// What is wrong with this host's certificate, in words.
    pub(super) fn told(self, host: &str) -> String {
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

    /// What to do about it.
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
        let expected = Some(Fault::Certificate(CertificateFault::UnknownIssuer));
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, unknown()));
        assert_eq!(Fault::of_chain(&unknown()), expected);
        assert_eq!(Fault::of_chain(&wrapped), expected);
        let error = Error::new(ErrorKind::Unreachable, "x").caused_by(wrapped).context("y");
        assert_eq!(Some(Fault::of(&error)), expected);
        assert_eq!(Fault::of_chain(&io::Error::other("reset")), None);
        assert_eq!(Fault::of_chain(&rustls::Error::HandshakeNotComplete), None);
    }

    #[test]
    fn the_faults_of_certificates_are_told_apart() {
        for (said, fault) in [
            (rustls::CertificateError::BadSignature, CertificateFault::UnknownIssuer),
            (rustls::CertificateError::NotValidForName, CertificateFault::WrongName),
            (rustls::CertificateError::Expired, CertificateFault::Expired),
            (rustls::CertificateError::NotValidYet, CertificateFault::NotYetValid),
            (rustls::CertificateError::Revoked, CertificateFault::Other),
        ] {
            assert_eq!(Fault::of_chain(&certificate(said)), Some(Fault::Certificate(fault)));
            assert!(!Fault::Certificate(fault).may_pass());
            assert!(fault.told("host.example").contains("host.example"));
        }
    }

    #[test]
    fn what_may_pass_is_what_the_error_says() {
        let unreachable = |fault: Fault| Error::new(ErrorKind::Unreachable, "x").caused_by(fault);
        assert_eq!(Fault::of(&unreachable(Fault::Status(503)).retryable()), Fault::Status(503));
        assert_eq!(Fault::of(&unreachable(Fault::Status(404))), Fault::Status(404));
        assert_eq!(Fault::of(&unreachable(Fault::Stall).retryable()), Fault::Stall);
        // An error that somebody made final stays so, and the other way round.
        assert_eq!(Fault::of(&unreachable(Fault::Transport)), Fault::Other);
        assert_eq!(Fault::of(&unreachable(Fault::Status(404)).retryable()), Fault::ErrorPage);
        let plain = |kind| Error::new(kind, "x");
        assert_eq!(Fault::of(&plain(ErrorKind::Integrity)), Fault::Refused);
        assert_eq!(Fault::of(&plain(ErrorKind::NoSpace)), Fault::Other);
        assert_eq!(Fault::of(&plain(ErrorKind::PageChanged).retryable()), Fault::UnclassifiedPage);
        assert_eq!(Fault::of(&plain(ErrorKind::PageChanged)), Fault::Other);
        assert_eq!(Fault::of(&plain(ErrorKind::Unreachable).retryable()), Fault::ErrorPage);
    }

    #[test]
    fn statuses() {
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(Fault::Status(status).may_pass(), "{status}");
        }
        for status in [400, 401, 403, 404, 407, 410, 451, 511] {
            assert!(!Fault::Status(status).may_pass(), "{status}");
        }
    }
}
