//! A node of a raised lab, spoken to over its container's standard input and output.

mod attach;
mod clock;
mod error;
mod handle;
mod logbook;
mod sink;

pub(crate) use attach::{Wires, attach};
pub use error::NodeError;
pub use handle::{NodeHandle, Signals};
pub(crate) use sink::EventSink;
