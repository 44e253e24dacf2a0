//! The keys of a firewall's override.

use super::{Node, Read, out_of_range};
use crate::preset::{Action, Blocking, Direction, FirewallOverride, Protocol, Rule};
use ipnet::IpNet;
use std::net::IpAddr;

/// What a rule in a scenario file can do.
const ACTIONS: [(&str, Action); 4] = [
    ("accept", Action::Accept),
    ("accept-tls", Action::AcceptTls),
    ("drop", Action::Drop),
    ("reject", Action::Reject),
];

impl Read for FirewallOverride {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            blocking: table.optional("blocking"),
            server_names: table.optional("server_names"),
            udp_kbit: table.optional_with("udp_kbit", |node| node.number(&Self::UDP_KBIT)),
            rules: table.optional("rules").unwrap_or_default(),
        })
    }
}

/// A port, 1 to 65535.
pub(crate) fn port(node: &Node<'_>) -> u16 {
    let port = node.number(&Rule::PORT);
    u16::try_from(port).unwrap_or_else(|_| {
        let (message, hint) = out_of_range(port, &Rule::PORT);
        node.reject(message, hint);
        0
    })
}

impl Read for Rule {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            name: table.required("name", "name = \"own/drop-udp-443\""),
            direction: table.optional("direction").unwrap_or_default(),
            protocol: table.optional("protocol"),
            port: table.optional_with("port", |node| port(&node)),
            address: table.optional("address"),
            action: table.required("action", "action = \"drop\""),
        })
    }
}

impl Read for Action {
    fn read(node: Node<'_>) -> Self {
        node.one_of("rule's action", &ACTIONS.each_ref().map(|(word, _)| *word));
        let text = node.text().unwrap_or_default();
        let known = ACTIONS.into_iter().find(|(word, _)| *word == text);
        known.map_or(Self::Drop, |(_, action)| action)
    }
}

impl Read for Blocking {
    fn read(node: Node<'_>) -> Self {
        node.word("way of blocking").unwrap_or_default()
    }
}

impl Read for Direction {
    fn read(node: Node<'_>) -> Self {
        node.word("direction").unwrap_or_default()
    }
}

impl Read for Protocol {
    fn read(node: Node<'_>) -> Self {
        node.word("protocol").unwrap_or(Self::Tcp)
    }
}

impl Read for IpNet {
    fn read(node: Node<'_>) -> Self {
        let Some(text) = node.text() else {
            return Self::default();
        };
        let parsed = text.parse().ok();
        let address = || text.parse::<IpAddr>().ok().map(Self::from);
        parsed.or_else(address).unwrap_or_else(|| {
            node.reject(
                format!("`{text}` is no address or network"),
                "write for example \"203.0.113.100\" or \"203.0.113.0/24\"",
            );
            Self::default()
        })
    }
}
