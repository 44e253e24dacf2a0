//! The configuration names servers by IPv4 address, and the network has IPv6 alone.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::words::{and, code};
use farcall_plan::Fact;
use farcall_timeline::IceServerOutcome::DnsFailed;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    let mut stranded = case.stranded().into_iter();
    let (peer, literals) = stranded.find_map(|peer| {
        let mut attempts = case.attempts(peer);
        attempts
            .retain(|one| one.came_to(&[DnsFailed]) && one.url().host.parse::<Ipv4Addr>().is_ok());
        (!attempts.is_empty()).then_some((peer, attempts))
    })?;
    let addresses: BTreeSet<&str> = literals.iter().map(|one| one.url().host.as_str()).collect();
    let mut seen: Vec<_> = literals.iter().map(evidence::attempt).collect();
    seen.push(evidence::candidates(case, peer));
    seen.extend(evidence::attested(case, peer, |fact| {
        matches!(fact, Fact::Interfaces { .. })
    }));
    let example = literals.first()?.url();
    let named = example.text.replacen(&example.host, "turn.example.com", 1);
    Some(Finding {
        summary: format!(
            "The network of {peer} has IPv6 alone, and the configuration names the server by its IPv4 address {}: there is \
             no way to it. A name would be resolved to an IPv6 address that the network translates (DNS64 and NAT64).",
            and(&addresses)
        ),
        evidence: seen,
        next_step: format!(
            "Give {} a host name and write that into the URL, such as {} in place of {}. Mobile networks with IPv6 alone are \
             common.",
            and(&addresses),
            code(&named),
            code(&example.text)
        ),
        ..Finding::default()
    })
}
