//! The keys of a scenario file.

use super::{Node, Read};
use crate::model::{
    Call, Carrier, Expect, ExpectedFlows, ExpectedPair, Gateway, NatOverride, Peer, Scenario, Site,
};
use std::collections::BTreeMap;

impl Read for Scenario {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            name: String::new(),
            written: None,
            description: table.required("description", "description = \"An office and a phone\""),
            tags: table.optional("tags").unwrap_or_default(),
            sites: table.required("sites", "[sites.office]"),
            peers: table.required("peers", "[[peers]]"),
            call: table.optional("call").unwrap_or_default(),
            servers: table.optional("servers").unwrap_or_default(),
            recovery: table.optional("recovery"),
            faults: table.optional("faults").unwrap_or_default(),
            expect: table.required("expect", "[expect]"),
        })
    }
}

impl<T: Read> Read for BTreeMap<String, T> {
    fn read(node: Node<'_>) -> Self {
        node.map()
    }
}

impl Read for Site {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            lan: table.required("lan", "lan = \"192.168.1.0/24\""),
            gateway: table.required("gateway", "gateway = { nat = \"home-router\" }"),
            carrier: table.optional("carrier"),
            link: table.optional("link").unwrap_or_default(),
            link_override: table.optional("link_override"),
            ipv6: table.optional("ipv6").unwrap_or_default(),
        })
    }
}

impl Read for Gateway {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            nat: table.required("nat", "nat = \"home-router\""),
            nat_override: table.optional("nat_override"),
            firewall: table.optional("firewall").unwrap_or_default(),
            firewall_override: table.optional("firewall_override"),
        })
    }
}

impl Read for Carrier {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            network: table.required("network", "network = \"100.64.0.0/24\""),
            nat: table.required("nat", "nat = \"mobile-carrier\""),
            nat_override: table.optional("nat_override"),
        })
    }
}

impl Read for NatOverride {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            mapping: table.optional("mapping"),
            filtering: table.optional("filtering"),
            port_preservation: table.optional("port_preservation"),
            hairpinning: table.optional("hairpinning"),
            udp_timeout_s: table
                .optional_with("udp_timeout_s", |node| node.number(&Self::TIMEOUT_S)),
            tcp_timeout_s: table
                .optional_with("tcp_timeout_s", |node| node.number(&Self::TIMEOUT_S)),
        })
    }
}

impl Read for Peer {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            name: table.required("name", "name = \"alice\""),
            site: table.required("site", "site = \"office\""),
            muted: table.optional("muted").unwrap_or_default(),
            uses_proxy: table.optional("uses_proxy").unwrap_or_default(),
            logs_in: table.optional("logs_in").unwrap_or_default(),
        })
    }
}

impl Read for Call {
    fn read(node: Node<'_>) -> Self {
        let usual = Self::default();
        node.table(|table| Self {
            policy: table.optional("policy").unwrap_or(usual.policy),
            media_ms: table
                .optional_with("media_ms", |node| node.number(&Self::MEDIA_MS))
                .unwrap_or(usual.media_ms),
            gathering_timeout_ms: table
                .optional_with("gathering_timeout_ms", |node| {
                    node.number(&Self::GATHERING_TIMEOUT_MS)
                })
                .unwrap_or(usual.gathering_timeout_ms),
            signalling: table.optional("signalling").unwrap_or(usual.signalling),
        })
    }
}

impl Read for Expect {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            connects: table.required("connects", "connects = true"),
            within_ms: table.required_with("within_ms", "within_ms = 10000", |node| {
                node.number(&Self::WITHIN_MS)
            }),
            relayed: table.optional("relayed"),
            media: table.optional("media").unwrap_or_default(),
            selected_pair: table.optional("selected_pair").unwrap_or_default(),
            recovery: table.optional("recovery"),
            flows: table.optional("flows").unwrap_or_default(),
        })
    }
}

impl Read for ExpectedFlows {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            audio: table.optional("audio").unwrap_or_default(),
            video: table.optional("video").unwrap_or_default(),
            data: table.optional("data").unwrap_or_default(),
        })
    }
}

impl Read for ExpectedPair {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            local: table.optional("local").unwrap_or_default(),
            remote: table.optional("remote").unwrap_or_default(),
            relay_protocol: table.optional("relay_protocol").unwrap_or_default(),
        })
    }
}
