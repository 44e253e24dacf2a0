//! The coturn image type: it starts, and answers where it should and only there.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use farcall_lab::coturn::{Coturn, PORT, TLS_PORT};
use farcall_lab::{Engine, LabCa, images};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use testcontainers::core::{CmdWaitFor, ContainerPort, ExecCommand};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, Image};

/// How long a listener may take to answer.
const SOON: Duration = Duration::from_secs(5);

/// A Binding request (RFC 8489 section 5) without attributes.
const BINDING_REQUEST: [u8; 20] = *b"\x00\x01\x00\x00\x21\x12\xa4\x42farcall-test";

/// The type of a Binding success response.
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];

async fn coturn() -> Coturn {
    let engine = Engine::connect()
        .await
        .unwrap_or_else(|error| panic!("these tests need Docker: {error}"));
    let base = images::base_image(&engine, &|_| {}).await.unwrap();
    Coturn::new(&base.reference)
}

async fn port(container: &ContainerAsync<Coturn>, port: ContainerPort) -> u16 {
    container.get_host_port_ipv4(port).await.unwrap()
}

fn answers_over_udp(port: u16) -> bool {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    socket
        .send_to(&BINDING_REQUEST, ("127.0.0.1", port))
        .unwrap();
    let mut answer = [0; 1500];
    let length = socket.recv(&mut answer).unwrap();
    is_answer(&answer[..length])
}

fn answers_over(mut stream: impl Read + Write) -> bool {
    stream.write_all(&BINDING_REQUEST).unwrap();
    let mut answer = [0; 20];
    stream.read_exact(&mut answer).unwrap();
    is_answer(&answer)
}

fn is_answer(answer: &[u8]) -> bool {
    answer[..2] == BINDING_SUCCESS && answer[8..20] == BINDING_REQUEST[8..]
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream
}

#[tokio::test]
async fn it_answers_binding_requests_over_udp_and_tcp() {
    let container = coturn().await.start().await.unwrap();
    assert!(answers_over_udp(
        port(&container, ContainerPort::Udp(PORT)).await
    ));
    assert!(answers_over(connect(
        port(&container, ContainerPort::Tcp(PORT)).await
    )));
}

#[tokio::test]
async fn it_answers_over_tls_with_the_certificate_it_was_given() {
    let ca = LabCa::new(SystemTime::now()).unwrap();
    let issued = ca.issue("turn.example.org").unwrap();
    let coturn = coturn().await.with_tls(issued.chain, issued.key);
    let container = coturn.start().await.unwrap();

    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca.pem().as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("turn.example.org").unwrap();
    let client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let tcp = connect(port(&container, ContainerPort::Tcp(TLS_PORT)).await);
    assert!(answers_over(rustls::StreamOwned::new(client, tcp)));
}

#[tokio::test]
async fn listeners_that_are_off_are_not_published() {
    let container = coturn().await.without_udp().start().await.unwrap();
    let udp = container.get_host_port_ipv4(ContainerPort::Udp(PORT)).await;
    assert!(udp.is_err());
    assert!(answers_over(connect(
        port(&container, ContainerPort::Tcp(PORT)).await
    )));
}

/// Whether coturn's own client gets an allocation and its data through, over TCP. It goes by the
/// container's address, since coturn relays nothing to a loopback address.
async fn allocates(container: &ContainerAsync<Coturn>, user: &str, password: &str) -> bool {
    const CLIENT: &str = r#"
        read -r address _ < <(grep "$HOSTNAME" /etc/hosts)
        exec turnutils_uclient -t -y -n 2 -m 1 -u "$0" -w "$1" "$address"
    "#;
    let command = ExecCommand::new(["bash", "-c", CLIENT, user, password]);
    let ended = command.with_cmd_ready_condition(CmdWaitFor::exit());
    let ran = container.exec(ended).await.unwrap();
    ran.exit_code().await.unwrap() == Some(0)
}

#[tokio::test]
async fn accounts_may_have_colons_and_others_are_refused() {
    let user = "1893456000:alice";
    let coturn = coturn()
        .await
        .with_realm("example.org")
        .with_user(user, "s3cret:x");
    assert_eq!(coturn.expose_ports().len(), 2);
    let container = coturn.start().await.unwrap();
    assert!(allocates(&container, user, "s3cret:x").await);
    assert!(!allocates(&container, user, "wrong").await);
    assert!(!allocates(&container, "bob", "s3cret:x").await);
}
