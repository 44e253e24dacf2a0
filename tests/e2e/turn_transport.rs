//! The peers' own TURN transport over UDP, TCP and TLS, against real coturn.

use farcall::IceConfiguration;
use farcall::lab::coturn::{PORT, TLS_PORT};
use farcall::lab::{Coturn, Engine, images};
use farcall::scenario::IceTransportPolicy;
use farcall::timeline::IceServerOutcome::{Allocated, Refused, TlsFailed, Unauthorized};
use farcall::timeline::IceServerReport;
use farcall::timeline::IceTransport::{self, Tcp, Tls, Udp};
use farcall_agent::ice_transport::gather;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rstest::rstest;
use serde_json::json;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::time::Duration;
use testcontainers::ContainerAsync;
use testcontainers::core::{ContainerPort, ExecCommand};
use testcontainers::runners::AsyncRunner;
use tokio::net::TcpSocket;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// What resolves to it without a name server.
const HOST: &str = "localhost";

/// When gathering is given up. No case here waits for it: each ends with an answer.
const GATHERING: Duration = Duration::from_secs(5);

const USER: &str = "farcall";
const PASSWORD: &str = "a-lab-credential";

/// The years of a certificate that is valid today.
const VALID: Range<i32> = 2020..2090;

/// A certificate authority whose own certificate never is what fails.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A chain and its key, as PEM.
struct Certificate {
    chain: String,
    key: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { pem, issuer }
    }

    /// A certificate for a host, valid in these years.
    fn certificate(&self, host: &str, years: Range<i32>) -> Certificate {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(years.start, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.end, 1, 1);
        let key = KeyPair::generate().unwrap();
        Certificate {
            chain: params.signed_by(&key, &self.issuer).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }
}

/// A coturn that listens for UDP, TCP and TLS, each on a port of this host of its own.
async fn coturn(certificate: Certificate) -> ContainerAsync<Coturn> {
    let engine = Engine::connect()
        .await
        .unwrap_or_else(|error| panic!("the end-to-end tests need Docker: {error}"));
    let base = images::base_image(&engine, &|_| {}).await.unwrap();
    Coturn::new(&base.reference)
        .with_user(USER, PASSWORD)
        .with_tls(certificate.chain, certificate.key)
        .start()
        .await
        .unwrap()
}

/// The URL of one of its listeners.
async fn url(coturn: &ContainerAsync<Coturn>, transport: IceTransport) -> String {
    let (scheme, listener, query) = match transport {
        Udp => ("turn", ContainerPort::Udp(PORT), ""),
        Tcp => ("turn", ContainerPort::Tcp(PORT), "?transport=tcp"),
        Tls => ("turns", ContainerPort::Tcp(TLS_PORT), "?transport=tcp"),
    };
    let port = coturn.get_host_port_ipv4(listener).await.unwrap();
    format!("{scheme}:{HOST}:{port}{query}")
}

/// What the URLs of one configuration come to, for a peer that trusts this authority only.
async fn gathered(urls: &[String], password: &str, trusted: &Authority) -> Vec<IceServerReport> {
    let servers = json!([{ "urls": urls, "username": USER, "credential": password }]);
    let configuration = IceConfiguration::parse("test", &servers.to_string()).unwrap();
    let ca = trusted.pem.as_bytes();
    let policy = IceTransportPolicy::Relay;
    let statuses = gather(&configuration, policy, ca, LOOPBACK, GATHERING).await;
    statuses.unwrap().into_iter().map(|s| s.report).collect()
}

/// What the only URL comes to.
async fn outcome(url: String, password: &str, trusted: &Authority) -> IceServerReport {
    let mut reports = gathered(&[url], password, trusted).await;
    assert_eq!(reports.len(), 1, "{reports:#?}");
    reports.remove(0)
}

/// The relayed transport address, which is the server's own.
async fn relay(report: &IceServerReport, coturn: &ContainerAsync<Coturn>) -> SocketAddr {
    assert_eq!(report.outcome, Allocated, "{report:#?}");
    let ask = ExecCommand::new(["bash", "-c", r#"grep "$HOSTNAME" /etc/hosts"#]);
    let mut answer = coturn.exec(ask).await.unwrap();
    let hosts = String::from_utf8(answer.stdout_to_vec().await.unwrap()).unwrap();
    let relay: SocketAddr = report.relay_address.as_ref().unwrap().parse().unwrap();
    let own = hosts.split_whitespace().next().unwrap();
    assert_eq!(relay.ip().to_string(), own, "{report:#?}");
    relay
}

#[rstest]
#[tokio::test]
async fn a_relay_is_allocated_over(#[values(Udp, Tcp, Tls)] transport: IceTransport) {
    let authority = Authority::new("trusted");
    let coturn = coturn(authority.certificate(HOST, VALID)).await;
    let report = outcome(url(&coturn, transport).await, PASSWORD, &authority).await;
    assert_eq!(report.transport, transport);
    relay(&report, &coturn).await;
}

#[tokio::test]
async fn all_urls_of_one_server_are_allocated_side_by_side() {
    let authority = Authority::new("trusted");
    let coturn = coturn(authority.certificate(HOST, VALID)).await;
    let mut urls = Vec::new();
    for transport in [Udp, Tcp, Tls] {
        urls.push(url(&coturn, transport).await);
    }
    let reports = gathered(&urls, PASSWORD, &authority).await;
    let reported: Vec<&str> = reports.iter().map(|report| report.url.as_str()).collect();
    assert_eq!(reported, urls);
    let mut relays = BTreeSet::new();
    for report in &reports {
        relays.insert(relay(report, &coturn).await);
    }
    assert_eq!(relays.len(), urls.len(), "{reports:#?}");
}

#[tokio::test]
async fn a_tcp_port_where_nobody_listens_is_refused_and_holds_nothing_up() {
    let authority = Authority::new("trusted");
    let coturn = coturn(authority.certificate(HOST, VALID)).await;
    // Bound, so that nobody else can come to listen there.
    let deaf = TcpSocket::new_v4().unwrap();
    deaf.bind(SocketAddr::new(LOOPBACK, 0)).unwrap();
    let port = deaf.local_addr().unwrap().port();
    let refused = format!("turn:{HOST}:{port}?transport=tcp");
    let urls = [refused, url(&coturn, Tcp).await];
    let reports = gathered(&urls, PASSWORD, &authority).await;
    let outcomes: Vec<_> = reports.iter().map(|report| report.outcome).collect();
    assert_eq!(outcomes, [Refused, Allocated], "{reports:#?}");
}

#[rstest]
#[case::by_an_unknown_authority(
    |_: &Authority| Authority::new("unknown").certificate(HOST, VALID),
    "unknown issuer: "
)]
#[case::for_another_name(
    |trusted: &Authority| trusted.certificate("turn.example.net", VALID),
    "wrong name: "
)]
#[case::that_has_expired(
    |trusted: &Authority| trusted.certificate(HOST, 2020..2021),
    "expired: "
)]
#[tokio::test]
async fn tls_fails_with_a_certificate(
    #[case] certificate: fn(&Authority) -> Certificate,
    #[case] kind: &str,
) {
    let authority = Authority::new("trusted");
    let coturn = coturn(certificate(&authority)).await;
    let report = outcome(url(&coturn, Tls).await, PASSWORD, &authority).await;
    assert_eq!(report.outcome, TlsFailed, "{report:#?}");
    assert!(report.reason.starts_with(kind), "{report:#?}");
}

#[rstest]
#[tokio::test]
async fn a_wrong_password_is_unauthorized_over(#[values(Udp, Tcp, Tls)] transport: IceTransport) {
    let authority = Authority::new("trusted");
    let coturn = coturn(authority.certificate(HOST, VALID)).await;
    let url = url(&coturn, transport).await;
    let right = outcome(url.clone(), PASSWORD, &authority).await;
    assert_eq!(right.outcome, Allocated, "{right:#?}");
    let report = outcome(url, "not-it", &authority).await;
    assert_eq!(report.outcome, Unauthorized, "{report:#?}");
    assert!(report.reason.contains("401"), "{report:#?}");
    assert_eq!(report.relay_address, None);
}
