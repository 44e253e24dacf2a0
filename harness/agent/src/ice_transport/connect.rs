//! TCP and TLS connections to TURN servers, and how they fail.

use super::attempt::FarEnd;
use super::outcome::Conclusion;
use super::server::TransportError;
use super::verifier::{NamingVerifier, UnknownIssuer};
use farcall_timeline::{IceServerOutcome, TlsFailure};
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, Error as TlsError, RootCertStore};
use std::io;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A TLS client that trusts the certificates of a PEM bundle and no others. Chain, validity and
/// name are verified.
pub(crate) fn tls_connector(ca_certificates_pem: &[u8]) -> Result<TlsConnector, TransportError> {
    let failed = |reason: String| TransportError::CaCertificates { reason };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_certificates_pem) {
        let certificate = certificate.map_err(|error| failed(error.to_string()))?;
        let added = roots.add(certificate);
        added.map_err(|error| failed(error.to_string()))?;
    }
    if roots.is_empty() && !ca_certificates_pem.trim_ascii().is_empty() {
        return Err(failed("it holds no certificate".into()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?;
    let config = if roots.is_empty() {
        config.with_root_certificates(roots)
    } else {
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| failed(error.to_string()))?;
        config
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(NamingVerifier(verifier)))
    };
    Ok(TlsConnector::from(Arc::new(config.with_no_client_auth())))
}

/// A connection to a server, whatever lies between.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Opens a TCP connection from a local address, and gives this end's address with it.
pub(super) async fn tcp(local: IpAddr, far: FarEnd) -> Result<(TcpStream, SocketAddr), Conclusion> {
    let connect = async {
        let address = far.address();
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        // TURN carries datagrams: waiting to fill a segment would only delay them.
        socket.set_nodelay(true)?;
        socket.bind(SocketAddr::new(local, 0))?;
        let stream = socket.connect(address).await?;
        let local = stream.local_addr()?;
        Ok((stream, local))
    };
    connect
        .await
        .map_err(|error: io::Error| at_connect(&format!("the TCP connection to {far}"), &error))
}

/// Opens a UDP socket to a server, so that ICMP errors about it are seen.
pub(super) async fn udp(local: IpAddr, server: SocketAddr) -> Result<UdpSocket, Conclusion> {
    let connect = async {
        let socket = UdpSocket::bind(SocketAddr::new(local, 0)).await?;
        socket.connect(server).await?;
        Ok(socket)
    };
    connect
        .await
        .map_err(|error: io::Error| at_connect(&format!("UDP to {server}"), &error))
}

/// Makes a connection a TLS connection to the host with this name.
pub(super) async fn tls<S: Stream>(
    connector: &TlsConnector,
    stream: S,
    host: &str,
) -> Result<TlsStream<S>, Conclusion> {
    let name = ServerName::try_from(host.to_owned()).map_err(|error| {
        let reason = format!("{host} cannot be in a certificate: {error}");
        Conclusion::failure(IceServerOutcome::TlsFailed, reason)
    })?;
    connector
        .connect(name, stream)
        .await
        .map_err(|error| at_handshake(&error))
}

/// Why a TLS handshake with this host fails; `None`: it does not.
pub(crate) async fn tls_refusal(
    connector: &TlsConnector,
    stream: TcpStream,
    host: &str,
) -> Option<String> {
    let refused = tls(connector, stream, host).await.err();
    refused.map(|conclusion| conclusion.reason)
}

/// What an error before anything was exchanged means: a TCP reset or ICMP error refuses; the
/// kernel giving up is no answer.
pub(super) fn at_connect(what: &str, error: &io::Error) -> Conclusion {
    let (outcome, how) = match error.kind() {
        ErrorKind::TimedOut => (IceServerOutcome::NoAnswer, "timed out"),
        ErrorKind::ConnectionRefused => (IceServerOutcome::Refused, "was refused"),
        ErrorKind::ConnectionReset => (IceServerOutcome::Refused, "was reset while it was opened"),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            (IceServerOutcome::Refused, "was refused as unreachable")
        }
        _ => (IceServerOutcome::Refused, "failed"),
    };
    Conclusion::failure(outcome, format!("{what} {how}: {error}"))
}

/// What the end of an established connection means.
pub(super) fn at_exchange(error: &io::Error) -> Conclusion {
    let reason = match error.kind() {
        ErrorKind::UnexpectedEof => "the server closed the connection".into(),
        ErrorKind::ConnectionReset => "the connection was reset".into(),
        _ => format!("the connection broke: {error}"),
    };
    Conclusion::failure(IceServerOutcome::Reset, reason)
}

fn at_handshake(error: &io::Error) -> Conclusion {
    let tls = error
        .get_ref()
        .and_then(|source| source.downcast_ref::<TlsError>());
    let Some(tls) = tls else {
        let conclusion = at_exchange(error);
        let reason = format!("{} during the TLS handshake", conclusion.reason);
        return Conclusion::failure(IceServerOutcome::Reset, reason);
    };
    if let TlsError::InvalidCertificate(certificate) = tls
        && let Some(unknown) = UnknownIssuer::of(certificate)
    {
        let reason = format!("{}: {unknown}", TlsFailure::UnknownIssuer);
        return Conclusion::failure(IceServerOutcome::TlsFailed, reason);
    }
    let kind = match tls {
        TlsError::InvalidCertificate(certificate) => match certificate {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                TlsFailure::UnknownIssuer
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                TlsFailure::Expired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                TlsFailure::NotValidYet
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                TlsFailure::WrongName
            }
            _ => TlsFailure::InvalidCertificate,
        },
        TlsError::InvalidMessage(_) | TlsError::InappropriateMessage { .. } => TlsFailure::NotTls,
        TlsError::AlertReceived(_) => TlsFailure::Rejected,
        _ => TlsFailure::HandshakeFailed,
    };
    Conclusion::failure(IceServerOutcome::TlsFailed, format!("{kind}: {tls}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome_of(tls: TlsError) -> (IceServerOutcome, String) {
        let conclusion = at_handshake(&io::Error::new(ErrorKind::InvalidData, tls));
        (conclusion.outcome, conclusion.reason)
    }

    #[test]
    fn tls_failures_begin_with_their_kind() {
        for (error, kind) in [
            (CertificateError::UnknownIssuer, "unknown issuer: "),
            (CertificateError::Expired, "expired: "),
            (CertificateError::NotValidYet, "not valid yet: "),
            (CertificateError::NotValidForName, "wrong name: "),
            (CertificateError::Revoked, "invalid certificate: "),
        ] {
            let (outcome, reason) = outcome_of(TlsError::InvalidCertificate(error));
            assert_eq!(outcome, IceServerOutcome::TlsFailed);
            assert!(reason.starts_with(kind), "{reason}");
        }
    }

    #[test]
    fn a_reset_in_the_handshake_is_no_tls_failure() {
        let conclusion = at_handshake(&ErrorKind::ConnectionReset.into());
        assert_eq!(conclusion.outcome, IceServerOutcome::Reset);
        assert!(
            conclusion.reason.contains("TLS handshake"),
            "{conclusion:?}"
        );
    }

    #[test]
    fn refused_and_timed_out_connections_are_told_apart() {
        for (kind, outcome) in [
            (ErrorKind::ConnectionRefused, IceServerOutcome::Refused),
            (ErrorKind::HostUnreachable, IceServerOutcome::Refused),
            (ErrorKind::TimedOut, IceServerOutcome::NoAnswer),
        ] {
            assert_eq!(at_connect("it", &kind.into()).outcome, outcome);
        }
    }

    #[test]
    fn only_certificates_can_be_trusted() {
        assert!(tls_connector(b"").is_ok());
        assert!(tls_connector(b"turn.example.net").is_err());
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(tls_connector(broken).is_err());
    }
}
