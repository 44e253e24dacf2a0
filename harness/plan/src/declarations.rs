//! What is measured before the call, and what must come out.

use crate::coturn::RELAY_PORTS;
use crate::layout::{INTERNET_SUBNET, Layout, PROBE, SiteLayout};
use crate::model::{CallPlan, Declaration, Fact, Listener, Node, Passage, Payload, ProbeProtocol};
use crate::passage::{Attempt, is_open, ruling};
use crate::servers::Demand;
use farcall_scenario::Behaviour;
use farcall_timeline::IceTransport;
use ipnet::Ipv4Net;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// Addresses that a lab might have a way to, if it had a way out: of Docker's default network, of
/// private networks, public ones, and documentation ranges (RFC 5737).
const OUTSIDE: [Ipv4Addr; 5] = [
    Ipv4Addr::new(172, 17, 0, 1),
    Ipv4Addr::new(10, 255, 255, 254),
    Ipv4Addr::new(192, 168, 255, 254),
    Ipv4Addr::new(8, 8, 8, 8),
    Ipv4Addr::new(192, 0, 2, 254),
];

/// Attempts that every firewall is asked about, beside those of the ICE configuration.
const ATTEMPTS: [(ProbeProtocol, u16, Payload); 9] = [
    (ProbeProtocol::Tcp, 22, Payload::Plain),
    (ProbeProtocol::Tcp, 80, Payload::Plain),
    (ProbeProtocol::Tcp, 443, Payload::Plain),
    (ProbeProtocol::Tcp, 443, Payload::Tls),
    (ProbeProtocol::Tcp, 3478, Payload::Plain),
    (ProbeProtocol::Tcp, 5349, Payload::Plain),
    (ProbeProtocol::Udp, 53, Payload::Plain),
    (ProbeProtocol::Udp, 443, Payload::Plain),
    (ProbeProtocol::Udp, 3478, Payload::Plain),
];

/// Where STUN and TURN servers listen by default, over UDP and TCP (RFC 8489, RFC 8656).
const DEFAULT_PORT: u16 = 3478;

/// All declarations: isolation first, then names and servers, then what the gateways do.
pub(crate) fn declarations(
    layout: &Layout,
    nodes: &[Node],
    names: &BTreeMap<String, Ipv4Addr>,
    call: &CallPlan,
) -> Vec<Declaration> {
    let declare = |node: &str, fact| Declaration {
        node: node.to_owned(),
        fact,
    };
    let mut all: Vec<Declaration> = Vec::new();
    let outside = outside(layout);
    for node in nodes {
        let interfaces = node.interfaces.clone();
        all.push(declare(&node.name, Fact::Interfaces { interfaces }));
        if !node
            .routes
            .iter()
            .any(|route| route.to == Ipv4Net::default())
        {
            let to = outside.clone();
            all.push(declare(&node.name, Fact::NoRoute { to }));
        }
        all.push(declare(&node.name, Fact::NoEmbeddedResolver));
    }
    for peer in &layout.peers {
        for (name, address) in names {
            let (name, address) = (name.clone(), *address);
            all.push(declare(&peer.name, Fact::Resolves { name, address }));
        }
    }
    for server in &layout.servers {
        let (address, demand) = (server.address, &server.demand);
        let answers = demand
            .listeners
            .iter()
            .map(|listener| Fact::ListenerAnswers {
                host: demand.host.clone(),
                address,
                listener: *listener,
            });
        let refuses = not_named(demand)
            .into_iter()
            .map(|listener| Fact::ListenerRefuses {
                host: demand.host.clone(),
                address,
                listener,
            });
        all.extend(answers.chain(refuses).map(|fact| declare(PROBE, fact)));
    }
    let attempts = attempts(call);
    for peer in &layout.peers {
        let site = &layout.sites[peer.site];
        let facts = attempts.iter().map(|attempt| Fact::Passage {
            protocol: attempt.protocol,
            port: attempt.port,
            payload: attempt.payload,
            passage: ruling(&site.firewall, *attempt).passage,
        });
        let facts = facts.chain(translation(site, &attempts));
        all.extend(facts.map(|fact| declare(&peer.name, fact)));
    }
    all
}

/// Listeners that no URL names, where a server most likely has them: the other transports of each port
/// that one names, and of the port that STUN and TURN have by default.
fn not_named(demand: &Demand) -> Vec<Listener> {
    let named = |port, transport| demand.listeners.contains(&Listener { port, transport });
    let speaks = |transport| demand.listeners.iter().any(|at| at.transport == transport);
    let told_apart = speaks(IceTransport::Tcp) && speaks(IceTransport::Tls);
    // A relayed transport address may be there.
    let relays_at = |port| demand.relays && (RELAY_PORTS.0..=RELAY_PORTS.1).contains(&port);
    let mut ports: BTreeSet<u16> = demand.listeners.iter().map(|at| at.port).collect();
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

/// Addresses outside the lab: those of [`OUTSIDE`] that nothing in it has.
fn outside(layout: &Layout) -> Vec<Ipv4Addr> {
    let routers = layout.sites.iter().flat_map(|site| &site.routers);
    let subnets: Vec<Ipv4Net> = routers
        .map(|router| router.inside.subnet)
        .chain([INTERNET_SUBNET])
        .chain(layout.servers.iter().map(|at| Ipv4Net::from(at.address)))
        .collect();
    let inside = |address: &Ipv4Addr| subnets.iter().any(|net| net.contains(address));
    OUTSIDE
        .into_iter()
        .filter(|address| !inside(address))
        .collect()
}

fn attempts(call: &CallPlan) -> BTreeSet<Attempt> {
    let fixed = ATTEMPTS.map(|(protocol, port, payload)| Attempt {
        protocol,
        port,
        payload,
    });
    let urls = call.ice_servers.iter().map(|server| &server.url);
    let named = urls.map(|url| Attempt::of(url.transport, url.port));
    fixed.into_iter().chain(named).collect()
}

/// What the NATs of a site come to together, as far as something passes to see it with.
fn translation(site: &SiteLayout, attempts: &BTreeSet<Attempt>) -> Vec<Fact> {
    let udp = pair_that_passes(site, attempts, ProbeProtocol::Udp, Payload::Plain);
    // Probes of the mapping over TCP begin with a TLS handshake, which inspection lets through too.
    let tcp = pair_that_passes(site, attempts, ProbeProtocol::Tcp, Payload::Tls);
    let nats = || site.routers.iter().filter_map(|router| router.nat);
    let mapping = strictest(nats().map(|nat| nat.mapping));
    let (protocol, ports) = match udp {
        Some(ports) => (ProbeProtocol::Udp, Some(ports)),
        None => (ProbeProtocol::Tcp, tcp),
    };
    let mapping = ports.map(|ports| Fact::NatMapping {
        mapping,
        protocol,
        ports,
    });
    // A firewall that is not open tracks connections as a NAT does, and lets in what answers.
    let stateful = (!is_open(&site.firewall)).then_some(Behaviour::AddressAndPortDependent);
    let filtering = strictest(nats().map(|nat| nat.filtering).chain(stateful));
    let filtering = udp.map(|[port, _]| Fact::NatFiltering { filtering, port });
    mapping.into_iter().chain(filtering).collect()
}

/// Two ports that pass and that the probe answers at different ports of its own: one even, one odd
/// (see [`PROBE_PORTS`](crate::PROBE_PORTS)).
fn pair_that_passes(
    site: &SiteLayout,
    attempts: &BTreeSet<Attempt>,
    protocol: ProbeProtocol,
    payload: Payload,
) -> Option<[u16; 2]> {
    let same_protocol = attempts.iter().filter(|at| at.protocol == protocol);
    let ports: BTreeSet<u16> = same_protocol
        .map(|attempt| Attempt {
            payload,
            ..*attempt
        })
        .filter(|attempt| ruling(&site.firewall, *attempt).passage == Passage::Passes)
        .map(|attempt| attempt.port)
        .collect();
    let first = *ports.first()?;
    let other = ports.iter().find(|port| *port % 2 != first % 2)?;
    Some([first, *other])
}

/// The strictest of several behaviours in a row.
fn strictest(behaviours: impl Iterator<Item = Behaviour>) -> Option<Behaviour> {
    behaviours.max_by_key(|behaviour| match behaviour {
        Behaviour::EndpointIndependent => 0,
        Behaviour::AddressDependent => 1,
        Behaviour::AddressAndPortDependent => 2,
    })
}
