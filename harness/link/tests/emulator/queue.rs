//! What does not fit.

use crate::support::{missing, ms, packet, send};
use farcall_link::{Emulator, MEMORY_LIMIT_BYTES};
use farcall_scenario::{LinkDirection, Rate};
use std::time::Duration;

/// A packet of 1250 bytes takes 10 ms.
fn direction() -> LinkDirection {
    LinkDirection {
        rate: Rate::Constant { kbit: 1_000 },
        queue_ms: 100,
        ..LinkDirection::default()
    }
}

#[test]
fn packets_that_would_wait_too_long_are_dropped_from_the_tail() {
    let (arrivals, stats) = send(&direction(), 1, (0..20).map(|_| (ms(0), 1_250)));
    assert_eq!(missing(&arrivals, 20), (11..20).collect::<Vec<_>>());
    assert_eq!(stats.queue_dropped, 9);
    assert_eq!(arrivals.last().unwrap().at, ms(110));
}

#[test]
fn dropped_packets_take_no_rate() {
    let full = (0..20).map(|_| (ms(0), 1_250));
    let later = (1..4).map(|turn| (ms(10 * turn), 1_250));
    let (arrivals, stats) = send(&direction(), 1, full.chain(later));
    let times: Vec<_> = arrivals[11..].iter().map(|arrival| arrival.at).collect();
    assert_eq!(times, [ms(120), ms(130), ms(140)]);
    assert_eq!(stats.queue_dropped, 9);
}

#[test]
fn without_a_rate_nothing_waits() {
    let unlimited = LinkDirection {
        rate: Rate::Unlimited,
        queue_ms: 1,
        ..direction()
    };
    let (arrivals, _) = send(&unlimited, 1, (0..20).map(|_| (ms(0), 1_250)));
    assert_eq!(arrivals.len(), 20);
}

#[test]
fn memory_is_bounded_and_says_so() {
    let far = LinkDirection {
        delay_ms: 5_000.0,
        duplicate_percent: 50.0,
        ..LinkDirection::default()
    };
    let mut emulator = Emulator::new(&far, 1);
    let len = 64 << 10;
    let count = 2_000;
    for number in 0..count {
        emulator.push(packet(number, len), ms(0));
    }
    let stats = emulator.stats();
    let held = stats.pushed + stats.duplicated - stats.overflowed;
    assert!(stats.overflowed > 0);
    assert!(held as usize * len <= MEMORY_LIMIT_BYTES);
    assert!((held + 2) as usize * len > MEMORY_LIMIT_BYTES);

    while emulator.pop(Duration::from_secs(5)).is_some() {}
    assert_eq!(emulator.stats().passed, held);
    emulator.push(packet(count, len), Duration::from_secs(5));
    assert_eq!(emulator.next_due(), Some(Duration::from_secs(10)));
}

#[test]
fn a_clock_that_goes_back_stands_still() {
    let overtaking = LinkDirection {
        delay_ms: 50.0,
        reorder_percent: 100.0,
        ..LinkDirection::default()
    };
    let mut emulator = Emulator::new(&overtaking, 1);
    for (number, now_ms) in [(0, 10), (1, 20), (2, 15)] {
        emulator.push(packet(number, 100), ms(now_ms));
    }
    assert_eq!(emulator.pop(ms(19)), None);
    assert_eq!(emulator.pop(ms(20)), Some(packet(1, 100)));
    assert_eq!(emulator.next_due(), Some(ms(20)));
    assert_eq!(emulator.pop(ms(20)), Some(packet(2, 100)));
    assert_eq!(emulator.next_due(), Some(ms(60)));
}
