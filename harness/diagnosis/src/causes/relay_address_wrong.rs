//! The TURN server gives out relayed addresses that are not its own.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::words::{and, code};
use farcall_plan::Fact;
use farcall_timeline::IceServerOutcome::Allocated;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    if case.has_connected() || !case.stranded().is_empty() {
        return None;
    }
    let attempts = case.peers().flat_map(|peer| case.turn_attempts(peer));
    let allocated: Vec<_> = attempts.filter(|one| one.came_to(&[Allocated])).collect();
    let mut wrong = BTreeSet::new();
    let mut hosts = BTreeSet::new();
    for one in &allocated {
        let relay: SocketAddr = one.report.relay_address.as_ref()?.parse().ok()?;
        let own = address(case, one.peer, &one.url().host)?;
        // One that is right would have done.
        if relay.ip() == own {
            return None;
        }
        wrong.insert(relay.ip());
        hosts.insert(one.url().host.as_str());
    }
    let first = allocated.first()?;
    let mut seen: Vec<_> = allocated.iter().map(evidence::attempt).collect();
    seen.extend(evidence::attested(
        case,
        first.peer,
        |fact| matches!(fact, Fact::Resolves { name, .. } if hosts.contains(name.as_str())),
    ));
    for peer in case.peers() {
        seen.extend(
            hosts
                .iter()
                .filter_map(|host| evidence::turn_log(case, host, peer)),
        );
    }
    seen.extend(case.peers().map(|peer| evidence::states(case, peer)));
    let hosts = and(&hosts);
    Some(Finding {
        summary: format!(
            "The TURN server {hosts} tells its clients that they are relayed at {}, which is not where it is: what the other \
             side sends there reaches nobody.",
            and(&wrong)
        ),
        evidence: seen,
        next_step: format!(
            "Set {} of {hosts} to the address at which the internet sees it; behind a NAT as {}. Many cloud machines have \
             only a private address of their own, and their public one changes when they are made anew.",
            code("external-ip"),
            code("external-ip=PUBLIC/PRIVATE")
        ),
        ..Finding::default()
    })
}

/// The address of a host as a peer's resolver was measured to give it, or the one that it is.
fn address<'a>(case: &Case<'a>, peer: &'a str, host: &str) -> Option<IpAddr> {
    if let Ok(literal) = host.parse() {
        return Some(literal);
    }
    case.facts(peer).find_map(|(fact, measured)| match fact {
        Fact::Resolves { name, address } if name == host && measured.holds => {
            Some((*address).into())
        }
        _ => None,
    })
}
