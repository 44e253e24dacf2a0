//! The ruleset of a STUN and TURN server.

use super::inspect::inspection;
use super::ipv6::closed_input;
use super::node::isolation;
use super::ruleset::{Chain, Ruleset};
use crate::coturn::RELAY_PORTS;
use crate::layout::ServerLayout;
use crate::model::Payload;
use farcall_scenario::ServerCondition;
use farcall_timeline::IceTransport;
use std::collections::BTreeSet;

/// The ruleset of a server, which has exactly its listeners: every other port is as one on which
/// nobody listens.
pub(crate) fn server(server: &ServerLayout, has_ipv6: bool) -> String {
    let listeners = &server.demand.listeners;
    let on = |transport| {
        let same = listeners.iter().filter(move |at| at.transport == transport);
        same.map(|at| at.port).collect::<BTreeSet<u16>>()
    };
    let (tcp, tls) = (on(IceTransport::Tcp), on(IceTransport::Tls));
    // coturn that speaks both does so at each of its ports.
    let mixed = server.demand.tells_tls_apart();
    let mut ruleset = Ruleset::new(format!("{}: exactly its listeners", server.demand.host));
    let mut input = Chain::base(
        "input",
        "type filter hook input priority filter; policy drop;",
    );
    if server.demand.has(ServerCondition::RelayPortsBlocked) {
        // What one relayed address sends to another of the same server too, as behind a provider's own translation.
        // Who asks from 127.0.0.1 is the node itself.
        let (first, last) = RELAY_PORTS;
        let ports = format!("ip daddr != 127.0.0.0/8 udp dport {first}-{last}");
        input = input.rule(&ports, "relay/blocked", "drop");
    }
    input = input.rule("iifname \"lo\"", "input/accept-loopback", "accept");
    if has_ipv6 {
        input = closed_input(input);
    }
    for port in on(IceTransport::Udp) {
        let counter = format!("listen/udp-{port}");
        input = input.rule(&format!("udp dport {port}"), &counter, "accept");
    }
    for port in tcp.union(&tls) {
        let (name, expected, other) = match (tcp.contains(port), tls.contains(port)) {
            (true, true) => ("tcp-and-tls", None, ""),
            (true, false) => ("tcp", mixed.then_some(Payload::Plain), "tls"),
            (false, _) => ("tls", mixed.then_some(Payload::Tls), "tcp"),
        };
        let (matches, counter) = (format!("tcp dport {port}"), format!("listen/{name}-{port}"));
        input = match expected {
            None => input.rule(&matches, &counter, "accept"),
            Some(payload) => {
                let chain = format!("{name}-{port}");
                let reset = format!("listen/reset-{other}-{port}");
                ruleset = ruleset.chain(inspection(&chain, payload, &counter, &reset));
                input.jump(&matches, &chain)
            }
        };
    }
    if server.demand.relays {
        let (first, last) = RELAY_PORTS;
        let ports = format!("udp dport {first}-{last}");
        input = input.rule(&ports, "relay/udp", "accept");
    }
    input = input
        .rule(
            "ct state established,related",
            "input/accept-established",
            "accept",
        )
        .rule(
            "meta l4proto tcp",
            "closed/reset-tcp",
            "reject with tcp reset",
        )
        .rule(
            "meta l4proto udp",
            "closed/unreachable-udp",
            "reject with icmpx port-unreachable",
        )
        .rule("", "input/drop-other", "drop");
    ruleset.chain(input).chain(isolation(has_ipv6)).text()
}
