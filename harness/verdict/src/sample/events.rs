//! The sample's events.

use super::declared::{STUN_URL, TCP_URL, UDP_URL};
use farcall_plan::{DATAPATH_LOSSES, FROM_INSIDE, TO_INSIDE};
use farcall_timeline::{
    Aspect, CallState, Candidate, CandidatePairReport, CandidatePairState, CandidateType,
    DataStats, Entry, Event, Holdings, IceServerOutcome, IceServerReport, IceTransport, Measured,
    MediaKind, MediaStats, Phase, RuleCounter, SelectedPair, TurnSession,
};

/// When the peers report their streams for the first time.
pub(super) const FIRST_REPORT_MS: f64 = 7_600.0;
const LAST_REPORT_MS: f64 = 9_800.0;

pub(super) fn events() -> Vec<Entry> {
    let mut log = Log(Vec::new());
    log.phase(Phase::Raise, 0.0, 2_000.0);
    log.phase(Phase::Attest, 2_000.0, 3_000.0);
    attest(&mut log);
    counters(&mut log, 3_900.0, "before-call");
    log.phase(Phase::Call, 4_000.0, 10_000.0);
    states(&mut log);
    servers(&mut log);
    pairs(&mut log);
    for peer in ["alice", "bob"] {
        streams(&mut log, FIRST_REPORT_MS, peer, 3);
        streams(&mut log, LAST_REPORT_MS, peer, 1);
    }
    log.add(9_900.0, "harness", Event::CallEnded { reason: None });
    for peer in ["alice", "bob"] {
        let held = Holdings {
            sockets: 1,
            tasks: 4,
        };
        let released = Event::Released {
            before: held,
            after: held,
        };
        log.add(9_950.0, peer, released);
    }
    counters(&mut log, 10_050.0, "after-call");
    log.phase(Phase::Collect, 10_000.0, 10_400.0);
    sessions(&mut log);
    log.phase(Phase::Teardown, 10_400.0, 11_500.0);
    log.0
}

struct Log(Vec<Entry>);

impl Log {
    fn add(&mut self, at_ms: f64, node: &str, event: Event) {
        self.0.push(Entry {
            at_ms,
            node: node.into(),
            event,
        });
    }

    fn phase(&mut self, phase: Phase, from_ms: f64, to_ms: f64) {
        self.add(from_ms, "harness", Event::PhaseStarted { phase });
        self.add(to_ms, "harness", Event::PhaseEnded { phase });
    }
}

fn attest(log: &mut Log) {
    let facts = [
        ("alice", Aspect::Isolation, "embedded resolver", "silent"),
        ("bob", Aspect::Isolation, "embedded resolver", "silent"),
        ("alice", Aspect::Names, "turn.example.net", "203.0.113.10"),
        (
            "bob",
            Aspect::Nat,
            "NAT mapping over udp",
            "address-and-port-dependent",
        ),
        (
            "alice",
            Aspect::Firewall,
            "udp 443 to the internet",
            "dropped",
        ),
        ("alice", Aspect::Link, "round trip, over tcp 443", "0 ms"),
        (
            "probe",
            Aspect::Servers,
            "turn.example.net tcp 443",
            "answers",
        ),
    ];
    for (index, (node, aspect, what, value)) in (0_u8..).zip(facts) {
        let measured = Measured {
            node: node.into(),
            aspect,
            what: what.into(),
            declared: value.into(),
            measured: value.into(),
            holds: true,
        };
        log.add(2_100.0 + f64::from(index), node, Event::Attested(measured));
    }
}

fn counters(log: &mut Log, at_ms: f64, moment: &str) {
    let is_before = moment == "before-call";
    let counter = |rule: &str, before: (u64, u64), after: (u64, u64)| {
        let (packets, bytes) = if is_before { before } else { after };
        RuleCounter {
            rule: rule.into(),
            packets,
            bytes,
        }
    };
    for gateway in ["office-gateway", "mobile-gateway", "mobile-carrier-gateway"] {
        let mut rules = vec![
            counter(FROM_INSIDE, (10, 1_000), (310, 171_000)),
            counter(TO_INSIDE, (10, 1_000), (310, 171_000)),
        ];
        if gateway == "office-gateway" {
            rules.push(counter("corporate/drop-udp", (3, 120), (10, 512)));
        }
        if gateway == "mobile-gateway" {
            rules.extend(DATAPATH_LOSSES.map(|rule| counter(rule, (1, 100), (1, 100))));
        }
        let moment = moment.into();
        log.add(at_ms, gateway, Event::Counters { moment, rules });
    }
}

fn states(log: &mut Log) {
    for (at_ms, peer, machine, state) in [
        (4_000.0, "alice", "signaling", "have-local-offer"),
        (4_005.0, "alice", "ice-gathering", "gathering"),
        (4_010.0, "bob", "signaling", "have-remote-offer"),
        (4_020.0, "bob", "signaling", "stable"),
        (4_020.0, "bob", "ice-gathering", "gathering"),
        (4_030.0, "alice", "signaling", "stable"),
        (4_050.0, "alice", "ice-connection", "checking"),
        (4_050.0, "alice", "connection", "connecting"),
        (4_060.0, "bob", "ice-connection", "checking"),
        (4_060.0, "bob", "connection", "connecting"),
        (6_350.0, "alice", "ice-connection", "connected"),
        (6_360.0, "bob", "ice-connection", "connected"),
        (6_390.0, "alice", "connection", "connected"),
        (6_400.0, "bob", "connection", "connected"),
        (9_010.0, "alice", "ice-gathering", "complete"),
    ] {
        let state = CallState {
            machine: machine.into(),
            state: state.into(),
        };
        log.add(at_ms, peer, Event::State(state));
    }
}

fn servers(log: &mut Log) {
    use IceServerOutcome::{Allocated, NoAnswer, Reachable};
    use IceTransport::{Tcp, Udp};
    for (peer, url, transport, outcome, after_ms) in [
        ("alice", TCP_URL, Tcp, Allocated, 24.0),
        ("alice", UDP_URL, Udp, NoAnswer, 5_000.0),
        ("alice", STUN_URL, Udp, NoAnswer, 5_000.0),
        ("bob", UDP_URL, Udp, Allocated, 11.0),
        ("bob", TCP_URL, Tcp, Allocated, 13.0),
        ("bob", STUN_URL, Udp, Reachable, 3.0),
    ] {
        let carries_media = peer == "alice" && outcome == Allocated;
        let report = IceServerReport {
            url: url.into(),
            transport,
            outcome,
            after_ms,
            relay_address: (outcome == Allocated).then(|| "203.0.113.10:49152".into()),
            reason: if outcome == NoAnswer {
                "0 bytes came back before the gathering deadline".into()
            } else {
                String::new()
            },
            bytes_sent: if carries_media { 120_000 } else { 140 },
            bytes_received: if carries_media { 120_000 } else { 0 },
        };
        log.add(4_005.0 + after_ms, peer, Event::IceServer(report));
    }
}

fn candidate(candidate_type: CandidateType, address: &str, url: Option<&str>) -> Candidate {
    let relay = candidate_type == CandidateType::Relay;
    Candidate {
        candidate_type,
        protocol: "udp".into(),
        address: address.into(),
        relay_protocol: (relay && url.is_some()).then_some(IceTransport::Tcp),
        url: url.map(Into::into),
    }
}

fn pairs(log: &mut Log) {
    use CandidateType::{Host, Prflx, Relay};
    let own_relay = candidate(Relay, "203.0.113.10:49152", Some(TCP_URL));
    for local in [candidate(Host, "10.20.0.5:40000", None), own_relay.clone()] {
        log.add(4_030.0, "alice", Event::LocalCandidate(local));
    }
    let host = candidate(Host, "192.168.43.7:40000", None);
    log.add(4_031.0, "bob", Event::LocalCandidate(host.clone()));
    let found = candidate(Prflx, "198.51.100.9:61234", None);
    let relay = candidate(Relay, "203.0.113.10:49152", None);
    let office = candidate(Host, "10.20.0.5:40000", None);
    log.add(4_032.0, "alice", Event::RemoteCandidate(host.clone()));
    for remote in [office.clone(), relay.clone()] {
        log.add(4_033.0, "bob", Event::RemoteCandidate(remote));
    }
    log.add(6_350.0, "alice", Event::RemoteCandidate(found.clone()));
    for (peer, local, remote, has_succeeded) in [
        ("alice", &office, &host, false),
        ("alice", &own_relay, &found, true),
        ("bob", &host, &office, false),
        ("bob", &host, &relay, true),
    ] {
        let pair = checked(local, remote, has_succeeded);
        log.add(9_940.0, peer, Event::CandidatePair(pair));
    }
    let alice = SelectedPair {
        local: own_relay,
        remote: found,
    };
    let bob = SelectedPair {
        local: candidate(Prflx, "198.51.100.9:61234", None),
        remote: relay,
    };
    log.add(6_350.0, "alice", Event::SelectedPair(alice));
    log.add(6_360.0, "bob", Event::SelectedPair(bob));
}

fn checked(local: &Candidate, remote: &Candidate, has_succeeded: bool) -> CandidatePairReport {
    let answered = if has_succeeded { 9 } else { 0 };
    CandidatePairReport {
        connection: 1,
        local: local.clone(),
        remote: remote.clone(),
        state: match has_succeeded {
            true => CandidatePairState::Succeeded,
            false => CandidatePairState::Failed,
        },
        nominated: has_succeeded,
        requests_sent: if has_succeeded { 11 } else { 12 },
        responses_received: answered,
        requests_received: answered,
        responses_sent: answered,
        current_round_trip_ms: has_succeeded.then_some(31.5),
    }
}

/// One part of `parts` of all that a peer sends and receives.
fn streams(log: &mut Log, at_ms: f64, peer: &str, parts: u64) {
    let audio = stream(150 / parts, 150 / parts, 80);
    let video = stream(90 / parts, 90 / parts, 1_000);
    for (kind, mut stats) in [(MediaKind::Audio, audio), (MediaKind::Video, video)] {
        if kind == MediaKind::Audio && parts == 1 {
            stats.frames_intact -= 1;
            stats.frames_received -= 1;
            stats.frames_lost = 1;
        }
        log.add(at_ms, peer, Event::Media { kind, stats });
    }
    let messages = 30 / parts;
    let stats = DataStats {
        messages_sent: messages,
        bytes_sent: messages * 100,
        messages_intact: messages,
        messages_corrupt: 0,
        messages_out_of_order: 0,
        bytes_received: messages * 100,
    };
    log.add(at_ms, peer, Event::Data { stats });
}

fn stream(packets: u64, frames: u64, packet_bytes: u64) -> MediaStats {
    MediaStats {
        packets_sent: packets,
        bytes_sent: packets * packet_bytes,
        frames_sent: frames,
        packets_received: packets,
        bytes_received: packets * packet_bytes,
        jitter_ms: 0.4,
        frames_received: frames,
        frames_intact: frames,
        first_frame_after_ms: Some(31.0),
        longest_gap_ms: 46.0,
        ..MediaStats::default()
    }
}

fn sessions(log: &mut Log) {
    for (session, client, bytes) in [
        ("001", "198.51.100.2:50001", 115_000),
        ("002", "198.51.100.9:61234", 400),
        ("003", "198.51.100.9:61235", 400),
    ] {
        let session = TurnSession {
            session: session.into(),
            client: Some(client.into()),
            username: Some("farcall".into()),
            bytes_received: bytes,
            bytes_sent: bytes,
            packets_received: bytes / 100,
            packets_sent: bytes / 100,
            complete: true,
        };
        let made = session.session.clone();
        log.add(4_500.0, "turn", Event::TurnAllocated { session: made });
        log.add(10_200.0, "turn", Event::TurnSession(session));
    }
}
