//! Nothing leads out of the lab.

use super::near;
use crate::datapath::devices;
use crate::layout::{INTERNET_SUBNET, Layout};
use crate::model::{Declaration, Fact, Node};
use ipnet::Ipv4Net;
use std::net::{IpAddr, Ipv4Addr};

/// Addresses that a lab might have a way to, if it had a way out: of Docker's default network, of
/// private networks, public ones, and documentation ranges (RFC 5737).
const OUTSIDE: [Ipv4Addr; 5] = [
    Ipv4Addr::new(172, 17, 0, 1),
    Ipv4Addr::new(10, 255, 255, 254),
    Ipv4Addr::new(192, 168, 255, 254),
    Ipv4Addr::new(8, 8, 8, 8),
    Ipv4Addr::new(192, 0, 2, 254),
];

/// Every node has what it should and no more.
pub(super) fn declarations(layout: &Layout, nodes: &[Node]) -> Vec<Declaration> {
    let outside = outside(layout);
    let of_node = |node: &Node| {
        let mut routes = node.routes.iter();
        let is_bounded = !routes.any(|route| route.to == Ipv4Net::default());
        let interfaces = node.interfaces.iter().cloned();
        let interfaces = interfaces.chain(devices(node)).collect();
        let no_route = is_bounded.then(|| Fact::NoRoute {
            to: outside.iter().copied().map(IpAddr::from).collect(),
        });
        let facts = [
            Some(Fact::Interfaces { interfaces }),
            no_route,
            Some(Fact::NoEmbeddedResolver),
        ];
        facts.map(|fact| fact.map(|fact| near(&node.name, fact)))
    };
    nodes.iter().flat_map(of_node).flatten().collect()
}

/// Addresses outside the lab: those of [`OUTSIDE`] that nothing in it has.
fn outside(layout: &Layout) -> Vec<Ipv4Addr> {
    let routers = layout.sites.iter().flat_map(|site| &site.routers);
    let subnets: Vec<Ipv4Net> = routers
        .map(|router| router.inside.subnet)
        .chain([INTERNET_SUBNET])
        .chain(layout.all_servers().map(|at| Ipv4Net::from(at.address)))
        .collect();
    let inside = |address: &Ipv4Addr| subnets.iter().any(|net| net.contains(address));
    OUTSIDE
        .into_iter()
        .filter(|address| !inside(address))
        .collect()
}
