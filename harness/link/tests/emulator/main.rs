//! What the emulator does to packets, measured at its end.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod delay;
mod fate;
mod loss;
mod queue;
mod rate;
mod support;
mod trace;
