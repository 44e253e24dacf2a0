//! When a figure has changed. Figures differ from run to run: a difference counts only beyond that.

use super::model::{Direction, Figure, Kind};
use schemars::JsonSchema;
use serde::Serialize;

/// With so many runs on each side, ranges that do not overlap come about by chance once in 126 times (2 of the 252 ways to
/// deal ten values to two sides of five).
pub(super) const MANY_RUNS: usize = 5;

/// By how much a figure must differ to have changed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Margin {
    /// What kind of figure it is.
    pub kind: Kind,
    /// The unit of the next two: `ms` or `%`.
    pub unit: &'static str,
    /// With few runs the medians must differ by more than this.
    pub few_runs: f64,
    /// With many runs by more than this: less nobody notices.
    pub many_runs: f64,
    /// With few runs they must also differ by more than this part of the smaller, in percent.
    pub few_runs_percent: f64,
}

/// The margins of all kinds of figures. With few runs they are wider than what the same commit was measured to differ by
/// (docs/measured.md).
pub(super) const MARGINS: [Margin; 5] = [
    margin(Kind::SetUpTime, 1_000.0, 100.0, 50.0),
    margin(Kind::RecoveryTime, 2_000.0, 500.0, 25.0),
    margin(Kind::Loss, 2.0, 1.0, 50.0),
    margin(Kind::RoundTrip, 20.0, 5.0, 50.0),
    margin(Kind::Jitter, 30.0, 10.0, 100.0),
];

const fn margin(kind: Kind, few_runs: f64, many_runs: f64, few_runs_percent: f64) -> Margin {
    Margin {
        kind,
        unit: match kind {
            Kind::Loss => "%",
            _ => "ms",
        },
        few_runs,
        many_runs,
        few_runs_percent,
    }
}

/// A figure of the runs that have it; `None` where none has.
pub(super) fn figure(mut values: Vec<f64>) -> Option<Figure> {
    values.sort_by(f64::total_cmp);
    let (least, most) = (*values.first()?, *values.last()?);
    let runs = values.len();
    let [lower, upper] = [values.get((runs - 1) / 2)?, values.get(runs / 2)?];
    Some(Figure {
        median: (lower + upper) / 2.0,
        least,
        most,
        runs,
    })
}

/// Which way a figure of this kind has changed, if it has: the ranges do not overlap, and the medians differ by more than
/// the margins. Of all these figures less is better.
pub(super) fn change(kind: Kind, before: Figure, after: Figure) -> Option<Direction> {
    let margin = MARGINS.iter().find(|margin| margin.kind == kind)?;
    let overlap = before.least <= after.most && after.least <= before.most;
    let difference = (after.median - before.median).abs();
    let smaller = before.median.min(after.median);
    let is_beyond = match before.runs.min(after.runs) >= MANY_RUNS {
        true => difference > margin.many_runs,
        false => {
            difference
                > margin
                    .few_runs
                    .max(smaller * margin.few_runs_percent / 100.0)
        }
    };
    if overlap || !is_beyond {
        return None;
    }
    Some(match after.median > before.median {
        true => Direction::Worse,
        false => Direction::Better,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    fn changed(kind: Kind, before: &[f64], after: &[f64]) -> Option<Direction> {
        let of = |values: &[f64]| figure(values.to_vec()).unwrap();
        let there = change(kind, of(before), of(after));
        let back = change(kind, of(after), of(before));
        let opposite = there.map(|direction| match direction {
            Direction::Worse => Direction::Better,
            _ => Direction::Worse,
        });
        assert_eq!(back, opposite);
        there
    }

    #[test]
    fn a_figure_is_the_median_and_the_range() {
        let of_three = figure(vec![9.0, 1.0, 2.0]).unwrap();
        assert_eq!(
            (of_three.median, of_three.least, of_three.most),
            (2.0, 1.0, 9.0)
        );
        assert_eq!(figure(vec![1.0, 4.0]).unwrap().median, 2.5);
        assert_eq!(figure(Vec::new()), None);
    }

    #[test]
    fn few_runs_must_differ_by_more_than_both_margins() {
        let time = |before, after| changed(Kind::SetUpTime, &[before], &[after]);
        assert_eq!(time(400.0, 400.0), None);
        assert_eq!(time(400.0, 1_300.0), None, "below the absolute margin");
        assert_eq!(time(4_000.0, 5_900.0), None, "below the relative margin");
        assert_eq!(time(400.0, 1_500.0), Some(Direction::Worse));
        assert_eq!(time(1_500.0, 400.0), Some(Direction::Better));
    }

    #[test]
    fn ranges_that_overlap_are_no_change() {
        let (before, after) = ([400.0, 420.0, 4_500.0], [4_400.0, 4_500.0, 4_600.0]);
        assert_eq!(changed(Kind::SetUpTime, &before, &after), None);
    }

    #[test]
    fn with_many_runs_ranges_apart_are_enough() {
        let around = |middle: f64| [-20.0, -10.0, 0.0, 10.0, 20.0].map(|by| middle + by);
        let (before, after) = (around(2_000.0), around(2_400.0));
        let many = changed(Kind::SetUpTime, &before, &after);
        assert_eq!(many, Some(Direction::Worse));
        assert_eq!(changed(Kind::SetUpTime, &before[1..], &after[1..]), None);
        // What nobody notices is no change with any number of runs.
        let near = around(2_090.0);
        assert_eq!(changed(Kind::SetUpTime, &before, &near), None);
    }

    #[test]
    fn what_was_nothing_changes_too() {
        assert_eq!(changed(Kind::Loss, &[0.0], &[1.5]), None);
        assert_eq!(changed(Kind::Loss, &[0.0], &[3.0]), Some(Direction::Worse));
    }

    #[test]
    fn each_kind_of_figure_has_margins_in_its_unit() {
        for margin in MARGINS {
            assert_eq!(margin.unit, margin.kind.unit());
        }
    }
}
