//! The configuration names no TURN server, and there is no direct way.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::way_out::way_out;
use crate::words::{and, count};
use farcall_plan::Fact;
use farcall_scenario::Behaviour;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    if case.has_connected() || case.turn_urls().next().is_some() {
        return None;
    }
    let peers: Vec<&str> = case.peers().collect();
    let blocked = peers.iter().copied().find(|&peer| {
        let attempts = case.attempts(peer);
        !attempts.is_empty() && attempts.iter().all(|one| one.blocked_by.is_some())
    });
    let symmetric = peers
        .iter()
        .copied()
        .find(|&peer| case.facts(peer).any(|(fact, _)| is_symmetric(fact)));
    let why = match (blocked, symmetric) {
        (Some(peer), _) => format!(
            "the firewall in front of {peer} stops what STUN and a direct connection would need"
        ),
        (None, Some(peer)) => format!(
            "the NAT in front of {peer} gives the same socket another port for each destination (a symmetric NAT, as mobile \
             carriers have), so the other side cannot know where to send"
        ),
        (None, None) => "none was found between the two networks".to_owned(),
    };
    let whom = blocked.or(symmetric).or_else(|| peers.first().copied())?;
    let stun = case.run.declared.call.ice_servers.len() as u64;
    let mut seen = vec![evidence::configuration(format!(
        "{} and no TURN URL",
        count(stun, "STUN URL")
    ))];
    for peer in peers.iter().copied() {
        seen.push(evidence::candidates(case, peer));
        seen.extend(evidence::checks(case, peer));
        seen.extend(evidence::all_rules(case, peer));
        seen.extend(evidence::attested(case, peer, |fact| {
            matches!(
                fact,
                Fact::NatMapping {
                    source_port: None,
                    ..
                }
            )
        }));
    }
    seen.extend(peers.iter().map(|peer| evidence::states(case, peer)));
    let way = way_out(case, whom);
    Some(Finding {
        summary: format!(
            "The configuration has no TURN server, so {} could connect by a direct path alone, and there is none: {why}.",
            and(&peers)
        ),
        evidence: seen,
        next_step: way.next_step,
        add_urls: way.add_urls,
        ..Finding::default()
    })
}

fn is_symmetric(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::NatMapping {
            mapping: Some(Behaviour::AddressAndPortDependent | Behaviour::AddressDependent),
            ..
        }
    )
}
