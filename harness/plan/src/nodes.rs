//! Every node of the lab, whole.

use crate::coturn;
use crate::dns::dnsmasq;
use crate::layout::{
    INTERNET, INTERNET_SUBNET, Layout, PROBE, PeerLayout, Router, ServerLayout, on_internet, within,
};
use crate::model::{
    Gateway, Interface, Listener, Network, Node, PROBE_ADDRESSES, Role, Route, TurnServer,
};
use crate::{nft, routes};
use farcall_scenario::Nat;
use farcall_timeline::IceTransport;
use ipnet::Ipv4Net;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// The networks, in the order in which a packet from the first peer could meet them.
pub(crate) fn networks(layout: &Layout) -> Vec<Network> {
    let network = |name: &str, subnet| Network {
        name: name.to_owned(),
        subnet,
    };
    let inside = |router: &Router| network(&router.inside.network, router.inside.subnet);
    let mut sites = layout.sites.iter();
    let near = sites.next().into_iter().flat_map(|site| &site.routers);
    let far = sites.flat_map(|site| site.routers.iter().rev());
    near.map(inside)
        .chain([network(INTERNET, INTERNET_SUBNET)])
        .chain(far.map(inside))
        .collect()
}

/// The host names and the address of each.
pub(crate) fn names(layout: &Layout) -> BTreeMap<String, Ipv4Addr> {
    let named = layout
        .servers
        .iter()
        .filter(|server| server.demand.literal.is_none());
    named
        .map(|server| (server.demand.host.clone(), server.address))
        .collect()
}

/// The nodes: routers by site, peers, servers, the probe.
pub(crate) fn nodes(layout: &Layout, names: &BTreeMap<String, Ipv4Addr>) -> Vec<Node> {
    let mut nodes = Vec::new();
    for site in 0..layout.sites.len() {
        for index in 0..layout.sites[site].routers.len() {
            nodes.push(router(layout, site, index, names));
        }
    }
    nodes.extend(layout.peers.iter().map(|at| peer(layout, at)));
    nodes.extend(layout.servers.iter().map(|at| server(layout, at)));
    nodes.push(probe(layout));
    nodes
}

fn router(layout: &Layout, site: usize, index: usize, names: &BTreeMap<String, Ipv4Addr>) -> Node {
    let site_layout = &layout.sites[site];
    let router = &site_layout.routers[index];
    let is_gateway = index == 0;
    Node {
        name: router.name.clone(),
        interfaces: vec![router.inside.interface(), router.outside.interface()],
        routes: routes::of_router(layout, site, index),
        sysctls: sysctls(true, router.nat),
        nftables: nft::gateway(router, is_gateway.then_some(&site_layout.firewall)),
        resolver: None,
        role: Role::Gateway(Gateway {
            dnsmasq: is_gateway.then(|| dnsmasq(router.inside.address, names)),
            ..Gateway::default()
        }),
    }
}

fn peer(layout: &Layout, peer: &PeerLayout) -> Node {
    let gateway = layout.sites[peer.site].gateway().inside.address;
    Node {
        name: peer.name.clone(),
        interfaces: vec![peer.port.interface()],
        routes: vec![routes::default_route(gateway)],
        sysctls: sysctls(false, None),
        nftables: nft::peer(peer),
        resolver: Some(gateway),
        role: Role::Peer { muted: peer.muted },
    }
}

fn server(layout: &Layout, server: &ServerLayout) -> Node {
    let mut interface = on_internet(server.primary, "eth").interface();
    if server.address != server.primary {
        interface.addresses.push(Ipv4Net::from(server.address));
    }
    let listeners: Vec<Listener> = server.demand.listeners.iter().copied().collect();
    let has_tls = listeners.iter().any(|at| at.transport == IceTransport::Tls);
    on_the_internet(
        &server.demand.host,
        interface,
        routes::of_server(layout, server.primary),
        nft::server(server),
        Role::TurnServer(TurnServer {
            host: server.demand.host.clone(),
            configuration: coturn::configuration(server),
            listeners,
            accounts: server.demand.accounts.clone(),
            certificate: has_tls.then(|| server.demand.host.clone()),
        }),
    )
}

fn probe(layout: &Layout) -> Node {
    let addresses = PROBE_ADDRESSES.map(|address| within(address, INTERNET_SUBNET));
    let interface = Interface {
        addresses: addresses.to_vec(),
        ..on_internet(PROBE_ADDRESSES[0], "eth").interface()
    };
    let routes = routes::on_internet(layout, PROBE_ADDRESSES[0]);
    on_the_internet(PROBE, interface, routes, nft::probe(), Role::Probe)
}

fn on_the_internet(
    name: &str,
    interface: Interface,
    routes: Vec<Route>,
    nftables: String,
    role: Role,
) -> Node {
    Node {
        name: name.to_owned(),
        interfaces: vec![interface],
        routes,
        sysctls: sysctls(false, None),
        nftables,
        resolver: None,
        role,
    }
}

/// Settings of the node's own network namespace. A new one begins with the host's values of
/// `net.ipv4.conf`, forwarding among them, so what matters is set either way.
fn sysctls(forwards: bool, nat: Option<Nat>) -> BTreeMap<String, String> {
    let mut sysctls = BTreeMap::new();
    let mut set = |name: &str, value: u32| sysctls.insert(name.to_owned(), value.to_string());
    set("net.ipv4.ip_forward", u32::from(forwards));
    set("net.ipv6.conf.all.disable_ipv6", 1);
    set("net.ipv6.conf.default.disable_ipv6", 1);
    if let Some(nat) = nat {
        set("net.netfilter.nf_conntrack_udp_timeout", nat.udp_timeout_s);
        set(
            "net.netfilter.nf_conntrack_udp_timeout_stream",
            nat.udp_timeout_s,
        );
    }
    sysctls
}
