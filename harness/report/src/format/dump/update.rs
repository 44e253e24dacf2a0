//! What changed at a connection, as a dump's `updateLog` has it.

use super::connection::address_and_port;
use super::series::iso;
use farcall_timeline::{Candidate, CandidateType, Event, IceServerOutcome, IceServerReport};
use serde::Serialize;

/// An entry of `updateLog`. Older importers read `time`, newer ones `timestamp`.
#[derive(Serialize)]
pub(super) struct Update {
    time: String,
    timestamp: f64,
    #[serde(rename = "type")]
    kind: &'static str,
    value: String,
}

/// An event of a peer, if browsers log it too.
pub(super) fn update(event: &Event, epoch_ms: f64) -> Option<Update> {
    let (kind, value) = match event {
        Event::State(state) => {
            let kind = match state.machine.as_str() {
                "signaling" => "signalingstatechange",
                "ice-gathering" => "icegatheringstatechange",
                "ice-connection" => "iceconnectionstatechange",
                "connection" => "connectionstatechange",
                "data-channel" => "datachannelstatechange",
                _ => return None,
            };
            (kind, state.state.clone())
        }
        Event::LocalCandidate(candidate) => ("icecandidate", line(candidate)),
        // A peer-reflexive one is found and never added.
        Event::RemoteCandidate(candidate) if candidate.candidate_type != CandidateType::Prflx => {
            ("addIceCandidate", line(candidate))
        }
        Event::IceServer(report) => ("icecandidateerror", error(report)?),
        _ => return None,
    };
    Some(Update {
        time: iso(epoch_ms),
        timestamp: epoch_ms,
        kind,
        value,
    })
}

/// `sdpMid: 0, sdpMLineIndex: 0, candidate: candidate:...` (RFC 8839 section 5.1). A stored run has no foundations and
/// priorities: they are those that RFC 8445 section 5.1.2 recommends for one interface.
fn line(candidate: &Candidate) -> String {
    let (address, port) = address_and_port(&candidate.address);
    let kind = candidate.candidate_type;
    let (foundation, preference): (u8, u32) = match kind {
        CandidateType::Host => (1, 126),
        CandidateType::Prflx => (2, 110),
        CandidateType::Srflx => (3, 100),
        CandidateType::Relay => (4, 0),
    };
    let priority = (preference << 24) + (65_535 << 8) + 255;
    let related = match kind {
        CandidateType::Host => "",
        _ => " raddr 0.0.0.0 rport 0",
    };
    let url = candidate.url.as_ref().map(|url| format!(", url: {url}"));
    let over = candidate.relay_protocol;
    let over = over.map(|transport| format!(", relayProtocol: {transport}"));
    format!(
        "sdpMid: 0, sdpMLineIndex: 0, candidate: candidate:{foundation} 1 {} {priority} {address} {port} typ \
         {kind}{related}{}{}",
        candidate.protocol,
        url.unwrap_or_default(),
        over.unwrap_or_default()
    )
}

/// As of W3C webrtc-pc `RTCPeerConnectionIceErrorEvent`: the server's STUN error code, or 701 where it cannot be
/// reached. `None` of a success.
fn error(report: &IceServerReport) -> Option<String> {
    let code = match report.outcome {
        IceServerOutcome::Allocated | IceServerOutcome::Reachable | IceServerOutcome::NotUsed => {
            return None;
        }
        IceServerOutcome::Unauthorized => 401,
        IceServerOutcome::Forbidden => 403,
        IceServerOutcome::Quota => 486,
        IceServerOutcome::NoCapacity => 508,
        _ => 701,
    };
    Some(format!(
        "url: {}\nerror_text: {}: {}\nerror_code: {code}",
        report.url, report.outcome, report.reason
    ))
}
