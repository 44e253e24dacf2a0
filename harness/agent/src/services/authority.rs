//! Certificates that a middlebox makes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

/// Certificates kept at a time. Clients choose the names; when there are as many, all are made anew.
const KEPT: usize = 256;

/// A certificate could not be made.
#[derive(Debug, thiserror::Error)]
#[error("failed to make a certificate for {name}: {reason}; please report this as a bug")]
pub(crate) struct CertificateError {
    name: String,
    reason: String,
}

impl CertificateError {
    fn of(name: &str) -> impl Fn(&dyn std::error::Error) -> Self {
        let name = name.to_owned();
        move |error| Self {
            name: name.clone(),
            reason: error.to_string(),
        }
    }
}

/// A company's certificate authority, which vouches for any name. As real ones do, it uses one key for all of
/// its certificates.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate, which it sends along, as real ones do.
    pub certificate: Certificate,
    key: KeyPair,
    made: Mutex<HashMap<String, Arc<ServerConfig>>>,
}

impl Authority {
    /// An authority with this common name.
    pub fn new(common_name: &str) -> Result<Self, CertificateError> {
        let failed = CertificateError::of(common_name);
        let made = || {
            let mut params = params(Vec::new(), common_name)?;
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
            let ca_key = KeyPair::generate()?;
            Ok::<_, rcgen::Error>(Self {
                certificate: params.self_signed(&ca_key)?,
                issuer: Issuer::new(params, ca_key),
                key: KeyPair::generate()?,
                made: Mutex::default(),
            })
        };
        made().map_err(|error| failed(&error))
    }

    /// A server with a certificate for this name or address.
    pub fn server(&self, name: &str) -> Result<Arc<ServerConfig>, CertificateError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = made.get(name) {
            return Ok(server.clone());
        }
        let failed = CertificateError::of(name);
        let certificate = params(vec![name.to_owned()], name)
            .and_then(|params| params.signed_by(&self.key, &self.issuer))
            .map_err(|error| failed(&error))?;
        let chain = vec![certificate.der().clone(), self.certificate.der().clone()];
        let server = server(chain, &self.key).map_err(|error| failed(&error))?;
        if made.len() == KEPT {
            made.clear();
        }
        made.insert(name.to_owned(), server.clone());
        Ok(server)
    }
}

/// A server with a certificate for a name that nobody vouches for.
pub(super) fn self_signed(
    common_name: &str,
    name: &str,
) -> Result<Arc<ServerConfig>, CertificateError> {
    let failed = CertificateError::of(name);
    let made = || {
        let key = KeyPair::generate()?;
        let certificate = params(vec![name.to_owned()], common_name)?.self_signed(&key)?;
        Ok((certificate, key))
    };
    let (certificate, key) = made().map_err(|error: rcgen::Error| failed(&error))?;
    server(vec![certificate.der().clone()], &key).map_err(|error| failed(&error))
}

fn params(names: Vec<String>, common_name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    Ok(params)
}

fn server(
    chain: Vec<CertificateDer<'static>>,
    key: &KeyPair,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key.into())?;
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn a_certificate_is_made_once_for_each_name_and_no_more_are_kept_than_the_limit() {
        let authority = Authority::new("Company").unwrap();
        let first = authority.server("turn.example.net").unwrap();
        assert!(Arc::ptr_eq(
            &first,
            &authority.server("turn.example.net").unwrap()
        ));
        for name in 0..KEPT {
            authority
                .server(&format!("host-{name}.example.net"))
                .unwrap();
        }
        assert!(authority.made.lock().unwrap().len() <= KEPT);
        assert!(!Arc::ptr_eq(
            &first,
            &authority.server("turn.example.net").unwrap()
        ));
    }

    #[test]
    fn what_cannot_be_in_a_certificate_is_told() {
        let authority = Authority::new("Company").unwrap();
        let error = authority.server("türn.example").unwrap_err().to_string();
        assert!(error.contains("türn.example"), "{error}");
    }
}
