//! A steady rate.

use crate::support::{ms, send};
use farcall_scenario::{LinkDirection, Rate};
use rstest::rstest;
use std::time::Duration;

fn direction(kbit: u32, queue_ms: u32) -> LinkDirection {
    LinkDirection {
        rate: Rate::Constant { kbit },
        queue_ms,
        ..LinkDirection::default()
    }
}

#[rstest]
#[case(200, 1_200)]
#[case(2_000, 60)]
#[case(50_000, 1_500)]
#[case(1_000_000, 1_500)]
fn a_link_that_is_offered_twice_its_rate_delivers_its_rate(#[case] kbit: u32, #[case] len: usize) {
    let offered_bytes_a_second = 2.0 * f64::from(kbit) * 1_000.0 / 8.0;
    let interval = Duration::from_secs_f64(len as f64 / offered_bytes_a_second);
    let packets = (0..20_000).map(|number| (interval * number, len));
    let (arrivals, stats) = send(&direction(kbit, 60), 1, packets);
    let seconds = arrivals.last().unwrap().at.as_secs_f64();
    let found_kbit = stats.passed_bytes as f64 * 8.0 / 1_000.0 / seconds;
    assert!(
        (found_kbit / f64::from(kbit) - 1.0).abs() < 0.001,
        "{found_kbit}"
    );
    assert!(stats.queue_dropped > 1_000);
}

/// Rates at which a packet takes no whole number of nanoseconds.
#[rstest]
#[case(300_007)]
#[case(999_983)]
#[case(77_773)]
fn no_rounding_adds_up(#[case] kbit: u32) {
    let count = 100_000_u64;
    let packets = (0..count).map(|_| (ms(0), 97));
    let (arrivals, stats) = send(&direction(kbit, 10_000), 1, packets);
    assert_eq!(stats.passed, count);
    for (sent, arrival) in (1_u64..).zip(arrivals) {
        let bits = sent * 97 * 8;
        let exact_nanos = (bits * 1_000_000).div_ceil(u64::from(kbit));
        assert_eq!(arrival.at, Duration::from_nanos(exact_nanos));
    }
}

#[test]
fn an_idle_link_saves_no_rate_up() {
    let packets = [(ms(0), 1_250), (ms(1_000), 1_250), (ms(1_000), 1_250)];
    let (arrivals, _) = send(&direction(1_000, 100), 1, packets);
    let times: Vec<_> = arrivals.iter().map(|arrival| arrival.at).collect();
    assert_eq!(times, [ms(10), ms(1_010), ms(1_020)]);
}

#[test]
fn lost_packets_take_their_share_of_the_rate() {
    let lossy = LinkDirection {
        loss: farcall_scenario::Loss::Random { percent: 50.0 },
        ..direction(1_000, 10_000)
    };
    let packets = || (0..100).map(|_| (ms(0), 1_250));
    let (arrivals, stats) = send(&lossy, 1, packets());
    assert!(stats.lost > 10);
    for arrival in arrivals {
        assert_eq!(arrival.at, ms(10 + 10 * u64::from(arrival.number)));
    }
}
