//! One direction of a link.

use crate::fate::Fates;
use crate::transmitter::Transmitter;
use farcall_scenario::LinkDirection;
use std::collections::VecDeque;
use std::time::Duration;

/// How much an emulator holds at most, its own records of packets included, whatever rate, queue and delay
/// would have it hold: 64 MiB, more than 1 Gbit/s needs for half a second.
pub const MEMORY_LIMIT_BYTES: usize = 64 << 20;

/// One direction of a link: packets go in with [`push`](Self::push) and come out of [`pop`](Self::pop) when
/// they are due. Times are since any moment that the caller chooses, the same for all calls; a recorded rate
/// begins there.
#[derive(Debug)]
pub struct Emulator<T> {
    direction: LinkDirection,
    fates: Fates,
    transmitter: Transmitter,
    longest_wait: Duration,
    now: Duration,
    /// Packets that keep their order: each is due when or after the one before it is.
    ordered: VecDeque<OnTheWay<T>>,
    /// Packets that skip the delay. They keep their order among themselves.
    overtaking: VecDeque<OnTheWay<T>>,
    last_ordered_due: Duration,
    held_bytes: usize,
    stats: Stats,
    crossing: Crossing,
}

#[derive(Debug)]
struct OnTheWay<T> {
    due: Duration,
    packet: T,
}

/// What has become of the packets so far. Those that `pushed` and `duplicated` count are counted once more by
/// `passed`, `lost`, `queue_dropped` or `overflowed`, or are on their way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Packets that went in.
    pub pushed: u64,
    /// Packets that came out, copies among them.
    pub passed: u64,
    /// What `passed` packets have in bytes, IP headers included.
    pub passed_bytes: u64,
    /// Packets lost on the wire.
    pub lost: u64,
    /// Packets that would have waited too long.
    pub queue_dropped: u64,
    /// Packets and copies dropped because of [`MEMORY_LIMIT_BYTES`]. When this is not 0 the link was worse than
    /// declared.
    pub overflowed: u64,
    /// Copies made.
    pub duplicated: u64,
    /// Packets that overtook at least one other.
    pub reordered: u64,
}

/// What has come to the link since its conditions are what they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Crossing {
    /// Packets, whatever became of them.
    pub packets: u64,
    /// The shortest time from arrival at the link to its other end, of those that reach it and overtake none; `None`:
    /// there is none.
    pub shortest: Option<Duration>,
}

impl<T: AsRef<[u8]> + Clone> Emulator<T> {
    /// A link without packets. Both directions of a link need seeds of their own, or they share their fate.
    #[must_use]
    pub fn new(direction: &LinkDirection, seed: u64) -> Self {
        Self {
            direction: direction.clone(),
            fates: Fates::new(direction, seed),
            transmitter: Transmitter::new(&direction.rate),
            longest_wait: Duration::from_millis(direction.queue_ms.into()),
            now: Duration::ZERO,
            ordered: VecDeque::new(),
            overtaking: VecDeque::new(),
            last_ordered_due: Duration::ZERO,
            held_bytes: 0,
            stats: Stats::default(),
            crossing: Crossing::default(),
        }
    }

    /// From now on it is another link, with random numbers of its own. What is on its way stays, and keeps its order;
    /// what has been counted stays too.
    pub fn change(&mut self, direction: &LinkDirection, seed: u64) {
        self.direction = direction.clone();
        self.fates = Fates::new(direction, seed);
        self.transmitter = Transmitter::new(&direction.rate);
        self.longest_wait = Duration::from_millis(direction.queue_ms.into());
        self.crossing = Crossing::default();
    }

    /// Takes an IP packet that arrives at the link now. A time before that of an earlier packet counts as
    /// that one's.
    pub fn push(&mut self, packet: T, now: Duration) {
        self.now = self.now.max(now);
        self.stats.pushed += 1;
        self.crossing.packets += 1;
        let fate = self.fates.next();
        let len = packet.as_ref().len();
        let sent = self.transmitter.transmit(len, self.now, self.longest_wait);
        let Some(sent) = sent else {
            self.stats.queue_dropped += 1;
            return;
        };
        if fate.lost {
            self.stats.lost += 1;
            return;
        }
        let copy = fate.duplicated.then(|| packet.clone());
        self.stats.duplicated += u64::from(copy.is_some());
        let skips = fate.reordered && sent < self.last_ordered_due;
        self.stats.reordered += u64::from(skips);
        let due = if skips {
            sent
        } else {
            self.last_ordered_due = self.last_ordered_due.max(sent + fate.delay);
            self.last_ordered_due
        };
        if !skips {
            let took = due.saturating_sub(self.now);
            let shortest = self.crossing.shortest.unwrap_or(took);
            self.crossing.shortest = Some(shortest.min(took));
        }
        for packet in [Some(packet), copy].into_iter().flatten() {
            self.hold(packet, due, skips);
        }
    }

    fn hold(&mut self, packet: T, due: Duration, skips: bool) {
        let bytes = Self::bytes(&packet);
        if self.held_bytes + bytes > MEMORY_LIMIT_BYTES {
            self.stats.overflowed += 1;
            return;
        }
        self.held_bytes += bytes;
        let queue = if skips {
            &mut self.overtaking
        } else {
            &mut self.ordered
        };
        queue.push_back(OnTheWay { due, packet });
    }

    fn bytes(packet: &T) -> usize {
        packet.as_ref().len() + size_of::<OnTheWay<T>>()
    }

    /// When the next packet is due; `None` when none is on its way. A packet that is pushed later can be due
    /// earlier, when it overtakes.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        let fronts = [self.ordered.front(), self.overtaking.front()];
        fronts.into_iter().flatten().map(|next| next.due).min()
    }

    /// The next packet that is due by now, in the order in which they are due, then in that of their arrival;
    /// to be called until there is none.
    pub fn pop(&mut self, now: Duration) -> Option<T> {
        let due = self.next_due().filter(|due| *due <= now)?;
        // Of two that are due at this moment the ordered one arrived first: an overtaking one is due before
        // every ordered one after it.
        let packet = [&mut self.ordered, &mut self.overtaking]
            .into_iter()
            .find(|queue| queue.front().is_some_and(|next| next.due == due))?
            .pop_front()?
            .packet;
        self.held_bytes -= Self::bytes(&packet);
        self.stats.passed += 1;
        self.stats.passed_bytes += packet.as_ref().len() as u64;
        Some(packet)
    }

    /// What has become of the packets so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// The link that it is.
    #[must_use]
    pub fn direction(&self) -> &LinkDirection {
        &self.direction
    }

    /// What has come to it since it is the link that it is.
    #[must_use]
    pub fn crossing(&self) -> Crossing {
        self.crossing
    }
}
