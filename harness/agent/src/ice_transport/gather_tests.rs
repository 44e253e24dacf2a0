//! Whole gatherings by webrtc-rs, against servers in this process.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::fake_server::{Authority, Behaviour, FakeServer};
use super::gather::{gather, gather_with};
use super::testing::configuration;
use super::transport::ServerTransport;
use farcall_scenario::IceTransportPolicy;
use farcall_timeline::{IceServerOutcome, IceServerReport, IceTransport};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Long enough for what answers, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

async fn reports(
    urls: &[String],
    policy: IceTransportPolicy,
    ca_pem: &str,
    deadline: Duration,
) -> Vec<IceServerReport> {
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let configuration = configuration(&urls);
    let statuses = gather(&configuration, policy, ca_pem.as_bytes(), LOCAL, deadline)
        .await
        .unwrap();
    statuses.into_iter().map(|status| status.report).collect()
}

/// The report of the only URL, under the policy `relay`.
async fn only(url: String, ca_pem: &str, deadline: Duration) -> IceServerReport {
    let mut reports = reports(&[url], IceTransportPolicy::Relay, ca_pem, deadline).await;
    assert_eq!(reports.len(), 1);
    reports.remove(0)
}

fn tcp(server: &FakeServer) -> String {
    format!("turn:127.0.0.1:{}?transport=tcp", server.port)
}

fn udp(server: &FakeServer) -> String {
    format!("turn:127.0.0.1:{}", server.port)
}

#[tokio::test]
async fn udp_tcp_tls_and_duplicates_allocate_side_by_side() {
    let authority = Authority::new();
    let over_udp = FakeServer::udp(Behaviour::Allocate(50_001)).await;
    let over_tcp = FakeServer::tcp(Behaviour::Allocate(50_002)).await;
    let acceptor = authority.acceptor("localhost", 2020..2090);
    let over_tls = FakeServer::tls(Behaviour::Allocate(50_003), acceptor).await;
    let urls = [
        udp(&over_udp),
        udp(&over_udp),
        tcp(&over_tcp),
        format!("turns:localhost:{}?transport=tcp", over_tls.port),
        format!("stun:127.0.0.1:{}", over_udp.port),
        format!("stun:127.0.0.1:{}", over_udp.port),
    ];
    let reports = reports(&urls, IceTransportPolicy::All, &authority.pem, PATIENCE).await;
    let seen: Vec<_> = reports
        .iter()
        .map(|report| {
            (
                report.transport,
                report.outcome,
                report.relay_address.as_deref(),
            )
        })
        .collect();
    let allocated = IceServerOutcome::Allocated;
    let reachable = (IceTransport::Udp, IceServerOutcome::Reachable, None);
    let expected = [
        (IceTransport::Udp, allocated, Some("203.0.113.9:50001")),
        (IceTransport::Udp, allocated, Some("203.0.113.9:50001")),
        (IceTransport::Tcp, allocated, Some("203.0.113.9:50002")),
        (IceTransport::Tls, allocated, Some("203.0.113.9:50003")),
        reachable,
        reachable,
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn the_policy_relay_leaves_stun_servers_alone() {
    let server = FakeServer::udp(Behaviour::Allocate(50_001)).await;
    let urls = [udp(&server), format!("stun:127.0.0.1:{}", server.port)];
    let reports = reports(&urls, IceTransportPolicy::Relay, "", PATIENCE).await;
    assert_eq!(reports[0].outcome, IceServerOutcome::Allocated);
    assert_eq!(reports[1].outcome, IceServerOutcome::NotUsed);
}

#[tokio::test]
async fn error_codes_come_through_every_transport() {
    for (code, outcome) in [
        (401, IceServerOutcome::Unauthorized),
        (403, IceServerOutcome::Forbidden),
        (437, IceServerOutcome::ServerError),
        (486, IceServerOutcome::Quota),
        (508, IceServerOutcome::NoCapacity),
    ] {
        let over_udp = FakeServer::udp(Behaviour::Refuse(code)).await;
        let over_tcp = FakeServer::tcp(Behaviour::Refuse(code)).await;
        for url in [udp(&over_udp), tcp(&over_tcp)] {
            let report = only(url, "", PATIENCE).await;
            assert_eq!(report.outcome, outcome);
            assert!(
                report.reason.contains(&code.to_string()),
                "{}",
                report.reason
            );
        }
    }
}

#[tokio::test]
async fn a_closed_port_refuses_over_tcp_and_udp() {
    let closed = FakeServer::closed_port();
    for url in [
        format!("turn:127.0.0.1:{closed}?transport=tcp"),
        format!("turns:127.0.0.1:{closed}"),
        format!("turn:127.0.0.1:{closed}"),
    ] {
        let report = only(url, "", PATIENCE).await;
        assert_eq!(
            report.outcome,
            IceServerOutcome::Refused,
            "{}",
            report.reason
        );
    }
}

#[tokio::test]
async fn silence_is_no_answer_at_the_deadline() {
    let over_udp = FakeServer::udp(Behaviour::Silent).await;
    let over_tcp = FakeServer::tcp(Behaviour::Silent).await;
    let urls = [
        udp(&over_udp),
        tcp(&over_tcp),
        format!("turns:localhost:{}", over_tcp.port),
        format!("stun:127.0.0.1:{}", over_udp.port),
    ];
    let deadline = Duration::from_millis(600);
    for report in reports(&urls, IceTransportPolicy::All, "", deadline).await {
        assert_eq!(report.outcome, IceServerOutcome::NoAnswer, "{}", report.url);
        assert!(report.after_ms >= 600.0, "{}", report.after_ms);
        assert!(report.reason.contains(" ms"), "{}", report.reason);
    }
}

#[tokio::test]
async fn a_connection_that_is_closed_or_reset_is_told_from_one_that_is_refused() {
    let closing = FakeServer::tcp(Behaviour::Close).await;
    let resetting = FakeServer::resetting().await;
    for url in [
        tcp(&closing),
        tcp(&resetting),
        format!("turns:localhost:{}", resetting.port),
    ] {
        let report = only(url, "", PATIENCE).await;
        assert_eq!(report.outcome, IceServerOutcome::Reset, "{}", report.reason);
    }
}

#[tokio::test]
async fn another_protocol_is_malformed() {
    let over_tcp = FakeServer::tcp(Behaviour::Http).await;
    let over_udp = FakeServer::udp(Behaviour::Http).await;
    for url in [tcp(&over_tcp), udp(&over_udp)] {
        let report = only(url, "", PATIENCE).await;
        assert_eq!(
            report.outcome,
            IceServerOutcome::Malformed,
            "{}",
            report.reason
        );
    }
}

#[tokio::test]
async fn tls_failures_say_what_is_wrong_with_the_certificate() {
    let (ours, other) = (Authority::new(), Authority::new());
    for (acceptor, kind) in [
        (
            other.acceptor("localhost", 2020..2090),
            "unknown issuer: the certificate was issued by An authority, ",
        ),
        (ours.acceptor("localhost", 2020..2021), "expired: "),
        (ours.acceptor("localhost", 2080..2090), "not valid yet: "),
        (
            ours.acceptor("turn.example.net", 2020..2090),
            "wrong name: ",
        ),
    ] {
        let server = FakeServer::tls(Behaviour::Allocate(50_001), acceptor).await;
        let report = only(
            format!("turns:localhost:{}", server.port),
            &ours.pem,
            PATIENCE,
        )
        .await;
        assert_eq!(
            report.outcome,
            IceServerOutcome::TlsFailed,
            "{}",
            report.reason
        );
        assert!(report.reason.starts_with(kind), "{}", report.reason);
    }
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_named_so() {
    let server = FakeServer::tcp(Behaviour::Http).await;
    let report = only(format!("turns:localhost:{}", server.port), "", PATIENCE).await;
    assert_eq!(report.outcome, IceServerOutcome::TlsFailed);
    assert!(report.reason.starts_with("not TLS: "), "{}", report.reason);
}

#[tokio::test]
async fn a_literal_of_the_other_address_family_cannot_be_used() {
    let report = only("turn:[::1]:3478".into(), "", PATIENCE).await;
    assert_eq!(report.outcome, IceServerOutcome::DnsFailed);
}

/// A proxy that gives this answer to every CONNECT and, if it is a success, connects to this port.
async fn proxy(answer: &'static str, port: u16) -> (SocketAddr, AbortOnDropHandle<()>) {
    let listener = TcpListener::bind((LOCAL, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let tunnel = async move |mut client: TcpStream| -> std::io::Result<()> {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(client.read_u8().await?);
        }
        client.write_all(answer.as_bytes()).await?;
        if answer.contains("200") {
            let mut server = TcpStream::connect((LOCAL, port)).await?;
            copy_bidirectional(&mut client, &mut server).await?;
        }
        Ok(())
    };
    let task = tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            // A client that breaks off has its reasons.
            let _ = tunnel(client).await;
        }
    });
    (address, AbortOnDropHandle::new(task))
}

/// The report of the only URL where TCP leads through a proxy.
async fn through(proxy: SocketAddr, url: &str, ca_pem: &str) -> IceServerReport {
    let (transport, _) = ServerTransport::new(
        &configuration(&[url]),
        IceTransportPolicy::Relay,
        ca_pem.as_bytes(),
        Some(proxy),
    )
    .unwrap();
    let mut statuses = gather_with(&transport, LOCAL, PATIENCE).await.unwrap();
    assert_eq!(statuses.len(), 1);
    statuses.remove(0).report
}

const TUNNEL: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

#[tokio::test]
async fn tcp_and_tls_lead_through_a_proxy_to_names_that_only_it_can_resolve() {
    let authority = Authority::new();
    let over_tcp = FakeServer::tcp(Behaviour::Allocate(50_002)).await;
    let acceptor = authority.acceptor("turn.invalid", 2020..2090);
    let over_tls = FakeServer::tls(Behaviour::Allocate(50_003), acceptor).await;
    for (server, url) in [
        (&over_tcp, "turn:turn.invalid:443?transport=tcp"),
        (&over_tls, "turns:turn.invalid:443?transport=tcp"),
    ] {
        let (proxy, _running) = proxy(TUNNEL, server.port).await;
        let report = through(proxy, url, &authority.pem).await;
        let reason = &report.reason;
        assert_eq!(report.outcome, IceServerOutcome::Allocated, "{reason}");
    }
}

#[tokio::test]
async fn udp_knows_no_proxy() {
    let server = FakeServer::udp(Behaviour::Allocate(50_001)).await;
    let nobody = SocketAddr::new(LOCAL, FakeServer::closed_port());
    let report = through(nobody, &udp(&server), "").await;
    assert_eq!(report.outcome, IceServerOutcome::Allocated);
}

#[tokio::test]
async fn a_proxy_that_refuses_or_is_not_there_is_named() {
    let (refusing, _running) = proxy("HTTP/1.1 403 Forbidden\r\n\r\n", 0).await;
    let nobody = SocketAddr::new(LOCAL, FakeServer::closed_port());
    let url = "turn:turn.invalid:443?transport=tcp";
    for (proxy, how) in [
        (refusing, "refused CONNECT turn.invalid:443: 403 Forbidden"),
        (nobody, "was refused"),
    ] {
        let report = through(proxy, url, "").await;
        let reason = &report.reason;
        assert_eq!(report.outcome, IceServerOutcome::Refused, "{reason}");
        assert!(
            reason.contains(&format!("the HTTP proxy {proxy}")),
            "{reason}"
        );
        assert!(reason.contains(how), "{reason}");
    }
}
