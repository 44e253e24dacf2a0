//! Large packets do not get through.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::words::code;
use farcall_plan::Fact;
use farcall_scenario::FaultKind::DropLarge;
use farcall_timeline::MediaKind::{Audio, Video};
use farcall_timeline::{Event, SignallingEvent};

/// The largest packet that WebRTC sends unless told otherwise, with headers of IP, UDP and SRTP (RFC 8834 has no figure;
/// libwebrtc and webrtc-rs send payloads of up to 1200 bytes).
const USUAL_BYTES: u16 = 1_280;

/// What the ends of a TCP connection take the path to carry unless told otherwise (RFC 894).
const ETHERNET_BYTES: u16 = 1_500;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    media(case).or_else(|| signalling(case))
}

fn media(case: &Case<'_>) -> Option<Finding> {
    let missing = case.missing();
    let video = missing.iter().find(|one| {
        let mut same_way = missing
            .iter()
            .filter(|other| (other.from, other.to) == (one.from, one.to));
        one.kind == Video && !same_way.any(|other| other.kind == Audio)
    })?;
    let fault = case.broken_by(&[DropLarge]);
    let is_small = |fact: &Fact| matches!(fact, Fact::Mtu { mtu, .. } if *mtu < USUAL_BYTES);
    let small: Vec<_> = case
        .peers()
        .flat_map(|peer| evidence::attested(case, peer, is_small))
        .collect();
    if fault.is_none() && small.is_empty() {
        return None;
    }
    let mut seen = evidence::missing(case, video);
    let audio = crate::case::Missing {
        kind: Audio,
        ..*video
    };
    seen.extend(evidence::missing(case, &audio));
    seen.extend(fault.as_ref().map(evidence::fault));
    seen.extend(small);
    let (from, to) = (video.from, video.to);
    Some(Finding {
        summary: format!(
            "Small packets arrive and large ones do not: audio from {from} reaches {to}, and video, whose packets are of \
             about 1200 bytes, does not. The path has a smaller MTU than its ends believe, as VPNs and tunnels have, and \
             nobody tells the sender."
        ),
        evidence: seen,
        next_step: format!(
            "Raise the MTU of the tunnel, let ICMP \"fragmentation needed\" through, or set the MTU of the client's \
             interface to that of the path. In a browser packets cannot be made smaller; a relay over TLS helps, since TCP \
             cuts them itself: {} for such users.",
            code("iceTransportPolicy: \"relay\"")
        ),
        ..Finding::default()
    })
}

/// Signalling opens in small packets, and the offer or its answer is a large one.
fn signalling(case: &Case<'_>) -> Option<Finding> {
    let is_deaf = |peer: &&str| opened(case, peer) && !case.has_checked(peer);
    let deaf = case.peers().find(is_deaf)?;
    let fault = case.broken_by(&[DropLarge]);
    let small = evidence::attested_anywhere(
        case,
        |fact| matches!(fact, Fact::Mtu { mtu, fragmentation_needed: Some(false), .. } if *mtu < ETHERNET_BYTES),
    );
    if fault.is_none() && small.is_empty() {
        return None;
    }
    let peers = case.peers();
    let mut seen: Vec<_> = peers
        .flat_map(|peer| evidence::signalling(case, peer))
        .collect();
    seen.push(evidence::states(case, deaf));
    seen.extend(fault.as_ref().map(evidence::fault));
    seen.extend(small);
    Some(Finding {
        summary: format!(
            "The call was never placed: signalling opens, and what the other side says, a large packet, does not arrive at {deaf}. The path \
             has a smaller MTU than its ends believe, as VPNs and tunnels have, and nobody tells the sender, so TCP sends \
             the same packet again and again. Neither ICE nor a TURN server is to blame."
        ),
        evidence: seen,
        next_step: "Raise the MTU of the tunnel, let ICMP \"fragmentation needed\" through, or have the tunnel lower the segment \
                    size of TCP connections to what it carries (MSS clamping). The application can do nothing about it: its \
                    pages do not load there either."
            .to_owned(),
        ..Finding::default()
    })
}

fn opened(case: &Case<'_>, peer: &str) -> bool {
    let mut events = case.run.of(peer).iter();
    events.any(|(_, event)| matches!(event, Event::Signalling(SignallingEvent::Open { .. })))
}
