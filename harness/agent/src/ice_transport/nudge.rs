//! Lets the driver of webrtc-rs send relayed packets at once.
//!
//! webrtc 0.21.1 writes a relayed packet into its TURN client after it has drained that client's
//! output, and then sleeps: the packet leaves when something else wakes the driver. That costs a
//! DTLS handshake over a relay four seconds, and media up to one packet interval. So every sleep of
//! the driver after work is cut short once, through a read error that the driver ignores.

use futures::task::AtomicWaker;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Context;

#[derive(Debug, Default)]
pub(super) struct Nudge {
    pace: Mutex<Pace>,
    is_due: AtomicBool,
    reader: AtomicWaker,
}

/// When to nudge: once after each real wake, and again as long as that brings forth packets.
#[derive(Debug, Default)]
struct Pace {
    relayed: u64,
    at_last_sleep: u64,
    is_nudged: bool,
}

impl Pace {
    /// Whether this sleep is to be cut short.
    fn sleep(&mut self) -> bool {
        let has_relayed = self.relayed != self.at_last_sleep;
        self.at_last_sleep = self.relayed;
        // Without relays there is nothing that could be late.
        self.is_nudged = self.relayed > 0 && (has_relayed || !self.is_nudged);
        self.is_nudged
    }
}

impl Nudge {
    /// The driver handed over a packet for a TURN server.
    pub fn relayed(&self) {
        self.pace().relayed += 1;
    }

    /// The driver is about to sleep.
    pub fn driver_sleeps(&self) {
        if self.pace().sleep() {
            self.is_due.store(true, Ordering::Release);
            self.reader.wake();
        }
    }

    /// Whether the driver, reading now, is to be turned back to its other work.
    pub fn is_due(&self, cx: &Context<'_>) -> bool {
        self.reader.register(cx.waker());
        self.is_due.swap(false, Ordering::AcqRel)
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_relays_the_driver_sleeps_undisturbed() {
        let mut pace = Pace::default();
        assert!(!pace.sleep());
        assert!(!pace.sleep());
    }

    #[test]
    fn every_second_sleep_is_cut_short_and_more_only_while_packets_come() {
        let mut pace = Pace {
            relayed: 1,
            ..Pace::default()
        };
        assert!(pace.sleep());
        assert!(!pace.sleep());
        assert!(pace.sleep());
        pace.relayed += 2;
        assert!(pace.sleep());
        assert!(!pace.sleep());
    }
}
