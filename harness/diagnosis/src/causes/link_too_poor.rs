//! The link loses or delays too much, or is too slow, for the media.

use crate::Evidence;
use crate::case::{Case, Missing};
use crate::evidence;
use crate::model::Finding;
use crate::words::{and, code, count};
use farcall_plan::Fact;
use farcall_scenario::Direction::{self, In, Out};
use farcall_scenario::FaultKind::LinkChange;
use farcall_timeline::MediaKind::{Audio, Data, Video};
use farcall_timeline::{Event, MediaStats};

/// What a packet has beside its RTP payload, in bytes: headers of IPv4 (RFC 791), UDP (RFC 768) and RTP (RFC 3550 section
/// 5.1), and the tag of SRTP (RFC 3711 section 5.2).
const OVERHEAD_BYTES: u64 = 20 + 8 + 12 + 10;

/// The longest round trip, in milliseconds: twice the 400 ms one way that a network is not to exceed (ITU-T G.114).
const LONGEST_ROUND_TRIP_MS: f64 = 800.0;

/// Media of which less arrives than must, in packets, or messages of data.
struct Stream<'a> {
    way: Missing<'a>,
    sent: u64,
    received: u64,
}

/// What was measured and counted of the way from one peer to the other that accounts for what is missing.
#[derive(Default)]
struct Limit {
    words: Vec<String>,
    evidence: Vec<Evidence>,
    /// The lowest rate below what is sent, in kbit/s.
    kbit: Option<u32>,
    /// Whether it is that of a firewall that polices UDP.
    is_policed: bool,
}

/// What has a rate below what is sent.
#[derive(Clone, Copy, PartialEq)]
enum Slow {
    Link,
    /// Its rate is a recording; what counts is the fastest part of it.
    RecordedLink,
    Policer,
}

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    if !case.has_connected() || case.is_lost() {
        return None;
    }
    let streams = suffering(case)?;
    let mut ways: Vec<(&str, &str)> = streams.iter().map(Stream::ends).collect();
    ways.dedup();
    let mut limits = Vec::new();
    let mut arrived = Vec::new();
    for way in ways {
        let of_way: Vec<&Stream<'_>> = streams.iter().filter(|one| one.ends() == way).collect();
        limits.push(limit(case, way, &of_way)?);
        let parts = and(of_way.iter().map(|one| one.arrived()));
        arrived.push(format!("of what {} sends, {} gets {parts}", way.0, way.1));
    }
    let mut seen: Vec<_> = streams
        .iter()
        .flat_map(|one| evidence::missing(case, &one.way))
        .collect();
    seen.extend(limits.iter().flat_map(|limit| limit.evidence.clone()));
    seen.extend(case.broken_by(&[LinkChange]).as_ref().map(evidence::fault));
    let mut words: Vec<&str> = Vec::new();
    for one in limits.iter().flat_map(|limit| &limit.words) {
        if !words.contains(&one.as_str()) {
            words.push(one);
        }
    }
    Some(Finding {
        summary: format!(
            "The call stands, and the way between the peers is too poor for its media: {}. Measured: {}.",
            arrived.join("; "),
            words.join("; ")
        ),
        evidence: seen,
        next_step: next_step(&limits),
        ..Finding::default()
    })
}

/// All media that failed. `None` where audio or video did not arrive at all, or something was changed: no link does that.
fn suffering<'a>(case: &Case<'a>) -> Option<Vec<Stream<'a>>> {
    let mut streams: Vec<Stream<'_>> = Vec::new();
    for (from, to) in case.run.directions() {
        for kind in [Audio, Video, Data] {
            // A data channel whose handshake did not get through has nothing to compare.
            let sent_none = || {
                case.run
                    .data(from)
                    .is_none_or(|data| data.messages_sent == 0)
            };
            if kind == Data && sent_none() {
                continue;
            }
            let name = format!("media/{kind}/{from}-to-{to}");
            if case.has_failed(&name) || case.has_failed(&format!("recovery/{name}")) {
                streams.push(stream(case, Missing { kind, from, to })?);
            }
        }
    }
    let some_arrive = streams.iter().any(|one| one.received > 0);
    some_arrive.then_some(streams)
}

fn stream<'a>(case: &Case<'a>, way: Missing<'a>) -> Option<Stream<'a>> {
    let (sent, received, corrupt) = match way.kind {
        Data => {
            let arrived = case.run.data(way.to).cloned().unwrap_or_default();
            let sent = case.run.data(way.from)?.messages_sent;
            (sent, arrived.messages_intact, arrived.messages_corrupt)
        }
        Audio | Video => {
            let arrived = case.run.media(way.to, way.kind)?;
            if arrived.packets_received == 0 {
                return None;
            }
            let sent = case.run.media(way.from, way.kind)?.packets_sent;
            (sent, arrived.packets_received, arrived.frames_corrupt)
        }
    };
    (corrupt == 0 && received < sent).then_some(Stream {
        way,
        sent,
        received,
    })
}

impl<'a> Stream<'a> {
    fn ends(&self) -> (&'a str, &'a str) {
        (self.way.from, self.way.to)
    }

    fn arrived(&self) -> String {
        let unit = match self.way.kind {
            Data => "message",
            Audio | Video => "packet",
        };
        let sent = count(self.sent, unit);
        format!("{} of {sent} of {}", self.received, self.way.kind)
    }
}

/// `None` where nothing accounts for what is missing.
fn limit<'a>(
    case: &Case<'a>,
    (from, to): (&'a str, &'a str),
    streams: &[&Stream<'_>],
) -> Option<Limit> {
    let mut limit = Limit::default();
    let sent_kbit = sent_kbit(case, from);
    let sides = [(from, Out), (to, In)];
    for (peer, side) in sides {
        add_rate(&mut limit, case, (peer, side), sent_kbit);
    }
    let mut lost = 0;
    for (peer, side) in sides {
        for (gateway, rule, packets) in dropped(case, peer, side) {
            lost += packets;
            let line = evidence::dropped(gateway, rule, packets);
            limit.evidence.push(line);
        }
    }
    // Data that is lost is sent again, and all of it waits for that.
    let has_media = streams.iter().any(|one| one.way.kind != Data);
    let counted = streams
        .iter()
        .filter(|one| !has_media || one.way.kind != Data);
    let missing: u64 = counted.map(|one| one.sent - one.received).sum();
    if lost > 0 && 2 * lost >= missing {
        let lost = count(lost, "packet");
        limit.words.push(format!("{lost} dropped on the way"));
    }
    let round_trip_ms: f64 = [from, to]
        .map(|peer| round_trip_ms(case, peer))
        .iter()
        .sum();
    let explains = !has_media || !limit.words.is_empty();
    if round_trip_ms >= LONGEST_ROUND_TRIP_MS && explains {
        limit
            .words
            .push(format!("a round trip of {round_trip_ms:.0} ms"));
        for peer in [from, to] {
            let is_far =
                |fact: &Fact| matches!(fact, Fact::RoundTrip { rtt_ms, .. } if *rtt_ms > 0.0);
            limit
                .evidence
                .extend(evidence::attested(case, peer, is_far));
        }
    }
    (!limit.words.is_empty()).then_some(limit)
}

/// Adds rates at a peer's side that are below what is sent.
fn add_rate<'a>(
    limit: &mut Limit,
    case: &Case<'a>,
    (peer, side): (&'a str, Direction),
    sent_kbit: f64,
) {
    let too_slow = |fact: &Fact| {
        let (kbit, what) = match fact {
            Fact::Rate {
                direction,
                kbit: Some(kbit),
                ..
            } if *direction == side => (*kbit, Slow::Link),
            Fact::TracedRate {
                direction,
                most_kbit,
                ..
            } if *direction == side => (*most_kbit, Slow::RecordedLink),
            Fact::PolicedRate {
                direction, kbit, ..
            } if *direction == side => (*kbit, Slow::Policer),
            _ => return None,
        };
        (f64::from(kbit) < sent_kbit).then_some((kbit, what))
    };
    for (fact, measured) in case.facts(peer) {
        let Some((kbit, what)) = too_slow(fact).filter(|_| measured.holds) else {
            continue;
        };
        let rate = match what {
            Slow::Link => format!("the link of {peer} carries {kbit} kbit/s"),
            Slow::RecordedLink => format!("the link of {peer} carries {kbit} kbit/s at its best"),
            Slow::Policer => {
                format!("the firewall in front of {peer} lets {kbit} kbit/s of UDP through")
            }
        };
        let words = format!("{rate}, and the media are {sent_kbit:.0} kbit/s");
        limit.words.push(words);
        limit.kbit = Some(limit.kbit.map_or(kbit, |least| least.min(kbit)));
        limit.is_policed |= what == Slow::Policer;
    }
    let is_shown = |fact: &Fact| too_slow(fact).is_some();
    limit
        .evidence
        .extend(evidence::attested(case, peer, is_shown));
}

/// What a peer sent of audio and video on average, in kbit/s of IP packets.
fn sent_kbit(case: &Case<'_>, peer: &str) -> f64 {
    let bytes = |stats: &MediaStats| stats.bytes_sent + OVERHEAD_BYTES * stats.packets_sent;
    let of_kind = |kind| {
        let mut reports = case.run.media_reports(peer, kind);
        let (first_ms, first) = reports.next()?;
        let (last_ms, last) = reports.next_back()?;
        let sent = bytes(last).saturating_sub(bytes(first));
        Some(sent as f64 * 8.0 / (last_ms - first_ms).max(1.0))
    };
    [Audio, Video].into_iter().filter_map(of_kind).sum()
}

/// What links and policers dropped while the call was placed of what went this way: gateway, rule, packets.
fn dropped<'a>(case: &Case<'a>, peer: &str, side: Direction) -> Vec<(&'a str, &'a str, u64)> {
    let gateways = case.run.declared.expect.gateways.get(peer);
    let mut found = Vec::new();
    for gateway in gateways.into_iter().flatten() {
        let mut events = case.run.of(gateway).iter();
        let counters = events.find_map(|(_, event)| match event {
            Event::Counters { rules, .. } => Some(rules),
            _ => None,
        });
        for rule in counters.into_iter().flatten() {
            let packets = match drops(&rule.rule, side) {
                true => case.run.counted(gateway, &rule.rule),
                false => None,
            };
            let packets = packets.map_or(0, |counted| counted.packets);
            if packets > 0 {
                found.push((gateway.as_str(), rule.rule.as_str(), packets));
            }
        }
    }
    found
}

/// Whether a rule is a link's loss or full queue, or a policer's excess, this way.
fn drops(rule: &str, side: Direction) -> bool {
    let is_excess = rule.contains("/drop-excess-");
    match side {
        Out => {
            ["link/up-lost", "link/up-queue-dropped"].contains(&rule)
                || is_excess && !rule.ends_with("-in")
        }
        In => {
            ["link/down-lost", "link/down-queue-dropped"].contains(&rule)
                || is_excess && rule.ends_with("-in")
        }
    }
}

/// The round trip between a peer and the internet, as it was attested.
fn round_trip_ms<'a>(case: &Case<'a>, peer: &'a str) -> f64 {
    let mut facts = case.facts(peer);
    let found = facts.find_map(|(fact, measured)| match fact {
        Fact::RoundTrip { rtt_ms, .. } if measured.holds => Some(*rtt_ms),
        _ => None,
    });
    found.unwrap_or(0.0)
}

fn next_step(limits: &[Limit]) -> String {
    let least = limits.iter().filter_map(|limit| limit.kbit).min();
    let below = least.map_or(String::new(), |kbit| format!(" than {kbit} kbit/s in all"));
    let elsewhere = match limits.iter().any(|limit| limit.is_policed) {
        true => format!(
            "Only UDP is held back: where TCP 443 is open, a relay over TLS goes past that ({} with a {} URL on port 443).",
            code("iceTransportPolicy: \"relay\""),
            code("turns:")
        ),
        false => "Another network of the user helps; another TURN server does not, for what it relays goes over the same link."
            .to_owned(),
    };
    format!(
        "Let the application send less{below} where less arrives: {} and {} of {}, simulcast where a media server forwards, \
         audio alone where that is still too much. {elsewhere} If users of this network can live with it, write {} in the \
         scenario.",
        code("maxBitrate"),
        code("scaleResolutionDownBy"),
        code("RTCRtpSender.setParameters()"),
        code("media = \"degraded\"")
    )
}
