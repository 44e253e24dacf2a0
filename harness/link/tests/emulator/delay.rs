//! Delay, jitter and reordering.

use crate::support::{
    Arrival, assert_within_99_percent, ms, packet, send, send_steadily, share_error,
};
use farcall_link::{Crossing, Emulator};
use farcall_scenario::{JitterDistribution, LinkDirection, Loss, Rate};
use rstest::rstest;
use std::time::Duration;

const COUNT: u32 = 100_000;

/// Far enough apart that no packet catches up with the one before it.
const APART: Duration = Duration::from_secs(20);

fn direction(delay_ms: f64, jitter_ms: f64, distribution: JitterDistribution) -> LinkDirection {
    LinkDirection {
        delay_ms,
        jitter_ms,
        jitter_distribution: distribution,
        ..LinkDirection::default()
    }
}

/// The delays of packets that do not meet each other, in milliseconds.
fn delays_ms(direction: &LinkDirection) -> Vec<f64> {
    let (arrivals, _) = send_steadily(direction, 2, COUNT, APART);
    assert_eq!(arrivals.len(), COUNT as usize);
    arrivals
        .iter()
        .map(|arrival| (arrival.at - APART * arrival.number).as_secs_f64() * 1e3)
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The mean of a power of the distance to the mean.
fn central_moment(values: &[f64], power: i32) -> f64 {
    let mean = mean(values);
    values
        .iter()
        .map(|value| (value - mean).powi(power))
        .sum::<f64>()
        / values.len() as f64
}

#[test]
fn a_wire_passes_everything_at_once() {
    let (arrivals, stats) = send_steadily(&LinkDirection::default(), 1, 1_000, ms(1));
    let expected: Vec<_> = (0..1_000)
        .map(|number| Arrival {
            number,
            at: ms(number.into()),
        })
        .collect();
    assert_eq!(arrivals, expected);
    assert_eq!((stats.passed, stats.passed_bytes), (1_000, 100_000));
}

#[rstest]
#[case(0.0, 0)]
#[case(14.0, 14_000_000)]
#[case(314.5, 314_500_000)]
#[case(12.345_678, 12_345_678)]
#[case(0.000_000_6, 1)]
#[case(5_000.0, 5_000_000_000)]
fn a_delay_is_exact_to_the_nanosecond(#[case] delay_ms: f64, #[case] nanos: u64) {
    let direction = direction(delay_ms, 0.0, JitterDistribution::Normal);
    let (arrivals, _) = send_steadily(&direction, 1, 1_000, Duration::from_micros(7));
    for arrival in arrivals {
        let sent = Duration::from_micros(7) * arrival.number;
        assert_eq!(arrival.at - sent, Duration::from_nanos(nanos));
    }
}

#[test]
fn a_delay_begins_when_the_last_bit_is_sent() {
    let direction = LinkDirection {
        rate: Rate::Constant { kbit: 1_000 },
        ..direction(30.0, 0.0, JitterDistribution::Uniform)
    };
    let (arrivals, _) = send(&direction, 1, [(ms(0), 1_250), (ms(0), 1_250)]);
    let times: Vec<_> = arrivals.iter().map(|arrival| arrival.at).collect();
    assert_eq!(times, [ms(40), ms(50)]);
}

#[test]
fn uniform_jitter_spreads_evenly_around_the_delay() {
    let delays = delays_ms(&direction(50.0, 20.0, JitterDistribution::Uniform));
    let (least, most) = (30.0, 70.0);
    assert!(delays.iter().all(|delay| (least..=most).contains(delay)));
    let deviation = 20.0 / 3.0_f64.sqrt();
    let count = f64::from(COUNT).sqrt();
    assert_within_99_percent(mean(&delays), 50.0, deviation / count);
    // The fourth moment of an even spread is 9/5 of the squared variance.
    let variance = deviation.powi(2);
    let error = variance * (9.0_f64 / 5.0 - 1.0).sqrt() / count;
    assert_within_99_percent(central_moment(&delays, 2), variance, error);
    for bound in [35.0, 50.0, 65.0] {
        let share = (bound - least) / (most - least);
        let found = delays.iter().filter(|delay| **delay < bound).count();
        let found = found as f64 / f64::from(COUNT);
        assert_within_99_percent(found, share, share_error(share, COUNT));
    }
}

#[test]
fn normal_jitter_has_the_normal_moments() {
    let delays = delays_ms(&direction(100.0, 10.0, JitterDistribution::Normal));
    let count = f64::from(COUNT).sqrt();
    assert_within_99_percent(mean(&delays), 100.0, 10.0 / count);
    // Of the normal distribution: variances of the second, third and fourth moments are 2, 15 - 9 and 96 (in
    // powers of the deviation).
    let moment = |power| central_moment(&delays, power) / 10.0_f64.powi(power);
    assert_within_99_percent(moment(2), 1.0, 2.0_f64.sqrt() / count);
    assert_within_99_percent(moment(3), 0.0, 6.0_f64.sqrt() / count);
    assert_within_99_percent(moment(4), 3.0, 96.0_f64.sqrt() / count);
}

#[test]
fn a_normal_delay_is_never_below_zero() {
    let delays = delays_ms(&direction(10.0, 10.0, JitterDistribution::Normal));
    let at_once = delays.iter().filter(|delay| **delay == 0.0).count();
    // The normal distribution has this share below minus one deviation.
    let share = 0.158_655;
    let found = at_once as f64 / f64::from(COUNT);
    assert_within_99_percent(found, share, share_error(share, COUNT));
}

#[rstest]
#[case(JitterDistribution::Uniform)]
#[case(JitterDistribution::Normal)]
fn jitter_alone_reorders_nothing(#[case] distribution: JitterDistribution) {
    let direction = direction(50.0, 50.0, distribution);
    let (arrivals, stats) = send_steadily(&direction, 1, 10_000, Duration::from_micros(500));
    let numbers: Vec<_> = arrivals.iter().map(|arrival| arrival.number).collect();
    assert_eq!(numbers, (0..10_000).collect::<Vec<_>>());
    assert!(arrivals.is_sorted_by_key(|arrival| arrival.at));
    assert_eq!(stats.reordered, 0);
    let varies = arrivals
        .windows(2)
        .any(|pair| pair[1].at - pair[0].at != Duration::from_micros(500));
    assert!(varies, "there was no jitter");
}

#[test]
fn reordered_packets_skip_the_delay_and_overtake() {
    let direction = LinkDirection {
        reorder_percent: 10.0,
        ..direction(20.0, 0.0, JitterDistribution::Uniform)
    };
    let (arrivals, stats) = send_steadily(&direction, 1, COUNT, ms(1));
    assert_eq!(arrivals.len(), COUNT as usize);
    let (overtaking, ordered): (Vec<Arrival>, Vec<Arrival>) = arrivals
        .iter()
        .partition(|arrival| arrival.at == ms(arrival.number.into()));
    assert_eq!(stats.reordered, overtaking.len() as u64);
    assert!(
        ordered
            .iter()
            .all(|arrival| arrival.at == ms(20 + u64::from(arrival.number)))
    );
    let found = overtaking.len() as f64 / f64::from(COUNT);
    assert_within_99_percent(found, 0.1, share_error(0.1, COUNT));
    assert!(arrivals.is_sorted_by_key(|arrival| arrival.at));
}

#[test]
fn of_packets_that_are_due_together_the_first_comes_first() {
    let direction = LinkDirection {
        reorder_percent: 50.0,
        ..direction(20.0, 0.0, JitterDistribution::Uniform)
    };
    let mut emulator = Emulator::new(&direction, 1);
    for number in 0..1_000 {
        emulator.push(packet(number, 4), ms(number.into()));
    }
    let arrivals: Vec<_> = std::iter::from_fn(|| {
        let due = emulator.next_due()?;
        Some((due, emulator.pop(due)?))
    })
    .collect();
    let together = arrivals.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    assert!(together.count() > 100);
    assert!(arrivals.is_sorted());
}

#[test]
fn without_a_delay_there_is_nobody_to_overtake() {
    let direction = LinkDirection {
        reorder_percent: 100.0,
        ..LinkDirection::default()
    };
    let (arrivals, stats) = send_steadily(&direction, 1, 1_000, ms(1));
    assert!(arrivals.is_sorted_by_key(|arrival| arrival.number));
    assert_eq!(stats.reordered, 0);
}

#[test]
fn a_link_that_changes_keeps_what_is_on_its_way_and_its_order() {
    let slow = direction(40.0, 0.0, JitterDistribution::Uniform);
    let fast = direction(5.0, 0.0, JitterDistribution::Uniform);
    let mut emulator = Emulator::new(&slow, 1);
    emulator.push(packet(0, 100), ms(0));
    emulator.change(&fast, 2);
    emulator.push(packet(1, 100), ms(10));
    emulator.push(packet(2, 100), ms(50));
    for (at, number) in [(ms(40), 0), (ms(40), 1), (ms(55), 2)] {
        assert_eq!(emulator.next_due(), Some(at));
        assert_eq!(emulator.pop(at), Some(packet(number, 100)));
    }
    // And back again; what was counted stays counted.
    emulator.change(&slow, 1);
    emulator.push(packet(3, 100), ms(100));
    assert_eq!(emulator.next_due(), Some(ms(140)));
    assert_eq!((emulator.stats().pushed, emulator.stats().passed), (4, 3));
}

#[test]
fn it_tells_what_has_crossed_since_it_changed() {
    let slow = direction(40.0, 0.0, JitterDistribution::Uniform);
    let fast = direction(5.0, 0.0, JitterDistribution::Uniform);
    let mut emulator = Emulator::new(&slow, 1);
    emulator.push(packet(0, 100), ms(0));
    let crossing = |packets, shortest| Crossing { packets, shortest };
    assert_eq!(emulator.crossing(), crossing(1, Some(ms(40))));
    emulator.change(&fast, 2);
    assert_eq!(emulator.direction(), &fast);
    assert_eq!(emulator.crossing(), crossing(0, None));
    // Behind the one that is on its way, and then alone.
    emulator.push(packet(1, 100), ms(10));
    assert_eq!(emulator.crossing(), crossing(1, Some(ms(30))));
    emulator.push(packet(2, 100), ms(50));
    assert_eq!(emulator.crossing(), crossing(2, Some(ms(5))));
}

#[test]
fn what_is_lost_has_come_and_taken_no_time() {
    let lossy = LinkDirection {
        loss: Loss::Random { percent: 100.0 },
        ..LinkDirection::default()
    };
    let mut emulator = Emulator::new(&lossy, 1);
    emulator.push(packet(0, 100), ms(0));
    let crossing = Crossing {
        packets: 1,
        shortest: None,
    };
    assert_eq!(emulator.crossing(), crossing);
}
