//! How many packets tell how much a link loses, and how well.

use farcall_scenario::Loss;

/// How long packets are sent, in seconds: so that a burst of five packets in a thousand is told from none.
const SENDING_S: f64 = 20.0;

/// The most packets in a second.
const MOST_PER_SECOND: f64 = 1_500.0;

/// How large such a packet is, with its IP header, in bytes.
const PACKET_BYTES: f64 = 100.0;

/// The part of the link's rate that is used, so that its queue drops nothing.
const LOAD: f64 = 0.4;

/// The quantile of the normal distribution for a two-sided 99.9 % confidence interval.
const DEVIATIONS: f64 = 3.29;

/// What even a good measurement may lose, in percent: a machine that is busy drops a packet now and then.
const LEAST_TOLERANCE_PERCENT: f64 = 0.1;

/// A measurement of loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample {
    /// What is lost in the long run.
    pub percent: f64,
    /// How far off the sample may be.
    pub tolerance_percent: f64,
    /// How many packets are sent.
    pub packets: u32,
    /// How many of them in a second.
    pub per_second: u32,
}

impl Sample {
    /// The same packets, of which what befalls so many of those that are not lost is measured.
    pub fn of_the_rest(self, percent: f64) -> Self {
        let arriving = f64::from(self.packets) * (1.0 - self.percent / 100.0);
        let share = percent / 100.0;
        let deviation_percent = 100.0 * (share * (1.0 - share) / arriving.max(1.0)).sqrt();
        Self {
            percent: hundredths(percent),
            tolerance_percent: tolerance_percent(deviation_percent),
            ..self
        }
    }
}

/// What a link loses in the long run, and how well a sample tells it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LongRunLoss {
    /// The share of packets that is lost, in percent.
    pub percent: f64,
    /// The standard deviation of that share in a sample, in percent.
    pub deviation_percent: f64,
}

/// What is lost of so many packets.
///
/// Losses that come in bursts are no independent trials. The chain of Gilbert and Elliott forgets its state
/// by the factor 1 - p - r with each packet, so the variance of the mean is that of independent trials and
/// twice the sum of the covariances (a geometric series).
#[must_use]
pub fn long_run_loss(loss: Loss, packets: u32) -> LongRunLoss {
    let (mean, covariances) = moments(loss);
    let variance = mean * (1.0 - mean) + 2.0 * covariances;
    LongRunLoss {
        percent: mean * 100.0,
        deviation_percent: 100.0 * (variance / f64::from(packets)).sqrt(),
    }
}

/// As many packets as fit into the time, at a rate in kbit/s or at none.
pub(super) fn sample(loss: Loss, kbit: Option<f64>) -> Sample {
    let fitting = kbit.map_or(f64::MAX, |kbit| {
        kbit * 1_000.0 * LOAD / (PACKET_BYTES * 8.0)
    });
    let per_second = fitting.clamp(1.0, MOST_PER_SECOND).floor();
    let packets = (per_second * SENDING_S) as u32;
    let lost = long_run_loss(loss, packets);
    Sample {
        percent: hundredths(lost.percent),
        tolerance_percent: tolerance_percent(lost.deviation_percent),
        packets,
        per_second: per_second as u32,
    }
}

/// How far off a sample with this standard deviation may be.
fn tolerance_percent(deviation_percent: f64) -> f64 {
    hundredths((DEVIATIONS * deviation_percent).max(LEAST_TOLERANCE_PERCENT))
}

/// The share that is lost, and the sum of the covariances of a packet's loss with those after it.
fn moments(loss: Loss) -> (f64, f64) {
    match loss {
        Loss::None => (0.0, 0.0),
        Loss::Random { percent } => (percent / 100.0, 0.0),
        Loss::Bursts {
            good_to_bad_percent,
            bad_to_good_percent,
            good_loss_percent,
            bad_loss_percent,
        } => {
            let (p, r) = (good_to_bad_percent / 100.0, bad_to_good_percent / 100.0);
            let (good, bad) = (good_loss_percent / 100.0, bad_loss_percent / 100.0);
            let in_bad = p / (p + r);
            let mean = in_bad * bad + (1.0 - in_bad) * good;
            let covariance = (bad - good).powi(2) * in_bad * (1.0 - in_bad);
            let memory = 1.0 - p - r;
            (mean, covariance * memory / (1.0 - memory))
        }
    }
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use farcall_scenario::LinkPreset;

    #[test]
    fn every_preset_that_loses_is_told_from_one_that_does_not() {
        let mut losing = 0;
        for preset in LinkPreset::ALL {
            let Some(link) = preset.expand() else {
                continue;
            };
            let sample = sample(link.up.loss, Some(1_000.0));
            if link.up.loss == Loss::None {
                assert_eq!((sample.percent, sample.tolerance_percent), (0.0, 0.1));
            } else {
                losing += 1;
            }
        }
        assert_eq!(losing, 5);
        for preset in [LinkPreset::SatelliteLeo, LinkPreset::FourthGeneration] {
            let sample = sample(preset.expand().unwrap().up.loss, Some(13_540.0));
            assert!(sample.tolerance_percent < sample.percent, "{sample:?}");
        }
    }

    #[test]
    fn bursts_need_more_packets_than_single_losses() {
        let single = sample(Loss::Random { percent: 10.0 }, None);
        let bursts = Loss::Bursts {
            good_to_bad_percent: 3.0,
            bad_to_good_percent: 27.0,
            good_loss_percent: 0.0,
            bad_loss_percent: 100.0,
        };
        let bursts = sample(bursts, None);
        assert_eq!((single.percent, bursts.percent), (10.0, 10.0));
        assert_eq!((single.packets, single.per_second), (30_000, 1_500));
        // sqrt(1 + 2 * 0.7 / 0.3) is 2.38.
        let ratio = bursts.tolerance_percent / single.tolerance_percent;
        assert!((ratio - 2.38).abs() < 0.05, "{ratio}");
    }

    #[test]
    fn a_slow_link_is_not_filled() {
        let slow = sample(Loss::None, Some(200.0));
        assert_eq!((slow.per_second, slow.packets), (100, 2_000));
    }
}
