//! What is broken at the moment.

use super::place::{Place, end};
use crate::recorder::Recorder;
use farcall_lab::NodeError;
use farcall_plan::PlannedFault;
use farcall_timeline::{Event, FaultEdge, FaultEvent};
use std::time::Instant;

/// A fault that is in effect.
pub(crate) struct Broken<'a> {
    pub places: Vec<Place<'a>>,
    pub fault: &'a PlannedFault,
    /// Its place among the scenario's, 1 being the first.
    pub number: u32,
}

impl Broken<'_> {
    /// Mends it. Without a moment at which that was due it is due as soon as it is done.
    pub async fn mend(self, recorder: &Recorder, due: Option<Instant>) -> Result<(), NodeError> {
        let dropped_packets = end(&self.places).await?;
        let mended = Instant::now();
        let due = due.unwrap_or(mended);
        self.tell(recorder, FaultEdge::Mended, mended, due, dropped_packets);
        Ok(())
    }

    /// Records that it began or was mended.
    pub fn tell(
        &self,
        recorder: &Recorder,
        edge: FaultEdge,
        at: Instant,
        due: Instant,
        dropped_packets: Option<u64>,
    ) {
        recorder.record(Event::Fault(FaultEvent {
            number: self.number,
            what: self.fault.what.clone(),
            edge,
            late_ms: at.saturating_duration_since(due).as_secs_f64() * 1e3,
            dropped_packets,
        }));
    }
}
