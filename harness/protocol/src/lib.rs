//! What host and agent say to each other: one JSON object a line, commands on the agent's standard
//! input, messages on its standard output. No network is involved, so that a peer has exactly the
//! interfaces that its scenario gives it.

mod signal;
mod traffic;

pub use signal::{RemoteCandidate, Signal, SignalBody, SignallingAccess};
pub use traffic::{Carried, Delays, Traffic};

use farcall_plan::{Fact, FaultAction, Node};
use farcall_scenario::{CertificateFlaw, IceTransportPolicy, IceUrl, Recovery, TimeStampUnit};
use farcall_timeline::{Crossed, Event, Measured, RuleCounter};
use serde::{Deserialize, Serialize};
use std::net::SocketAddrV4;

/// A request to an agent. Each is answered by one [`Message::Reply`] with the same `id`, in any
/// order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Chosen by the host, unique for this agent.
    pub id: u64,
    /// What to do.
    pub command: Command,
}

/// What an agent can be asked to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    /// Become this node: addresses, routes, rules, services. The first command; answered by
    /// [`Reply::Done`] when all services answer.
    Setup(Box<Setup>),
    /// Tell the agent's clock, to bring its events onto the host's. Answered by [`Reply::Clock`].
    Clock,
    /// Measure a fact. Answered by [`Reply::Measured`].
    Measure {
        /// What to measure.
        fact: Fact,
        /// See [`Declaration::round_trip_ms`](farcall_plan::Declaration::round_trip_ms).
        round_trip_ms: u32,
    },
    /// Let packets cross this gateway's link as they would cross a wire, its MTU aside, or as planned again. Where there
    /// is no link, nothing changes. Answered by [`Reply::Done`].
    EaseLink {
        /// Whether as a wire.
        eased: bool,
    },
    /// Exchange traffic with the probe. Answered by [`Reply::Carried`].
    Carry {
        /// What.
        traffic: Traffic,
        /// See [`Declaration::round_trip_ms`](farcall_plan::Declaration::round_trip_ms).
        round_trip_ms: u32,
    },
    /// Tell what the agent has used so far. Answered by [`Reply::Used`].
    Used,
    /// Read the rules' counters (gateways). Answered by [`Reply::Counters`].
    Counters,
    /// Tell of all allocations since this was asked last: those that clients have released once they are closed, then
    /// those that are still open (TURN servers). Answered by [`Reply::Done`] after the last event.
    TellSessions,
    /// Give what the node has to tell: connection tables, interface statistics. Answered by
    /// [`Reply::Files`].
    Collect {
        /// Before that, end services in good order, so that they tell all they know. Not in a lab
        /// that is to go on.
        end_services: bool,
    },
    /// Break on purpose. Answered by [`Reply::Broken`].
    BeginFault {
        /// What to do.
        action: FaultAction,
        /// When, on the node's own clock as of [`Reply::Clock`]; `None`, and a time that has passed: at once.
        at_ns: Option<u64>,
    },
    /// Mend what was broken. Answered by [`Reply::Mended`].
    EndFault {
        /// What was done.
        action: FaultAction,
        /// When, as of [`BeginFault`](Self::BeginFault).
        at_ns: Option<u64>,
    },
    /// Answer the login page of a captive portal as a person does (peers). Answered by [`Reply::Done`]
    /// when the portal no longer redirects.
    LogIn {
        /// Where the portal speaks HTTP.
        portal: SocketAddrV4,
    },
    /// Begin a call (peers): create the peer connection and, if this peer makes the offer, offer. From then on the peer
    /// does by itself what signalling and its recovery ask for. Answered by [`Reply::Done`].
    StartCall(CallSetup),
    /// Take what the other peer says (peers), where signalling goes through the harness. Answered by [`Reply::Done`] at once.
    Signal(Signal),
    /// Stop to send media and data, so that nothing is under way when totals are read. Answered by
    /// [`Reply::Done`] after the last packet was sent.
    StopMedia,
    /// Report final statistics and selected pair, then close the peer connection and release what
    /// it has on the servers. Answered by [`Reply::Done`] after the last event.
    EndCall,
}

/// A node with what it must know and nobody else.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The node as planned.
    pub node: Node,
    /// Docker's own address of each interface, by which the agent finds it, in the order of
    /// [`Node::interfaces`].
    pub docker_addresses: Vec<std::net::Ipv4Addr>,
    /// The lab's certificate authority, as PEM.
    pub ca_pem: String,
    /// The node's certificate chain and key, as PEM, if it needs one.
    pub certificate: Option<CertificatePem>,
    /// The certificates that it gets in the middle of the call, by what is wrong with them.
    pub replacements: Vec<(CertificateFlaw, CertificatePem)>,
    /// The accounts of a TURN server.
    pub accounts: Vec<PlainAccount>,
    /// The secret by which a TURN server knows time-limited credentials, if it takes those.
    pub secret: Option<PlainSecret>,
    /// Whether to capture every interface's packets.
    pub capture: bool,
    /// Keep running when standard input closes (`farcall up`).
    pub detached: bool,
}

/// A certificate and its key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificatePem {
    /// The chain, leaf first.
    pub chain: String,
    /// The private key.
    pub key: String,
}

impl std::fmt::Debug for CertificatePem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("CertificatePem([redacted])")
    }
}

/// A user name and password in the open, on its way to the one who needs it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlainAccount {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for PlainAccount {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PlainAccount([redacted])")
    }
}

/// A secret on its way.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlainSecret(pub String);

impl std::fmt::Debug for PlainSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PlainSecret([redacted])")
    }
}

/// Who gives a peer time-limited credentials: what an application's own server does (TURN REST API,
/// draft-uberti-behave-turn-rest-00), the agent does in its place.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestAuthority {
    /// The secret that it shares with the TURN servers.
    pub secret: PlainSecret,
    /// How long they are valid, in seconds; 0: they are past when they are given out.
    pub valid_s: u32,
    /// What their time stamp counts.
    pub unit: TimeStampUnit,
}

/// What a peer must know for a call.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallSetup {
    /// The configuration's name, for the log line: `production`, `development`, or a file's name.
    pub configuration: String,
    /// Every URL with its account, in order.
    pub ice_servers: Vec<(IceUrl, Option<PlainAccount>)>,
    /// The transport policy.
    pub policy: IceTransportPolicy,
    /// The gathering deadline, in milliseconds.
    pub gathering_timeout_ms: u32,
    /// Whether this peer makes the offer.
    pub offerer: bool,
    /// The HTTP proxy through which it reaches TURN servers over TCP and TLS (CONNECT, RFC 9110 section
    /// 9.3.6). UDP knows no such way and is tried directly, as browsers do.
    pub proxy: Option<SocketAddrV4>,
    /// Where its signalling goes; `None`: through the harness.
    pub signalling: Option<SignallingAccess>,
    /// What it does when the connection breaks or does not form; `None`: it leaves it as it is.
    pub recovery: Option<Recovery>,
    /// The time-limited credentials that it is given in place of those of the configuration.
    pub rest: Option<RestAuthority>,
    /// From which everything random that it does follows.
    pub seed: u64,
}

/// What an agent says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Message {
    /// The answer to a request.
    Reply {
        /// The request's `id`.
        id: u64,
        /// The answer.
        reply: Reply,
    },
    /// Something happened.
    Event {
        /// When, on the agent's monotonic clock, in nanoseconds.
        at_ns: u64,
        /// What.
        event: Event,
    },
    /// Something for the other peer.
    Signal(Signal),
}

/// An answer to a [`Command`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Reply {
    /// It is done.
    Done,
    /// It failed; the message tells what was tried, with what, and what to do.
    Failed {
        /// The message.
        message: String,
    },
    /// The agent's monotonic clock.
    Clock {
        /// In nanoseconds.
        now_ns: u64,
    },
    /// What was measured, beside what was declared.
    Measured(Measured),
    /// What arrived of the traffic.
    Carried(Carried),
    /// What the agent has used.
    Used {
        /// Processor time of the agent itself, in milliseconds, of all its threads and not of other programs.
        cpu_ms: f64,
    },
    /// The rules' counters.
    Counters {
        /// Each rule.
        rules: Vec<RuleCounter>,
    },
    /// A fault is in effect.
    Broken {
        /// Since when, on the node's own clock.
        at_ns: u64,
    },
    /// What was broken is mended.
    Mended {
        /// Since when, on the node's own clock.
        at_ns: u64,
        /// What the fault dropped, in packets, as far as it drops any.
        dropped_packets: Option<u64>,
        /// What crossed the link whose conditions it changed.
        crossed: Option<Crossed>,
    },
    /// Files to keep with the run, by name.
    Files {
        /// Name and text.
        files: Vec<(String, String)>,
    },
}
