//! The resolver of a site: dnsmasq on the gateway, which knows the lab's names and nothing else.

use crate::ipv6::{Ipv6Kind, SiteIpv6, records};
use crate::model::{DELAYED_DNS_PORT, PORTAL_DNS_PORT};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

/// How late the answers of slow resolvers are, in milliseconds.
pub(crate) const SLOW_MS: u32 = 2_000;

/// dnsmasq's configuration for a resolver at this address of a gateway; in a site without IPv4, at that of IPv6.
pub(crate) fn dnsmasq(
    listen: Ipv4Addr,
    ipv6: Option<&SiteIpv6>,
    names: &BTreeMap<String, Ipv4Addr>,
    is_delayed: bool,
) -> String {
    let port = if is_delayed { DELAYED_DNS_PORT } else { 53 };
    if let Some(ipv6) = ipv6 {
        let listen = match ipv6.kind {
            Ipv6Kind::DualStack | Ipv6Kind::Broken => listen.into(),
            Ipv6Kind::Only => ipv6.gateway().into(),
        };
        return authority(listen, port) + &records(ipv6, names);
    }
    let mut text = authority(listen.into(), port);
    for (name, address) in names {
        let _ = writeln!(text, "host-record={name},{address}");
    }
    text
}

/// dnsmasq's configuration for a resolver that gives its own address for every name, as a captive portal's
/// does.
pub(crate) fn portal_dnsmasq(portal: Ipv4Addr) -> String {
    let mut text = authority(portal.into(), PORTAL_DNS_PORT);
    let _ = writeln!(text, "address=/#/{portal}");
    text
}

/// `local=/./` makes dnsmasq the authority for every name, so that an unknown one is NXDOMAIN at once,
/// and a known one has an empty answer for types that it has no record of. Foreground and user are given on the
/// command line by whoever starts it.
fn authority(listen: IpAddr, port: u16) -> String {
    format!(
        "port={port}\n\
         listen-address={listen}\n\
         bind-interfaces\n\
         no-resolv\n\
         no-poll\n\
         no-hosts\n\
         local=/./\n"
    )
}
