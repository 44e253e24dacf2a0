//! Measures what the lab is, beside what the plan declares it to be.

mod arrivals;
mod ask;
mod bulk;
mod carry;
mod incoming;
mod interfaces;
mod internet;
mod isolation;
mod listener;
mod loss;
mod mtu;
mod nat_filtering;
mod nat_hairpinning;
mod nat_lifetime;
mod nat_mapping;
mod nat_ports;
mod outcome;
mod passage;
mod patience;
mod rate;
mod resolves;
mod responder;
mod round_trip;
mod signalling;
mod stamped;
mod tls;
mod traffic;
mod train;
mod tunnel;
mod turn;
mod wire;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use farcall_plan::{Fact, Node};
use farcall_timeline::Measured;
use hickory_resolver::proto::rr::RecordType;

use internet::Internet;
use outcome::Outcome;
use patience::Patience;

pub(crate) use carry::carry;
pub(crate) use listener::listener_answers;
pub(crate) use responder::{ProbeError, Responder};
pub(crate) use turn::Turn;

/// Measures a fact from this node. `round_trip` is the longest that an answer takes as the link is now; what needs a link
/// for itself sends in `turn`.
pub(crate) async fn measure(
    node: &Node,
    ca_pem: &str,
    fact: &Fact,
    round_trip: Duration,
    turn: &Turn,
) -> Measured {
    let patience = Patience::new(round_trip);
    let found = find(node, ca_pem, fact, patience, turn).await;
    Measured {
        node: node.name.clone(),
        aspect: fact.aspect(),
        what: fact.what(),
        declared: fact.declared(),
        measured: found.words,
        holds: found.holds,
    }
}

/// What is found holds when it has the words of what is declared, a quantity when it is within its tolerance.
async fn find(node: &Node, ca_pem: &str, fact: &Fact, patience: Patience, turn: &Turn) -> Outcome {
    let declared = &fact.declared();
    let internet = Internet::of(node);
    let words = match fact {
        Fact::Interfaces { interfaces } => interfaces::measure(interfaces),
        Fact::NoRoute { to } => isolation::no_route(to),
        Fact::NoEmbeddedResolver => isolation::no_embedded_resolver().await,
        Fact::LinkLocalClosed => isolation::link_local(),
        Fact::Resolves { name, .. } => {
            resolves::measure(resolver(node), name, RecordType::A, patience, declared).await
        }
        Fact::ResolvesToIpv6 { name, .. } => {
            resolves::measure(resolver(node), name, RecordType::AAAA, patience, declared).await
        }
        Fact::Ipv6Passage {
            protocol,
            address,
            port,
            ..
        } => {
            let to = SocketAddr::from((*address, *port));
            passage::measure_plain(*protocol, to, patience, declared).await
        }
        Fact::Ipv6Filtering { address, port, .. } => {
            let to = SocketAddr::from((*address, *port));
            nat_filtering::measure(to, None, patience, declared).await
        }
        Fact::NatMapping {
            protocol,
            ports,
            source_port,
            mirrored,
            ..
        } => {
            nat_mapping::measure(
                *protocol,
                internet.responders(*ports, *mirrored),
                *source_port,
                patience,
                declared,
            )
            .await
        }
        Fact::NatFiltering {
            port, source_port, ..
        } => {
            nat_filtering::measure(internet.responder(*port), *source_port, patience, declared)
                .await
        }
        Fact::NatPortPreservation { port, .. } => {
            nat_ports::measure(internet.responder(*port), patience, declared).await
        }
        Fact::NatHairpinning { port, .. } => {
            nat_hairpinning::measure(internet, *port, patience, declared).await
        }
        Fact::Passage {
            protocol,
            port,
            payload,
            server_name,
            proxy,
            ..
        } => {
            let attempt = passage::Attempt {
                protocol: *protocol,
                to: internet.responder(*port),
                payload: *payload,
                server_name: server_name.as_deref(),
                proxy: *proxy,
            };
            passage::measure(attempt, patience, declared).await
        }
        Fact::IncomingTcp { port, over, .. } => {
            incoming::measure(*port, internet.responder(*over), patience, declared).await
        }
        Fact::ServerPassage {
            host,
            address,
            listener,
            ..
        } => listener::passage(host, *address, *listener, ca_pem, declared).await,
        Fact::Mtu {
            direction,
            mtu,
            fragmentation_needed,
            port,
        } => {
            let larger = fragmentation_needed.is_some();
            mtu::measure(
                *direction,
                *mtu,
                larger,
                internet.responder(*port),
                patience,
                declared,
            )
            .await
        }
        Fact::ListenerAnswers {
            host,
            address,
            listener,
        }
        | Fact::ListenerRefuses {
            host,
            address,
            listener,
        } => listener::measure(host, *address, *listener, ca_pem, declared).await,
        Fact::SignallingAnswers {
            host,
            address,
            port,
        } => signalling::measure(host, *address, *port, ca_pem, declared).await,
        Fact::ListenerCertificate {
            host,
            address,
            listener,
            ..
        } => {
            let at = SocketAddr::from((*address, listener.port));
            listener::certificate(host, at, ca_pem, declared).await
        }
        Fact::RelayPortsBlocked { address, port, .. } => {
            listener::closed_port(SocketAddr::from((*address, *port)), declared).await
        }
        Fact::ResolvesSlowly { name, delay_ms, .. } => {
            let delay = Duration::from_millis((*delay_ms).into());
            resolves::measure_slow(resolver(node), name, delay, declared).await
        }
        Fact::NameMissing { name } => {
            resolves::measure(resolver(node), name, RecordType::A, patience, declared).await
        }
        Fact::NatUdpTimeout { timeout_s, port } => {
            let timeout = Duration::from_secs((*timeout_s).into());
            return nat_lifetime::measure(timeout, internet.responder(*port), patience).await;
        }
        Fact::RoundTrip {
            rtt_ms,
            jitter_ms,
            sending_ms,
            overtaking,
            protocol,
            port,
        } => {
            let declared = round_trip::Declared {
                rtt_ms: *rtt_ms,
                jitter_ms: *jitter_ms,
                sending_ms: *sending_ms,
                overtaking: *overtaking,
            };
            let to = internet.responder(*port);
            return round_trip::measure(declared, *protocol, to, patience, turn).await;
        }
        Fact::Rate {
            direction,
            kbit,
            queue_ms,
            jitter_ms,
            port,
        } => {
            let declared = rate::Declared {
                kbit: *kbit,
                queue_ms: *queue_ms,
                jitter_ms: *jitter_ms,
            };
            let to = internet.responder(*port);
            return rate::measure(*direction, declared, to, patience, turn).await;
        }
        Fact::TracedRate {
            direction,
            window_ms,
            least_kbit,
            most_kbit,
            port,
        } => {
            let declared = rate::Traced {
                window_ms: *window_ms,
                least_kbit: *least_kbit,
                most_kbit: *most_kbit,
            };
            let to = internet.responder(*port);
            return rate::measure_traced(*direction, declared, to, patience, turn).await;
        }
        Fact::PolicedRate {
            direction,
            kbit,
            port,
        } => {
            let to = internet.responder(*port);
            return rate::measure_policed(*direction, *kbit, to, patience, turn).await;
        }
        Fact::FateRatio {
            fate,
            direction,
            percent,
            tolerance_percent,
            packets,
            per_second,
            port,
        } => {
            let declared = loss::Declared {
                fate: *fate,
                percent: *percent,
                tolerance_percent: *tolerance_percent,
                packets: *packets,
                per_second: *per_second,
            };
            let to = internet.responder(*port);
            return loss::measure(*direction, declared, to, patience, turn).await;
        }
    };
    let holds = words == *declared;
    Outcome { words, holds }
}

fn resolver(node: &Node) -> Option<IpAddr> {
    let over_ipv6 = node.ipv6.as_ref().and_then(|ipv6| ipv6.resolver);
    node.resolver
        .map(IpAddr::from)
        .or(over_ipv6.map(IpAddr::from))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use farcall_plan::Role;
    use std::net::Ipv4Addr;

    fn node() -> Node {
        Node {
            name: "alice".to_owned(),
            interfaces: Vec::new(),
            routes: Vec::new(),
            sysctls: Default::default(),
            nftables: String::new(),
            resolver: None,
            ipv6: None,
            role: Role::Probe,
        }
    }

    #[tokio::test]
    async fn what_is_found_beside_what_is_declared_decides() {
        let no_way = Fact::NoRoute { to: Vec::new() };
        let measured = measure(&node(), "", &no_way, Duration::ZERO, &Turn::default()).await;
        assert!(measured.holds, "{measured:?}");
        let loopback = Fact::NoRoute {
            to: vec![Ipv4Addr::LOCALHOST.into()],
        };
        let measured = measure(&node(), "", &loopback, Duration::ZERO, &Turn::default()).await;
        assert!(!measured.holds, "{measured:?}");
        let unresolved = Fact::Resolves {
            name: "turn.example".to_owned(),
            address: "203.0.113.20".parse().unwrap(),
        };
        let measured = measure(&node(), "", &unresolved, Duration::ZERO, &Turn::default()).await;
        assert!(!measured.holds, "{measured:?}");
        assert_eq!(measured.node, "alice");
        assert!(measured.measured.contains("no resolver"), "{measured:?}");
    }
}
