//! Measures what the lab is, beside what the plan declares it to be.

mod ask;
mod interfaces;
mod isolation;
mod listener;
mod nat_filtering;
mod nat_mapping;
mod passage;
mod patience;
mod resolves;
mod responder;
mod tls;
mod wire;

use farcall_plan::{Fact, Node};
use farcall_timeline::Measured;

pub(crate) use listener::listener_answers;
pub(crate) use responder::{ProbeError, Responder};

/// Measures a fact from this node. It holds when what is found has the words of what is declared.
pub(crate) async fn measure(node: &Node, ca_pem: &str, fact: &Fact) -> Measured {
    let declared = fact.declared();
    let measured = match fact {
        Fact::Interfaces { interfaces } => interfaces::measure(interfaces),
        Fact::NoRoute { to } => isolation::no_route(to),
        Fact::NoEmbeddedResolver => isolation::no_embedded_resolver().await,
        Fact::Resolves { name, .. } => resolves::measure(node.resolver, name, &declared).await,
        Fact::NatMapping {
            protocol, ports, ..
        } => nat_mapping::measure(*protocol, *ports, &declared).await,
        Fact::NatFiltering { port, .. } => nat_filtering::measure(*port, &declared).await,
        Fact::NatPortPreservation { .. }
        | Fact::NatHairpinning { .. }
        | Fact::NatUdpTimeout { .. }
        | Fact::RoundTrip { .. }
        | Fact::Rate { .. }
        | Fact::Mtu { .. }
        | Fact::LossRatio { .. } => "not measured".to_owned(),
        Fact::Passage {
            protocol,
            port,
            payload,
            ..
        } => passage::measure(*protocol, *port, *payload, &declared).await,
        Fact::ListenerAnswers {
            host,
            address,
            listener,
        }
        | Fact::ListenerRefuses {
            host,
            address,
            listener,
        } => listener::measure(host, *address, *listener, ca_pem, &declared).await,
    };
    Measured {
        node: node.name.clone(),
        aspect: fact.aspect(),
        what: fact.what(),
        holds: declared == measured,
        declared,
        measured,
    }
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
            role: Role::Probe,
        }
    }

    #[tokio::test]
    async fn what_is_found_beside_what_is_declared_decides() {
        let no_way = Fact::NoRoute { to: Vec::new() };
        let measured = measure(&node(), "", &no_way).await;
        assert!(measured.holds, "{measured:?}");
        let loopback = Fact::NoRoute {
            to: vec![Ipv4Addr::LOCALHOST],
        };
        let measured = measure(&node(), "", &loopback).await;
        assert!(!measured.holds, "{measured:?}");
        let unresolved = Fact::Resolves {
            name: "turn.example".to_owned(),
            address: "203.0.113.20".parse().unwrap(),
        };
        let measured = measure(&node(), "", &unresolved).await;
        assert!(!measured.holds, "{measured:?}");
        assert_eq!(measured.node, "alice");
        assert!(measured.measured.contains("no resolver"), "{measured:?}");
    }
}
