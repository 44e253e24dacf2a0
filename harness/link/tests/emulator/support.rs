//! Packets with numbers, and what becomes of them.

use farcall_link::{Emulator, Stats};
use farcall_scenario::LinkDirection;
use std::collections::HashSet;
use std::time::Duration;

/// A packet as it comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    pub number: u32,
    pub at: Duration,
}

/// A packet of at least four bytes that tells its number.
pub fn packet(number: u32, len: usize) -> Vec<u8> {
    let mut packet = vec![0; len];
    packet[..4].copy_from_slice(&number.to_be_bytes());
    packet
}

pub fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Sends packets, numbered from 0, of these lengths at these times, and takes each one out when it is due.
pub fn send(
    direction: &LinkDirection,
    seed: u64,
    packets: impl IntoIterator<Item = (Duration, usize)>,
) -> (Vec<Arrival>, Stats) {
    let mut emulator = Emulator::new(direction, seed);
    let mut arrivals = Vec::new();
    for (number, (now, len)) in (0..).zip(packets) {
        take(&mut emulator, now, &mut arrivals);
        emulator.push(packet(number, len), now);
    }
    take(&mut emulator, Duration::MAX, &mut arrivals);
    let stats = emulator.stats();
    assert_eq!(stats.passed, arrivals.len() as u64);
    assert_eq!(
        stats.pushed + stats.duplicated,
        stats.passed + stats.lost + stats.queue_dropped + stats.overflowed
    );
    (arrivals, stats)
}

/// Sends this many packets of 100 bytes, one after each interval.
pub fn send_steadily(
    direction: &LinkDirection,
    seed: u64,
    count: u32,
    interval: Duration,
) -> (Vec<Arrival>, Stats) {
    send(
        direction,
        seed,
        (0..count).map(|number| (interval * number, 100)),
    )
}

fn take(emulator: &mut Emulator<Vec<u8>>, until: Duration, arrivals: &mut Vec<Arrival>) {
    while let Some(at) = emulator.next_due().filter(|due| *due <= until) {
        let packet = emulator.pop(at).unwrap();
        let number = u32::from_be_bytes(packet[..4].try_into().unwrap());
        arrivals.push(Arrival { number, at });
    }
}

/// The numbers below `count` that never came.
pub fn missing(arrivals: &[Arrival], count: u32) -> Vec<u32> {
    let came: HashSet<_> = arrivals.iter().map(|arrival| arrival.number).collect();
    (0..count).filter(|number| !came.contains(number)).collect()
}

/// Asserts that a mean is where 99 of 100 such means are: within 2.576 standard errors.
#[track_caller]
pub fn assert_within_99_percent(found: f64, expected: f64, standard_error: f64) {
    let off = (found - expected).abs();
    assert!(
        off <= 2.576 * standard_error,
        "{found} is off {expected} by {} standard errors",
        off / standard_error
    );
}

/// The standard error of a share of `count` that are independent of each other.
pub fn share_error(share: f64, count: u32) -> f64 {
    (share * (1.0 - share) / f64::from(count)).sqrt()
}
