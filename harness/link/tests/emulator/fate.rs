//! Chance: the same for the same seed, and duplicates.

use crate::support::{
    Arrival, assert_within_99_percent, missing, ms, send, send_steadily, share_error,
};
use farcall_scenario::{JitterDistribution, LinkDirection, Loss, Rate};
use rstest::rstest;
use std::time::Duration;

const COUNT: u32 = 10_000;

/// A bit of everything.
fn direction() -> LinkDirection {
    LinkDirection {
        delay_ms: 50.0,
        jitter_ms: 20.0,
        jitter_distribution: JitterDistribution::Normal,
        loss: Loss::Bursts {
            good_to_bad_percent: 2.0,
            bad_to_good_percent: 30.0,
            good_loss_percent: 0.1,
            bad_loss_percent: 90.0,
        },
        duplicate_percent: 3.0,
        reorder_percent: 5.0,
        rate: Rate::Constant { kbit: 10_000 },
        queue_ms: 10_000,
        ..LinkDirection::default()
    }
}

#[test]
fn the_same_seed_and_packets_have_the_same_fate() {
    let run = |seed| send_steadily(&direction(), seed, COUNT, ms(1));
    assert_eq!(run(7), run(7));
    assert_ne!(run(7).0, run(8).0);
}

/// How often each packet came.
fn copies(arrivals: &[Arrival]) -> Vec<u32> {
    let mut copies = vec![0; COUNT as usize];
    for arrival in arrivals {
        copies[arrival.number as usize] += 1;
    }
    copies
}

#[rstest]
#[case::slowly(100, 50)]
#[case::quickly(1, 1_000)]
#[case::at_once(0, 700)]
fn chance_does_not_depend_on_times_and_lengths(#[case] interval_ms: u64, #[case] len: usize) {
    let usual = send_steadily(&direction(), 7, COUNT, ms(10)).0;
    let packets = (0..COUNT).map(|number| (ms(interval_ms) * number, len));
    let other = send(&direction(), 7, packets).0;
    assert_eq!(copies(&usual), copies(&other));
}

#[test]
fn chance_goes_on_while_the_queue_drops() {
    let lossy = Loss::Random { percent: 20.0 };
    let narrow = LinkDirection {
        loss: lossy,
        queue_ms: 1,
        rate: Rate::Constant { kbit: 100 },
        ..LinkDirection::default()
    };
    let wide = LinkDirection {
        loss: lossy,
        ..LinkDirection::default()
    };
    let (came, stats) = send_steadily(&narrow, 7, COUNT, ms(1));
    assert!(stats.queue_dropped > u64::from(COUNT) / 2);
    let lost = missing(&send_steadily(&wide, 7, COUNT, ms(1)).0, COUNT);
    assert!(
        came.iter()
            .all(|arrival| lost.binary_search(&arrival.number).is_err())
    );
    assert!(stats.lost > 0);
}

#[test]
fn a_jittered_delay_is_the_packets_own() {
    let unlimited = LinkDirection {
        rate: Rate::Unlimited,
        reorder_percent: 0.0,
        ..direction()
    };
    let apart = |seconds| {
        let interval = Duration::from_secs(seconds);
        let arrivals = send_steadily(&unlimited, 7, COUNT, interval).0;
        let delays = arrivals
            .iter()
            .map(|arrival| arrival.at - interval * arrival.number);
        delays.collect::<Vec<_>>()
    };
    assert_eq!(apart(1), apart(3));
}

#[test]
fn duplicates_follow_right_behind() {
    let twice = LinkDirection {
        delay_ms: 20.0,
        duplicate_percent: 5.0,
        rate: Rate::Constant { kbit: 1_000 },
        ..LinkDirection::default()
    };
    let (arrivals, stats) = send_steadily(&twice, 1, COUNT, ms(1));
    let copies = arrivals
        .windows(2)
        .filter(|pair| pair[0] == pair[1])
        .count();
    assert_eq!(stats.duplicated, copies as u64);
    assert_eq!(arrivals.len(), COUNT as usize + copies);
    assert!(arrivals.is_sorted_by_key(|arrival| arrival.number));
    let found = copies as f64 / f64::from(COUNT);
    assert_within_99_percent(found, 0.05, share_error(0.05, COUNT));
}

#[test]
fn what_is_lost_has_no_copy() {
    let nothing = LinkDirection {
        loss: Loss::Random { percent: 100.0 },
        duplicate_percent: 100.0,
        ..LinkDirection::default()
    };
    let (arrivals, stats) = send_steadily(&nothing, 1, 100, ms(1));
    assert_eq!((arrivals.len(), stats.duplicated, stats.lost), (0, 0, 100));
}
