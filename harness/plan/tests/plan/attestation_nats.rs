//! What is measured of NATs.

use crate::support::{hotspot, planned, production, scenario, site};
use farcall_plan::{Fact, Plan, ProbeProtocol};
use farcall_scenario::{FirewallPreset, NatOverride, NatPreset, Scenario, Site};

fn home(nat: NatPreset) -> Site {
    site("192.168.1.0/24", nat, FirewallPreset::Open)
}

/// Alice in this site calls Bob in a home.
fn calls(site: Site) -> Scenario {
    let bob = home(NatPreset::HomeRouter);
    scenario("nats", ("near", site), ("home", bob))
}

fn facts(plan: &Plan) -> impl Iterator<Item = &Fact> {
    let own = plan.attestation.iter().filter(|one| one.node == "alice");
    own.map(|one| &one.fact)
}

fn declared(site: Site, is: fn(&Fact) -> bool) -> Vec<String> {
    let plan = planned(&calls(site), &production());
    let found = facts(&plan).filter(|fact| is(fact));
    found.map(Fact::declared).collect()
}

fn preservation(fact: &Fact) -> bool {
    matches!(fact, Fact::NatPortPreservation { .. })
}

fn hairpinning(fact: &Fact) -> bool {
    matches!(fact, Fact::NatHairpinning { .. })
}

#[test]
fn ports_are_kept_where_every_nat_keeps_them() {
    let kept = |site| declared(site, preservation);
    assert_eq!(kept(home(NatPreset::FullCone)), ["preserved"]);
    assert_eq!(kept(home(NatPreset::Symmetric)), ["not preserved"]);
    let routed = site("198.51.100.0/28", NatPreset::None, FirewallPreset::Open);
    assert!(kept(routed).is_empty());
    let mut mobile = hotspot();
    mobile.gateway.nat = NatPreset::HomeRouter;
    assert_eq!(kept(mobile), ["not preserved"]);
}

#[test]
fn the_outermost_nat_hairpins_or_not() {
    let hairpins = |site| declared(site, hairpinning);
    assert_eq!(hairpins(home(NatPreset::FullCone)), ["hairpins"]);
    assert_eq!(hairpins(home(NatPreset::HomeRouter)), ["does not hairpin"]);
    let behind = |gateway, carrier| {
        let mut mobile = hotspot();
        mobile.gateway.nat = gateway;
        mobile.carrier.as_mut().unwrap().nat = carrier;
        hairpins(mobile)
    };
    let carrier = NatPreset::CarrierGrade;
    assert_eq!(behind(NatPreset::HomeRouter, carrier), ["hairpins"]);
    let home = NatPreset::HomeRouter;
    assert_eq!(behind(NatPreset::FullCone, home), ["does not hairpin"]);
    // What comes back is not from where the probe saw the sender.
    assert!(behind(NatPreset::Symmetric, carrier).is_empty());
    // Whoever may not send to any port does not reach a mapped one.
    let blocked = site(
        "10.0.0.0/24",
        NatPreset::FullCone,
        FirewallPreset::Udp443Only,
    );
    assert!(hairpins(blocked).is_empty());
}

#[test]
fn mapping_is_measured_over_tcp_too() {
    let plan = planned(&calls(home(NatPreset::Symmetric)), &production());
    let protocols: Vec<ProbeProtocol> = facts(&plan)
        .filter_map(|fact| match fact {
            Fact::NatMapping { protocol, .. } => Some(*protocol),
            _ => None,
        })
        .collect();
    assert_eq!(protocols, [ProbeProtocol::Udp, ProbeProtocol::Tcp]);
}

#[test]
fn neighbours_collide_on_purpose() {
    let source_ports = |plan: &Plan, node: &str| -> Vec<u16> {
        let own = plan.attestation.iter().filter(|one| one.node == node);
        own.filter_map(|one| match one.fact {
            Fact::NatMapping { source_port, .. } | Fact::NatFiltering { source_port, .. } => {
                source_port
            }
            _ => None,
        })
        .collect()
    };
    let mut neighbours = calls(home(NatPreset::FullCone));
    let apart = planned(&neighbours, &production());
    assert!(source_ports(&apart, "alice").is_empty());
    neighbours.peers[1].site = "near".to_owned();
    neighbours.sites.remove("home");
    let together = planned(&neighbours, &production());
    let ports = source_ports(&together, "alice");
    assert_eq!(ports.len(), 2);
    assert_ne!(ports[0], ports[1]);
    assert_eq!(ports, source_ports(&together, "bob"));
    // Each keeps its port where the other does not ask.
    let mirrored = |node: &str| {
        let own = together.attestation.iter().filter(|one| one.node == node);
        own.filter_map(|one| match one.fact {
            Fact::NatMapping {
                source_port: Some(_),
                mirrored,
                ..
            } => Some(mirrored),
            _ => None,
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(
        (mirrored("alice"), mirrored("bob")),
        (vec![false], vec![true])
    );
}

#[test]
fn the_nat_that_forgets_first_ends_a_mapping() {
    let mut mobile = hotspot();
    mobile.carrier.as_mut().unwrap().nat_override = Some(NatOverride {
        udp_timeout_s: Some(7),
        ..NatOverride::default()
    });
    let plan = planned(&calls(mobile), &production());
    let lifetimes: Vec<(&str, String)> = plan
        .deep_attestation
        .iter()
        .filter(|one| matches!(one.fact, Fact::NatUdpTimeout { .. }))
        .map(|one| (one.node.as_str(), one.fact.declared()))
        .collect();
    let expected = [("alice", "7 s".to_owned()), ("bob", "120 s".to_owned())];
    assert_eq!(lifetimes, expected);
    let deep = |fact: &Fact| matches!(fact, Fact::NatUdpTimeout { .. });
    assert!(!facts(&plan).any(deep), "it takes as long as it lives");
}
