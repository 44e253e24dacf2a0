//! What figures are to be.

use serde::Serialize;

/// A figure and what it is to be.
#[derive(Debug, Serialize)]
pub(super) struct Target {
    /// The figure's name.
    figure: String,
    value: f64,
    bound: Bound,
    /// Whether the figure is what it is to be. Only said, never enforced: one machine's day is no
    /// regression.
    pub(super) met: bool,
}

/// Up to where a figure is what it is to be.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bound {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
}

impl Target {
    /// A figure that could not be had meets nothing.
    pub(super) fn new(figure: impl Into<String>, value: f64, bound: Bound) -> Self {
        let met = match bound {
            Bound::AtLeast(bound) => value >= bound,
            Bound::AtMost(bound) => value <= bound,
            Bound::Below(bound) => value < bound,
        };
        Self {
            figure: figure.into(),
            value,
            bound,
            met,
        }
    }
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
        assert!(met(400.0, Bound::AtLeast(400.0)));
        assert!(!met(399.9, Bound::AtLeast(400.0)));
    }

    #[test]
    fn a_figure_that_could_not_be_had_meets_nothing() {
        assert!(!Target::new("figure", f64::NAN, Bound::AtMost(2.0)).met);
    }
}
