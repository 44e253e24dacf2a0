//! The firewall lets TLS through for certain server names alone.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::way_out::{Https, https, way_out};
use crate::words::and;
use farcall_plan::{Fact, Payload};
use farcall_timeline::IceServerOutcome::{NoAnswer, Refused, Reset};
use farcall_timeline::IceTransport::Tls;
use std::collections::BTreeSet;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    let mut stranded = case.stranded().into_iter();
    let (peer, names, tried) = stranded.find_map(|peer| {
        let Https::OnlyFor(names) = https(case, peer) else {
            return None;
        };
        let mut tried = case.turn_attempts(peer);
        tried.retain(|one| {
            one.url().transport == Tls
                && one.came_to(&[Reset, Refused, NoAnswer])
                && !names.contains(&one.url().host)
        });
        (!tried.is_empty()).then_some((peer, names, tried))
    })?;
    let hosts: BTreeSet<&str> = tried.iter().map(|one| one.url().host.as_str()).collect();
    let mut seen: Vec<_> = tried.iter().map(evidence::attempt).collect();
    seen.extend(evidence::rules(case, &tried));
    seen.extend(evidence::attested(case, peer, |fact| {
        matches!(
            fact,
            Fact::Passage {
                port: 443,
                payload: Payload::Tls,
                ..
            }
        )
    }));
    let way = way_out(case, peer);
    Some(Finding {
        summary: format!(
            "The firewall in front of {peer} lets TLS through for {} alone and reads the name in the handshake: that of {} \
             is not among them.",
            and(&names),
            and(&hosts)
        ),
        evidence: seen,
        next_step: way.next_step,
        add_urls: way.add_urls,
        ..Finding::default()
    })
}
