//! What chance decides about each packet.

use farcall_scenario::{JitterDistribution, LinkDirection, Loss};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::f64::consts::TAU;
use std::time::Duration;

/// What chance has decided about one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) lost: bool,
    /// Delay and jitter together.
    pub(crate) delay: Duration,
    /// The packet skips `delay`.
    pub(crate) reordered: bool,
    pub(crate) duplicated: bool,
}

/// Decides, packet by packet.
#[derive(Debug)]
pub(crate) struct Fates {
    random: ChaCha8Rng,
    loss: Loss,
    /// The state of the Gilbert-Elliott chain. It begins in the good one, as netem's does.
    bad: bool,
    delay_ms: f64,
    jitter_ms: f64,
    distribution: JitterDistribution,
    reorder_percent: f64,
    duplicate_percent: f64,
}

impl Fates {
    pub(crate) fn new(direction: &LinkDirection, seed: u64) -> Self {
        Self {
            random: ChaCha8Rng::seed_from_u64(seed),
            loss: direction.loss,
            bad: false,
            delay_ms: direction.delay_ms,
            jitter_ms: direction.jitter_ms,
            distribution: direction.jitter_distribution,
            reorder_percent: direction.reorder_percent,
            duplicate_percent: direction.duplicate_percent,
        }
    }

    /// The next packet's fate. Every number is drawn whether this link needs it or not, so that the
    /// position in the random stream depends on nothing but the count of packets.
    pub(crate) fn next(&mut self) -> Fate {
        let [loss, step, jitter, jitter_angle, reorder, duplicate] =
            std::array::from_fn(|_| self.draw());
        Fate {
            lost: self.loses(loss, step),
            delay: self.delay(jitter, jitter_angle),
            reordered: happens(self.reorder_percent, reorder),
            duplicated: happens(self.duplicate_percent, duplicate),
        }
    }

    /// Evenly from [0, 1): the 53 bits that an `f64` holds exactly.
    fn draw(&mut self) -> f64 {
        (self.random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Loss in the chain's present state, then the chain's step: netem's order.
    fn loses(&mut self, loss: f64, step: f64) -> bool {
        match self.loss {
            Loss::None => false,
            Loss::Random { percent } => happens(percent, loss),
            Loss::Bursts {
                good_to_bad_percent,
                bad_to_good_percent,
                good_loss_percent,
                bad_loss_percent,
            } => {
                let (loss_percent, step_percent) = if self.bad {
                    (bad_loss_percent, bad_to_good_percent)
                } else {
                    (good_loss_percent, good_to_bad_percent)
                };
                self.bad ^= happens(step_percent, step);
                happens(loss_percent, loss)
            }
        }
    }

    fn delay(&self, jitter: f64, jitter_angle: f64) -> Duration {
        let deviation = match self.distribution {
            JitterDistribution::Uniform => 2.0 * jitter - 1.0,
            JitterDistribution::Normal => normal(jitter, jitter_angle),
        };
        duration(self.delay_ms + self.jitter_ms * deviation)
    }
}

fn happens(percent: f64, draw: f64) -> bool {
    draw * 100.0 < percent
}

/// Two even numbers make a normal one (Box and Muller, Annals of Mathematical Statistics 29, 1958). Methods
/// that are faster reject some of what they draw, so that they need more or less of it each time.
fn normal(radius: f64, angle: f64) -> f64 {
    (-2.0 * (1.0 - radius).ln()).sqrt() * (TAU * angle).cos()
}

/// To the nearest nanosecond; nothing arrives before it was sent.
fn duration(ms: f64) -> Duration {
    Duration::from_nanos((ms * 1e6).round().max(0.0) as u64)
}
