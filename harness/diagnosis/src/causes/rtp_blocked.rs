//! Audio and video do not get through, although the connection stands.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::words::{and, code};
use farcall_scenario::FaultKind::DropRtp;
use farcall_timeline::MediaKind::{Audio, Video};
use std::collections::BTreeSet;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    if !case.has_connected() || case.is_lost() {
        return None;
    }
    let missing = case.missing();
    let both = missing.iter().filter(|one| {
        let same_way = |kind| {
            missing
                .iter()
                .any(|other| other.kind == kind && (other.from, other.to) == (one.from, one.to))
        };
        same_way(Audio) && same_way(Video)
    });
    let both: Vec<_> = both.collect();
    let fault = case.broken_by(&[DropRtp]);
    // Without a rule that was seen to drop them, they must have stopped altogether.
    let has_stopped = both.iter().all(|one| {
        let sent = case.last_growth(one.from, one.kind, |stats| stats.packets_sent);
        let received = case.last_growth(one.to, one.kind, |stats| stats.packets_received);
        match (sent, received) {
            (Some((sent_ms, _)), Some((received_ms, _))) => received_ms + 1_500.0 < sent_ms,
            (sent, None) => sent.is_some(),
            (None, _) => false,
        }
    });
    let first = both.first()?;
    if fault.is_none() && !has_stopped {
        return None;
    }
    let ways: BTreeSet<(&str, &str)> = both.iter().map(|one| (one.from, one.to)).collect();
    let way = match ways.len() {
        1 => format!(
            "in one direction: what {} sends never reaches {}",
            first.from, first.to
        ),
        _ => "in both directions".to_owned(),
    };
    let mut seen: Vec<_> = both
        .iter()
        .flat_map(|one| evidence::missing(case, one))
        .collect();
    seen.extend(case.peers().map(|peer| evidence::states(case, peer)));
    seen.extend(fault.as_ref().map(evidence::fault));
    let silent = and(ways.iter().map(|(_, to)| *to).collect::<BTreeSet<_>>());
    Some(Finding {
        summary: format!(
            "The connection stands and audio and video do not get through, {way}. Something on the way tells RTP from STUN \
             and drops it; {silent} sees a frozen or black picture."
        ),
        evidence: seen,
        next_step: format!(
            "Find the firewall that inspects UDP on the way from the sender and have it let RTP through, or force the relay \
             over TLS for such users ({} with a {} URL on port 443): inside TLS nobody can tell RTP from the rest. An \
             application can find this out itself: {} of {} does not grow while the connection is {}.",
            code("iceTransportPolicy: \"relay\""),
            code("turns:"),
            code("packetsReceived"),
            code("inbound-rtp"),
            code("connected")
        ),
        ..Finding::default()
    })
}
