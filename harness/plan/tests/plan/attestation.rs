//! What is measured before the call.

use crate::support::{
    hotspot, ice, mapping, office, planned, production, public, scenario, site, turn, with_tls,
};
use farcall_plan::{Fact, Passage, Payload, Plan, ProbeProtocol};
use farcall_scenario::Behaviour::{AddressAndPortDependent, EndpointIndependent};
use farcall_scenario::{FirewallPreset, IceConfiguration, NatPreset};
use farcall_timeline::IceTransport::{Tcp, Tls};
use rstest::rstest;

fn facts<'a>(plan: &'a Plan, node: &'a str) -> impl Iterator<Item = &'a Fact> {
    let own = plan.attestation.iter().filter(move |at| at.node == node);
    own.map(|at| &at.fact)
}

fn passage(plan: &Plan, protocol: ProbeProtocol, port: u16, payload: Payload) -> Passage {
    facts(plan, "alice")
        .find_map(|fact| match fact {
            Fact::Passage {
                protocol: of,
                port: at,
                payload: sent,
                server_name: None,
                proxy: None,
                passage,
            } if (*of, *at, *sent) == (protocol, port, payload) => Some(*passage),
            _ => None,
        })
        .unwrap()
}

#[rstest]
#[case::web(
    FirewallPreset::Corporate,
    ProbeProtocol::Tcp,
    80,
    Payload::Plain,
    Passage::Passes
)]
#[case::ssh(
    FirewallPreset::Corporate,
    ProbeProtocol::Tcp,
    22,
    Payload::Plain,
    Passage::Dropped
)]
#[case::turn(
    FirewallPreset::Corporate,
    ProbeProtocol::Tcp,
    443,
    Payload::Plain,
    Passage::Passes
)]
#[case::quic(
    FirewallPreset::Corporate,
    ProbeProtocol::Udp,
    443,
    Payload::Plain,
    Passage::Dropped
)]
#[case::dns(
    FirewallPreset::Corporate,
    ProbeProtocol::Udp,
    53,
    Payload::Plain,
    Passage::Dropped
)]
#[case::stun(
    FirewallPreset::Corporate,
    ProbeProtocol::Udp,
    19_302,
    Payload::Plain,
    Passage::Dropped
)]
#[case::not_tls(
    FirewallPreset::TlsOnly,
    ProbeProtocol::Tcp,
    443,
    Payload::Plain,
    Passage::Reset
)]
#[case::tls(
    FirewallPreset::TlsOnly,
    ProbeProtocol::Tcp,
    443,
    Payload::Tls,
    Passage::Passes
)]
#[case::web_beside_tls(
    FirewallPreset::TlsOnly,
    ProbeProtocol::Tcp,
    80,
    Payload::Plain,
    Passage::Passes
)]
#[case::open(
    FirewallPreset::Open,
    ProbeProtocol::Udp,
    3478,
    Payload::Plain,
    Passage::Passes
)]
fn what_passes_is_what_the_rules_say(
    #[case] firewall: FirewallPreset,
    #[case] protocol: ProbeProtocol,
    #[case] port: u16,
    #[case] payload: Payload,
    #[case] expected: Passage,
) {
    let plan = planned(&office(firewall), &production());
    assert_eq!(passage(&plan, protocol, port, payload), expected);
}

#[test]
fn mapping_is_measured_over_what_passes() {
    let mapping = |firewall| {
        let plan = planned(&office(firewall), &production());
        facts(&plan, "alice")
            .find(|fact| matches!(fact, Fact::NatMapping { .. }))
            .cloned()
    };
    let expected = |protocol, ports| {
        Some(Fact::NatMapping {
            mapping: Some(AddressAndPortDependent),
            protocol,
            ports,
            source_port: None,
            mirrored: false,
        })
    };
    let (udp, tcp) = (ProbeProtocol::Udp, ProbeProtocol::Tcp);
    assert_eq!(mapping(FirewallPreset::Open), expected(udp, [53, 80]));
    assert_eq!(mapping(FirewallPreset::Corporate), expected(tcp, [80, 443]));
    assert_eq!(mapping(FirewallPreset::TlsOnly), expected(tcp, [80, 443]));
}

#[test]
fn filtering_is_measured_where_udp_passes() {
    let filters = |firewall| {
        let plan = planned(&office(firewall), &production());
        facts(&plan, "alice").any(|fact| matches!(fact, Fact::NatFiltering { .. }))
    };
    assert!(filters(FirewallPreset::Open));
    assert!(!filters(FirewallPreset::Corporate));
}

#[rstest]
#[case::stun("stun.example.net", &production(), &["udp 3478", "tcp 3478", "tcp 19302"])]
#[case::udp_and_tcp("relay.example.net", &production(), &["tcp 80", "udp 3478", "tcp 3478"])]
#[case::udp("backup.example.org", &production(), &["tcp 3478"])]
#[case::tcp_told_from_tls(
    "turn.example.net",
    &with_tls(),
    &["udp 443", "tcp 3478", "udp 5349", "tcp 5349"]
)]
#[case::tls(
    "tls.example.net",
    &ice(vec![turn("tls.example.net", 443, Tls)]),
    &["udp 443", "udp 3478", "tcp 3478"]
)]
#[case::tls_told_from_tcp(
    "both.example.net",
    &ice(vec![turn("both.example.net", 443, Tls), turn("both.example.net", 3478, Tcp)]),
    &["udp 443", "tcp 443", "udp 3478", "tls 3478"]
)]
#[case::a_port_of_relays(
    "high.example.net",
    &ice(vec![turn("high.example.net", 50_000, Tcp)]),
    &["udp 3478", "tcp 3478"]
)]
fn what_no_url_names_is_refused(
    #[case] host: &str,
    #[case] ice: &IceConfiguration,
    #[case] expected: &[&str],
) {
    let plan = planned(&office(FirewallPreset::Open), ice);
    let refused: Vec<String> = facts(&plan, "probe")
        .filter_map(|fact| match fact {
            Fact::ListenerRefuses {
                host: of, listener, ..
            } if of == host => Some(format!("{} {}", listener.transport, listener.port)),
            _ => None,
        })
        .collect();
    assert_eq!(refused, expected);
}

#[test]
fn the_strictest_nat_on_the_way_is_what_is_seen() {
    let seen = |gateway, carrier| {
        let mut mobile = hotspot();
        mobile.gateway.nat_override = mapping(gateway);
        mobile.carrier.as_mut().unwrap().nat_override = mapping(carrier);
        let home = site(
            "192.168.1.0/24",
            NatPreset::HomeRouter,
            FirewallPreset::Open,
        );
        let scenario = scenario("double", ("mobile", mobile), ("home", home));
        let plan = planned(&scenario, &production());
        facts(&plan, "alice").find_map(|fact| match fact {
            Fact::NatMapping { mapping, .. } => *mapping,
            _ => None,
        })
    };
    let (independent, dependent) = (EndpointIndependent, AddressAndPortDependent);
    assert_eq!(seen(independent, independent), Some(independent));
    assert_eq!(seen(independent, dependent), Some(dependent));
    assert_eq!(seen(dependent, independent), Some(dependent));
}

#[test]
fn public_peers_have_neither_mapping_nor_filter() {
    let plan = planned(&public(FirewallPreset::Open), &production());
    let translation: Vec<_> = facts(&plan, "bob")
        .filter(|fact| matches!(fact, Fact::NatMapping { .. } | Fact::NatFiltering { .. }))
        .map(Fact::declared)
        .collect();
    assert_eq!(
        translation,
        ["no translation", "no translation", "no filter"]
    );
}

#[test]
fn whoever_has_no_default_route_has_no_way_to_the_outside() {
    let plan = planned(&public(FirewallPreset::Open), &production());
    for name in ["east-gateway", "west-gateway", "probe"] {
        let to = facts(&plan, name).find_map(|fact| match fact {
            Fact::NoRoute { to } => Some(to.clone()),
            _ => None,
        });
        let to: Vec<_> = to.unwrap().iter().map(ToString::to_string).collect();
        // 192.0.2.254 is in the west LAN.
        assert_eq!(
            to,
            ["172.17.0.1", "10.255.255.254", "192.168.255.254", "8.8.8.8"]
        );
    }
    assert!(!facts(&plan, "alice").any(|fact| matches!(fact, Fact::NoRoute { .. })));
}
