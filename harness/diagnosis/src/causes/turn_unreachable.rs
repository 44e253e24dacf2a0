//! TURN does not get through: of the transports that the configuration offers, the one that gets furthest is named.

use crate::case::{Attempt, Case};
use crate::evidence;
use crate::model::Finding;
use crate::way_out::way_out;
use crate::words::{and, code};
use farcall_plan::Fact;
use farcall_timeline::IceServerOutcome::{Malformed, NoAnswer, Refused, Reset, TlsFailed};
use farcall_timeline::{IceServerOutcome, IceTransport};

/// What a firewall can make of an attempt.
const STOPPED: [IceServerOutcome; 5] = [NoAnswer, Refused, Reset, Malformed, TlsFailed];

pub(super) fn tls(case: &Case<'_>) -> Option<Finding> {
    find(case, IceTransport::Tls)
}

pub(super) fn tcp(case: &Case<'_>) -> Option<Finding> {
    find(case, IceTransport::Tcp)
}

pub(super) fn udp(case: &Case<'_>) -> Option<Finding> {
    find(case, IceTransport::Udp)
}

fn find(case: &Case<'_>, furthest: IceTransport) -> Option<Finding> {
    let is_stopped = |one: &Attempt<'_>| one.came_to(&STOPPED) && one.blocked_by.is_some();
    let mut stranded = case.stranded().into_iter();
    let (peer, attempts) = stranded.find_map(|peer| {
        let attempts = case.turn_attempts(peer);
        let most = attempts.iter().map(|one| one.url().transport).max()?;
        (most == furthest && attempts.iter().all(is_stopped)).then_some((peer, attempts))
    })?;
    let gateways = attempts.iter().filter_map(|one| one.blocked_by);
    let mut gateways: Vec<&str> = gateways.map(|rule| rule.gateway.as_str()).collect();
    gateways.dedup();
    let mut ways: Vec<String> = Vec::new();
    for one in &attempts {
        let way = way(one);
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    let mut seen: Vec<_> = attempts.iter().map(evidence::attempt).collect();
    seen.extend(evidence::rules(case, &attempts));
    seen.extend(evidence::attested(case, peer, |fact| {
        matches!(
            fact,
            Fact::Passage {
                passage: farcall_plan::Passage::Passes,
                ..
            }
        )
    }));
    if let Some(first) = attempts.first() {
        seen.extend(evidence::turn_log(case, &first.url().host, peer));
    }
    let way = way_out(case, peer);
    Some(Finding {
        summary: format!(
            "No TURN server is reachable from the network of {peer}: {} lets none of the ways through that the configuration \
             offers ({}).",
            and(&gateways),
            and(&ways)
        ),
        evidence: seen,
        next_step: way.next_step,
        add_urls: way.add_urls,
        ..Finding::default()
    })
}

fn way(attempt: &Attempt<'_>) -> String {
    let url = attempt.url();
    let what = match url.transport {
        IceTransport::Udp => "UDP",
        IceTransport::Tcp => "TCP",
        IceTransport::Tls => "TLS over TCP",
    };
    format!("{what} {} ({})", url.port, code(&url.text))
}
