//! TURN servers have the listeners that URLs name, and no others.

use super::near;
use crate::coturn::RELAY_PORTS;
use crate::ipv6::listening;
use crate::layout::{Layout, PROBE};
use crate::model::{Declaration, Fact, Listener};
use crate::servers::Demand;
use farcall_scenario::ServerCondition;
use farcall_timeline::IceTransport;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Where STUN and TURN servers listen by default, over UDP and TCP (RFC 8489, RFC 8656).
const DEFAULT_PORT: u16 = 3478;

/// What the probe finds at every server.
pub(super) fn declarations(layout: &Layout) -> Vec<Declaration> {
    let mut all = Vec::new();
    let at = layout.servers.iter().flat_map(|server| {
        let also = listening(layout, server.primary).map(IpAddr::from);
        let addresses = [server.address.into()].into_iter().chain(also);
        addresses.map(move |address| (server, address))
    });
    for (server, address) in at {
        let demand = &server.demand;
        let answers = demand
            .listeners
            .iter()
            .map(|listener| match demand.certificate() {
                Some(flaw) if listener.transport == IceTransport::Tls => {
                    Fact::ListenerCertificate {
                        host: demand.host.clone(),
                        address,
                        listener: *listener,
                        flaw,
                    }
                }
                _ => Fact::ListenerAnswers {
                    host: demand.host.clone(),
                    address,
                    listener: *listener,
                },
            });
        let refuses = not_named(demand)
            .into_iter()
            .map(|listener| Fact::ListenerRefuses {
                host: demand.host.clone(),
                address,
                listener,
            });
        let blocked = demand.has(ServerCondition::RelayPortsBlocked);
        let blocked = blocked.then(|| Fact::RelayPortsBlocked {
            host: demand.host.clone(),
            address,
            port: RELAY_PORTS.0,
        });
        all.extend(
            answers
                .chain(refuses)
                .chain(blocked)
                .map(|fact| near(PROBE, fact)),
        );
    }
    all
}

/// Listeners that no URL names, where a server most likely has them: the other transports of each port
/// that one names, and of the port that STUN and TURN have by default.
fn not_named(demand: &Demand) -> Vec<Listener> {
    let named = |port, transport| demand.listeners.contains(&Listener { port, transport });
    let told_apart = demand.tells_tls_apart();
    // A relayed transport address may be there.
    let relays_at = |port| demand.relays && (RELAY_PORTS.0..=RELAY_PORTS.1).contains(&port);
    let listeners = demand.listeners.iter().chain(&demand.missing);
    let mut ports: BTreeSet<u16> = listeners.map(|at| at.port).collect();
    ports.insert(DEFAULT_PORT);
    let mut missing = Vec::new();
    for port in ports {
        let (tcp, tls) = (
            named(port, IceTransport::Tcp),
            named(port, IceTransport::Tls),
        );
        let udp = named(port, IceTransport::Udp) || relays_at(port);
        let refused = [
            (IceTransport::Udp, !udp),
            // Where TLS is named, the port is open; only a server that speaks both tells them apart.
            (IceTransport::Tcp, !tcp && (!tls || told_apart)),
            (IceTransport::Tls, !tls && tcp && told_apart),
        ];
        let refused = refused.into_iter().filter(|(_, is_refused)| *is_refused);
        missing.extend(refused.map(|(transport, _)| Listener { port, transport }));
    }
    missing
}
