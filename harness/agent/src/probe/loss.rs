//! How much the link loses in the long run.

use std::net::SocketAddr;

use farcall_scenario::Direction;

use super::arrivals::Window;
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
    pub(super) percent: f64,
    pub(super) tolerance_percent: f64,
    pub(super) packets: u32,
    pub(super) per_second: u32,
}

/// Sends as many packets as declared and counts those that arrive.
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
        Ok(summary) => judge(declared, summary.arrived),
        Err(error) => Outcome::impossible(error),
    }
}

fn judge(declared: Declared, arrived: u32) -> Outcome {
    let lost = declared.packets.saturating_sub(arrived);
    let percent = 100.0 * f64::from(lost) / f64::from(declared.packets.max(1));
    let holds = (percent - declared.percent).abs() <= declared.tolerance_percent;
    let words = format!("{percent:.2} % of {} packets", declared.packets);
    Outcome::new(words, holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_holds_within_its_tolerance_only() {
        let declared = Declared {
            percent: 10.0,
            tolerance_percent: 1.5,
            packets: 1_000,
            per_second: 100,
        };
        assert!(judge(declared, 900).holds);
        assert!(judge(declared, 886).holds);
        assert!(!judge(declared, 884).holds);
        assert!(!judge(declared, 1_000).holds);
        assert_eq!(judge(declared, 900).words, "10.00 % of 1000 packets");
    }
}
