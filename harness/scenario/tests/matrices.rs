//! The matrices that come with farcall, and mistakes in matrices.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use farcall_scenario::{
    Action, Call, CellSource, Direction, Firewall, Matrix, Network, Peer, Protocol, Scenario, Site,
};
use farcall_timeline::CandidateType;
use std::collections::BTreeSet;
use support::render;

#[test]
fn every_matrix_that_comes_with_farcall_can_be_read_and_by_serde_too() {
    for matrix in [Matrix::catalogue(), Matrix::libwebrtc()] {
        matrix.validate().unwrap();
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/matrices");
        let text = std::fs::read_to_string(format!("{directory}/{}.toml", matrix.name)).unwrap();
        let mut by_serde: Matrix = toml::from_str(&text).unwrap();
        by_serde.name.clone_from(&matrix.name);
        assert_eq!(by_serde, matrix);
    }
}

#[test]
fn libwebrtcs_ten_networks_have_a_hundred_cells_of_which_its_table_says_56() {
    let matrix = Matrix::libwebrtc();
    assert_eq!((matrix.networks.len(), matrix.cells.len()), (10, 100));
    let from_table = matrix
        .cells
        .iter()
        .filter(|cell| cell.source == CellSource::Libwebrtc);
    assert_eq!(from_table.count(), 56);
}

#[test]
fn without_udp_on_one_side_a_relay_is_expected_and_nowhere_direct() {
    let matrix = Matrix::libwebrtc();
    let blocked: BTreeSet<&str> = BTreeSet::from([
        "block-udp",
        "block-udp-and-incoming-tcp",
        "only-outgoing-http",
    ]);
    for cell in &matrix.cells {
        let path = cell.expected();
        let relays = [path.local, path.remote].map(|of| of == CandidateType::Relay);
        let sides = [&cell.offerer, &cell.answerer].map(|name| blocked.contains(name.as_str()));
        for (relays, is_blocked) in relays.into_iter().zip(sides) {
            assert!(relays || !is_blocked, "{cell:?}");
        }
    }
}

/// The network's firewall, whatever its rules are called.
fn firewall(network: &Network) -> Firewall {
    let gateway = &network.site.gateway;
    let overrides = gateway.firewall_override.as_ref();
    let mut firewall = gateway.firewall.expand(overrides).unwrap();
    for rule in &mut firewall.rules {
        rule.name.clear();
    }
    firewall
}

/// What a call finds of the network: its presets expanded, without names and addresses.
fn expanded(network: &Network) -> String {
    let site = &network.site;
    let gateway = &site.gateway;
    let nat = gateway.nat.expand(gateway.nat_override.as_ref()).unwrap();
    let carrier = site.carrier.as_ref();
    let beyond = carrier.map(|at| at.nat.expand(at.nat_override.as_ref()).unwrap());
    let link = (site.link.expand(), &site.link_override, site.ipv6);
    let peer = (network.uses_proxy, network.logs_in);
    format!("{:?}", (nat, firewall(network), beyond, link, peer))
}

#[test]
fn no_two_networks_are_the_same() {
    for matrix in [Matrix::catalogue(), Matrix::libwebrtc()] {
        let networks = &matrix.networks;
        for (index, network) in networks.iter().enumerate() {
            let mut before = networks[..index].iter();
            let twin = before.find(|other| expanded(other) == expanded(network));
            let twin = twin.map(|other| other.name.as_str());
            assert_eq!(twin, None, "{} in {}", network.name, matrix.name);
        }
    }
}

#[test]
fn where_incoming_tcp_is_blocked_none_comes_in() {
    let matrix = Matrix::libwebrtc();
    let decides = |name: &str| {
        let network = matrix.networks.iter().find(|one| one.name == name);
        let rules = firewall(network.unwrap()).rules.into_iter();
        let mut inward = rules.filter(|rule| rule.direction == Direction::In);
        let about_tcp = inward.find(|rule| rule.protocol.is_none_or(|it| it == Protocol::Tcp));
        about_tcp.unwrap().action
    };
    assert_eq!(decides("block-udp"), Action::Accept);
    assert_eq!(decides("block-udp-and-incoming-tcp"), Action::Drop);
}

#[test]
fn only_some_networks_keep_the_cells_among_them() {
    let some = Matrix::libwebrtc().only(&["symmetric", "open"]).unwrap();
    let names: Vec<&str> = some.networks.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["symmetric", "open"]);
    assert_eq!(some.cells.len(), 4);
    some.validate().unwrap();
    let unknown = some.only(&["symetric"]).unwrap_err();
    insta::assert_snapshot!(unknown, @"failed to find the network `symetric` in the matrix libwebrtc: did you mean `symmetric`? There are: `symmetric`, `open`");
}

/// Scenarios whose networks are those of others: what is special about them is something else.
const NOT_ABOUT_NETWORKS: [&str; 4] = ["recovery", "server", "media", "signalling"];

/// Scenarios with the network of another, by which it is called in the matrix.
const NAMED_OTHERWISE: [(&str, &str); 3] = [
    ("home-to-home", "home"),
    ("mobile-hotspot-both-sides", "mobile-hotspot"),
    ("same-network", "home"),
];

fn scenarios_about_networks() -> impl Iterator<Item = Scenario> {
    let all = Scenario::builtin_names().into_iter();
    let all = all.map(|name| Scenario::builtin(name).unwrap());
    all.filter(|scenario| {
        let mut tags = scenario.tags.iter();
        !tags.any(|tag| NOT_ABOUT_NETWORKS.contains(&tag.as_str()))
    })
}

/// What the network of a scenario's first peer is called.
fn name_of_network(scenario: &Scenario) -> &str {
    let mut otherwise = NAMED_OTHERWISE.into_iter();
    let named = otherwise.find(|(name, _)| *name == scenario.name);
    named.map_or(scenario.name.as_str(), |(_, network)| network)
}

/// Whether a peer of the scenario finds what one in the network does. Only the LAN's addresses may differ.
fn is_network_of(network: &Network, scenario: &Scenario, peer: &Peer) -> bool {
    let site = Site {
        lan: network.site.lan,
        ..scenario.sites[&peer.site].clone()
    };
    let does = (peer.uses_proxy, peer.logs_in);
    network.site == site && (network.uses_proxy, network.logs_in) == does
}

#[test]
fn every_network_of_a_scenario_is_in_the_matrix_of_the_catalogue() {
    let matrix = Matrix::catalogue();
    for scenario in scenarios_about_networks() {
        let named = |peer: &Peer| {
            let mut networks = matrix.networks.iter();
            let network = networks.find(|network| is_network_of(network, &scenario, peer));
            let network = network.map(|network| network.name.as_str());
            network.unwrap_or_else(|| panic!("{}: no network of {}", scenario.name, peer.name))
        };
        let names: Vec<&str> = scenario.peers.iter().map(named).collect();
        assert_eq!(names[0], name_of_network(&scenario), "{}", scenario.name);
    }
}

#[test]
fn every_network_of_the_matrix_of_the_catalogue_is_that_of_a_scenario() {
    let scenarios: Vec<Scenario> = scenarios_about_networks().collect();
    let known: BTreeSet<&str> = scenarios.iter().map(name_of_network).collect();
    for network in Matrix::catalogue().networks {
        assert!(known.contains(network.name.as_str()), "{}", network.name);
    }
}

#[test]
fn a_network_says_of_its_calls_what_its_scenario_does() {
    // Without a word a call of a matrix has as long to connect.
    let usual_ms = 15_000;
    let usual = Call::default();
    let matrix = Matrix::catalogue();
    for scenario in scenarios_about_networks() {
        let Scenario { call, expect, .. } = &scenario;
        let mut networks = matrix.networks.iter();
        let name = name_of_network(&scenario);
        let network = networks.find(|network| network.name == name).unwrap();
        let otherwise = |ms: u32, usual: u32| (ms != usual).then_some(ms);
        assert_eq!(network.connects, expect.connects, "{name}");
        assert_eq!(network.media, expect.media, "{name}");
        let within_ms = Some(expect.within_ms).filter(|ms| *ms > usual_ms);
        assert_eq!(network.within_ms, within_ms, "{name}");
        let media_ms = otherwise(call.media_ms, usual.media_ms);
        assert_eq!(network.media_ms, media_ms, "{name}");
        let gathering_ms = otherwise(call.gathering_timeout_ms, usual.gathering_timeout_ms);
        assert_eq!(network.gathering_timeout_ms, gathering_ms, "{name}");
    }
}

#[test]
fn thirteen_networks_are_called_unasked_and_any_when_it_is_named() {
    let unasked = Matrix::catalogue().unasked();
    assert_eq!(unasked.networks.len(), 13);
    unasked.validate().unwrap();
    let named = Matrix::catalogue().only(&["corporate-proxy"]).unwrap();
    named.validate().unwrap();
    assert_eq!(named.unasked().networks.len(), 1);
    let libwebrtc = Matrix::libwebrtc();
    assert_eq!(libwebrtc.clone().unasked(), libwebrtc);
}

#[test]
fn what_contradicts_itself_is_reported_at_its_place() {
    let text = r#"description = "Networks with contradictions"
cells = [
  { offerer = "hotel", answerer = "hotel", path = { local = "host", remote = "srflx", protocol = "udp" }, source = "libwebrtc" },
]
[[networks]]
name = "hotel"
description = "A hotel"
on_request = true
connects = false
within_ms = 900
gathering_timeout_ms = 100_000
media_ms = 1
site = { lan = "10.30.0.0/24", gateway = { nat = "home-router" } }
"#;
    let mistakes = Matrix::parse("contradictory", text).unwrap_err();
    let text = render(&mistakes);
    for said in [
        "failed to read matrix contradictory: 5 problems",
        "every network is there on request alone",
        "a call that does not connect has no path",
        "within_ms = 900",
        "gathering_timeout_ms = 100_000",
        "media_ms = 1",
    ] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
}

#[test]
fn mistakes_are_reported_at_their_places() {
    let text = r#"description = "Networks with mistakes"
cells = [
  { offerer = "home", answerer = "ofice", path = { local = "host", remote = "srflx", protocol = "udp" }, source = "reasoned" },
]
[[networks]]
name = "home"
description = "A home"
site = { lan = "192.168.1.0/24", gateway = { nat = "home-ruter" } }
[[networks]]
name = "office"
description = "An office"
site = { lan = "203.0.113.0/24", gateway = { nat = "home-router" } }
[[networks]]
name = "office"
description = "Another"
site = { lan = "10.20.0.0/24", gateway = { nat = "home-router" } }
uses_proxy = true
"#;
    let mistakes = Matrix::parse("mistaken", text).unwrap_err();
    insta::assert_snapshot!(render(&mistakes));
}
