//! What each kind of firewall makes of each kind of URL, and what the gateway does for it.

use crate::support::{hotspot, ice, office, planned, scenario, site, stun, turn};
use farcall_plan::{
    Fact, GatewayService, LOGGED_IN_SET, PORTAL_DNS_PORT, Passage, Payload, Plan, ProbeProtocol,
    Role,
};
use farcall_scenario::FirewallPreset::{
    CaptivePortal, Corporate, HttpProxy, Open, TlsIntercept, TlsOnly, TurnPortOnly, Udp443Only,
    UdpBlocked, UdpThrottled,
};
use farcall_scenario::{
    Action, Blocking, Direction, FirewallOverride, FirewallPreset, IceConfiguration, NatPreset,
    Protocol, Rule, Scenario,
};
use farcall_timeline::IceServerOutcome::{
    self, Allocated, Malformed, NoAnswer, Reachable, Refused, Reset, TlsFailed,
};
use farcall_timeline::IceTransport::{Tcp, Tls, Udp};
use rstest::rstest;
use std::net::Ipv4Addr;

/// The URLs by which a server is reached: STUN, UDP on 3478, 443 and 80, TCP on 3478 and 443, TLS on 443.
fn every_way(host: &str) -> IceConfiguration {
    ice(vec![
        stun(host, 3478),
        turn(host, 3478, Udp),
        turn(host, 443, Udp),
        turn(host, 80, Udp),
        turn(host, 3478, Tcp),
        turn(host, 443, Tcp),
        turn(host, 443, Tls),
    ])
}

const HOST: &str = "turn.example.net";

/// An office whose firewall is overridden so.
fn overridden(firewall: FirewallPreset, overrides: FirewallOverride) -> Scenario {
    let mut scenario = office(firewall);
    let office = scenario.sites.get_mut("office").unwrap();
    office.gateway.firewall_override = Some(overrides);
    scenario
}

fn rejecting(firewall: FirewallPreset) -> Scenario {
    overridden(
        firewall,
        FirewallOverride {
            blocking: Some(Blocking::Reject),
            ..FirewallOverride::default()
        },
    )
}

fn with_names(names: &[&str]) -> Scenario {
    overridden(
        TlsOnly,
        FirewallOverride {
            server_names: Some(names.iter().map(|name| (*name).to_owned()).collect()),
            ..FirewallOverride::default()
        },
    )
}

fn with_rule(firewall: FirewallPreset, rule: Rule) -> Scenario {
    overridden(
        firewall,
        FirewallOverride {
            rules: vec![rule],
            ..FirewallOverride::default()
        },
    )
}

fn with_proxy() -> Scenario {
    let mut scenario = office(HttpProxy);
    scenario.peers[0].uses_proxy = true;
    scenario
}

fn logged_in() -> Scenario {
    let mut scenario = office(CaptivePortal);
    scenario.peers[0].logs_in = true;
    scenario
}

fn outcomes(scenario: &Scenario, ice: &IceConfiguration) -> Vec<IceServerOutcome> {
    let plan = planned(scenario, ice);
    let expected = plan.expect.ice_servers["alice"].iter();
    // TURN entries come first in the plan, STUN last.
    let mut expected: Vec<_> = expected.map(|at| at.outcome).collect();
    expected.rotate_right(1);
    expected
}

const OK: IceServerOutcome = Allocated;
const NO: IceServerOutcome = NoAnswer;

/// The table of networks: what S, U, N443, N80, C, C443 and L443 come to. The socket that asks a STUN server
/// talks to others too, and is not told of refusals.
#[rstest]
#[case::open(office(Open), [Reachable, OK, OK, OK, OK, OK, OK])]
#[case::udp_blocked(office(UdpBlocked), [NO, NO, NO, NO, OK, OK, OK])]
#[case::corporate(office(Corporate), [NO, NO, NO, NO, NO, OK, OK])]
#[case::corporate_reject(rejecting(Corporate), [NO, Refused, Refused, Refused, Refused, OK, OK])]
#[case::tls_only(office(TlsOnly), [NO, NO, NO, NO, NO, Reset, OK])]
#[case::tls_names(with_names(&["turn.example.net"]), [NO, NO, NO, NO, NO, Reset, OK])]
#[case::tls_names_by_wildcard(with_names(&["*.Example.net"]), [NO, NO, NO, NO, NO, Reset, OK])]
#[case::tls_names_of_others(with_names(&["other.example", "*.turn.example.net"]), [NO, NO, NO, NO, NO, Reset, Reset])]
#[case::proxy(with_proxy(), [NO, NO, NO, NO, Refused, OK, OK])]
#[case::proxy_unused(office(HttpProxy), [NO, NO, NO, NO, NO, NO, NO])]
#[case::tls_intercept(office(TlsIntercept), [NO, NO, NO, NO, NO, Reset, TlsFailed])]
#[case::udp_443_only(office(Udp443Only), [NO, NO, OK, NO, NO, OK, OK])]
#[case::turn_port_only(office(TurnPortOnly), [Reachable, OK, NO, NO, NO, NO, NO])]
#[case::captive_portal(office(CaptivePortal), [NO, NO, NO, NO, NO, Reset, TlsFailed])]
#[case::captive_portal_reject(rejecting(CaptivePortal), [NO, Refused, Refused, Refused, Refused, Reset, TlsFailed])]
#[case::captive_portal_logged_in(logged_in(), [Reachable, OK, OK, OK, OK, OK, OK])]
#[case::udp_throttled(office(UdpThrottled), [Reachable, OK, OK, OK, OK, OK, OK])]
fn each_network_makes_of_each_url_what_the_catalogue_says(
    #[case] scenario: Scenario,
    #[case] expected: [IceServerOutcome; 7],
) {
    assert_eq!(outcomes(&scenario, &every_way(HOST)), expected);
}

#[test]
fn to_an_address_no_portal_answers_but_over_http() {
    let literal = "203.0.113.150";
    let before = outcomes(&office(CaptivePortal), &every_way(literal));
    assert_eq!(before, [NO; 7]);
    let mut http = ice(vec![
        turn(literal, 80, Tcp),
        turn(literal, 80, Tls),
        stun(literal, 80),
    ]);
    assert_eq!(
        outcomes(&office(CaptivePortal), &http),
        [NO, Malformed, TlsFailed]
    );
    http = ice(vec![
        turn(HOST, 80, Tcp),
        turn(HOST, 80, Tls),
        stun(HOST, 80),
    ]);
    assert_eq!(
        outcomes(&office(CaptivePortal), &http),
        [NO, Malformed, TlsFailed]
    );
}

#[test]
fn a_server_that_is_named_by_its_address_has_no_server_name() {
    let literal = ice(vec![turn("203.0.113.150", 443, Tls), stun(HOST, 443)]);
    let expected = [NO, Reset];
    assert_eq!(
        outcomes(&with_names(&["203.0.113.150", "*.113.150"]), &literal),
        expected
    );
}

#[test]
fn a_rule_for_an_address_is_for_that_server_alone() {
    let rule = |action, address: &str| Rule {
        name: "own/the-server".to_owned(),
        direction: Direction::Out,
        protocol: Some(Protocol::Udp),
        port: None,
        address: Some(address.parse().unwrap()),
        action,
    };
    let allowed = ice(vec![
        turn("203.0.113.150", 3478, Udp),
        turn(HOST, 3478, Udp),
        stun(HOST, 3478),
    ]);
    let pinhole = with_rule(Corporate, rule(Action::Accept, "203.0.113.150/32"));
    assert_eq!(outcomes(&pinhole, &allowed), [NO, OK, NO]);
    let banned = with_rule(Open, rule(Action::Reject, "203.0.113.150/32"));
    assert_eq!(outcomes(&banned, &allowed), [Reachable, Refused, OK]);
    // The responder on the internet has another address.
    let plan = planned(&banned, &allowed);
    assert_eq!(
        passages(&plan, ProbeProtocol::Udp, 3478, Payload::Plain),
        [Passage::Passes]
    );
    let gateway = rules(&plan, "office-gateway");
    let expected = "ip daddr 203.0.113.150/32 meta l4proto udp counter name \"own/the-server\" reject with icmpx admin-prohibited";
    assert!(gateway.contains(expected), "{gateway}");
}

fn rules<'a>(plan: &'a Plan, node: &str) -> &'a str {
    &plan
        .nodes
        .iter()
        .find(|at| at.name == node)
        .unwrap()
        .nftables
}

/// What is declared of alice's attempts of this kind, straight and without a server name.
fn passages(plan: &Plan, of: ProbeProtocol, at: u16, sent: Payload) -> Vec<Passage> {
    let own = plan.attestation.iter().filter(|at| at.node == "alice");
    own.filter_map(|declared| match &declared.fact {
        Fact::Passage {
            protocol,
            port,
            payload,
            server_name: None,
            proxy: None,
            passage,
        } if (*protocol, *port, *payload) == (of, at, sent) => Some(*passage),
        _ => None,
    })
    .collect()
}

#[rstest]
#[case::corporate_reject(rejecting(Corporate), [Passage::Refused, Passage::Refused, Passage::Passes, Passage::Passes, Passage::Passes])]
#[case::tls_intercept(office(TlsIntercept), [Passage::Dropped, Passage::Dropped, Passage::Passes, Passage::Reset, Passage::Intercepted])]
#[case::tls_names(with_names(&[HOST]), [Passage::Dropped, Passage::Dropped, Passage::Passes, Passage::Reset, Passage::Reset])]
#[case::proxy(with_proxy(), [Passage::Dropped; 5])]
#[case::udp_443_only(rejecting(Udp443Only), [Passage::Passes, Passage::Refused, Passage::Refused, Passage::Passes, Passage::Passes])]
#[case::captive_portal(office(CaptivePortal), [Passage::Dropped, Passage::Dropped, Passage::Redirected, Passage::Dropped, Passage::Dropped])]
#[case::captive_portal_logged_in(logged_in(), [Passage::Passes; 5])]
#[case::udp_throttled(office(UdpThrottled), [Passage::Passes; 5])]
fn what_passes_and_how_it_is_refused_is_attested(
    #[case] scenario: Scenario,
    #[case] expected: [Passage; 5],
) {
    let plan = planned(&scenario, &every_way(HOST));
    let declared = [
        (ProbeProtocol::Udp, 443, Payload::Plain),
        (ProbeProtocol::Tcp, 3478, Payload::Plain),
        (ProbeProtocol::Tcp, 80, Payload::Plain),
        (ProbeProtocol::Tcp, 443, Payload::Plain),
        (ProbeProtocol::Tcp, 443, Payload::Tls),
    ]
    .map(|(protocol, port, payload)| passages(&plan, protocol, port, payload));
    assert_eq!(declared, expected.map(|passage| vec![passage]));
}

#[test]
fn names_that_pass_and_ways_through_the_proxy_are_attested_too() {
    let words = |scenario: &Scenario| {
        let plan = planned(scenario, &every_way(HOST));
        let own = plan.attestation.iter().filter(|at| at.node == "alice");
        let words = own.map(|at| at.fact.to_string());
        words
            .filter(|words| {
                words.contains(" for ") || words.contains("proxy") || words.contains("by ")
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        words(&with_names(&["*.example.net"])),
        ["tcp 443 to the internet, with TLS for any.example.net: passes"]
    );
    let through = |what: &str, passage: &str| {
        format!("{what}, through the proxy 192.168.1.1:3128: {passage}")
    };
    for scenario in [with_proxy(), office(HttpProxy)] {
        assert_eq!(
            words(&scenario),
            [
                through("tcp 22 to the internet", "refused"),
                through("tcp 80 to the internet", "passes"),
                through("tcp 443 to the internet", "passes"),
                through("tcp 443 to the internet, with TLS", "passes"),
                through("tcp 3478 to the internet", "refused"),
                through("tcp 5349 to the internet", "refused"),
            ]
        );
    }
    assert_eq!(
        words(&office(TlsIntercept)),
        ["tcp 443 to the internet, with TLS: intercepted by Company TLS inspection CA"]
    );
}

#[test]
fn names_are_the_portals_until_the_guest_has_logged_in() {
    let address = |scenario: &Scenario, peer: &str| {
        let plan = planned(scenario, &every_way(HOST));
        let own = plan.attestation.iter().filter(|at| at.node == peer);
        own.filter_map(|at| match at.fact {
            Fact::Resolves { address, .. } => Some(address),
            _ => None,
        })
        .collect::<Vec<Ipv4Addr>>()
    };
    let portal = Ipv4Addr::new(192, 168, 1, 1);
    // The signalling server's name, and that of the TURN server.
    let servers = [101, 100].map(|host| Ipv4Addr::new(203, 0, 113, host));
    assert_eq!(address(&office(CaptivePortal), "alice"), [portal, portal]);
    assert_eq!(address(&office(CaptivePortal), "bob"), servers);
    assert_eq!(address(&logged_in(), "alice"), servers);
}

#[test]
fn who_uses_the_proxy_and_who_logs_in_is_in_the_call() {
    let call = |scenario: &Scenario| planned(scenario, &every_way(HOST)).call;
    let with_proxy = call(&with_proxy());
    let proxy = "192.168.1.1:3128".parse().unwrap();
    assert_eq!(with_proxy.proxies, [("alice".to_owned(), proxy)].into());
    assert!(with_proxy.logins.is_empty());
    assert!(call(&office(HttpProxy)).proxies.is_empty());
    let portal = "192.168.1.1:80".parse().unwrap();
    assert_eq!(
        call(&logged_in()).logins,
        [("alice".to_owned(), portal)].into()
    );
    assert!(call(&office(CaptivePortal)).logins.is_empty());
}

/// The counters that a service reports.
fn counted(service: &GatewayService) -> [&String; 2] {
    match service {
        GatewayService::HttpProxy { allow, deny, .. } => [allow, deny],
        GatewayService::TlsFilter { pass, reset, .. } => [pass, reset],
        GatewayService::TlsInterceptor {
            intercept, reset, ..
        } => [intercept, reset],
        GatewayService::CaptivePortal {
            redirect, login, ..
        } => [redirect, login],
    }
}

#[rstest]
#[case(with_proxy())]
#[case(office(HttpProxy))]
#[case(office(TlsIntercept))]
#[case(with_names(&["other.example"]))]
#[case(office(CaptivePortal))]
#[case(rejecting(TurnPortOnly))]
fn what_must_count_is_counted_once_by_the_rules_or_by_a_service(#[case] scenario: Scenario) {
    let plan = planned(&scenario, &every_way(HOST));
    assert!(!plan.expect.blocking_rules.is_empty());
    let node = plan.nodes.iter().find(|at| at.name == "office-gateway");
    let Role::Gateway(gateway) = &node.unwrap().role else {
        panic!("no gateway");
    };
    let by_services: Vec<&String> = gateway.services.iter().flat_map(counted).collect();
    for blocking in &plan.expect.blocking_rules {
        assert_eq!(blocking.gateway, "office-gateway");
        let by_rules = rules(&plan, "office-gateway");
        let by_rules = by_rules.contains(&format!("counter {} {{", blocking.rule));
        let by_service = by_services.contains(&&blocking.rule);
        assert!(by_rules != by_service, "{blocking:?}");
    }
}

#[test]
fn the_portal_has_a_resolver_and_a_set_of_its_own() {
    let plan = planned(&office(CaptivePortal), &every_way(HOST));
    let node = plan.nodes.iter().find(|at| at.name == "office-gateway");
    let Role::Gateway(gateway) = &node.unwrap().role else {
        panic!("no gateway");
    };
    let resolver = gateway.portal_dnsmasq.as_ref().unwrap();
    assert!(
        resolver.contains(&format!("port={PORTAL_DNS_PORT}\n")),
        "{resolver}"
    );
    assert!(resolver.contains("address=/#/192.168.1.1\n"), "{resolver}");
    assert!(!resolver.contains(HOST), "{resolver}");
    let rules = rules(&plan, "office-gateway");
    assert!(
        rules.contains(&format!("set {LOGGED_IN_SET} {{ type ipv4_addr; }}")),
        "{rules}"
    );
}

/// The chains of the firewall alone: what follows from its rules.
fn chains(plan: &Plan) -> String {
    let text = rules(plan, "office-gateway");
    let chains = text.split("\n\n").filter(|part| {
        let name = part.trim_start().strip_prefix("chain ");
        let name = name
            .and_then(|rest| rest.split(' ').next())
            .unwrap_or_default();
        [
            "policing",
            "outgoing",
            "incoming",
            "services",
            "redirection",
            "forward",
            "input",
        ]
        .contains(&name)
    });
    chains.collect::<Vec<_>>().join("\n\n")
}

#[test]
fn rules_of_a_firewall_that_redirects() {
    insta::assert_snapshot!(chains(&planned(&office(TlsIntercept), &every_way(HOST))));
}

#[test]
fn rules_of_a_captive_portal() {
    insta::assert_snapshot!(chains(&planned(&office(CaptivePortal), &every_way(HOST))));
}

#[test]
fn rules_of_a_firewall_that_polices() {
    insta::assert_snapshot!(chains(&planned(&office(UdpThrottled), &every_way(HOST))));
}

#[test]
fn rules_of_a_firewall_that_refuses() {
    let office = site("192.168.1.0/24", NatPreset::None, Open);
    let mut scenario = scenario("routed", ("office", office), ("mobile", hotspot()));
    let office = scenario.sites.get_mut("office").unwrap();
    office.lan = "198.51.100.0/24".parse().unwrap();
    office.gateway.firewall = Udp443Only;
    office.gateway.firewall_override = Some(FirewallOverride {
        blocking: Some(Blocking::Reject),
        rules: vec![Rule {
            name: "own/let-in".to_owned(),
            direction: Direction::In,
            protocol: None,
            port: Some(5000),
            address: Some("203.0.113.0/24".parse().unwrap()),
            action: Action::Accept,
        }],
        ..FirewallOverride::default()
    });
    insta::assert_snapshot!(chains(&planned(&scenario, &every_way(HOST))));
}
