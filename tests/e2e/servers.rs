//! TURN servers with which something is wrong from before the call on, on real containers, against the table in
//! `servers.toml`; and controls, with servers that are well, that must turn out the other way.

use crate::support::{call, call_with, configuration, out};
use farcall::plan::plan;
use farcall::scenario::{
    Action, Direction, FirewallOverride, RestCredentials, Rule, ServerCondition, TimeStampUnit,
};
use farcall::timeline::IceServerOutcome;
use farcall::verdict::CheckVerdict;
use farcall::{Cause, RunOptions, Scenario, StoredRun, Verdict};
use rstest::rstest;
use serde::Deserialize;
use std::collections::BTreeMap;

const TABLE: &str = include_str!("servers.toml");

/// By scenario.
type Table = BTreeMap<String, Row>;

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    cause: Option<Cause>,
    alice: Outcomes,
    bob: Outcomes,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outcomes {
    stun: IceServerOutcome,
    udp: IceServerOutcome,
    tcp: IceServerOutcome,
    tls: IceServerOutcome,
}

impl Outcomes {
    fn of(self, url: &str) -> IceServerOutcome {
        match url {
            "stun:turn.example.net:3478" => self.stun,
            "turn:turn.example.net:3478" => self.udp,
            "turn:turn.example.net:443?transport=tcp" => self.tcp,
            "turns:turn.example.net:443?transport=tcp" => self.tls,
            other => panic!("{other} is not in the configuration"),
        }
    }
}

fn table() -> Table {
    toml::from_str(TABLE).unwrap()
}

fn by_verdict(run: &StoredRun, verdict: CheckVerdict) -> Vec<&str> {
    let checks = run.result.checks.iter();
    checks
        .filter(|check| check.verdict == verdict)
        .map(|check| check.name.as_str())
        .collect()
}

#[rstest]
#[tokio::test]
async fn comes_out_as_in_the_table(
    #[values(
        "server-wrong-credentials",
        "server-credentials-expired",
        "server-credentials-in-milliseconds",
        "server-stale-nonce",
        "server-quota",
        "server-peers-denied",
        "server-relay-ports-blocked",
        "server-wrong-external-address",
        "server-no-udp",
        "server-no-tls",
        "server-certificate-wrong-name",
        "server-name-missing",
        "server-name-wrong"
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
        "server-no-capacity",
        "server-no-tcp",
        "server-certificate-expired",
        "server-certificate-self-signed",
        "server-certificate-incomplete-chain",
        "server-name-slow"
    )]
    scenario: &str,
) {
    is_as_in_the_table(scenario).await;
}

async fn is_as_in_the_table(scenario: &str) {
    let row = table().remove(scenario).unwrap();
    let scenario = Scenario::builtin(scenario).unwrap();
    let run = call(&scenario, &configuration("with-tls")).await;
    assert_eq!(run.result.verdict, Verdict::Pass, "{run}");
    let cause = run.result.diagnosis.as_ref().map(|found| found.cause);
    assert_eq!(cause, row.cause, "{run}");
    for (peer, expected) in [("alice", row.alice), ("bob", row.bob)] {
        let servers = &run.result.peers[peer].ice_servers;
        assert_eq!(servers.len(), 4, "{run}");
        for server in servers {
            assert_eq!(
                server.outcome,
                expected.of(&server.url),
                "{peer}: {} {run}",
                server.url
            );
        }
    }
}

#[test]
fn the_table_has_a_row_for_every_scenario_of_servers() {
    let scenarios = Scenario::builtin_names().into_iter();
    let scenarios: Vec<&str> = scenarios
        .filter(|name| name.starts_with("server-"))
        .collect();
    let table = table();
    let rows: Vec<&str> = table.keys().map(String::as_str).collect();
    assert_eq!(rows, scenarios);
}

/// With servers that are well the same networks connect, and that nothing could is what fails.
#[rstest]
#[case::phones("server-quota", &["connection"])]
#[case::office("server-certificate-expired", &["connection"])]
#[tokio::test]
async fn with_servers_that_are_well_the_call_connects(#[case] name: &str, #[case] failed: &[&str]) {
    let mut scenario = Scenario::builtin(name).unwrap();
    scenario.servers.conditions.clear();
    let run = call(&scenario, &configuration("with-tls")).await;
    assert_eq!(run.result.verdict, Verdict::Fail, "{run}");
    assert_eq!(by_verdict(&run, CheckVerdict::Fail), failed, "{run}");
}

/// With time-limited credentials as servers accept them too.
#[rstest]
#[ignore = "one of the long ones: just test-long"]
#[case::in_time("server-credentials-expired", |rest: &mut RestCredentials| rest.valid_s = 3_600)]
#[case::in_seconds(
    "server-credentials-in-milliseconds",
    |rest: &mut RestCredentials| rest.unit = TimeStampUnit::Seconds
)]
#[tokio::test]
async fn with_credentials_that_servers_accept_the_call_connects(
    #[case] name: &str,
    #[case] mend: fn(&mut RestCredentials),
) {
    let mut scenario = Scenario::builtin(name).unwrap();
    mend(scenario.servers.rest.as_mut().unwrap());
    let run = call(&scenario, &configuration("with-tls")).await;
    assert_eq!(run.result.verdict, Verdict::Fail, "{run}");
    assert_eq!(
        by_verdict(&run, CheckVerdict::Fail),
        ["connection"],
        "{run}"
    );
}

/// A lab without what is declared wrong with its servers is found out, whatever shows it.
#[rstest]
#[case::in_the_log(ServerCondition::Quota, "servers/quota")]
#[case::in_what_peers_are_given(
    ServerCondition::WrongExternalAddress,
    "servers/wrong-external-address"
)]
#[case::before_the_call(ServerCondition::CertificateExpired, "lab/servers")]
#[case::by_its_silence(ServerCondition::RelayPortsBlocked, "lab/servers")]
#[case::by_a_listener(ServerCondition::NoUdp, "lab/servers")]
#[case::by_name(ServerCondition::NameMissing, "lab/names")]
#[tokio::test]
async fn a_condition_that_is_not_there_is_found_out(
    #[case] condition: ServerCondition,
    #[case] check: &str,
) {
    let mut scenario = Scenario::builtin("server-quota").unwrap();
    let ice = configuration("with-tls");
    scenario.servers.conditions.clear();
    let well = plan(&scenario, &ice, 1).unwrap();
    scenario.servers.conditions = vec![condition];
    let options = RunOptions {
        out: out(),
        raise_instead: Some(well),
        ..RunOptions::default()
    };
    let run = call_with(&scenario, &ice, &options).await;
    assert_eq!(run.result.verdict, Verdict::Invalid, "{run}");
    let invalid = by_verdict(&run, CheckVerdict::Invalid);
    assert!(invalid.contains(&check), "{invalid:?}: {run}");
}

/// Two relays of one server reach each other by its own address. Of two servers, each of which tells its clients an
/// address that is not its own, they do not.
#[ignore = "one of the long ones: just test-long"]
#[tokio::test]
async fn relays_of_two_servers_at_wrong_addresses_do_not_meet() {
    let mut scenario = Scenario::builtin("server-wrong-external-address").unwrap();
    // Each peer is kept from one of the two.
    for (site, address) in [
        ("alice-mobile", "203.0.113.101/32"),
        ("bob-mobile", "203.0.113.100/32"),
    ] {
        let rule = Rule {
            name: "own/drop-one-server".to_owned(),
            direction: Direction::Out,
            protocol: None,
            port: None,
            address: Some(address.parse().unwrap()),
            action: Action::Drop,
        };
        let gateway = &mut scenario.sites.get_mut(site).unwrap().gateway;
        gateway.firewall_override = Some(FirewallOverride {
            rules: vec![rule],
            ..FirewallOverride::default()
        });
    }
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Fail, "{run}");
    let cause = run.result.diagnosis.as_ref().map(|found| found.cause);
    assert_eq!(cause, Some(Cause::RelayAddressWrong), "{run}");
}
