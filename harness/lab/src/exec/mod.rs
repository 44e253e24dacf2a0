//! Running any tool in a node of a kept lab (`farcall exec NODE -- COMMAND`).

mod session;
mod stdio;
mod terminal;

pub use session::{ExecError, Streams, run};
pub use stdio::exec;
pub use terminal::WindowSize;
