//! The recovery of one client, event by event.

use crate::policy::{Policy, Strategy};
use std::time::Duration;

/// A state of the current connection (W3C `RTCPeerConnectionState`), as far as it matters here. `new` and `connecting`
/// do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectionState {
    /// ICE and DTLS are up.
    Connected,
    /// No answer for some seconds.
    Disconnected,
    /// ICE has given up.
    Failed,
}

/// Why an attempt is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// The connection failed.
    Failed,
    /// It was disconnected for longer than the grace time.
    Disconnected,
    /// It did not form in time.
    NotFormed,
    /// The other peer made the attempt.
    OtherPeer,
}

/// What a client is in, as a person who uses it would be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientState {
    /// It has not begun.
    New,
    /// A connection forms.
    Connecting,
    /// It is up.
    Connected,
    /// It is disconnected, and may come back by itself.
    Disconnected,
    /// It has failed, and an attempt will be made.
    Retrying,
    /// It has failed, and no attempt is left. There is no way out of this state.
    Failed,
}

/// What the driver is to do, or to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing but tell that an attempt will be made.
    Schedule {
        /// Its number, 1 being the first since the connection was last up.
        number: u32,
        /// Why it is made.
        trigger: Trigger,
        /// When.
        at: Duration,
    },
    /// Make the attempt.
    Attempt {
        /// Its number.
        number: u32,
        /// Why it is made.
        trigger: Trigger,
        /// How.
        strategy: Strategy,
    },
    /// Nothing but tell that the connection is up again.
    Recovered {
        /// How many attempts that took; 0: it came back while an attempt was being waited for.
        attempts: u32,
    },
    /// Close the connection and release what it holds: no attempt is left.
    GiveUp {
        /// How many were made.
        attempts: u32,
        /// What failed last.
        trigger: Trigger,
    },
}

/// A client's recovery. See the [crate](crate).
#[derive(Debug, Clone, PartialEq)]
pub struct Recovery {
    policy: Policy,
    /// Attempts since the connection was last up.
    attempts: u32,
    phase: Phase,
    /// Random numbers for pauses, used in turn.
    randoms: Vec<f64>,
    /// How many pauses there have been.
    pauses: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// There is no connection yet.
    Idle,
    /// A connection forms, until then at most.
    Forming { until: Option<Duration> },
    /// It is up.
    Connected,
    /// It is disconnected, until then at most.
    Disconnected { until: Option<Duration> },
    /// It has failed, and the next attempt is due then.
    Waiting { until: Duration, trigger: Trigger },
    /// All attempts have failed.
    GivenUp,
}

impl Recovery {
    /// A client that has not begun yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            attempts: 0,
            phase: Phase::Idle,
            randoms: Vec::new(),
            pauses: 0,
        }
    }

    /// The same client with random numbers from 0 to 1 for the [jitter](Policy::jitter) of its pauses, which are used in
    /// turn; without any there is none.
    #[must_use]
    pub fn with_randoms(self, randoms: Vec<f64>) -> Self {
        Self { randoms, ..self }
    }

    /// The client begins to connect for the first time.
    pub fn begin(&mut self, now: Duration) {
        self.phase = self.forming(now);
    }

    /// The current connection came to a state. What a connection says that an attempt has replaced must not be told.
    pub fn on_state(&mut self, now: Duration, state: ConnectionState) -> Option<Action> {
        match (self.phase, state) {
            (Phase::Idle | Phase::GivenUp, _) => None,
            (_, ConnectionState::Connected) => self.connected(),
            (Phase::Connected, ConnectionState::Disconnected) => {
                let grace = self.policy.disconnected_grace;
                let until = grace.map(|grace| now.saturating_add(grace));
                self.phase = Phase::Disconnected { until };
                None
            }
            (
                Phase::Forming { .. } | Phase::Connected | Phase::Disconnected { .. },
                ConnectionState::Failed,
            ) => Some(self.fail(now, Trigger::Failed)),
            (Phase::Forming { .. } | Phase::Disconnected { .. }, ConnectionState::Disconnected)
            | (Phase::Waiting { .. }, _) => None,
        }
    }

    /// When [`on_timer`](Self::on_timer) has something to do next; `None`: not before something else happens.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        match self.phase {
            Phase::Forming { until } | Phase::Disconnected { until } => until,
            Phase::Waiting { until, .. } => Some(until),
            Phase::Idle | Phase::Connected | Phase::GivenUp => None,
        }
    }

    /// Time has passed. Called before the [`deadline`](Self::deadline), it does nothing.
    pub fn on_timer(&mut self, now: Duration) -> Option<Action> {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return None;
        }
        match self.phase {
            Phase::Forming { .. } => Some(self.fail(now, Trigger::NotFormed)),
            Phase::Disconnected { .. } => Some(self.fail(now, Trigger::Disconnected)),
            Phase::Waiting { trigger, .. } => {
                self.phase = self.forming(now);
                Some(Action::Attempt {
                    number: self.attempts,
                    trigger,
                    strategy: self.policy.strategy_of(self.attempts),
                })
            }
            Phase::Idle | Phase::Connected | Phase::GivenUp => None,
        }
    }

    /// The other peer has made its attempt with this number, and its offer is being answered: an attempt of both, which
    /// takes the place of one that this client was waiting for. `false` once this client has given up: the offer is to
    /// be left unanswered.
    #[must_use]
    pub fn on_attempt_of_other(&mut self, now: Duration, number: u32) -> bool {
        if self.phase == Phase::GivenUp {
            return false;
        }
        self.attempts = self.attempts.max(number);
        self.phase = self.forming(now);
        true
    }

    /// What the client is in.
    #[must_use]
    pub fn state(&self) -> ClientState {
        match self.phase {
            Phase::Idle => ClientState::New,
            Phase::Forming { .. } => ClientState::Connecting,
            Phase::Connected => ClientState::Connected,
            Phase::Disconnected { .. } => ClientState::Disconnected,
            Phase::Waiting { .. } => ClientState::Retrying,
            Phase::GivenUp => ClientState::Failed,
        }
    }

    /// Attempts since the connection was last up.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The policy it follows.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    fn connected(&mut self) -> Option<Action> {
        let was = std::mem::replace(&mut self.phase, Phase::Connected);
        let attempts = std::mem::take(&mut self.attempts);
        match was {
            // The attempt that was being waited for was never made.
            Phase::Waiting { .. } => Some(Action::Recovered {
                attempts: attempts.saturating_sub(1),
            }),
            _ => (attempts > 0).then_some(Action::Recovered { attempts }),
        }
    }

    fn fail(&mut self, now: Duration, trigger: Trigger) -> Action {
        if self.attempts >= self.policy.max_attempts {
            self.phase = Phase::GivenUp;
            return Action::GiveUp {
                attempts: self.attempts,
                trigger,
            };
        }
        self.attempts += 1;
        let random = self.randoms.iter().cycle().nth(self.pauses);
        self.pauses = (self.pauses + 1) % self.randoms.len().max(1);
        let delay = self
            .policy
            .delay_before(self.attempts, random.copied().unwrap_or(0.0));
        let until = now.saturating_add(delay);
        self.phase = Phase::Waiting { until, trigger };
        Action::Schedule {
            number: self.attempts,
            trigger,
            at: until,
        }
    }

    fn forming(&self, now: Duration) -> Phase {
        let timeout = self.policy.connect_timeout;
        Phase::Forming {
            until: timeout.map(|timeout| now.saturating_add(timeout)),
        }
    }
}

impl std::fmt::Display for ClientState {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::New => "new",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::Retrying => "retrying",
            Self::Failed => "failed",
        })
    }
}

impl std::fmt::Display for Trigger {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Failed => "failed",
            Self::Disconnected => "disconnected",
            Self::NotFormed => "not-formed",
            Self::OtherPeer => "other-peer",
        })
    }
}
