//! How fast packets cross the link, and how much of what is faster a policer lets pass.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use farcall_scenario::Direction;
use tokio::time::sleep;

use super::arrivals::{Summary, Window};
use super::outcome::Outcome;
use super::patience::Patience;
use super::traffic;
use super::train::Train;
use super::turn::Turn;

/// How far off a rate may be.
const TOLERANCE: f64 = 0.1;

/// How long the link takes for a train, in milliseconds, where its queue holds that.
const TRAIN_MS: f64 = 250.0;

/// How much of the queue a train fills at most.
const QUEUE_PART: f64 = 0.8;

/// By which factor a train is sent faster than the link is declared to be, at least and at most. Without the
/// link's limit that is the rate that comes out.
const OVERSPEED: (f64, f64) = (1.25, 2.0);

/// By which factor a train must have been sent faster than the link is declared to be, for what arrives to say anything:
/// a machine that is busy sends more slowly, and such a train arrives as if the link had that rate.
const LEAST_OVERSPEED: f64 = 1.15;

/// From which rate on "not less than this" is all that is asked, in kbit/s: a train that fast is a burst of some
/// milliseconds, which a busy machine stretches (46 of 80 Mbit/s were seen at a load of 13). A call needs a
/// tenth of it.
const MEASURABLE_KBIT: f64 = 20_000.0;

/// How large packets are, at most and at least, in bytes.
const PACKET_BYTES: (u16, u16) = (1_200, 100);

/// How many packets a train has, at most and at least.
const PACKETS: (f64, f64) = (1_000.0, 20.0);

/// Of a link without a limit: the rate of the train, and how much of it must come out, in kbit/s. It tells a
/// link without a limit from one with a limit that anybody would call one, within 40 ms.
const UNLIMITED_KBIT: (f64, f64) = (50_000.0, 20_000.0);
const UNLIMITED_PACKETS: u32 = 200;

/// By which factor a train is sent faster than a recorded rate is in its fastest window, and what of it is the most, in
/// kbit/s.
const TRACED_OVERSPEED: f64 = 1.5;
const TRACED_MOST_KBIT: f64 = 50_000.0;

/// Into how many parts a train is divided at most, and how long each is at least, in milliseconds, beside three
/// times the jitter, which has packets arrive in clumps.
const MOST_PARTS: f64 = 9.0;
const LEAST_PART_MS: f64 = 4.0;

/// How far off the rate of a policer may be: its bucket is not always full.
const POLICED_TOLERANCE: f64 = 0.2;

/// A policer of nftables lets pass what its rate gives in one second before it drops anything (`limit` with
/// bytes in a second: the kernel's `nft_limit` begins with a full bucket of that depth).
const BUCKET_MS: f64 = 1_000.0;

/// How much is sent through a policer, as a multiple of its bucket, and for how long, in milliseconds.
const POLICED_LOAD: f64 = 2.0;
const POLICED_MS: f64 = 200.0;

/// How often a rate is measured that does not hold at first.
const ATTEMPTS: usize = 10;

/// How many attempts may fail altogether.
const FAILURES: u32 = 2;

/// The pause before the next attempt.
const PAUSE: Duration = Duration::from_millis(50);

/// A declared rate in one direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Declared {
    /// `None`: no limit.
    pub(super) kbit: Option<u32>,
    pub(super) queue_ms: u32,
    pub(super) jitter_ms: f64,
}

/// Measures a rate with trains.
pub(super) async fn measure(
    direction: Direction,
    declared: Declared,
    to: SocketAddr,
    patience: Patience,
    turn: &Turn,
) -> Outcome {
    let (train, window) = match declared.kbit {
        Some(kbit) => fitting(f64::from(kbit), declared),
        None => (unlimited(), Window::default()),
    };
    let judge = |found: f64| match declared.kbit {
        Some(kbit) => judge(found, f64::from(kbit)),
        None => Outcome::new(
            format!("at least {found:.0} kbit/s"),
            found >= UNLIMITED_KBIT.1,
        ),
    };
    let attempt = async || {
        let summary = traffic::send(direction, to, train, window, patience, turn).await?;
        Ok(conclusive(summary, train.ip_bytes, declared.kbit))
    };
    repeated(PAUSE, attempt, judge).await
}

/// The rate that was found, unless the train was too slow to find it.
fn conclusive(summary: Summary, ip_bytes: u16, declared_kbit: Option<u32>) -> Option<f64> {
    let found = summary.kbit(ip_bytes)?;
    let is_too_slow = declared_kbit
        .map(f64::from)
        .filter(|declared| *declared < MEASURABLE_KBIT)
        .zip(summary.sent_kbit(ip_bytes))
        .is_some_and(|(declared, sent)| sent < declared * LEAST_OVERSPEED);
    (!is_too_slow).then_some(found)
}

fn judge(found: f64, declared_kbit: f64) -> Outcome {
    let is_fast = (MEASURABLE_KBIT..declared_kbit).contains(&found);
    let is_near = (found / declared_kbit - 1.0).abs() <= TOLERANCE;
    match is_near || !is_fast {
        true => Outcome::new(format!("{found:.0} kbit/s"), is_near),
        false => Outcome::new(format!("at least {found:.0} kbit/s"), true),
    }
}

/// A declared rate that is recorded, in one direction: what it is in the slowest and in the fastest window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traced {
    pub(super) window_ms: u32,
    pub(super) least_kbit: u32,
    pub(super) most_kbit: u32,
}

/// Measures a rate that varies, with trains that fill the link for as long as a window.
pub(super) async fn measure_traced(
    direction: Direction,
    declared: Traced,
    to: SocketAddr,
    patience: Patience,
    turn: &Turn,
) -> Outcome {
    let train = filling(declared);
    let attempt = async || {
        let window = Window::default();
        let summary = traffic::send(direction, to, train, window, patience, turn).await?;
        // A recording may stand still for all of a window.
        if summary.arrived < 2 && declared.least_kbit == 0 {
            return Ok(Some(0.0));
        }
        let found = mean_kbit(summary, train);
        let was_fast_enough = conclusive(summary, train.ip_bytes, Some(declared.most_kbit));
        Ok(was_fast_enough.map(|_| found))
    };
    repeated(PAUSE, attempt, |found| judge_traced(found, declared)).await
}

/// What arrived of a train for as long as it was sent, or as it arrived where that took longer.
fn mean_kbit(summary: Summary, train: Train) -> f64 {
    let bits = f64::from(summary.arrived) * f64::from(train.ip_bytes) * 8.0;
    bits / in_ms(train.duration()).max(summary.span_us as f64 / 1e3)
}

fn judge_traced(found: f64, declared: Traced) -> Outcome {
    let least = f64::from(declared.least_kbit).min(MEASURABLE_KBIT) * (1.0 - TOLERANCE);
    let most = f64::from(declared.most_kbit) * (1.0 + TOLERANCE);
    let holds = (least..=most).contains(&found);
    match found < MEASURABLE_KBIT {
        true => Outcome::new(format!("{found:.0} kbit/s"), holds),
        false => Outcome::new(format!("at least {found:.0} kbit/s"), holds),
    }
}

/// Measures what a policer lets pass.
pub(super) async fn measure_policed(
    direction: Direction,
    kbit: u32,
    to: SocketAddr,
    patience: Patience,
    turn: &Turn,
) -> Outcome {
    let kbit = f64::from(kbit);
    let train = policed(kbit);
    let judge = |found: f64| {
        let holds = (found / kbit - 1.0).abs() <= POLICED_TOLERANCE;
        Outcome::new(format!("{found:.0} kbit/s"), holds)
    };
    let attempt = async || {
        let summary =
            traffic::send(direction, to, train, Window::default(), patience, turn).await?;
        let bits = f64::from(summary.arrived) * f64::from(train.ip_bytes) * 8.0;
        // The bucket is full when the first packet comes, and is refilled until the last one does.
        Ok(Some(bits / (BUCKET_MS + in_ms(train.duration()))))
    };
    repeated(Duration::from_millis(BUCKET_MS as u64), attempt, judge).await
}

/// Measures until it holds, some times at most: a machine that is busy with something else makes a rate look
/// lower or higher than it is, but hardly as much as another declaration would.
async fn repeated(
    pause: Duration,
    attempt: impl AsyncFn() -> io::Result<Option<f64>>,
    judge: impl Fn(f64) -> Outcome,
) -> Outcome {
    let mut outcome = Outcome::new("nothing arrived of what was sent fast enough", false);
    let mut failed = 0;
    for taken in 0..ATTEMPTS {
        if taken > 0 {
            sleep(pause).await;
        }
        outcome = match attempt().await {
            Ok(Some(kbit)) => judge(kbit),
            Ok(None) => continue,
            // On a link that loses packets the question itself or its answers may be lost.
            Err(error) => {
                failed += 1;
                Outcome::impossible(error)
            }
        };
        if outcome.holds || failed == FAILURES {
            break;
        }
    }
    outcome
}

/// A train that the queue holds, and how much of its beginning does not count: until packets have been delayed
/// by as much as the jitter does at most, those that come later have waited longer.
fn fitting(kbit: f64, declared: Declared) -> (Train, Window) {
    let queue_ms = f64::from(declared.queue_ms) * QUEUE_PART;
    let (slowest, fastest) = OVERSPEED;
    // What is sent faster by a factor f waits for 1 - 1/f of its time on the link.
    let longest_ms = queue_ms / (1.0 - 1.0 / slowest);
    let bits_a_ms = kbit;
    let wanted_ms = longest_ms.min(TRAIN_MS);
    let ip_bytes = (bits_a_ms * wanted_ms / 8.0 / 40.0)
        .min(f64::from(PACKET_BYTES.0))
        .max(f64::from(PACKET_BYTES.1));
    let packets = (bits_a_ms * wanted_ms / 8.0 / ip_bytes)
        .min(PACKETS.0)
        .max(PACKETS.1);
    let train_ms = packets * ip_bytes * 8.0 / bits_a_ms;
    let waits = (queue_ms / train_ms).min(1.0 - 1.0 / fastest);
    let speed = (1.0 / (1.0 - waits)).max(slowest);
    let settling_ms = (2.0 * declared.jitter_ms).min(train_ms / 2.0);
    let train = Train {
        packets: packets as u32,
        ip_bytes: ip_bytes as u16,
        gap_ns: gap_ns(ip_bytes, kbit * speed),
    };
    let parts =
        ((train_ms - settling_ms) / (LEAST_PART_MS + 3.0 * declared.jitter_ms)).min(MOST_PARTS);
    let window = Window {
        settling_us: (settling_ms * 1_000.0) as u64,
        parts: parts as u32,
    };
    (train, window)
}

/// A train that is faster than the recorded rate is in any window, and as long as one. What finds no place in the queue
/// is dropped, and takes nothing of the rate.
fn filling(declared: Traced) -> Train {
    let most_kbit = f64::from(declared.most_kbit);
    let window_ms = f64::from(declared.window_ms);
    let ip_bytes = (most_kbit * window_ms / 8.0 / 40.0)
        .min(f64::from(PACKET_BYTES.0))
        .max(f64::from(PACKET_BYTES.1));
    let kbit = (most_kbit * TRACED_OVERSPEED).min(TRACED_MOST_KBIT);
    let packets = (kbit * window_ms / 8.0 / ip_bytes).max(PACKETS.1);
    Train {
        packets: packets.ceil() as u32,
        ip_bytes: ip_bytes as u16,
        gap_ns: gap_ns(ip_bytes, kbit),
    }
}

fn unlimited() -> Train {
    Train {
        packets: UNLIMITED_PACKETS,
        ip_bytes: PACKET_BYTES.0,
        gap_ns: gap_ns(f64::from(PACKET_BYTES.0), UNLIMITED_KBIT.0),
    }
}

fn policed(kbit: f64) -> Train {
    let bytes = POLICED_LOAD * kbit * BUCKET_MS / 8.0;
    let ip_bytes = (bytes / 40.0).clamp(f64::from(PACKET_BYTES.1), f64::from(PACKET_BYTES.0));
    let packets = bytes / ip_bytes;
    Train {
        packets: packets.ceil() as u32,
        ip_bytes: ip_bytes as u16,
        gap_ns: (POLICED_MS * 1e6 / packets) as u64,
    }
}

fn gap_ns(ip_bytes: f64, kbit: f64) -> u64 {
    // A kbit/s is a bit in a millisecond.
    (ip_bytes * 8.0 * 1e6 / kbit) as u64
}

fn in_ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn train(kbit: u32, queue_ms: u32, jitter_ms: f64) -> (Train, Window) {
        let declared = Declared {
            kbit: Some(kbit),
            queue_ms,
            jitter_ms,
        };
        fitting(f64::from(kbit), declared)
    }

    #[test]
    fn a_busy_machine_is_no_slow_link_but_a_slow_link_is() {
        let holds = |found, declared| judge(found, declared).holds;
        assert!(holds(46_000.0, 80_000.0) && holds(79_000.0, 80_000.0));
        assert!(!holds(19_000.0, 80_000.0) && !holds(95_000.0, 80_000.0));
        assert!(holds(9_500.0, 10_000.0) && !holds(8_000.0, 10_000.0));
    }

    #[test]
    fn a_train_that_was_sent_too_slowly_says_nothing_of_a_link_that_one_could_measure() {
        let summary = |sent_kbit: f64| Summary {
            arrived: 40,
            copies: 0,
            overtaking: 0,
            span_us: 0,
            gap_ns: Some(gap_ns(1_000.0, 750.0)),
            sent_gap_ns: Some(gap_ns(1_000.0, sent_kbit)),
            delays: None,
        };
        let found =
            |sent_kbit, declared| conclusive(summary(sent_kbit), 1_000, declared).map(f64::round);
        assert_eq!(found(1_000.0, Some(820)), Some(750.0));
        assert_eq!(found(900.0, Some(820)), None);
        assert_eq!(found(900.0, Some(80_000)), Some(750.0));
        assert_eq!(found(900.0, None), Some(750.0));
    }

    /// How long the last packet of a train waits in front of a link of this rate, in milliseconds.
    fn longest_wait_ms(train: Train, kbit: u32) -> f64 {
        let bits = f64::from(train.packets) * f64::from(train.ip_bytes) * 8.0;
        bits / f64::from(kbit) - in_ms(train.duration())
    }

    #[test]
    fn a_train_is_faster_than_its_link_and_fits_into_the_queue() {
        for (kbit, queue_ms) in [
            (330, 200),
            (1_000, 200),
            (13_100, 200),
            (179_500, 200),
            (100_000, 16),
        ] {
            let (train, _) = train(kbit, queue_ms, 0.0);
            let bits = f64::from(train.ip_bytes) * 8.0;
            let sent = bits * 1e6 / train.gap_ns as f64;
            assert!(sent / f64::from(kbit) >= 1.24, "{kbit}: {train:?}");
            let waits = longest_wait_ms(train, kbit);
            assert!(
                waits <= f64::from(queue_ms),
                "{kbit}: {waits} ms, {train:?}"
            );
            assert!(train.packets >= 20, "{kbit}: {train:?}");
            assert!(in_ms(train.duration()) <= 500.0, "{kbit}: {train:?}");
        }
    }

    /// What comes of rates that are found one after the other where 100 kbit/s are declared.
    async fn judged(found: &[f64]) -> (String, usize) {
        let taken = Cell::new(0);
        let attempt = async || {
            let kbit = found[taken.get()];
            taken.set(taken.get() + 1);
            Ok(Some(kbit))
        };
        let judge = |kbit: f64| Outcome::new(format!("{kbit}"), (kbit - 100.0).abs() < 10.0);
        let outcome = repeated(PAUSE, attempt, judge).await;
        (outcome.words, taken.get())
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_measured_until_it_holds_or_patience_ends() {
        assert_eq!(judged(&[99.0]).await, ("99".to_owned(), 1));
        assert_eq!(judged(&[70.0, 101.0]).await, ("101".to_owned(), 2));
        let another_rate = judged(&[122.0; ATTEMPTS]).await;
        assert_eq!(another_rate, ("122".to_owned(), ATTEMPTS));
    }

    #[test]
    fn a_recorded_rate_is_between_that_of_its_slowest_and_its_fastest_window() {
        let declared = |least_kbit, most_kbit| Traced {
            window_ms: 500,
            least_kbit,
            most_kbit,
        };
        let holds = |found, declared| judge_traced(found, declared).holds;
        let recorded = declared(3_500, 4_500);
        assert!(holds(4_000.0, recorded) && holds(3_200.0, recorded));
        assert!(!holds(3_000.0, recorded) && !holds(5_500.0, recorded));
        // Without the limit what was sent comes out.
        let train = filling(recorded);
        let bits = f64::from(train.packets) * f64::from(train.ip_bytes) * 8.0;
        assert!(
            !holds(bits / in_ms(train.duration()), recorded),
            "{train:?}"
        );
        assert!(
            (490.0..=520.0).contains(&in_ms(train.duration())),
            "{train:?}"
        );
        // A busy machine does not send as fast as that.
        assert!(holds(25_000.0, declared(60_000, 90_000)));
        assert!(!holds(10_000.0, declared(60_000, 90_000)));
    }

    #[test]
    fn jitter_at_the_beginning_is_left_out() {
        let (train, window) = train(50_000, 16, 10.0);
        assert_eq!(window.settling_us, 20_000);
        assert!(train.duration() > Duration::from_millis(20));
    }

    #[test]
    fn twice_the_bucket_of_a_policer_is_sent() {
        let train = policed(200.0);
        let bytes = f64::from(train.packets) * f64::from(train.ip_bytes);
        assert!((bytes / 50_000.0 - 1.0).abs() < 0.05, "{train:?}");
        assert!(train.duration() <= Duration::from_millis(210), "{train:?}");
    }

    #[test]
    fn a_recorded_rate_is_told_over_all_the_time_that_was_sent() {
        let train = Train {
            packets: 100,
            ip_bytes: 1_250,
            gap_ns: 10_000_000,
        };
        let mean = |arrived, span_us| {
            let summary = Summary {
                arrived,
                span_us,
                ..Summary::default()
            };
            mean_kbit(summary, train)
        };
        // A burst in a second of silence.
        assert!((mean(50, 100_000) - 500.0).abs() < 1.0);
        // A queue that is emptied when nothing is sent any more.
        assert!((mean(100, 2_000_000) - 500.0).abs() < 1.0);
    }
}
