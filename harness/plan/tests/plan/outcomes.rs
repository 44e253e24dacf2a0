//! What becomes of each URL.

use crate::support::{ice, office, planned, production, public, stun, turn, with_tls};
use farcall_plan::{Plan, Role};
use farcall_scenario::{Account, FirewallPreset, IceTransportPolicy, Secret};
use farcall_timeline::IceServerOutcome::{self, Allocated, NoAnswer, NotUsed, Reset};
use farcall_timeline::IceTransport::{Tcp, Tls, Udp};
use rstest::rstest;

fn outcomes(plan: &Plan, peer: &str) -> Vec<(String, IceServerOutcome)> {
    let expected = plan.expect.ice_servers[peer].iter();
    expected.map(|at| (at.url.clone(), at.outcome)).collect()
}

fn blocking(plan: &Plan) -> Vec<(String, String, String)> {
    let rules = plan.expect.blocking_rules.iter();
    rules
        .map(|at| (at.gateway.clone(), at.rule.clone(), at.peer.clone()))
        .collect()
}

fn office_blocks(rule: &str) -> (String, String, String) {
    ("office-gateway".into(), rule.into(), "alice".into())
}

#[test]
fn through_the_corporate_firewall_only_tcp_443_leads_and_the_rule_against_udp_counts() {
    let plan = planned(&office(FirewallPreset::Corporate), &production());
    let expected = [
        ("turn:relay.example.net:443", NoAnswer),
        ("turn:relay.example.net:443?transport=tcp", Allocated),
        ("turn:backup.example.org:3478", NoAnswer),
        ("turn:relay.example.net:80", NoAnswer),
        ("stun:stun.example.net:19302", NoAnswer),
    ];
    let expected = expected.map(|(url, outcome)| (url.to_owned(), outcome));
    assert_eq!(outcomes(&plan, "alice"), expected);
    assert_eq!(blocking(&plan), [office_blocks("corporate/drop-udp")]);
    let bob = outcomes(&plan, "bob");
    assert!(
        bob.iter().all(|(_, outcome)| outcome.is_success()),
        "{bob:?}"
    );
}

#[test]
fn where_only_tls_passes_a_plain_connection_to_443_is_reset() {
    let plan = planned(&office(FirewallPreset::TlsOnly), &with_tls());
    let expected: Vec<_> = outcomes(&plan, "alice")
        .into_iter()
        .map(|(_, outcome)| outcome)
        .collect();
    assert_eq!(expected, [NoAnswer, Reset, Allocated, NoAnswer, NoAnswer]);
    assert_eq!(
        blocking(&plan),
        [
            office_blocks("tls-only/drop-udp"),
            office_blocks("tls-only/reset-not-tls-443"),
            office_blocks("tls-only/drop-tcp"),
        ]
    );
}

#[rstest]
#[case::udp(turn("t.example", 443, Udp), NoAnswer)]
#[case::tcp_80(turn("t.example", 80, Tcp), Allocated)]
#[case::tcp_443(turn("t.example", 443, Tcp), Allocated)]
#[case::tcp_3478(turn("t.example", 3478, Tcp), NoAnswer)]
#[case::tls_443(turn("t.example", 443, Tls), Allocated)]
#[case::tls_5349(turn("t.example", 5349, Tls), NoAnswer)]
#[case::stun(stun("t.example", 443), NoAnswer)]
fn the_corporate_firewall_judges_by_protocol_and_port(
    #[case] server: farcall_scenario::IceServer,
    #[case] expected: IceServerOutcome,
) {
    let plan = planned(&office(FirewallPreset::Corporate), &ice(vec![server]));
    assert_eq!(outcomes(&plan, "alice")[0].1, expected);
}

#[test]
fn the_account_of_the_ice_configuration_is_expected_to_be_accepted_whatever_the_servers_have() {
    let mut scenario = office(FirewallPreset::Corporate);
    scenario.servers.account = Some(Account {
        username: "user".to_owned(),
        credential: Secret::new("another"),
    });
    let plan = planned(&scenario, &production());
    let same = planned(&office(FirewallPreset::Corporate), &production());
    assert_eq!(plan.expect, same.expect);
    let servers = plan.nodes.iter().filter_map(|node| match &node.role {
        Role::TurnServer(server) => Some(&server.accounts),
        _ => None,
    });
    let mut accounts = servers.flatten().map(|account| account.credential.expose());
    assert!(accounts.all(|credential| credential == "another"));
    let because = &plan.expect.ice_servers["bob"][0].because;
    assert_eq!(
        because,
        "relay.example.net listens on udp 443 and must accept the configuration's account"
    );
}

#[test]
fn servers_see_a_peer_at_its_outermost_nat_or_at_its_own_address() {
    let at = |plan: &Plan, peer: &str| plan.expect.public_addresses[peer][0].to_string();
    let translated = planned(&office(FirewallPreset::Corporate), &production());
    assert_eq!(at(&translated, "alice"), "203.0.113.10");
    assert_eq!(at(&translated, "bob"), "203.0.113.11");
    let routed = planned(&public(FirewallPreset::Open), &production());
    assert_eq!(at(&routed, "alice"), "198.51.100.10");
    assert_eq!(at(&routed, "bob"), "192.0.2.10");
}

#[test]
fn the_policy_of_the_ice_configuration_comes_before_that_of_the_scenario() {
    let mut ice = production();
    let scenario = public(FirewallPreset::Open);
    assert_eq!(
        planned(&scenario, &ice).call.policy,
        IceTransportPolicy::All
    );
    ice.ice_transport_policy = Some(IceTransportPolicy::Relay);
    let plan = planned(&scenario, &ice);
    assert_eq!(plan.call.policy, IceTransportPolicy::Relay);
    let stun = outcomes(&plan, "alice").pop();
    let expected = ("stun:stun.example.net:19302".to_owned(), NotUsed);
    assert_eq!(stun, Some(expected));
}

#[test]
fn an_open_network_blocks_nothing() {
    let plan = planned(&public(FirewallPreset::Open), &with_tls());
    assert!(blocking(&plan).is_empty());
    for peer in ["alice", "bob"] {
        assert!(outcomes(&plan, peer).iter().all(|(_, at)| at.is_success()));
    }
}

#[rstest]
fn every_rule_that_must_count_has_a_counter_at_its_gateway(
    #[values(FirewallPreset::Corporate, FirewallPreset::TlsOnly)] firewall: FirewallPreset,
) {
    let plan = planned(&office(firewall), &with_tls());
    assert!(!plan.expect.blocking_rules.is_empty());
    for blocking in &plan.expect.blocking_rules {
        let gateway = plan.nodes.iter().find(|at| at.name == blocking.gateway);
        let counter = format!("counter name \"{}\"", blocking.rule);
        assert!(gateway.unwrap().nftables.contains(&counter), "{blocking:?}");
    }
}
