//! Who is where, and who can send to whom.

use crate::support::{hotspot, office, planned, production, public, refused, scenario, site};
use farcall_plan::{Node, Plan, PlanError};
use farcall_scenario::{FirewallPreset, NatPreset, Peer};

fn node<'a>(plan: &'a Plan, name: &str) -> &'a Node {
    plan.nodes.iter().find(|at| at.name == name).unwrap()
}

fn routes(plan: &Plan, name: &str) -> Vec<String> {
    node(plan, name)
        .routes
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn two_sites_may_have_the_same_lan() {
    let home = || {
        site(
            "192.168.1.0/24",
            NatPreset::HomeRouter,
            FirewallPreset::Open,
        )
    };
    let plan = planned(
        &scenario("homes", ("one", home()), ("two", home())),
        &production(),
    );
    for peer in ["alice", "bob"] {
        let interface = &node(&plan, peer).interfaces[0];
        assert_eq!(interface.addresses[0].to_string(), "192.168.1.10/24");
    }
}

#[test]
fn two_peers_in_one_lan_have_one_gateway_and_different_addresses() {
    let home = || {
        site(
            "192.168.1.0/24",
            NatPreset::HomeRouter,
            FirewallPreset::Open,
        )
    };
    let scenario = scenario("home", ("home", home()), ("home", home()));
    let plan = planned(&scenario, &production());
    let address = |name: &str| node(&plan, name).interfaces[0].addresses[0].to_string();
    assert_eq!(address("alice"), "192.168.1.10/24");
    assert_eq!(address("bob"), "192.168.1.11/24");
    let networks: Vec<_> = plan.networks.iter().map(|at| at.name.as_str()).collect();
    assert_eq!(networks, ["home-lan", "internet"]);
}

#[test]
fn networks_stand_in_the_order_of_the_way_from_the_first_peer() {
    let plan = planned(&office(FirewallPreset::Open), &production());
    let networks: Vec<_> = plan.networks.iter().map(|at| at.name.as_str()).collect();
    assert_eq!(
        networks,
        ["office-lan", "internet", "mobile-carrier", "mobile-lan"]
    );
}

#[test]
fn behind_nats_nothing_on_the_internet_has_a_route_inside() {
    let plan = planned(&office(FirewallPreset::Open), &production());
    for name in ["office-gateway", "mobile-carrier", "probe"] {
        let routes = routes(&plan, name);
        assert!(routes.is_empty(), "{name}: {routes:?}");
    }
    assert_eq!(routes(&plan, "mobile-gateway"), ["default via 100.64.0.1"]);
    assert_eq!(routes(&plan, "bob"), ["default via 192.168.43.1"]);
}

#[test]
fn what_servers_send_nowhere_ends_at_the_probe() {
    let plan = planned(&office(FirewallPreset::Open), &production());
    let server = routes(&plan, "relay.example.net");
    assert_eq!(server, ["default via 203.0.113.2"]);
    assert_eq!(node(&plan, "probe").sysctls["net.ipv4.ip_forward"], "0");
}

#[test]
fn a_lan_without_nat_is_reached_from_everywhere_on_the_internet() {
    let plan = planned(&public(FirewallPreset::Open), &production());
    let both = [
        "198.51.100.0/24 via 203.0.113.10",
        "192.0.2.0/24 via 203.0.113.11",
    ];
    assert_eq!(routes(&plan, "probe"), both);
    assert_eq!(routes(&plan, "stun.example.net")[..2], both);
    assert_eq!(routes(&plan, "east-gateway"), both[1..]);
}

#[test]
fn a_carrier_reaches_a_lan_that_its_customer_does_not_translate() {
    let mut mobile = hotspot();
    mobile.gateway.nat = NatPreset::None;
    let home = site(
        "192.168.1.0/24",
        NatPreset::HomeRouter,
        FirewallPreset::Open,
    );
    let plan = planned(
        &scenario("routed", ("mobile", mobile), ("home", home)),
        &production(),
    );
    assert_eq!(
        routes(&plan, "mobile-carrier"),
        ["192.168.43.0/24 via 100.64.0.2"]
    );
    assert!(routes(&plan, "probe").is_empty());
}

#[test]
fn a_network_that_is_routed_must_be_told_from_all_others() {
    let mut scenario = public(FirewallPreset::Open);
    let west = scenario.sites.get_mut("west").unwrap();
    *west = site(
        "198.51.100.128/25",
        NatPreset::HomeRouter,
        FirewallPreset::Open,
    );
    let error = refused(&scenario, &production());
    assert!(matches!(error, PlanError::Overlap { .. }), "{error}");
}

#[test]
fn no_site_may_have_the_addresses_of_the_internet() {
    let mut scenario = office(FirewallPreset::Open);
    let office = scenario.sites.get_mut("office").unwrap();
    office.lan = "203.0.113.0/25".parse().unwrap();
    let error = refused(&scenario, &production());
    assert!(matches!(error, PlanError::Overlap { .. }), "{error}");
}

#[test]
fn six_addresses_are_enough_for_two_peers() {
    let home = || {
        site(
            "192.168.1.0/29",
            NatPreset::HomeRouter,
            FirewallPreset::Open,
        )
    };
    let scenario = scenario("home", ("home", home()), ("home", home()));
    let plan = planned(&scenario, &production());
    let address = &node(&plan, "bob").interfaces[0].addresses[0];
    assert_eq!(address.to_string(), "192.168.1.3/29");
}

#[test]
fn a_lan_too_small_for_its_peers_is_refused() {
    let home = || {
        site(
            "192.168.1.0/30",
            NatPreset::HomeRouter,
            FirewallPreset::Open,
        )
    };
    let scenario = scenario("home", ("home", home()), ("home", home()));
    let error = refused(&scenario, &production());
    assert!(
        matches!(error, PlanError::NetworkFull { ref node, .. } if node == "bob"),
        "{error}"
    );
}

#[test]
fn names_and_peers_must_fit() {
    let mut twice = office(FirewallPreset::Open);
    twice.peers[1].name = "probe".to_owned();
    let error = refused(&twice, &production());
    assert!(matches!(error, PlanError::DuplicateNode { .. }), "{error}");

    let mut nowhere = office(FirewallPreset::Open);
    nowhere.peers[1].site = "moon".to_owned();
    let error = refused(&nowhere, &production());
    assert!(matches!(error, PlanError::UnknownSite { .. }), "{error}");

    let mut three = office(FirewallPreset::Open);
    three.peers.push(Peer {
        name: "carol".to_owned(),
        site: "office".to_owned(),
        muted: false,
        uses_proxy: false,
        logs_in: false,
    });
    assert_eq!(
        refused(&three, &production()),
        PlanError::PeerCount { found: 3 }
    );
}
