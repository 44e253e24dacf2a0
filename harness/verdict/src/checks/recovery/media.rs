//! Media flow again.

use super::{connected_again, first_fault, pass_if};
use crate::Check;
use crate::case::Case;
use crate::checks::media::{MIN_ARRIVED_DEGRADED_PERCENT, MIN_ARRIVED_PERCENT};
use farcall_scenario::{ExpectedRecovery, MediaQuality};
use farcall_timeline::{Event, MediaKind, MediaStats};

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
    let ended_ms = case.ended_ms();
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
            let check = Check::new(
                format!("recovery/media/{kind}/{from}-to-{to}"),
                pass_if(flows && (twice == 0 || may_repeat)),
                format!(
                    "at least {percent} % of the {kind} that {from} sends once both are connected again arrives at {to}, and once"
                ),
                observed,
            );
            checks.push(check.with_evidence(standstill(case, kind, (from, to))));
        }
    }
    checks
}

/// For how long a kind of media stood still after the first fault, and what was sent meanwhile. Peers report about once
/// a second, so both are true to a second.
fn standstill(case: &Case<'_>, kind: MediaKind, (from, to): (&str, &str)) -> Option<String> {
    let broke_ms = first_fault(case)?;
    let ended_ms = case.ended_ms();
    let received = growths(case, to, kind, |stats| {
        stats.frames_intact + stats.frames_silent
    });
    let flowed: Vec<f64> = received
        .into_iter()
        .filter(|(at_ms, grown)| *grown > 0 && *at_ms <= ended_ms)
        .map(|(at_ms, _)| at_ms)
        .collect();
    let pauses = flowed.windows(2).map(|pair| (pair[0], pair[1]));
    let after = pauses.filter(|(_, until_ms)| *until_ms >= broke_ms);
    let (since_ms, until_ms) =
        after.max_by(|left, right| (left.1 - left.0).total_cmp(&(right.1 - right.0)))?;
    let sent = growths(case, from, kind, |stats| stats.frames_sent);
    let meanwhile: u64 = sent
        .into_iter()
        .filter(|(at_ms, _)| *at_ms > since_ms && *at_ms < until_ms)
        .map(|(_, grown)| grown)
        .sum();
    Some(format!(
        "{to} received {kind} until {since_ms:.0} ms and again at {until_ms:.0} ms, {:.0} ms after the first fault; {from} \
         sent {meanwhile} frames meanwhile",
        until_ms - broke_ms
    ))
}

/// By how much a peer's total had grown at each of its reports. A new connection begins anew.
fn growths(
    case: &Case<'_>,
    peer: &str,
    of: MediaKind,
    total: fn(&MediaStats) -> u64,
) -> Vec<(f64, u64)> {
    let mut before = 0;
    let mut growths = Vec::new();
    for (at_ms, event) in case.of(peer) {
        match event {
            Event::CallStarted { .. } => before = 0,
            Event::Media { kind, stats } if *kind == of => {
                let now = total(stats);
                growths.push((*at_ms, now.saturating_sub(before)));
                before = now;
            }
            _ => {}
        }
    }
    growths
}
