//! The TURN server refuses to relay to the other peer's address.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::words::{and, code};
use farcall_timeline::Event;
use farcall_timeline::IceServerOutcome::Forbidden;
use std::collections::BTreeMap;

/// What a peer's log says of a permission that was refused (RFC 8656 section 9.2).
const REJECTED: &str = " rejected ";

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    if case.has_connected() {
        return None;
    }
    let forbidden = case.refusals(&[Forbidden]);
    let rejected = permissions(case);
    if forbidden.is_empty() && rejected.is_empty() {
        return None;
    }
    let mut seen: Vec<_> = forbidden.iter().map(evidence::attempt).collect();
    seen.extend(
        rejected
            .iter()
            .map(|(peer, (message, times))| evidence::transport_log(peer, message, *times)),
    );
    for url in case.turn_urls() {
        seen.extend(evidence::turn_lines(case, &url.host, "403"));
    }
    seen.extend(case.peers().map(|peer| evidence::states(case, peer)));
    let peers = and(rejected.keys().copied());
    let whom = if peers.is_empty() {
        String::new()
    } else {
        format!(" for {peers}")
    };
    Some(Finding {
        summary: format!(
            "A TURN server allocates and then refuses to relay to the other side{whom} (403): its configuration forbids \
             that address."
        ),
        evidence: seen,
        next_step: format!(
            "Take the other side's addresses out of {} of the TURN server (coturn), or name them in {}. Relays often forbid \
             private ranges, and rightly; what must not be among them are the public addresses of peers and of the other \
             TURN servers.",
            code("denied-peer-ip"),
            code("allowed-peer-ip")
        ),
        ..Finding::default()
    })
}

/// What peers say of refused permissions: the first line and how many there were.
fn permissions<'a>(case: &Case<'a>) -> BTreeMap<&'a str, (&'a str, usize)> {
    let mut found: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    for peer in case.peers() {
        for (_, event) in case.run.of(peer) {
            if let Event::Log { message, .. } = event
                && message.contains(REJECTED)
                && message.contains(": 403 ")
            {
                found.entry(peer).or_insert((message, 0)).1 += 1;
            }
        }
    }
    found
}
