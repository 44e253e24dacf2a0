//! Which interfaces and addresses a node has.

use std::collections::{BTreeMap, BTreeSet};

use farcall_plan::Interface;
use ipnet::Ipv4Net;
use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::InterfaceFlags;

use super::finding::Finding;

/// Every interface that could carry packets, with its addresses.
type Addresses = BTreeMap<String, BTreeSet<String>>;

/// Compares what the kernel has with what is declared.
pub(super) fn measure(declared: &[Interface]) -> Finding {
    let measured = match getifaddrs() {
        Ok(found) => words(&beside_loopback(found)),
        Err(error) => format!("could not be listed: {error}"),
    };
    Finding::new("interfaces", words(&planned(declared)), measured)
}

fn planned(interfaces: &[Interface]) -> Addresses {
    interfaces
        .iter()
        .map(|interface| {
            let addresses = interface.addresses.iter().map(ToString::to_string);
            (interface.name.clone(), addresses.collect())
        })
        .collect()
}

fn beside_loopback(found: impl Iterator<Item = InterfaceAddress>) -> Addresses {
    let mut addresses = Addresses::new();
    for interface in found {
        let is_loopback = interface.flags.contains(InterfaceFlags::IFF_LOOPBACK);
        let address = address(&interface);
        let is_ipv6 = address
            .as_ref()
            .is_some_and(|address| address.contains(':'));
        // Some kernels put a tunnel that is down into every namespace; it carries nothing.
        let carries = interface.flags.contains(InterfaceFlags::IFF_UP) || address.is_some();
        if carries && (!is_loopback || is_ipv6) {
            let of_interface = addresses.entry(interface.interface_name).or_default();
            of_interface.extend(address);
        }
    }
    addresses
}

fn address(interface: &InterfaceAddress) -> Option<String> {
    let address = interface.address.as_ref()?;
    if let Some(ipv6) = address.as_sockaddr_in6() {
        return Some(ipv6.ip().to_string());
    }
    let ipv4 = address.as_sockaddr_in()?.ip();
    let mask = interface
        .netmask
        .as_ref()
        .and_then(|mask| mask.as_sockaddr_in());
    let net = mask.and_then(|mask| Ipv4Net::with_netmask(ipv4, mask.ip()).ok());
    Some(net.map_or(ipv4.to_string(), |net| net.to_string()))
}

fn words(addresses: &Addresses) -> String {
    if addresses.is_empty() {
        return "none".to_owned();
    }
    let interfaces = addresses.iter().map(|(name, addresses)| {
        let addresses = addresses.iter().map(String::as_str);
        format!("{name} {}", addresses.collect::<Vec<_>>().join(" "))
    });
    interfaces.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn order_does_not_matter_and_a_missing_address_does() {
        let interface = |name: &str, addresses: &[&str]| Interface {
            name: name.to_owned(),
            network: "internet".to_owned(),
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        };
        let wan = interface("wan", &["203.0.113.3/24", "203.0.113.2/24"]);
        let lan = interface("lan", &["192.168.1.1/24"]);
        let told = words(&planned(&[wan, lan.clone()]));
        assert_eq!(
            told,
            "lan 192.168.1.1/24, wan 203.0.113.2/24 203.0.113.3/24"
        );
        assert_ne!(told, words(&planned(&[lan])));
    }

    #[test]
    fn an_interface_that_nobody_declared_is_found() {
        let finding = measure(&[]);
        assert_eq!(finding.declared, "none");
        // The machine that runs this has one beside the loopback, or none.
        let up = getifaddrs().unwrap().any(|interface| {
            let flags = interface.flags;
            flags.contains(InterfaceFlags::IFF_UP) && !flags.contains(InterfaceFlags::IFF_LOOPBACK)
        });
        assert_eq!(finding.measured != "none", up, "{finding:?}");
    }
}
