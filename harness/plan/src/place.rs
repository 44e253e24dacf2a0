//! Giving everybody an address.

use crate::error::PlanError;
use crate::ipv6::{SiteIpv6, inside_interface};
use crate::layout::{
    INTERNET, INTERNET_SUBNET, Layout, PeerLayout, Port, Router, ServerLayout, SiteLayout,
    on_internet,
};
use crate::model::PROBE_ADDRESSES;
use crate::servers::Demand;
use crate::signalling::{self, SIGNALLING};
use farcall_scenario::{
    FaultKind, Firewall, Nat, NatOverride, NatPreset, Scenario, Signalling, Site,
};
use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

const ROUTERS_FROM: u32 = 10;
const SERVERS_FROM: u32 = 100;
const NEXT_ADDRESSES_FROM: u32 = 50;
const INSIDE_ADDRESS: u32 = 1;
const CARRIER_CUSTOMER: u32 = 2;

/// The first address of a peer, and in a network too small for it.
const PEERS_FROM: (u32, u32) = (10, 2);

/// The address that a site gets in the place of the one that it had.
pub(crate) fn next_address(layout: &Layout, node: &str) -> Result<Ipv4Addr, PlanError> {
    let routers = layout.sites.iter().flat_map(|site| &site.routers);
    let on_internet = routers.map(|router| router.outside.address);
    let servers = layout.all_servers().map(|server| server.address);
    let mut internet = Internet {
        taken: on_internet.chain(servers).chain(PROBE_ADDRESSES).collect(),
    };
    internet.next(NEXT_ADDRESSES_FROM, node)
}

/// Gives everybody an address.
pub(crate) fn layout(scenario: &Scenario, demands: Vec<Demand>) -> Result<Layout, PlanError> {
    let literals = demands.iter().filter_map(|demand| demand.literal);
    let mut internet = Internet {
        taken: literals.chain(PROBE_ADDRESSES).collect(),
    };
    let mut sites = Vec::new();
    for (name, site) in in_order_of_peers(scenario) {
        let mut placed = place_site(name, site, &mut internet)?;
        placed.ipv6 = SiteIpv6::of_site(name, site, sites.len() + 1)?;
        sites.push(placed);
    }
    let mut peers = Vec::new();
    for peer in &scenario.peers {
        peers.push(place_peer(peer, &sites, &peers)?);
    }
    place_moves(scenario, &sites, &mut peers)?;
    let mut servers = Vec::new();
    for demand in demands {
        let primary = match demand.literal {
            Some(literal) if INTERNET_SUBNET.contains(&literal) => literal,
            _ => internet.next(SERVERS_FROM, &demand.host)?,
        };
        servers.push(ServerLayout {
            primary,
            address: demand.literal.unwrap_or(primary),
            demand,
        });
    }
    let signalling = match scenario.call.signalling {
        Signalling::Harness => None,
        Signalling::WebSocket => {
            let primary = internet.next(SERVERS_FROM, SIGNALLING)?;
            Some(ServerLayout {
                primary,
                address: primary,
                demand: signalling::demand(),
            })
        }
    };
    Ok(Layout {
        sites,
        peers,
        servers,
        signalling,
    })
}

fn in_order_of_peers(scenario: &Scenario) -> Vec<(&String, &Site)> {
    let rank = |name: &String| {
        let position = scenario.peers.iter().position(|peer| peer.site == *name);
        position.unwrap_or(scenario.peers.len())
    };
    let mut sites: Vec<_> = scenario.sites.iter().collect();
    sites.sort_by_key(|(name, _)| rank(name));
    sites
}

/// The addresses of the internet that are not given away yet.
struct Internet {
    taken: BTreeSet<Ipv4Addr>,
}

impl Internet {
    fn next(&mut self, from: u32, node: &str) -> Result<Ipv4Addr, PlanError> {
        let mut index = from;
        loop {
            let address = nth(INTERNET_SUBNET, index, INTERNET, node)?;
            if self.taken.insert(address) {
                return Ok(address);
            }
            index += 1;
        }
    }
}

/// The address number `index` of a network, counted from its network address.
fn nth(subnet: Ipv4Net, index: u32, network: &str, node: &str) -> Result<Ipv4Addr, PlanError> {
    u32::from(subnet.network())
        .checked_add(index)
        .map(Ipv4Addr::from)
        .filter(|address| subnet.contains(address) && *address < subnet.broadcast())
        .ok_or_else(|| PlanError::NetworkFull {
            network: network.to_owned(),
            subnet,
            node: node.to_owned(),
        })
}

fn place_site(name: &str, site: &Site, internet: &mut Internet) -> Result<SiteLayout, PlanError> {
    let gateway = format!("{name}-gateway");
    let lan = site.lan.trunc();
    let inside = Port {
        interface: inside_interface(site.ipv6),
        network: format!("{name}-lan"),
        subnet: lan,
        address: nth(lan, INSIDE_ADDRESS, &format!("{name}-lan"), &gateway)?,
    };
    let overrides = site.gateway.nat_override.as_ref();
    let nat = translation(&gateway, site.gateway.nat, overrides)?;
    let link = site.link.overridden(site.link_override.as_ref());
    let link = link.map_err(|source| PlanError::Link {
        site: name.to_owned(),
        source,
    })?;
    let mut routers = Vec::new();
    if let Some(carrier) = &site.carrier {
        let network = format!("{name}-carrier");
        let subnet = carrier.network.trunc();
        let port = |interface, index, node: &str| {
            Ok(Port {
                interface,
                network: network.clone(),
                subnet,
                address: nth(subnet, index, &network, node)?,
            })
        };
        routers.push(Router {
            outside: port("wan", CARRIER_CUSTOMER, &gateway)?,
            name: gateway,
            inside,
            nat,
            link,
        });
        routers.push(Router {
            inside: port("carrier", INSIDE_ADDRESS, &network)?,
            outside: on_internet(internet.next(ROUTERS_FROM, &network)?, "wan"),
            nat: translation(&network, carrier.nat, carrier.nat_override.as_ref())?,
            link: None,
            name: network,
        });
    } else {
        routers.push(Router {
            outside: on_internet(internet.next(ROUTERS_FROM, &gateway)?, "wan"),
            name: gateway,
            inside,
            nat,
            link,
        });
    }
    Ok(SiteLayout {
        name: name.to_owned(),
        routers,
        firewall: firewall(name, site)?,
        ipv6: None,
    })
}

fn firewall(site: &str, written: &Site) -> Result<Firewall, PlanError> {
    let gateway = &written.gateway;
    let expanded = gateway.firewall.expand(gateway.firewall_override.as_ref());
    expanded.map_err(|source| PlanError::Firewall {
        site: site.to_owned(),
        source,
    })
}

fn translation(
    router: &str,
    preset: NatPreset,
    overrides: Option<&NatOverride>,
) -> Result<Option<Nat>, PlanError> {
    preset.expand(overrides).map_err(|source| PlanError::Nat {
        router: router.to_owned(),
        source,
    })
}

/// Gives peers that move in the middle of the call an address where they go, behind everybody who is there before.
fn place_moves(
    scenario: &Scenario,
    sites: &[SiteLayout],
    peers: &mut [PeerLayout],
) -> Result<(), PlanError> {
    for fault in &scenario.faults {
        let (FaultKind::Handover, Some(to)) = (fault.kind, &fault.to) else {
            continue;
        };
        let Some(site) = sites.iter().position(|site| site.name == *to) else {
            continue;
        };
        let there = peers.iter().filter(|peer| peer.is_ever_at(site)).count();
        let inside = &sites[site].gateway().inside;
        let port = peer_port(inside, "eth2", there, &fault.target)?;
        let mut moving = peers.iter_mut();
        if let Some(peer) = moving.find(|peer| peer.name == fault.target) {
            peer.moves_to = Some((site, port));
        }
    }
    Ok(())
}

/// The interface of a peer in a LAN where so many have an address before it.
fn peer_port(
    inside: &Port,
    interface: &'static str,
    before: usize,
    peer: &str,
) -> Result<Port, PlanError> {
    let is_small = inside.subnet.prefix_len() > 28;
    let first = if is_small { PEERS_FROM.1 } else { PEERS_FROM.0 };
    let index = u32::try_from(before).map_or(u32::MAX, |before| first.saturating_add(before));
    Ok(Port {
        interface,
        network: inside.network.clone(),
        subnet: inside.subnet,
        address: nth(inside.subnet, index, &inside.network, peer)?,
    })
}

fn place_peer(
    peer: &farcall_scenario::Peer,
    sites: &[SiteLayout],
    placed: &[PeerLayout],
) -> Result<PeerLayout, PlanError> {
    let site = sites
        .iter()
        .position(|site| site.name == peer.site)
        .ok_or_else(|| PlanError::UnknownSite {
            peer: peer.name.clone(),
            site: peer.site.clone(),
        })?;
    let neighbours = placed.iter().filter(|other| other.site == site).count();
    let inside = &sites[site].gateway().inside;
    Ok(PeerLayout {
        name: peer.name.clone(),
        site,
        port: peer_port(inside, "eth", neighbours, &peer.name)?,
        moves_to: None,
        muted: peer.muted,
        uses_proxy: peer.uses_proxy,
        logs_in: peer.logs_in,
    })
}
