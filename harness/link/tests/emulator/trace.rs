//! A recorded rate, against mahimahi's rules.

use crate::support::{ms, send};
use farcall_scenario::{LinkDirection, Rate};
use rstest::rstest;
use std::collections::VecDeque;
use std::time::Duration;

fn direction(delivery_ms: &[u32]) -> LinkDirection {
    LinkDirection {
        rate: Rate::Trace {
            delivery_ms: delivery_ms.to_vec(),
        },
        queue_ms: 10_000,
        ..LinkDirection::default()
    }
}

/// When packets leave that are pushed at these times, in milliseconds, with these lengths.
fn times_ms(delivery_ms: &[u32], packets: &[(u64, usize)]) -> Vec<u128> {
    let packets = packets.iter().map(|&(at_ms, len)| (ms(at_ms), len));
    let (arrivals, _) = send(&direction(delivery_ms), 1, packets);
    arrivals
        .iter()
        .map(|arrival| arrival.at.as_millis())
        .collect()
}

#[test]
fn full_packets_leave_at_the_moments_of_the_trace_over_and_over() {
    let packets = [(0, 1_500); 8];
    assert_eq!(times_ms(&[1, 1, 5], &packets), [1, 1, 5, 6, 6, 10, 11, 11]);
}

#[rstest]
#[case::two_share_one(&[(0, 750), (0, 750), (0, 750)], &[10, 10, 20])]
#[case::one_needs_two(&[(0, 1_000), (0, 1_000), (0, 1_000)], &[10, 20, 20])]
#[case::late_comers_use_what_is_left(&[(0, 500), (9, 500)], &[10, 10])]
#[case::what_passed_is_lost(&[(10, 1_500), (35, 1_500)], &[20, 40])]
#[case::what_is_left_passes_too(&[(0, 500), (10, 1_500)], &[10, 20])]
#[case::longer_than_one(&[(0, 1_501), (0, 1_499)], &[20, 20])]
fn opportunities_are_used_as_mahimahi_uses_them(
    #[case] packets: &[(u64, usize)],
    #[case] expected_ms: &[u128],
) {
    assert_eq!(times_ms(&[10], packets), expected_ms);
}

/// Mahimahi's way: step through the opportunities, and give each its bytes to those that wait.
fn step_through(delivery_ms: &[u32], packets: &[(u64, usize)]) -> Vec<u128> {
    let mut coming: VecDeque<_> = packets.iter().copied().collect();
    let mut times = Vec::new();
    let length_ms = u64::from(*delivery_ms.last().unwrap());
    let moments = (0..).flat_map(|round| {
        delivery_ms
            .iter()
            .map(move |&at_ms| round * length_ms + u64::from(at_ms))
    });
    for moment in moments {
        let mut bytes = 1_500;
        while let Some((at_ms, left)) = coming.front_mut().filter(|next| next.0 < moment) {
            debug_assert!(*at_ms < moment);
            let taken = bytes.min(*left);
            bytes -= taken;
            *left -= taken;
            if *left > 0 {
                break;
            }
            times.push(u128::from(moment));
            coming.pop_front();
        }
        if coming.is_empty() {
            break;
        }
    }
    times
}

#[test]
fn any_traffic_leaves_as_when_stepping_through_the_trace() {
    // A generator of its own, so that lengths and pauses have nothing to do with the emulator's.
    let mut state = 1_u64;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    for _ in 0..200 {
        let mut at_ms = 0;
        let delivery_ms: Vec<_> = (0..=next(20))
            .map(|_| {
                at_ms += next(6) as u32;
                at_ms
            })
            .chain([120])
            .collect();
        let mut now_ms = 0;
        let packets: Vec<_> = (0..200)
            .map(|_| {
                now_ms += next(12) / 4 * next(9);
                (now_ms, 4 + next(1_497) as usize)
            })
            .collect();
        assert_eq!(
            times_ms(&delivery_ms, &packets),
            step_through(&delivery_ms, &packets),
            "{delivery_ms:?}"
        );
    }
}

#[test]
fn packets_do_not_wait_through_an_outage_that_is_longer_than_the_queue() {
    let short = LinkDirection {
        queue_ms: 200,
        ..direction(&[1, 1_000])
    };
    let packets = [(ms(0), 100), (ms(500), 100), (ms(800), 100)];
    let (arrivals, stats) = send(&short, 1, packets);
    let times: Vec<_> = arrivals.iter().map(|arrival| arrival.at).collect();
    assert_eq!(times, [ms(1), ms(1_000)]);
    assert_eq!(stats.queue_dropped, 1);
}

#[rstest]
#[case(&[])]
#[case(&[0, 0])]
fn a_trace_without_length_delivers_nothing(#[case] delivery_ms: &[u32]) {
    let (arrivals, stats) = send(&direction(delivery_ms), 1, [(ms(0), 100), (ms(9), 100)]);
    assert_eq!((arrivals.len(), stats.queue_dropped), (0, 2));
}

#[test]
fn a_trace_costs_the_same_after_a_long_pause() {
    let year = Duration::from_secs(365 * 24 * 3_600);
    let (arrivals, _) = send(&direction(&[3, 7]), 1, [(year, 1_500)]);
    let expected = year.as_millis() / 7 * 7;
    assert!([expected + 3, expected + 7].contains(&arrivals[0].at.as_millis()));
}
