//! Large packets do not get through.

use super::sender_silent;
use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::words::code;
use farcall_plan::Fact;
use farcall_scenario::FaultKind::DropLarge;
use farcall_timeline::MediaKind::{Audio, Video};

/// The largest packet that WebRTC sends unless told otherwise, with headers of IP, UDP and SRTP (RFC 8834 has no figure;
/// libwebrtc and webrtc-rs send payloads of up to 1200 bytes).
const USUAL_BYTES: u16 = 1_280;

/// What the ends of a TCP connection take the path to carry unless told otherwise (RFC 894).
const ETHERNET_BYTES: u16 = 1_500;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    media(case).or_else(|| signalling(case))
}

fn media(case: &Case<'_>) -> Option<Finding> {
    // Video that arrives and shows nothing is not lost.
    if sender_silent::find(case).is_some() {
        return None;
    }
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

/// Signalling opens in small packets, and the offer or the answer is a large one.
fn signalling(case: &Case<'_>) -> Option<Finding> {
    let all_opened = case.has_signalling() && case.peers().all(|peer| case.has_opened(peer));
    let deaf = case.peers().find(|peer| case.checked_at(peer).is_none())?;
    if !all_opened {
        return None;
    }
    let fault = case.broken_by(&[DropLarge]);
    let small = evidence::attested_anywhere(
        case,
        |fact| matches!(fact, Fact::Mtu { mtu, fragmentation_needed: Some(false), .. } if *mtu < ETHERNET_BYTES),
    );
    if fault.is_none() && small.is_empty() {
        return None;
    }
    let of_state = |state: &str| {
        case.peers()
            .find(|peer| case.run.first_state(peer, "signaling", state).is_some())
    };
    let lost = match (of_state("have-remote-offer"), of_state("have-local-offer")) {
        (Some(answerer), _) => format!("the answer of {answerer}"),
        (None, Some(offerer)) => format!("the offer of {offerer}"),
        (None, None) => format!("what is said to {deaf}"),
    };
    let mut seen = Vec::new();
    for peer in case.peers() {
        seen.extend(evidence::signalling(case, peer));
        seen.push(evidence::states(case, peer));
    }
    seen.extend(fault.as_ref().map(evidence::fault));
    seen.extend(small);
    Some(Finding {
        summary: format!(
            "The call was never placed: signalling opens, and {lost}, a large packet, does not arrive. The path has a smaller \
             MTU than its ends believe, as VPNs and tunnels have, and nobody tells the sender, so TCP sends the same packet \
             again and again. Neither ICE nor a TURN server is to blame."
        ),
        evidence: seen,
        next_step: format!(
            "Raise the MTU of the tunnel, let ICMP \"fragmentation needed\" through, or have the tunnel lower the segment size \
             of TCP connections to what it carries (MSS clamping). Where none of that is yours to change, let the signalling \
             server send smaller segments: on Linux {}.",
            code("net.ipv4.tcp_mtu_probing=1")
        ),
        ..Finding::default()
    })
}
