//! A run for each cause: the sample of the verdict's tests, changed in what makes the cause.

use farcall_plan::Payload::{Plain, Tls};
use farcall_plan::ProbeProtocol::{Tcp, Udp};
use farcall_plan::{BlockingRule, ExpectedFault, ExpectedOutcome, Fact, Passage};
use farcall_plan::{Interface, Payload, ProbeProtocol};
use farcall_scenario::{ExpectedRecovery, FaultKind, IceUrl, Recovery, Scheme};
use farcall_timeline::IceServerOutcome::{
    self, Allocated, DnsFailed, NoAnswer, Reachable, Reset, TlsFailed, Unauthorized,
};
use farcall_timeline::{
    Aspect, Event, FaultEdge, FaultEvent, IceServerReport, Level, Measured, MediaKind,
    RecoveryEvent, RuleCounter,
};
use farcall_verdict::DeclaredServer;
use farcall_verdict::sample::{STUN_URL, Sample, TCP_URL, UDP_URL};
use std::net::{Ipv4Addr, SocketAddrV4};

pub(super) const TLS_URL: &str = "turns:turn.example.net:443?transport=tcp";
const RULE: &str = "corporate/drop-udp";

/// What came of a URL at alice's, and the rule that did it.
pub(super) type Offer<'a> = (&'a str, IceServerOutcome, &'a str, Option<&'a str>);

/// A call that never connects with these URLs, all of which bob reaches.
pub(super) fn offering(offers: &[Offer<'_>]) -> Sample {
    let mut sample = Sample::not_connected();
    sample.remove(|entry| matches!(entry.event, Event::IceServer(_)));
    let mut servers = Vec::new();
    let mut planned = [Vec::new(), Vec::new()];
    for (url, outcome, reason, rule) in offers {
        let parsed: IceUrl = url.parse().unwrap();
        let is_stun = parsed.scheme == Scheme::Stun;
        let reached = if is_stun { Reachable } else { Allocated };
        for (peer, outcome, reason, rule) in [
            ("alice", *outcome, *reason, *rule),
            ("bob", reached, "", None),
        ] {
            let after_ms = if outcome == NoAnswer { 5_000.0 } else { 12.0 };
            let report = IceServerReport {
                url: (*url).to_owned(),
                transport: parsed.transport,
                outcome,
                after_ms,
                relay_address: (outcome == Allocated).then(|| "203.0.113.10:49152".to_owned()),
                reason: reason.to_owned(),
                bytes_sent: 140,
                bytes_received: 0,
            };
            sample.add(4_005.0 + after_ms, peer, Event::IceServer(report));
            // Where no rule is in the way, the plan expects the server to do its part.
            let expected = if rule.is_some() { outcome } else { reached };
            let blocked_by = rule.map(|rule| BlockingRule {
                gateway: "office-gateway".to_owned(),
                rule: rule.to_owned(),
                peer: peer.to_owned(),
            });
            let index = usize::from(peer == "bob");
            planned[index].push(ExpectedOutcome {
                url: (*url).to_owned(),
                outcome: expected,
                because: "it follows".to_owned(),
                blocked_by,
            });
            if let Some(rule) = rule.filter(|rule| *rule != RULE) {
                count(&mut sample, rule);
            }
        }
        servers.push(DeclaredServer {
            url: parsed,
            has_account: !is_stun,
            time_stamp: None,
        });
    }
    let [alice, bob] = planned;
    let expect = &mut sample.declared.expect;
    expect.blocking_rules.retain(|rule| {
        let mut blocked = alice.iter().filter_map(|one| one.blocked_by.as_ref());
        blocked.any(|one| one.rule == rule.rule)
    });
    expect.ice_servers.insert("alice".to_owned(), alice);
    expect.ice_servers.insert("bob".to_owned(), bob);
    sample.declared.call.ice_servers = servers;
    sample
}

/// Lets a rule of the office's gateway have counted packets.
fn count(sample: &mut Sample, rule: &str) {
    sample.change_of("office-gateway", |event| {
        if let Event::Counters { moment, rules } = event {
            let packets = if moment == "before-call" { 1 } else { 5 };
            rules.push(RuleCounter {
                rule: rule.to_owned(),
                packets,
                bytes: packets * 60,
            });
        }
    });
}

/// Declares a fact that holds.
pub(super) fn attest(sample: &mut Sample, node: &str, fact: Fact) {
    let measured = Measured {
        node: node.to_owned(),
        aspect: Aspect::Firewall,
        what: fact.what(),
        declared: fact.declared(),
        measured: fact.declared(),
        holds: true,
    };
    sample
        .declared
        .attestation
        .retain(|one| one.node != node || one.fact.what() != fact.what());
    sample.declared.attestation.push(farcall_plan::Declaration {
        node: node.to_owned(),
        fact,
        round_trip_ms: 0,
    });
    sample.remove(|entry| {
        matches!(&entry.event, Event::Attested(one) if one.node == measured.node && one.what == measured.what)
    });
    sample.add(2_200.0, node, Event::Attested(measured));
}

pub(super) fn passage(way: (ProbeProtocol, u16, Payload), passage: Passage) -> Fact {
    Fact::Passage {
        protocol: way.0,
        port: way.1,
        payload: way.2,
        server_name: None,
        proxy: None,
        passage,
    }
}

pub(super) fn with_https(mut sample: Sample) -> Sample {
    attest(
        &mut sample,
        "alice",
        passage((Tcp, 443, Tls), Passage::Passes),
    );
    sample
}

pub(super) fn blocked(url: &str) -> Offer<'_> {
    (
        url,
        NoAnswer,
        "no answer from 203.0.113.10 in 5000 ms (6 packets sent)",
        Some(RULE),
    )
}

pub(super) fn machine_unsupported() -> Sample {
    let mut sample = Sample::good();
    let reason = "IPv6 is off in this Docker Engine; use one that has it".to_owned();
    sample.add(100.0, "alice", Event::Unsupported { reason });
    sample
}

pub(super) fn lab_invalid() -> Sample {
    let mut sample = Sample::good();
    sample.change(|event| match event {
        Event::Attested(measured) if measured.what.starts_with("udp") => {
            measured.measured = "passes".into();
            measured.holds = false;
        }
        _ => {}
    });
    sample
}

pub(super) fn dtls_blocked() -> Sample {
    let mut sample = Sample::good();
    for peer in ["alice", "bob"] {
        sample.remove_state(peer, "connection", "connected");
    }
    sample.remove(|entry| matches!(entry.event, Event::Media { .. } | Event::Data { .. }));
    sample
}

pub(super) fn captive_portal() -> Sample {
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

pub(super) fn tls_intercepted() -> Sample {
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

pub(super) fn proxy_required() -> Sample {
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
pub(super) fn through_proxy(sample: &mut Sample) {
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

pub(super) const PROXY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 20, 0, 1), 3128);

/// A server that refuses the account, whose user name begins with this number.
fn unauthorized(time_stamp: Option<u64>) -> Sample {
    let reason = "the server answered 401 (Unauthorized)";
    let mut sample = offering(&[blocked(UDP_URL), (TCP_URL, Unauthorized, reason, None)]);
    for server in &mut sample.declared.call.ice_servers {
        server.time_stamp = time_stamp;
    }
    let message =
        "4: : ERROR: check_stun_auth: user [redacted] credentials are incorrect".to_owned();
    sample.add(
        4_020.0,
        "turn",
        Event::Log {
            level: Level::Error,
            target: "turnserver".to_owned(),
            message,
        },
    );
    with_https(sample)
}

pub(super) fn credentials_in_milliseconds() -> Sample {
    unauthorized(Some(1_767_326_645_000))
}

pub(super) fn credentials_expired() -> Sample {
    unauthorized(Some(1_767_312_245))
}

pub(super) fn credentials_wrong() -> Sample {
    unauthorized(None)
}

/// An account that has not expired is wrong for another reason.
pub(super) fn credentials_in_time() -> Sample {
    unauthorized(Some(1_767_326_645))
}

pub(super) fn answered(outcome: IceServerOutcome, reason: &str) -> Sample {
    with_https(offering(&[
        blocked(UDP_URL),
        (TCP_URL, outcome, reason, None),
    ]))
}

pub(super) fn turn_quota() -> Sample {
    answered(
        IceServerOutcome::Quota,
        "the server answered 486 (Allocation Quota Reached)",
    )
}

pub(super) fn peer_denied() -> Sample {
    let mut sample = relay_ports_blocked();
    for (at_ms, peer) in [(4_300.0, "alice"), (4_310.0, "bob")] {
        let message = format!("{TCP_URL} rejected CreatePermission: 403 Forbidden IP");
        let target = "farcall_agent::peer::call".to_owned();
        sample.add(
            at_ms,
            peer,
            Event::Log {
                level: Level::Warn,
                target,
                message,
            },
        );
    }
    sample
}

pub(super) fn tls_failed(reason: &str) -> Sample {
    with_https(offering(&[
        blocked(UDP_URL),
        (TLS_URL, TlsFailed, reason, None),
    ]))
}

pub(super) fn certificate_expired() -> Sample {
    tls_failed(
        "expired: invalid peer certificate: certificate expired: verification time 1767323045 (UNIX), but certificate is not valid after 1764547200",
    )
}

pub(super) fn certificate_wrong_name() -> Sample {
    tls_failed(
        "wrong name: invalid peer certificate: certificate not valid for name \"turn.example.net\"; certificate is only valid for DnsName(\"relay.example.org\")",
    )
}

pub(super) fn certificate_unknown_issuer() -> Sample {
    tls_failed(
        "unknown issuer: the certificate was issued by turn.example.net, which is not trusted",
    )
}

pub(super) fn ipv4_literal() -> Sample {
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

pub(super) fn dns_failed() -> Sample {
    let reason = "the name turn.example.net does not exist";
    with_https(offering(&[
        (UDP_URL, DnsFailed, reason, None),
        (TCP_URL, DnsFailed, reason, None),
    ]))
}

pub(super) fn no_turn_server() -> Sample {
    with_https(offering(&[blocked(STUN_URL)]))
}

pub(super) fn tls_name_blocked() -> Sample {
    let reason = "the connection was reset during the TLS handshake";
    let mut sample = offering(&[
        blocked(UDP_URL),
        (TLS_URL, Reset, reason, Some("tls-only/reset-not-tls-443")),
    ]);
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

pub(super) fn tcp_443_not_tls() -> Sample {
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

pub(super) fn turn_443_is_udp() -> Sample {
    with_https(offering(&[blocked(UDP_URL)]))
}

pub(super) fn turn_unreachable_tls() -> Sample {
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

pub(super) fn turn_unreachable_tcp() -> Sample {
    let mut sample = turn_unreachable_tls();
    drop_url(&mut sample, TLS_URL);
    sample
}

pub(super) fn turn_unreachable_udp() -> Sample {
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

pub(super) fn turn_server_down() -> Sample {
    answered(
        NoAnswer,
        "connected to 203.0.113.10:443, but no answer in 5000 ms",
    )
}

pub(super) fn relay_ports_blocked() -> Sample {
    with_https(offering(&[
        blocked(UDP_URL),
        (TCP_URL, Allocated, "", None),
    ]))
}

pub(super) fn sender_silent() -> Sample {
    let mut sample = Sample::good();
    for kind in [MediaKind::Audio, MediaKind::Video] {
        sample.change_media("bob", kind, |stats| {
            stats.frames_silent = stats.frames_intact;
            stats.frames_intact = 0;
        });
    }
    sample
}

/// Bob receives nothing of what alice sends of these kinds.
pub(super) fn without(kinds: &[MediaKind]) -> Sample {
    let mut sample = Sample::good();
    for kind in kinds {
        sample.change_of("bob", |event| match event {
            Event::Media { kind: found, stats } if found == kind => {
                stats.packets_received = 0;
                stats.bytes_received = 0;
                stats.frames_received = 0;
                stats.frames_intact = 0;
            }
            _ => {}
        });
    }
    sample
}

/// Adds a fault, mended at the call's end.
pub(super) fn break_by(sample: &mut Sample, kind: FaultKind, target: &str, mended_ms: f64) {
    let drops = !matches!(
        kind,
        FaultKind::ForgetMappings | FaultKind::ServerDown | FaultKind::ServerFrozen
    );
    let what = format!("{kind} at {target}");
    sample.declared.expect.faults.push(ExpectedFault {
        what: what.clone(),
        drops,
        kind,
        target: target.to_owned(),
    });
    for (at_ms, edge) in [(7_000.0, FaultEdge::Begun), (mended_ms, FaultEdge::Mended)] {
        let dropped_packets = (drops && edge == FaultEdge::Mended).then_some(212);
        let event = Event::Fault(FaultEvent {
            number: 1,
            what: what.clone(),
            edge,
            late_ms: 1.0,
            dropped_packets,
        });
        sample.add(at_ms, "harness", event);
    }
}

pub(super) fn packets_too_large() -> Sample {
    let mut sample = without(&[MediaKind::Video]);
    break_by(&mut sample, FaultKind::DropLarge, "office", 9_950.0);
    sample
}

pub(super) fn rtp_blocked() -> Sample {
    without(&[MediaKind::Audio, MediaKind::Video])
}

/// A call that breaks in the middle, of which it is expected that it recovers.
pub(super) fn broken(kind: FaultKind, target: &str, mended_ms: f64) -> Sample {
    let mut sample = Sample::good();
    break_by(&mut sample, kind, target, mended_ms);
    sample.declared.expect.recovery = Some(ExpectedRecovery {
        recovers: true,
        attempts: 1,
        within_ms: 20_000,
    });
    for peer in ["alice", "bob"] {
        sample.add_state(8_000.0, peer, "connection", "disconnected");
        sample.add_state(9_000.0, peer, "connection", "failed");
    }
    sample
}

pub(super) fn consent_lost() -> Sample {
    let mut sample = broken(FaultKind::LinkDown, "office", 9_950.0);
    // Nobody knows what drops STUN, and media go on.
    sample.declared.expect.faults.clear();
    sample.declared.expect.recovery = None;
    sample.remove(|entry| matches!(entry.event, Event::Fault(_)));
    for (at_ms, packets) in [(8_300.0, 120), (8_900.0, 140)] {
        let stats = farcall_timeline::MediaStats {
            packets_received: packets,
            packets_sent: packets,
            ..Default::default()
        };
        let kind = MediaKind::Audio;
        sample.add(
            at_ms,
            "alice",
            Event::Media {
                kind,
                stats: stats.clone(),
            },
        );
        sample.add(at_ms, "bob", Event::Media { kind, stats });
    }
    sample
}

pub(super) fn recovery_exhausted() -> Sample {
    let mut sample = broken(FaultKind::LinkDown, "office", 9_950.0);
    sample.declared.call.recovery = Some(Recovery::default());
    for peer in ["alice", "bob"] {
        let started = RecoveryEvent::Started {
            attempt: 1,
            of: 1,
            trigger: "failed".to_owned(),
            strategy: "reset".to_owned(),
        };
        sample.add(9_100.0, peer, Event::Recovery(started));
        let gave_up = RecoveryEvent::GaveUp {
            attempts: 1,
            trigger: "not-formed".to_owned(),
        };
        sample.add(9_800.0, peer, Event::Recovery(gave_up));
    }
    sample
}

pub(super) fn no_recovery() -> Sample {
    broken(FaultKind::LinkDown, "office", 9_500.0)
}

/// The TURN server goes away in the middle of the call.
pub(super) fn turn_server_lost() -> Sample {
    let mut sample = broken(FaultKind::ServerDown, "turn.example.net", 9_950.0);
    sample.declared.call.recovery = Some(Recovery::default());
    sample
}

pub(super) fn connects_too_late() -> Sample {
    let mut sample = Sample::good();
    sample.declared.expect.within_ms = 2_000;
    sample
}

pub(super) fn expectation_differs() -> Sample {
    let mut sample = Sample::good();
    sample.declared.expect.connects = false;
    sample
}

/// Media that suffer and do not stop, over a link of which nothing is known.
pub(super) fn undecided() -> Sample {
    let mut sample = Sample::good();
    for kind in [MediaKind::Audio, MediaKind::Video] {
        sample.change_media("bob", kind, |stats| {
            stats.frames_intact /= 4;
            stats.frames_lost = stats.frames_intact * 3;
        });
    }
    sample
}
