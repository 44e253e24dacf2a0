//! What rules for addresses do with connections to the servers that have them.

use crate::ipv6::Ipv6Kind;
use crate::layout::{Layout, PeerLayout, ServerLayout};
use crate::model::{Fact, Listener, Passage};
use crate::passage::{Attempt, is_about_probe, ruling};
use crate::servers::Demand;
use farcall_scenario::{Direction, Rule};
use farcall_timeline::IceTransport;
use std::net::IpAddr;

/// What becomes of connections to each TURN server that a rule names by its address: the probe has another, so what
/// passes to it says nothing of such a rule. What the firewall passes on in another way than as it is, or a server
/// answers with a certificate that no client takes, is left to others.
pub(super) fn facts(layout: &Layout, peer: &PeerLayout) -> Vec<Fact> {
    let site = &layout.sites[peer.site];
    let is_only_ipv6 = site
        .ipv6
        .as_ref()
        .is_some_and(|ipv6| ipv6.kind == Ipv6Kind::Only);
    let servers = layout.servers.iter();
    let named = servers.filter(|server| {
        let mut rules = site.firewall.rules.iter();
        !is_only_ipv6 && rules.any(|rule| names(rule, server))
    });
    let at = named.flat_map(|server| listeners(&server.demand).map(move |at| (server, at)));
    at.filter_map(|(server, listener)| {
        let host = &server.demand.host;
        let attempt = Attempt {
            logged_in: peer.logs_in,
            ..Attempt::of(listener.transport, host, server.address, listener.port)
        };
        let passage = ruling(&site.firewall, attempt).passage;
        let is_plain = matches!(
            passage,
            Passage::Passes | Passage::Dropped | Passage::Refused
        );
        is_plain.then(|| Fact::ServerPassage {
            host: host.clone(),
            address: IpAddr::V4(server.address),
            listener,
            passage,
        })
    })
    .collect()
}

fn names(rule: &Rule, server: &ServerLayout) -> bool {
    let address = IpAddr::V4(server.address);
    let has_it = |network: ipnet::IpNet| network.contains(&address);
    rule.direction == Direction::Out && !is_about_probe(rule) && rule.address.is_some_and(has_it)
}

fn listeners(demand: &Demand) -> impl Iterator<Item = Listener> {
    let is_taken = demand.certificate().is_none();
    let listeners = demand.listeners.iter().copied();
    listeners.filter(move |listener| is_taken || listener.transport != IceTransport::Tls)
}
