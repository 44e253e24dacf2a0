//! Media flow again.

use super::{connected_again, pass_if};
use crate::Check;
use crate::case::Case;
use crate::checks::media::{MIN_ARRIVED_DEGRADED_PERCENT, MIN_ARRIVED_PERCENT};
use farcall_scenario::{ExpectedRecovery, MediaQuality};
use farcall_timeline::{MediaKind, MediaStats};

/// Audio and video flow again in both directions: of what is sent from then on as much arrives as in any call. The two
/// peers report about once a second, so the two spans differ by as much.
pub(crate) fn media_again(case: &Case<'_>) -> Vec<Check> {
    let is_expected = |expected: &ExpectedRecovery| expected.recovers;
    let expected = case.declared.expect.recovery.as_ref();
    let Some(again_ms) = expected
        .filter(|expected| is_expected(expected))
        .and_then(|_| connected_again(case))
    else {
        return Vec::new();
    };
    let percent = match case.declared.expect.media {
        MediaQuality::Good => MIN_ARRIVED_PERCENT,
        MediaQuality::Degraded => MIN_ARRIVED_DEGRADED_PERCENT,
    };
    // A link that is bad may deliver packets twice.
    let may_repeat = case.declared.expect.media == MediaQuality::Degraded;
    // What is mended at the call's end lets through what is sent again after it.
    let ended_ms = case.call_ended().map_or(f64::MAX, |(at_ms, _)| at_ms);
    let mut checks = Vec::new();
    for kind in [MediaKind::Audio, MediaKind::Video] {
        for (from, to) in case.directions() {
            let grown = |peer: &str, total: fn(&MediaStats) -> u64| {
                let reports = case.media_reports(peer, kind);
                let mut after = reports.filter(|(at_ms, _)| (again_ms..=ended_ms).contains(at_ms));
                let first = total(after.next()?.1);
                after
                    .next_back()
                    .map(|(_, last)| total(last).saturating_sub(first))
            };
            let sent = grown(from, |stats| stats.frames_sent);
            let intact = grown(to, |stats| stats.frames_intact + stats.frames_silent);
            let twice = grown(to, |stats| stats.frames_duplicate).unwrap_or(0);
            let flows = sent.zip(intact).is_some_and(|(sent, intact)| {
                intact > 0 && intact.saturating_mul(100) >= sent.saturating_mul(percent)
            });
            let observed = match sent.zip(intact) {
                None => "fewer than two reports since then".to_owned(),
                Some((sent, intact)) => {
                    format!("{intact} frames received, {twice} of them twice, {sent} sent")
                }
            };
            checks.push(Check::new(
                format!("recovery/media/{kind}/{from}-to-{to}"),
                pass_if(flows && (twice == 0 || may_repeat)),
                format!("at least {percent} % of the {kind} that {from} sends once both are connected again arrives at {to}, and once"),
                observed,
            ));
        }
    }
    checks
}
