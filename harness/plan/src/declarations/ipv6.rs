//! What there is of IPv6, and what there must not be.

use super::near;
use crate::ipv6::{EVERYWHERE, Ipv6Kind, native};
use crate::layout::{Layout, SiteLayout};
use crate::model::{Declaration, Fact, Node, PROBE_ADDRESSES, Passage, Payload, ProbeProtocol};
use crate::passage::{Attempt, ruling};
use farcall_scenario::Behaviour;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The ports that everybody's servers have. Broken IPv6 drops what goes there without a word: were one refused, whoever
/// is refused would fall back to IPv4 at once, and that is another network.
const USUAL_PORTS: [(ProbeProtocol, u16); 3] = [
    (ProbeProtocol::Udp, 3478),
    (ProbeProtocol::Tcp, 443),
    (ProbeProtocol::Tcp, 80),
];

/// Addresses that a lab might have a way to, if it had a way out: a public one, one that is local to a site
/// (RFC 4193), and a documentation address that nobody in the lab has (RFC 3849).
const OUTSIDE: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8888),
    Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1),
    Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1),
];

/// What is declared of nodes and names beside what is of IPv4.
pub(super) fn declarations(
    layout: &Layout,
    nodes: &[Node],
    names: &BTreeMap<String, Ipv4Addr>,
) -> Vec<Declaration> {
    let with_ipv6 = nodes.iter().filter(|node| node.ipv6.is_some());
    let mut all: Vec<_> = with_ipv6
        .flat_map(|node| {
            let mut routes = node.ipv6.iter().flat_map(|ipv6| &ipv6.routes);
            let is_bounded = !routes.any(|route| route.to == EVERYWHERE);
            let no_route = is_bounded.then(|| Fact::NoRoute {
                to: OUTSIDE.map(IpAddr::from).to_vec(),
            });
            let facts = [Some(Fact::LinkLocalClosed), no_route];
            facts.map(|fact| fact.map(|fact| near(&node.name, fact)))
        })
        .flatten()
        .collect();
    for peer in &layout.peers {
        let Some(ipv6) = layout.sites[peer.site].ipv6 else {
            continue;
        };
        for (name, address) in names {
            let fact = Fact::ResolvesToIpv6 {
                name: name.clone(),
                address: ipv6.resolved(*address),
            };
            all.push(near(&peer.name, fact));
        }
        match ipv6.kind {
            Ipv6Kind::DualStack => all.extend(routed(&layout.sites[peer.site], &peer.name)),
            Ipv6Kind::Broken => all.extend(USUAL_PORTS.map(|(protocol, port)| {
                let fact = Fact::Ipv6Passage {
                    protocol,
                    address: native(PROBE_ADDRESSES[0]),
                    port,
                    passage: Passage::Dropped,
                };
                near(&peer.name, fact)
            })),
            Ipv6Kind::Only => {
                let to = PROBE_ADDRESSES.map(IpAddr::from).to_vec();
                all.push(near(&peer.name, Fact::NoRoute { to }));
            }
        }
    }
    all
}

/// What a gateway lets through that forwards IPv6, and that it lets in answers alone.
fn routed(site: &SiteLayout, peer: &str) -> Vec<Declaration> {
    let address = native(PROBE_ADDRESSES[0]);
    let passage = |protocol, port| {
        ruling(
            &site.firewall,
            Attempt::of_probe(protocol, port, Payload::Plain),
        )
        .passage
    };
    let passages = USUAL_PORTS.map(|(protocol, port)| Fact::Ipv6Passage {
        protocol,
        address,
        port,
        passage: passage(protocol, port),
    });
    let mut open = USUAL_PORTS.into_iter().filter(|(protocol, port)| {
        *protocol == ProbeProtocol::Udp && passage(*protocol, *port) == Passage::Passes
    });
    let filtering = open.next().map(|(_, port)| Fact::Ipv6Filtering {
        filtering: Some(Behaviour::AddressAndPortDependent),
        address,
        port,
    });
    let facts = passages.into_iter().chain(filtering);
    facts.map(|fact| near(peer, fact)).collect()
}
