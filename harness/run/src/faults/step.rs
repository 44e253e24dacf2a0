//! One fault on its way through the call.

use super::broken::Broken;
use super::place::{begin, places};
use crate::recorder::{Position, Recorder};
use farcall_lab::{Lab, NodeError};
use farcall_plan::{CallPlan, FaultAction, PlannedFault};
use farcall_scenario::{Milestone, Moment};
use farcall_timeline::{CandidateType, Entry, Event, FaultEdge, RecoveryEvent};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// One fault on its way.
pub(super) struct Step<'a> {
    pub lab: &'a Lab,
    pub call: &'a CallPlan,
    /// The node of each host of the ICE configuration.
    pub turn_nodes: &'a BTreeMap<String, String>,
    pub fault: &'a PlannedFault,
    pub number: u32,
    pub recorder: &'a Recorder,
    /// Where the call begins in the record.
    pub begin: Position,
    /// When both peers were connected.
    pub connected: Instant,
}

impl<'a> Step<'a> {
    /// Breaks and mends, until the call is over. Returns what can be mended only when the peers have ended the call.
    pub async fn through(
        self,
        mut over: watch::Receiver<bool>,
    ) -> Result<Option<Broken<'a>>, NodeError> {
        let is_over = async |over: &mut watch::Receiver<bool>| {
            let _ = over.wait_for(|is_over| *is_over).await;
        };
        let due = tokio::select! {
            due = self.due(self.fault.from, self.connected) => due,
            () = is_over(&mut over) => return Ok(None),
        };
        let in_use = match &self.fault.node {
            Some(node) => Some(node.clone()),
            None => self.server_in_use(),
        };
        let Some(node) = in_use else {
            let what = &self.fault.what;
            self.recorder.fault(format!(
                "failed to bring about {what}: media go through no TURN server; expect `relayed = true` where they must"
            ));
            return Ok(None);
        };
        let broken = Broken {
            places: places(self.lab, self.fault, &node),
            fault: self.fault,
            number: self.number,
        };
        begin(&broken.places).await?;
        let begun = Instant::now();
        broken.tell(self.recorder, FaultEdge::Begun, begun, due, None);
        let due = match self.fault.until {
            None => {
                is_over(&mut over).await;
                if moves(&self.fault.action) {
                    return Ok(Some(broken));
                }
                Instant::now()
            }
            Some(until) => tokio::select! {
                due = self.due(until, begun) => due,
                () = is_over(&mut over) => Instant::now(),
            },
        };
        broken.mend(self.recorder, Some(due)).await?;
        Ok(None)
    }

    /// Waits for a moment; returns when it was due. `own` is when what comes before this step happened.
    async fn due(&self, moment: Moment, own: Instant) -> Instant {
        let from = match moment.event {
            Milestone::Call | Milestone::Connected | Milestone::Begun => own,
            Milestone::Attempt1 => self.when(|event| begins(event, 1)).await,
            Milestone::Attempt2 => self.when(|event| begins(event, 2)).await,
            Milestone::Attempt3 => self.when(|event| begins(event, 3)).await,
            Milestone::PreviousBegun => self.when_previous(FaultEdge::Begun).await,
            Milestone::PreviousMended => self.when_previous(FaultEdge::Mended).await,
        };
        let due = from + Duration::from_millis(u64::from(moment.ms));
        tokio::time::sleep_until(due.into()).await;
        due
    }

    /// Waits for an event of this call, as long as it goes on; whoever waits for more than that ends it. Returns when
    /// it was.
    async fn when(&self, is_it: impl Fn(&Event) -> bool) -> Instant {
        let search = |entry: &Entry| is_it(&entry.event).then_some(entry.at_ms);
        let found = self.recorder.find(self.begin, Duration::MAX, search).await;
        found.map_or_else(Instant::now, |at_ms| self.recorder.instant(at_ms))
    }

    async fn when_previous(&self, wanted: FaultEdge) -> Instant {
        let previous = self.number.saturating_sub(1);
        let is_it = |event: &Event| matches!(event, Event::Fault(fault) if fault.number == previous && fault.edge == wanted);
        self.when(is_it).await
    }

    /// The node of the server of the last relayed pair that a peer of this call selected.
    fn server_in_use(&self) -> Option<String> {
        let timeline = self.recorder.select(|position, entry| {
            position >= self.begin && matches!(entry.event, Event::SelectedPair(_))
        });
        let mut newest = timeline.entries().iter().rev();
        newest.find_map(|entry| {
            let Event::SelectedPair(pair) = &entry.event else {
                return None;
            };
            let is_relay = pair.local.candidate_type == CandidateType::Relay;
            let url = pair.local.url.as_ref().filter(|_| is_relay)?;
            let mut servers = self.call.ice_servers.iter();
            let server = servers.find(|server| server.url.text == *url)?;
            self.turn_nodes.get(&server.url.host).cloned()
        })
    }
}

fn begins(event: &Event, number: u32) -> bool {
    matches!(event, Event::Recovery(RecoveryEvent::Started { attempt, .. }) if *attempt == number)
}

/// Whether addresses have moved, so that a peer that went back could not release what it holds at the new ones.
fn moves(action: &FaultAction) -> bool {
    matches!(action, FaultAction::Move { .. } | FaultAction::Readdress(_))
}
