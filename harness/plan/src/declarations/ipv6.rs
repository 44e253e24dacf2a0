//! What there is of IPv6, and what there must not be.

use super::near;
use crate::ipv6::{Ipv6Kind, native};
use crate::layout::Layout;
use crate::model::{Declaration, Fact, Node, PROBE_ADDRESSES, Passage, ProbeProtocol};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// What a site drops of IPv6 without a word: the ports that everybody's servers have. Were one refused, whoever is
/// refused would fall back to IPv4 at once, and that is another network.
const BLACK_HOLED: [(ProbeProtocol, u16); 3] = [
    (ProbeProtocol::Udp, 3478),
    (ProbeProtocol::Tcp, 443),
    (ProbeProtocol::Tcp, 80),
];

/// What is declared of nodes and names beside what is of IPv4.
pub(super) fn declarations(
    layout: &Layout,
    nodes: &[Node],
    names: &BTreeMap<String, Ipv4Addr>,
) -> Vec<Declaration> {
    let with_ipv6 = nodes.iter().filter(|node| node.ipv6.is_some());
    let mut all: Vec<_> = with_ipv6
        .map(|node| near(&node.name, Fact::LinkLocalClosed))
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
            Ipv6Kind::Broken => all.extend(BLACK_HOLED.map(|(protocol, port)| {
                let fact = Fact::Ipv6Passage {
                    protocol,
                    address: native(PROBE_ADDRESSES[0]),
                    port,
                    passage: Passage::Dropped,
                };
                near(&peer.name, fact)
            })),
            Ipv6Kind::Only => {
                let to = PROBE_ADDRESSES.to_vec();
                all.push(near(&peer.name, Fact::NoRoute { to }));
            }
        }
    }
    all
}
