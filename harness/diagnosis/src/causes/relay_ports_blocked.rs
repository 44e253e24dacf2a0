//! The TURN server allocates and relays nothing.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::words::{and, code};
use farcall_plan::Fact;
use farcall_timeline::IceServerOutcome::Allocated;
use std::collections::BTreeSet;

/// How long connectivity checks go on until one that is answered would have been: ICE repeats each for some two seconds,
/// and a relayed pair waits as long to be chosen.
const PATIENCE_MS: f64 = 5_000.0;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    if case.has_connected() || !case.stranded().is_empty() {
        return None;
    }
    let checked_ms = case.all_checked_at()?;
    let attempts: Vec<_> = case
        .peers()
        .flat_map(|peer| case.turn_attempts(peer))
        .filter(|one| one.came_to(&[Allocated]))
        .collect();
    if case.run.ended_ms() - checked_ms < PATIENCE_MS {
        return None;
    }
    let hosts: BTreeSet<&str> = attempts.iter().map(|one| one.url().host.as_str()).collect();
    if hosts.is_empty() {
        return None;
    }
    let mut seen: Vec<_> = attempts.iter().map(evidence::attempt).collect();
    for peer in case.peers() {
        seen.extend(
            hosts
                .iter()
                .filter_map(|host| evidence::turn_log(case, host, peer)),
        );
    }
    seen.extend(case.peers().map(|peer| evidence::states(case, peer)));
    seen.extend(evidence::attested_anywhere(case, |fact| {
        matches!(fact, Fact::RelayPortsBlocked { .. })
    }));
    let hosts = and(&hosts);
    Some(Finding {
        summary: format!(
            "The TURN server {hosts} allocated an address for both sides, and no connectivity check came through one: what \
             is sent to or from its relay ports does not pass. A relay candidate proves only that the server was asked."
        ),
        evidence: seen,
        next_step: format!(
            "Open the relay ports of {hosts} for UDP in both directions, in the cloud provider's firewall and in the \
             machine's own: coturn's {} to {}, 49152 to 65535 unless set. Where the server is behind a NAT itself, set {} \
             to its public address.",
            code("min-port"),
            code("max-port"),
            code("external-ip")
        ),
        ..Finding::default()
    })
}
