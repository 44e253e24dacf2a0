//! The network opens TLS and answers with a certificate of its own.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::way_out::{Https, https, way_out};
use farcall_plan::{COMPANY_AUTHORITY, Fact, Passage};
use farcall_timeline::IceServerOutcome::TlsFailed;
use farcall_timeline::TlsFailure;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    let mut stranded = case.stranded().into_iter();
    let peer = stranded.find(|&peer| https(case, peer) == Https::Intercepted)?;
    let attempts = case.attempts(peer);
    let issuer = attempts.iter().find_map(|attempt| {
        let (kind, detail) = attempt.report.tls_failure()?;
        (kind == TlsFailure::UnknownIssuer).then_some(detail)
    });
    let gateways = case.run.declared.expect.gateways.get(peer);
    let gateway = gateways.and_then(|all| all.first());
    let firewall = gateway.map_or("the firewall", String::as_str);
    let by = match issuer {
        Some(detail) => format!("{firewall} answered {peer} itself, and {detail}"),
        None => format!(
            "a TLS handshake from the network of {peer} is answered by {firewall} itself, with a certificate of {COMPANY_AUTHORITY}"
        ),
    };
    // First what came of TLS itself; without a TURN server, what came of all else shows that nothing gets out.
    let mut turn = case.turn_attempts(peer);
    if turn.is_empty() {
        turn.clone_from(&attempts);
    }
    turn.sort_by_key(|attempt| !attempt.came_to(&[TlsFailed]));
    let mut seen: Vec<_> = turn.iter().map(evidence::attempt).collect();
    seen.extend(evidence::attested(case, peer, |fact| {
        matches!(
            fact,
            Fact::Passage {
                passage: Passage::Intercepted,
                ..
            }
        )
    }));
    seen.extend(evidence::rules(case, &turn));
    let way = way_out(case, peer);
    Some(Finding {
        summary: format!("TLS does not reach the TURN server: {by}."),
        evidence: seen,
        next_step: way.next_step,
        add_urls: way.add_urls,
        ..Finding::default()
    })
}
