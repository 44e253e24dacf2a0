//! How TLS begins, and who answers.

use std::io::{self, Cursor, ErrorKind};
use std::sync::{Arc, Mutex, PoisonError};

use farcall_plan::PROBE_SERVER_NAME;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error as TlsError, SignatureScheme,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use x509_parser::parse_x509_certificate;

use crate::ice_transport::tls_connector;

/// The content types of the records with which a TLS server answers (RFC 8446 section 5.1): alert and handshake.
const RECORDS: [u8; 2] = [21, 22];

/// As long as the longest record.
const BUFFER_BYTES: usize = 16 * 1024;

/// What answers a TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Something that is no TLS began with these bytes.
    NotTls(Vec<u8>),
    /// A server whose certificate this authority has issued.
    IssuedBy(String),
}

/// The first bytes of a TLS connection, as a client sends them (RFC 8446 section 4.1.2).
pub(super) fn client_hello() -> io::Result<Vec<u8>> {
    let connector = tls_connector(b"").map_err(io::Error::other)?;
    let mut client = ClientConnection::new(Arc::clone(connector.config()), name(None)?)
        .map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes)?;
    Ok(bytes)
}

/// Begins a TLS handshake for this server name, and ends it when the other side has shown who it is.
///
/// # Errors
///
/// When the connection breaks, or the handshake ends before a certificate has come.
pub(super) async fn answer(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    server_name: Option<&str>,
) -> io::Result<Answer> {
    let witness = Arc::new(Witness::default());
    let config = ClientConfig::builder_with_provider(witness.provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(witness.clone())
        .with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), name(server_name)?);
    let mut client = client.map_err(io::Error::other)?;
    send(&mut client, stream).await?;
    let mut received = read(stream).await?;
    if !received
        .first()
        .is_some_and(|first| RECORDS.contains(first))
    {
        return Ok(Answer::NotTls(received));
    }
    loop {
        let end = take_in(&mut client, &received)?;
        if let Some(issuer) = witness.issuer() {
            // The other side learns why, if it is still there.
            let _ = send(&mut client, stream).await;
            return Ok(Answer::IssuedBy(issuer));
        }
        end.map_err(io::Error::other)?;
        send(&mut client, stream).await?;
        received = read(stream).await?;
    }
}

/// The next bytes; never none.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(BUFFER_BYTES);
    match stream.read_buf(&mut bytes).await? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(bytes),
    }
}

fn take_in(client: &mut ClientConnection, bytes: &[u8]) -> io::Result<Result<(), TlsError>> {
    let mut bytes = Cursor::new(bytes);
    while bytes.position() < bytes.get_ref().len() as u64 {
        client.read_tls(&mut bytes)?;
        if let Err(error) = client.process_new_packets() {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}

async fn send(
    client: &mut ClientConnection,
    stream: &mut (impl AsyncWrite + Unpin),
) -> io::Result<()> {
    let mut bytes = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut bytes)?;
    }
    stream.write_all(&bytes).await
}

fn name(server_name: Option<&str>) -> io::Result<ServerName<'static>> {
    let name = server_name.unwrap_or(PROBE_SERVER_NAME).to_owned();
    ServerName::try_from(name).map_err(io::Error::other)
}

/// Sees the certificate that a server shows, and accepts none: nothing is said to a server that is not the
/// lab's own.
#[derive(Debug)]
struct Witness {
    provider: Arc<CryptoProvider>,
    seen: Mutex<Option<Vec<u8>>>,
}

impl Default for Witness {
    fn default() -> Self {
        Self {
            provider: Arc::new(rustls::crypto::ring::default_provider()),
            seen: Mutex::default(),
        }
    }
}

impl Witness {
    /// The common name of the authority that has issued what was seen, or its whole name without one.
    fn issuer(&self) -> Option<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let certificate = seen.as_deref()?;
        let Ok((_, certificate)) = parse_x509_certificate(certificate) else {
            return Some("a certificate that cannot be read".to_owned());
        };
        let issuer = certificate.issuer();
        let common_name = issuer.iter_common_name().next();
        let common_name = common_name.and_then(|name| name.as_str().ok().map(ToOwned::to_owned));
        Some(common_name.unwrap_or_else(|| issuer.to_string()))
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Some(end_entity.to_vec());
        Err(TlsError::General("seen".to_owned()))
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Err(TlsError::General("no certificate is accepted".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Err(TlsError::General("no certificate is accepted".to_owned()))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use rcgen::{CertificateParams, DnType, Issuer, KeyPair};
    use rustls::pki_types::PrivatePkcs8KeyDer;
    use tokio::io::duplex;
    use tokio_rustls::TlsAcceptor;

    #[test]
    fn it_begins_as_a_firewall_recognises_it() {
        let hello = client_hello().unwrap();
        // A handshake record of TLS with a ClientHello in it.
        assert_eq!(hello[..2], [0x16, 0x03]);
        assert_eq!(hello[5], 1);
    }

    /// A server with a certificate that this authority has issued.
    fn acceptor(authority: &str) -> TlsAcceptor {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, authority);
        let issuer = Issuer::new(params, KeyPair::generate().unwrap());
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["turn.example.net".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    #[tokio::test]
    async fn who_answers_a_handshake_is_told_by_its_certificate() {
        let (mut client, server) = duplex(64 * 1024);
        let accepting = tokio::spawn(async move {
            let accepted = acceptor("Example Corp").accept(server).await;
            accepted.map(drop).unwrap_err().to_string()
        });
        let answered = answer(&mut client, Some("turn.example.net")).await.unwrap();
        assert_eq!(answered, Answer::IssuedBy("Example Corp".to_owned()));
        drop(client);
        let alert = accepting.await.unwrap();
        assert!(alert.contains("alert"), "{alert}");
    }

    #[tokio::test]
    async fn what_is_no_tls_is_handed_out_as_it_came() {
        let (mut client, mut server) = duplex(64 * 1024);
        server.write_all(b"HTTP/1.1 400\r\n").await.unwrap();
        let answered = answer(&mut client, None).await.unwrap();
        assert_eq!(answered, Answer::NotTls(b"HTTP/1.1 400\r\n".to_vec()));
    }

    #[tokio::test]
    async fn a_connection_that_ends_is_no_answer() {
        let (mut client, server) = duplex(64 * 1024);
        drop(server);
        assert!(answer(&mut client, None).await.is_err());
    }
}
