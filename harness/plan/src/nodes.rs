//! Every node of the lab, whole.

use crate::call::rest_secret;
use crate::coturn;
use crate::datapath::datapath;
use crate::dns::{SLOW_MS, dnsmasq, portal_dnsmasq};
use crate::layout::{
    INTERNET, INTERNET_SUBNET, Layout, PROBE, PeerLayout, Router, ServerLayout, on_internet, within,
};
use crate::model::{
    Gateway, Interface, Listener, Network, Node, PROBE_ADDRESSES, Role, Route, TurnServer,
};
use crate::services::{portal, proxy, services};
use crate::{ipv6, nft, routes, signalling};
use farcall_scenario::{Nat, NatOverride, ServerCondition};
use farcall_timeline::IceTransport;
use ipnet::Ipv4Net;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// How long the probe knows by which of its ports it was asked, in seconds, so that what it says at the end of
/// a mapping's lifetime still comes from there: see [`nft::probe`].
const LONGER_THAN_ANY_MAPPING_S: u32 = 2 * *NatOverride::TIMEOUT_S.end();

/// Where names lead that resolve to the wrong address: nobody has this one of the internet.
pub(crate) const NOBODYS_ADDRESS: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 254);

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
    let named = layout.all_servers().filter(|server| {
        let demand = &server.demand;
        demand.literal.is_none() && !demand.has(ServerCondition::NameMissing)
    });
    let address = |server: &ServerLayout| match server.demand.has(ServerCondition::NameWrong) {
        true => NOBODYS_ADDRESS,
        false => server.address,
    };
    named
        .map(|server| (server.demand.host.clone(), address(server)))
        .collect()
}

/// The nodes: routers by site, peers, servers, the probe.
pub(crate) fn nodes(layout: &Layout, names: &BTreeMap<String, Ipv4Addr>, seed: u64) -> Vec<Node> {
    let mut nodes = Vec::new();
    for site in 0..layout.sites.len() {
        for index in 0..layout.sites[site].routers.len() {
            nodes.push(router(layout, site, index, names, seed));
        }
    }
    nodes.extend(layout.peers.iter().map(|at| peer(layout, at)));
    nodes.extend(layout.servers.iter().map(|at| server(layout, at, seed)));
    let signalling = layout.signalling.as_ref();
    nodes.extend(signalling.map(|at| signalling::node(layout, at)));
    nodes.push(probe(layout));
    nodes
}

fn router(
    layout: &Layout,
    site: usize,
    index: usize,
    names: &BTreeMap<String, Ipv4Addr>,
    seed: u64,
) -> Node {
    let site_layout = &layout.sites[site];
    let router = &site_layout.routers[index];
    let is_gateway = index == 0;
    let firewall = is_gateway.then_some(&site_layout.firewall);
    let datapath = datapath(layout, site, index, seed);
    let services = firewall.map_or(Vec::new(), |firewall| {
        services(firewall, router.inside.address)
    });
    let portal = is_gateway.then(|| portal(site_layout)).flatten();
    // The proxy is asked for names.
    let proxy = is_gateway.then(|| proxy(site_layout)).flatten();
    let ipv6 = site_layout.ipv6.filter(|_| is_gateway);
    let is_slow = is_gateway && layout.is_slow();
    let node = Node {
        name: router.name.clone(),
        interfaces: vec![router.inside.interface(), router.outside.interface()],
        routes: routes::of_router(layout, site, index),
        sysctls: router_sysctls(router.nat, datapath.is_some()),
        nftables: nft::gateway(
            router,
            firewall,
            datapath.as_ref(),
            ipv6.map(|ipv6| ipv6.kind),
        ),
        resolver: proxy.map(|proxy| *proxy.listen.ip()),
        ipv6: None,
        role: Role::Gateway(Gateway {
            dnsmasq: is_gateway
                .then(|| dnsmasq(router.inside.address, ipv6.as_ref(), names, is_slow)),
            dns_delay_ms: is_slow.then_some(SLOW_MS),
            portal_dnsmasq: portal.map(portal_dnsmasq),
            nat64: None,
            datapath,
            services,
        }),
    };
    if !is_gateway {
        return node;
    }
    let peers = layout.peers.iter().filter(|peer| peer.site == site);
    ipv6::gateway(node, layout, site_layout, peers)
}

fn peer(layout: &Layout, peer: &PeerLayout) -> Node {
    let site = &layout.sites[peer.site];
    let gateway = site.gateway().inside.address;
    let node = Node {
        name: peer.name.clone(),
        interfaces: vec![peer.port.interface()],
        routes: vec![routes::default_route(gateway)],
        sysctls: sysctls(false),
        nftables: nft::peer(peer, site.ipv6.is_some()),
        resolver: Some(gateway),
        ipv6: None,
        role: Role::Peer { muted: peer.muted },
    };
    let mut node = ipv6::peer(node, site, peer);
    if let Some((_, port)) = &peer.moves_to {
        node.interfaces.push(Interface {
            addresses: Vec::new(),
            ..port.interface()
        });
    }
    node
}

fn server(layout: &Layout, server: &ServerLayout, seed: u64) -> Node {
    let mut interface = on_internet(server.primary, "eth").interface();
    if server.address != server.primary {
        interface.addresses.push(Ipv4Net::from(server.address));
    }
    let listeners: Vec<Listener> = server.demand.listeners.iter().copied().collect();
    let has_tls = listeners.iter().any(|at| at.transport == IceTransport::Tls);
    let also = ipv6::listening(layout, server.primary);
    let node = on_the_internet(
        &server.demand.host,
        interface,
        routes::of_server(layout, server.primary),
        nft::server(server, also.is_some()),
        Role::TurnServer(TurnServer {
            host: server.demand.host.clone(),
            configuration: coturn::configuration(server, also),
            listeners,
            accounts: server.demand.accounts.clone(),
            secret: server.demand.takes_rest.then(|| rest_secret(seed)),
            certificate: has_tls.then(|| server.demand.host.clone()),
            replacement_flaws: server.demand.replacement_flaws.clone(),
            certificate_flaw: server.demand.certificate().filter(|_| has_tls),
            is_occupied: server.demand.is_occupied(),
        }),
    );
    ipv6::reachable(node, layout, &[server.primary])
}

fn probe(layout: &Layout) -> Node {
    let addresses = PROBE_ADDRESSES.map(|address| within(address, INTERNET_SUBNET));
    let interface = Interface {
        addresses: addresses.to_vec(),
        ..on_internet(PROBE_ADDRESSES[0], "eth").interface()
    };
    let routes = routes::on_internet(layout, PROBE_ADDRESSES[0]);
    let rules = nft::probe(ipv6::listening(layout, PROBE_ADDRESSES[0]).is_some());
    let mut probe = on_the_internet(PROBE, interface, routes, rules, Role::Probe);
    probe.sysctls.extend(settings(&[
        (
            "net.netfilter.nf_conntrack_udp_timeout",
            LONGER_THAN_ANY_MAPPING_S,
        ),
        (
            "net.netfilter.nf_conntrack_udp_timeout_stream",
            LONGER_THAN_ANY_MAPPING_S,
        ),
    ]));
    ipv6::reachable(probe, layout, &PROBE_ADDRESSES)
}

/// A node on the internet with one interface.
pub(crate) fn on_the_internet(
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
        sysctls: sysctls(false),
        nftables,
        resolver: None,
        ipv6: None,
        role,
    }
}

/// Settings of the node's own network namespace. A new one begins with the host's values of
/// `net.ipv4.conf`, forwarding among them, so what matters is set either way.
fn sysctls(forwards: bool) -> BTreeMap<String, String> {
    settings(&[
        ("net.ipv4.ip_forward", u32::from(forwards)),
        // Else the kernel sends each host one ICMP error a second: of several refused at once, some would
        // look dropped.
        ("net.ipv4.icmp_ratelimit", 0),
        ("net.ipv6.conf.all.disable_ipv6", 1),
        ("net.ipv6.conf.default.disable_ipv6", 1),
    ])
}

/// Those of a router. Where the datapath translates, connection tracking still serves the firewall: a UDP
/// connection's state lives as long there as a mapping that has no other connection.
fn router_sysctls(nat: Option<Nat>, has_datapath: bool) -> BTreeMap<String, String> {
    let mut sysctls = sysctls(true);
    if let Some(nat) = nat {
        sysctls.extend(settings(&[
            ("net.netfilter.nf_conntrack_udp_timeout", nat.udp_timeout_s),
            (
                "net.netfilter.nf_conntrack_udp_timeout_stream",
                nat.udp_timeout_s,
            ),
            (
                "net.netfilter.nf_conntrack_tcp_timeout_established",
                nat.tcp_timeout_s,
            ),
        ]));
    }
    if has_datapath {
        // Its devices, which begin with the default settings, bring packets from addresses that are routed
        // elsewhere, and from the gateway's own.
        sysctls.extend(settings(&[
            ("net.ipv4.conf.all.rp_filter", 0),
            ("net.ipv4.conf.default.rp_filter", 0),
            ("net.ipv4.conf.default.accept_local", 1),
        ]));
    }
    sysctls
}

fn settings(settings: &[(&str, u32)]) -> BTreeMap<String, String> {
    let settings = settings.iter();
    settings
        .map(|(name, value)| ((*name).to_owned(), value.to_string()))
        .collect()
}
