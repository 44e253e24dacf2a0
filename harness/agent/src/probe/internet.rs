//! Where a node finds the responder on the internet.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use farcall_plan::{Node, PROBE_ADDRESSES};
use ipnet::Ipv6Net;

/// The internet's IPv4 addresses as a node reaches them: as they are, or under the prefix of a NAT64.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Internet {
    nat64_prefix: Option<Ipv6Net>,
}

impl Internet {
    /// As this node does.
    pub(super) fn of(node: &Node) -> Self {
        let ipv6 = node.ipv6.as_ref();
        Self {
            nat64_prefix: ipv6.and_then(|ipv6| ipv6.nat64_prefix),
        }
    }

    /// The responder's first address.
    pub(super) fn responder(self, port: u16) -> SocketAddr {
        self.reach(SocketAddr::from((PROBE_ADDRESSES[0], port)))
    }

    /// The responder's first address at the first port, at the second, and its second address at the first
    /// port; with `mirrored` the second address and port come first.
    pub(super) fn responders(self, ports: [u16; 2], mirrored: bool) -> [SocketAddr; 3] {
        let (mut addresses, mut ports) = (PROBE_ADDRESSES, ports);
        if mirrored {
            addresses.reverse();
            ports.reverse();
        }
        let at = |address: usize, port: usize| {
            self.reach(SocketAddr::from((addresses[address], ports[port])))
        };
        [at(0, 0), at(0, 1), at(1, 0)]
    }

    /// What stands for this address where the node is (RFC 6052 section 2.2).
    pub(super) fn reach(self, address: SocketAddr) -> SocketAddr {
        match (self.nat64_prefix, address.ip()) {
            (Some(prefix), IpAddr::V4(ipv4)) => {
                let prefix = u128::from(prefix.network());
                let ipv6 = Ipv6Addr::from(prefix | u128::from(u32::from(ipv4)));
                SocketAddr::from((ipv6, address.port()))
            }
            _ => address,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn behind_a_nat64_ipv4_addresses_are_under_its_prefix() {
        let direct = Internet::default();
        assert_eq!(direct.responder(443).to_string(), "203.0.113.2:443");
        let translated = Internet {
            nat64_prefix: Some("2001:db8:64:ff9b::/96".parse().unwrap()),
        };
        let reached = translated
            .responders([443, 80], false)
            .map(|at| at.to_string());
        assert_eq!(
            reached,
            [
                "[2001:db8:64:ff9b::cb00:7102]:443",
                "[2001:db8:64:ff9b::cb00:7102]:80",
                "[2001:db8:64:ff9b::cb00:7103]:443",
            ]
        );
    }

    #[test]
    fn neighbours_ask_first_where_the_other_does_not() {
        let asked = |mirrored| Internet::default().responders([443, 80], mirrored);
        let ([first, ..], [mirrored_first, ..]) = (asked(false), asked(true));
        assert!(!asked(true).contains(&first));
        assert!(!asked(false).contains(&mirrored_first));
        assert!(asked(true)[1..].iter().all(|to| asked(false).contains(to)));
    }
}
