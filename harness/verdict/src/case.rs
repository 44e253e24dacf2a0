//! The timeline as the checks look at it: node by node.

use crate::Declared;
use farcall_timeline::{
    DataStats, Event, IceServerReport, Measured, MediaKind, MediaStats, Phase, SelectedPair,
    SignallingEvent, Timeline, TurnSession,
};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The moments at which gateways' counters are read ([`Event::Counters`]).
const BEFORE_CALL: &str = "before-call";
const AFTER_CALL: &str = "after-call";

/// A run with what it is judged against, for those who ask what happened at a node.
#[derive(Debug, Clone)]
pub struct Case<'a> {
    /// What it is judged against.
    pub declared: &'a Declared,
    /// The peers by name, in order.
    pub peers: Vec<&'a str>,
    nodes: BTreeMap<&'a str, Vec<(f64, &'a Event)>>,
}

/// What a rule has counted during the call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Packets.
    pub packets: u64,
    /// Bytes, IP headers included.
    pub bytes: u64,
}

impl<'a> Case<'a> {
    /// The run of a timeline.
    #[must_use]
    pub fn new(timeline: &'a Timeline, declared: &'a Declared) -> Self {
        let mut nodes: BTreeMap<&str, Vec<(f64, &Event)>> = BTreeMap::new();
        for entry in timeline.entries() {
            nodes
                .entry(&entry.node)
                .or_default()
                .push((entry.at_ms, &entry.event));
        }
        let expect = &declared.expect;
        let peers: BTreeSet<&str> = expect
            .gateways
            .keys()
            .chain(expect.ice_servers.keys())
            .map(String::as_str)
            .collect();
        Self {
            declared,
            peers: peers.into_iter().collect(),
            nodes,
        }
    }

    /// The events of one node, in order.
    #[must_use]
    pub fn of(&self, node: &str) -> &[(f64, &'a Event)] {
        self.nodes.get(node).map_or(&[], Vec::as_slice)
    }

    /// The events of all nodes, node by node.
    pub fn all(&self) -> impl Iterator<Item = (&'a str, f64, &'a Event)> {
        self.nodes
            .iter()
            .flat_map(|(node, events)| events.iter().map(|(at_ms, event)| (*node, *at_ms, *event)))
    }

    /// Whether a phase began.
    #[must_use]
    pub fn has_begun(&self, wanted: Phase) -> bool {
        self.all()
            .any(|(_, _, event)| matches!(event, Event::PhaseStarted { phase } if *phase == wanted))
    }

    /// Whether a phase came to its end.
    #[must_use]
    pub fn has_ended(&self, wanted: Phase) -> bool {
        self.all()
            .any(|(_, _, event)| matches!(event, Event::PhaseEnded { phase } if *phase == wanted))
    }

    /// The addresses at which servers on the internet see a peer.
    #[must_use]
    pub fn public_addresses(&self, peer: &str) -> &'a [IpAddr] {
        let addresses = self.declared.expect.public_addresses.get(peer);
        addresses.map_or(&[], Vec::as_slice)
    }

    /// Each peer with the one it talks to.
    pub fn directions(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.peers
            .iter()
            .flat_map(|from| self.peers.iter().map(move |to| (*from, *to)))
            .filter(|(from, to)| from != to)
    }

    /// The peer that `peer` talks to.
    #[must_use]
    pub fn other(&self, peer: &str) -> Option<&'a str> {
        self.peers.iter().copied().find(|other| *other != peer)
    }

    /// Every measurement of the lab, node by node.
    pub fn attested(&self) -> impl Iterator<Item = &'a Measured> {
        self.all().filter_map(|(_, _, event)| match event {
            Event::Attested(measured) => Some(measured),
            _ => None,
        })
    }

    /// When a node's state machine first reached a state.
    #[must_use]
    pub fn first_state(&self, node: &str, machine: &str, state: &str) -> Option<f64> {
        self.of(node).iter().find_map(|(at_ms, event)| match event {
            Event::State(found) if found.machine == machine && found.state == state => Some(*at_ms),
            _ => None,
        })
    }

    /// What came of a peer's connection to the signalling server: that it first opened, or how it last did not.
    #[must_use]
    pub fn signalling(&self, peer: &str) -> Option<&'a SignallingEvent> {
        let mut last = None;
        for (_, event) in self.of(peer) {
            match event {
                Event::Signalling(opened @ SignallingEvent::Open { .. }) => return Some(opened),
                Event::Signalling(failed @ SignallingEvent::Failed { .. }) => last = Some(failed),
                _ => {}
            }
        }
        last
    }

    /// The state that a node's state machine was in at a time.
    #[must_use]
    pub fn state_at(&self, node: &str, machine: &str, at_ms: f64) -> Option<&'a str> {
        self.of(node)
            .iter()
            .filter_map(|(time_ms, event)| match event {
                Event::State(state) if state.machine == machine && *time_ms <= at_ms => {
                    Some(state.state.as_str())
                }
                _ => None,
            })
            .next_back()
    }

    /// When the call ended for the harness, and why if it was given up.
    #[must_use]
    pub fn call_ended(&self) -> Option<(f64, Option<&'a str>)> {
        self.all()
            .filter_map(|(_, at_ms, event)| match event {
                Event::CallEnded { reason } => Some((at_ms, reason.as_deref())),
                _ => None,
            })
            .min_by(|left, right| left.0.total_cmp(&right.0))
    }

    /// When the call ended; for ever where it did not.
    #[must_use]
    pub fn ended_ms(&self) -> f64 {
        self.call_ended().map_or(f64::MAX, |(at_ms, _)| at_ms)
    }

    /// The last report of each URL of a peer.
    #[must_use]
    pub fn servers(&self, peer: &str) -> BTreeMap<&'a str, &'a IceServerReport> {
        self.of(peer)
            .iter()
            .filter_map(|(_, event)| match event {
                Event::IceServer(report) => Some((report.url.as_str(), report)),
                _ => None,
            })
            .collect()
    }

    /// Every pair that a peer selected, with its time.
    pub fn pairs(&self, peer: &str) -> impl DoubleEndedIterator<Item = (f64, &'a SelectedPair)> {
        self.of(peer)
            .iter()
            .filter_map(|(at_ms, event)| match event {
                Event::SelectedPair(pair) => Some((*at_ms, pair)),
                _ => None,
            })
    }

    /// The pair that a peer used last.
    #[must_use]
    pub fn pair(&self, peer: &str) -> Option<&'a SelectedPair> {
        self.pairs(peer).next_back().map(|(_, pair)| pair)
    }

    /// Every report of a peer's audio or video stream, with its time.
    pub fn media_reports(
        &self,
        peer: &str,
        wanted: MediaKind,
    ) -> impl DoubleEndedIterator<Item = (f64, &'a MediaStats)> {
        self.of(peer)
            .iter()
            .filter_map(move |(at_ms, event)| match event {
                Event::Media { kind, stats } if *kind == wanted => Some((*at_ms, stats)),
                _ => None,
            })
    }

    /// Every report of a peer's data channel, with its time.
    pub fn data_reports(
        &self,
        peer: &str,
    ) -> impl DoubleEndedIterator<Item = (f64, &'a DataStats)> {
        self.of(peer)
            .iter()
            .filter_map(|(at_ms, event)| match event {
                Event::Data { stats } => Some((*at_ms, stats)),
                _ => None,
            })
    }

    /// The last totals of a peer's audio or video stream.
    #[must_use]
    pub fn media(&self, peer: &str, kind: MediaKind) -> Option<&'a MediaStats> {
        self.media_reports(peer, kind)
            .next_back()
            .map(|(_, stats)| stats)
    }

    /// The last totals of a peer's data channel.
    #[must_use]
    pub fn data(&self, peer: &str) -> Option<&'a DataStats> {
        self.data_reports(peer).next_back().map(|(_, stats)| stats)
    }

    /// What a gateway's rule counted during the call, if it was read before and after and did not go
    /// backwards between, as only somebody who resets it can make it.
    #[must_use]
    pub fn counted(&self, gateway: &str, rule: &str) -> Option<Counted> {
        let read = |wanted: &str| {
            self.of(gateway)
                .iter()
                .filter_map(|(_, event)| match event {
                    Event::Counters { moment, rules } if moment == wanted => {
                        rules.iter().find(|counter| counter.rule == rule)
                    }
                    _ => None,
                })
                .next_back()
        };
        let (before, after) = (read(BEFORE_CALL)?, read(AFTER_CALL)?);
        Some(Counted {
            packets: after.packets.checked_sub(before.packets)?,
            bytes: after.bytes.checked_sub(before.bytes)?,
        })
    }

    /// The allocations in a server's own log, each as it was last reported.
    #[must_use]
    pub fn sessions(&self, node: &str) -> BTreeMap<&'a str, &'a TurnSession> {
        self.of(node)
            .iter()
            .filter_map(|(_, event)| match event {
                Event::TurnSession(session) => Some((session.session.as_str(), session)),
                _ => None,
            })
            .collect()
    }
}
