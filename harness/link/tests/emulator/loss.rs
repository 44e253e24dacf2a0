//! Loss over 100,000 packets.

use crate::support::{assert_within_99_percent, missing, ms, send_steadily, share_error};
use farcall_scenario::{LinkDirection, Loss};
use rstest::rstest;

const COUNT: u32 = 100_000;

/// The numbers of the packets that are lost.
fn lost(loss: Loss, seed: u64) -> Vec<u32> {
    let direction = LinkDirection {
        loss,
        ..LinkDirection::default()
    };
    let (arrivals, stats) = send_steadily(&direction, seed, COUNT, ms(1));
    let lost = missing(&arrivals, COUNT);
    assert_eq!(stats.lost, lost.len() as u64);
    lost
}

/// How many packets each run of lost ones has.
fn burst_lengths(lost: &[u32]) -> Vec<f64> {
    lost.chunk_by(|earlier, later| earlier + 1 == *later)
        .map(|burst| burst.len() as f64)
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[rstest]
#[case(0.2)]
#[case(1.0)]
#[case(10.0)]
#[case(50.0)]
fn random_loss_is_as_declared_and_comes_alone(#[case] percent: f64) {
    let lost = lost(Loss::Random { percent }, 1);
    let share = percent / 100.0;
    let found = lost.len() as f64 / f64::from(COUNT);
    assert_within_99_percent(found, share, share_error(share, COUNT));

    // Independent losses make runs of 1 / (1 - share), geometrically.
    let bursts = burst_lengths(&lost);
    let error = share.sqrt() / (1.0 - share) / (bursts.len() as f64).sqrt();
    assert_within_99_percent(mean(&bursts), 1.0 / (1.0 - share), error);
}

#[test]
fn the_ends_of_the_scale_are_exact() {
    assert!(lost(Loss::None, 1).is_empty());
    assert!(lost(Loss::Random { percent: 0.0 }, 1).is_empty());
    assert_eq!(
        lost(Loss::Random { percent: 100.0 }, 1).len(),
        COUNT as usize
    );
}

/// From good to bad, from bad to good, loss in good, loss in bad.
#[rstest]
#[case([2.5, 50.0, 0.0, 100.0])]
#[case([3.0, 27.0, 0.0, 100.0])]
#[case([0.1, 20.0, 0.0, 100.0])]
#[case([1.0, 10.0, 0.5, 60.0])]
fn bursts_lose_as_much_as_declared(#[case] percents: [f64; 4]) {
    let loss = Loss::Bursts {
        good_to_bad_percent: percents[0],
        bad_to_good_percent: percents[1],
        good_loss_percent: percents[2],
        bad_loss_percent: percents[3],
    };
    let [p, r, good_loss, bad_loss] = percents.map(|percent| percent / 100.0);
    let bad = p / (p + r);
    let expected = (1.0 - bad) * good_loss + bad * bad_loss;

    // The variance of a sum over a chain whose states correlate by 1 - p - r from step to step.
    let correlation = 1.0 - p - r;
    let chain = bad * (1.0 - bad) * (bad_loss - good_loss).powi(2);
    let variance = expected * (1.0 - expected) + 2.0 * chain * correlation / (1.0 - correlation);
    let found = lost(loss, 2).len() as f64 / f64::from(COUNT);
    assert_within_99_percent(found, expected, (variance / f64::from(COUNT)).sqrt());
}

#[rstest]
#[case(2.5, 50.0)]
#[case(3.0, 27.0)]
#[case(0.5, 10.0)]
fn bursts_are_as_long_as_declared(
    #[case] good_to_bad_percent: f64,
    #[case] bad_to_good_percent: f64,
) {
    let lost = lost(
        Loss::Bursts {
            good_to_bad_percent,
            bad_to_good_percent,
            good_loss_percent: 0.0,
            bad_loss_percent: 100.0,
        },
        3,
    );
    let bursts = burst_lengths(&lost);
    let r = bad_to_good_percent / 100.0;
    let error = (1.0 - r).sqrt() / r / (bursts.len() as f64).sqrt();
    assert_within_99_percent(mean(&bursts), 1.0 / r, error);
}

#[test]
fn a_step_of_the_chain_has_nothing_to_do_with_the_loss_before_it() {
    let lost = lost(
        Loss::Bursts {
            good_to_bad_percent: 1.0,
            bad_to_good_percent: 10.0,
            good_loss_percent: 0.0,
            bad_loss_percent: 60.0,
        },
        4,
    );
    // A lost packet was in the bad state; the next is too in 90 % of the cases, and lost in 60 % of them.
    let share = 0.9 * 0.6;
    let followed = lost.windows(2).filter(|pair| pair[0] + 1 == pair[1]);
    let found = followed.count() as f64 / lost.len() as f64;
    assert_within_99_percent(found, share, share_error(share, lost.len() as u32));
}

#[test]
fn a_chain_begins_in_the_good_state() {
    for seed in 0..100 {
        let loss = Loss::Bursts {
            good_to_bad_percent: 100.0,
            bad_to_good_percent: 100.0,
            good_loss_percent: 0.0,
            bad_loss_percent: 100.0,
        };
        let direction = LinkDirection {
            loss,
            ..LinkDirection::default()
        };
        let (arrivals, _) = send_steadily(&direction, seed, 6, ms(1));
        assert_eq!(missing(&arrivals, 6), [1, 3, 5]);
    }
}
