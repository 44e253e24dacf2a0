//! A server's name does not resolve.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::words::{and, code};
use farcall_plan::Fact;
use farcall_timeline::IceServerOutcome::DnsFailed;
use std::collections::BTreeSet;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    let mut failed = case.refusals(&[DnsFailed]);
    failed.retain(|attempt| attempt.is_turn());
    let peer = failed.first()?.peer;
    let hosts: BTreeSet<&str> = failed.iter().map(|one| one.url().host.as_str()).collect();
    let mut seen: Vec<_> = failed.iter().map(evidence::attempt).collect();
    seen.extend(evidence::attested(
        case,
        peer,
        |fact| matches!(fact, Fact::Resolves { name, .. } | Fact::NameMissing { name } if hosts.contains(name.as_str())),
    ));
    for host in &hosts {
        seen.extend(evidence::turn_log(case, host, peer));
    }
    let hosts = and(&hosts);
    Some(Finding {
        summary: format!(
            "The name {hosts} of the TURN server does not resolve for {peer}, so nothing was ever sent to it."
        ),
        evidence: seen,
        next_step: format!(
            "Check the spelling of {hosts} in the configuration, and that its A record is published everywhere ({}). Names \
             of a company's inside DNS do not exist outside of it, and some resolvers hide names that lead to private \
             addresses.",
            code("dig +short NAME @1.1.1.1")
        ),
        ..Finding::default()
    })
}
