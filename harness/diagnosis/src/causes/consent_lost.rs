//! Connectivity checks no longer get through, although media do.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::words::{code, count, seconds};
use farcall_scenario::FaultKind::DropStun;
use farcall_timeline::{Event, MediaKind};

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    if !case.is_lost() {
        return None;
    }
    let (peer, lost_ms, _) = case.first_loss()?;
    // At both: where one receives and the other does not, more than STUN is dropped.
    let after = case
        .peers()
        .map(|peer| after_loss(case, peer, lost_ms))
        .min()
        .unwrap_or(0);
    let fault = case.broken_by(&[DropStun]);
    if fault.is_none() && after == 0 {
        return None;
    }
    let mut seen: Vec<_> = evidence::loss(case).into_iter().collect();
    if after > 0 {
        let words = format!(
            "{} of media or more arrived at either peer after {}",
            count(after, "packet"),
            seconds(lost_ms)
        );
        seen.push(evidence::statistics(peer, words));
    }
    seen.extend(fault.as_ref().map(evidence::fault));
    seen.extend(evidence::recovery(case));
    Some(Finding {
        summary: format!(
            "The connection was given up because connectivity checks were no longer answered, while media still arrived: a \
             peer that gets no answer to its STUN requests for 30 seconds must stop sending (consent freshness, RFC 7675). \
             Something on the way drops STUN; {peer} noticed it first."
        ),
        evidence: seen,
        next_step: format!(
            "Find what drops STUN on an established path: firewalls that limit or forbid it after the beginning of a call, \
             and NATs that forget an idle mapping. Force the relay over TLS for such users ({} with a {} URL on port 443), \
             where checks are inside TLS.",
            code("iceTransportPolicy: \"relay\""),
            code("turns:")
        ),
        ..Finding::default()
    })
}

/// How many packets of media arrived at a peer after the connection was no longer up, over that connection.
fn after_loss(case: &Case<'_>, peer: &str, lost_ms: f64) -> u64 {
    let ended_ms = case.run.ended_ms();
    let mut events = case.run.of(peer).iter();
    let anew_ms = events.find_map(|(at_ms, event)| {
        (matches!(event, Event::CallStarted { .. }) && *at_ms > lost_ms).then_some(*at_ms)
    });
    let until_ms = anew_ms.map_or(ended_ms, |anew_ms| anew_ms.min(ended_ms));
    [MediaKind::Audio, MediaKind::Video]
        .into_iter()
        .map(|kind| {
            let reports = case.run.media_reports(peer, kind);
            // The first report after the loss is partly of the time before it.
            let mut after = reports.filter(|(at_ms, _)| (lost_ms..until_ms).contains(at_ms));
            let first = after.next().map_or(0, |(_, stats)| stats.packets_received);
            let last = after.next_back();
            last.map_or(0, |(_, stats)| stats.packets_received.saturating_sub(first))
        })
        .sum()
}
