//! What the NATs of a site come to together, as far as something passes to see it with.

use super::ports::{even_and_odd, passing};
use crate::layout::SiteLayout;
use crate::model::{Fact, Passage, Payload, ProbeProtocol};
use crate::passage::{Attempt, incoming, lets_all_udp};
use farcall_scenario::{Behaviour, Direction, Nat};
use std::collections::BTreeSet;

/// The source port from which every peer of a site asks at the same time, to see what a collision changes.
/// Below the range from which Linux takes ports of its own choice (32768 to 60999).
const COLLIDING_PORT: u16 = 29_000;

/// Stands for the port from which a probe asks: no rule can name this one.
const UNNAMED_PORT: u16 = 0;

/// What is seen within a round trip or two. `place` is that of the peer among those of its site.
pub(super) fn facts(
    site: &SiteLayout,
    (place, neighbours): (usize, usize),
    attempts: &BTreeSet<Attempt<'_>>,
) -> Vec<Fact> {
    let udp = even_and_odd(site, attempts, ProbeProtocol::Udp, Payload::Plain);
    // Probes of the mapping over TCP begin with a TLS handshake, which inspection lets through too.
    let tcp = even_and_odd(site, attempts, ProbeProtocol::Tcp, Payload::Tls);
    let mut facts = Vec::new();
    facts.extend(udp.map(|ports| mapping(site, ProbeProtocol::Udp, ports)));
    facts.extend(tcp.map(|ports| mapping(site, ProbeProtocol::Tcp, ports)));
    facts.extend(udp.map(|[port, _]| filtering(site, port, None)));
    if nats(site).next().is_none() {
        return facts;
    }
    if let (Some(ports), 2..) = (udp, neighbours) {
        let mirrored = place % 2 == 1;
        facts.push(Fact::NatMapping {
            mapping: seen_mapping(site),
            protocol: ProbeProtocol::Udp,
            ports,
            source_port: Some(COLLIDING_PORT),
            mirrored,
        });
        facts.push(filtering(site, ports[0], Some(COLLIDING_PORT + 1)));
    }
    if let Some([port, _]) = udp {
        let preserved = nats(site).all(|nat| nat.port_preservation);
        facts.push(Fact::NatPortPreservation { preserved, port });
        facts.extend(hairpins(site).map(|hairpins| Fact::NatHairpinning { hairpins, port }));
    }
    facts
}

/// What takes as long as a mapping lives: that of the NAT that forgets first.
pub(super) fn deep_facts(site: &SiteLayout, attempts: &BTreeSet<Attempt<'_>>) -> Vec<Fact> {
    let udp = passing(site, attempts, ProbeProtocol::Udp, Payload::Plain);
    let timeout_s = nats(site).map(|nat| nat.udp_timeout_s).min();
    let lives = udp.first().zip(timeout_s);
    let lives = lives.map(|((port, _), timeout_s)| Fact::NatUdpTimeout {
        timeout_s,
        port: *port,
    });
    lives.into_iter().collect()
}

fn nats(site: &SiteLayout) -> impl Iterator<Item = Nat> {
    site.routers.iter().filter_map(|router| router.nat)
}

fn mapping(site: &SiteLayout, protocol: ProbeProtocol, ports: [u16; 2]) -> Fact {
    Fact::NatMapping {
        mapping: seen_mapping(site),
        protocol,
        ports,
        source_port: None,
        mirrored: false,
    }
}

fn seen_mapping(site: &SiteLayout) -> Option<Behaviour> {
    strictest(nats(site).map(|nat| nat.mapping))
}

fn filtering(site: &SiteLayout, port: u16, source_port: Option<u16>) -> Fact {
    // A firewall that lets in only what answers tracks connections as a NAT does.
    let unnamed = Attempt::of_probe(ProbeProtocol::Udp, UNNAMED_PORT, Payload::Plain);
    let lets_in = incoming(&site.firewall, unnamed) == Passage::Passes;
    let stateful = (!lets_in).then_some(Behaviour::AddressAndPortDependent);
    Fact::NatFiltering {
        filtering: strictest(nats(site).map(|nat| nat.filtering).chain(stateful)),
        port,
        source_port,
    }
}

/// Whether two endpoints of the LAN reach each other by their mapped addresses, which belong to the outermost
/// NAT: it is that one's hairpinning which decides. The firewall must let them send to any port.
///
/// With a NAT on the way whose mapping depends on the destination, what returns does not come from the address
/// that the probe saw, so whether the filters let it in is nothing that a preset declares.
fn hairpins(site: &SiteLayout) -> Option<bool> {
    let hairpinning = nats(site).last()?.hairpinning;
    let independent = nats(site).all(|nat| nat.mapping == Behaviour::EndpointIndependent);
    let mut ways = [Direction::Out, Direction::In].into_iter();
    let is_open = ways.all(|direction| lets_all_udp(&site.firewall, direction));
    (is_open && (independent || !hairpinning)).then_some(hairpinning)
}

/// The strictest of several behaviours in a row.
fn strictest(behaviours: impl Iterator<Item = Behaviour>) -> Option<Behaviour> {
    behaviours.max_by_key(|behaviour| match behaviour {
        Behaviour::EndpointIndependent => 0,
        Behaviour::AddressDependent => 1,
        Behaviour::AddressAndPortDependent => 2,
    })
}
