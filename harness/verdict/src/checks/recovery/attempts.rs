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

/// The peers' logs tell of the attempts in the guide's words and in their order: `Connection failed. Retrying... (1/3)`.
fn log_lines(case: &Case<'_>, attempts: u32) -> Check {
    let mut told = BTreeSet::new();
    let mut last: BTreeMap<&str, u32> = BTreeMap::new();
    let mut in_order = true;
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
                if let Some(number) = retrying(message) {
                    in_order &= number == *last + 1 || told.contains(&(number - 1));
                    *last = number;
                    told.insert(number);
                    evidence.push(format!("{peer} at {at_ms:.0} ms: {message}"));
                }
            }
            Event::Recovery(RecoveryEvent::Recovered { .. }) => *last = 0,
            _ => {}
        }
    }
    let all = (1..=attempts).all(|number| told.contains(&number));
    let expected =
        "each attempt is told by a peer as `Connection failed. Retrying... (N/M)`, in order";
    let observed = format!("{} of {attempts} told", told.range(..=attempts).count());
    Check::new("recovery/log", pass_if(all && in_order), expected, observed).with_evidence(evidence)
}

/// The number in the guide's line.
fn retrying(message: &str) -> Option<u32> {
    let (_, rest) = message.split_once("Connection failed. Retrying... (")?;
    rest.split_once('/')?.0.parse().ok()
}

fn steps<'a>(case: &Case<'a>) -> impl Iterator<Item = (&'a str, f64, &'a RecoveryEvent)> {
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
