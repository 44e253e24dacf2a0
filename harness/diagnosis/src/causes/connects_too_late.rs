//! The call connects, but too late.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::words::{code, seconds};
use farcall_plan::Fact;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    let expect = &case.run.declared.expect;
    if !expect.connects || !case.has_connected() || !case.has_failed("connection") {
        return None;
    }
    let check = case
        .judgement
        .checks
        .iter()
        .find(|check| check.name == "connection")?;
    let mut seen = vec![evidence::check(&check.name, check.observed.clone())];
    for peer in case.peers() {
        seen.extend(evidence::signalling(case, peer));
        let slow = case
            .attempts(peer)
            .into_iter()
            .filter(|one| one.report.after_ms > 1_000.0);
        seen.extend(slow.map(|one| evidence::attempt(&one)));
        seen.extend(evidence::attested(case, peer, |fact| {
            matches!(fact, Fact::RoundTrip { .. })
        }));
    }
    Some(Finding {
        summary: format!(
            "The call connects, but not within {}: {}.",
            seconds(f64::from(expect.within_ms)),
            check.observed
        ),
        evidence: seen,
        next_step: format!(
            "Gather before the user calls ({}), send candidates as they come (trickle ICE), and take URLs out of the \
             configuration that answer nowhere. If users of this network can live with it, raise {} in the scenario.",
            code("iceCandidatePoolSize: 1"),
            code("within_ms")
        ),
        ..Finding::default()
    })
}
