//! The TURN server has no room for another allocation.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::words::{and, code};
use farcall_timeline::IceServerOutcome::{NoCapacity, Quota};
use std::collections::BTreeSet;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    let refused = case.refusals(&[Quota, NoCapacity]);
    let first = refused.first()?;
    let hosts: BTreeSet<&str> = refused.iter().map(|one| one.url().host.as_str()).collect();
    let (number, why) = match first.report.outcome {
        NoCapacity => ("508", "it has no port left to relay from"),
        _ => ("486", "the account has as many allocations as it may have"),
    };
    let mut seen: Vec<_> = refused.iter().map(evidence::attempt).collect();
    for host in &hosts {
        let lines = evidence::turn_lines(case, host, number);
        seen.extend(lines.or_else(|| evidence::turn_log(case, host, first.peer)));
    }
    let hosts = and(&hosts);
    Some(Finding {
        summary: format!(
            "The TURN server {hosts} answers and allocates nothing ({number}): {why}."
        ),
        evidence: seen,
        next_step: format!(
            "Raise {} and {} or the relay port range ({}, {}) of {hosts}, or take a plan with room at its provider. A peer \
             takes an allocation for each TURN URL and each call, and a tab that was closed keeps its own for ten minutes; \
             so name each server in fewer URLs, and a second provider beside it.",
            code("user-quota"),
            code("total-quota"),
            code("min-port"),
            code("max-port")
        ),
        ..Finding::default()
    })
}
