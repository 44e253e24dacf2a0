//! The connection was lost and the client did not try again.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::words::{code, seconds};
use farcall_timeline::RecoveryEvent;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    let steps = case.recovery();
    let has_tried = |step: &RecoveryEvent| matches!(step, RecoveryEvent::Started { .. });
    if !case.is_lost() || steps.iter().any(|(_, _, step)| has_tried(step)) {
        return None;
    }
    let (peer, lost_ms, _) = case.first_loss()?;
    let broken = case.broken();
    let healed = broken.iter().filter_map(|one| {
        let mended_ms = one.mended_ms?;
        (evidence::is_mended(case, one.number) && mended_ms > lost_ms).then_some(mended_ms)
    });
    let healed = healed
        .min_by(f64::total_cmp)
        .map_or(String::new(), |at_ms| {
            format!(" The network was whole again at {}.", seconds(at_ms))
        });
    let mut seen: Vec<_> = broken.iter().map(evidence::fault).collect();
    seen.extend(evidence::loss(case));
    seen.extend(case.peers().map(|peer| evidence::states(case, peer)));
    Some(Finding {
        summary: format!(
            "The network broke in the middle of the call, {peer} lost the connection at {}, and the client made no attempt \
             to connect again.{healed}",
            seconds(lost_ms)
        ),
        evidence: seen,
        next_step: format!(
            "Let the client try again: on the connection state {}, or after a few seconds of {}, call {} and send the new \
             offer; if that fails, close the connection and make a new one, at most three times. farcall-recovery is such a \
             policy ({} in a scenario).",
            code("failed"),
            code("disconnected"),
            code("restartIce()"),
            code("[recovery]")
        ),
        ..Finding::default()
    })
}
