//! What a link does to packets: an emulator for one direction, without I/O, clock or threads.
//!
//! # The order of effects
//!
//! A packet meets them as it would on its way over a real link:
//!
//! 1. **Queue**: in front of the link, bounded by the time that a packet waits. The newest packet is
//!    dropped (tail drop), as cheap routers and modems do it.
//! 2. **Rate**: the sender puts bits on the wire, one packet after the other.
//! 3. **Loss**: on the wire, so a lost packet has taken its share of the rate. netem loses before the
//!    queue, where loss would make room for others.
//! 4. **Delay and jitter**: propagation, from the moment in which the last bit is on the wire. Jitter alone
//!    reorders nothing: a packet that would overtake arrives together with the one before it, as from a
//!    radio link that delivers in order. (netem reorders by jitter unless it has a rate.) Where packets
//!    follow each other more closely than the jitter spreads, this raises the mean delay.
//! 5. **Reordering**: as netem's `reorder`, a packet that skips delay and jitter, and so overtakes those
//!    that are on their way. Without a delay there is nobody to overtake.
//! 6. **Duplication**: as netem's `duplicate`, but of what arrives, right behind it: a copy takes no rate,
//!    and a lost packet has none.
//!
//! netem's correlations are not offered: bursts of loss have a model of their own, Gilbert-Elliott.
//!
//! # The same fate for the same packets
//!
//! What chance decides about a packet follows from the seed and from how many packets were pushed before,
//! never from time or length ([`Emulator::push`] draws the same amount of random numbers for each). What
//! the queue drops follows from the times.

mod emulator;
mod fate;
mod transmitter;

pub use emulator::{Crossing, Emulator, MEMORY_LIMIT_BYTES, Stats};
