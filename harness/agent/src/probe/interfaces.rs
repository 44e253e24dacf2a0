//! Which interfaces and addresses a node has.

use std::collections::BTreeMap;

use farcall_plan::Interface;
use ipnet::{Ipv4Net, Ipv6Net};
use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::InterfaceFlags;

/// What the kernel has.
#[derive(Default)]
struct Found {
    /// Every interface that could carry packets beside the loopback, with its IPv4 addresses.
    ipv4: BTreeMap<String, Vec<Ipv4Net>>,
    /// Every IPv6 address, the loopback's too, with its interface.
    ipv6: Vec<(String, Ipv6Net)>,
}

/// Lists what the kernel has, in the words and order of what is declared.
pub(super) fn measure(declared: &[Interface]) -> String {
    match getifaddrs() {
        Ok(found) => words(declared, &sorted(found)),
        Err(error) => format!("could not be measured: {error}"),
    }
}

fn sorted(interfaces: impl Iterator<Item = InterfaceAddress>) -> Found {
    let mut found = Found::default();
    for interface in interfaces {
        let name = &interface.interface_name;
        let ipv6 = ipv6(&interface).map(|address| (name.clone(), address));
        found.ipv6.extend(ipv6);
        let ipv4 = ipv4(&interface);
        // Some kernels put a tunnel that is down into every namespace; it carries nothing.
        let carries = ipv4.is_some() || interface.flags.contains(InterfaceFlags::IFF_UP);
        if carries && !interface.flags.contains(InterfaceFlags::IFF_LOOPBACK) {
            found.ipv4.entry(name.clone()).or_default().extend(ipv4);
        }
    }
    found
}

fn ipv4(interface: &InterfaceAddress) -> Option<Ipv4Net> {
    let address = interface.address.as_ref()?.as_sockaddr_in()?.ip();
    let mask = interface.netmask.as_ref()?.as_sockaddr_in()?.ip();
    Ipv4Net::with_netmask(address, mask).ok()
}

fn ipv6(interface: &InterfaceAddress) -> Option<Ipv6Net> {
    let address = interface.address.as_ref()?.as_sockaddr_in6()?.ip();
    let mask = interface.netmask.as_ref()?.as_sockaddr_in6()?.ip();
    Ipv6Net::with_netmask(address, mask).ok()
}

fn words(declared: &[Interface], found: &Found) -> String {
    let mut found_ipv4 = found.ipv4.clone();
    let mut found_ipv6 = found.ipv6.clone();
    let has_ipv6 = declared.iter().any(|at| !at.addresses_v6.is_empty());
    if has_ipv6 {
        found_ipv6.retain(|(_, address)| !address.addr().is_loopback());
    }
    let mut interfaces = Vec::new();
    for interface in declared {
        if let Some(addresses) = found_ipv4.remove(&interface.name) {
            let mut interface = interface.clone();
            interface.addresses = in_order_of(&interface.addresses, addresses);
            if has_ipv6 {
                let own = found_ipv6.extract_if(.., |(name, _)| *name == interface.name);
                let own = own.map(|(_, address)| address).collect();
                interface.addresses_v6 = in_order_of(&interface.addresses_v6, own);
            }
            interfaces.push(interface);
        }
    }
    interfaces.extend(found_ipv4.into_iter().map(|(name, addresses)| Interface {
        name,
        network: "no declared network".to_owned(),
        addresses,
        addresses_v6: Vec::new(),
    }));
    let mut words = interfaces
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>();
    let more = found_ipv6
        .iter()
        .map(|(name, address)| format!("{} on {name}", address.addr()))
        .collect::<Vec<_>>();
    match (more.is_empty(), has_ipv6) {
        (true, true) => {}
        (true, false) => words.push("no IPv6".to_owned()),
        (false, _) => words.push(format!("IPv6 {}", more.join(", "))),
    }
    words.join("; ")
}

/// Those that are declared first, in their order.
fn in_order_of<N: PartialEq>(declared: &[N], mut found: Vec<N>) -> Vec<N> {
    found.sort_by_key(|address| {
        let place = declared.iter().position(|other| other == address);
        place.unwrap_or(declared.len())
    });
    found
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use farcall_plan::Fact;

    fn interface(name: &str, addresses: &[&str]) -> Interface {
        Interface {
            name: name.to_owned(),
            network: "internet".to_owned(),
            addresses: nets(addresses),
            addresses_v6: Vec::new(),
        }
    }

    fn nets(addresses: &[&str]) -> Vec<Ipv4Net> {
        addresses.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn found(interfaces: &[(&str, &[&str])]) -> Found {
        let interfaces = interfaces.iter();
        let ipv4 = interfaces.map(|(name, addresses)| ((*name).to_owned(), nets(addresses)));
        Found {
            ipv4: ipv4.collect(),
            ipv6: Vec::new(),
        }
    }

    #[test]
    fn what_is_as_declared_has_the_words_of_the_declaration() {
        let interfaces = vec![
            interface("wan", &["203.0.113.3/24", "203.0.113.2/24"]),
            interface("lan", &["192.168.1.1/24"]),
        ];
        let exact = found(&[
            ("lan", &["192.168.1.1/24"]),
            ("wan", &["203.0.113.2/24", "203.0.113.3/24"]),
        ]);
        let told = words(&interfaces, &exact);
        assert_eq!(told, Fact::Interfaces { interfaces }.declared());
    }

    #[test]
    fn whatever_is_missing_or_too_much_is_told() {
        let declared = [interface("eth", &["203.0.113.3/24"])];
        let none = words(&declared, &found(&[]));
        assert_eq!(none, "no IPv6");
        let more = words(
            &declared,
            &found(&[("eth", &["10.0.0.2/24", "203.0.113.3/24"]), ("eth1", &[])]),
        );
        assert!(more.contains("203.0.113.3/24, 10.0.0.2/24"), "{more}");
        assert!(more.contains("eth1 in no declared network"), "{more}");
        let mut with_ipv6 = found(&[("eth", &["203.0.113.3/24"])]);
        let link_local = ("eth".to_owned(), "fe80::1/64".parse().unwrap());
        with_ipv6.ipv6.push(link_local.clone());
        let told = words(&declared, &with_ipv6);
        assert!(told.ends_with("IPv6 fe80::1 on eth"), "{told}");
    }

    #[test]
    fn ipv6_is_as_declared_or_told() {
        let mut declared = [interface("eth", &[])];
        declared[0].addresses_v6 = vec!["2001:db8:1:1::10/64".parse().unwrap()];
        let mut with_ipv6 = found(&[("eth", &[])]);
        with_ipv6.ipv6 = vec![
            ("lo".to_owned(), "::1/128".parse().unwrap()),
            ("eth".to_owned(), declared[0].addresses_v6[0]),
        ];
        let told = words(&declared, &with_ipv6);
        let interfaces = declared.to_vec();
        assert_eq!(told, Fact::Interfaces { interfaces }.declared());
        let link_local = ("eth".to_owned(), "fe80::1/64".parse().unwrap());
        with_ipv6.ipv6.push(link_local);
        let told = words(&declared, &with_ipv6);
        assert!(told.ends_with("2001:db8:1:1::10/64, fe80::1/64"), "{told}");
        let none = words(&declared, &found(&[("eth", &[])]));
        assert_eq!(none, "eth in internet");
    }

    #[test]
    fn the_kernel_is_asked() {
        // The machine that runs this has an interface beside the loopback, or none.
        let up = getifaddrs().unwrap().any(|interface| {
            let flags = interface.flags;
            flags.contains(InterfaceFlags::IFF_UP) && !flags.contains(InterfaceFlags::IFF_LOOPBACK)
        });
        let measured = measure(&[]);
        assert_eq!(measured.contains("no declared network"), up, "{measured}");
    }
}
