//! Interfaces, addresses and routes: from what Docker gave the container to what the node has.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use farcall_plan::Node;
use nix::ifaddrs::getifaddrs;

use super::SetupError;

/// The names that Docker gave to the interfaces with these addresses, in their order.
pub(super) fn docker_names(addresses: &[Ipv4Addr]) -> Result<Vec<String>, SetupError> {
    let found = getifaddrs()
        .map_err(|source| SetupError::ListInterfaces { source })?
        .filter_map(|interface| {
            let address = interface.address?.as_sockaddr_in()?.ip();
            Some((interface.interface_name, address))
        })
        .collect::<Vec<_>>();
    names(&found, addresses)
}

fn names(found: &[(String, Ipv4Addr)], addresses: &[Ipv4Addr]) -> Result<Vec<String>, SetupError> {
    let name_of = |address: &Ipv4Addr| {
        let named = found.iter().find(|(_, of)| of == address);
        named.map(|(name, _)| name.clone()).ok_or_else(|| {
            let found = found.iter().map(|(name, of)| format!("{name} {of}"));
            SetupError::NoInterface {
                address: *address,
                found: found.collect::<Vec<_>>().join(", "),
            }
        })
    };
    addresses.iter().map(name_of).collect()
}

/// What makes the interfaces with these names those of the node, for `ip -batch -`.
///
/// Taking an interface down removes all its routes, Docker's default route among them.
pub(super) fn batch(names: &[String], node: &Node) -> String {
    let mut lines = Vec::new();
    // Two steps, since a new name may be the old one of another interface.
    for (index, name) in names.iter().enumerate() {
        lines.push(format!("link set dev {name} down"));
        lines.push(format!("link set dev {name} name renamed{index}"));
    }
    for (index, interface) in node.interfaces.iter().enumerate() {
        let name = &interface.name;
        lines.push(format!("link set dev renamed{index} name {name}"));
        lines.push(format!("address flush dev {name}"));
        for address in &interface.addresses {
            lines.push(format!("address add {address} broadcast + dev {name}"));
        }
        for address in &interface.addresses_v6 {
            // Nobody else has it, and until its detection is over (RFC 4862 section 5.4) it could not be used.
            lines.push(format!("address add {address} dev {name} nodad"));
        }
        lines.push(format!("link set dev {name} up"));
    }
    for route in &node.routes {
        lines.push(format!("route add {} via {}", route.to, route.via));
    }
    for route in node.ipv6.iter().flat_map(|ipv6| &ipv6.routes) {
        lines.push(format!("route add {} via {}", route.to, route.via));
    }
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use farcall_plan::{Interface, Ipv6Route, NodeIpv6, Role, Route};

    fn interface(name: &str, addresses: &[&str]) -> Interface {
        Interface {
            name: name.to_owned(),
            network: "office-lan".to_owned(),
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            addresses_v6: Vec::new(),
        }
    }

    #[test]
    fn interfaces_are_renamed_addressed_and_routed() {
        let node = Node {
            name: "office-gateway".to_owned(),
            interfaces: vec![
                interface("eth1", &["192.168.1.1/24"]),
                interface("wan", &["203.0.113.10/24", "203.0.113.11/32"]),
            ],
            routes: vec![Route {
                to: "0.0.0.0/0".parse().unwrap(),
                via: Ipv4Addr::new(203, 0, 113, 1),
            }],
            sysctls: Default::default(),
            nftables: String::new(),
            resolver: None,
            ipv6: None,
            role: Role::Gateway(farcall_plan::Gateway::default()),
        };
        let names = ["eth0".to_owned(), "eth1".to_owned()];
        assert_eq!(
            batch(&names, &node),
            "link set dev eth0 down\n\
             link set dev eth0 name renamed0\n\
             link set dev eth1 down\n\
             link set dev eth1 name renamed1\n\
             link set dev renamed0 name eth1\n\
             address flush dev eth1\n\
             address add 192.168.1.1/24 broadcast + dev eth1\n\
             link set dev eth1 up\n\
             link set dev renamed1 name wan\n\
             address flush dev wan\n\
             address add 203.0.113.10/24 broadcast + dev wan\n\
             address add 203.0.113.11/32 broadcast + dev wan\n\
             link set dev wan up\n\
             route add 0.0.0.0/0 via 203.0.113.1\n"
        );
    }

    #[test]
    fn ipv6_addresses_can_be_used_at_once() {
        let mut lan = interface("lan", &["192.168.1.10/24"]);
        lan.addresses_v6 = vec!["2001:db8:1:1::10/64".parse().unwrap()];
        let ipv6 = NodeIpv6 {
            routes: vec![Ipv6Route {
                to: "::/0".parse().unwrap(),
                via: "2001:db8:1:1::1".parse().unwrap(),
            }],
            ..NodeIpv6::default()
        };
        let node = Node {
            name: "alice".to_owned(),
            interfaces: vec![lan],
            routes: Vec::new(),
            sysctls: Default::default(),
            nftables: String::new(),
            resolver: None,
            ipv6: Some(ipv6),
            role: Role::Peer { muted: false },
        };
        assert_eq!(
            batch(&["eth0".to_owned()], &node),
            "link set dev eth0 down\n\
             link set dev eth0 name renamed0\n\
             link set dev renamed0 name lan\n\
             address flush dev lan\n\
             address add 192.168.1.10/24 broadcast + dev lan\n\
             address add 2001:db8:1:1::10/64 dev lan nodad\n\
             link set dev lan up\n\
             route add ::/0 via 2001:db8:1:1::1\n"
        );
    }

    #[test]
    fn interfaces_are_found_by_docker_s_addresses() {
        let found = [
            ("lo".to_owned(), Ipv4Addr::LOCALHOST),
            ("eth1".to_owned(), Ipv4Addr::new(10, 9, 0, 2)),
            ("eth0".to_owned(), Ipv4Addr::new(10, 9, 0, 18)),
        ];
        let wanted = [Ipv4Addr::new(10, 9, 0, 18), Ipv4Addr::new(10, 9, 0, 2)];
        assert_eq!(names(&found, &wanted).unwrap(), ["eth0", "eth1"]);
        let missing = names(&found, &[Ipv4Addr::new(10, 9, 0, 3)]).unwrap_err();
        let message = missing.to_string();
        assert!(message.contains("10.9.0.3"), "{message}");
        assert!(message.contains("eth1 10.9.0.2"), "{message}");
    }
}
