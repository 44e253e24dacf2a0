//! The TURN server does not answer, or no longer.

use crate::case::{Attempt, Case};
use crate::evidence;
use crate::model::Finding;
use crate::words::{and, code};
use farcall_plan::Fact;
use farcall_scenario::FaultKind::{
    self, ServerBlackHoled, ServerDown, ServerFrozen, ServerRestarted,
};
use farcall_timeline::IceServerOutcome::{NoAnswer, Refused, Reset};
use std::collections::BTreeSet;

/// What makes a server that was there go away.
const GONE: [FaultKind; 4] = [ServerDown, ServerFrozen, ServerBlackHoled, ServerRestarted];

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    from_the_beginning(case).or_else(|| in_mid_call(case))
}

/// Nothing on the way stops it, and it does not answer.
fn from_the_beginning(case: &Case<'_>) -> Option<Finding> {
    let mut silent: Vec<Attempt<'_>> = case.culprits(&[NoAnswer, Refused, Reset]);
    silent.retain(|one| one.is_turn() && one.blocked_by.is_none() && one.was_waited_for());
    let peer = silent.first()?.peer;
    let hosts = hosts(silent.iter().map(|one| one.url().host.as_str()));
    let mut seen: Vec<_> = silent.iter().map(evidence::attempt).collect();
    for host in &hosts {
        seen.extend(evidence::turn_log(case, host, peer));
    }
    seen.extend(evidence::attested_ports(case, peer, &silent));
    seen.extend(evidence::attested(
        case,
        peer,
        |fact| matches!(fact, Fact::Resolves { name, .. } if hosts.contains(name.as_str())),
    ));
    seen.extend(case.broken_by(&GONE).as_ref().map(evidence::fault));
    Some(finding(
        format!(
            "The TURN server {} does not answer {peer} at the address that its name leads to, although the network lets \
             through what is sent there.",
            and(&hosts)
        ),
        seen,
        &hosts,
    ))
}

/// It went away in the middle of the call, and no other took its place.
fn in_mid_call(case: &Case<'_>) -> Option<Finding> {
    let fault = case.broken_by(&GONE)?;
    if !case.is_lost() && case.missing().is_empty() {
        return None;
    }
    let hosts = hosts(case.turn_urls().map(|url| url.host.as_str()));
    let mut seen = vec![evidence::fault(&fault)];
    seen.extend(evidence::loss(case));
    seen.extend(evidence::recovery(case));
    for peer in case.peers() {
        let attempts = case.turn_attempts(peer).into_iter();
        let failed = attempts.filter(|one| one.came_to(&[NoAnswer, Refused, Reset]));
        seen.extend(failed.map(|one| evidence::attempt(&one)));
    }
    let others = match hosts.len() {
        1 => "the configuration has no other",
        _ => "none of the others took its place",
    };
    Some(finding(
        format!(
            "The TURN server that carried the call stopped answering in the middle of it, and {others}."
        ),
        seen,
        &hosts,
    ))
}

fn hosts<'a>(hosts: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    hosts.collect()
}

fn finding(summary: String, evidence: Vec<crate::Evidence>, hosts: &BTreeSet<&str>) -> Finding {
    Finding {
        summary,
        evidence,
        next_step: format!(
            "See whether the name of {0} leads to it ({2}), bring it back and watch it ({1} answers whether it allocates \
             and relays). Name a second TURN server of another provider in the configuration, so that one that is gone \
             ends no call.",
            and(hosts),
            code("turnutils_uclient -u USER -w CREDENTIAL -y HOST"),
            code("dig +short HOST")
        ),
        ..Finding::default()
    }
}
