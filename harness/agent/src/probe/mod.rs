//! Measures what the lab is, beside what the plan declares it to be.

mod ask;
mod finding;
mod interfaces;
mod isolation;
mod listener;
mod nat_filtering;
mod nat_mapping;
mod passage;
mod resolves;
mod responder;
mod tls;
mod wire;
mod words;

use farcall_plan::{Fact, Node};
use farcall_timeline::Measured;

pub(crate) use listener::listener_answers;
pub(crate) use responder::{ProbeError, Responder};

/// Measures a fact from this node.
pub(crate) async fn measure(node: &Node, ca_pem: &str, fact: &Fact) -> Measured {
    let finding = match fact {
        Fact::Interfaces { interfaces } => interfaces::measure(interfaces),
        Fact::NoRoute { to } => isolation::no_route(to),
        Fact::NoEmbeddedResolver => isolation::no_embedded_resolver().await,
        Fact::Resolves { name, address } => resolves::measure(node.resolver, name, *address).await,
        Fact::NatMapping {
            mapping,
            protocol,
            ports,
        } => nat_mapping::measure(*mapping, *protocol, *ports).await,
        Fact::NatFiltering { filtering, port } => nat_filtering::measure(*filtering, *port).await,
        Fact::Passage {
            protocol,
            port,
            payload,
            passage,
        } => passage::measure(*protocol, *port, *payload, *passage).await,
        Fact::ListenerAnswers {
            host,
            address,
            listener,
        } => listener::measure(host, *address, *listener, ca_pem).await,
    };
    Measured {
        node: node.name.clone(),
        aspect: fact.aspect(),
        holds: finding.declared == finding.measured,
        what: finding.what,
        declared: finding.declared,
        measured: finding.measured,
    }
}
