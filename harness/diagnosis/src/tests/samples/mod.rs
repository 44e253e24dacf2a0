//! A run for each cause: the sample of the verdict's tests, changed in what makes the cause.

mod calls;
mod network;
mod servers;

pub(super) use calls::*;
pub(super) use network::*;
pub(super) use servers::*;

use farcall_plan::Payload::Tls;
use farcall_plan::ProbeProtocol::Tcp;
use farcall_plan::{
    BlockingRule, Declaration, ExpectedOutcome, Fact, Passage, Payload, ProbeProtocol,
};
use farcall_scenario::{IceUrl, Scheme};
use farcall_timeline::IceServerOutcome::{self, Allocated, NoAnswer, Reachable};
use farcall_timeline::{Candidate, CandidateType, Event, IceServerReport, Measured, RuleCounter};
use farcall_verdict::DeclaredServer;
use farcall_verdict::sample::Sample;

pub(super) const TLS_URL: &str = "turns:turn.example.net:443?transport=tcp";

const RULE: &str = "corporate/drop-udp";

/// What came of a URL at alice's, and the rule that did it.
pub(super) type Offer<'a> = (&'a str, IceServerOutcome, &'a str, Option<&'a str>);

/// A call that never connects with these URLs, all of which bob reaches.
pub(super) fn offering(offers: &[Offer<'_>]) -> Sample {
    let mut sample = Sample::not_connected();
    sample.remove(|entry| matches!(entry.event, Event::IceServer(_)));
    if offers.iter().all(|(_, outcome, ..)| *outcome != Allocated) {
        // Nothing of hers came as far as an allocation; what there is is bob's.
        let is_relay = |candidate: &Candidate| candidate.candidate_type == CandidateType::Relay;
        sample.remove(|entry| match &entry.event {
            Event::LocalCandidate(candidate) | Event::RemoteCandidate(candidate) => {
                is_relay(candidate)
            }
            Event::CandidatePair(pair) => is_relay(&pair.local) || is_relay(&pair.remote),
            _ => false,
        });
        sample.change(|event| {
            if let Event::TurnSession(session) = event
                && let Some(client) = &mut session.client
                && client.starts_with("198.51.100.2:")
            {
                *client = "198.51.100.9:61236".to_owned();
            }
        });
    }
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
    count_at(sample, "office-gateway", rule, 4);
}

/// Lets a gateway's rule have counted so many packets during the call.
pub(super) fn count_at(sample: &mut Sample, gateway: &str, rule: &str, packets: u64) {
    sample.change_of(gateway, |event| {
        if let Event::Counters { moment, rules } = event {
            let packets = if moment == "before-call" {
                1
            } else {
                1 + packets
            };
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
        aspect: fact.aspect(),
        what: fact.what(),
        declared: fact.declared(),
        measured: fact.declared(),
        holds: true,
    };
    sample
        .declared
        .attestation
        .retain(|one| one.node != node || one.fact.what() != fact.what());
    sample.declared.attestation.push(Declaration {
        node: node.to_owned(),
        fact,
        round_trip_ms: 0,
        link_at: None,
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
