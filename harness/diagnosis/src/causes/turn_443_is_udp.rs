//! `turn:HOST:443` is meant to get through firewalls and is UDP.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::way_out::{Https, https, way_out};
use crate::words::{and, code};
use farcall_plan::Fact;
use farcall_timeline::IceServerOutcome::{NoAnswer, Refused};
use farcall_timeline::IceTransport::Udp;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    let mut stranded = case.stranded().into_iter();
    let (peer, attempts) = stranded.find_map(|peer| {
        let attempts = case.turn_attempts(peer);
        let is_udp = |one: &crate::case::Attempt<'_>| {
            one.url().transport == Udp
                && one.came_to(&[NoAnswer, Refused])
                && one.blocked_by.is_some()
        };
        let would_pass = matches!(https(case, peer), Https::Open | Https::OnlyFor(_));
        let on_443 = attempts.iter().any(|one| one.url().port == 443);
        (would_pass && on_443 && attempts.iter().all(is_udp)).then_some((peer, attempts))
    })?;
    let mistaken = attempts.iter().filter(|one| one.url().port == 443);
    let urls = and(mistaken.map(|one| code(&one.url().text)));
    let mut seen: Vec<_> = attempts.iter().map(evidence::attempt).collect();
    seen.extend(evidence::rules(case, &attempts));
    seen.extend(evidence::attested(case, peer, |fact| {
        matches!(fact, Fact::Passage { port: 443, .. })
    }));
    if let Some(first) = attempts.first() {
        seen.extend(evidence::turn_log(case, &first.url().host, peer));
    }
    let way = way_out(case, peer);
    Some(Finding {
        summary: format!(
            "{urls} is UDP, not TLS: without {} a {} URL is UDP on whatever port. The firewall in front of {peer} stops UDP, \
             and TLS on TCP 443, which it lets through, is not in the configuration.",
            code("?transport=tcp"),
            code("turn:")
        ),
        evidence: seen,
        next_step: way.next_step,
        add_urls: way.add_urls,
        ..Finding::default()
    })
}
