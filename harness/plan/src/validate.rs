//! What the layout must satisfy to be one lab: networks that can be told apart, addresses and names
//! given once.

use crate::error::PlanError;
use crate::layout::{INTERNET, INTERNET_SUBNET, Layout, SiteLayout};
use crate::model::{Node, PROBE_ADDRESSES};
use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Checks that packets can be routed by address.
pub(crate) fn addresses(layout: &Layout) -> Result<(), PlanError> {
    for (index, site) in layout.sites.iter().enumerate() {
        let own = networks(site);
        for (position, network) in own.iter().enumerate() {
            disjoint(network, &(INTERNET.to_owned(), INTERNET_SUBNET))?;
            for other in &own[position + 1..] {
                disjoint(network, other)?;
            }
        }
        let exposed = site.untranslated(site.routers.len());
        for other in layout
            .sites
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != index)
        {
            for network in own.iter().filter(|(_, net)| exposed.contains(net)) {
                for foreign in networks(other.1) {
                    disjoint(network, &foreign)?;
                }
            }
        }
    }
    for server in &layout.servers {
        server_address(server.address, layout)?;
    }
    Ok(())
}

/// Checks that every node has a name of its own.
pub(crate) fn names(nodes: &[Node]) -> Result<(), PlanError> {
    let mut seen = BTreeSet::new();
    match nodes.iter().find(|node| !seen.insert(&node.name)) {
        None => Ok(()),
        Some(node) => Err(PlanError::DuplicateNode {
            name: node.name.clone(),
        }),
    }
}

fn networks(site: &SiteLayout) -> Vec<(String, Ipv4Net)> {
    let inside =
        |router: &crate::layout::Router| (router.inside.network.clone(), router.inside.subnet);
    site.routers.iter().map(inside).collect()
}

fn disjoint(first: &(String, Ipv4Net), second: &(String, Ipv4Net)) -> Result<(), PlanError> {
    if first.1.contains(&second.1) || second.1.contains(&first.1) {
        return Err(PlanError::Overlap {
            first: first.0.clone(),
            first_net: first.1,
            second: second.0.clone(),
            second_net: second.1,
        });
    }
    Ok(())
}

fn server_address(address: Ipv4Addr, layout: &Layout) -> Result<(), PlanError> {
    let no_host = [INTERNET_SUBNET.network(), INTERNET_SUBNET.broadcast()];
    let holder = if PROBE_ADDRESSES.contains(&address) {
        Some("the lab's probe".to_owned())
    } else if no_host.contains(&address) {
        Some("the internet's network itself".to_owned())
    } else {
        let mut networks = layout.sites.iter().flat_map(networks);
        networks
            .find(|(_, net)| net.contains(&address))
            .map(|(name, net)| format!("{name} ({net})"))
    };
    match holder {
        None => Ok(()),
        Some(holder) => Err(PlanError::AddressTaken { address, holder }),
    }
}
