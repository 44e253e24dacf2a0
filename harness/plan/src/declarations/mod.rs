//! What is measured before the call, and what must come out.

mod disorder;
mod incoming;
mod ipv6;
mod isolation;
mod link;
mod loss;
mod names;
mod passages;
mod pinholes;
mod ports;
mod servers;
mod traced;
mod translation;

use crate::layout::{Layout, PeerLayout};
use crate::model::{CallPlan, Declaration, Elsewhere, Fact, Node};
use crate::signalling;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

pub use loss::{LongRunLoss, long_run_loss};

/// What is declared before each call: isolation first, then names and servers, then what the gateways do.
pub(crate) fn declarations(
    layout: &Layout,
    nodes: &[Node],
    names: &BTreeMap<String, Ipv4Addr>,
    call: &CallPlan,
) -> Vec<Declaration> {
    let mut all = isolation::declarations(layout, nodes);
    all.extend(ipv6::declarations(layout, nodes, names));
    all.extend(names::declarations(layout, names));
    all.extend(servers::declarations(layout));
    all.extend(layout.signalling.as_ref().map(signalling::declaration));
    for peer in &layout.peers {
        let neighbours = layout.peers.iter().filter(|other| other.site == peer.site);
        let neighbours: Vec<&str> = neighbours.map(|other| other.name.as_str()).collect();
        let place = neighbours.iter().position(|name| *name == peer.name);
        let place = (place.unwrap_or(0), neighbours.len());
        all.extend(of_site(layout, call, peer, place));
    }
    for peer in first_of_each_site(layout) {
        let site = &layout.sites[peer.site];
        let attempts = passages::attempts(call, peer, site);
        let facts = link::shared_facts(site, &attempts);
        all.extend(beyond_the_link(layout, peer, facts));
    }
    all
}

/// What a peer that moves finds where it goes, alone.
pub(crate) fn declarations_elsewhere(layout: &Layout, call: &CallPlan) -> Vec<Elsewhere> {
    let moving = layout.peers.iter().filter_map(|peer| {
        let moved = peer.moved()?;
        Some(Elsewhere {
            peer: peer.name.clone(),
            from: peer.attachment(&layout.sites),
            to: peer.next_attachment(&layout.sites)?,
            attestation: of_site(layout, call, &moved, (0, 1)).collect(),
        })
    });
    moving.collect()
}

/// What a peer finds at its site, at which it has this place among so many.
fn of_site<'a>(
    layout: &'a Layout,
    call: &CallPlan,
    peer: &PeerLayout,
    place: (usize, usize),
) -> impl Iterator<Item = Declaration> + use<'a> {
    let site = &layout.sites[peer.site];
    let attempts = passages::attempts(call, peer, site);
    let facts: Vec<Fact> = passages::facts(site, &attempts)
        .into_iter()
        .chain(pinholes::facts(layout, peer))
        .chain(incoming::facts(site, &attempts))
        .chain(translation::facts(site, place, &attempts))
        .chain(link::facts(site, &attempts))
        .collect();
    beyond_the_link(layout, peer, facts)
}

/// What takes too long before each call: lifetimes and loss.
pub(crate) fn deep_declarations(layout: &Layout, call: &CallPlan) -> Vec<Declaration> {
    let mut all = Vec::new();
    for peer in first_of_each_site(layout) {
        let site = &layout.sites[peer.site];
        let attempts = passages::attempts(call, peer, site);
        let facts = translation::deep_facts(site, &attempts)
            .into_iter()
            .chain(link::deep_facts(site, &attempts));
        all.extend(beyond_the_link(layout, peer, facts));
    }
    all
}

/// Facts that a peer measures at the internet's side of its link.
fn beyond_the_link<F: IntoIterator<Item = Fact>>(
    layout: &Layout,
    peer: &PeerLayout,
    facts: F,
) -> impl Iterator<Item = Declaration> + use<F> {
    let site = &layout.sites[peer.site];
    let round_trip_ms = link::longest_round_trip_ms(site);
    let gateway = site.gateway();
    let link_at = gateway.link.as_ref().map(|_| gateway.name.clone());
    let node = peer.name.clone();
    facts.into_iter().map(move |fact| Declaration {
        node: node.clone(),
        fact,
        round_trip_ms,
        link_at: link_at.clone(),
    })
}

/// A fact that is measured without a link on the way.
pub(crate) fn near(node: &str, fact: Fact) -> Declaration {
    Declaration {
        node: node.to_owned(),
        fact,
        round_trip_ms: 0,
        link_at: None,
    }
}

/// Any peer of a site sees what its gateway and link do, and a link carries only one measurement of its rate
/// or loss at a time.
fn first_of_each_site(layout: &Layout) -> impl Iterator<Item = &PeerLayout> {
    layout.peers.iter().enumerate().filter_map(|(index, peer)| {
        let mut before = layout.peers[..index].iter();
        before.all(|other| other.site != peer.site).then_some(peer)
    })
}
