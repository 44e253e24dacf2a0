//! What breaks in a call, on time, and is mended again.

mod broken;
mod place;
mod step;

pub(crate) use broken::Broken;
pub(crate) use place::{Place, begin, end};

use crate::recorder::{Position, Recorder};
use crate::states::States;
use farcall_lab::{Lab, NodeError};
use farcall_plan::{CallPlan, PlannedFault};
use farcall_scenario::{ExpectedRecovery, Milestone};
use farcall_timeline::{Entry, Event, FaultEdge};
use futures::future::try_join_all;
use place::{FAULT_DEADLINE, places};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use step::Step;
use tokio::sync::watch;

/// What breaks in a call, and what must come of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Breaking<'a> {
    pub faults: &'a [PlannedFault],
    /// The node of each host of the ICE configuration.
    pub turn_nodes: &'a BTreeMap<String, String>,
    /// `None`: nothing but what becomes of media, for as long as they are to flow.
    pub expected: Option<&'a ExpectedRecovery>,
}

/// Breaks what is broken before the call begins.
pub(crate) async fn stand<'a>(
    lab: &'a Lab,
    breaking: Breaking<'a>,
    recorder: &Recorder,
) -> Result<Vec<Broken<'a>>, NodeError> {
    let mut standing = Vec::new();
    for numbered in numbered(breaking.faults) {
        let (_, fault) = numbered;
        if let Some(node) = fault.node.as_ref().filter(|_| is_standing(fault)) {
            let places = places(lab, fault, node);
            standing.push(Broken::begin(places, numbered, None, recorder).await?);
        }
    }
    Ok(standing)
}

/// Mends what is broken still.
pub(crate) async fn mend(all: Vec<Broken<'_>>, recorder: &Recorder) -> Result<(), NodeError> {
    for broken in all {
        broken.mend(recorder, None).await?;
    }
    Ok(())
}

/// Whether it is in effect when the call begins.
fn is_standing(fault: &PlannedFault) -> bool {
    fault.from.event == Milestone::Call && fault.from.ms == 0
}

/// Each fault with its place among the scenario's, 1 being the first.
fn numbered(faults: &[PlannedFault]) -> impl Iterator<Item = (u32, &PlannedFault)> {
    (1..).zip(faults)
}

/// A call in which things break.
pub(crate) struct Course<'a> {
    pub lab: &'a Lab,
    pub call: &'a CallPlan,
    pub breaking: Breaking<'a>,
    pub recorder: &'a Recorder,
    /// Where the call begins in the record.
    pub begin: Position,
    /// When that was.
    pub begun: Instant,
}

impl<'a> Course<'a> {
    /// Breaks and mends for as long as the peers converse; what was broken before is mended on time too. Returns why the
    /// call was given up, if it was; and what can be mended only when the peers have ended the call.
    pub async fn through(
        &'a self,
        standing: Vec<Broken<'a>>,
        conversation: impl Future<Output = Option<String>>,
    ) -> Result<(Option<String>, Vec<Broken<'a>>), NodeError> {
        let (is_over, over) = watch::channel(false);
        let mut standing: BTreeMap<u32, Broken<'a>> = standing
            .into_iter()
            .map(|broken| (broken.number, broken))
            .collect();
        let faults = numbered(self.breaking.faults).map(|(number, fault)| {
            let step = Step {
                course: self,
                fault,
                number,
            };
            step.through(standing.remove(&number), over.clone())
        });
        let faults: Vec<_> = faults.collect();
        let conversation = async {
            let reason = conversation.await;
            // Whatever is still broken is mended before anybody is asked for anything.
            is_over.send_replace(true);
            Ok(reason)
        };
        let (reason, broken) =
            futures::future::try_join(conversation, try_join_all(faults)).await?;
        Ok((reason, broken.into_iter().flatten().collect()))
    }

    /// Waits for what the peers, once connected, make of what breaks, then lets media flow. Returns why the call was
    /// given up, if it was, giving up where that is expected being none.
    pub async fn outcome(&self) -> Option<String> {
        let reason = match self.breaking.expected {
            Some(expected) => self.recovery(expected).await,
            None => {
                self.all_begun().await;
                None
            }
        };
        let has_media = self
            .breaking
            .expected
            .is_none_or(|expected| expected.recovers);
        if reason.is_none() && has_media {
            tokio::time::sleep(Duration::from_millis(u64::from(self.call.media_ms))).await;
        }
        reason
    }

    /// Waits until everything is broken that is to be.
    async fn all_begun(&self) {
        let mut left = self.breaking.faults.len();
        if left == 0 {
            return;
        }
        let search = |entry: &Entry| {
            if let Event::Fault(fault) = &entry.event
                && fault.edge == FaultEdge::Begun
            {
                left -= 1;
            }
            (left == 0).then_some(())
        };
        // One that waits for what the peers never do is the verdict's to tell of.
        let _ = self
            .recorder
            .find(self.begin, self.patience(), search)
            .await;
    }

    /// Waits until the peers have come to what is expected of them, as long as that may take.
    async fn recovery(&self, expected: &ExpectedRecovery) -> Option<String> {
        let faults = self.breaking.faults;
        let mut states = States::new(self.call);
        let mut begun = 0;
        let mut mended = 0;
        let lasting = faults.iter().filter(|fault| fault.until.is_some());
        let (all, to_mend) = (faults.len(), lasting.count());
        let mut was_off = false;
        let search = |entry: &Entry| {
            states.take(entry);
            if let Event::Fault(fault) = &entry.event {
                match fault.edge {
                    FaultEdge::Begun => begun += 1,
                    FaultEdge::Mended => mended += 1,
                }
            }
            let all_done = begun >= all && mended >= to_mend;
            was_off |= begun > 0 && !states.both_connected();
            match expected.recovers {
                // An outage that nobody notices is over when it is mended.
                true if expected.attempts == 0 => {
                    (all_done && states.both_connected()).then_some(())
                }
                true => (all_done && was_off && states.both_connected()).then_some(()),
                false => (begun >= all && states.both_gave_up()).then_some(()),
            }
        };
        let within = Duration::from_millis(u64::from(expected.within_ms)) + self.patience();
        let found = self.recorder.find(self.begin, within, search).await;
        found.is_none().then(|| {
            let what = match expected.recovers {
                true => "not connected again",
                false => "not given up by both peers",
            };
            format!("{what} within {} ms of the first fault", expected.within_ms)
        })
    }

    /// How long faults may take to begin.
    fn patience(&self) -> Duration {
        // They begin some time after the call connects.
        let declared = self.breaking.faults.iter().map(|fault| fault.from.ms).max();
        Duration::from_millis(u64::from(declared.unwrap_or(0))) + FAULT_DEADLINE
    }
}
