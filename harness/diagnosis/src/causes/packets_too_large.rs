//! Large packets do not get through.

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

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
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
