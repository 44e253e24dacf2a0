//! What is broken at the moment.

use super::place::{Mended, Place, begin, end};
use crate::recorder::Recorder;
use farcall_lab::NodeError;
use farcall_plan::{FaultAction, PlannedFault};
use farcall_timeline::{Event, FaultEdge, FaultEvent};
use std::time::Instant;

/// A fault that is in effect.
pub(crate) struct Broken<'a> {
    pub places: Vec<Place<'a>>,
    pub fault: &'a PlannedFault,
    /// Its place among the scenario's, 1 being the first.
    pub number: u32,
    /// Since when.
    pub begun: Instant,
}

impl<'a> Broken<'a> {
    /// Breaks these places when that is due, without a moment at once, and records it.
    pub async fn begin(
        places: Vec<Place<'a>>,
        (number, fault): (u32, &'a PlannedFault),
        due: Option<Instant>,
        recorder: &Recorder,
    ) -> Result<Self, NodeError> {
        let begun = begin(&places, due).await?;
        let broken = Self {
            places,
            fault,
            number,
            begun,
        };
        broken.tell(recorder, (FaultEdge::Begun, begun), due, None);
        Ok(broken)
    }

    /// Whether addresses have moved, so that a peer that went back could not release what it holds at the new ones.
    pub fn moves(&self) -> bool {
        matches!(
            self.fault.action,
            FaultAction::Move { .. } | FaultAction::Readdress(_)
        )
    }

    /// Mends it when that is due, without a moment at once, and records it.
    pub async fn mend(self, recorder: &Recorder, due: Option<Instant>) -> Result<(), NodeError> {
        let mended = end(&self.places, due).await?;
        self.tell(recorder, (FaultEdge::Mended, mended.at), due, Some(&mended));
        Ok(())
    }

    /// Records that it began or was mended.
    fn tell(
        &self,
        recorder: &Recorder,
        (edge, at): (FaultEdge, Instant),
        due: Option<Instant>,
        mended: Option<&Mended>,
    ) {
        let late_ms = due.map(|due| {
            let late = at.saturating_duration_since(due);
            let early = due.saturating_duration_since(at);
            (late.as_secs_f64() - early.as_secs_f64()) * 1e3
        });
        let event = Event::Fault(FaultEvent {
            number: self.number,
            what: self.fault.what.clone(),
            edge,
            late_ms,
            dropped_packets: mended.and_then(|mended| mended.dropped_packets),
            crossed: mended.and_then(|mended| mended.crossed),
        });
        recorder.record_at(at, event);
    }
}
