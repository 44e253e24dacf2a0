//! The resolver of a site: dnsmasq on the gateway, which knows the lab's names and nothing else.

use crate::model::PORTAL_DNS_PORT;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::Ipv4Addr;

/// dnsmasq's configuration for a resolver at this address.
pub(crate) fn dnsmasq(listen: Ipv4Addr, names: &BTreeMap<String, Ipv4Addr>) -> String {
    let mut text = authority(listen, 53);
    for (name, address) in names {
        let _ = writeln!(text, "host-record={name},{address}");
    }
    text
}

/// dnsmasq's configuration for a resolver that gives its own address for every name, as a captive portal's
/// does.
pub(crate) fn portal_dnsmasq(portal: Ipv4Addr) -> String {
    let mut text = authority(portal, PORTAL_DNS_PORT);
    let _ = writeln!(text, "address=/#/{portal}");
    text
}

/// `local=/./` makes dnsmasq the authority for every name, so that an unknown one is NXDOMAIN at once,
/// and a known one has an empty answer for other types than A. Foreground and user are given on the
/// command line by whoever starts it.
fn authority(listen: Ipv4Addr, port: u16) -> String {
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
