//! What a site's IPv6 adds to its nodes. Addresses are out of 2001:db8::/32, which no real host has (RFC 3849), and
//! resemble those of IPv4: where one ends in .10, the other ends in ::10.
//!
//! Link-local addresses are the routers' only. A router needs them: without one Linux asks for no neighbour to which
//! it forwards. The prefix for NAT64 is the lab's own (RFC 6052 section 3.3), since the well-known one, 64:ff9b::/96,
//! must not stand for IPv4 addresses that are not global (section 3.1), which all of the lab's are; tayga 0.9.2 keeps
//! to that.

use crate::error::PlanError;
use crate::layout::{INTERNET_SUBNET, Layout, PeerLayout, SiteLayout, within};
use crate::model::{Ipv6Route, NAT64_DEVICE, Nat64, Node, NodeIpv6, Role};
use farcall_scenario::{Ipv6, Site};
use ipnet::{Ipv4Net, Ipv6Net};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The internet's IPv6 network.
const INTERNET_SUBNET_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0);

/// Under which IPv4 addresses are behind a NAT64.
pub(crate) const NAT64_PREFIX: Ipv6Net =
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 0x64, 0xff9b, 0, 0, 0, 0), 96);

/// The counter of what a gateway drops of its LAN's IPv6.
pub(crate) const BLACK_HOLED: &str = "ipv6/drop-black-holed";

/// The name by which hosts find out the prefix, and its IPv4 address (RFC 7050 section 2.2).
const PREFIX_DISCOVERY: (&str, Ipv4Addr) = ("ipv4only.arpa", Ipv4Addr::new(192, 0, 0, 170));

/// Every router's link-local address towards its LAN.
const LINK_LOCAL: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1), 64);

/// The destination of a default route.
pub(crate) const EVERYWHERE: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0);

const LAN_PREFIX_LENGTH: u8 = 64;

const INTERNET_PREFIX_LENGTH: u8 = 64;

/// How a site has IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ipv6Kind {
    /// Beside IPv4, with a stateful filter and no translation.
    DualStack,
    /// Beside IPv4, and the gateway drops all of it.
    Broken,
    /// Without IPv4, and the gateway translates.
    Only,
}

/// A site's IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SiteIpv6 {
    /// Which.
    pub kind: Ipv6Kind,
    /// The addresses of its LAN.
    lan: Ipv6Net,
    /// The translator's own address, from which it tells of errors.
    translator: Ipv6Addr,
}

impl SiteIpv6 {
    /// That of the site with this number, 1 being the first; `None` if it has none.
    pub(crate) fn of_site(
        name: &str,
        site: &Site,
        number: usize,
    ) -> Result<Option<Self>, PlanError> {
        let impossible = |reason| PlanError::Ipv6 {
            site: name.to_owned(),
            reason,
        };
        let kind = match site.ipv6 {
            Ipv6::None => return Ok(None),
            Ipv6::DualStack => Ipv6Kind::DualStack,
            Ipv6::Broken => Ipv6Kind::Broken,
            Ipv6::Only => Ipv6Kind::Only,
        };
        if kind == Ipv6Kind::DualStack && site.has_link() {
            return Err(impossible(
                "a link emulates IPv4 alone, and IPv6 would go past it; leave one of them out",
            ));
        }
        if site.carrier.is_some() {
            return Err(impossible(
                "the lab has none behind a carrier; leave one of them out",
            ));
        }
        let number = u16::try_from(number)
            .map_err(|_| impossible("there are more sites than networks for them"))?;
        Ok(Some(Self::new(kind, number)))
    }

    fn new(kind: Ipv6Kind, number: u16) -> Self {
        let network = |subnet| Ipv6Addr::new(0x2001, 0xdb8, number, subnet, 0, 0, 0, 0);
        Self {
            kind,
            lan: Ipv6Net::new_assert(network(1), LAN_PREFIX_LENGTH),
            translator: numbered(network(0x64), 1),
        }
    }

    /// The gateway's address in the LAN.
    pub(crate) fn gateway(&self) -> Ipv6Addr {
        numbered(self.lan.network(), 1)
    }

    /// The address of a host in the LAN beside its IPv4 address, or for it.
    pub(crate) fn host(&self, address: Ipv4Addr, lan: Ipv4Net) -> Ipv6Addr {
        numbered(
            self.lan.network(),
            u32::from(address) - u32::from(lan.network()),
        )
    }

    /// What a name with this IPv4 address resolves to over IPv6.
    pub(crate) fn resolved(&self, address: Ipv4Addr) -> Ipv6Addr {
        match self.kind {
            Ipv6Kind::DualStack | Ipv6Kind::Broken => native(address),
            Ipv6Kind::Only => synthesised(address),
        }
    }

    fn within(&self, address: Ipv6Addr) -> Ipv6Net {
        Ipv6Net::new_assert(address, LAN_PREFIX_LENGTH)
    }
}

/// The IPv6 address of who has this address on the internet.
pub(crate) fn native(address: Ipv4Addr) -> Ipv6Addr {
    let host = u32::from(address).wrapping_sub(u32::from(INTERNET_SUBNET.network()));
    numbered(INTERNET_SUBNET_V6, host)
}

/// What DNS64 makes of an IPv4 address (RFC 6147 section 5.1.7, RFC 6052 section 2.2).
fn synthesised(address: Ipv4Addr) -> Ipv6Addr {
    let prefix = u128::from(NAT64_PREFIX.network());
    Ipv6Addr::from(prefix | u128::from(u32::from(address)))
}

/// The address in a network whose last group has the decimal digits of this number, as long as it has four at most.
fn numbered(network: Ipv6Addr, number: u32) -> Ipv6Addr {
    let digits = u128::from_str_radix(&number.to_string(), 16).unwrap_or_default();
    Ipv6Addr::from(u128::from(network) | digits)
}

/// A site's gateway with IPv6, out of what it is without.
pub(crate) fn gateway<'a>(
    mut node: Node,
    layout: &'a Layout,
    site: &SiteLayout,
    peers: impl Iterator<Item = &'a PeerLayout>,
) -> Node {
    let Some(ipv6) = site.ipv6 else {
        return node;
    };
    if ipv6.kind == Ipv6Kind::DualStack {
        return router(node, &ipv6, layout, site);
    }
    if let Some(lan) = node.interfaces.first_mut() {
        lan.addresses_v6 = vec![ipv6.within(ipv6.gateway())];
        if ipv6.kind == Ipv6Kind::Only {
            // The device of the translator has the address instead.
            lan.name = LAN.to_owned();
            lan.addresses.clear();
            lan.addresses_v6.push(LINK_LOCAL);
        }
    }
    node.sysctls.extend(sysctls());
    if let (Ipv6Kind::Only, Role::Gateway(gateway)) = (ipv6.kind, &mut node.role) {
        node.sysctls
            .insert("net.ipv6.conf.all.forwarding".to_owned(), "1".to_owned());
        let lan = site.gateway().inside.subnet;
        let own = site.gateway().inside.address;
        let hosts = peers.map(|peer| (peer.port.address, ipv6.host(peer.port.address, lan)));
        gateway.nat64 = Some(Nat64 {
            configuration: tayga(&ipv6, lan, hosts),
            device_address: within(own, lan),
            routed: vec![NAT64_PREFIX, Ipv6Net::from(ipv6.translator)],
        });
    }
    node.ipv6 = Some(NodeIpv6::default());
    node
}

/// A gateway that forwards between its LAN and an internet with IPv6.
fn router(mut node: Node, ipv6: &SiteIpv6, layout: &Layout, site: &SiteLayout) -> Node {
    let outside = site.gateway().outside.address;
    if let [lan, wan] = node.interfaces.as_mut_slice() {
        lan.addresses_v6 = vec![ipv6.within(ipv6.gateway()), LINK_LOCAL];
        wan.addresses_v6 = vec![on_internet(outside), link_local_of(outside)];
    }
    node.sysctls.extend(sysctls());
    node.sysctls
        .insert("net.ipv6.conf.all.forwarding".to_owned(), "1".to_owned());
    node.ipv6 = Some(NodeIpv6 {
        routes: routes(layout, outside),
        ..NodeIpv6::default()
    });
    node
}

/// Whether there is IPv6 on the internet: where a site has IPv6 that works.
fn is_on_internet(layout: &Layout) -> bool {
    let mut sites = layout.sites.iter().filter_map(|site| site.ipv6);
    sites.any(|ipv6| ipv6.kind == Ipv6Kind::DualStack)
}

/// A node on the internet that has these addresses there, with the IPv6 addresses beside them, if the internet has any.
pub(crate) fn reachable(mut node: Node, layout: &Layout, addresses: &[Ipv4Addr]) -> Node {
    let (true, Some(own)) = (is_on_internet(layout), addresses.first()) else {
        return node;
    };
    for interface in &mut node.interfaces {
        interface.addresses_v6 = addresses.iter().copied().map(on_internet).collect();
    }
    node.sysctls.extend(sysctls());
    node.ipv6 = Some(NodeIpv6 {
        routes: routes(layout, *own),
        ..NodeIpv6::default()
    });
    node
}

/// The address at which a server listens beside this one, if the internet has IPv6.
pub(crate) fn listening(layout: &Layout, address: Ipv4Addr) -> Option<Ipv6Addr> {
    is_on_internet(layout).then(|| native(address))
}

/// The LANs that a node with this address on the internet reaches through their gateways.
fn routes(layout: &Layout, own: Ipv4Addr) -> Vec<Ipv6Route> {
    let sites = layout.sites.iter().filter_map(|site| {
        let ipv6 = site.ipv6.filter(|ipv6| ipv6.kind == Ipv6Kind::DualStack)?;
        Some((ipv6.lan, site.gateway().outside.address))
    });
    sites
        .filter(|(_, gateway)| *gateway != own)
        .map(|(to, gateway)| Ipv6Route {
            to,
            via: native(gateway),
        })
        .collect()
}

fn on_internet(address: Ipv4Addr) -> Ipv6Net {
    Ipv6Net::new_assert(native(address), INTERNET_PREFIX_LENGTH)
}

/// The link-local address of a router on the internet, of which there are several.
fn link_local_of(address: Ipv4Addr) -> Ipv6Net {
    let host = u32::from(address).wrapping_sub(u32::from(INTERNET_SUBNET.network()));
    let prefix = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0);
    Ipv6Net::new_assert(numbered(prefix, host), LINK_LOCAL.prefix_len())
}

/// A peer with its site's IPv6, out of what it is without.
pub(crate) fn peer(mut node: Node, site: &SiteLayout, peer: &PeerLayout) -> Node {
    let Some(ipv6) = site.ipv6 else {
        return node;
    };
    let address = ipv6.host(peer.port.address, peer.port.subnet);
    let mut own = NodeIpv6 {
        routes: vec![Ipv6Route {
            to: EVERYWHERE,
            via: ipv6.gateway(),
        }],
        ..NodeIpv6::default()
    };
    for interface in &mut node.interfaces {
        interface.addresses_v6 = vec![ipv6.within(address)];
        if ipv6.kind == Ipv6Kind::Only {
            interface.addresses.clear();
        }
    }
    if ipv6.kind == Ipv6Kind::Only {
        node.routes.clear();
        node.resolver = None;
        own.resolver = Some(ipv6.gateway());
        own.nat64_prefix = Some(NAT64_PREFIX);
    }
    node.sysctls.extend(sysctls());
    node.ipv6 = Some(own);
    node
}

/// The interface towards the LAN, where that of IPv4 is the translator's.
pub(crate) const LAN: &str = "lan";

/// The interface towards the LAN for everything about IPv4.
pub(crate) fn inside_interface(kind: Ipv6) -> &'static str {
    match kind {
        Ipv6::Only => NAT64_DEVICE,
        Ipv6::None | Ipv6::DualStack | Ipv6::Broken => LAN,
    }
}

/// The resolver's records beside those of IPv4 addresses: for each name one of both families.
pub(crate) fn records(ipv6: &SiteIpv6, names: &BTreeMap<String, Ipv4Addr>) -> String {
    let (name, address) = PREFIX_DISCOVERY;
    let discovery = (ipv6.kind == Ipv6Kind::Only).then(|| (name.to_owned(), address));
    let mut text = String::new();
    for (name, address) in names.clone().into_iter().chain(discovery) {
        let second = ipv6.resolved(address);
        let _ = writeln!(text, "host-record={name},{address},{second}");
    }
    text
}

/// tayga's configuration. Each host has an IPv4 address of its own, the one that it would have had: what it sends can
/// be told by it.
fn tayga(
    ipv6: &SiteIpv6,
    lan: Ipv4Net,
    hosts: impl Iterator<Item = (Ipv4Addr, Ipv6Addr)>,
) -> String {
    // Of its own, for errors: the highest of the LAN, which no peer has.
    let own = Ipv4Addr::from(u32::from(lan.broadcast()) - 1);
    let mut text = format!(
        "tun-device {NAT64_DEVICE}\n\
         ipv4-addr {own}\n\
         ipv6-addr {}\n\
         prefix {NAT64_PREFIX}\n",
        ipv6.translator
    );
    for (inside, host) in hosts {
        let _ = writeln!(text, "map {inside} {host}");
    }
    text
}

/// IPv6 is on, without addresses that nobody has declared.
fn sysctls() -> BTreeMap<String, String> {
    let on = ["all", "default", "lo"].map(|interface| (interface, "disable_ipv6", 0));
    // No link-local addresses but those that are given.
    let undeclared = ["all", "default"].map(|interface| (interface, "addr_gen_mode", 1));
    let settings = on.into_iter().chain(undeclared);
    settings
        .map(|(interface, name, value)| {
            let name = format!("net.ipv6.conf.{interface}.{name}");
            (name, value.to_string())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn addresses_are_synthesised_as_dns64_does() {
        // The last of the examples of RFC 6052 section 2.4, with the lab's prefix.
        let address = synthesised(Ipv4Addr::new(192, 0, 2, 33));
        assert_eq!(address.to_string(), "2001:db8:64:ff9b::c000:221");
    }

    #[test]
    fn addresses_resemble_those_of_ipv4() {
        let native = native(Ipv4Addr::new(203, 0, 113, 101));
        assert_eq!(native.to_string(), "2001:db8::101");
        let site = SiteIpv6::new(Ipv6Kind::Broken, 2);
        let host = site.host(
            Ipv4Addr::new(192, 168, 1, 10),
            "192.168.1.0/24".parse().unwrap(),
        );
        assert_eq!(host.to_string(), "2001:db8:2:1::10");
        assert_eq!(site.gateway().to_string(), "2001:db8:2:1::1");
    }
}
