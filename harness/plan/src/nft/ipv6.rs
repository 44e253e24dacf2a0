//! What IPv6 needs of the rules: neighbours, and nothing else on the link. The host has a link-local address on every
//! bridge of Docker's, and answers to the groups of all nodes and all routers.

use super::ruleset::Chain;
use crate::ipv6::LAN;
use crate::layout::Router;
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

/// The chain of what a gateway forwards over IPv6.
pub(super) const ROUTED: &str = "routed-ipv6";

/// The chain of a gateway that forwards IPv6 as RFC 6092 recommends to a home's: what the LAN asks for goes out, where
/// there is a firewall by its rules, and nothing comes in that answers nothing (REC-11 for UDP, REC-35 for TCP).
pub(super) fn routed(router: &Router, outgoing: Option<&str>) -> Chain {
    let (inside, outside) = (router.inside.interface, router.outside.interface);
    let outwards = format!("iifname \"{inside}\" oifname \"{outside}\"");
    let chain = Chain::regular(ROUTED)
        .rule("ct state invalid", "ipv6/drop-invalid", "drop")
        .rule("ct state related", "ipv6/accept-related", "accept")
        .rule("ct direction reply", "ipv6/accept-reply", "accept");
    let chain = match outgoing {
        Some(rules) => chain.jump(&outwards, rules),
        None => chain.rule(&outwards, "ipv6/accept-outgoing", "accept"),
    };
    chain.rule("", "ipv6/drop-unsolicited", "drop")
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
