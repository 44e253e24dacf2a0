//! One lab in which every network calls every other.
//!
//! Each network is built twice: once for the peer that offers, `alice-NETWORK`, once for the one that
//! answers, `bob-NETWORK`. So a network calls itself as two homes do, and a peer is alone behind its
//! gateways: what they count, and what a TURN server logs of their public address, is its own.

use crate::compute::lab;
use crate::error::PlanError;
use crate::model::{CallPlan, Expectations, Plan, Role};
use crate::unsupported::unsupported;
use farcall_scenario::{
    Call, CellSource, Expect, ExpectedPair, ExpectedPath, IceConfiguration, Matrix, MediaQuality,
    NatPreset, Network, Peer, Scenario, Servers, Signalling, Site,
};
use farcall_timeline::{CandidateType, IceTransport};
use ipnet::Ipv4Net;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// Where the peers that offer get public addresses from, and those that answer (RFC 5737).
const PUBLIC: [Ipv4Net; 2] = [
    Ipv4Net::new_assert(Ipv4Addr::new(198, 51, 100, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 2, 0), 24),
];

/// The prefix of a public LAN.
const PUBLIC_PREFIX: u8 = 28;

/// Before the names of networks: the peer that offers, and the one that answers.
const ROLES: [&str; 2] = ["alice", "bob"];

/// A lab and all calls to place in it.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixPlan {
    /// The networks' names, in the order of rows and columns.
    pub networks: Vec<String>,
    /// The lab. What it says of a call is about the first cell, what it expects of peers about all of them.
    pub plan: Plan,
    /// The calls, so ordered that as many as possible can be placed at the same time: no peer is in two of
    /// as many in a row as there are networks.
    pub cells: Vec<Cell>,
    /// Why the calls cannot be placed: what no lab can have of the ICE configuration. The lab and what is expected are
    /// then those of the rest of it.
    pub unsupported: Option<String>,
}

/// A call between two networks.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The network of the peer that offers.
    pub offerer: String,
    /// The network of the peer that answers.
    pub answerer: String,
    /// The call.
    pub call: CallPlan,
    /// What must come of it.
    pub expect: Expectations,
    /// Where the expected path is from; `None` where any will do.
    pub source: Option<CellSource>,
    /// Why it is expected, where that is not plain.
    pub because: Option<String>,
    /// The nodes that take part: peers, gateways and carriers, TURN servers, the probe.
    pub nodes: BTreeSet<String>,
}

/// How each call of a matrix is placed, but for what a network takes beyond that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MatrixCall {
    /// As [`Call::media_ms`].
    pub media_ms: u32,
    /// As [`Expect::within_ms`].
    pub within_ms: u32,
    /// As [`Call::gathering_timeout_ms`].
    pub gathering_timeout_ms: u32,
}

impl Default for MatrixCall {
    fn default() -> Self {
        Self {
            media_ms: 2_000,
            within_ms: 15_000,
            gathering_timeout_ms: 5_000,
        }
    }
}

/// Computes the lab of a matrix and its calls.
///
/// # Errors
/// When no lab can be made of the input, with what to change: see [`PlanError`].
pub fn plan_matrix(
    matrix: &Matrix,
    ice: &IceConfiguration,
    call: MatrixCall,
    seed: u64,
) -> Result<MatrixPlan, PlanError> {
    let scenario = scenario(matrix, call)?;
    let [Some(offerer), Some(answerer)] = [scenario.peers.first(), scenario.peers.last()] else {
        return Err(PlanError::PeerCount { found: 0 });
    };
    let unsupported = unsupported(ice);
    let possible = unsupported.as_ref().map_or(ice, |found| &found.rest);
    let plan = lab(&scenario, possible, seed, [offerer, answerer])?;
    let cells = rounds(matrix.networks.len())
        .map(|(row, column)| cell(matrix, &plan, row, column))
        .collect();
    let networks = matrix.networks.iter();
    Ok(MatrixPlan {
        networks: networks.map(|network| network.name.clone()).collect(),
        plan,
        cells,
        unsupported: unsupported.map(|found| found.reason),
    })
}

/// All ordered pairs of so many, in rounds in each of which everyone is in one pair as the first and in one
/// as the second: the diagonals of a Latin square.
fn rounds(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |shift| (0..count).map(move |row| (row, (row + shift) % count)))
}

fn peer_name(role: usize, network: &Network) -> String {
    format!("{}-{}", ROLES[role], network.name)
}

/// All networks as the sites of one scenario.
fn scenario(matrix: &Matrix, call: MatrixCall) -> Result<Scenario, PlanError> {
    let mut sites = BTreeMap::new();
    let mut peers = Vec::new();
    for role in 0..ROLES.len() {
        let mut public = PublicNetworks::new(role);
        for network in &matrix.networks {
            let name = peer_name(role, network);
            sites.insert(name.clone(), public.place(&network.site, &name)?);
            peers.push(Peer {
                name: name.clone(),
                site: name,
                muted: false,
                uses_proxy: network.uses_proxy,
                logs_in: network.logs_in,
            });
        }
    }
    Ok(Scenario {
        name: matrix.name.clone(),
        written: None,
        description: matrix.description.clone(),
        tags: Vec::new(),
        sites,
        peers,
        call: Call {
            media_ms: call.media_ms,
            gathering_timeout_ms: call.gathering_timeout_ms,
            // A cell is about ICE between two networks; whether both reach a third, the server's, is not asked.
            signalling: Signalling::Harness,
            ..Call::default()
        },
        servers: Servers::default(),
        recovery: None,
        faults: Vec::new(),
        expect: Expect {
            connects: true,
            within_ms: call.within_ms,
            relayed: None,
            media: Default::default(),
            selected_pair: BTreeMap::new(),
            recovery: None,
            flows: Default::default(),
        },
    })
}

/// Public networks that no site has yet.
struct PublicNetworks {
    pool: Ipv4Net,
    given: u32,
}

impl PublicNetworks {
    fn new(role: usize) -> Self {
        Self {
            pool: PUBLIC[role],
            given: 0,
        }
    }

    /// The site with public addresses of its own wherever they are seen on the internet.
    fn place(&mut self, site: &Site, name: &str) -> Result<Site, PlanError> {
        let mut site = site.clone();
        let translates = |nat: NatPreset| nat != NatPreset::None;
        let carrier = site.carrier.as_mut();
        if let Some(carrier) = carrier.filter(|carrier| !translates(carrier.nat)) {
            carrier.network = self.next(name)?;
        }
        let beyond = site.carrier.as_ref().is_some_and(|at| translates(at.nat));
        if !translates(site.gateway.nat) && !beyond {
            site.lan = self.next(name)?;
        }
        Ok(site)
    }

    fn next(&mut self, name: &str) -> Result<Ipv4Net, PlanError> {
        let full = || PlanError::NetworkFull {
            network: "the public networks of a matrix".to_owned(),
            subnet: self.pool,
            node: name.to_owned(),
        };
        let mut networks = self.pool.subnets(PUBLIC_PREFIX).map_err(|_| full())?;
        let index = usize::try_from(self.given).map_err(|_| full())?;
        let network = networks.nth(index).ok_or_else(full)?;
        self.given += 1;
        Ok(network)
    }
}

fn cell(matrix: &Matrix, plan: &Plan, row: usize, column: usize) -> Cell {
    let (from, to) = (&matrix.networks[row], &matrix.networks[column]);
    let (offerer, answerer) = (peer_name(0, from), peer_name(1, to));
    let written = matrix.cell(&from.name, &to.name);
    let peers = [offerer.as_str(), answerer.as_str()];
    let both = [from, to];
    let mut expect = among(&plan.expect, peers);
    expect.connects = both.iter().all(|network| network.connects);
    expect.within_ms = longer(expect.within_ms, both.map(|network| network.within_ms));
    if both
        .map(|network| network.media)
        .contains(&MediaQuality::Degraded)
    {
        expect.media = MediaQuality::Degraded;
    }
    if let Some(written) = written {
        let path = written.expected();
        expect.relayed = Some(is_relayed(path));
        expect.selected_pair = pairs(path, peers);
    }
    let gateways = expect.gateways.values().flatten().cloned();
    let common = plan.nodes.iter().filter(|node| match node.role {
        Role::TurnServer(_) | Role::Signalling(_) | Role::Probe => true,
        Role::Gateway(_) | Role::Peer { .. } => false,
    });
    let nodes = peers.into_iter().map(str::to_owned).chain(gateways);
    Cell {
        offerer: from.name.clone(),
        answerer: to.name.clone(),
        nodes: nodes.chain(common.map(|node| node.name.clone())).collect(),
        expect,
        source: written.map(|cell| cell.source),
        because: written.and_then(|cell| cell.because.clone()),
        call: CallPlan {
            offerer,
            answerer,
            media_ms: longer(plan.call.media_ms, both.map(|network| network.media_ms)),
            gathering_timeout_ms: longer(
                plan.call.gathering_timeout_ms,
                both.map(|network| network.gathering_timeout_ms),
            ),
            ..plan.call.clone()
        },
    }
}

/// A time of a call, with what each of its networks takes beyond that: what is sent crosses both.
fn longer(ms: u32, taken: [Option<u32>; 2]) -> u32 {
    let beyond = taken.into_iter().flatten();
    let beyond = beyond.map(|taken_ms| taken_ms.saturating_sub(ms));
    beyond.fold(ms, u32::saturating_add)
}

/// What is expected of these two peers.
fn among(all: &Expectations, peers: [&str; 2]) -> Expectations {
    let mut expect = all.clone();
    let is_one = |peer: &String| peers.contains(&peer.as_str());
    expect.ice_servers.retain(|peer, _| is_one(peer));
    expect.gateways.retain(|peer, _| is_one(peer));
    expect.public_addresses.retain(|peer, _| is_one(peer));
    expect.muted.retain(is_one);
    expect.blocking_rules.retain(|rule| is_one(&rule.peer));
    expect
}

fn is_relayed(path: ExpectedPath) -> bool {
    [path.local, path.remote].contains(&CandidateType::Relay)
}

/// What each peer's selected pair may be.
///
/// A peer names the local candidate of a direct pair by its base or by the address that the other sees;
/// whoever checks first makes the other's signalled candidate a peer-reflexive one (RFC 8445 section
/// 7.3.1.3). Where UDP passes and one of the two must relay, either may; where it does not, the peer without
/// it must, and over the transport that it has.
fn pairs(path: ExpectedPath, [offerer, answerer]: [&str; 2]) -> BTreeMap<String, ExpectedPair> {
    let sides = [
        (offerer, path.local, path.remote),
        (answerer, path.remote, path.local),
    ];
    let both = path.local == CandidateType::Relay && path.remote == CandidateType::Relay;
    let pair = |local, remote| {
        if !is_relayed(path) {
            return ExpectedPair {
                local: unrelayed(),
                remote: seen_as(remote),
                relay_protocol: Vec::new(),
            };
        }
        let relay_protocol = match path.protocol {
            IceTransport::Udp => return ExpectedPair::default(),
            IceTransport::Tls if !both => vec![IceTransport::Tls],
            IceTransport::Tcp | IceTransport::Tls => vec![IceTransport::Tcp, IceTransport::Tls],
        };
        if local != CandidateType::Relay {
            return ExpectedPair::default();
        }
        ExpectedPair {
            local: vec![CandidateType::Relay],
            remote: Vec::new(),
            relay_protocol,
        }
    };
    let sides = sides.map(|(peer, local, remote)| (peer.to_owned(), pair(local, remote)));
    let constrains = |pair: &ExpectedPair| *pair != ExpectedPair::default();
    sides
        .into_iter()
        .filter(|(_, pair)| constrains(pair))
        .collect()
}

fn unrelayed() -> Vec<CandidateType> {
    vec![
        CandidateType::Host,
        CandidateType::Srflx,
        CandidateType::Prflx,
    ]
}

/// How a peer may see a candidate of the other that is not relayed.
fn seen_as(candidate: CandidateType) -> Vec<CandidateType> {
    match candidate {
        // A public address is its own server-reflexive one.
        CandidateType::Host => unrelayed(),
        CandidateType::Srflx => vec![CandidateType::Srflx, CandidateType::Prflx],
        CandidateType::Prflx => vec![CandidateType::Prflx],
        CandidateType::Relay => vec![CandidateType::Relay, CandidateType::Prflx],
    }
}

#[cfg(test)]
mod tests;
