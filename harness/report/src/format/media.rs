//! Pair and media of a call in words.

use crate::StoredRun;
use farcall_timeline::CandidateType;
use farcall_verdict::{Flow, PeerResult, RtpReceived, RtpSent};

type Rtp = Option<Flow<RtpSent, RtpReceived>>;

/// Both ends of the pair: `alice relay tcp (turn:HOST:443?transport=tcp) <-> bob prflx`.
pub(crate) fn pair(run: &StoredRun) -> Option<String> {
    let mut peers = run.result.peers.iter();
    let ((one, one_result), (other, other_result)) = (peers.next()?, peers.next()?);
    Some(format!(
        "{one} {} <-> {other} {}",
        end(one_result, other_result)?,
        end(other_result, one_result)?
    ))
}

/// A peer's end: where it is relayed only the peer itself knows how, else the other sees it best.
fn end(own: &PeerResult, other: &PeerResult) -> Option<String> {
    let Some(local) = own.selected_pair.as_ref().map(|pair| &pair.local) else {
        let seen = &other.selected_pair.as_ref()?.remote;
        return Some(seen.candidate_type.to_string());
    };
    if local.candidate_type != CandidateType::Relay {
        return Some(local.candidate_type.to_string());
    }
    let transport = local
        .relay_protocol
        .map(|transport| format!(" {transport}"));
    let url = local.url.as_ref().map(|url| format!(" ({url})"));
    Some(format!(
        "relay{}{}",
        transport.unwrap_or_default(),
        url.unwrap_or_default()
    ))
}

/// A line for each direction in which anything was sent.
pub(crate) fn directions(run: &StoredRun) -> Vec<String> {
    let peers = &run.result.peers;
    let mut lines = Vec::new();
    for (from, sender) in peers {
        for (to, receiver) in peers.iter().filter(|(to, _)| *to != from) {
            let is_muted = run.declared.expect.muted.contains(from);
            let (sent, received) = (&sender.media, &receiver.media);
            let parts: Vec<String> = [
                frames("audio", &sent.audio, &received.audio, is_muted),
                frames("video", &sent.video, &received.video, is_muted),
                sent.data.as_ref().map(|flow| {
                    let intact = received
                        .data
                        .as_ref()
                        .map(|flow| flow.received.messages_intact);
                    format!(
                        "data {}/{} messages",
                        intact.unwrap_or(0),
                        flow.sent.messages
                    )
                }),
            ]
            .into_iter()
            .flatten()
            .collect();
            if !parts.is_empty() {
                lines.push(format!("{from} -> {to}: {}", parts.join(", ")));
            }
        }
    }
    lines
}

fn frames(kind: &str, sent: &Rtp, received: &Rtp, is_muted: bool) -> Option<String> {
    let sent = sent.as_ref()?.sent.frames;
    let received = received.as_ref().map(|flow| &flow.received);
    let (arrived, word) = if is_muted {
        (received.map(|stats| stats.frames_silent), "silent frames")
    } else {
        (received.map(|stats| stats.frames_intact), "frames")
    };
    Some(format!("{kind} {}/{sent} {word}", arrived.unwrap_or(0)))
}
