//! What a comparison says, in words: what text and Markdown have in common.

use super::model::{Change, Comparison, Direction, Group, Kind, Side, Subject};
use crate::format::{cut, duration};
use std::collections::BTreeMap;

/// The widest word of a side that is shown whole; all of it is in the JSON.
const MAX_WORD: usize = 40;

/// The widest value of an expectation that says anything to people.
const MAX_EXPECTATION: usize = 16;

/// A change, cell by cell.
pub(super) struct Row {
    pub kind: String,
    pub what: String,
    pub before: String,
    pub after: String,
}

/// `2 got worse, 1 got better, 3 are otherwise; 4 scenarios compared`.
pub(super) fn title(comparison: &Comparison) -> String {
    let count = |wanted| {
        let changes = comparison.changes();
        changes
            .filter(|(_, change)| change.direction == wanted)
            .count()
    };
    let known = comparison.groups.iter().filter(|group| group.is_known());
    let what = match known.count() {
        1 => "1 scenario with its configuration".to_owned(),
        several => format!("{several} scenarios with their configurations"),
    };
    let [worse, better, other] = Direction::ALL.map(count);
    match worse + better + other {
        0 => format!("Nothing changed in {what}"),
        _ => format!("{worse} got worse, {better} got better, {other} otherwise in {what}"),
    }
}

/// The changes of a direction. Checks of which the same is to be said are told together.
pub(super) fn rows(group: &Group, direction: Direction) -> Vec<Row> {
    let is_wanted = |change: &&Change| change.direction == direction;
    let mut rows = Vec::new();
    let mut checks: BTreeMap<[String; 2], Vec<&str>> = BTreeMap::new();
    let mut place_of_checks = 0;
    for change in group.changes.iter().filter(is_wanted) {
        let sides = [&change.before, &change.after].map(|side| in_words(change.kind, side));
        if (change.kind, direction) == (Kind::Check, Direction::Other) {
            checks.entry(sides).or_default().push(&change.what);
            place_of_checks = rows.len();
        } else {
            rows.push(row(change.kind, &change.what, sides));
        }
    }
    let checks = checks
        .into_iter()
        .map(|(sides, names)| match names.as_slice() {
            [only] => row(Kind::Check, only, sides),
            several => row(Kind::Check, &format!("{} checks", several.len()), sides),
        });
    rows.splice(place_of_checks..place_of_checks, checks);
    rows
}

fn row(kind: Kind, what: &str, [before, after]: [String; 2]) -> Row {
    Row {
        kind: kind.name().to_owned(),
        what: what.to_owned(),
        before,
        after,
    }
}

fn in_words(kind: Kind, side: &Side) -> String {
    match side {
        Side::Words { runs_by_word }
            if kind == Kind::Expectation
                && runs_by_word.keys().any(|word| word.len() > MAX_EXPECTATION) =>
        {
            "as in the JSON".to_owned()
        }
        Side::Words { runs_by_word } => {
            let runs: usize = runs_by_word.values().sum();
            let words = runs_by_word.iter().map(|(word, times)| {
                let word = cut(word, MAX_WORD);
                match (*times == runs, runs) {
                    (true, _) => word,
                    (false, _) => format!("{word} ({times} of {runs})"),
                }
            });
            words.collect::<Vec<_>>().join(", ")
        }
        Side::Figure { figure } => {
            let shown = |value: f64| match kind {
                Kind::Loss => format!("{value:.1} %"),
                _ => duration(value),
            };
            let median = shown(figure.median);
            match figure.runs {
                1 => median,
                _ => format!(
                    "{median} ({} to {})",
                    shown(figure.least),
                    shown(figure.most)
                ),
            }
        }
    }
}

/// A line for each scenario that could not be compared, with why.
pub(super) fn not_known(comparison: &Comparison) -> Vec<String> {
    let unknown = comparison.groups.iter().filter(|group| !group.is_known());
    let unknown = unknown.map(|group| {
        format!(
            "{}: not known, neither better nor worse: before {}, after {}",
            group.subject, group.before, group.after
        )
    });
    let alone = |subjects: &[Subject], side: &str| {
        let lines = subjects
            .iter()
            .map(|subject| format!("{subject}: only {side}"));
        lines.collect::<Vec<_>>()
    };
    unknown
        .chain(alone(&comparison.only_before, "before"))
        .chain(alone(&comparison.only_after, "after"))
        .collect()
}

/// When a figure has changed, in words.
pub(super) fn rule(comparison: &Comparison) -> String {
    let margins = comparison.margins.iter().map(|margin| {
        format!(
            "{} {} {unit} and {} % (many: {} {unit})",
            margin.kind.name(),
            margin.few_runs,
            margin.few_runs_percent,
            margin.many_runs,
            unit = margin.unit
        )
    });
    format!(
        "A figure has changed where the ranges of the two sides do not overlap and their medians differ by more than: {}. \
         Many are {} runs or more on each side.",
        margins.collect::<Vec<_>>().join(", "),
        comparison.many_runs
    )
}
