//! What the figures are to be.

use super::Figures;
use serde::Serialize;

/// A figure and what it is to be.
#[derive(Debug, Serialize)]
pub(super) struct Target {
    /// The figure's name.
    figure: &'static str,
    value: f64,
    bound: Bound,
    /// Whether the figure is what it is to be. Only said, never enforced: one machine's day is no
    /// regression.
    met: bool,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Bound {
    AtMost(f64),
    Below(f64),
}

impl Target {
    /// A figure that could not be had meets nothing.
    fn new(figure: &'static str, value: f64, bound: Bound) -> Self {
        let met = match bound {
            Bound::AtMost(bound) => value <= bound,
            Bound::Below(bound) => value < bound,
        };
        Self {
            figure,
            value,
            bound,
            met,
        }
    }
}

/// Every figure that has a target.
pub(super) fn of(figures: &Figures) -> Vec<Target> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "no process has 2^53 KiB resident"
    )]
    let peer_peak_resident_kib = figures.peer_peak_resident_kib as f64;
    vec![
        Target::new("raise_ratio", figures.raise_ratio, Bound::AtMost(1.3)),
        Target::new("teardown_ratio", figures.teardown_ratio, Bound::AtMost(1.2)),
        Target::new("whole_ms", figures.whole_ms, Bound::Below(12_000.0)),
        Target::new(
            "peer_peak_resident_kib",
            peer_peak_resident_kib,
            Bound::AtMost(40.0 * 1024.0),
        ),
        Target::new(
            "side_by_side_ratio",
            figures.side_by_side_ratio,
            Bound::AtMost(2.0),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_met_up_to_its_bound() {
        let met = |value, bound| Target::new("figure", value, bound).met;
        assert!(met(1.3, Bound::AtMost(1.3)));
        assert!(!met(1.31, Bound::AtMost(1.3)));
        assert!(met(11_999.9, Bound::Below(12_000.0)));
        assert!(!met(12_000.0, Bound::Below(12_000.0)));
    }

    #[test]
    fn a_figure_that_could_not_be_had_meets_nothing() {
        assert!(!Target::new("figure", f64::NAN, Bound::AtMost(2.0)).met);
    }
}
