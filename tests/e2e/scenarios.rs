//! Every built-in network with every shipped ICE configuration, on real containers, against the table
//! in `outcomes.toml`.

use crate::support::{call, configuration};
use farcall::timeline::{Aspect, CandidateType, IceServerOutcome, IceTransport, Measured};
use farcall::verdict::{Check, CheckVerdict};
use farcall::{Scenario, StoredRun, Verdict};
use rstest::rstest;
use serde::Deserialize;
use std::collections::BTreeMap;

const TABLE: &str = include_str!("outcomes.toml");

/// What each scenario has a cell for, in the order of the alphabet.
const CONFIGURATIONS: [&str; 4] = ["development", "production", "udp-only", "with-tls"];

/// Scenario, then configuration.
type Table = BTreeMap<String, BTreeMap<String, Cell>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cell {
    verdict: Verdict,
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
        "full-cone",
        "double-nat",
        "mobile-hotspot",
        "mobile-hotspot-both-sides",
        "udp-blocked",
        "udp-443-only",
        "udp-throttled",
        "turn-port-only",
        "corporate-firewall",
        "corporate-firewall-reject",
        "corporate-tls-only",
        "corporate-tls-names",
        "corporate-tls-intercept",
        "corporate-proxy",
        "corporate-proxy-unused",
        "captive-portal",
        "captive-portal-logged-in",
        "vpn-small-mtu",
        "ipv6-only",
        "broken-ipv6"
    )]
    scenario: &str,
    #[values("production", "with-tls", "udp-only", "development")] configuration_name: &str,
) {
    let mut table = table();
    let cell = table
        .get_mut(scenario)
        .and_then(|row| row.remove(configuration_name))
        .unwrap_or_else(|| panic!("outcomes.toml has no [{scenario}.{configuration_name}]"));
    let scenario = Scenario::builtin(scenario).unwrap();
    let run = call(&scenario, &configuration(configuration_name)).await;

    assert_eq!(run.result.verdict, cell.verdict, "{run}");
    failed_checks_are(&run, &cell.failed);
    outcomes_are(&run, &cell);
    for (peer, expected) in &cell.pair {
        let pair = run.result.peers[peer].selected_pair.as_ref();
        let local = &pair
            .unwrap_or_else(|| panic!("{peer} has no pair\n{run}"))
            .local;
        assert!(
            expected.local.contains(&local.candidate_type),
            "{peer}: {local:?}\n{run}"
        );
        if let Some(transport) = local.relay_protocol {
            assert!(
                expected.relay_protocol.contains(&transport),
                "{peer}: {local:?}\n{run}"
            );
        }
    }
}

/// What failed is what the cell lists, all of it and nothing else.
fn failed_checks_are(run: &StoredRun, expected: &[String]) {
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
    for name in &failed {
        assert!(
            expected.iter().any(|expected| covers(expected, name)),
            "{name} failed, which is not in {expected:?}\n{run}"
        );
    }
    for expected in expected {
        assert!(
            failed.iter().any(|name| covers(expected, name)),
            "{expected} did not fail; {failed:?} did\n{run}"
        );
    }
}

/// Every URL of every peer came to what the cell says.
fn outcomes_are(run: &StoredRun, cell: &Cell) {
    for (name, peer) in &run.result.peers {
        assert!(!peer.ice_servers.is_empty(), "{name}\n{run}");
        for server in &peer.ice_servers {
            let unreached = cell
                .unreached
                .get(name)
                .and_then(|urls| urls.get(&server.url));
            let expected = match unreached {
                Some(outcome) => *outcome,
                None if server.url.starts_with("stun:") => IceServerOutcome::Reachable,
                None => IceServerOutcome::Allocated,
            };
            assert_eq!(server.outcome, expected, "{name}: {}\n{run}", server.url);
        }
    }
}

/// What lies between a home and the internet does not depend on the ICE configuration: a call over each link,
/// with media, and the link attested before it.
#[rstest]
#[tokio::test]
async fn a_call_over_a_link_has_media(
    #[values(
        "link-fibre",
        "link-cable",
        "link-dsl",
        "link-wifi",
        "link-wifi-bad",
        "link-lte",
        "link-4g",
        "link-3g",
        "link-edge",
        "link-satellite-leo",
        "link-satellite-geo",
        "link-transatlantic",
        "link-very-bad"
    )]
    scenario: &str,
) {
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
        }
    }
    let rows: Vec<String> = table.into_keys().collect();
    let mut scenarios: Vec<String> = Scenario::builtin_names()
        .into_iter()
        .filter(|name| !name.starts_with("link-"))
        .map(str::to_owned)
        .collect();
    scenarios.sort();
    assert_eq!(rows, scenarios);
}
