//! What a site's link does to packets.

use super::loss::Sample;
use super::ports::{Treatment, passing, unhindered_udp};
use super::{disorder, loss, traced};
use crate::ipv6::Ipv6Kind;
use crate::layout::SiteLayout;
use crate::model::{Fact, Fate, PROBE_PACKET_BYTES, Payload, ProbeProtocol};
use crate::passage::Attempt;
use farcall_scenario::{Direction, JitterDistribution, Link, LinkDirection, Rate};
use std::collections::BTreeSet;

/// How many standard deviations a normally distributed delay is off at most, for all practical purposes.
const DEVIATIONS: f64 = 4.0;

/// What all probes of a lab may have under way at the same moment in one direction, in bytes: about a hundred
/// packets, some of them TLS handshakes.
const PROBES_BYTES: f64 = 30_000.0;

/// The MTU of the nodes' own interfaces, which are Ethernet.
const ETHERNET_MTU: u16 = 1_500;

/// What every peer sees of its link.
pub(super) fn facts(site: &SiteLayout, attempts: &BTreeSet<Attempt<'_>>) -> Vec<Fact> {
    let link = site.gateway().link.clone().unwrap_or_else(wire);
    let port = answering_port(site, attempts);
    let round_trip = port.map(|(protocol, port)| Fact::RoundTrip {
        rtt_ms: link.up.delay_ms + link.down.delay_ms,
        jitter_ms: jitter_ms(&link.up) + jitter_ms(&link.down),
        sending_ms: sending_ms(&link.up) + sending_ms(&link.down),
        overtaking: link.up.reorder_percent + link.down.reorder_percent > 0.0,
        protocol,
        port,
    });
    round_trip.into_iter().collect()
}

/// What is measured by one peer for all, because it needs the link, or the policer, for itself.
pub(super) fn shared_facts(site: &SiteLayout, attempts: &BTreeSet<Attempt<'_>>) -> Vec<Fact> {
    let mut facts = policing(site, attempts);
    let (Some(link), Some(port)) = (&site.gateway().link, unhindered_udp(site, attempts)) else {
        return facts;
    };
    // Through a NAT64 packets are 20 bytes larger on the peer's side than on the link.
    let has_ipv4 = site.ipv6.is_none_or(|ipv6| ipv6.kind != Ipv6Kind::Only);
    for (direction, line) in directions(link) {
        let told = (line.mtu < ETHERNET_MTU).then_some(line.fragmentation_needed);
        facts.extend(has_ipv4.then_some(Fact::Mtu {
            direction,
            mtu: line.mtu,
            fragmentation_needed: told,
            port,
        }));
        facts.extend(rate(direction, line, port));
    }
    facts
}

fn rate(direction: Direction, line: &LinkDirection, port: u16) -> Option<Fact> {
    let steady = |kbit| Fact::Rate {
        direction,
        kbit,
        queue_ms: line.queue_ms,
        jitter_ms: jitter_ms(line),
        port,
    };
    match &line.rate {
        Rate::Unlimited => Some(steady(None)),
        Rate::Constant { kbit } => Some(steady(Some(*kbit))),
        // It is another one in each moment. Where the queue is shorter than the recording stands still, what it lets
        // through is the packets' doing as much as its own.
        Rate::Trace { delivery_ms } if traced::longest_pause_ms(delivery_ms) > line.queue_ms => {
            None
        }
        Rate::Trace { delivery_ms } => {
            let traced = traced::traced(delivery_ms)?;
            Some(Fact::TracedRate {
                direction,
                window_ms: traced.window_ms,
                least_kbit: traced.least_kbit,
                most_kbit: traced.most_kbit,
                port,
            })
        }
    }
}

/// What needs thousands of packets.
pub(super) fn deep_facts(site: &SiteLayout, attempts: &BTreeSet<Attempt<'_>>) -> Vec<Fact> {
    let (Some(link), Some(port)) = (&site.gateway().link, unhindered_udp(site, attempts)) else {
        return Vec::new();
    };
    let ratios = |(direction, line): (_, &LinkDirection)| {
        let lost = loss::sample(line.loss, mean_kbit(&line.rate));
        let samples = [
            (Fate::Lost, Some(lost)),
            (Fate::Duplicated, disorder::duplicated(line, lost)),
            (
                Fate::Overtaking,
                disorder::overtaking(line, lost, jitter_ms(line)),
            ),
        ];
        let ratio = move |(fate, sample): (Fate, Option<Sample>)| {
            let sample = sample?;
            Some(Fact::FateRatio {
                fate,
                direction,
                percent: sample.percent,
                tolerance_percent: sample.tolerance_percent,
                packets: sample.packets,
                per_second: sample.per_second,
                port,
            })
        };
        samples.into_iter().filter_map(ratio)
    };
    directions(link).into_iter().flat_map(ratios).collect()
}

/// The longest that a question and its answer are under way, in milliseconds, while all other probes are too.
pub(super) fn longest_round_trip_ms(site: &SiteLayout) -> u32 {
    let Some(link) = &site.gateway().link else {
        return 0;
    };
    let longest = |line: &LinkDirection| {
        let waiting_ms = match mean_kbit(&line.rate) {
            Some(kbit) => (PROBES_BYTES * 8.0 / kbit).min(f64::from(line.queue_ms)),
            None => 0.0,
        };
        line.delay_ms + jitter_ms(line) + sending_ms(line) + waiting_ms
    };
    // Of at most some ten thousand milliseconds.
    (longest(&link.up) + longest(&link.down)).ceil() as u32
}

fn policing(site: &SiteLayout, attempts: &BTreeSet<Attempt<'_>>) -> Vec<Fact> {
    let ports = passing(site, attempts, ProbeProtocol::Udp, Payload::Plain);
    let policed = ports.iter().find_map(|(port, how)| match how {
        Treatment::Policed(kbit) => Some((*port, *kbit)),
        Treatment::Forwarded | Treatment::Served => None,
    });
    let Some((port, kbit)) = policed else {
        return Vec::new();
    };
    let rate = |direction| Fact::PolicedRate {
        direction,
        kbit,
        port,
    };
    [Direction::Out, Direction::In].map(rate).into()
}

fn directions(link: &Link) -> [(Direction, &LinkDirection); 2] {
    [(Direction::Out, &link.up), (Direction::In, &link.down)]
}

fn wire() -> Link {
    Link {
        up: LinkDirection::default(),
        down: LinkDirection::default(),
    }
}

/// Where the probe itself answers, not the gateway in its place. UDP where it passes; to open a connection over
/// TCP is a round trip too.
fn answering_port(
    site: &SiteLayout,
    attempts: &BTreeSet<Attempt<'_>>,
) -> Option<(ProbeProtocol, u16)> {
    let ways = [
        (ProbeProtocol::Udp, Payload::Plain),
        (ProbeProtocol::Tcp, Payload::Plain),
        (ProbeProtocol::Tcp, Payload::Tls),
    ];
    ways.into_iter().find_map(|(protocol, payload)| {
        let ports = passing(site, attempts, protocol, payload);
        let mut ports = ports.iter().filter(|(_, how)| *how != Treatment::Served);
        ports.next().map(|(port, _)| (protocol, *port))
    })
}

/// By how much a delay is off at most, in milliseconds.
fn jitter_ms(line: &LinkDirection) -> f64 {
    match line.jitter_distribution {
        JitterDistribution::Uniform => line.jitter_ms,
        JitterDistribution::Normal => DEVIATIONS * line.jitter_ms,
    }
}

/// How long the rate takes for one packet of a probe, at most.
fn sending_ms(line: &LinkDirection) -> f64 {
    match &line.rate {
        Rate::Unlimited => 0.0,
        Rate::Constant { kbit } => f64::from(PROBE_PACKET_BYTES) * 8.0 / f64::from(*kbit),
        Rate::Trace { delivery_ms } => {
            let moments = [0].iter().chain(delivery_ms);
            let gaps = moments
                .zip(delivery_ms)
                .map(|(before, after)| after - before);
            f64::from(gaps.max().unwrap_or(0))
        }
    }
}

fn mean_kbit(rate: &Rate) -> Option<f64> {
    match rate {
        Rate::Unlimited => None,
        Rate::Constant { kbit } => Some(f64::from(*kbit)),
        Rate::Trace { delivery_ms } => {
            let bits = 1_500.0 * 8.0 * delivery_ms.len() as f64;
            delivery_ms
                .last()
                .map(|length_ms| bits / f64::from(*length_ms))
        }
    }
}
