//! Events in words, and what kind of event each is.

use farcall_timeline::{
    Candidate, CandidatePairReport, Crossed, DataStats, Event, FaultEdge, FaultEvent,
    IceServerReport, MediaStats, SignallingEvent,
};

/// What an event is about, as reports group and filter events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Phase,
    Call,
    State,
    Candidate,
    Server,
    Pair,
    Media,
    Fault,
    Recovery,
    Attestation,
    Gateway,
    Turn,
    Harness,
    Log,
}

impl Kind {
    pub(crate) fn of(event: &Event) -> Self {
        match event {
            Event::PhaseStarted { .. } | Event::PhaseEnded { .. } => Self::Phase,
            Event::Log { .. } => Self::Log,
            Event::Attested(_) => Self::Attestation,
            Event::CallStarted { .. }
            | Event::CredentialsFetched { .. }
            | Event::CallEnded { .. }
            | Event::Signalling(_)
            | Event::Released { .. } => Self::Call,
            Event::State(_) => Self::State,
            Event::LocalCandidate(_) | Event::RemoteCandidate(_) => Self::Candidate,
            Event::IceServer(_) => Self::Server,
            Event::SelectedPair(_) | Event::CandidatePair(_) => Self::Pair,
            Event::Media { .. } | Event::Data { .. } | Event::RoundTrip { .. } => Self::Media,
            Event::Fault(_) => Self::Fault,
            Event::Recovery(_) => Self::Recovery,
            Event::Counters { .. } => Self::Gateway,
            Event::TurnAllocated { .. } | Event::TurnSession(_) => Self::Turn,
            Event::NodeReady { .. }
            | Event::NodeExited { .. }
            | Event::Resources { .. }
            | Event::HarnessFault { .. }
            | Event::Unsupported { .. }
            | Event::ConfigurationUnsupported { .. }
            | Event::Interrupted => Self::Harness,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Phase => "phase",
            Self::Call => "call",
            Self::State => "state",
            Self::Candidate => "candidate",
            Self::Server => "ice-server",
            Self::Pair => "pair",
            Self::Media => "media",
            Self::Fault => "fault",
            Self::Recovery => "recovery",
            Self::Attestation => "attestation",
            Self::Gateway => "gateway",
            Self::Turn => "turn",
            Self::Harness => "harness",
            Self::Log => "log",
        }
    }
}

/// An event on one line.
pub(crate) fn in_words(event: &Event) -> String {
    match event {
        Event::PhaseStarted { phase } => format!("{phase} begins"),
        Event::PhaseEnded { phase } => format!("{phase} ends"),
        Event::Log {
            target, message, ..
        } => format!("{target}: {message}"),
        Event::NodeReady { after_ms } => format!("ready after {after_ms:.0} ms"),
        Event::NodeExited { exit_code } => match exit_code {
            Some(code) => format!("its container ended with status {code}"),
            None => "its container ended".to_owned(),
        },
        Event::Attested(measured) => {
            let agrees = match measured.holds {
                true => String::new(),
                false => format!(", declared {}", measured.declared),
            };
            format!("{}: {}{agrees}", measured.what, measured.measured)
        }
        Event::CallStarted {
            configuration,
            policy,
        } => format!("new connection with {configuration}, policy {policy}"),
        Event::CredentialsFetched { time_stamp } => {
            format!("fetched TURN credentials, whose user name begins with {time_stamp}")
        }
        Event::State(state) => format!("{} {}", state.machine, state.state),
        Event::LocalCandidate(candidate) => format!("candidate {}", candidate_in_words(candidate)),
        Event::RemoteCandidate(candidate) => {
            format!("remote candidate {}", candidate_in_words(candidate))
        }
        Event::IceServer(report) => server_in_words(report),
        Event::SelectedPair(pair) => format!(
            "selected pair {} <-> {}",
            candidate_in_words(&pair.local),
            candidate_in_words(&pair.remote)
        ),
        Event::CandidatePair(pair) => format!("pair {}", pair_in_words(pair)),
        Event::Media { kind, stats } => media_in_words(&kind.to_string(), stats),
        Event::Data { stats } => data_in_words(stats),
        Event::RoundTrip { rtt_ms } => format!("round trip {rtt_ms:.1} ms"),
        Event::Fault(fault) => format!("fault {}: {}", fault.number, fault_in_words(fault)),
        Event::Signalling(step) => signalling_in_words(step),
        Event::Recovery(step) => step.to_string(),
        Event::Released { before, after } => format!(
            "holds {} sockets and {} tasks, before the call {} and {}",
            after.sockets, after.tasks, before.sockets, before.tasks
        ),
        Event::CallEnded { reason } => match reason {
            Some(reason) => format!("the call is given up: {reason}"),
            None => "the call's time is up".to_owned(),
        },
        Event::Counters { moment, rules } => format!("{} counters read {moment}", rules.len()),
        Event::TurnAllocated { session } => format!("an allocation is made, session {session}"),
        Event::TurnSession(session) => format!(
            "allocation of {}: {} bytes received, {} sent",
            session.client.as_deref().unwrap_or("an unknown client"),
            session.bytes_received,
            session.bytes_sent
        ),
        Event::Resources {
            peak_resident_kib,
            cpu_ms,
        } => format!("used {peak_resident_kib} KiB of memory and {cpu_ms:.0} ms of processor time"),
        Event::HarnessFault { message } => message.clone(),
        Event::Unsupported { reason } | Event::ConfigurationUnsupported { reason } => {
            reason.clone()
        }
        Event::Interrupted => "interrupted".to_owned(),
    }
}

/// `relay 203.0.113.10:49152 over tcp (turn:HOST:443?transport=tcp)`.
pub(crate) fn candidate_in_words(candidate: &Candidate) -> String {
    let over = candidate
        .relay_protocol
        .map(|transport| format!(" over {transport}"));
    let url = candidate.url.as_ref().map(|url| format!(" ({url})"));
    format!(
        "{} {}{}{}",
        candidate.candidate_type,
        candidate.address,
        over.unwrap_or_default(),
        url.unwrap_or_default()
    )
}

/// `host 10.20.0.5:40000 <-> srflx 198.51.100.9:61234: failed, 52 checks sent, 0 answered, 0 received`.
fn pair_in_words(pair: &CandidatePairReport) -> String {
    let nominated = if pair.nominated { ", nominated" } else { "" };
    let round_trip = pair.current_round_trip_ms;
    let round_trip = round_trip.map(|ms| format!(", round trip {ms:.1} ms"));
    format!(
        "{} <-> {}: {}{nominated}, {} checks sent, {} answered, {} received{}",
        candidate_in_words(&pair.local),
        candidate_in_words(&pair.remote),
        pair.state,
        pair.requests_sent,
        pair.responses_received,
        pair.requests_received,
        round_trip.unwrap_or_default()
    )
}

pub(crate) fn server_in_words(report: &IceServerReport) -> String {
    let detail = match (&report.relay_address, report.reason.as_str()) {
        (Some(address), _) => format!(": relay {address}"),
        (None, "") => String::new(),
        (None, reason) => format!(": {reason}"),
    };
    format!(
        "{} {} after {:.0} ms{detail}",
        report.url, report.outcome, report.after_ms
    )
}

fn media_in_words(kind: &str, stats: &MediaStats) -> String {
    format!(
        "{kind}: {} frames sent, {} intact received, {} packets lost, jitter {:.1} ms",
        stats.frames_sent, stats.frames_intact, stats.packets_lost, stats.jitter_ms
    )
}

fn data_in_words(stats: &DataStats) -> String {
    format!(
        "data: {} messages sent, {} intact received",
        stats.messages_sent, stats.messages_intact
    )
}

/// `link-down at office is mended, 411 dropped`.
pub(crate) fn fault_in_words(fault: &FaultEvent) -> String {
    let dropped = fault.dropped_packets;
    let dropped = dropped.map_or(String::new(), |packets| format!(", {packets} dropped"));
    let crossed = fault.crossed.map_or(String::new(), |Crossed { up, down }| {
        format!(", to which {} packets came", up.packets + down.packets)
    });
    match fault.edge {
        FaultEdge::Begun => format!("{} begins", fault.what),
        FaultEdge::Mended => format!("{} is mended{dropped}{crossed}", fault.what),
    }
}

/// `signalling is open after 12 ms`.
fn signalling_in_words(step: &SignallingEvent) -> String {
    match step {
        SignallingEvent::Open { url, after_ms } => {
            format!("signalling with {url} is open after {after_ms:.0} ms")
        }
        SignallingEvent::Failed { url, reason } => {
            format!("signalling with {url} does not open: {reason}")
        }
        SignallingEvent::Closed { reason } => format!("signalling is lost: {reason}"),
    }
}
