//! A lab whose gateways are other than declared is found out: one test for each kind of fact that a gateway
//! and its link decide. Nothing else than what was changed fails to hold.

use crate::support::{configuration, harness};
use farcall::plan::{Datapath, Gateway, GatewayService, Node, Plan, Role, plan};
use farcall::report::Attestation;
use farcall::scenario::{
    Action, Behaviour, Direction, FirewallOverride, FirewallPreset, Link, LinkDirection,
    LinkDirectionOverride, LinkOverride, LinkPreset, Loss, NatOverride, NatPreset, Protocol, Rate,
    Rule,
};
use farcall::timeline::Aspect;
use farcall::{RunOptions, Scenario};

/// Two peers with public addresses, of whom Alice has this link.
fn linked(link: LinkPreset) -> Scenario {
    let mut scenario = Scenario::builtin("open-internet").unwrap();
    scenario.sites.get_mut("east").unwrap().link = link;
    scenario
}

/// Two homes, of which Alice's has this NAT.
fn translated(nat: NatPreset, overrides: NatOverride) -> Scenario {
    let mut scenario = Scenario::builtin("full-cone").unwrap();
    let gateway = &mut scenario.sites.get_mut("alice-home").unwrap().gateway;
    (gateway.nat, gateway.nat_override) = (nat, Some(overrides));
    // The other home's mappings need not be waited for.
    let gateway = &mut scenario.sites.get_mut("bob-home").unwrap().gateway;
    gateway.nat_override = Some(NatOverride {
        udp_timeout_s: Some(2),
        ..NatOverride::default()
    });
    scenario
}

/// Attests the scenario in a lab that differs from its plan.
async fn attested(scenario: Scenario, deep: bool, tamper: impl FnOnce(&mut Plan)) -> Attestation {
    let ice = configuration("production");
    let mut raised = plan(&scenario, &ice, 1).unwrap();
    let declared = raised.clone();
    tamper(&mut raised);
    assert_ne!(raised, declared, "nothing was tampered with");
    let options = RunOptions {
        raise_instead: Some(raised),
        ..RunOptions::default()
    };
    let lab = harness()
        .await
        .attest(&scenario, &ice, deep, &options)
        .await;
    lab.unwrap()
}

/// Exactly what is about these things does not hold, and is Alice's.
fn found_out(lab: &Attestation, what: &[&str]) {
    found_out_at("alice", lab, what);
}

/// Exactly what this node measures of these things does not hold.
fn found_out_at(node: &str, lab: &Attestation, what: &[&str]) {
    assert!(lab.faults.is_empty(), "{:#?}", lab.faults);
    assert!(!lab.holds, "{:#?}", lab.attestation);
    let broken: Vec<String> = lab
        .attestation
        .iter()
        .filter(|one| !one.holds)
        .map(|one| {
            let (declared, measured) = (&one.declared, &one.measured);
            format!("{}: {}: {declared}, found {measured}", one.node, one.what)
        })
        .collect();
    for what in what {
        let start = format!("{node}: {what}");
        assert!(
            broken.iter().any(|line| line.starts_with(&start)),
            "{what} is not among {broken:#?}"
        );
    }
    assert_eq!(broken.len(), what.len(), "{broken:#?}");
}

fn node<'a>(plan: &'a mut Plan, name: &str) -> &'a mut Node {
    let mut nodes = plan.nodes.iter_mut();
    nodes.find(|node| node.name == name).unwrap()
}

fn gateway<'a>(plan: &'a mut Plan, name: &str) -> &'a mut Gateway {
    match &mut node(plan, name).role {
        Role::Gateway(gateway) => gateway,
        _ => panic!("{name} is no gateway"),
    }
}

/// The node has something else in its rules.
fn rewrite(plan: &mut Plan, name: &str, rule: &str, other: &str) {
    let rules = &mut node(plan, name).nftables;
    assert!(rules.contains(rule), "{rule} is not in {rules}");
    *rules = rules.replace(rule, other);
}

/// The node lacks the rules that count under this name.
fn remove(plan: &mut Plan, name: &str, counter: &str) {
    let rules = &mut node(plan, name).nftables;
    let rule = format!("counter name \"{counter}\"");
    assert!(rules.contains(&rule), "{rule} is not in {rules}");
    let kept = rules.lines().filter(|line| !line.contains(&rule));
    *rules = kept.map(|line| format!("{line}\n")).collect();
}

/// The scenario with a rule of one's own in front of this site.
fn ruled(name: &str, site: &str, firewall: FirewallPreset, rule: Rule) -> Scenario {
    let mut scenario = Scenario::builtin(name).unwrap();
    let gateway = &mut scenario.sites.get_mut(site).unwrap().gateway;
    gateway.firewall = firewall;
    gateway.firewall_override = Some(FirewallOverride {
        rules: vec![rule],
        ..FirewallOverride::default()
    });
    scenario
}

fn own(direction: Direction, protocol: Protocol, action: Action) -> Rule {
    Rule {
        name: "own/rule".to_owned(),
        direction,
        protocol: Some(protocol),
        port: None,
        address: None,
        action,
    }
}

fn datapath<'a>(plan: &'a mut Plan, gateway_name: &str) -> &'a mut Datapath {
    gateway(plan, gateway_name).datapath.as_mut().unwrap()
}

fn link(plan: &mut Plan) -> &mut Link {
    datapath(plan, "east-gateway").link.as_mut().unwrap()
}

#[tokio::test]
async fn a_link_without_delay_is_found_out() {
    let lab = attested(linked(LinkPreset::Transatlantic), false, |plan| {
        let wire = LinkDirection::default();
        *link(plan) = Link {
            up: wire.clone(),
            down: wire,
        };
    });
    found_out(&lab.await, &["round trip"]);
}

#[tokio::test]
async fn a_delay_that_is_there_twice_is_found_out() {
    let lab = attested(linked(LinkPreset::Dsl), false, |plan| {
        // As when a round trip is taken for one way.
        link(plan).up.delay_ms *= 2.0;
        link(plan).down.delay_ms *= 2.0;
    });
    found_out(&lab.await, &["round trip"]);
}

#[tokio::test]
async fn a_link_without_its_jitter_is_found_out() {
    let lab = attested(linked(LinkPreset::SatelliteLeo), false, |plan| {
        link(plan).up.jitter_ms = 0.0;
        link(plan).down.jitter_ms = 0.0;
    });
    found_out(&lab.await, &["round trip"]);
}

#[tokio::test]
async fn a_delay_where_none_is_declared_is_found_out() {
    let scenario = translated(NatPreset::FullCone, NatOverride::default());
    let lab = attested(scenario, false, |plan| {
        let line = LinkDirection {
            delay_ms: 10.0,
            ..LinkDirection::default()
        };
        datapath(plan, "alice-home-gateway").link = Some(Link {
            up: line.clone(),
            down: line,
        });
    });
    found_out(&lab.await, &["round trip"]);
}

#[tokio::test]
async fn other_rates_are_found_out_either_way() {
    let lab = attested(linked(LinkPreset::Dsl), false, |plan| {
        let kbit = |kbit| Rate::Constant { kbit };
        link(plan).up.rate = kbit(1_200);
        link(plan).down.rate = kbit(4_000);
    });
    found_out(&lab.await, &["rate up", "rate down"]);
}

#[tokio::test]
async fn a_limit_that_is_missing_and_one_too_many_are_found_out() {
    let lab = attested(linked(LinkPreset::Dsl), false, |plan| {
        link(plan).up.rate = Rate::Unlimited;
    });
    found_out(&lab.await, &["rate up"]);
    let lab = attested(linked(LinkPreset::Transatlantic), false, |plan| {
        link(plan).down.rate = Rate::Constant { kbit: 5_000 };
    });
    found_out(&lab.await, &["rate down"]);
}

#[tokio::test]
async fn a_larger_mtu_and_a_smaller_one_are_found_out() {
    let lab = attested(linked(LinkPreset::Vpn1280), false, |plan| {
        link(plan).up.mtu = 1_500;
        link(plan).down.mtu = 1_279;
    });
    // A packet of 1280 bytes has a part that is too large.
    found_out(&lab.await, &["MTU up", "MTU down"]);
}

#[tokio::test]
async fn a_link_that_tells_of_what_is_too_large_is_told_from_one_that_does_not() {
    let silent = linked(LinkPreset::Vpn1280);
    let mut telling = linked(LinkPreset::Vpn1280);
    let tells = LinkDirectionOverride {
        fragmentation_needed: Some(true),
        ..LinkDirectionOverride::default()
    };
    telling.sites.get_mut("east").unwrap().link_override = Some(LinkOverride {
        up: tells.clone(),
        down: tells,
    });
    // Rules keep those of a silent link from being told.
    let planned = |scenario| farcall::plan::plan(scenario, &configuration("production"), 1);
    let raised = [planned(&telling).unwrap(), planned(&silent).unwrap()];
    for (declared, raised) in [silent, telling].into_iter().zip(raised) {
        let lab = attested(declared, false, |plan| *plan = raised);
        found_out(&lab.await, &["MTU up", "MTU down"]);
    }
}

#[tokio::test]
async fn loss_that_is_missing_and_loss_too_much_are_found_out() {
    let lab = attested(linked(LinkPreset::SatelliteLeo), true, |plan| {
        link(plan).up.loss = Loss::None;
        link(plan).down.loss = Loss::Random { percent: 2.0 };
    });
    found_out(&lab.await, &["loss up", "loss down"]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn packets_that_are_not_duplicated_and_too_many_that_overtake_are_found_out() {
    let mut scenario = linked(LinkPreset::Transatlantic);
    let up = LinkDirectionOverride {
        duplicate_percent: Some(2.0),
        reorder_percent: Some(2.0),
        ..LinkDirectionOverride::default()
    };
    scenario.sites.get_mut("east").unwrap().link_override = Some(LinkOverride {
        up,
        ..LinkOverride::default()
    });
    let lab = attested(scenario, true, |plan| {
        link(plan).up.duplicate_percent = 0.0;
        link(plan).up.reorder_percent = 5.0;
    });
    found_out(&lab.await, &["duplicates up", "overtaking up"]);
}

#[tokio::test]
async fn a_firewall_without_a_rule_is_found_out() {
    let scenario = Scenario::builtin("udp-throttled").unwrap();
    let lab = attested(scenario, false, |plan| {
        for node in &mut plan.nodes {
            let lines = node.nftables.lines();
            let kept = lines.filter(|line| !line.contains("limit rate over"));
            node.nftables = kept.map(|line| format!("{line}\n")).collect();
        }
    });
    found_out(&lab.await, &["policed rate up", "policed rate down"]);
}

#[tokio::test]
async fn a_nat_that_does_not_hairpin_is_found_out() {
    let scenario = translated(NatPreset::FullCone, NatOverride::default());
    let lab = attested(scenario, false, |plan| {
        let nat = &mut datapath(plan, "alice-home-gateway").nat;
        nat.as_mut().unwrap().hairpinning = false;
    });
    found_out(&lab.await, &["NAT hairpinning"]);
}

#[tokio::test]
async fn a_nat_that_hairpins_is_found_out() {
    let overrides = NatOverride {
        hairpinning: Some(false),
        ..NatOverride::default()
    };
    let scenario = translated(NatPreset::FullCone, overrides);
    let lab = attested(scenario, false, |plan| {
        let nat = &mut datapath(plan, "alice-home-gateway").nat;
        nat.as_mut().unwrap().hairpinning = true;
    });
    found_out(&lab.await, &["NAT hairpinning"]);
}

#[tokio::test]
async fn a_nat_with_random_ports_is_found_out() {
    let scenario = translated(NatPreset::FullCone, NatOverride::default());
    let lab = attested(scenario, false, |plan| {
        let nat = &mut datapath(plan, "alice-home-gateway").nat;
        nat.as_mut().unwrap().port_preservation = false;
    });
    found_out(&lab.await, &["NAT port preservation"]);
}

#[tokio::test]
async fn a_nat_with_another_filter_is_found_out() {
    let scenario = translated(NatPreset::RestrictedCone, NatOverride::default());
    let lab = attested(scenario, false, |plan| {
        let nat = &mut datapath(plan, "alice-home-gateway").nat;
        nat.as_mut().unwrap().filtering = farcall::scenario::Behaviour::EndpointIndependent;
    });
    found_out(&lab.await, &["NAT filtering"]);
}

/// How long the rules know a connection limits what comes by a mapping too.
fn set_udp_timeout(plan: &mut Plan, timeout_s: u32) {
    let nat = &mut datapath(plan, "alice-home-gateway").nat;
    nat.as_mut().unwrap().udp_timeout_s = timeout_s;
    let nodes = plan.nodes.iter_mut();
    for node in nodes.filter(|node| node.name == "alice-home-gateway") {
        for (name, value) in &mut node.sysctls {
            if name.contains("udp_timeout") {
                *value = timeout_s.to_string();
            }
        }
    }
}

#[tokio::test]
async fn mappings_that_live_longer_or_shorter_are_found_out() {
    let six_seconds = NatOverride {
        udp_timeout_s: Some(6),
        ..NatOverride::default()
    };
    let scenario = translated(NatPreset::FullCone, six_seconds);
    for other_s in [4, 8] {
        let lab = attested(scenario.clone(), true, |plan| {
            set_udp_timeout(plan, other_s)
        });
        found_out(&lab.await, &["UDP mapping lifetime"]);
    }
}

#[tokio::test]
async fn a_mapping_that_a_collision_changes_is_found_out() {
    // The kernel's masquerade gives the second of two hosts with one source port another port for the
    // destination that both have, and none else.
    let scenario = Scenario::builtin("same-network").unwrap();
    let lab = attested(scenario, false, |plan| {
        let alone = {
            let mut alone = Scenario::builtin("home-to-home").unwrap();
            let site = alone.sites.remove("alice-home").unwrap();
            alone.sites.insert("home".to_owned(), site);
            alone.peers[0].site = "home".to_owned();
            farcall::plan::plan(&alone, &configuration("production"), 1).unwrap()
        };
        let kernels = alone.nodes.iter().find(|node| node.name == "home-gateway");
        let kernels = kernels.unwrap();
        let nodes = plan.nodes.iter_mut();
        for node in nodes.filter(|node| node.name == "home-gateway") {
            node.nftables.clone_from(&kernels.nftables);
            node.sysctls.clone_from(&kernels.sysctls);
            if let Role::Gateway(gateway) = &mut node.role {
                gateway.datapath = None;
            }
        }
    });
    let lab = lab.await;
    assert!(!lab.holds);
    let broken: Vec<&str> = lab
        .attestation
        .iter()
        .filter(|one| !one.holds && one.aspect == Aspect::Nat)
        .map(|one| one.what.as_str())
        .collect();
    assert!(!broken.is_empty(), "{lab:#?}");
    for what in broken {
        assert!(what.contains("at every peer"), "{what}");
    }
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_nat_that_filters_more_than_declared_is_found_out() {
    let scenario = translated(NatPreset::FullCone, NatOverride::default());
    let lab = attested(scenario, false, |plan| {
        let nat = &mut datapath(plan, "alice-home-gateway").nat;
        nat.as_mut().unwrap().filtering = Behaviour::AddressAndPortDependent;
    });
    let filtering =
        "NAT filtering, over udp 53: endpoint-independent, found address-and-port-dependent";
    found_out(&lab.await, &[filtering]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_firewall_that_refuses_instead_of_dropping_is_found_out() {
    let scenario = Scenario::builtin("corporate-firewall").unwrap();
    let lab = attested(scenario, false, |plan| {
        for (protocol, refusal) in [("tcp", "tcp reset"), ("udp", "icmpx admin-prohibited")] {
            let counted = format!("counter name \"corporate/drop-{protocol}\"");
            rewrite(
                plan,
                "office-gateway",
                &format!("{counted} drop"),
                &format!("{counted} reject with {refusal}"),
            );
        }
    });
    let dropped = [
        "tcp 22",
        "tcp 3478",
        "tcp 5349",
        "udp 53",
        "udp 80",
        "udp 443",
        "udp 3478",
        "udp 19302",
    ];
    let refused = dropped.map(|what| format!("{what} to the internet: dropped, found refused"));
    found_out(&lab.await, &refused.each_ref().map(String::as_str));
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_firewall_that_does_not_look_for_tls_is_found_out() {
    let scenario = Scenario::builtin("corporate-tls-only").unwrap();
    let lab = attested(scenario, false, |plan| {
        let (inspected, accepted) = ("tcp dport 443 jump tls-1", "tcp dport 443 accept");
        rewrite(plan, "office-gateway", inspected, accepted);
    });
    found_out(
        &lab.await,
        &["tcp 443 to the internet: reset, found passes"],
    );
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_firewall_that_passes_other_server_names_is_found_out() {
    let scenario = Scenario::builtin("corporate-tls-names").unwrap();
    let lab = attested(scenario, false, |plan| {
        for service in &mut gateway(plan, "office-gateway").services {
            if let GatewayService::TlsFilter { server_names, .. } = service {
                *server_names = vec!["other.example".to_owned()];
            }
        }
    });
    let name = "tcp 443 to the internet, with TLS for turn.example.net: passes, found reset";
    found_out(&lab.await, &[name]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_firewall_that_does_not_intercept_is_found_out() {
    let scenario = Scenario::builtin("corporate-tls-intercept").unwrap();
    let lab = attested(scenario, false, |plan| {
        remove(plan, "office-gateway", "services/redirect-tcp-443");
        let counted = "counter name \"tls-intercept/allow-tcp-80\"";
        let (web, also_443) = ("tcp dport 80 ", "tcp dport { 80, 443 } ");
        rewrite(
            plan,
            "office-gateway",
            &format!("{web}{counted}"),
            &format!("{also_443}{counted}"),
        );
    });
    let tls =
        "tcp 443 to the internet, with TLS: intercepted by Company TLS inspection CA, found passes";
    found_out(
        &lab.await,
        &["tcp 443 to the internet: reset, found passes", tls],
    );
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_hotel_without_its_portal_is_found_out() {
    let scenario = Scenario::builtin("captive-portal").unwrap();
    let lab = attested(scenario, false, |plan| {
        for counter in ["portal/redirect-dns", "captive-portal/redirect-http-80"] {
            remove(plan, "hotel-gateway", counter);
        }
    });
    found_out(
        &lab.await,
        &[
            "tcp 80 to the internet: redirected, found dropped",
            "the name openrelay.metered.ca: 10.30.0.1, found 203.0.113.",
            "the name relay.backups.cz: 10.30.0.1, found 203.0.113.",
            "the name stun.l.google.com: 10.30.0.1, found 203.0.113.",
            "the name stun1.l.google.com: 10.30.0.1, found 203.0.113.",
        ],
    );
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_proxy_that_connects_to_a_port_too_many_is_found_out() {
    let scenario = Scenario::builtin("corporate-proxy").unwrap();
    let lab = attested(scenario, false, |plan| {
        for service in &mut gateway(plan, "office-gateway").services {
            if let GatewayService::HttpProxy { ports, .. } = service {
                ports.push(22);
            }
        }
    });
    let ssh = "tcp 22 to the internet, through the proxy 10.20.0.1:3128: refused, found passes";
    found_out(&lab.await, &[ssh]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn an_office_without_its_proxy_is_found_out() {
    let scenario = Scenario::builtin("corporate-proxy").unwrap();
    let lab = attested(scenario, false, |plan| {
        gateway(plan, "office-gateway").services.clear();
    });
    let passed = [
        "tcp 80 to the internet",
        "tcp 443 to the internet",
        "tcp 443 to the internet, with TLS",
    ];
    let refused = passed
        .map(|what| format!("{what}, through the proxy 10.20.0.1:3128: passes, found refused"));
    found_out(&lab.await, &refused.each_ref().map(String::as_str));
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_signalling_server_that_is_not_there_is_found_out() {
    let scenario = Scenario::builtin("open-internet").unwrap();
    let lab = attested(scenario, false, |plan| {
        let Role::Signalling(server) = &mut node(plan, "signalling").role else {
            panic!("there is no signalling server");
        };
        server.port += 1;
    });
    found_out_at("probe", &lab.await, &["signalling.test"]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_firewall_that_lets_tcp_in_is_found_out() {
    let drop = own(Direction::In, Protocol::Tcp, Action::Drop);
    let scenario = ruled("open-internet", "east", FirewallPreset::UdpBlocked, drop);
    let lab = attested(scenario, false, |plan| {
        remove(plan, "east-gateway", "own/rule");
    });
    let tcp = "tcp 29002 from the internet: dropped, found passes";
    found_out(&lab.await, &[tcp]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_firewall_that_lets_no_tcp_in_is_found_out() {
    let refuse = Rule {
        port: Some(22),
        ..own(Direction::In, Protocol::Tcp, Action::Reject)
    };
    let scenario = ruled("open-internet", "east", FirewallPreset::UdpBlocked, refuse);
    let lab = attested(scenario, false, |plan| {
        for counter in ["udp-blocked/allow-tcp-in", "own/rule"] {
            remove(plan, "east-gateway", counter);
        }
    });
    found_out(
        &lab.await,
        &[
            "tcp 22 from the internet: refused, found dropped",
            "tcp 29002 from the internet: passes, found dropped",
        ],
    );
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_rule_of_ones_own_that_is_missing_is_found_out() {
    let accept = Rule {
        port: Some(8443),
        ..own(Direction::Out, Protocol::Tcp, Action::Accept)
    };
    let firewall = FirewallPreset::Corporate;
    let scenario = ruled("corporate-firewall", "office", firewall, accept);
    let lab = attested(scenario, false, |plan| {
        remove(plan, "office-gateway", "own/rule");
    });
    let port = "tcp 8443 to the internet: passes, found dropped";
    found_out(&lab.await, &[port]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_rule_for_a_server_that_is_missing_is_found_out() {
    let host = "relay.backups.cz";
    let scenario = Scenario::builtin("corporate-firewall").unwrap();
    let address = plan(&scenario, &configuration("production"), 1)
        .unwrap()
        .names[host];
    let accept = Rule {
        address: Some(format!("{address}/32").parse().unwrap()),
        ..own(Direction::Out, Protocol::Udp, Action::Accept)
    };
    let firewall = FirewallPreset::Corporate;
    let scenario = ruled("corporate-firewall", "office", firewall, accept);
    let lab = attested(scenario, false, |plan| {
        remove(plan, "office-gateway", "own/rule");
    });
    let dropped =
        [443, 3478].map(|port| format!("{host} ({address}) on udp {port}: passes, found dropped"));
    found_out(&lab.await, &dropped.each_ref().map(String::as_str));
}
