//! What changed between two sides of stored runs: for a regression between two commits, or two configurations.
//!
//! Runs of one scenario, ICE configuration and policy are compared with each other, all of one side with all of the
//! other. A run that is INVALID or UNSUPPORTED tells nothing of its call, and is counted but not compared.

mod facts;
mod markdown;
mod model;
mod noise;
mod row;
mod text;
mod words;

pub use markdown::comparison_markdown;
pub use model::{
    COMPARISON_SCHEMA_VERSION, Change, Comparison, Direction, Figure, Group, Kind, Runs, Side,
    Subject, comparison_schema,
};
pub use noise::Margin;
pub use text::ComparisonText;

use crate::StoredRun;
use facts::{Facts, Thing, Word};
use farcall_verdict::Verdict;
use noise::{MANY_RUNS, MARGINS};
use std::collections::{BTreeMap, BTreeSet};
use words::Words;

/// Says what changed from the runs before to those after.
#[must_use]
pub fn compare(before: &[StoredRun], after: &[StoredRun]) -> Comparison {
    let (before, after) = (by_subject(before), by_subject(after));
    let groups = before.iter().filter_map(|(subject, before)| {
        let after = find(&after, subject)?;
        Some(group(subject, before, after))
    });
    let missing = |from: &[OfSubject<'_>], side: &[OfSubject<'_>]| {
        let subjects = side.iter().map(|(subject, _)| subject);
        let missing = subjects.filter(|subject| find(from, subject).is_none());
        missing.cloned().collect()
    };
    Comparison {
        schema_version: COMPARISON_SCHEMA_VERSION,
        margins: MARGINS.to_vec(),
        many_runs: MANY_RUNS,
        groups: groups.collect(),
        only_before: missing(&after, &before),
        only_after: missing(&before, &after),
    }
}

/// The runs of a side that have something in common.
type OfSubject<'a> = (Subject, Vec<&'a StoredRun>);

fn find<'a, 'r>(side: &'a [OfSubject<'r>], wanted: &Subject) -> Option<&'a [&'r StoredRun]> {
    let found = side.iter().find(|(subject, _)| subject == wanted);
    found.map(|(_, runs)| runs.as_slice())
}

/// The runs by what they have in common, in the order in which that first comes.
fn by_subject(runs: &[StoredRun]) -> Vec<OfSubject<'_>> {
    let mut sides: Vec<OfSubject<'_>> = Vec::new();
    for run in runs {
        let subject = Subject {
            scenario: run.result.scenario.clone(),
            ice_configuration: run.result.ice_configuration.clone(),
            policy: run.result.policy,
        };
        match sides.iter_mut().find(|(known, _)| *known == subject) {
            Some((_, of_subject)) => of_subject.push(run),
            None => sides.push((subject, vec![run])),
        }
    }
    sides
}

fn group(subject: &Subject, before: &[&StoredRun], after: &[&StoredRun]) -> Group {
    let count = |runs: &[&StoredRun]| {
        let mut counted = Runs::default();
        for run in runs {
            let directory = run.directory.display().to_string();
            counted.count(run.result.verdict, directory);
        }
        counted
    };
    let known = |runs: &[&StoredRun]| {
        let is_known =
            |run: &&&StoredRun| matches!(run.result.verdict, Verdict::Pass | Verdict::Fail);
        let known = runs.iter().filter(is_known);
        known.map(|run| Facts::of(run)).collect::<Vec<_>>()
    };
    let (facts_before, facts_after) = (known(before), known(after));
    let mut changes = Vec::new();
    if !facts_before.is_empty() && !facts_after.is_empty() {
        changes.extend(changes_in_words(&facts_before, &facts_after));
        changes.extend(changes_of_figures(&facts_before, &facts_after));
    }
    changes.sort_by(|one, other| {
        let order = |change: &Change| (change.direction, change.kind);
        order(one).cmp(&order(other))
    });
    Group {
        subject: subject.clone(),
        before: count(before),
        after: count(after),
        changes,
    }
}

fn changes_in_words(before: &[Facts], after: &[Facts]) -> Vec<Change> {
    let both = before.iter().chain(after);
    let things: BTreeSet<&Thing> = both.flat_map(|facts| facts.words.keys()).collect();
    let of_side = |side: &[Facts], thing: &Thing| {
        let mut words = Words::new();
        for facts in side {
            let word = facts.words.get(thing).cloned();
            *words.entry(word.unwrap_or_else(Word::absent)).or_default() += 1;
        }
        words
    };
    let changes = things.into_iter().filter_map(|thing| {
        let (before, after) = (of_side(before, thing), of_side(after, thing));
        let direction = words::change(&before, &after)?;
        Some(change(
            thing,
            direction,
            side_in_words(before),
            side_in_words(after),
        ))
    });
    changes.collect()
}

fn side_in_words(words: Words) -> Side {
    let words = words.into_iter().map(|(word, runs)| (word.text, runs));
    Side::Words {
        runs_by_word: words.collect(),
    }
}

/// A figure that one side does not have is no change of it: what it lacks is told in words.
fn changes_of_figures(before: &[Facts], after: &[Facts]) -> Vec<Change> {
    let of_side = |side: &[Facts]| {
        let mut values: BTreeMap<Thing, Vec<f64>> = BTreeMap::new();
        for (thing, value) in side.iter().flat_map(|facts| &facts.figures) {
            values.entry(thing.clone()).or_default().push(*value);
        }
        values
    };
    let mut after = of_side(after);
    let changes = of_side(before).into_iter().filter_map(|(thing, before)| {
        let before = noise::figure(before)?;
        let after = noise::figure(after.remove(&thing)?)?;
        let direction = noise::change(thing.0, before, after)?;
        let [before, after] = [before, after].map(|figure| Side::Figure { figure });
        Some(change(&thing, direction, before, after))
    });
    changes.collect()
}

fn change((kind, what): &Thing, direction: Direction, before: Side, after: Side) -> Change {
    Change {
        direction,
        kind: *kind,
        what: what.clone(),
        before,
        after,
    }
}

#[cfg(test)]
mod tests;
