//! Plain TURN on TCP 443 is reset by a firewall that looks for TLS.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::way_out::way_out;
use crate::words::{and, code};
use farcall_plan::Fact;
use farcall_timeline::IceServerOutcome::Reset;
use farcall_timeline::IceTransport::{Tcp, Tls};

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    let mut stranded = case.stranded().into_iter();
    let (peer, reset) = stranded.find_map(|peer| {
        let all = case.turn_attempts(peer);
        if all.iter().any(|one| one.url().transport == Tls) {
            return None;
        }
        let reset = all.into_iter().filter(|one| {
            one.url().transport == Tcp && one.came_to(&[Reset]) && one.blocked_by.is_some()
        });
        let reset: Vec<_> = reset.collect();
        (!reset.is_empty()).then_some((peer, reset))
    })?;
    let urls = and(reset.iter().map(|one| code(&one.url().text)));
    let mut seen: Vec<_> = reset.iter().map(evidence::attempt).collect();
    seen.extend(evidence::rules(case, &reset));
    seen.extend(evidence::rules(case, &case.turn_attempts(peer)));
    seen.extend(evidence::attested(case, peer, |fact| {
        matches!(
            fact,
            Fact::Passage {
                port: 443,
                protocol: farcall_plan::ProbeProtocol::Tcp,
                ..
            }
        )
    }));
    let way = way_out(case, peer);
    Some(Finding {
        summary: format!(
            "The firewall in front of {peer} lets only TLS through on TCP 443 and looks at the first bytes: {urls} opens the \
             connection, speaks plain TURN in it, and is reset."
        ),
        evidence: seen,
        next_step: way.next_step,
        add_urls: way.add_urls,
        ..Finding::default()
    })
}
