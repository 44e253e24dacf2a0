//! The certificate authority of a lab, made anew for each and trusted by its peers only.

use farcall_plan::INTERMEDIATE_AUTHORITY;
use farcall_protocol::CertificatePem;
use farcall_scenario::CertificateFlaw;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use std::time::{Duration, SystemTime};

/// How long before its making a certificate is valid: clocks of host and containers are one, but a
/// host's clock may be set back while a lab stands.
const SKEW: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a certificate is valid. A lab that stands longer than this was forgotten.
const VALIDITY: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The name in a certificate for the wrong name, which nobody has (RFC 6761 section 6.4).
const WRONG_NAME: &str = "another.invalid";

/// A certificate could not be made.
#[derive(Debug, thiserror::Error)]
#[error("failed to make a certificate for {subject}: {source}")]
pub struct CertificateError {
    /// Whom it was for.
    pub subject: String,
    /// What went wrong.
    pub source: rcgen::Error,
}

/// A certificate authority.
pub struct LabCa {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    /// Between the authority and certificates that are sent without it.
    intermediate: Issuer<'static, KeyPair>,
    now: SystemTime,
}

impl std::fmt::Debug for LabCa {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("LabCa([redacted])")
    }
}

impl LabCa {
    /// A new authority, valid from a day before `now` until 30 days after; so are the certificates
    /// that it issues.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new(now: SystemTime) -> Result<Self, CertificateError> {
        const SUBJECT: &str = "farcall lab CA";
        let make = || {
            let mut params = valid_from(now, Vec::new())?;
            params.distinguished_name.push(DnType::CommonName, SUBJECT);
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            let key = KeyPair::generate()?;
            let pem = params.self_signed(&key)?.pem();
            // Whoever gets what it issues never sees its own certificate.
            let mut below = params.clone();
            below.distinguished_name = rcgen::DistinguishedName::new();
            below
                .distinguished_name
                .push(DnType::CommonName, INTERMEDIATE_AUTHORITY);
            let intermediate = Issuer::new(below, KeyPair::generate()?);
            Ok((Issuer::new(params, key), pem, intermediate))
        };
        let (issuer, pem, intermediate) = make().map_err(|source| CertificateError {
            subject: SUBJECT.to_owned(),
            source,
        })?;
        Ok(Self {
            issuer,
            pem,
            intermediate,
            now,
        })
    }

    /// The authority's own certificate, as PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Issues a server certificate for a host name or an IP address. The chain is the leaf alone:
    /// who trusts the authority has its certificate.
    ///
    /// # Errors
    /// When `host` can stand in no certificate.
    pub fn issue(&self, host: &str) -> Result<CertificatePem, CertificateError> {
        let make = || {
            let params = of_server(self.now, host)?;
            let key = KeyPair::generate()?;
            Ok(CertificatePem {
                chain: params.signed_by(&key, &self.issuer)?.pem(),
                key: key.serialize_pem(),
            })
        };
        make().map_err(|source| CertificateError {
            subject: host.to_owned(),
            source,
        })
    }

    /// Issues a server certificate that no client must take for that of the host.
    ///
    /// # Errors
    /// As of [`issue`](Self::issue).
    pub fn issue_with(
        &self,
        host: &str,
        flaw: CertificateFlaw,
    ) -> Result<CertificatePem, CertificateError> {
        let make = || {
            let key = KeyPair::generate()?;
            let mut params = match flaw {
                CertificateFlaw::WrongName => of_server(self.now, WRONG_NAME)?,
                _ => of_server(self.now, host)?,
            };
            if flaw == CertificateFlaw::Expired {
                params.not_before = (self.now - VALIDITY).into();
                params.not_after = (self.now - SKEW).into();
            }
            let signed = match flaw {
                CertificateFlaw::SelfSigned => params.self_signed(&key)?,
                CertificateFlaw::IncompleteChain => params.signed_by(&key, &self.intermediate)?,
                CertificateFlaw::Expired | CertificateFlaw::WrongName => {
                    params.signed_by(&key, &self.issuer)?
                }
            };
            Ok(CertificatePem {
                chain: signed.pem(),
                key: key.serialize_pem(),
            })
        };
        make().map_err(|source| CertificateError {
            subject: host.to_owned(),
            source,
        })
    }
}

fn of_server(now: SystemTime, name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = valid_from(now, vec![name.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn valid_from(now: SystemTime, names: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = (now - SKEW).into();
    params.not_after = (now + VALIDITY).into();
    Ok(params)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::crypto::ring::default_provider;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
    use std::sync::Arc;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// What a TLS client that trusts `ca` says of a certificate.
    fn verdict(
        ca: &LabCa,
        certificate: &CertificatePem,
        name: &str,
        at: SystemTime,
    ) -> Result<(), rustls::Error> {
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(ca.pem().as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .unwrap();
        let leaf = CertificateDer::from_pem_slice(certificate.chain.as_bytes()).unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let now = UnixTime::since_unix_epoch(at.duration_since(SystemTime::UNIX_EPOCH).unwrap());
        let verified = verifier.verify_server_cert(&leaf, &[], &name, &[], now);
        verified.map(drop)
    }

    #[test]
    fn a_flawed_certificate_is_refused_for_its_flaw() {
        use rustls::CertificateError as Refused;
        let now = SystemTime::now();
        let ca = LabCa::new(now).unwrap();
        let refusal = |flaw| {
            let issued = ca.issue_with("turn.example.org", flaw).unwrap();
            match verdict(&ca, &issued, "turn.example.org", now).unwrap_err() {
                rustls::Error::InvalidCertificate(error) => error,
                other => panic!("{flaw:?}: {other}"),
            }
        };
        let expired = refusal(CertificateFlaw::Expired);
        assert!(
            matches!(expired, Refused::ExpiredContext { .. }),
            "{expired:?}"
        );
        let wrong_name = refusal(CertificateFlaw::WrongName);
        assert!(
            matches!(wrong_name, Refused::NotValidForNameContext { .. }),
            "{wrong_name:?}"
        );
        for flaw in [
            CertificateFlaw::SelfSigned,
            CertificateFlaw::IncompleteChain,
        ] {
            assert_eq!(refusal(flaw), Refused::UnknownIssuer, "{flaw:?}");
        }
    }

    #[test]
    fn peers_trust_the_certificate_for_its_name_and_time_only() {
        let now = SystemTime::now();
        let ca = LabCa::new(now).unwrap();
        let issued = ca.issue("turn.example.org").unwrap();
        for at in [now, now - DAY / 2, now + 29 * DAY] {
            verdict(&ca, &issued, "turn.example.org", at).unwrap();
        }
        for at in [now - 2 * DAY, now + 31 * DAY] {
            assert!(verdict(&ca, &issued, "turn.example.org", at).is_err());
        }
        assert!(verdict(&ca, &issued, "other.example.org", now).is_err());
        let other = LabCa::new(now).unwrap();
        assert!(verdict(&other, &issued, "turn.example.org", now).is_err());
        PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    }

    #[test]
    fn an_address_can_have_a_certificate_too() {
        let now = SystemTime::now();
        let ca = LabCa::new(now).unwrap();
        let issued = ca.issue("203.0.113.10").unwrap();
        verdict(&ca, &issued, "203.0.113.10", now).unwrap();
    }

    #[test]
    fn nothing_secret_is_shown() {
        let ca = LabCa::new(SystemTime::now()).unwrap();
        assert_eq!(format!("{ca:?}"), "LabCa([redacted])");
    }
}
