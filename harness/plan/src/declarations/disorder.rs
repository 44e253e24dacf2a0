//! How many packets a link duplicates, and how many overtake others.

use super::loss::Sample;
use farcall_scenario::LinkDirection;

/// So many packets of a measurement must be on their way at least: one that skips the delay overtakes nobody where the
/// link is empty.
const LEAST_ON_THE_WAY: f64 = 3.0;

/// What is duplicated, if anything is, of a sample in which so much is lost.
pub(super) fn duplicated(line: &LinkDirection, lost: Sample) -> Option<Sample> {
    (line.duplicate_percent > 0.0).then(|| lost.of_the_rest(line.duplicate_percent))
}

/// What overtakes, if anything is to and the link is long enough for it, of a sample in which so much is lost.
/// `jitter_ms` is by how much a delay is off at most.
pub(super) fn overtaking(line: &LinkDirection, lost: Sample, jitter_ms: f64) -> Option<Sample> {
    let gap_ms = 1_000.0 / f64::from(lost.per_second.max(1));
    let on_the_way = ((line.delay_ms - jitter_ms) / gap_ms).floor();
    if line.reorder_percent <= 0.0 || on_the_way < LEAST_ON_THE_WAY {
        return None;
    }
    let skips = line.reorder_percent / 100.0;
    let keeps_order = (1.0 - skips) * (1.0 - lost.percent / 100.0);
    // All that could be overtaken is lost or skips the delay too.
    let nobody = (1.0 - keeps_order).powf(on_the_way);
    Some(lost.of_the_rest(100.0 * skips * (1.0 - nobody)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::super::loss::sample;
    use super::*;
    use farcall_scenario::Loss;

    fn line(delay_ms: f64, percent: f64) -> LinkDirection {
        LinkDirection {
            delay_ms,
            duplicate_percent: percent,
            reorder_percent: percent,
            ..LinkDirection::default()
        }
    }

    #[test]
    fn two_percent_are_told_from_none_and_from_three() {
        let lost = sample(Loss::None, None);
        let line = line(20.0, 2.0);
        let found = [duplicated(&line, lost), overtaking(&line, lost, 0.0)];
        for sample in found.map(Option::unwrap) {
            assert_eq!(sample.percent, 2.0);
            assert!(sample.tolerance_percent < 0.5, "{sample:?}");
            assert_eq!(sample.packets, lost.packets);
        }
    }

    #[test]
    fn what_is_not_declared_is_not_measured() {
        let lost = sample(Loss::None, None);
        assert_eq!(duplicated(&line(20.0, 0.0), lost), None);
        assert_eq!(overtaking(&line(20.0, 0.0), lost, 0.0), None);
    }

    #[test]
    fn on_a_link_that_is_empty_nobody_is_overtaken() {
        // 1500 packets in a second are 0.67 ms apart.
        let lost = sample(Loss::None, None);
        assert_eq!(overtaking(&line(1.0, 2.0), lost, 0.0), None);
        assert_eq!(overtaking(&line(20.0, 2.0), lost, 19.0), None);
        assert!(overtaking(&line(3.0, 2.0), lost, 0.0).is_some());
    }

    #[test]
    fn where_most_skip_the_delay_there_are_few_to_overtake() {
        let lost = sample(Loss::None, None);
        let all = overtaking(&line(20.0, 100.0), lost, 0.0).unwrap();
        assert_eq!((all.percent, all.tolerance_percent), (0.0, 0.1));
        // Four on the way, each of which skips it in half of all cases.
        let half = overtaking(&line(3.0, 50.0), lost, 0.0).unwrap();
        assert_eq!(half.percent, 46.88);
    }
}
