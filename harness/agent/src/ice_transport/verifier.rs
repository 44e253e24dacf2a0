//! Verifies certificates as rustls does, and names the issuer that nobody vouches for: behind a firewall that
//! re-terminates TLS, or a captive portal, it tells who is in between.

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use std::sync::Arc;
use x509_parser::parse_x509_certificate;

/// A certificate's issuer is not trusted.
#[derive(Debug, thiserror::Error)]
#[error("the certificate was issued by {issuer}, which is not trusted")]
pub(super) struct UnknownIssuer {
    issuer: String,
}

impl UnknownIssuer {
    /// What it is, if this error tells of one.
    pub fn of(error: &CertificateError) -> Option<&Self> {
        match error {
            CertificateError::Other(OtherError(error)) => error.downcast_ref(),
            _ => None,
        }
    }
}

/// rustls's own verifier, with [`UnknownIssuer`] in place of its error without a name.
#[derive(Debug)]
pub(super) struct NamingVerifier(pub Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for NamingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Self(inner) = self;
        let verified =
            inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        verified.map_err(|error| match error {
            // A bad signature: the issuer has the name of one that is trusted, and another key.
            Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
            ) => {
                let issuer = issuer(end_entity);
                CertificateError::Other(OtherError(Arc::new(UnknownIssuer { issuer }))).into()
            }
            other => other,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// The common name of a certificate's issuer, or its whole name without one.
fn issuer(certificate: &[u8]) -> String {
    let Ok((_, certificate)) = parse_x509_certificate(certificate) else {
        return "somebody whose name cannot be read".to_owned();
    };
    let issuer = certificate.issuer();
    let common_name = issuer.iter_common_name().next();
    let common_name = common_name.and_then(|name| name.as_str().ok());
    common_name.map_or_else(|| issuer.to_string(), str::to_owned)
}
