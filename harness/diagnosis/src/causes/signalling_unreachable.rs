//! The signalling server cannot be reached, so that the peers have nothing to say to each other by.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::way_out::{Https, https};
use crate::words::{and, code};
use farcall_plan::{COMPANY_AUTHORITY, Fact};
use farcall_timeline::SignallingEvent;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    if case.has_connected() {
        return None;
    }
    let (peer, url) = case
        .peers()
        .find_map(|peer| Some((peer, never_opened(case, peer)?)))?;
    let expected = case.run.declared.expect.signalling.get(peer);
    let why = expected.filter(|expected| !expected.opens);
    let why = why.map_or(String::new(), |expected| format!(" ({})", expected.because));
    let mut seen = evidence::signalling(case, peer);
    seen.extend(evidence::attested(case, peer, |fact| {
        matches!(fact, Fact::Passage { port: 443, .. })
    }));
    seen.push(evidence::states(case, peer));
    seen.extend(evidence::all_rules(case, peer));
    let broken = case.broken();
    seen.extend(broken.iter().map(evidence::fault));
    let next_step = match broken.first() {
        None => way_out(case, peer, url),
        Some(first) => format!(
            "The scenario broke the network meanwhile ({}). What a client can do is open signalling again until it \
             succeeds, and tell its user that there is no network.",
            code(&first.fault.what)
        ),
    };
    Some(Finding {
        summary: format!(
            "The call was never placed: {peer} cannot reach the application's own signalling server {}{why}. No offer and no \
             candidate came through, so neither ICE nor a TURN server is to blame.",
            code(url)
        ),
        evidence: seen,
        next_step,
        ..Finding::default()
    })
}

/// What gets signalling out of a peer's network: what the network was measured to do with TLS decides.
fn way_out<'a>(case: &Case<'a>, peer: &'a str, url: &str) -> String {
    match https(case, peer) {
        Https::Intercepted => format!(
            "The firewall answers TLS itself, with a certificate of {COMPANY_AUTHORITY}. A browser that the company manages \
             trusts it; another client has to take its authorities from the system, or those who run the firewall exempt \
             the host of {} from TLS inspection.",
            code(url)
        ),
        Https::OnlyFor(names) if !names.iter().any(|name| url.contains(name)) => format!(
            "The firewall lets TLS through for some server names only ({} was measured to pass). Have those who run it add \
             the host of {}, or serve signalling under a name that passes.",
            and(names.iter().map(code)),
            code(url)
        ),
        Https::OnlyFor(_) | Https::Open | Https::Closed => format!(
            "Have signalling go by what passes where the application's pages pass: {} on port 443 of the same host, and \
             where WebSockets are inspected away, HTTPS requests in their place. If pages of the application do not open in \
             this network either, those who run it must let them through first.",
            code("wss://")
        ),
    }
}

/// The URL of a peer's signalling that failed and never opened.
fn never_opened<'a>(case: &Case<'a>, peer: &str) -> Option<&'a str> {
    match case.run.signalling(peer)? {
        SignallingEvent::Failed { url, .. } => Some(url),
        _ => None,
    }
}
