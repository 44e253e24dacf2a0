//! What breaks in the middle of a call, on time, and is mended again.

use crate::recorder::{Position, Recorder};
use crate::states::States;
use farcall_lab::{Lab, NodeError};
use farcall_plan::{CallPlan, FaultAction, PlannedFault};
use farcall_protocol::{Command, Reply};
use farcall_scenario::{ExpectedRecovery, Milestone, Moment};
use farcall_timeline::{CandidateType, Entry, Event, FaultEdge, FaultEvent, RecoveryEvent};
use futures::future::try_join_all;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long a node may take to break or to be mended.
const FAULT_DEADLINE: Duration = Duration::from_secs(10);

/// What breaks in a call, and what must come of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Breaking<'a> {
    pub faults: &'a [PlannedFault],
    /// The node of each host of the ICE configuration.
    pub turn_nodes: &'a BTreeMap<String, String>,
    pub expected: &'a ExpectedRecovery,
}

/// Breaks and mends, waits for what the peers make of it, then lets media flow. `begin` is the call's beginning; both
/// peers are connected. Returns why the call was given up, if it was; giving up where that is expected is none.
pub(crate) async fn through(
    lab: &Lab,
    call: &CallPlan,
    breaking: Breaking<'_>,
    recorder: &Recorder,
    begin: Position,
) -> Result<Option<String>, NodeError> {
    let (is_over, over) = watch::channel(false);
    let connected = Instant::now();
    let faults = breaking.faults.iter().enumerate().map(|(index, fault)| {
        let step = Step {
            lab,
            call,
            turn_nodes: breaking.turn_nodes,
            fault,
            number: u32::try_from(index + 1).unwrap_or(u32::MAX),
            recorder,
            begin,
            connected,
        };
        step.through(over.clone())
    });
    let outcome = async {
        let reason = outcome(call, breaking, recorder, begin).await;
        if reason.is_none() && breaking.expected.recovers {
            tokio::time::sleep(Duration::from_millis(u64::from(call.media_ms))).await;
        }
        // Whatever is still broken is mended before anybody is asked for anything.
        is_over.send_replace(true);
        Ok(reason)
    };
    let (reason, _) = futures::future::try_join(outcome, try_join_all(faults)).await?;
    Ok(reason)
}

/// Waits until the peers have come to what is expected of them, as long as that may take.
async fn outcome(
    call: &CallPlan,
    breaking: Breaking<'_>,
    recorder: &Recorder,
    begin: Position,
) -> Option<String> {
    let expected = breaking.expected;
    let mut states = States::new(call);
    let mut begun = 0;
    let mut mended = 0;
    let lasting = breaking.faults.iter().filter(|fault| fault.until.is_some());
    let (all, to_mend) = (breaking.faults.len(), lasting.count());
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
            true if expected.attempts == 0 => (all_done && states.both_connected()).then_some(()),
            true => (all_done && was_off && states.both_connected()).then_some(()),
            false => (begun >= all && states.both_gave_up()).then_some(()),
        }
    };
    // Faults begin some time after the call connects.
    let declared = breaking.faults.iter().map(|fault| fault.from.ms).max();
    let within = expected.within_ms.saturating_add(declared.unwrap_or(0));
    let within = Duration::from_millis(u64::from(within)) + FAULT_DEADLINE;
    let found = recorder.find(begin, within, search).await;
    found.is_none().then(|| {
        let what = match expected.recovers {
            true => "not connected again",
            false => "not given up by both peers",
        };
        format!("{what} within {} ms of the first fault", expected.within_ms)
    })
}

/// Breaks a node; when this returns, the fault is in effect.
pub(crate) async fn begin(lab: &Lab, node: &str, action: &FaultAction) -> Result<(), NodeError> {
    if *action == FaultAction::Freeze {
        return lab.pause(node, FAULT_DEADLINE).await;
    }
    let action = action.clone();
    let begin = Command::BeginFault { action };
    lab.node(node)?
        .request(begin, FAULT_DEADLINE)
        .await
        .map(drop)
}

/// Mends a node, and tells how many packets were dropped, as far as the fault drops any.
pub(crate) async fn end(
    lab: &Lab,
    node: &str,
    action: &FaultAction,
) -> Result<Option<u64>, NodeError> {
    if *action == FaultAction::Freeze {
        return lab.unpause(node, FAULT_DEADLINE).await.map(|()| None);
    }
    let node = lab.node(node)?;
    let action = action.clone();
    let end = Command::EndFault { action };
    match node.request(end, FAULT_DEADLINE).await? {
        Reply::Mended { dropped_packets } => Ok(dropped_packets),
        reply => Err(node.unexpected(&reply)),
    }
}

fn begins(event: &Event, number: u32) -> bool {
    matches!(event, Event::Recovery(RecoveryEvent::Started { attempt, .. }) if *attempt == number)
}

/// One fault on its way.
struct Step<'a> {
    lab: &'a Lab,
    call: &'a CallPlan,
    turn_nodes: &'a BTreeMap<String, String>,
    fault: &'a PlannedFault,
    number: u32,
    recorder: &'a Recorder,
    begin: Position,
    connected: Instant,
}

impl Step<'_> {
    async fn through(self, mut over: watch::Receiver<bool>) -> Result<(), NodeError> {
        let is_over = async |over: &mut watch::Receiver<bool>| {
            let _ = over.wait_for(|is_over| *is_over).await;
        };
        let due = tokio::select! {
            due = self.due(self.fault.from, self.connected) => due,
            () = is_over(&mut over) => return Ok(()),
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
            return Ok(());
        };
        begin(self.lab, &node, &self.fault.action).await?;
        let begun = Instant::now();
        self.tell(FaultEdge::Begun, begun, due, None);
        let due = match self.fault.until {
            None => {
                is_over(&mut over).await;
                Instant::now()
            }
            Some(until) => tokio::select! {
                due = self.due(until, begun) => due,
                () = is_over(&mut over) => Instant::now(),
            },
        };
        let dropped_packets = end(self.lab, &node, &self.fault.action).await?;
        self.tell(FaultEdge::Mended, Instant::now(), due, dropped_packets);
        Ok(())
    }

    /// Waits for a moment; returns when it was due. `own` is when what comes before this step happened.
    async fn due(&self, moment: Moment, own: Instant) -> Instant {
        let from = match moment.event {
            Milestone::Connected | Milestone::Begun => own,
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

    fn tell(&self, edge: FaultEdge, at: Instant, due: Instant, dropped_packets: Option<u64>) {
        self.recorder.record(Event::Fault(FaultEvent {
            number: self.number,
            what: self.fault.what.clone(),
            edge,
            late_ms: at.saturating_duration_since(due).as_secs_f64() * 1e3,
            dropped_packets,
        }));
    }
}
