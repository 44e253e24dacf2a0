//! As many attempts as expected, and each is told.

use super::pass_if;
use crate::Check;
use crate::case::Case;
use farcall_timeline::{Event, RecoveryEvent};
use std::collections::{BTreeMap, BTreeSet};

/// As many attempts as expected, and each told as the guide has it.
pub(crate) fn attempts(case: &Case<'_>) -> Vec<Check> {
    let Some(expected) = &case.declared.expect.recovery else {
        return Vec::new();
    };
    let made = numbers_of_attempts(case);
    let most = attempts_made(case);
    let is_right = most == expected.attempts && made.iter().copied().eq(1..=most);
    let evidence =
        steps(case).map(|(peer, at_ms, step)| format!("{peer} at {at_ms:.0} ms: {step}"));
    let attempts = Check::new(
        "recovery/attempts",
        pass_if(is_right),
        count(expected.attempts),
        count(most),
    );
    vec![attempts.with_evidence(evidence), log_lines(case, most)]
}

/// How many attempts were made: the number of the last.
pub(crate) fn attempts_made(case: &Case<'_>) -> u32 {
    numbers_of_attempts(case).last().copied().unwrap_or(0)
}

fn numbers_of_attempts(case: &Case<'_>) -> BTreeSet<u32> {
    let numbers = steps(case).filter_map(|(_, _, step)| match step {
        RecoveryEvent::Started { attempt, .. } => Some(*attempt),
        _ => None,
    });
    numbers.collect()
}

/// The peers' logs tell of the attempts in the guide's words and in their order, and of each before it begins:
/// `Connection failed. Retrying... (1/3)`.
fn log_lines(case: &Case<'_>, attempts: u32) -> Check {
    let policy = case.declared.call.recovery.as_ref();
    let most = policy.map(|policy| policy.max_attempts);
    let mut told = BTreeSet::new();
    let mut ever_told = BTreeSet::new();
    let mut last: BTreeMap<&str, u32> = BTreeMap::new();
    let mut recovered = BTreeSet::new();
    let mut wrong = Vec::new();
    let mut evidence = Vec::new();
    let mut events: Vec<_> = case
        .all()
        .filter(|(node, ..)| case.peers.contains(node))
        .collect();
    // A peer may leave the telling of an attempt to the other.
    events.sort_by(|left, right| left.1.total_cmp(&right.1));
    for (peer, at_ms, event) in events {
        let last = last.entry(peer).or_default();
        match event {
            Event::Log { message, .. } => {
                let Some((number, of)) = retrying(message) else {
                    continue;
                };
                if number != *last + 1 && !told.contains(&number.saturating_sub(1)) {
                    wrong.push(format!("{peer} at {at_ms:.0} ms: out of turn: {message}"));
                }
                if most.is_some_and(|most| most != of) {
                    wrong.push(format!("{peer} at {at_ms:.0} ms: not so many: {message}"));
                }
                *last = number;
                told.insert(number);
                ever_told.insert(number);
                recovered.clear();
                evidence.push(format!("{peer} at {at_ms:.0} ms: {message}"));
            }
            Event::Recovery(RecoveryEvent::Started { attempt, .. }) if last != attempt => {
                wrong.push(format!(
                    "{peer} at {at_ms:.0} ms: attempt {attempt} begins untold"
                ));
            }
            Event::Recovery(RecoveryEvent::Recovered { .. }) => {
                *last = 0;
                recovered.insert(peer);
                // The next failure is counted anew by both.
                if recovered.len() == case.peers.len() {
                    told.clear();
                }
            }
            _ => {}
        }
    }
    let all = (1..=attempts).all(|number| ever_told.contains(&number));
    let expected = format!(
        "each attempt is told by a peer as `Connection failed. Retrying... (N/{})`, in order and before it begins",
        most.map_or("M".to_owned(), |most| most.to_string())
    );
    let mut observed = format!(
        "{} of {attempts} told",
        ever_told.range(..=attempts).count()
    );
    if !wrong.is_empty() {
        observed.push_str(&format!(", {} times not so", wrong.len()));
    }
    let verdict = pass_if(all && wrong.is_empty());
    wrong.extend(evidence);
    Check::new("recovery/log", verdict, expected, observed).with_evidence(wrong)
}

/// The numbers in the guide's line: which attempt, and of how many.
fn retrying(message: &str) -> Option<(u32, u32)> {
    let (_, rest) = message.split_once("Connection failed. Retrying... (")?;
    let (number, of) = rest.split_once(')')?.0.split_once('/')?;
    Some((number.parse().ok()?, of.parse().ok()?))
}

pub(super) fn steps<'a>(
    case: &Case<'a>,
) -> impl Iterator<Item = (&'a str, f64, &'a RecoveryEvent)> {
    let mut steps: Vec<_> = case
        .all()
        .filter_map(|(peer, at_ms, event)| match event {
            Event::Recovery(step) => Some((peer, at_ms, step)),
            _ => None,
        })
        .collect();
    steps.sort_by(|left, right| left.1.total_cmp(&right.1));
    steps.into_iter()
}

pub(super) fn count(attempts: u32) -> String {
    match attempts {
        0 => "no attempt".to_owned(),
        1 => "1 attempt".to_owned(),
        several => format!("{several} attempts"),
    }
}
