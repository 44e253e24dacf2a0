//! What breaks in the middle of a call, on time, and is mended again.

use crate::recorder::{Position, Recorder};
use crate::states::States;
use farcall_lab::{Lab, NodeError, NodeHandle};
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
    /// `None`: nothing but what becomes of media, for as long as they are to flow.
    pub expected: Option<&'a ExpectedRecovery>,
}

/// A fault that stands from before the call until its end.
pub(crate) struct Standing<'a> {
    places: Vec<Place<'a>>,
    fault: &'a PlannedFault,
    number: u32,
}

/// Where a fault is brought about, and how.
struct Place<'a> {
    node: &'a NodeHandle,
    action: &'a FaultAction,
}

/// Where a fault is brought about that befalls this node.
fn places<'a>(
    lab: &'a Lab,
    fault: &'a PlannedFault,
    befalls: &str,
) -> Result<Vec<Place<'a>>, NodeError> {
    let around = fault.around.get(befalls);
    let Some(around) = around else {
        return Ok(vec![Place {
            node: lab.node(befalls)?,
            action: &fault.action,
        }]);
    };
    let places = around.iter().map(|at| {
        Ok(Place {
            node: lab.node(&at.gateway)?,
            action: &at.action,
        })
    });
    places.collect()
}

/// Breaks what is broken before the call begins.
pub(crate) async fn stand<'a>(
    lab: &'a Lab,
    breaking: Breaking<'a>,
    recorder: &Recorder,
) -> Result<Vec<Standing<'a>>, NodeError> {
    let mut standing = Vec::new();
    for (number, fault) in numbered(breaking.faults) {
        let Some(node) = fault.node.as_ref().filter(|_| is_standing(fault)) else {
            continue;
        };
        let places = places(lab, fault, node)?;
        begin(&places).await?;
        let begun = Instant::now();
        tell(
            recorder,
            fault,
            number,
            FaultEdge::Begun,
            begun,
            begun,
            None,
        );
        standing.push(Standing {
            places,
            fault,
            number,
        });
    }
    Ok(standing)
}

/// Mends what stood broken.
pub(crate) async fn mend(
    standing: Vec<Standing<'_>>,
    recorder: &Recorder,
) -> Result<(), NodeError> {
    for Standing {
        places,
        fault,
        number,
    } in standing
    {
        let dropped = end(&places).await?;
        let mended = Instant::now();
        tell(
            recorder,
            fault,
            number,
            FaultEdge::Mended,
            mended,
            mended,
            dropped,
        );
    }
    Ok(())
}

fn is_standing(fault: &PlannedFault) -> bool {
    fault.from.event == Milestone::Call
}

/// Each fault with its place among the scenario's, 1 being the first.
fn numbered(faults: &[PlannedFault]) -> impl Iterator<Item = (u32, &PlannedFault)> {
    (1..).zip(faults)
}

async fn begin(places: &[Place<'_>]) -> Result<(), NodeError> {
    let all = places.iter().map(|Place { node, action }| {
        let action = FaultAction::clone(action);
        node.request(Command::BeginFault { action }, FAULT_DEADLINE)
    });
    try_join_all(all).await.map(drop)
}

/// Returns how many packets were dropped, as far as the fault drops any.
async fn end(places: &[Place<'_>]) -> Result<Option<u64>, NodeError> {
    let all = places.iter().map(async |Place { node, action }| {
        let action = FaultAction::clone(action);
        match node
            .request(Command::EndFault { action }, FAULT_DEADLINE)
            .await?
        {
            Reply::Mended { dropped_packets } => Ok(dropped_packets),
            reply => Err(node.unexpected(&reply)),
        }
    });
    let dropped = try_join_all(all).await?;
    let mut dropped = dropped.into_iter().flatten();
    let first = dropped.next();
    Ok(first.map(|first| first + dropped.sum::<u64>()))
}

fn tell(
    recorder: &Recorder,
    fault: &PlannedFault,
    number: u32,
    edge: FaultEdge,
    at: Instant,
    due: Instant,
    dropped_packets: Option<u64>,
) {
    recorder.record(Event::Fault(FaultEvent {
        number,
        what: fault.what.clone(),
        edge,
        late_ms: at.saturating_duration_since(due).as_secs_f64() * 1e3,
        dropped_packets,
    }));
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
    let timed = numbered(breaking.faults).filter(|(_, fault)| !is_standing(fault));
    let faults = timed.map(|(number, fault)| {
        let step = Step {
            lab,
            call,
            turn_nodes: breaking.turn_nodes,
            fault,
            number,
            recorder,
            begin,
            connected,
        };
        step.through(over.clone())
    });
    let outcome = async {
        let reason = match breaking.expected {
            Some(expected) => outcome(call, breaking.faults, expected, recorder, begin).await,
            None => {
                all_begun(breaking.faults, recorder, begin).await;
                None
            }
        };
        let has_media = breaking.expected.is_none_or(|expected| expected.recovers);
        if reason.is_none() && has_media {
            tokio::time::sleep(Duration::from_millis(u64::from(call.media_ms))).await;
        }
        // Whatever is still broken is mended before anybody is asked for anything.
        is_over.send_replace(true);
        Ok(reason)
    };
    let (reason, _) = futures::future::try_join(outcome, try_join_all(faults)).await?;
    Ok(reason)
}

/// Waits until everything is broken that is to be.
async fn all_begun(faults: &[PlannedFault], recorder: &Recorder, begin: Position) {
    let mut left = faults.len();
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
    let _ = recorder.find(begin, patience(faults), search).await;
}

/// How long faults may take to begin.
fn patience(faults: &[PlannedFault]) -> Duration {
    // They begin some time after the call connects.
    let declared = faults.iter().map(|fault| fault.from.ms).max();
    Duration::from_millis(u64::from(declared.unwrap_or(0))) + FAULT_DEADLINE
}

/// Waits until the peers have come to what is expected of them, as long as that may take.
async fn outcome(
    call: &CallPlan,
    faults: &[PlannedFault],
    expected: &ExpectedRecovery,
    recorder: &Recorder,
    begin: Position,
) -> Option<String> {
    let mut states = States::new(call);
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
            true if expected.attempts == 0 => (all_done && states.both_connected()).then_some(()),
            true => (all_done && was_off && states.both_connected()).then_some(()),
            false => (begun >= all && states.both_gave_up()).then_some(()),
        }
    };
    let within = Duration::from_millis(u64::from(expected.within_ms)) + patience(faults);
    let found = recorder.find(begin, within, search).await;
    found.is_none().then(|| {
        let what = match expected.recovers {
            true => "not connected again",
            false => "not given up by both peers",
        };
        format!("{what} within {} ms of the first fault", expected.within_ms)
    })
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
        let places = places(self.lab, self.fault, &node)?;
        begin(&places).await?;
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
        let dropped_packets = end(&places).await?;
        self.tell(FaultEdge::Mended, Instant::now(), due, dropped_packets);
        Ok(())
    }

    /// Waits for a moment; returns when it was due. `own` is when what comes before this step happened.
    async fn due(&self, moment: Moment, own: Instant) -> Instant {
        let attempt = match moment.event {
            Milestone::Call | Milestone::Connected | Milestone::Begun => None,
            Milestone::Attempt1 => Some(1),
            Milestone::Attempt2 => Some(2),
            Milestone::Attempt3 => Some(3),
        };
        let from = match attempt {
            None => own,
            Some(number) => {
                let begins = |entry: &Entry| {
                    let Event::Recovery(RecoveryEvent::Started { attempt, .. }) = &entry.event
                    else {
                        return None;
                    };
                    (*attempt == number).then_some(())
                };
                // As long as the call goes on; whoever waits for more than that ends it.
                let _ = self.recorder.find(self.begin, Duration::MAX, begins).await;
                Instant::now()
            }
        };
        let due = from + Duration::from_millis(u64::from(moment.ms));
        tokio::time::sleep_until(due.into()).await;
        due
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
        let (fault, number) = (self.fault, self.number);
        tell(self.recorder, fault, number, edge, at, due, dropped_packets);
    }
}
