//! What becomes of calls, and of labs.

use super::{attest, count_at};
use farcall_plan::{ExpectedFault, ExpectedSignalling, Fact};
use farcall_scenario::{Direction, ExpectedRecovery, FaultKind, IceConfiguration, Recovery};
use farcall_timeline::IceServerOutcome::NotUsed;
use farcall_timeline::{
    Event, FaultEdge, FaultEvent, MediaKind, MediaStats, RecoveryEvent, SignallingEvent,
};
use farcall_verdict::sample::{Sample, TCP_URL, UDP_URL};

pub(in crate::tests) fn machine_unsupported() -> Sample {
    let mut sample = Sample::good();
    let reason = "IPv6 is off in this Docker Engine; use one that has it".to_owned();
    sample.add(100.0, "alice", Event::Unsupported { reason });
    sample
}

/// Nothing was raised.
pub(in crate::tests) fn configuration_unsupported() -> Sample {
    let mut sample = Sample::good();
    sample.remove(|_| true);
    let text = r#"[{ "urls": "stun:[2001:db8::7]:3478" }]"#;
    let ice = IceConfiguration::parse("ice.json", text).unwrap();
    let reason = farcall_plan::unsupported(&ice).unwrap().reason;
    sample.add(0.0, "harness", Event::ConfigurationUnsupported { reason });
    sample
}

pub(in crate::tests) fn lab_invalid() -> Sample {
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

pub(in crate::tests) fn dtls_blocked() -> Sample {
    let mut sample = Sample::good();
    for peer in ["alice", "bob"] {
        sample.remove_state(peer, "connection", "connected");
    }
    sample.remove(|entry| matches!(entry.event, Event::Media { .. } | Event::Data { .. }));
    sample
}

pub(in crate::tests) fn sender_silent() -> Sample {
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
pub(in crate::tests) fn without(kinds: &[MediaKind]) -> Sample {
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
pub(in crate::tests) fn break_by(
    sample: &mut Sample,
    kind: FaultKind,
    target: &str,
    mended_ms: f64,
) {
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
        least_delay: None,
    });
    for (at_ms, edge) in [(7_000.0, FaultEdge::Begun), (mended_ms, FaultEdge::Mended)] {
        let dropped_packets = (drops && edge == FaultEdge::Mended).then_some(212);
        let event = Event::Fault(FaultEvent {
            number: 1,
            what: what.clone(),
            edge,
            late_ms: Some(1.0),
            dropped_packets,
            crossed: None,
        });
        sample.add(at_ms, "harness", event);
    }
}

pub(in crate::tests) fn packets_too_large() -> Sample {
    let mut sample = without(&[MediaKind::Video]);
    break_by(&mut sample, FaultKind::DropLarge, "office", 9_950.0);
    sample
}

/// Signalling opens at both peers, and the offer is lost on the way to bob.
pub(in crate::tests) fn offer_lost() -> Sample {
    let mut sample = Sample::not_connected();
    // Alice has made an offer; neither peer has the other's description.
    sample.remove(
        |entry| matches!(&entry.event, Event::State(state) if state.machine != "signaling"),
    );
    for url in [UDP_URL, TCP_URL] {
        sample.change_server("bob", url, |report| {
            (report.outcome, report.relay_address) = (NotUsed, None);
        });
    }
    sample.remove_state("bob", "signaling", "have-remote-offer");
    sample.remove_state("bob", "signaling", "stable");
    for peer in ["alice", "bob"] {
        let opened = SignallingEvent::Open {
            url: "wss://signalling.test:443/".to_owned(),
            after_ms: 30.0,
        };
        sample.add(100.0, peer, Event::Signalling(opened));
        let expected = ExpectedSignalling {
            opens: true,
            because: "signalling.test listens on tls 443".to_owned(),
        };
        let expect = &mut sample.declared.expect;
        expect.signalling.insert(peer.to_owned(), expected);
    }
    let closed = SignallingEvent::Closed {
        reason: "nothing came for 4 s".to_owned(),
    };
    sample.add(4_100.0, "bob", Event::Signalling(closed));
    sample
}

/// The same where bob's link takes packets of so many bytes at most.
pub(in crate::tests) fn offer_lost_by_mtu(mtu: u16, fragmentation_needed: bool) -> Sample {
    let mut sample = offer_lost();
    let fact = Fact::Mtu {
        direction: Direction::In,
        mtu,
        fragmentation_needed: Some(fragmentation_needed),
        port: 3478,
    };
    attest(&mut sample, "bob", fact);
    sample
}

pub(in crate::tests) fn rtp_blocked() -> Sample {
    without(&[MediaKind::Audio, MediaKind::Video])
}

/// A call that breaks in the middle, of which it is expected that it recovers.
pub(in crate::tests) fn broken(kind: FaultKind, target: &str, mended_ms: f64) -> Sample {
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

pub(in crate::tests) fn consent_lost() -> Sample {
    let mut sample = broken(FaultKind::LinkDown, "office", 9_950.0);
    // Nobody knows what drops STUN, and media go on.
    sample.declared.expect.faults.clear();
    sample.declared.expect.recovery = None;
    sample.remove(|entry| matches!(entry.event, Event::Fault(_)));
    for (at_ms, packets) in [(8_300.0, 120), (8_900.0, 140)] {
        let stats = MediaStats {
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

pub(in crate::tests) fn recovery_exhausted() -> Sample {
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

pub(in crate::tests) fn no_recovery() -> Sample {
    broken(FaultKind::LinkDown, "office", 9_500.0)
}

/// The TURN server goes away in the middle of the call.
pub(in crate::tests) fn turn_server_lost() -> Sample {
    let mut sample = broken(FaultKind::ServerDown, "turn.example.net", 9_950.0);
    sample.declared.call.recovery = Some(Recovery::default());
    sample
}

pub(in crate::tests) fn connects_too_late() -> Sample {
    let mut sample = Sample::good();
    sample.declared.expect.within_ms = 2_000;
    sample
}

pub(in crate::tests) fn expectation_differs() -> Sample {
    let mut sample = Sample::good();
    sample.declared.expect.connects = false;
    sample
}

/// Bob gets two fifths of what alice sends.
pub(in crate::tests) fn lossy() -> Sample {
    let mut sample = Sample::good();
    for kind in [MediaKind::Audio, MediaKind::Video] {
        sample.change_media("bob", kind, |stats| {
            let whole = stats.packets_sent;
            stats.packets_received = whole * 2 / 5;
            stats.packets_lost = (whole - stats.packets_received) as i64;
            stats.frames_intact = stats.frames_intact * 2 / 5;
            stats.frames_received = stats.frames_intact;
            stats.frames_lost = stats.frames_sent - stats.frames_intact;
        });
    }
    sample
}

/// A rate of a peer's link.
pub(in crate::tests) fn rate(direction: Direction, kbit: u32) -> Fact {
    Fact::Rate {
        direction,
        kbit: Some(kbit),
        queue_ms: 200,
        jitter_ms: 0.0,
        port: 3478,
    }
}

pub(in crate::tests) fn link_too_poor() -> Sample {
    let mut sample = lossy();
    attest(&mut sample, "bob", rate(Direction::In, 200));
    count_at(
        &mut sample,
        "mobile-gateway",
        "link/down-queue-dropped",
        131,
    );
    sample
}

/// Media that suffer and do not stop, over a link of which nothing is known.
pub(in crate::tests) fn undecided() -> Sample {
    let mut sample = Sample::good();
    for kind in [MediaKind::Audio, MediaKind::Video] {
        sample.change_media("bob", kind, |stats| {
            stats.frames_intact /= 4;
            stats.frames_lost = stats.frames_intact * 3;
        });
    }
    sample
}
