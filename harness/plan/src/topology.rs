//! The picture of a lab, out of a scenario and the nodes that were made of it.

use crate::layout::{Layout, SiteLayout};
use crate::model::{
    Node, Role, Topology, TopologyPeer, TopologyRouter, TopologyServer, TopologySite,
};
use farcall_scenario::{FirewallPreset, LinkPreset, NatPreset, Scenario, Site};
use serde::Serialize;
use std::net::IpAddr;

pub(crate) fn topology(scenario: &Scenario, layout: &Layout, nodes: &[Node]) -> Topology {
    let sites = layout.sites.iter().enumerate();
    Topology {
        sites: sites
            .map(|(index, at)| site(index, at, scenario.sites.get(&at.name), layout, nodes))
            .collect(),
        servers: nodes.iter().filter_map(server).collect(),
    }
}

fn site(
    index: usize,
    at: &SiteLayout,
    written: Option<&Site>,
    layout: &Layout,
    nodes: &[Node],
) -> TopologySite {
    let peers = layout.peers.iter().filter(|peer| peer.site == index);
    let routers = at.routers.iter().enumerate();
    TopologySite {
        name: at.name.clone(),
        lan: written.map(|site| site.lan),
        peers: peers
            .map(|peer| TopologyPeer {
                name: peer.name.clone(),
                addresses: addresses(nodes, &peer.name, peer.port.interface),
            })
            .collect(),
        routers: routers
            .map(|(number, router)| TopologyRouter {
                name: router.name.clone(),
                addresses: addresses(nodes, &router.name, router.outside.interface),
                ..match (written, number) {
                    (Some(site), 0) => gateway(site),
                    (Some(site), _) => carrier(site),
                    (None, _) => unknown(),
                }
            })
            .collect(),
    }
}

/// What a site's gateway does.
fn gateway(site: &Site) -> TopologyRouter {
    let gateway = &site.gateway;
    let firewall = gateway.firewall;
    let link = site.link;
    TopologyRouter {
        nat: nat(gateway.nat, gateway.nat_override.is_some()),
        firewall: (firewall != FirewallPreset::default() || gateway.firewall_override.is_some())
            .then(|| overridden(name(firewall), gateway.firewall_override.is_some())),
        link: (link != LinkPreset::default() || site.link_override.is_some())
            .then(|| overridden(name(link), site.link_override.is_some())),
        ..unknown()
    }
}

fn carrier(site: &Site) -> TopologyRouter {
    let carrier = site.carrier.as_ref();
    TopologyRouter {
        nat: carrier.and_then(|carrier| nat(carrier.nat, carrier.nat_override.is_some())),
        ..unknown()
    }
}

fn unknown() -> TopologyRouter {
    TopologyRouter {
        name: String::new(),
        addresses: Vec::new(),
        nat: None,
        firewall: None,
        link: None,
    }
}

fn nat(preset: NatPreset, is_overridden: bool) -> Option<String> {
    (preset != NatPreset::None).then(|| overridden(name(preset), is_overridden))
}

fn overridden(name: String, is_overridden: bool) -> String {
    match is_overridden {
        true => format!("{name}, overridden"),
        false => name,
    }
}

/// A preset's name as scenarios have it.
fn name(preset: impl Serialize) -> String {
    match serde_json::to_value(preset) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

fn server(node: &Node) -> Option<TopologyServer> {
    let Role::TurnServer(server) = &node.role else {
        return None;
    };
    let interfaces = node.interfaces.iter();
    Some(TopologyServer {
        node: node.name.clone(),
        host: server.host.clone(),
        addresses: interfaces.flat_map(of_interface).collect(),
        listeners: server.listeners.clone(),
    })
}

fn addresses(nodes: &[Node], node: &str, interface: &str) -> Vec<IpAddr> {
    let node = nodes.iter().find(|one| one.name == node);
    let interfaces = node.into_iter().flat_map(|node| &node.interfaces);
    let wanted = interfaces.filter(|one| one.name == interface);
    wanted.flat_map(of_interface).collect()
}

fn of_interface(interface: &crate::model::Interface) -> Vec<IpAddr> {
    let v4 = interface.addresses.iter().map(|net| net.addr().into());
    let v6 = interface.addresses_v6.iter().map(|net| net.addr().into());
    v4.chain(v6).collect()
}
