//! Sites with IPv6.

use crate::support::{ice, planned, production, refused, scenario, site, stun, turn};
use farcall_plan::{Fact, Node, Passage, Plan, Role};
use farcall_scenario::{FirewallPreset, Ipv6, LinkPreset, NatPreset, Scenario, Site};
use farcall_timeline::IceServerOutcome::{Allocated, DnsFailed};
use farcall_timeline::IceTransport::Udp;

fn home(ipv6: Ipv6) -> Site {
    let home = site(
        "192.168.1.0/24",
        NatPreset::HomeRouter,
        FirewallPreset::Open,
    );
    Site { ipv6, ..home }
}

/// A call from a site with this IPv6 to one without.
fn homes(ipv6: Ipv6) -> Scenario {
    let (first, second) = (home(ipv6), home(Ipv6::None));
    scenario("homes", ("first", first), ("second", second))
}

fn node<'a>(plan: &'a Plan, name: &str) -> &'a Node {
    plan.nodes.iter().find(|node| node.name == name).unwrap()
}

fn facts(plan: &Plan, name: &str) -> Vec<String> {
    let own = plan.attestation.iter().filter(|at| at.node == name);
    own.map(|at| at.fact.to_string()).collect()
}

/// The addresses at which servers see a peer.
fn seen_at(plan: &Plan, peer: &str) -> Vec<String> {
    let addresses = plan.expect.public_addresses[peer].iter();
    addresses.map(ToString::to_string).collect()
}

#[test]
fn with_ipv6_that_works_the_internet_has_it_too() {
    let plan = planned(&homes(Ipv6::DualStack), &production());
    let interfaces = |name: &str| node(&plan, name).interfaces.iter().map(ToString::to_string);
    let all: Vec<String> = ["first-gateway", "alice", "relay.example.net", "probe"]
        .into_iter()
        .flat_map(interfaces)
        .collect();
    assert_eq!(
        all,
        [
            "lan in first-lan: 192.168.1.1/24, 2001:db8:1:1::1/64, fe80::1/64",
            "wan in internet: 203.0.113.10/24, 2001:db8::10/64, fe80::10/64",
            "eth in first-lan: 192.168.1.10/24, 2001:db8:1:1::10/64",
            "eth in internet: 203.0.113.101/24, 2001:db8::101/64",
            "eth in internet: 203.0.113.2/24, 203.0.113.3/24, 2001:db8::2/64, 2001:db8::3/64",
        ]
    );
    for name in ["relay.example.net", "probe"] {
        let routes = &node(&plan, name).ipv6.as_ref().unwrap().routes;
        let routes: Vec<String> = routes
            .iter()
            .map(|at| format!("{} via {}", at.to, at.via))
            .collect();
        assert_eq!(routes, ["2001:db8:1:1::/64 via 2001:db8::10"], "{name}");
    }
    let Role::TurnServer(server) = &node(&plan, "relay.example.net").role else {
        panic!("a TURN server");
    };
    assert!(
        server
            .configuration
            .contains("listening-ip=2001:db8::101\n")
    );
    assert_eq!(
        seen_at(&plan, "alice"),
        ["203.0.113.10", "2001:db8:1:1::10"]
    );
    assert_eq!(seen_at(&plan, "bob"), ["203.0.113.11"]);
    // Where no site has it, nobody else does.
    assert!(node(&plan, "bob").ipv6.is_none() && node(&plan, "second-gateway").ipv6.is_none());
}

#[test]
fn ipv6_that_works_is_attested_to_let_in_answers_alone() {
    let plan = planned(&homes(Ipv6::DualStack), &production());
    let facts = facts(&plan, "alice");
    for fact in [
        "the name relay.example.net, over IPv6: 2001:db8::101",
        "udp 3478 to 2001:db8::2 on the internet: passes",
        "tcp 443 to 2001:db8::2 on the internet: passes",
        "filtering of IPv6, over udp 3478 to 2001:db8::2: address-and-port-dependent",
    ] {
        assert!(facts.iter().any(|at| at == fact), "{fact}: {facts:#?}");
    }
    let no_way = "a route to 2001:4860:4860::8888, fd00::1, 2001:db8:ffff::1: none";
    for name in ["first-gateway", "relay.example.net", "probe"] {
        let facts = self::facts(&plan, name);
        assert!(facts.iter().any(|at| at == no_way), "{name}: {facts:#?}");
    }
}

#[test]
fn a_firewall_rules_over_both_families() {
    let mut scenario = homes(Ipv6::DualStack);
    let site = scenario.sites.get_mut("first").unwrap();
    site.gateway.firewall = FirewallPreset::Corporate;
    let plan = planned(&scenario, &production());
    let facts = facts(&plan, "alice");
    for fact in [
        "udp 3478 to 2001:db8::2 on the internet: dropped",
        "tcp 443 to 2001:db8::2 on the internet: passes",
    ] {
        assert!(facts.iter().any(|at| at == fact), "{fact}: {facts:#?}");
    }
}

#[test]
fn without_ipv6_it_is_off_everywhere() {
    let plan = planned(&homes(Ipv6::None), &production());
    for node in &plan.nodes {
        assert_eq!(node.ipv6, None, "{}", node.name);
        assert_eq!(node.sysctls["net.ipv6.conf.all.disable_ipv6"], "1");
        assert!(!node.nftables.contains("icmpv6"), "{}", node.name);
    }
}

#[test]
fn with_ipv6_nothing_leaves_a_node_for_its_neighbours() {
    for ipv6 in [Ipv6::Only, Ipv6::Broken] {
        let plan = planned(&homes(ipv6), &production());
        for node in &plan.nodes {
            let has_ipv6 = node.ipv6.is_some();
            assert_eq!(has_ipv6, ["first-gateway", "alice"].contains(&&*node.name));
            let closed = "ip6 daddr { fe80::/10, ff00::/8 } counter name \
                          \"isolation/drop-sent-link-local\" drop";
            assert_eq!(node.nftables.contains(closed), has_ipv6, "{}", node.name);
            let attested = plan
                .attestation
                .iter()
                .any(|at| at.node == node.name && at.fact == Fact::LinkLocalClosed);
            assert_eq!(attested, has_ipv6, "{}", node.name);
            let on = node.sysctls["net.ipv6.conf.all.disable_ipv6"] == "0";
            assert_eq!(on, has_ipv6, "{}", node.name);
        }
    }
}

#[test]
fn broken_ipv6_has_addresses_and_names_and_drops_everything() {
    let plan = planned(&homes(Ipv6::Broken), &production());
    let interfaces = &node(&plan, "alice").interfaces[0];
    assert_eq!(
        interfaces.to_string(),
        "eth in first-lan: 192.168.1.10/24, 2001:db8:1:1::10/64"
    );
    let facts = facts(&plan, "alice");
    for fact in [
        "the name relay.example.net: 203.0.113.101",
        "the name relay.example.net, over IPv6: 2001:db8::101",
        "udp 3478 to the internet: passes",
        "udp 3478 to 2001:db8::2 on the internet: dropped",
    ] {
        assert!(facts.iter().any(|at| at == fact), "{fact}: {facts:#?}");
    }
    let mut outcomes = plan.expect.ice_servers["alice"].iter();
    assert!(outcomes.all(|expected| expected.outcome.is_success()));
    let black_holed = ("ipv6/drop-black-holed", "first-gateway");
    let mut rules = plan.expect.blocking_rules.iter();
    assert!(rules.any(|at| (&*at.rule, &*at.gateway) == black_holed));
}

#[test]
fn an_address_is_asked_over_ipv4_alone() {
    let by_address = ice(vec![stun("203.0.113.50", 3478)]);
    let plan = planned(&homes(Ipv6::Broken), &by_address);
    assert!(plan.expect.blocking_rules.is_empty());
}

#[test]
fn behind_nat64_there_is_no_ipv4_and_everything_has_an_ipv6_address() {
    let plan = planned(&homes(Ipv6::Only), &production());
    let alice = node(&plan, "alice");
    assert_eq!(
        alice.interfaces[0].to_string(),
        "eth in first-lan: 2001:db8:1:1::10/64"
    );
    assert!(alice.routes.is_empty() && alice.resolver.is_none());
    let facts = facts(&plan, "alice");
    for fact in [
        "a route to 203.0.113.2, 203.0.113.3: none",
        "the name relay.example.net, over IPv6: 2001:db8:64:ff9b::cb00:7165",
        "NAT mapping, over udp 53, 80: endpoint-independent",
    ] {
        assert!(facts.iter().any(|at| at == fact), "{fact}: {facts:#?}");
    }
    let gateway = node(&plan, "first-gateway");
    let Role::Gateway(role) = &gateway.role else {
        panic!("{gateway:?}");
    };
    let tayga = &role.nat64.as_ref().unwrap().configuration;
    assert!(
        tayga.contains("map 192.168.1.10 2001:db8:1:1::10\n"),
        "{tayga}"
    );
    assert_eq!(seen_at(&plan, "alice"), ["203.0.113.10"]);
}

#[test]
fn behind_nat64_servers_are_reached_by_name_alone() {
    let configuration = ice(vec![
        turn("turn.example.net", 3478, Udp),
        turn("203.0.113.50", 3478, Udp),
    ]);
    let plan = planned(&homes(Ipv6::Only), &configuration);
    let outcomes = |peer: &str| {
        let expected = plan.expect.ice_servers[peer].iter();
        expected.map(|at| at.outcome).collect::<Vec<_>>()
    };
    assert_eq!(outcomes("alice"), [Allocated, DnsFailed]);
    assert_eq!(outcomes("bob"), [Allocated, Allocated]);
}

#[test]
fn a_firewall_judges_what_was_translated() {
    let mut scenario = homes(Ipv6::Only);
    let site = scenario.sites.get_mut("first").unwrap();
    site.gateway.firewall = FirewallPreset::UdpBlocked;
    let plan = planned(&scenario, &production());
    let passages = plan.attestation.iter().filter_map(|at| match &at.fact {
        Fact::Passage { passage, .. } if at.node == "alice" => Some(*passage),
        _ => None,
    });
    assert!(
        passages
            .into_iter()
            .any(|passage| passage == Passage::Dropped)
    );
    let rules = &node(&plan, "first-gateway").nftables;
    assert!(
        rules.contains("iifname \"nat64\" oifname \"wan\" jump outgoing"),
        "{rules}"
    );
}

#[test]
fn of_a_link_behind_nat64_everything_but_its_mtu_is_measured() {
    for (ipv6, has_mtu) in [(Ipv6::Only, false), (Ipv6::Broken, true)] {
        let mut scenario = homes(ipv6);
        scenario.sites.get_mut("first").unwrap().link = LinkPreset::Lte;
        let plan = planned(&scenario, &production());
        let measures = |what: &str| {
            let facts = facts(&plan, "alice");
            facts.iter().any(|fact| fact.starts_with(what))
        };
        assert!(measures("rate up") && measures("round trip"));
        assert_eq!(measures("MTU up"), has_mtu);
    }
}

#[test]
fn ipv6_that_the_lab_does_not_have_is_refused() {
    let mut over_a_link = homes(Ipv6::DualStack);
    over_a_link.sites.get_mut("first").unwrap().link = LinkPreset::Dsl;
    let error = refused(&over_a_link, &production()).to_string();
    assert!(error.contains("the IPv6 of first"), "{error}");
    let mut behind_a_carrier = homes(Ipv6::Broken);
    let site = behind_a_carrier.sites.get_mut("first").unwrap();
    site.carrier = crate::support::hotspot().carrier;
    let error = refused(&behind_a_carrier, &production()).to_string();
    assert!(error.contains("behind a carrier"), "{error}");
}
