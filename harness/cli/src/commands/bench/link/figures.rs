//! What was measured of links, and what it is to be.

use super::super::targets::{Bound, Target};
use super::only;
use crate::exit::Failure;
use farcall_plan::long_run_loss;
use farcall_run::{Carried, Exchanged};
use farcall_scenario::{Direction, Loss};
use serde::Serialize;

/// The quantile of the normal distribution for a two-sided 99 % confidence interval.
const DEVIATIONS: f64 = 2.576;

/// The figures of links.
#[derive(Debug, Serialize)]
pub(in super::super) struct Figures {
    pub(super) delay: Both<Delay>,
    pub(super) loss: Both<Lost>,
    pub(super) rate: Both<Rate>,
    /// Over one TCP connection through a datapath that limits nothing, payload in Mbit/s.
    pub(super) throughput_mbit: Both<f64>,
    pub(super) call_kbit_each_way: u32,
    /// The processor time of the gateway's agent while a call's packets cross it, in percent of one processor.
    pub(super) call_gateway_cpu_percent: f64,
}

/// Out of the site, and into it.
#[derive(Debug, Serialize)]
pub(super) struct Both<T> {
    up: T,
    down: T,
}

/// One-way delays, in milliseconds. They are those of the whole way from sender to receiver: of them the declared
/// delay is the link's, all else is what the lab adds.
#[derive(Debug, Serialize)]
pub(super) struct Delay {
    declared_ms: f64,
    packets_per_second: u32,
    packets: u32,
    arrived: u32,
    least_ms: f64,
    median_ms: f64,
    p99_ms: f64,
    p999_ms: f64,
    most_ms: f64,
}

/// Loss, in percent of all packets.
#[derive(Debug, Serialize)]
pub(super) struct Lost {
    declared: Loss,
    declared_percent: f64,
    packets: u32,
    percent: f64,
    /// How far off a sample of so many packets is at most, with 99 % confidence.
    interval_percent: f64,
}

/// A rate, of IP packets.
#[derive(Debug, Serialize)]
pub(super) struct Rate {
    declared_kbit: u32,
    kbit: f64,
}

impl Figures {
    pub(in super::super) fn targets(&self) -> Vec<Target> {
        let delay = self.delay.ways().map(|(way, delay)| {
            Target::new(
                format!("link.delay.{way}.p99_error_ms"),
                delay.p99_error_ms(),
                Bound::AtMost(1.0),
            )
        });
        let loss = self.loss.ways().map(|(way, loss)| {
            Target::new(
                format!("link.loss.{way}.error_percent"),
                (loss.percent - loss.declared_percent).abs(),
                Bound::AtMost(loss.interval_percent),
            )
        });
        let rate = self.rate.ways().map(|(way, rate)| {
            Target::new(
                format!("link.rate.{way}.error_percent"),
                100.0 * (rate.kbit / f64::from(rate.declared_kbit) - 1.0).abs(),
                Bound::AtMost(2.0),
            )
        });
        let throughput = self.throughput_mbit.ways().map(|(way, mbit)| {
            Target::new(
                format!("link.throughput_mbit.{way}"),
                *mbit,
                Bound::AtLeast(400.0),
            )
        });
        [delay, loss, rate, throughput]
            .into_iter()
            .flatten()
            .collect()
    }
}

impl<T> Both<T> {
    /// What each of two exchanges is made of: the first up, the second down.
    pub(super) fn try_of(
        exchanged: &[Exchanged],
        figure: impl Fn(Direction, &Carried) -> T,
    ) -> Result<Self, Failure> {
        let of = |direction, exchanged: Option<&Exchanged>| {
            let carried = exchanged.and_then(only);
            carried
                .map(|carried| figure(direction, carried))
                .ok_or_else(|| {
                    Failure::Infrastructure(miette::miette!("a figure was not measured"))
                })
        };
        Ok(Self {
            up: of(Direction::Out, exchanged.first())?,
            down: of(Direction::In, exchanged.get(1))?,
        })
    }

    fn ways(&self) -> [(&'static str, &T); 2] {
        [("up", &self.up), ("down", &self.down)]
    }
}

impl Delay {
    pub(super) fn new(
        declared_ms: f64,
        (packets, packets_per_second): (u32, u32),
        carried: &Carried,
    ) -> Self {
        let ms = |of: fn(&farcall_run::Delays) -> u64| {
            let delays = carried.delays.as_ref();
            delays.map_or(f64::NAN, |delays| of(delays) as f64 / 1_000.0)
        };
        Self {
            declared_ms,
            packets_per_second,
            packets,
            arrived: carried.packets,
            least_ms: ms(|delays| delays.least_us),
            median_ms: ms(|delays| delays.median_us),
            p99_ms: ms(|delays| delays.p99_us),
            p999_ms: ms(|delays| delays.p999_us),
            most_ms: ms(|delays| delays.most_us),
        }
    }

    /// By how much the 99th percentile is late, or the fastest packet early, whichever is more.
    fn p99_error_ms(&self) -> f64 {
        let late_ms = self.p99_ms - self.declared_ms;
        let early_ms = self.declared_ms - self.least_ms;
        if late_ms.is_nan() {
            late_ms
        } else {
            late_ms.max(early_ms)
        }
    }
}

impl Lost {
    pub(super) fn new(declared: Loss, packets: u32, carried: &Carried) -> Self {
        let long_run = long_run_loss(declared, packets);
        let lost = packets.saturating_sub(carried.packets);
        Self {
            declared,
            declared_percent: long_run.percent,
            packets,
            percent: 100.0 * f64::from(lost) / f64::from(packets),
            interval_percent: DEVIATIONS * long_run.deviation_percent,
        }
    }
}

impl Rate {
    pub(super) fn new(declared_kbit: u32, carried: &Carried) -> Self {
        Self {
            declared_kbit,
            kbit: kbit(carried),
        }
    }
}

/// The rate at which bytes arrived, in kbit/s.
pub(super) fn kbit(carried: &Carried) -> f64 {
    carried.bytes as f64 * 8_000.0 / carried.span_us as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use farcall_run::Delays;

    fn carried(packets: u32) -> Carried {
        Carried {
            packets,
            bytes: 1_250_000,
            span_us: 1_000_000,
            delays: Some(Delays {
                least_us: 40_010,
                median_us: 40_100,
                p99_us: 40_700,
                p999_us: 42_000,
                most_us: 50_000,
            }),
        }
    }

    fn met(declared_ms: f64, arrived: u32, kbit: u32) -> Vec<bool> {
        let both = |declared| Both {
            up: Delay::new(declared, (10_000, 2_000), &carried(10_000)),
            down: Delay::new(40.0, (10_000, 2_000), &carried(10_000)),
        };
        let lost = |arrived| Lost::new(Loss::Random { percent: 2.0 }, 100_000, &carried(arrived));
        let figures = Figures {
            delay: both(declared_ms),
            loss: Both {
                up: lost(arrived),
                down: lost(98_000),
            },
            rate: Both {
                up: Rate::new(kbit, &carried(10)),
                down: Rate::new(10_000, &carried(10)),
            },
            throughput_mbit: Both {
                up: 399.0,
                down: 400.0,
            },
            call_kbit_each_way: 2_000,
            call_gateway_cpu_percent: 1.0,
        };
        figures.targets().iter().map(|target| target.met).collect()
    }

    #[test]
    fn what_is_as_declared_meets_its_target_and_nothing_else_does() {
        let good = [true, true, true, true, true, true, false, true];
        assert_eq!(met(40.0, 98_000, 10_000), good);
        // 99 % of all samples are within 0.114 % of 2 %.
        assert_eq!(met(40.0, 97_890, 10_190), good);
        let bad = [false, true, false, true, false, true, false, true];
        assert_eq!(met(39.6, 97_880, 10_210), bad);
        assert_eq!(met(41.1, 98_120, 9_800), bad);
    }
}
