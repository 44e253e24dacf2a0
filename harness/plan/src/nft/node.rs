//! The rulesets of peers and the probe, and what is in that of every node.

use super::ipv6;
use super::ruleset::{Chain, Ruleset};
use crate::layout::{PROBE, PeerLayout};
use crate::model::PROBE_PORTS;

/// The chain that every node has: Docker's embedded resolver would be a way to the host.
pub(super) fn isolation(has_ipv6: bool) -> Chain {
    let chain = Chain::base(
        "output",
        "type filter hook output priority filter; policy accept;",
    );
    let chain = match has_ipv6 {
        true => ipv6::closed_output(chain),
        false => chain,
    };
    chain.rule(
        "ip daddr 127.0.0.11",
        "isolation/drop-embedded-resolver",
        "drop",
    )
}

/// A peer filters nothing: what protects it, or hinders it, is its gateway.
pub(crate) fn peer(peer: &PeerLayout, has_ipv6: bool) -> String {
    let mut ruleset = Ruleset::new(format!("{}: a peer in {}", peer.name, peer.port.network));
    if has_ipv6 {
        ruleset = ruleset.chain(input());
    }
    ruleset.chain(isolation(has_ipv6)).text()
}

/// Takes everything but what would be a way to the host.
fn input() -> Chain {
    ipv6::closed_input(Chain::base(
        "input",
        "type filter hook input priority filter; policy accept;",
    ))
}

/// The probe answers at every port: what is sent to one where it does not listen is brought to one
/// where it does, at the same address.
pub(crate) fn probe(has_ipv6: bool) -> String {
    let mut prerouting = Chain::base(
        "prerouting",
        "type nat hook prerouting priority dstnat; policy accept;",
    );
    for protocol in ["tcp", "udp"] {
        for (parity, (word, port)) in ["even", "odd"].into_iter().zip(PROBE_PORTS).enumerate() {
            prerouting = prerouting.rule(
                &format!("{protocol} dport & 1 == {parity}"),
                &format!("probe/{word}-{protocol}-ports"),
                &format!("dnat to :{port}"),
            );
        }
    }
    let mut ruleset = Ruleset::new(format!("{PROBE}: answers at every port")).chain(prerouting);
    if has_ipv6 {
        ruleset = ruleset.chain(input());
    }
    ruleset.chain(isolation(has_ipv6)).text()
}
