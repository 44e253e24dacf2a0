//! Where a node's events go: into the run's one channel, on the run's one clock.

use super::clock::{self, Offset};
use farcall_timeline::{Entry, Event};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;

/// Events that came before the node's clock was known are held back until it is.
#[derive(Debug)]
pub(crate) struct EventSink {
    node: String,
    time_zero: Instant,
    sender: UnboundedSender<Entry>,
    clock: Mutex<NodeClock>,
}

#[derive(Debug)]
enum NodeClock {
    Unknown(Vec<Held>),
    Known(Offset),
}

#[derive(Debug)]
struct Held {
    at_ns: u64,
    arrived_ms: f64,
    event: Event,
}

impl EventSink {
    pub(crate) fn new(node: String, time_zero: Instant, sender: UnboundedSender<Entry>) -> Self {
        Self {
            node,
            time_zero,
            sender,
            clock: Mutex::new(NodeClock::Unknown(Vec::new())),
        }
    }

    /// Now, on the harness's clock.
    pub(crate) fn now_ms(&self) -> f64 {
        clock::since(self.time_zero)
    }

    /// A moment, on the node's clock; `None` while that is not known.
    pub(crate) fn on_its_clock(&self, at: Instant) -> Option<u64> {
        let at_ms = at.saturating_duration_since(self.time_zero).as_secs_f64() * 1e3;
        self.offset().map(|offset| offset.of_node(at_ms))
    }

    /// The moment of a time of the node's clock; `None` while that is not known.
    pub(crate) fn moment(&self, at_ns: u64) -> Option<Instant> {
        let at_ms = self.offset()?.apply(at_ns).max(0.0);
        Some(self.time_zero + Duration::from_secs_f64(at_ms / 1e3))
    }

    fn offset(&self) -> Option<Offset> {
        match *self.clock.lock().unwrap_or_else(PoisonError::into_inner) {
            NodeClock::Known(offset) => Some(offset),
            NodeClock::Unknown(_) => None,
        }
    }

    /// An event that the node reports, at a time of its own clock.
    pub(crate) fn reported(&self, at_ns: u64, event: Event) {
        let arrived_ms = self.now_ms();
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *clock {
            NodeClock::Unknown(held) => held.push(Held {
                at_ns,
                arrived_ms,
                event,
            }),
            NodeClock::Known(offset) => self.send(offset.apply(at_ns), event),
        }
    }

    /// Something about the node that the harness noticed just now.
    pub(crate) fn noticed(&self, event: Event) {
        self.send(self.now_ms(), event);
    }

    /// Sets the node's clock and sends what was held back.
    pub(crate) fn synchronise(&self, offset: Offset) {
        let held = self.replace(NodeClock::Known(offset));
        for Held { at_ns, event, .. } in held {
            self.send(offset.apply(at_ns), event);
        }
    }

    /// Sends what was held back by its arrival: the node's clock will never be known.
    pub(crate) fn give_up(&self) {
        let held = self.replace(NodeClock::Unknown(Vec::new()));
        for Held {
            arrived_ms, event, ..
        } in held
        {
            self.send(arrived_ms, event);
        }
    }

    fn replace(&self, clock: NodeClock) -> Vec<Held> {
        let mut current = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *current, clock) {
            NodeClock::Unknown(held) => held,
            NodeClock::Known(offset) => {
                *current = NodeClock::Known(offset);
                Vec::new()
            }
        }
    }

    fn send(&self, at_ms: f64, event: Event) {
        let entry = Entry {
            at_ms,
            node: self.node.clone(),
            event,
        };
        // Nobody listening is the listener's choice.
        let _ = self.sender.send(entry);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use tokio::sync::mpsc;

    fn ready(after_ms: f64) -> Event {
        Event::NodeReady { after_ms }
    }

    #[test]
    fn events_before_the_clock_is_known_are_held_and_put_on_it() {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let sink = EventSink::new("alice".into(), Instant::now(), sender);
        sink.reported(1_000_000, ready(1.0));
        assert!(receiver.try_recv().is_err());
        sink.synchronise(Offset::measured(10.0, 12.0, 4_000_000));
        sink.reported(9_000_000, ready(2.0));
        let entries = [receiver.try_recv().unwrap(), receiver.try_recv().unwrap()];
        assert_eq!(entries[0].node, "alice");
        assert_eq!(entries[0].at_ms, 8.0);
        assert_eq!(entries[1].at_ms, 16.0);
    }

    #[test]
    fn moments_are_the_same_on_both_clocks() {
        let (sender, _receiver) = mpsc::unbounded_channel();
        let time_zero = Instant::now();
        let sink = EventSink::new("alice".into(), time_zero, sender);
        let at = time_zero + Duration::from_millis(500);
        assert_eq!((sink.on_its_clock(at), sink.moment(7)), (None, None));
        sink.synchronise(Offset::measured(10.0, 12.0, 4_000_000));
        assert_eq!(sink.on_its_clock(at), Some(493_000_000));
        assert_eq!(sink.moment(493_000_000), Some(at));
    }

    #[test]
    fn events_of_a_node_whose_clock_stays_unknown_are_not_lost() {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let sink = EventSink::new("alice".into(), Instant::now(), sender);
        sink.reported(u64::MAX, ready(1.0));
        sink.give_up();
        assert!(receiver.try_recv().unwrap().at_ms < 1000.0);
    }
}
