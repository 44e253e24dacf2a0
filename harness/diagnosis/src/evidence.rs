//! What the witnesses of a run saw, in words.

use crate::case::{Attempt, Broken, Case, Missing};
use crate::words::{and, code, count, seconds, transport};
use crate::{Evidence, Witness};
use farcall_plan::{BlockingRule, FROM_INSIDE, Fact};
use farcall_timeline::{
    Event, FaultEdge, IceServerOutcome, MediaKind, MediaStats, RecoveryEvent, SignallingEvent,
    TurnSession,
};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

fn evidence(witness: Witness, of: impl Into<String>, seen: impl Into<String>) -> Evidence {
    Evidence {
        witness,
        of: of.into(),
        seen: seen.into(),
    }
}

/// What a URL came to, as the peer's own transport saw it.
pub(crate) fn attempt(attempt: &Attempt<'_>) -> Evidence {
    let report = attempt.report;
    let mut seen = format!(
        "{} over {}: {} after {:.0} ms",
        code(&report.url),
        transport(report.transport),
        report.outcome,
        report.after_ms
    );
    match &report.relay_address {
        Some(address) => seen.push_str(&format!(" (relayed at {address})")),
        None if report.reason.is_empty() => {}
        None => seen.push_str(&format!(" ({})", report.reason)),
    }
    evidence(Witness::Transport, attempt.peer, seen)
}

/// What the rules in the way of these attempts counted.
pub(crate) fn rules(case: &Case<'_>, attempts: &[Attempt<'_>]) -> Vec<Evidence> {
    let mut seen: Vec<Evidence> = Vec::new();
    for attempt in attempts {
        let Some(rule) = attempt.blocked_by else {
            continue;
        };
        let one = rule_of(case, rule, verb(attempt.report.outcome));
        seen.extend(one.filter(|one| !seen.contains(one)));
    }
    seen
}

/// What a rule does, by what the peer saw of it.
fn verb(outcome: IceServerOutcome) -> &'static str {
    match outcome {
        IceServerOutcome::NoAnswer => "dropped",
        IceServerOutcome::Refused => "refused",
        IceServerOutcome::Reset => "reset",
        _ => "caught",
    }
}

fn rule_of(case: &Case<'_>, rule: &BlockingRule, verb: &str) -> Option<Evidence> {
    let counted = case.run.counted(&rule.gateway, &rule.rule)?;
    let seen = format!(
        "{} {verb} {} while the call was placed",
        code(&rule.rule),
        count(counted.packets, "packet")
    );
    Some(evidence(Witness::Gateway, rule.gateway.clone(), seen))
}

/// What all rules in the way of a peer's URLs counted, whoever needed them.
pub(crate) fn all_rules(case: &Case<'_>, peer: &str) -> Vec<Evidence> {
    let attempts = case.peers().filter(|one| *one == peer);
    let attempts: Vec<_> = attempts.flat_map(|peer| case.attempts(peer)).collect();
    rules(case, &attempts)
}

/// What the log of a host's TURN server has of a peer.
pub(crate) fn turn_log(case: &Case<'_>, host: &str, peer: &str) -> Option<Evidence> {
    let node = case.run.declared.expect.turn_nodes.get(host)?;
    let addresses = case.run.public_addresses(peer);
    if addresses.is_empty() {
        return None;
    }
    let sessions = case.run.sessions(node);
    let own: Vec<&TurnSession> = sessions
        .values()
        .copied()
        .filter(|session| client(session).is_some_and(|client| addresses.contains(&client)))
        .collect();
    let from = format!("from {}, where {peer} is seen from", and(addresses));
    let seen = match own.as_slice() {
        [] => format!("no allocation {from}"),
        own => {
            let packets: u64 = own.iter().map(|session| session.packets_received).sum();
            let sent: u64 = own.iter().map(|session| session.packets_sent).sum();
            format!(
                "{} {from}: {packets} packets received, {sent} sent",
                count(own.len() as u64, "allocation")
            )
        }
    };
    Some(evidence(Witness::TurnServer, node.clone(), seen))
}

fn client(session: &TurnSession) -> Option<IpAddr> {
    let client: SocketAddr = session.client.as_deref()?.parse().ok()?;
    Some(client.ip())
}

/// How many lines of a TURN server's log have this in them.
pub(crate) fn turn_lines(case: &Case<'_>, host: &str, wanted: &str) -> Option<Evidence> {
    let node = case.run.declared.expect.turn_nodes.get(host)?;
    let lines: Vec<&str> = case
        .run
        .of(node)
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Log { message, .. } if message.contains(wanted) => Some(message.as_str()),
            _ => None,
        })
        .collect();
    let first = lines.first()?;
    // Without the seconds that coturn puts first.
    let text =
        first.trim_start_matches(|letter: char| letter.is_ascii_digit() || " :".contains(letter));
    let times = match lines.len() {
        1 => String::new(),
        several => format!(", and {} more like it", several - 1),
    };
    Some(evidence(
        Witness::TurnServer,
        node.clone(),
        format!("{}{times}", code(text)),
    ))
}

/// What was measured of the facts that are wanted, as this node sees them.
pub(crate) fn attested<'a>(
    case: &Case<'a>,
    node: &'a str,
    is_wanted: impl Fn(&Fact) -> bool,
) -> Vec<Evidence> {
    let facts = case.facts(node).filter(|(fact, _)| is_wanted(fact));
    facts
        .map(|(_, measured)| {
            let seen = format!("{}: {}", measured.what, measured.measured);
            evidence(Witness::Attestation, node, seen)
        })
        .collect()
}

/// The same, whoever measured it.
pub(crate) fn attested_anywhere(
    case: &Case<'_>,
    is_wanted: impl Fn(&Fact) -> bool,
) -> Vec<Evidence> {
    let mut nodes: Vec<&str> = Vec::new();
    for declared in &case.run.declared.attestation {
        if !nodes.contains(&declared.node.as_str()) {
            nodes.push(&declared.node);
        }
    }
    let all = nodes
        .into_iter()
        .map(|node| attested(case, node, &is_wanted));
    all.flatten().collect()
}

/// What was measured of the ports that these attempts are about, sent straight.
pub(crate) fn attested_ports<'a>(
    case: &Case<'a>,
    node: &'a str,
    attempts: &[Attempt<'_>],
) -> Vec<Evidence> {
    attested(case, node, |fact| match fact {
        Fact::Passage {
            port, proxy: None, ..
        } => attempts.iter().any(|one| one.url().port == *port),
        _ => false,
    })
}

/// How far a peer's connection came.
pub(crate) fn states(case: &Case<'_>, peer: &str) -> Evidence {
    let mut ice: Vec<&str> = Vec::new();
    let mut connection: Vec<&str> = Vec::new();
    for (_, event) in case.run.of(peer) {
        if let Event::State(state) = event {
            let states = match state.machine.as_str() {
                "ice-connection" => &mut ice,
                "connection" => &mut connection,
                _ => continue,
            };
            if states.last() != Some(&state.state.as_str()) {
                states.push(&state.state);
            }
        }
    }
    let words = |states: &[&str]| match states {
        [] => "new".to_owned(),
        [.., one, two, three, four] if states.len() > 4 => {
            format!("..., {one}, {two}, {three}, {four}")
        }
        states => states.join(", "),
    };
    let seen = format!(
        "ICE went through {}; the connection through {}",
        words(&ice),
        words(&connection)
    );
    evidence(Witness::States, peer, seen)
}

/// What became of a peer's connection to the signalling server.
pub(crate) fn signalling(case: &Case<'_>, peer: &str) -> Vec<Evidence> {
    let events = case.run.of(peer).iter();
    let steps = events.filter_map(|(at_ms, event)| {
        let at = seconds(*at_ms);
        let seen = match event {
            Event::Signalling(SignallingEvent::Open { url, .. }) => {
                format!("{} opened at {at}", code(url))
            }
            Event::Signalling(SignallingEvent::Failed { url, reason }) => {
                format!("{} failed at {at}: {reason}", code(url))
            }
            Event::Signalling(SignallingEvent::Closed { reason }) => {
                format!("lost at {at}: {reason}")
            }
            _ => return None,
        };
        Some(evidence(Witness::Signalling, peer, seen))
    });
    steps.collect()
}

/// The types of a peer's candidates.
pub(crate) fn candidates(case: &Case<'_>, peer: &str) -> Evidence {
    let mut types: BTreeMap<String, usize> = BTreeMap::new();
    for (_, event) in case.run.of(peer) {
        if let Event::LocalCandidate(candidate) = event {
            let family = if candidate.address.starts_with('[') {
                " over IPv6"
            } else {
                ""
            };
            *types
                .entry(format!("{}{family}", candidate.candidate_type))
                .or_default() += 1;
        }
    }
    let words = types.iter().map(|(what, many)| format!("{many} {what}"));
    let seen = match types.is_empty() {
        true => "none".to_owned(),
        false => and(words),
    };
    evidence(Witness::Candidates, peer, seen)
}

/// What came of the connectivity checks of all pairs of a peer; `None` where none is told of.
pub(crate) fn checks(case: &Case<'_>, peer: &str) -> Option<Evidence> {
    let (mut pairs, mut sent, mut answered, mut received) = (0, 0, 0, 0);
    for (_, event) in case.run.of(peer) {
        if let Event::CandidatePair(pair) = event {
            pairs += 1;
            sent += pair.requests_sent;
            answered += pair.responses_received;
            received += pair.requests_received;
        }
    }
    let seen = format!(
        "{} checked: {} sent, of which {answered} answered, and {received} received",
        count(pairs, "pair"),
        count(sent, "check")
    );
    (pairs > 0).then(|| evidence(Witness::Candidates, peer, seen))
}

/// Something about the credentials that a peer fetched.
pub(crate) fn credentials(peer: &str, seen: impl Into<String>) -> Evidence {
    evidence(Witness::Credentials, peer, seen)
}

/// Something about the configuration itself.
pub(crate) fn configuration(seen: impl Into<String>) -> Evidence {
    evidence(Witness::Configuration, "", seen)
}

/// A check of the verdict.
pub(crate) fn check(name: &str, seen: impl Into<String>) -> Evidence {
    evidence(Witness::Check, name, seen)
}

/// What a fault did.
pub(crate) fn fault(broken: &Broken<'_>) -> Evidence {
    let until = match broken.mended_ms {
        Some(mended_ms) => format!("until {}", seconds(mended_ms)),
        None => "to the end".to_owned(),
    };
    let dropped = broken.dropped.map_or(String::new(), |packets| {
        format!(", dropped {}", count(packets, "packet"))
    });
    let what = &broken.fault.what;
    let from = seconds(broken.begun_ms);
    let seen = format!("{} from {from} {until}{dropped}", code(what));
    evidence(Witness::Fault, broken.number.to_string(), seen)
}

/// What was sent and what arrived of media that are missing, as both ends counted it.
pub(crate) fn missing(case: &Case<'_>, missing: &Missing<'_>) -> Vec<Evidence> {
    let Missing { kind, from, to } = *missing;
    if kind == MediaKind::Data {
        return messages(case, from, to);
    }
    let line = |peer: &str, verb: &str, total: fn(&MediaStats) -> u64| {
        let stats = case.run.media(peer, kind)?;
        let (last_ms, _) = case.last_growth(peer, kind, total).unzip();
        let last = last_ms.map_or_else(
            || "none at any time".to_owned(),
            |at_ms| format!("the last by {}", seconds(at_ms)),
        );
        let seen = format!("{verb} {} of {kind}, {last}", count(total(stats), "packet"));
        Some(evidence(Witness::Statistics, peer, seen))
    };
    [
        line(from, "sent", |stats| stats.packets_sent),
        line(to, "received", |stats| stats.packets_received),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The same of messages on the data channel.
fn messages(case: &Case<'_>, from: &str, to: &str) -> Vec<Evidence> {
    let sent = case.run.data(from).map(|stats| stats.messages_sent);
    let received = case.run.data(to).map(|stats| stats.messages_intact);
    let line = |peer: &str, verb: &str, total: u64| {
        let seen = format!("{verb} {} of data", count(total, "message"));
        evidence(Witness::Statistics, peer, seen)
    };
    let sent = sent.map(|total| line(from, "sent", total));
    let received = received.map(|total| line(to, "received", total));
    sent.into_iter().chain(received).collect()
}

/// What a gateway's rule dropped.
pub(crate) fn dropped(gateway: &str, rule: &str, packets: u64) -> Evidence {
    let seen = format!(
        "{} dropped {} while the call was placed",
        code(rule),
        count(packets, "packet")
    );
    evidence(Witness::Gateway, gateway, seen)
}

/// A remark on what a peer received.
pub(crate) fn statistics(peer: &str, seen: impl Into<String>) -> Evidence {
    evidence(Witness::Statistics, peer, seen)
}

/// That a peer's packets came as far as its gateway.
pub(crate) fn left_home(case: &Case<'_>, peer: &str) -> Option<Evidence> {
    let gateway = case.run.declared.expect.gateways.get(peer)?.first()?;
    let counted = case.run.counted(gateway, FROM_INSIDE)?;
    let seen = format!(
        "{} came from inside while the call was placed",
        count(counted.packets, "packet")
    );
    Some(evidence(Witness::Gateway, gateway.clone(), seen))
}

/// The steps of the recoveries.
pub(crate) fn recovery(case: &Case<'_>) -> Vec<Evidence> {
    let steps = case.recovery().into_iter();
    steps
        .filter_map(|(peer, at_ms, step)| {
            let seen = match step {
                RecoveryEvent::Started {
                    attempt,
                    of,
                    trigger,
                    strategy,
                } => format!(
                    "attempt {attempt} of {of} at {} ({strategy}, because {trigger})",
                    seconds(at_ms)
                ),
                RecoveryEvent::GaveUp { attempts, trigger } => format!(
                    "gave up at {} after {} ({trigger})",
                    seconds(at_ms),
                    count(u64::from(*attempts), "attempt")
                ),
                RecoveryEvent::Ended { attempt, outcome } => {
                    format!("attempt {attempt} ended at {}: {outcome}", seconds(at_ms))
                }
                RecoveryEvent::Scheduled { .. } | RecoveryEvent::Recovered { .. } => return None,
            };
            Some(evidence(Witness::Recovery, peer, seen))
        })
        .collect()
}

/// When a connection that had been up was lost.
pub(crate) fn loss(case: &Case<'_>) -> Option<Evidence> {
    let (peer, at_ms, state) = case.first_loss()?;
    let seen = format!(
        "the connection became {} at {}",
        code(state),
        seconds(at_ms)
    );
    Some(evidence(Witness::States, peer, seen))
}

/// Whether a fault's end is in the timeline.
pub(crate) fn is_mended(case: &Case<'_>, number: u32) -> bool {
    case.run.all().any(|(_, _, event)| {
        matches!(event, Event::Fault(fault) if fault.number == number && fault.edge == FaultEdge::Mended)
    })
}

/// A line of a peer's own log about its servers.
pub(crate) fn transport_log(peer: &str, message: &str, times: usize) -> Evidence {
    let more = match times {
        0 | 1 => String::new(),
        times => format!(", {times} times"),
    };
    evidence(Witness::Transport, peer, format!("{}{more}", code(message)))
}
