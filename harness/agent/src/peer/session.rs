//! A peer in a call: what an application's client does with its connection. It offers, answers and trickles by what
//! signalling brings, and tries again by its [recovery](farcall_recovery) when the connection breaks or does not form.
//!
//! Where both peers offer at once, the one that did not begin the call gives way (perfect negotiation, W3C webrtc-pc
//! section 10.7). A new connection's offer is then dropped with its connection; webrtc-rs 0.21.1 cannot roll back an
//! offer of a connection that is kept, so for new ICE credentials that peer asks the other to offer.

mod negotiation;

use super::PeerIdentity;
use super::call::{Call, Purpose};
use super::error::PeerError;
use super::speaker::{Speaker, Way};
use crate::Outlet;
use crate::ice_transport::TlsWay;
use crate::rest;
use crate::signalling::SignallingClient;
use farcall_protocol::{CallSetup, RemoteCandidate, Signal, SignalBody};
use farcall_recovery::{Action, ClientState, ConnectionState, Policy, Recovery, Strategy};
use farcall_scenario::{IceTransportPolicy, Scheme};
use farcall_timeline::{CallState, Event, RecoveryEvent};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;
use webrtc::peer_connection::RTCPeerConnectionState;

/// How many random numbers a session draws for the jitter of its pauses.
const RANDOMS: usize = 32;

/// What a session is told.
pub(super) enum Input {
    /// By the other peer.
    Signal(Signal),
    /// By this incarnation of the connection.
    State {
        incarnation: u32,
        state: RTCPeerConnectionState,
    },
    /// That the peer is on another network, with these addresses.
    Moved(Vec<IpAddr>),
    /// To stop to send.
    StopMedia(oneshot::Sender<()>),
    /// To end the call.
    End(oneshot::Sender<Result<(), PeerError>>),
}

/// A handle to a running session.
pub(super) struct Session {
    inputs: mpsc::UnboundedSender<Input>,
    _task: AbortOnDropHandle<()>,
}

impl Session {
    /// Begins the call.
    pub async fn start(
        identity: &PeerIdentity,
        outlet: &Outlet,
        setup: &CallSetup,
    ) -> Result<Self, PeerError> {
        let (inputs, told) = mpsc::unbounded_channel();
        let policy = setup.recovery.as_ref().map_or_else(Policy::off, policy);
        let signalling = signalling(identity, outlet, setup, &inputs)?;
        let mut state = State {
            identity: identity.clone(),
            outlet: outlet.clone(),
            setup: setup.clone(),
            inputs: inputs.clone(),
            started: Instant::now(),
            recovers: setup.recovery.is_some(),
            recovery: Recovery::new(policy).with_randoms(randoms(setup.seed)),
            told: None,
            speaker: Speaker {
                way: match &signalling {
                    Some(client) => Way::Network(client.voice()),
                    None => Way::Harness(outlet.clone()),
                },
                connection: 0,
                incarnation: 0,
            },
            signalling,
            call: None,
            attempting: None,
            offering: None,
            remote: None,
            early: Vec::new(),
        };
        let role = if setup.offerer {
            Purpose::Offer
        } else {
            Purpose::Answer
        };
        state.connect(1, role, setup.policy).await?;
        state.recovery.begin(Duration::ZERO);
        state.tell_state();
        if setup.offerer {
            state.offer(0).await?;
        }
        let task = tokio::spawn(state.run(told));
        Ok(Self {
            inputs,
            _task: AbortOnDropHandle::new(task),
        })
    }

    /// Hands on what the other peer says.
    pub fn signal(&self, signal: Signal) {
        // The session's end answers whoever waits for it.
        let _ = self.inputs.send(Input::Signal(signal));
    }

    /// Hands on that the peer is on another network.
    pub fn moved(&self, local_ips: Vec<IpAddr>) {
        let _ = self.inputs.send(Input::Moved(local_ips));
    }

    /// Stops to send media and data.
    pub async fn stop_media(&self) {
        let (done, stopped) = oneshot::channel();
        if self.inputs.send(Input::StopMedia(done)).is_ok() {
            let _ = stopped.await;
        }
    }

    /// Reports what there is to report, closes the connection and releases its allocations.
    pub async fn end(self) -> Result<(), PeerError> {
        let (done, ended) = oneshot::channel();
        if self.inputs.send(Input::End(done)).is_err() {
            return Err(PeerError::NotInCall);
        }
        ended.await.unwrap_or(Err(PeerError::NotInCall))
    }
}

struct State {
    identity: PeerIdentity,
    outlet: Outlet,
    setup: CallSetup,
    inputs: mpsc::UnboundedSender<Input>,
    started: Instant,
    recovers: bool,
    recovery: Recovery,
    /// The state of the recovery that was last told.
    told: Option<ClientState>,
    /// The voice of the current connection.
    speaker: Speaker,
    /// The signalling over the network; `None`: it goes through the harness.
    signalling: Option<SignallingClient>,
    /// The current connection, until the session has given up.
    call: Option<Call>,
    /// The attempt of its own that this peer is making.
    attempting: Option<u32>,
    /// The attempt of this peer's offer that waits for its answer.
    offering: Option<u32>,
    /// The other peer's incarnation whose description is set, before which no candidate can be added.
    remote: Option<u32>,
    /// Candidates of incarnations whose description has not come.
    early: Vec<(u32, RemoteCandidate)>,
}

impl State {
    async fn run(mut self, mut told: mpsc::UnboundedReceiver<Input>) {
        loop {
            let due = self.recovery.deadline().filter(|_| self.recovers);
            let due = due.map(|at| (self.started + at).into());
            let timer = async {
                match due {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let done = tokio::select! {
                input = told.recv() => match input {
                    None => return,
                    Some(Input::End(done)) => {
                        let _ = done.send(self.end().await);
                        return;
                    }
                    Some(input) => self.take(input).await,
                },
                () = timer => {
                    let action = self.recovery.on_timer(self.now());
                    self.perform(action).await
                }
            };
            if let Err(error) = done {
                // webrtc-rs refused something that signalling asks for: the peer is at fault, not the network.
                self.outlet.event(Event::HarnessFault {
                    message: error.to_string(),
                });
            }
        }
    }

    async fn take(&mut self, input: Input) -> Result<(), PeerError> {
        match input {
            Input::Signal(signal) => self.signalled(signal).await,
            Input::State { incarnation, state } if incarnation == self.speaker.incarnation => {
                let state = match state {
                    RTCPeerConnectionState::Connected => ConnectionState::Connected,
                    RTCPeerConnectionState::Disconnected => ConnectionState::Disconnected,
                    RTCPeerConnectionState::Failed => ConnectionState::Failed,
                    _ => return Ok(()),
                };
                let action = self.recovery.on_state(self.now(), state);
                self.perform(action).await
            }
            // Of a connection that another has taken the place of.
            Input::State { .. } => Ok(()),
            Input::Moved(local_ips) => {
                self.identity.local_ips = local_ips;
                if let Some(signalling) = &self.signalling {
                    signalling.moved();
                }
                Ok(())
            }
            Input::StopMedia(done) => {
                if let Some(call) = &self.call {
                    call.stop_media().await;
                }
                let _ = done.send(());
                Ok(())
            }
            Input::End(_) => Ok(()),
        }
    }

    async fn perform(&mut self, action: Option<Action>) -> Result<(), PeerError> {
        self.tell_state();
        let Some(action) = action.filter(|_| self.recovers) else {
            return Ok(());
        };
        let of = self.recovery.policy().max_attempts;
        match action {
            Action::Schedule {
                number,
                trigger,
                at,
            } => {
                self.attempt_ended(&trigger.to_string());
                tracing::info!("Connection failed. Retrying... ({number}/{of})");
                let delay = at.saturating_sub(self.now());
                self.tell(RecoveryEvent::Scheduled {
                    attempt: number,
                    of,
                    trigger: trigger.to_string(),
                    delay_ms: delay.as_secs_f64() * 1e3,
                });
                Ok(())
            }
            Action::Attempt {
                number,
                trigger,
                strategy,
            } => {
                self.tell(RecoveryEvent::Started {
                    attempt: number,
                    of,
                    trigger: trigger.to_string(),
                    strategy: strategy.to_string(),
                });
                self.attempting = Some(number);
                self.attempt(number, strategy).await
            }
            Action::Recovered { attempts } => {
                self.attempt_ended("connected");
                self.tell(RecoveryEvent::Recovered { attempts });
                Ok(())
            }
            Action::GiveUp { attempts, trigger } => {
                tracing::error!("Connection failed after {attempts} attempts. Giving up.");
                self.attempt_ended(&trigger.to_string());
                let ended = self.end().await;
                self.tell(RecoveryEvent::GaveUp {
                    attempts,
                    trigger: trigger.to_string(),
                });
                ended
            }
        }
    }

    async fn attempt(&mut self, number: u32, strategy: Strategy) -> Result<(), PeerError> {
        let policy = match strategy {
            Strategy::IceRestart => return self.restart_ice(number).await,
            Strategy::Reset => self.setup.policy,
            Strategy::ResetRelayed => IceTransportPolicy::Relay,
        };
        self.connect(self.speaker.connection + 1, Purpose::Offer, policy)
            .await?;
        self.offer(number).await
    }

    async fn restart_ice(&mut self, number: u32) -> Result<(), PeerError> {
        if !self.setup.offerer {
            self.say(SignalBody::Restart { attempt: number });
            return Ok(());
        }
        let Some(call) = &self.call else {
            return Ok(());
        };
        call.restart_ice().await?;
        self.offer(number).await
    }

    /// A connection in place of the last one.
    async fn connect(
        &mut self,
        number: u32,
        purpose: Purpose,
        policy: IceTransportPolicy,
    ) -> Result<(), PeerError> {
        let ended = self.end().await;
        let incarnation = self.speaker.incarnation + 1;
        let inputs = self.inputs.clone();
        let on_state = Box::new(move |state| {
            let _ = inputs.send(Input::State { incarnation, state });
        });
        self.speaker = Speaker {
            connection: number,
            incarnation,
            ..self.speaker.clone()
        };
        self.offering = None;
        self.remote = None;
        let is_fresh = self
            .setup
            .recovery
            .as_ref()
            .is_some_and(|at| at.fresh_credentials);
        if number == 1 || is_fresh {
            self.fetch_credentials();
        }
        let setup = CallSetup {
            policy,
            ..self.setup.clone()
        };
        let call = Call::start(
            &self.identity,
            &self.outlet,
            &setup,
            self.speaker.clone(),
            purpose,
            on_state,
        );
        self.call = Some(call.await?);
        ended
    }

    /// Credentials for every TURN server, as the application's own server gives them out.
    fn fetch_credentials(&mut self) {
        let Some(authority) = &self.setup.rest else {
            return;
        };
        let fetched = rest::credentials(authority, SystemTime::now());
        self.outlet.keep_secret(&fetched.account.password);
        let time_stamp = fetched.time_stamp;
        self.outlet.event(Event::CredentialsFetched { time_stamp });
        let servers = self.setup.ice_servers.iter_mut();
        for (_, account) in servers.filter(|(url, _)| url.scheme != Scheme::Stun) {
            *account = Some(fetched.account.clone());
        }
    }

    async fn end(&mut self) -> Result<(), PeerError> {
        match self.call.take() {
            Some(call) => call.end().await,
            None => Ok(()),
        }
    }

    /// Tells what came of this peer's own attempt, if it is making one.
    fn attempt_ended(&mut self, outcome: &str) {
        if let Some(attempt) = self.attempting.take() {
            let outcome = outcome.to_owned();
            self.tell(RecoveryEvent::Ended { attempt, outcome });
        }
    }

    /// Tells what the client is in, unless that was told.
    fn tell_state(&mut self) {
        let state = self.recovery.state();
        if self.recovers && self.told.replace(state) != Some(state) {
            self.outlet.event(Event::State(CallState {
                machine: "recovery".to_owned(),
                state: state.to_string(),
            }));
        }
    }

    fn tell(&self, event: RecoveryEvent) {
        self.outlet.event(Event::Recovery(event));
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }
}

/// The signalling over the network, where it goes there.
fn signalling(
    identity: &PeerIdentity,
    outlet: &Outlet,
    setup: &CallSetup,
    inputs: &mpsc::UnboundedSender<Input>,
) -> Result<Option<SignallingClient>, PeerError> {
    let Some(access) = &setup.signalling else {
        return Ok(None);
    };
    let proxy = setup.proxy.map(SocketAddr::V4);
    let way = TlsWay::new(&identity.local_ips, &identity.ca_pem, proxy)?;
    let inputs = inputs.clone();
    let hear = move |signal| {
        // The session's end ends its signalling.
        let _ = inputs.send(Input::Signal(signal));
    };
    Ok(Some(SignallingClient::start(way, access, outlet, hear)))
}

/// As many as any recovery has pauses before they come again.
fn randoms(seed: u64) -> Vec<f64> {
    let random = ChaCha8Rng::seed_from_u64(seed);
    random.random_iter().take(RANDOMS).collect()
}

fn policy(recovery: &farcall_scenario::Recovery) -> Policy {
    let strategy = |strategy: &farcall_scenario::RecoveryStrategy| match strategy {
        farcall_scenario::RecoveryStrategy::Reset => Strategy::Reset,
        farcall_scenario::RecoveryStrategy::IceRestart => Strategy::IceRestart,
        farcall_scenario::RecoveryStrategy::ResetRelayed => Strategy::ResetRelayed,
    };
    let ms = |ms: u32| Duration::from_millis(ms.into());
    Policy {
        max_attempts: recovery.max_attempts,
        retry_delay: ms(recovery.retry_delay_ms),
        backoff: recovery.backoff,
        max_retry_delay: ms(recovery.max_retry_delay_ms),
        jitter: recovery.jitter,
        disconnected_grace: Some(ms(recovery.disconnected_grace_ms)),
        connect_timeout: Some(ms(recovery.connect_timeout_ms)),
        strategies: recovery.strategies.iter().map(strategy).collect(),
    }
}

#[cfg(test)]
mod tests;
