//! How much the link loses in the long run, and how much it duplicates and lets overtake.

use std::net::SocketAddr;

use farcall_plan::Fate;
use farcall_scenario::Direction;

use super::arrivals::{Summary, Window};
use super::outcome::Outcome;
use super::patience::Patience;
use super::traffic;
use super::train::Train;
use super::turn::Turn;

/// How large the packets are, in bytes; the plan reckons with it.
const PACKET_BYTES: u16 = 100;

/// What is declared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Declared {
    pub(super) fate: Fate,
    pub(super) percent: f64,
    pub(super) tolerance_percent: f64,
    pub(super) packets: u32,
    pub(super) per_second: u32,
}

/// Sends as many packets as declared and counts those of the declared fate.
pub(super) async fn measure(
    direction: Direction,
    declared: Declared,
    to: SocketAddr,
    patience: Patience,
    turn: &Turn,
) -> Outcome {
    let train = Train {
        packets: declared.packets,
        ip_bytes: PACKET_BYTES,
        gap_ns: 1_000_000_000 / u64::from(declared.per_second.max(1)),
    };
    match traffic::send(direction, to, train, Window::default(), patience, turn).await {
        Ok(summary) => judge(declared, summary),
        Err(error) => Outcome::impossible(error),
    }
}

fn judge(declared: Declared, summary: Summary) -> Outcome {
    let arrived = summary.arrived;
    let (counted, packets) = match declared.fate {
        Fate::Lost => (declared.packets.saturating_sub(arrived), declared.packets),
        Fate::Duplicated => (summary.copies, arrived),
        Fate::Overtaking => (summary.overtaking, arrived),
    };
    let percent = 100.0 * f64::from(counted) / f64::from(packets.max(1));
    let is_near = (percent - declared.percent).abs() <= declared.tolerance_percent;
    let words = format!("{percent:.2} % of {packets} packets");
    Outcome::new(words, packets > 0 && is_near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_holds_within_its_tolerance_only() {
        let declared = Declared {
            fate: Fate::Lost,
            percent: 10.0,
            tolerance_percent: 1.5,
            packets: 1_000,
            per_second: 100,
        };
        let judge = |arrived| {
            let summary = Summary {
                arrived,
                ..Summary::default()
            };
            judge(declared, summary)
        };
        assert!(judge(900).holds);
        assert!(judge(886).holds);
        assert!(!judge(884).holds);
        assert!(!judge(1_000).holds);
        assert_eq!(judge(900).words, "10.00 % of 1000 packets");
    }

    #[test]
    fn disorder_is_a_share_of_what_arrives() {
        let declared = |fate| Declared {
            fate,
            percent: 2.0,
            tolerance_percent: 0.5,
            packets: 1_000,
            per_second: 100,
        };
        let judge = |fate, copies, overtaking| {
            let summary = Summary {
                arrived: 900,
                copies,
                overtaking,
                ..Summary::default()
            };
            judge(declared(fate), summary)
        };
        let duplicated = judge(Fate::Duplicated, 18, 0);
        assert_eq!(duplicated.words, "2.00 % of 900 packets");
        assert!(duplicated.holds && judge(Fate::Overtaking, 0, 18).holds);
        assert!(!judge(Fate::Duplicated, 0, 18).holds);
        assert!(!judge(Fate::Overtaking, 18, 0).holds);
        let nothing = super::judge(declared(Fate::Duplicated), Summary::default());
        assert!(!nothing.holds);
    }
}
