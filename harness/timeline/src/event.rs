//! The events of a run.

use crate::{
    Candidate, CandidatePairReport, DataStats, FaultEvent, IceServerReport, MediaKind, MediaStats,
    SelectedPair,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One line of `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When, in milliseconds since the run began, on the harness's monotonic clock.
    pub at_ms: f64,
    /// The node that reports: a peer, gateway or server of the lab, or `harness`.
    pub node: String,
    /// What happened.
    pub event: Event,
}

/// The severity of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something failed.
    Error,
    /// Something is odd.
    Warn,
    /// What a person wants to know.
    Info,
    /// What a developer wants to know.
    Debug,
}

/// A phase of a run, in the order in which they happen.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Networks and containers are created and configured.
    Raise,
    /// The lab is measured against what the plan declares.
    Attest,
    /// The call, from the offer to the last media.
    Call,
    /// Counters, logs and captures are fetched.
    Collect,
    /// Everything is removed.
    Teardown,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Raise => "raise",
            Self::Attest => "attest",
            Self::Call => "call",
            Self::Collect => "collect",
            Self::Teardown => "teardown",
        })
    }
}

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// A phase began (node `harness`).
    PhaseStarted {
        /// Which.
        phase: Phase,
    },
    /// A phase ended (node `harness`).
    PhaseEnded {
        /// Which.
        phase: Phase,
    },
    /// A line of a program's own log: the agent's `tracing` output, coturn, dnsmasq.
    Log {
        /// How severe.
        level: Level,
        /// The module or program that wrote it.
        target: String,
        /// The line, with secrets redacted.
        message: String,
    },
    /// A node is set up and its services answer.
    NodeReady {
        /// From the container's start to readiness, in milliseconds, on the node's clock.
        after_ms: f64,
    },
    /// A node's container ended although nobody asked for it.
    NodeExited {
        /// Exit status, where there is one.
        exit_code: Option<i64>,
    },
    /// One declaration of the plan, measured (see [`Measured`]).
    Attested(Measured),
    /// A peer created its peer connection.
    CallStarted {
        /// The name of the ICE configuration.
        configuration: String,
        /// The ICE transport policy in force (`all` or `relay`, W3C webrtc-pc).
        policy: String,
    },
    /// A peer was given time-limited TURN credentials, in place of those of the ICE configuration (TURN REST API,
    /// draft-uberti-behave-turn-rest-00).
    CredentialsFetched {
        /// The number that their user name begins with, in seconds since 1970 if it was made as TURN servers expect it.
        time_stamp: u64,
    },
    /// A state of the call changed.
    State(CallState),
    /// A local candidate was gathered.
    LocalCandidate(Candidate),
    /// A candidate of the other peer became known: signalling brought it, or it was found (`prflx`). Once for each address
    /// and type of a connection.
    RemoteCandidate(Candidate),
    /// A URL of the ICE configuration came to its outcome.
    IceServer(IceServerReport),
    /// ICE selected a candidate pair.
    SelectedPair(SelectedPair),
    /// A pair on which connectivity checks were sent or came in, told once when its connection ends, whether or not it had connected.
    CandidatePair(CandidatePairReport),
    /// An audio or video stream, about once a second and at the end of the call.
    Media {
        /// Audio or video.
        kind: MediaKind,
        /// Totals since the call began.
        stats: MediaStats,
    },
    /// The data channel, about once a second and at the end of the call.
    Data {
        /// Totals since the call began.
        stats: DataStats,
    },
    /// The round trip over the selected pair, whenever a connectivity or consent check has measured it anew (W3C
    /// webrtc-stats `currentRoundTripTime`).
    RoundTrip {
        /// In milliseconds.
        rtt_ms: f64,
    },
    /// Something broke on purpose, or was mended (node `harness`).
    Fault(FaultEvent),
    /// A peer's signalling connection changed.
    Signalling(SignallingEvent),
    /// A peer's recovery took a step.
    Recovery(RecoveryEvent),
    /// A peer's call is over, and everything that belongs to it should be gone.
    Released {
        /// What its process held before the call.
        before: Holdings,
        /// What it holds now.
        after: Holdings,
    },
    /// The call's part in the harness came to an end: `None` when its media time was up, else why
    /// it was given up.
    CallEnded {
        /// The reason in words.
        reason: Option<String>,
    },
    /// What a gateway's rules have counted since the lab was raised.
    Counters {
        /// `before-call` or `after-call`.
        moment: String,
        /// Each rule with its counts.
        rules: Vec<RuleCounter>,
    },
    /// A TURN server has made an allocation, by coturn's own log.
    TurnAllocated {
        /// coturn's session number.
        session: String,
    },
    /// An allocation, from coturn's own log: when it is closed, or in the end if it is not.
    TurnSession(TurnSession),
    /// What a node's agent has used by the end of the run.
    Resources {
        /// The most memory that was resident at once, in KiB (`ru_maxrss`, getrusage(2)).
        peak_resident_kib: u64,
        /// Processor time in user and kernel mode, in milliseconds.
        cpu_ms: f64,
    },
    /// A fault of the harness or of Docker: it makes the run INVALID.
    HarnessFault {
        /// What was tried, what came of it, and what to do.
        message: String,
    },
    /// This machine cannot build the scenario's network: it makes the run UNSUPPORTED.
    Unsupported {
        /// What it cannot, and what to do.
        reason: String,
    },
    /// The ICE configuration asks for what no lab can have, so none was raised: it makes the run UNSUPPORTED.
    ConfigurationUnsupported {
        /// What, why not, and what to do.
        reason: String,
    },
    /// The run was interrupted by a signal.
    Interrupted,
}

/// A state of a peer connection (W3C webrtc-pc), by the machine that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallState {
    /// `signaling`, `ice-gathering`, `ice-connection`, `connection` or `data-channel` (W3C `RTCDataChannelState`), or
    /// `recovery`, the client's own.
    pub machine: String,
    /// The state's W3C name, such as `connected`; of `recovery` one of `new`, `connecting`, `connected`, `disconnected`,
    /// `retrying` and `failed`.
    pub state: String,
}

/// What a peer's process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Holdings {
    /// Open sockets.
    pub sockets: usize,
    /// Tasks that have not ended.
    pub tasks: usize,
}

/// What became of a peer's signalling connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "step", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SignallingEvent {
    /// It is open: signals get through.
    Open {
        /// The server's URL.
        url: String,
        /// How long it took to open, in milliseconds.
        after_ms: f64,
    },
    /// It could not be opened; the peer tries again.
    Failed {
        /// The server's URL.
        url: String,
        /// Why, in words.
        reason: String,
    },
    /// It broke; the peer opens it again.
    Closed {
        /// Why, in words.
        reason: String,
    },
}

/// A step of a peer's recovery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "step", rename_all = "kebab-case", deny_unknown_fields)]
pub enum RecoveryEvent {
    /// An attempt will be made.
    Scheduled {
        /// Its number, 1 being the first since the connection was last up.
        attempt: u32,
        /// How many there may be.
        of: u32,
        /// Why: `failed`, `disconnected` or `not-formed`.
        trigger: String,
        /// After how long, in milliseconds.
        delay_ms: f64,
    },
    /// An attempt begins.
    Started {
        /// Its number.
        attempt: u32,
        /// How many there may be.
        of: u32,
        /// Why.
        trigger: String,
        /// How: `reset`, `ice-restart` or `reset-relayed`.
        strategy: String,
    },
    /// An attempt is over.
    Ended {
        /// Its number.
        attempt: u32,
        /// What came of it: `connected`; `replaced`, by an attempt of the other peer's; or, where it came to nothing,
        /// `failed`, `disconnected` or `not-formed`.
        outcome: String,
    },
    /// The connection is up again.
    Recovered {
        /// How many attempts that took.
        attempts: u32,
    },
    /// No attempt is left; the connection is closed.
    GaveUp {
        /// How many were made.
        attempts: u32,
        /// What failed last.
        trigger: String,
    },
}

impl std::fmt::Display for RecoveryEvent {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scheduled {
                attempt,
                of,
                trigger,
                delay_ms,
            } => write!(
                formatter,
                "attempt {attempt} of {of} in {:.1} s ({trigger})",
                delay_ms / 1e3
            ),
            Self::Started {
                attempt,
                of,
                strategy,
                ..
            } => write!(formatter, "attempt {attempt} of {of}: {strategy}"),
            Self::Ended { attempt, outcome } => write!(formatter, "attempt {attempt}: {outcome}"),
            Self::Recovered { attempts: 0 } => formatter.write_str("recovered by itself"),
            Self::Recovered { attempts: 1 } => formatter.write_str("recovered after 1 attempt"),
            Self::Recovered { attempts } => {
                write!(formatter, "recovered after {attempts} attempts")
            }
            Self::GaveUp { attempts, .. } => {
                write!(formatter, "gives up after {attempts} attempts")
            }
        }
    }
}

/// A side of the lab that attestation looks at.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Aspect {
    /// No interface, route or resolver leads anywhere but into the lab.
    Isolation,
    /// Names resolve to the lab's own servers.
    Names,
    /// NAT mapping and filtering (RFC 4787).
    Nat,
    /// What the firewall lets pass.
    Firewall,
    /// Delay, rate, MTU and loss of the link.
    Link,
    /// The listeners of the STUN and TURN servers.
    Servers,
}

impl std::fmt::Display for Aspect {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Isolation => "isolation",
            Self::Names => "names",
            Self::Nat => "nat",
            Self::Firewall => "firewall",
            Self::Link => "link",
            Self::Servers => "servers",
        })
    }
}

/// A declaration of the plan beside what was measured in the lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Where it was measured from.
    pub node: String,
    /// Which side of the lab it is about.
    pub aspect: Aspect,
    /// What was measured, such as `tcp 443 to the internet`.
    pub what: String,
    /// What the plan declares.
    pub declared: String,
    /// What was found.
    pub measured: String,
    /// Whether the two agree.
    pub holds: bool,
}

/// What one named rule of a gateway has counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleCounter {
    /// The rule's name, such as `corporate/drop-udp`.
    pub rule: String,
    /// Packets.
    pub packets: u64,
    /// Bytes, IP headers included.
    pub bytes: u64,
}

/// An allocation as coturn's log has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TurnSession {
    /// coturn's session number.
    pub session: String,
    /// The client's transport address as the server saw it.
    pub client: Option<String>,
    /// The user name.
    pub username: Option<String>,
    /// Bytes that the server received from the client and peers in this session.
    pub bytes_received: u64,
    /// Bytes that the server sent in this session.
    pub bytes_sent: u64,
    /// Packets received.
    pub packets_received: u64,
    /// Packets sent.
    pub packets_sent: u64,
    /// Whether the server had closed it, and so told everything that it counted. If not, the bytes
    /// and packets are the least that it can have counted.
    pub complete: bool,
}
