//! What a caller can choose about a run.

use farcall_plan::Plan;
use farcall_timeline::Entry;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Receives every event as it comes; called from the task that records, so it must not block.
pub type EventSink = Arc<dyn Fn(&Entry) + Send + Sync>;

/// How a run is made. [`RunOptions::default`] is what `farcall run NAME` does.
#[derive(Clone)]
pub struct RunOptions {
    /// The directory in which the run's own directory is created.
    pub out: PathBuf,
    /// Recorded with the run. What links lose, delay and reorder follows from it; sessions and Docker subnets are
    /// deliberately not seeded.
    pub seed: u64,
    /// Leave the lab standing for `farcall exec` and `farcall down`.
    pub keep: bool,
    /// Capture every network's packets; they are kept only of runs that do not pass.
    pub capture: bool,
    /// Raise this plan instead of the scenario's own, and break what it says, while the scenario's own is what is attested
    /// and expected: to prove that a lab that is not as declared is found out, and a fault that is none.
    pub raise_instead: Option<Plan>,
    /// Shows events as they come.
    pub on_event: Option<EventSink>,
    /// Cancelled by the caller to interrupt the run; the lab is removed and what was seen is written.
    pub stop: CancellationToken,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            out: PathBuf::from("target/farcall"),
            seed: 1,
            keep: false,
            capture: true,
            raise_instead: None,
            on_event: None,
            stop: CancellationToken::new(),
        }
    }
}
