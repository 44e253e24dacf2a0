//! The call works, and the scenario expects something else.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::words::code;
use farcall_verdict::{Check, CheckVerdict};

/// Checks that can fail although a call works.
const OF_EXPECTATIONS: [&str; 8] = [
    "flow",
    "connection",
    "connection/lasts",
    "pair",
    "recovery/attempts",
    "recovery/log",
    "recovery/outcome",
    "selected-pair",
];

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    if !case.has_connected() || case.is_lost() || !case.missing().is_empty() {
        return None;
    }
    let checks = case.judgement.checks.iter();
    let failed: Vec<&Check> = checks
        .filter(|check| check.verdict == CheckVerdict::Fail)
        .collect();
    let is_expected = |check: &Check| {
        let mut names = OF_EXPECTATIONS.iter();
        names.any(|name| check.name == *name || check.name.starts_with(&format!("{name}/")))
    };
    let first = failed.first()?;
    if !failed.iter().all(|check| is_expected(check)) {
        return None;
    }
    let mut seen: Vec<_> = failed
        .iter()
        .map(|check| {
            evidence::check(
                &check.name,
                format!("expected {}; seen: {}", check.expected, check.observed),
            )
        })
        .collect();
    seen.extend(case.peers().map(|peer| evidence::states(case, peer)));
    Some(Finding {
        summary: format!(
            "The call connected and lasted, and the scenario expects something else: {}, where {} is expected.",
            first.observed, first.expected
        ),
        evidence: seen,
        next_step: format!(
            "Decide which of the two is right. If the network really lets the call go this way, change {} in the scenario; \
             if not, the network is not the one that is meant: {} says what it is.",
            code("[expect]"),
            code("farcall plan NAME")
        ),
        ..Finding::default()
    })
}
