//! Collects what every server is seen to do, and says once per URL what it came to.

use super::attempt::{Attempt, Phase, Traffic};
use super::outcome::Conclusion;
use super::server::Server;
use super::status::{Observation, ServerStatus};
use super::transactions::Answer;
use farcall_timeline::{IceServerOutcome, IceServerReport, IceTransport};
use rtc::stun::message::TransactionId;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// One of the peer connection's local UDP sockets.
pub(super) type SocketId = u32;

/// One use of a URL: which server, from which local socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Use {
    pub server: usize,
    pub socket: SocketId,
}

/// Sees all traffic between a peer connection and its servers.
///
/// With several local sockets a URL is used from each. It has succeeded as soon as one of them has
/// succeeded, and failed when all have; then the result that says most about the server is told.
///
/// STUN servers that TURN URLs imply are watched for the addresses that they see, and nothing is told
/// of them, waited for or counted.
#[derive(Debug)]
pub(super) struct Observer {
    state: Mutex<State>,
    observations: UnboundedSender<Observation>,
    undecided: watch::Sender<usize>,
}

#[derive(Debug)]
struct State {
    began: Option<Instant>,
    last_socket: SocketId,
    sockets: BTreeSet<SocketId>,
    servers: Vec<ServerState>,
    /// The relayed addresses that may be used; `None`: all.
    signalled: Option<BTreeSet<SocketAddr>>,
}

#[derive(Debug)]
struct ServerState {
    url: String,
    transport: IceTransport,
    attempts: BTreeMap<SocketId, Attempt>,
    /// Of sockets that are closed by now.
    past: Traffic,
    concluded: Option<(Conclusion, SocketId, Duration)>,
    /// An implied server is given up with the URL that implies it.
    given_up: CancellationToken,
    is_implied: bool,
}

impl Observer {
    /// Watches these servers. Those that `is_used` excludes come to [`IceServerOutcome::NotUsed`] at
    /// once, with the reason it gives.
    pub fn new(
        servers: &[Server],
        observations: UnboundedSender<Observation>,
        is_used: impl Fn(&Server) -> Result<(), String>,
    ) -> Self {
        let mut states: Vec<ServerState> = servers.iter().map(ServerState::new).collect();
        for (index, server) in servers.iter().enumerate() {
            if let Some(by) = server.implied_by() {
                states[index].given_up = states[by].given_up.clone();
            }
        }
        let observer = Self {
            state: Mutex::new(State {
                began: None,
                last_socket: 0,
                sockets: BTreeSet::new(),
                servers: states,
                signalled: None,
            }),
            observations,
            undecided: watch::Sender::new(0),
        };
        let mut state = observer.lock();
        for (index, server) in servers.iter().enumerate() {
            if let Err(reason) = is_used(server) {
                let conclusion = Conclusion::failure(IceServerOutcome::NotUsed, reason);
                state.servers[index].concluded = Some((conclusion, 0, Duration::ZERO));
                observer.tell(&state.servers[index]);
            }
        }
        observer.count(&state);
        drop(state);
        observer
    }

    /// From now on a relayed address may be used only once it was [`signalled`](Self::signalled).
    pub fn hold_relays(&self) {
        self.lock().signalled.get_or_insert_default();
    }

    /// The other peer knows this candidate.
    pub fn signalled(&self, candidate: SocketAddr) {
        if let Some(signalled) = &mut self.lock().signalled {
            signalled.insert(candidate);
        }
    }

    /// Whether data may be relayed through the address that this server allocated.
    pub fn may_relay(&self, of: Use) -> bool {
        let state = self.lock();
        let Some(signalled) = &state.signalled else {
            return true;
        };
        let relayed = state.relay_address(of);
        relayed.is_some_and(|address| signalled.contains(&address))
    }

    /// The relayed address that this server allocated.
    pub fn relay_address(&self, of: Use) -> Option<SocketAddr> {
        self.lock().relay_address(of)
    }

    /// Gathering began. Only the first call counts.
    pub fn begin(&self, now: Instant) {
        self.lock().began.get_or_insert(now);
    }

    /// When gathering began.
    pub fn began(&self) -> Option<Instant> {
        self.lock().began
    }

    /// The peer connection opened a local socket.
    pub fn socket_opened(&self) -> SocketId {
        let mut state = self.lock();
        state.last_socket += 1;
        let id = state.last_socket;
        state.sockets.insert(id);
        id
    }

    /// The peer connection dropped a local socket; what was under way from it is void.
    pub fn socket_closed(&self, id: SocketId) {
        let mut state = self.lock();
        state.sockets.remove(&id);
        for server in &mut state.servers {
            if server.attempts.get(&id).is_some_and(Attempt::is_open)
                && let Some(attempt) = server.attempts.remove(&id)
            {
                server.past = server.past + attempt.traffic;
            }
        }
    }

    /// A server is being used from a socket; the token is cancelled when it is given up.
    pub fn attempt_began(&self, of: Use) -> CancellationToken {
        self.with(of, |_| ());
        self.lock().servers[of.server].given_up.clone()
    }

    /// How far an attempt has come.
    pub fn reached(&self, of: Use, phase: Phase) {
        self.with(of, |attempt| attempt.reached(phase));
    }

    /// A datagram went out to the server.
    pub fn sent(&self, of: Use, datagram: &[u8]) {
        self.with(of, |attempt| attempt.sent(datagram));
    }

    /// A datagram could not be queued or delivered.
    pub fn dropped(&self, of: Use) {
        self.with(of, |attempt| attempt.traffic.packets_dropped += 1);
    }

    /// A datagram came in from the server.
    pub fn received(&self, of: Use, datagram: &[u8], now: Instant) {
        match self.with(of, |attempt| attempt.received(datagram)) {
            Answer::Nothing => {}
            Answer::Concluded(conclusion) => self.conclude(of, conclusion, now),
            Answer::Rejected {
                method,
                code,
                reason,
            } => {
                let state = self.lock();
                let server = &state.servers[of.server];
                let rejected = Observation::Rejected {
                    url: server.url.clone(),
                    method,
                    code,
                    reason,
                    after_ms: milliseconds(state.elapsed(now)),
                };
                self.observe(server, rejected);
            }
        }
    }

    /// The way to the server ended.
    pub fn ended(&self, of: Use, conclusion: Conclusion, now: Instant) {
        if self.is_undecided(of) {
            return self.conclude(of, conclusion, now);
        }
        let state = self.lock();
        let server = &state.servers[of.server];
        let had_succeeded = |attempt: &Attempt| {
            let conclusion = attempt.conclusion.as_ref();
            conclusion.is_some_and(|conclusion| conclusion.outcome.is_success())
        };
        if server.attempts.get(&of.socket).is_some_and(had_succeeded) {
            let lost = Observation::Lost {
                url: server.url.clone(),
                reason: conclusion.reason,
                after_ms: milliseconds(state.elapsed(now)),
            };
            self.observe(server, lost);
        }
    }

    /// Whether an attempt has come to nothing yet.
    pub fn is_undecided(&self, of: Use) -> bool {
        self.with(of, |attempt| attempt.is_open())
    }

    /// Whether a request with this transaction id went to the server from this socket.
    pub fn has_asked(&self, of: Use, id: TransactionId) -> bool {
        self.with(of, |attempt| attempt.transactions.knows(id))
    }

    /// The gathering deadline: every URL without an outcome gets one, and is given up.
    pub fn finish(&self, now: Instant) {
        let mut state = self.lock();
        let after = state.elapsed(now);
        for server in &mut state.servers {
            if server.concluded.is_some() || server.is_implied {
                continue;
            }
            for attempt in server.attempts.values_mut() {
                attempt.finish(after);
            }
            server.concluded = Some(server.best().map_or_else(
                || {
                    let reason = "the peer sent nothing to it";
                    let conclusion = Conclusion::failure(IceServerOutcome::NotUsed, reason);
                    (conclusion, 0, after)
                },
                |(socket, conclusion)| (conclusion.clone(), socket, after),
            ));
            server.given_up.cancel();
            self.tell(server);
        }
        self.count(&state);
    }

    /// Waits until every URL has an outcome.
    pub async fn decided(&self) {
        let mut undecided = self.undecided.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = undecided.wait_for(|count| *count == 0).await;
    }

    /// What every URL has come to, in the order of the configuration; those without an outcome
    /// are missing.
    pub fn statuses(&self) -> Vec<ServerStatus> {
        let state = self.lock();
        let configured = state.servers.iter().filter(|server| !server.is_implied);
        configured.filter_map(ServerState::status).collect()
    }

    /// The server that reported an address of this peer: a relayed address, or a mapped one.
    pub fn server_of_address(&self, address: SocketAddr) -> Option<usize> {
        let state = self.lock();
        state.servers.iter().position(|server| {
            server.attempts.values().any(|attempt| {
                attempt.conclusion.as_ref().is_some_and(|conclusion| {
                    match conclusion.outcome {
                        IceServerOutcome::Allocated => conclusion.relay_address,
                        _ => conclusion.mapped_address,
                    }
                    .is_some_and(|known| known == address)
                })
            })
        })
    }

    fn conclude(&self, of: Use, conclusion: Conclusion, now: Instant) {
        let mut state = self.lock();
        let after = state.elapsed(now);
        let State {
            sockets, servers, ..
        } = &mut *state;
        let server = &mut servers[of.server];
        let Some(attempt) = server.attempts.get_mut(&of.socket) else {
            return;
        };
        let is_success = conclusion.outcome.is_success();
        attempt.conclusion = Some(conclusion);
        let is_last = sockets.iter().all(|socket| {
            let attempt = server.attempts.get(socket);
            attempt.is_some_and(|attempt| !attempt.is_open())
        });
        if server.concluded.is_some() || !(is_success || is_last) {
            return;
        }
        if let Some((socket, conclusion)) = server.best() {
            server.concluded = Some((conclusion.clone(), socket, after));
            self.tell(server);
            self.count(&state);
        }
    }

    fn with<T>(&self, of: Use, act: impl FnOnce(&mut Attempt) -> T) -> T {
        let mut state = self.lock();
        let server = &mut state.servers[of.server];
        act(server.attempts.entry(of.socket).or_default())
    }

    fn tell(&self, server: &ServerState) {
        if let Some(status) = server.status() {
            self.observe(server, Observation::Outcome(status));
        }
    }

    fn observe(&self, server: &ServerState, observation: Observation) {
        if !server.is_implied {
            // Nobody has to listen: the statuses hold the same.
            let _ = self.observations.send(observation);
        }
    }

    fn count(&self, state: &State) {
        let undecided = state
            .servers
            .iter()
            .filter(|server| server.concluded.is_none() && !server.is_implied);
        self.undecided.send_replace(undecided.count());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn relay_address(&self, of: Use) -> Option<SocketAddr> {
        let attempt = self.servers[of.server].attempts.get(&of.socket)?;
        attempt.conclusion.as_ref()?.relay_address
    }

    fn elapsed(&self, now: Instant) -> Duration {
        self.began
            .map_or(Duration::ZERO, |began| now.saturating_duration_since(began))
    }
}

impl ServerState {
    fn new(server: &Server) -> Self {
        Self {
            url: server.url.text.clone(),
            transport: server.url.transport,
            attempts: BTreeMap::new(),
            past: Traffic::default(),
            concluded: None,
            given_up: CancellationToken::new(),
            is_implied: server.implied_by().is_some(),
        }
    }

    fn best(&self) -> Option<(SocketId, &Conclusion)> {
        self.attempts
            .iter()
            .filter_map(|(socket, attempt)| Some((*socket, attempt.conclusion.as_ref()?)))
            .max_by_key(|(_, conclusion)| conclusion.rank())
    }

    fn status(&self) -> Option<ServerStatus> {
        let (conclusion, socket, after) = self.concluded.as_ref()?;
        let traffic = self
            .attempts
            .values()
            .fold(self.past, |sum, attempt| sum + attempt.traffic);
        let attempt = self.attempts.get(socket);
        Some(ServerStatus {
            report: IceServerReport {
                url: self.url.clone(),
                transport: self.transport,
                outcome: conclusion.outcome,
                after_ms: milliseconds(*after),
                relay_address: conclusion.relay_address.map(|address| address.to_string()),
                reason: conclusion.reason.clone(),
                bytes_sent: traffic.bytes_sent,
                bytes_received: traffic.bytes_received,
            },
            local_address: attempt.and_then(Attempt::local_address),
            server_address: attempt.and_then(Attempt::far_address),
            mapped_address: conclusion.mapped_address,
            packets_sent: traffic.packets_sent,
            packets_received: traffic.packets_received,
            packets_dropped: traffic.packets_dropped,
        })
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
