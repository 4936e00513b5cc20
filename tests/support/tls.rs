//! A certificate authority for the loopback servers, with valid, expired, and misnamed server certificates.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// An authority that is trusted only if its certificate is passed to the program.
#[derive(Debug)]
pub(crate) struct Authority {
    /// The authority's certificate, for `--ca-cert`.
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        Self::named("loopback authority")
    }

    pub(crate) fn named(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut own = CertificateParams::new(Vec::new()).expect("no names");
        own.distinguished_name.push(DnType::CommonName, name);
        own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        own.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let pem = own.self_signed(&key).expect("a certificate").pem();
        Self { pem, issuer: Issuer::new(own, key) }
    }

    /// Returns a server configuration for this name or IP address.
    pub(crate) fn server(&self, name: &str) -> Arc<ServerConfig> {
        self.issue(name, 2099)
    }

    /// Returns a server configuration with an expired certificate.
    pub(crate) fn expired_server(&self, name: &str) -> Arc<ServerConfig> {
        self.issue(name, 2020)
    }

    fn issue(&self, name: &str, until: i32) -> Arc<ServerConfig> {
        let key = KeyPair::generate().expect("a key");
        let mut own = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        own.not_before = date_time_ymd(2019, 1, 1);
        own.not_after = date_time_ymd(until, 1, 1);
        let certificate = own.signed_by(&key, &self.issuer).expect("a certificate");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a certificate with its key");
        Arc::new(config)
    }
}
