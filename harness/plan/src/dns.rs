//! The resolver of a site: dnsmasq on the gateway, which knows the lab's names and nothing else.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::Ipv4Addr;

/// dnsmasq's configuration for a resolver at this address.
///
/// `local=/./` makes it the authority for every name, so that an unknown one is NXDOMAIN at once,
/// and a known one has an empty answer for other types than A. Foreground and user are given on the
/// command line by whoever starts it.
pub(crate) fn dnsmasq(listen: Ipv4Addr, names: &BTreeMap<String, Ipv4Addr>) -> String {
    let mut text = format!(
        "port=53\n\
         listen-address={listen}\n\
         bind-interfaces\n\
         no-resolv\n\
         no-poll\n\
         no-hosts\n\
         local=/./\n"
    );
    for (name, address) in names {
        let _ = writeln!(text, "host-record={name},{address}");
    }
    text
}
