//! What is measured of firewalls beyond what every one is asked about: what comes in, and rules of one's own.

use crate::support::{ice, office, planned, production, public, turn};
use farcall_plan::{Fact, Plan};
use farcall_scenario::{
    Action, Direction, FirewallOverride, FirewallPreset, IceConfiguration, Protocol, Rule, Scenario,
};
use farcall_timeline::IceTransport::{Tcp, Tls, Udp};
use rstest::rstest;

/// The scenario with this rule in front of Alice.
fn with_rule(mut scenario: Scenario, rule: Rule) -> Scenario {
    let site = scenario.peers[0].site.clone();
    let gateway = &mut scenario.sites.get_mut(&site).unwrap().gateway;
    gateway.firewall_override = Some(FirewallOverride {
        rules: vec![rule],
        ..FirewallOverride::default()
    });
    scenario
}

fn rule(direction: Direction, port: Option<u16>, action: Action) -> Rule {
    Rule {
        name: "own/rule".to_owned(),
        direction,
        protocol: Some(Protocol::Tcp),
        port,
        address: None,
        action,
    }
}

fn declared(plan: &Plan, is: impl Fn(&Fact) -> bool) -> Vec<String> {
    let own = plan.attestation.iter().filter(|one| one.node == "alice");
    own.filter(|one| is(&one.fact))
        .map(|one| one.fact.to_string())
        .collect()
}

fn comes_in(scenario: &Scenario) -> Vec<String> {
    let plan = planned(scenario, &production());
    declared(&plan, |fact| matches!(fact, Fact::IncomingTcp { .. }))
}

#[rstest]
#[case::open(FirewallPreset::Open, &["tcp 29002 from the internet: passes"])]
#[case::udp_blocked(FirewallPreset::UdpBlocked, &["tcp 29002 from the internet: passes"])]
#[case::corporate(FirewallPreset::Corporate, &["tcp 29002 from the internet: dropped"])]
#[case::nobody_to_ask(FirewallPreset::TurnPortOnly, &[])]
fn what_of_tcp_comes_in_is_what_the_rules_say(
    #[case] firewall: FirewallPreset,
    #[case] expected: &[&str],
) {
    assert_eq!(comes_in(&public(firewall)), expected);
}

#[test]
fn a_rule_of_ones_own_for_what_comes_in_is_measured_at_its_port() {
    let blocked = || public(FirewallPreset::UdpBlocked);
    let with = |port, action| comes_in(&with_rule(blocked(), rule(Direction::In, port, action)));
    assert_eq!(
        with(None, Action::Drop),
        ["tcp 29002 from the internet: dropped"]
    );
    assert_eq!(
        with(Some(22), Action::Reject),
        [
            "tcp 22 from the internet: refused",
            "tcp 29002 from the internet: passes"
        ]
    );
}

#[test]
fn a_rule_for_one_port_filters_no_other() {
    let one_port = Rule {
        protocol: Some(Protocol::Udp),
        ..rule(Direction::In, Some(9), Action::Drop)
    };
    let plan = planned(
        &with_rule(public(FirewallPreset::Open), one_port),
        &production(),
    );
    let filtering = declared(&plan, |fact| matches!(fact, Fact::NatFiltering { .. }));
    assert_eq!(filtering, ["NAT filtering, over udp 53: no filter"]);
}

#[test]
fn what_comes_to_a_nat_uncalled_for_is_not_for_anybody_inside() {
    assert!(comes_in(&office(FirewallPreset::Open)).is_empty());
}

#[test]
fn a_rule_of_ones_own_for_what_goes_out_is_measured_at_its_port() {
    let passes = |action| {
        let rule = rule(Direction::Out, Some(8443), action);
        let plan = planned(
            &with_rule(office(FirewallPreset::Corporate), rule),
            &production(),
        );
        declared(&plan, |fact| {
            matches!(fact, Fact::Passage { port: 8443, .. })
        })
    };
    assert_eq!(passes(Action::Accept), ["tcp 8443 to the internet: passes"]);
    assert_eq!(
        passes(Action::Reject),
        ["tcp 8443 to the internet: refused"]
    );
    assert_eq!(
        passes(Action::AcceptTls),
        [
            "tcp 8443 to the internet: reset",
            "tcp 8443 to the internet, with TLS: passes"
        ]
    );
}

/// Two servers, of which a rule names the first.
fn two_servers() -> IceConfiguration {
    ice(vec![
        turn("203.0.113.150", 3478, Udp),
        turn("203.0.113.150", 443, Tcp),
        turn("other.example.net", 443, Tls),
    ])
}

#[rstest]
#[case::pinhole(FirewallPreset::Corporate, Action::Accept, "passes", "passes")]
#[case::ban(FirewallPreset::Open, Action::Reject, "refused", "passes")]
fn a_rule_for_a_server_is_measured_at_that_server(
    #[case] firewall: FirewallPreset,
    #[case] action: Action,
    #[case] over_udp: &str,
    #[case] over_tcp: &str,
) {
    let to_server = Rule {
        protocol: Some(Protocol::Udp),
        address: Some("203.0.113.150/32".parse().unwrap()),
        ..rule(Direction::Out, None, action)
    };
    let plan = planned(&with_rule(office(firewall), to_server), &two_servers());
    let at_servers = declared(&plan, |fact| matches!(fact, Fact::ServerPassage { .. }));
    let at = "203.0.113.150 (203.0.113.150) on";
    // In the order of ports.
    assert_eq!(
        at_servers,
        [
            format!("{at} tcp 443: {over_tcp}"),
            format!("{at} udp 3478: {over_udp}")
        ]
    );
}

#[test]
fn a_rule_for_the_probe_too_is_measured_there() {
    let everybody = Rule {
        address: Some("203.0.113.0/24".parse().unwrap()),
        ..rule(Direction::Out, Some(443), Action::Drop)
    };
    let plan = planned(
        &with_rule(office(FirewallPreset::Open), everybody),
        &two_servers(),
    );
    assert!(declared(&plan, |fact| matches!(fact, Fact::ServerPassage { .. })).is_empty());
    let at_probe = declared(&plan, |fact| {
        matches!(fact, Fact::Passage { port: 443, .. })
    });
    assert!(at_probe.contains(&"tcp 443 to the internet: dropped".to_owned()));
}
