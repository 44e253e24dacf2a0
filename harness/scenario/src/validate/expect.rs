//! Expectations: of peers that exist, and such that a call could meet them all.

use super::within;
use crate::model::{Expect, ExpectedPair, Scenario};
use crate::read::{Finding, did_you_mean};
use farcall_timeline::CandidateType;

pub(super) fn check(scenario: &Scenario) -> Vec<Finding> {
    let expect = &scenario.expect;
    let mut findings = Vec::new();
    findings.extend(within(
        "expect.within_ms",
        expect.within_ms,
        &Expect::WITHIN_MS,
    ));
    findings.extend(check_no_call(expect));
    findings.extend(check_relayed(expect));
    for peer in expect.flows.keys() {
        findings.extend(check_peer(scenario, peer, format!("expect.flows.{peer}")));
    }
    for (peer, pair) in &expect.selected_pair {
        findings.extend(check_peer(scenario, peer, path(peer)));
        findings.extend(check_relay_protocol(peer, pair));
        findings.extend(check_not_relayed(expect, peer, pair));
    }
    findings
}

fn path(peer: &str) -> String {
    format!("expect.selected_pair.{peer}")
}

fn check_no_call(expect: &Expect) -> Vec<Finding> {
    if expect.connects {
        return Vec::new();
    }
    let selected_pair = (!expect.selected_pair.is_empty()).then_some("expect.selected_pair");
    let relayed = expect.relayed.map(|_| "expect.relayed");
    let contradiction = |key: &str| {
        let message = "a call that does not connect has no selected pair";
        let finding = Finding::new(key, message).because_of("expect.connects");
        finding.hint("leave this out, or write `connects = true`")
    };
    selected_pair
        .into_iter()
        .chain(relayed)
        .map(contradiction)
        .collect()
}

fn check_peer(scenario: &Scenario, peer: &str, path: String) -> Option<Finding> {
    if scenario.peers.iter().any(|known| known.name == peer) {
        return None;
    }
    let known = scenario.peers.iter().map(|peer| peer.name.as_str());
    let mut finding = Finding::new(path, format!("there is no peer `{peer}`"))
        .because_of("peers")
        .hint(did_you_mean(peer, known));
    for index in 0..scenario.peers.len() {
        finding = finding.because_of(format!("peers[{index}].name"));
    }
    Some(finding)
}

fn check_relay_protocol(peer: &str, pair: &ExpectedPair) -> Option<Finding> {
    if pair.relay_protocol.is_empty() || may_relay(&pair.local) {
        return None;
    }
    let message = "`relay_protocol` is about relay candidates, which `local` does not allow";
    let finding = Finding::new(format!("{}.relay_protocol", path(peer)), message);
    let finding = finding.because_of(format!("{}.local", path(peer)));
    Some(finding.hint("add \"relay\" to `local`, or leave `relay_protocol` out"))
}

/// `relayed = false` beside a peer that may have nothing but a relay candidate.
fn check_not_relayed(expect: &Expect, peer: &str, pair: &ExpectedPair) -> Option<Finding> {
    if expect.relayed != Some(false) || pair.local != [CandidateType::Relay] {
        return None;
    }
    let message = "`relayed = false` forbids the one type that is allowed here";
    let finding = Finding::new(format!("{}.local", path(peer)), message);
    let finding = finding.because_of("expect.relayed");
    Some(finding.hint("leave one of the two out"))
}

/// `relayed = true` beside two peers of which neither may have a relay candidate.
fn check_relayed(expect: &Expect) -> Option<Finding> {
    let pairs = &expect.selected_pair;
    let possible = pairs.len() < 2 || pairs.values().any(|pair| may_relay(&pair.local));
    if expect.relayed != Some(true) || possible {
        return None;
    }
    let message = "this needs a relay candidate, and no peer's `local` allows one";
    let mut finding = Finding::new("expect.relayed", message);
    for peer in pairs.keys() {
        finding = finding.because_of(format!("{}.local", path(peer)));
    }
    Some(finding.hint("add \"relay\" to a peer's `local`, or leave this out"))
}

/// Whether the local candidate may be a relay candidate.
fn may_relay(local: &[CandidateType]) -> bool {
    local.is_empty() || local.contains(&CandidateType::Relay)
}
