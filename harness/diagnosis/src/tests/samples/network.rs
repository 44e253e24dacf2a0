//! What a network does to a configuration.

use super::{TLS_URL, attest, blocked, offering, passage, with_https};
use farcall_plan::Payload::{Plain, Tls};
use farcall_plan::ProbeProtocol::{Tcp, Udp};
use farcall_plan::{ExpectedSignalling, Fact, Interface, Passage};
use farcall_timeline::IceServerOutcome::{DnsFailed, NoAnswer, Reset, TlsFailed};
use farcall_timeline::{Event, SignallingEvent};
use farcall_verdict::sample::{STUN_URL, Sample, TCP_URL, UDP_URL};
use std::net::{Ipv4Addr, SocketAddrV4};

pub(in crate::tests) fn signalling_unreachable() -> Sample {
    let mut sample = Sample::not_connected();
    // Alice has made an offer, which nobody got.
    sample.remove(|entry| match &entry.event {
        Event::IceServer(_) => true,
        Event::State(state) => state.state != "have-local-offer",
        _ => false,
    });
    sample.declared.expect.connects = false;
    sample.declared.expect.blocking_rules.clear();
    let expected = ExpectedSignalling {
        opens: false,
        because: "turn-port-only/drop-tcp at office-gateway drops it".to_owned(),
    };
    sample
        .declared
        .expect
        .signalling
        .insert("alice".to_owned(), expected);
    let failed = SignallingEvent::Failed {
        url: "wss://signalling.test:443/".to_owned(),
        reason: "no connection within 8 s".to_owned(),
    };
    sample.add(9_000.0, "alice", Event::Signalling(failed));
    attest(
        &mut sample,
        "alice",
        passage((Tcp, 443, Tls), Passage::Dropped),
    );
    sample
}

pub(in crate::tests) fn captive_portal() -> Sample {
    let mut sample = offering(&[
        blocked(UDP_URL),
        (
            TCP_URL,
            Reset,
            "the connection was reset",
            Some("portal/accept-tls"),
        ),
    ]);
    sample.declared.expect.connects = false;
    let portal = Ipv4Addr::new(10, 20, 0, 1);
    let name = "turn.example.net".to_owned();
    attest(
        &mut sample,
        "alice",
        Fact::Resolves {
            name,
            address: portal,
        },
    );
    attest(
        &mut sample,
        "alice",
        passage((Tcp, 80, Plain), Passage::Redirected),
    );
    sample
}

pub(in crate::tests) fn tls_intercepted() -> Sample {
    let reason = "unknown issuer: the certificate was issued by Company TLS inspection CA, which is not trusted";
    let mut sample = offering(&[
        blocked(UDP_URL),
        (
            TLS_URL,
            TlsFailed,
            reason,
            Some("tls-intercept/intercept-tls-443"),
        ),
    ]);
    sample.declared.expect.connects = false;
    attest(
        &mut sample,
        "alice",
        passage((Tcp, 443, Tls), Passage::Intercepted),
    );
    sample
}

pub(in crate::tests) fn proxy_required() -> Sample {
    let mut sample = offering(&[
        blocked(UDP_URL),
        (
            TCP_URL,
            NoAnswer,
            "the TCP connection timed out",
            Some("http-proxy/drop-tcp"),
        ),
    ]);
    sample.declared.expect.connects = false;
    through_proxy(&mut sample);
    sample
}

/// Lets TLS on 443 out of alice's network through a proxy alone.
pub(in crate::tests) fn through_proxy(sample: &mut Sample) {
    attest(
        sample,
        "alice",
        Fact::Passage {
            protocol: Tcp,
            port: 443,
            payload: Tls,
            server_name: None,
            proxy: Some(PROXY),
            passage: Passage::Passes,
        },
    );
}

pub(in crate::tests) const PROXY: SocketAddrV4 =
    SocketAddrV4::new(Ipv4Addr::new(10, 20, 0, 1), 3128);

pub(in crate::tests) fn ipv4_literal() -> Sample {
    let url = "turn:203.0.113.10:3478";
    let reason = "203.0.113.10 is no IPv6 address, and the local socket is IPv6";
    let mut sample = offering(&[(url, DnsFailed, reason, None)]);
    let interfaces = vec![Interface {
        name: "eth".to_owned(),
        network: "office-lan".to_owned(),
        addresses: Vec::new(),
        addresses_v6: Vec::new(),
    }];
    attest(&mut sample, "alice", Fact::Interfaces { interfaces });
    sample
}

pub(in crate::tests) fn dns_failed() -> Sample {
    let reason = "the name turn.example.net does not exist";
    with_https(offering(&[
        (UDP_URL, DnsFailed, reason, None),
        (TCP_URL, DnsFailed, reason, None),
    ]))
}

pub(in crate::tests) fn no_turn_server() -> Sample {
    with_https(offering(&[blocked(STUN_URL)]))
}

pub(in crate::tests) fn tls_name_blocked() -> Sample {
    tls_name_blocked_of(&[TLS_URL])
}

/// The same where these URLs are those over TLS.
pub(in crate::tests) fn tls_name_blocked_of(urls: &[&str]) -> Sample {
    let reason = "the connection was reset during the TLS handshake";
    let reset = |url| (url, Reset, reason, Some("tls-only/reset-not-tls-443"));
    let mut offers = vec![blocked(UDP_URL)];
    offers.extend(urls.iter().copied().map(reset));
    let mut sample = offering(&offers);
    attest(
        &mut sample,
        "alice",
        passage((Tcp, 443, Tls), Passage::Reset),
    );
    attest(
        &mut sample,
        "alice",
        Fact::Passage {
            protocol: Tcp,
            port: 443,
            payload: Tls,
            server_name: Some("www.example.com".to_owned()),
            proxy: None,
            passage: Passage::Passes,
        },
    );
    sample
}

pub(in crate::tests) fn tcp_443_not_tls() -> Sample {
    let mut sample = with_https(offering(&[
        blocked(UDP_URL),
        (
            TCP_URL,
            Reset,
            "the connection was reset",
            Some("tls-only/reset-not-tls-443"),
        ),
    ]));
    attest(
        &mut sample,
        "alice",
        passage((Tcp, 443, Plain), Passage::Reset),
    );
    sample
}

pub(in crate::tests) fn turn_443_is_udp() -> Sample {
    with_https(offering(&[blocked(UDP_URL)]))
}

pub(in crate::tests) fn turn_unreachable_tls() -> Sample {
    let timed_out = "the TCP connection to 203.0.113.10:443 timed out after 5000 ms";
    let drop = Some("turn-port-only/drop-tcp");
    let mut sample = offering(&[
        blocked(UDP_URL),
        (TCP_URL, NoAnswer, timed_out, drop),
        (TLS_URL, NoAnswer, timed_out, drop),
    ]);
    attest(
        &mut sample,
        "alice",
        passage((Udp, 3478, Plain), Passage::Passes),
    );
    sample
}

pub(in crate::tests) fn turn_unreachable_tcp() -> Sample {
    let mut sample = turn_unreachable_tls();
    drop_url(&mut sample, TLS_URL);
    sample
}

pub(in crate::tests) fn turn_unreachable_udp() -> Sample {
    let mut sample = turn_unreachable_tcp();
    drop_url(&mut sample, TCP_URL);
    sample
}

fn drop_url(sample: &mut Sample, url: &str) {
    sample
        .declared
        .call
        .ice_servers
        .retain(|server| server.url.text != url);
    for planned in sample.declared.expect.ice_servers.values_mut() {
        planned.retain(|one| one.url != url);
    }
    sample.remove(|entry| matches!(&entry.event, Event::IceServer(report) if report.url == url));
}
