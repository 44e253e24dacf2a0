//! The matrices that come with farcall, and mistakes in matrices.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use farcall_scenario::{Action, CellSource, Direction, Firewall, Matrix, Network, Protocol};
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
