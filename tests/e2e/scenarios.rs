//! Every built-in network with every shipped ICE configuration, on real containers, against the table
//! in `outcomes.toml`.

use crate::support::{call, call_each, configuration};
use farcall::diagnosis::Witness;
use farcall::timeline::{
    Aspect, CandidatePairReport, CandidatePairState, CandidateType, Event, IceServerOutcome,
    IceTransport, Measured,
};
use farcall::verdict::{Check, CheckVerdict};
use farcall::{Cause, Scenario, StoredRun, Verdict};
use rstest::rstest;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

const TABLE: &str = include_str!("outcomes.toml");

/// What each scenario has a cell for, in the order of the alphabet.
const CONFIGURATIONS: [&str; 4] = ["development", "production", "udp-only", "with-tls"];

/// How scenarios begin that have tests of their own.
const NOT_IN_THE_TABLE: [&str; 5] = ["link-", "media-", "recovery-", "server-", "signalling-"];

/// Scenario, then configuration.
type Table = BTreeMap<String, BTreeMap<String, Cell>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cell {
    verdict: Verdict,
    cause: Option<Cause>,
    #[serde(default)]
    failed: Vec<String>,
    #[serde(default)]
    pair: BTreeMap<String, Pair>,
    #[serde(default)]
    unreached: BTreeMap<String, BTreeMap<String, IceServerOutcome>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    local: Vec<CandidateType>,
    #[serde(default)]
    relay_protocol: Vec<IceTransport>,
}

fn table() -> Table {
    toml::from_str(TABLE).unwrap()
}

#[rstest]
#[tokio::test]
async fn comes_out_as_in_the_table(
    #[values(
        "open-internet",
        "same-network",
        "home-to-home",
        "mobile-hotspot",
        "udp-blocked",
        "udp-throttled",
        "corporate-firewall",
        "corporate-tls-only",
        "corporate-tls-intercept",
        "corporate-proxy",
        "captive-portal",
        "vpn-small-mtu",
        "ipv6-only",
        "broken-ipv6"
    )]
    scenario: &str,
) {
    is_as_in_the_table(scenario).await;
}

/// What the others cover in part.
#[rstest]
#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn comes_out_as_in_the_table_too(
    #[values(
        "full-cone",
        "double-nat",
        "mobile-hotspot-both-sides",
        "udp-443-only",
        "turn-port-only",
        "corporate-firewall-reject",
        "corporate-tls-names",
        "corporate-proxy-unused",
        "captive-portal-logged-in",
        "dual-stack"
    )]
    scenario: &str,
) {
    is_as_in_the_table(scenario).await;
}

async fn is_as_in_the_table(scenario: &str) {
    let mut row = table()
        .remove(scenario)
        .unwrap_or_else(|| panic!("outcomes.toml has no row for {scenario}"));
    let scenario = Scenario::builtin(scenario).unwrap();
    let runs = call_each(&scenario, &CONFIGURATIONS.map(configuration)).await;
    assert_eq!(runs.len(), CONFIGURATIONS.len());
    let mut wrong = String::new();
    for (run, name) in runs.iter().zip(CONFIGURATIONS) {
        assert_eq!(run.result.ice_configuration, name);
        let cell = row
            .remove(name)
            .unwrap_or_else(|| panic!("outcomes.toml has no [{}.{name}]", scenario.name));
        let differences = cell.differences(run);
        let witnesses = one_witness_alone(run);
        for difference in differences
            .into_iter()
            .chain(checked_pairs(run))
            .chain(signalling(&scenario, run))
            .chain(witnesses)
        {
            wrong += &format!("with {name}: {difference}\n\n{run}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The pair that a peer selected is one that succeeded. In a call that connects by a firewall's one gap, and in one between
/// NATs without a TURN server, where no check can be answered, each peer tells of the other's candidates and of the pairs
/// that it checked.
fn checked_pairs(run: &StoredRun) -> Vec<String> {
    let result = &run.result;
    let has_no_way =
        result.scenario == "mobile-hotspot" && result.ice_configuration == "development";
    let mut wrong = Vec::new();
    for (name, peer) in &result.peers {
        let events = || run.timeline.of(name);
        let is_told = events().any(|event| matches!(event, Event::RemoteCandidate(_)));
        let pairs: Vec<&CandidatePairReport> = events()
            .filter_map(|event| match event {
                Event::CandidatePair(pair) => Some(pair),
                _ => None,
            })
            .collect();
        let must_tell = has_no_way || result.scenario == "corporate-firewall";
        if must_tell && (pairs.is_empty() || !is_told) {
            wrong.push(format!("{name} tells of no remote candidate or no pair"));
        }
        let has_succeeded = |pair: &&CandidatePairReport| {
            pair.state == CandidatePairState::Succeeded && pair.nominated
        };
        if has_no_way && pairs.iter().any(|pair| pair.responses_received > 0) {
            wrong.push(format!("{name} has a pair that was answered: {pairs:#?}"));
        }
        if has_no_way && pairs.iter().all(|pair| pair.requests_sent == 0) {
            wrong.push(format!("{name} has checked no pair: {pairs:#?}"));
        }
        if let Some(selected) = &peer.selected_pair {
            let mut own = pairs.iter().filter(|pair| pair.is_selected(selected));
            if !own.any(has_succeeded) {
                wrong.push(format!(
                    "the pair that {name} selected, {selected:?}, is none that succeeded: {pairs:#?}"
                ));
            }
        }
    }
    wrong
}

/// What is said of a call that fell short was seen by two that do not depend on each other.
fn one_witness_alone(run: &StoredRun) -> Option<String> {
    let found = run.result.diagnosis.as_ref()?;
    let witnesses: BTreeSet<Witness> = found.evidence.iter().map(|one| one.witness).collect();
    (witnesses.len() < 2).then(|| format!("{} is said by {witnesses:?} alone", found.cause))
}

/// What the table has no row for is run by name somewhere else.
#[test]
fn every_scenario_is_run_by_a_test() {
    let tests = [
        include_str!("media.rs"),
        include_str!("recovery.rs"),
        include_str!("scenarios.rs"),
        include_str!("server_faults.rs"),
        include_str!("servers.rs"),
        include_str!("signalling.rs"),
    ]
    .concat();
    let rows = table();
    let servers: BTreeMap<String, toml::Value> =
        toml::from_str(include_str!("servers.toml")).unwrap();
    for name in Scenario::builtin_names() {
        let is_run = rows.contains_key(name)
            || servers.contains_key(name)
            || tests.contains(&format!("\"{name}\""));
        assert!(is_run, "no test runs {name}");
    }
}

/// Whose signalling goes through the harness, since no application's could get through, or none with a large packet.
const THROUGH_THE_HARNESS: [&str; 5] = [
    "captive-portal",
    "corporate-proxy-unused",
    "corporate-tls-intercept",
    "turn-port-only",
    "vpn-small-mtu",
];

/// Both peers' signalling opens in every other network of the table.
fn signalling(scenario: &Scenario, run: &StoredRun) -> Option<String> {
    let checks = run.result.checks.iter();
    let open = checks.filter(|check| {
        check.name.starts_with("signalling/")
            && check.verdict == CheckVerdict::Pass
            && check.observed.contains("opened after")
    });
    let open = open.count();
    let expected = match THROUGH_THE_HARNESS.contains(&scenario.name.as_str()) {
        true => 0,
        false => 2,
    };
    (open != expected).then(|| format!("signalling opens at {open} peers, not at {expected}"))
}

impl Cell {
    /// In what the run is other than the cell says.
    fn differences(&self, run: &StoredRun) -> Vec<String> {
        let mut differences = Vec::new();
        if run.result.verdict != self.verdict {
            differences.push(format!("{} is not {}", run.result.verdict, self.verdict));
        }
        let cause = run.result.diagnosis.as_ref().map(|found| found.cause);
        if cause != self.cause {
            differences.push(format!("the cause is {cause:?}, not {:?}", self.cause));
        }
        differences.extend(self.failed_checks(run));
        differences.extend(self.outcomes(run));
        differences.extend(self.pairs(run));
        differences
    }

    /// What failed is what the cell lists, all of it and nothing else.
    fn failed_checks(&self, run: &StoredRun) -> Vec<String> {
        let wrong =
            |check: &&Check| matches!(check.verdict, CheckVerdict::Fail | CheckVerdict::Invalid);
        let failed: Vec<&str> = run
            .result
            .checks
            .iter()
            .filter(wrong)
            .map(|check| check.name.as_str())
            .collect();
        let covers = |expected: &str, name: &str| match name.strip_prefix(expected) {
            Some(rest) => rest.is_empty() || expected.ends_with('/'),
            None => false,
        };
        let unlisted = failed
            .iter()
            .filter(|name| !self.failed.iter().any(|listed| covers(listed, name)))
            .map(|name| format!("{name} failed, which the cell does not list"));
        let missing = self
            .failed
            .iter()
            .filter(|listed| !failed.iter().any(|name| covers(listed, name)))
            .map(|listed| format!("{listed} did not fail"));
        unlisted.chain(missing).collect()
    }

    /// Every URL of every peer came to what the cell says.
    fn outcomes(&self, run: &StoredRun) -> Vec<String> {
        let mut differences = Vec::new();
        for (name, peer) in &run.result.peers {
            if peer.ice_servers.is_empty() {
                differences.push(format!("{name} has asked no server"));
            }
            for server in &peer.ice_servers {
                let unreached = self
                    .unreached
                    .get(name)
                    .and_then(|urls| urls.get(&server.url));
                let expected = match unreached {
                    Some(outcome) => *outcome,
                    None if server.url.starts_with("stun:") => IceServerOutcome::Reachable,
                    None => IceServerOutcome::Allocated,
                };
                if server.outcome != expected {
                    let (url, outcome) = (&server.url, server.outcome);
                    differences.push(format!("{name}: {url} is {outcome}, not {expected}"));
                }
            }
        }
        differences
    }

    /// Every peer selected a pair as the cell has it.
    fn pairs(&self, run: &StoredRun) -> Vec<String> {
        let mut differences = Vec::new();
        for (peer, expected) in &self.pair {
            let Some(pair) = &run.result.peers[peer].selected_pair else {
                differences.push(format!("{peer} has no pair"));
                continue;
            };
            let local = &pair.local;
            let transport_fits = local
                .relay_protocol
                .is_none_or(|transport| expected.relay_protocol.contains(&transport));
            if !expected.local.contains(&local.candidate_type) || !transport_fits {
                differences.push(format!("{peer} selected {local:?}"));
            }
        }
        differences
    }
}

/// What lies between a home and the internet does not depend on the ICE configuration: a call over each link,
/// with media, and the link attested before it.
#[rstest]
#[tokio::test]
async fn a_call_over_a_link_has_media(
    #[values(
        "link-wifi-bad",
        "link-lte",
        "link-3g",
        "link-satellite-geo",
        "link-very-bad"
    )]
    scenario: &str,
) {
    has_media_over_its_link(scenario).await;
}

/// What the others cover in part.
#[rstest]
#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_call_over_a_link_has_media_too(
    #[values(
        "link-fibre",
        "link-cable",
        "link-dsl",
        "link-wifi",
        "link-4g",
        "link-edge",
        "link-satellite-leo",
        "link-transatlantic"
    )]
    scenario: &str,
) {
    has_media_over_its_link(scenario).await;
}

async fn has_media_over_its_link(scenario: &str) {
    let scenario = Scenario::builtin(scenario).unwrap();
    let run = call(&scenario, &configuration("with-tls")).await;
    assert_eq!(run.result.verdict, Verdict::Pass, "{run}");
    let mut attested = run.result.attestation.iter();
    let of_link =
        |measured: &&Measured| measured.aspect == Aspect::Link && measured.node == "alice";
    assert!(attested.any(|measured| of_link(&measured)), "{run}");
}

#[test]
fn the_table_has_a_row_for_every_built_in_network() {
    let table = table();
    for (scenario, row) in &table {
        assert!(row.keys().eq(CONFIGURATIONS), "{scenario}: {row:?}");
        for (configuration, cell) in row {
            assert_eq!(
                cell.verdict == Verdict::Fail,
                !cell.failed.is_empty(),
                "{scenario}.{configuration}: what fails is listed, and of a pass nothing is"
            );
            let connects = Scenario::builtin(scenario).unwrap().expect.connects;
            assert_eq!(
                cell.verdict == Verdict::Fail || !connects,
                cell.cause.is_some(),
                "{scenario}.{configuration}: what does not connect has a cause"
            );
        }
    }
    let rows: Vec<String> = table.into_keys().collect();
    let mut scenarios: Vec<String> = Scenario::builtin_names()
        .into_iter()
        .filter(|name| !NOT_IN_THE_TABLE.iter().any(|of| name.starts_with(of)))
        .map(str::to_owned)
        .collect();
    scenarios.sort();
    assert_eq!(rows, scenarios);
}
