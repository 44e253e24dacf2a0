//! The connectivity checks between the peers (RFC 8445 section 7), counted pair by pair as they pass.
//!
//! `get_stats` of webrtc 0.21.1 tells of pairs that were selected and of no other, so of a call that does not connect it
//! tells nothing. What passes here is the same on the wire as in the agent: a pair is a base and a remote address, since
//! checks of a reflexive candidate go out from its base.

use super::hold::relayed_payload;
use super::observer::{SocketId, Use};
use super::transactions::{address, decode};
use farcall_timeline::CandidatePairState;
use rtc::stun::attributes::{
    ATTR_CHANNEL_NUMBER, ATTR_DATA, ATTR_USE_CANDIDATE, ATTR_XOR_PEER_ADDRESS,
};
use rtc::stun::message::{
    CLASS_INDICATION, CLASS_REQUEST, CLASS_SUCCESS_RESPONSE, METHOD_BINDING, METHOD_CHANNEL_BIND,
    METHOD_DATA, METHOD_SEND, TransactionId, is_stun_message,
};
use rtc::turn::proto::chandata::ChannelData;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a check can be answered, as rtc-ice 0.21.1 has it (`MAX_BINDING_REQUEST_TIMEOUT`).
const ANSWERED_WITHIN: Duration = Duration::from_secs(4);

/// Pairs and channels that are counted; a call has some tens.
const MAX_PAIRS: usize = 256;

/// Checks of a pair that may be answered at once: four seconds at one in 200 ms, and the bursts of arriving candidates.
const MAX_PENDING: usize = 128;

/// The length of ChannelData's header (RFC 8656 section 12.4).
const CHANNEL_DATA_HEADER: usize = 4;

/// Where checks go out from (RFC 8445 section 5.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    /// The local socket with this address.
    Host(SocketAddr),
    /// The address that a TURN server allocated.
    Relayed(Use),
}

/// A pair on which checks were sent or came in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CheckedPair {
    /// The local candidate's address: the socket's, or the relayed one.
    pub local: SocketAddr,
    /// Whether the local candidate is a relayed one.
    pub is_relayed: bool,
    /// The remote candidate's address.
    pub remote: SocketAddr,
    /// How far its checks have come.
    pub state: CandidatePairState,
    /// Whether a check with USE-CANDIDATE has succeeded.
    pub nominated: bool,
    /// Binding requests sent.
    pub requests_sent: u64,
    /// Success responses to them.
    pub responses_received: u64,
    /// Binding requests received.
    pub requests_received: u64,
    /// Success responses sent.
    pub responses_sent: u64,
    /// From the last request that was answered to its response.
    pub round_trip: Option<Duration>,
}

/// Counts the checks of one peer connection.
#[derive(Debug, Default)]
pub(super) struct Checks {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// In the order of their first checks.
    pairs: Vec<Pair>,
    /// The peers' addresses by the channels that were asked for.
    channels: BTreeMap<(usize, SocketId, u16), SocketAddr>,
}

#[derive(Debug)]
struct Pair {
    base: Base,
    remote: SocketAddr,
    requests_sent: u64,
    responses_received: u64,
    requests_received: u64,
    responses_sent: u64,
    last_request: Option<Instant>,
    /// When the last of those that were answered was sent.
    last_answered: Option<Instant>,
    round_trip: Option<Duration>,
    /// One of this peer's requests with USE-CANDIDATE was answered.
    has_nominated: bool,
    /// The other peer sent a request with USE-CANDIDATE.
    is_nominated_there: bool,
    pending: VecDeque<Pending>,
}

/// A request that may still be answered.
#[derive(Debug)]
struct Pending {
    id: TransactionId,
    sent: Instant,
    nominates: bool,
}

/// A message of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Check {
    id: TransactionId,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Request { nominates: bool },
    Response,
}

/// What of a TURN client's conversation concerns the other peer.
#[derive(Debug, PartialEq, Eq)]
enum Relayed {
    InChannel(u16, Vec<u8>),
    InIndication(SocketAddr, Vec<u8>),
    /// A channel is asked for.
    Bind(u16, SocketAddr),
}

impl Checks {
    /// A datagram went out to a remote address.
    pub fn sent(&self, base: Base, to: SocketAddr, datagram: &[u8], now: Instant) {
        let Some(check) = check(datagram) else {
            return;
        };
        let mut state = self.lock();
        match check.kind {
            Kind::Request { nominates } => {
                if let Some(pair) = state.pair_or_new(base, to) {
                    pair.asked(check.id, nominates, now);
                }
            }
            Kind::Response => {
                if let Some(pair) = state.pair(base, to) {
                    pair.responses_sent += 1;
                }
            }
        }
    }

    /// A datagram came in from a remote address.
    pub fn received(&self, base: Base, from: SocketAddr, datagram: &[u8], now: Instant) {
        let Some(check) = check(datagram) else {
            return;
        };
        let mut state = self.lock();
        match check.kind {
            Kind::Request { nominates } => {
                if let Some(pair) = state.pair_or_new(base, from) {
                    pair.requests_received += 1;
                    pair.is_nominated_there |= nominates;
                }
            }
            Kind::Response => {
                if let Some(pair) = state.pair(base, from) {
                    pair.answered(check.id, now);
                }
            }
        }
    }

    /// A datagram went out to a TURN server.
    pub fn sent_to_turn(&self, of: Use, datagram: &[u8], now: Instant) {
        if let Some((to, payload)) = self.relayed(of, datagram) {
            self.sent(Base::Relayed(of), to, &payload, now);
        }
    }

    /// A datagram came in from a TURN server.
    pub fn received_from_turn(&self, of: Use, datagram: &[u8], now: Instant) {
        if let Some((from, payload)) = self.relayed(of, datagram) {
            self.received(Base::Relayed(of), from, &payload, now);
        }
    }

    /// The pairs over which checks have passed, in the order of their first checks.
    pub fn pairs(
        &self,
        now: Instant,
        relay_address: impl Fn(Use) -> Option<SocketAddr>,
    ) -> Vec<CheckedPair> {
        let state = self.lock();
        let each = state.pairs.iter().filter_map(|pair| {
            let (local, is_relayed) = match pair.base {
                Base::Host(address) => (address, false),
                Base::Relayed(of) => (relay_address(of)?, true),
            };
            Some(CheckedPair {
                local,
                is_relayed,
                remote: pair.remote,
                state: pair.state(now),
                nominated: pair.is_nominated(),
                requests_sent: pair.requests_sent,
                responses_received: pair.responses_received,
                requests_received: pair.requests_received,
                responses_sent: pair.responses_sent,
                round_trip: pair.round_trip,
            })
        });
        each.collect()
    }

    /// What a TURN client and its server relay from or to the other peer, with the other peer's address.
    fn relayed(&self, of: Use, datagram: &[u8]) -> Option<(SocketAddr, Vec<u8>)> {
        match relayed(datagram)? {
            Relayed::InIndication(peer, payload) => Some((peer, payload)),
            Relayed::InChannel(number, payload) => {
                let state = self.lock();
                let peer = state.channels.get(&(of.server, of.socket, number))?;
                Some((*peer, payload))
            }
            Relayed::Bind(number, peer) => {
                let mut state = self.lock();
                if state.channels.len() < MAX_PAIRS {
                    state.channels.insert((of.server, of.socket, number), peer);
                }
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn pair(&mut self, base: Base, remote: SocketAddr) -> Option<&mut Pair> {
        let mut pairs = self.pairs.iter_mut();
        pairs.find(|pair| pair.base == base && pair.remote == remote)
    }

    /// `None` where there are too many.
    fn pair_or_new(&mut self, base: Base, remote: SocketAddr) -> Option<&mut Pair> {
        let of_it = |pair: &Pair| pair.base == base && pair.remote == remote;
        let index = match self.pairs.iter().position(of_it) {
            Some(index) => index,
            None if self.pairs.len() >= MAX_PAIRS => return None,
            None => {
                self.pairs.push(Pair::new(base, remote));
                self.pairs.len() - 1
            }
        };
        self.pairs.get_mut(index)
    }
}

impl Pair {
    fn new(base: Base, remote: SocketAddr) -> Self {
        Self {
            base,
            remote,
            requests_sent: 0,
            responses_received: 0,
            requests_received: 0,
            responses_sent: 0,
            last_request: None,
            last_answered: None,
            round_trip: None,
            has_nominated: false,
            is_nominated_there: false,
            pending: VecDeque::new(),
        }
    }

    fn asked(&mut self, id: TransactionId, nominates: bool, now: Instant) {
        self.requests_sent += 1;
        self.last_request = Some(now);
        if self.pending.len() == MAX_PENDING {
            self.pending.pop_front();
        }
        self.pending.push_back(Pending {
            id,
            sent: now,
            nominates,
        });
    }

    /// An answer that nobody asked for, or that comes too late, is of no account, as in the agent.
    fn answered(&mut self, id: TransactionId, now: Instant) {
        let Some(index) = self.pending.iter().rposition(|pending| pending.id == id) else {
            return;
        };
        let Some(pending) = self.pending.remove(index) else {
            return;
        };
        let round_trip = now.saturating_duration_since(pending.sent);
        if round_trip < ANSWERED_WITHIN {
            self.responses_received += 1;
            self.last_answered = self.last_answered.max(Some(pending.sent));
            self.round_trip = Some(round_trip);
            self.has_nominated |= pending.nominates;
        }
    }

    fn state(&self, now: Instant) -> CandidatePairState {
        let is_over = |pending: &Pending| {
            let is_newer = self.last_answered.is_none_or(|sent| pending.sent > sent);
            is_newer && now.saturating_duration_since(pending.sent) >= ANSWERED_WITHIN
        };
        // One that was up and is not any more has failed, as consent that expires has it (RFC 7675 section 5.1).
        if self.responses_received > 0 && !self.pending.iter().any(is_over) {
            return CandidatePairState::Succeeded;
        }
        match self.last_request {
            None => CandidatePairState::Waiting,
            Some(last) if now.saturating_duration_since(last) < ANSWERED_WITHIN => {
                CandidatePairState::InProgress
            }
            Some(_) => CandidatePairState::Failed,
        }
    }

    /// The controlling agent has nominated a pair once its request is answered, and the controlled one has once it was
    /// asked and its own check has succeeded (RFC 8445 sections 7.2.5.3.4 and 7.3.1.5).
    fn is_nominated(&self) -> bool {
        self.has_nominated || (self.is_nominated_there && self.responses_received > 0)
    }
}

fn check(datagram: &[u8]) -> Option<Check> {
    let message = decode(datagram)?;
    let kind = match (message.typ.method, message.typ.class) {
        (METHOD_BINDING, CLASS_REQUEST) => Kind::Request {
            nominates: message.contains(ATTR_USE_CANDIDATE),
        },
        (METHOD_BINDING, CLASS_SUCCESS_RESPONSE) => Kind::Response,
        _ => return None,
    };
    Some(Check {
        id: message.transaction_id,
        kind,
    })
}

fn relayed(datagram: &[u8]) -> Option<Relayed> {
    if ChannelData::is_channel_data(datagram) {
        // Media, which is the bulk, is not copied.
        if !is_stun_message(datagram.get(CHANNEL_DATA_HEADER..)?) {
            return None;
        }
        let number = u16::from_be_bytes([*datagram.first()?, *datagram.get(1)?]);
        return Some(Relayed::InChannel(number, relayed_payload(datagram)?));
    }
    let message = decode(datagram)?;
    let peer = || address(&message, ATTR_XOR_PEER_ADDRESS);
    match (message.typ.method, message.typ.class) {
        (METHOD_SEND | METHOD_DATA, CLASS_INDICATION) => {
            Some(Relayed::InIndication(peer()?, message.get(ATTR_DATA).ok()?))
        }
        (METHOD_CHANNEL_BIND, CLASS_REQUEST) => {
            let number = message.get(ATTR_CHANNEL_NUMBER).ok()?;
            let number = u16::from_be_bytes([*number.first()?, *number.get(1)?]);
            Some(Relayed::Bind(number, peer()?))
        }
        _ => None,
    }
}
