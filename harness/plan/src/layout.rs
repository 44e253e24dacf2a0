//! Who is where: sites with their routers, peers and servers, each with its addresses.

use crate::ipv6::{Ipv6Kind, SiteIpv6};
use crate::model::{Attachment, Interface};
use crate::servers::Demand;
use farcall_scenario::{Firewall, Link, Nat, ServerCondition};
use ipnet::Ipv4Net;
use std::net::{IpAddr, Ipv4Addr};

/// The network on which all public addresses are.
pub(crate) const INTERNET: &str = "internet";

/// Its addresses: TEST-NET-3 (RFC 5737), which no real host has.
pub(crate) const INTERNET_SUBNET: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(203, 0, 113, 0), 24);

/// The name of the probe's node.
pub(crate) const PROBE: &str = "probe";

/// Everybody with an address.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The sites, those of the peers first, in the order of the peers.
    pub sites: Vec<SiteLayout>,
    /// The peers, in the order of the scenario.
    pub peers: Vec<PeerLayout>,
    /// The servers, in the order of the ICE configuration.
    pub servers: Vec<ServerLayout>,
    /// The signalling server, where signalling goes over the network.
    pub signalling: Option<ServerLayout>,
}

/// A site: the routers between its LAN and the internet.
#[derive(Debug)]
pub(crate) struct SiteLayout {
    /// Its name.
    pub name: String,
    /// The gateway, then the carrier if there is one.
    pub routers: Vec<Router>,
    /// The gateway's firewall. Carriers have none.
    pub firewall: Firewall,
    /// Its IPv6, if it has any.
    pub ipv6: Option<SiteIpv6>,
}

/// A node that forwards between an inside and an outside.
#[derive(Debug)]
pub(crate) struct Router {
    /// The node's name.
    pub name: String,
    /// Towards the peers.
    pub inside: Port,
    /// Towards the internet.
    pub outside: Port,
    /// How it translates, if it does.
    pub nat: Option<Nat>,
    /// The link between it and what lies beyond it: a site's gateway may have one.
    pub link: Option<Link>,
}

/// An interface with its one address.
#[derive(Debug, Clone)]
pub(crate) struct Port {
    /// The interface's name.
    pub interface: &'static str,
    /// The network it is in.
    pub network: String,
    /// That network's addresses.
    pub subnet: Ipv4Net,
    /// Its own.
    pub address: Ipv4Addr,
}

/// A peer in a site's LAN.
#[derive(Debug, Clone)]
pub(crate) struct PeerLayout {
    /// Its name.
    pub name: String,
    /// The index of its site in [`Layout::sites`].
    pub site: usize,
    /// Its interface.
    pub port: Port,
    /// Where it moves in the middle of the call, if it does: the index of that site, and its interface there.
    pub moves_to: Option<(usize, Port)>,
    /// Whether it sends silence.
    pub muted: bool,
    /// Whether it reaches TURN servers over TCP and TLS through its site's HTTP proxy.
    pub uses_proxy: bool,
    /// Whether it logs in at its site's captive portal before the call.
    pub logs_in: bool,
}

impl PeerLayout {
    /// Whether it is in the LAN of the site with this index, at first or once it has moved.
    pub(crate) fn is_ever_at(&self, site: usize) -> bool {
        self.site == site || self.moves_to.as_ref().is_some_and(|at| at.0 == site)
    }

    /// Where it is attached at first.
    pub(crate) fn attachment(&self, sites: &[SiteLayout]) -> Attachment {
        attachment(&self.port, &sites[self.site])
    }

    /// Where it is attached once it has moved, if it moves.
    pub(crate) fn next_attachment(&self, sites: &[SiteLayout]) -> Option<Attachment> {
        let (site, port) = self.moves_to.as_ref()?;
        Some(attachment(port, &sites[*site]))
    }

    /// The peer as it is once it has moved, if it moves.
    pub(crate) fn moved(&self) -> Option<Self> {
        let (site, port) = self.moves_to.clone()?;
        Some(Self {
            site,
            port,
            moves_to: None,
            ..self.clone()
        })
    }
}

/// The site's gateway is its next hop and its resolver.
fn attachment(port: &Port, site: &SiteLayout) -> Attachment {
    let gateway = site.gateway().inside.address;
    Attachment {
        interface: port.interface(),
        gateway,
        resolver: gateway,
    }
}

/// A server on the internet, with exactly the listeners that are wanted.
#[derive(Debug)]
pub(crate) struct ServerLayout {
    /// What is wanted of it.
    pub demand: Demand,
    /// Its address on the internet's own network.
    pub primary: Ipv4Addr,
    /// The address that its host name resolves to: another one than `primary` where the ICE
    /// configuration names an address outside [`INTERNET_SUBNET`].
    pub address: Ipv4Addr,
}

impl Layout {
    /// All servers on the internet.
    pub(crate) fn all_servers(&self) -> impl Iterator<Item = &ServerLayout> {
        self.servers.iter().chain(&self.signalling)
    }

    /// Whether its resolvers are slow.
    pub(crate) fn is_slow(&self) -> bool {
        let mut servers = self.servers.iter();
        servers.any(|server| server.demand.has(ServerCondition::NameSlow))
    }
}

impl Port {
    /// As the node has it.
    pub(crate) fn interface(&self) -> Interface {
        Interface {
            name: self.interface.to_owned(),
            network: self.network.clone(),
            addresses: vec![within(self.address, self.subnet)],
            addresses_v6: Vec::new(),
        }
    }
}

impl SiteLayout {
    /// The router of the peers' LAN.
    pub(crate) fn gateway(&self) -> &Router {
        &self.routers[0]
    }

    /// The addresses at which servers on the internet see what this port in the LAN sends.
    pub(crate) fn public_addresses(&self, inside: &Port) -> Vec<IpAddr> {
        let mut inwards = self.routers.iter().rev();
        let outermost = inwards.find(|router| router.nat.is_some());
        let ipv4 = outermost.map_or(inside.address, |router| router.outside.address);
        let ipv6 = self.ipv6.filter(|ipv6| ipv6.kind == Ipv6Kind::DualStack);
        let ipv6 = ipv6.map(|ipv6| ipv6.host(inside.address, inside.subnet).into());
        [ipv4.into()].into_iter().chain(ipv6).collect()
    }

    /// The networks that router `count` and those beyond see untranslated, the LAN first.
    pub(crate) fn untranslated(&self, count: usize) -> Vec<Ipv4Net> {
        let mut nets = Vec::new();
        for router in &self.routers[..count] {
            nets.push(router.inside.subnet);
            if router.nat.is_some() {
                nets.clear();
            }
        }
        nets
    }
}

/// An address with its network's prefix length.
pub(crate) fn within(address: Ipv4Addr, subnet: Ipv4Net) -> Ipv4Net {
    Ipv4Net::new_assert(address, subnet.prefix_len())
}

/// An interface on the internet.
pub(crate) fn on_internet(address: Ipv4Addr, interface: &'static str) -> Port {
    Port {
        interface,
        network: INTERNET.to_owned(),
        subnet: INTERNET_SUBNET,
        address,
    }
}
