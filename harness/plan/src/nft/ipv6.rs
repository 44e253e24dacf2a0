//! What IPv6 needs of the rules: neighbours, and nothing else on the link. The host has a link-local address on every
//! bridge of Docker's, and answers to the groups of all nodes and all routers.

use super::ruleset::Chain;
use crate::ipv6::LAN;
use crate::model::NAT64_DEVICE;

/// Neighbour discovery (RFC 4861), without which there is no IPv6.
const NEIGHBOURS: &str = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert }";

/// Adds what a node with IPv6 sends to nobody, ahead of what it may send. An echo request to all nodes would make
/// the host answer by its own default route.
pub(super) fn closed_output(chain: Chain) -> Chain {
    chain
        .rule(NEIGHBOURS, "neighbours/accept-sent", "accept")
        .rule(
            "ip6 daddr { fe80::/10, ff00::/8 }",
            "isolation/drop-sent-link-local",
            "drop",
        )
}

/// Adds what a node with IPv6 takes from nobody, ahead of what it may take.
pub(super) fn closed_input(chain: Chain) -> Chain {
    chain
        .rule(NEIGHBOURS, "neighbours/accept-received", "accept")
        .rule(
            "icmpv6 type { nd-router-advert, nd-redirect }",
            "isolation/drop-router-advertisement",
            "drop",
        )
        .rule(
            "ip6 saddr fe80::/10",
            "isolation/drop-received-link-local",
            "drop",
        )
}

/// The chain of a gateway that drops all of a LAN's IPv6. Before routing: a packet without a route would be answered
/// with an error, and whoever is told so falls back to IPv4 at once.
pub(super) fn black_hole() -> Chain {
    Chain::base(
        "black-hole",
        "type filter hook prerouting priority filter; policy accept;",
    )
    .rule(NEIGHBOURS, "neighbours/accept", "accept")
    .rule(
        &format!("iifname \"{LAN}\" meta nfproto ipv6"),
        crate::ipv6::BLACK_HOLED,
        "drop",
    )
}

/// Adds the way of a LAN's packets to its translator and back, over IPv6.
pub(super) fn translated(chain: Chain) -> Chain {
    chain
        .rule(
            &format!("meta nfproto ipv6 iifname \"{LAN}\" oifname \"{NAT64_DEVICE}\""),
            "nat64/accept-to-translator",
            "accept",
        )
        .rule(
            &format!("meta nfproto ipv6 iifname \"{NAT64_DEVICE}\" oifname \"{LAN}\""),
            "nat64/accept-from-translator",
            "accept",
        )
}

/// Adds the way of a LAN's questions to its gateway's resolver.
pub(super) fn resolver(mut chain: Chain) -> Chain {
    for protocol in ["udp", "tcp"] {
        chain = chain.rule(
            &format!("iifname \"{LAN}\" {protocol} dport 53"),
            &format!("resolver/accept-{protocol}-over-ipv6"),
            "accept",
        );
    }
    chain
}
