//! One fault on its way through the call.

use super::Course;
use super::broken::Broken;
use super::place::places;
use crate::states::States;
use farcall_lab::NodeError;
use farcall_plan::PlannedFault;
use farcall_scenario::{Milestone, Moment};
use farcall_timeline::{CandidateType, Entry, Event, FaultEdge, RecoveryEvent};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long before it is due a node is told of what breaks or is mended, so that it can make it ready. It takes a busy
/// machine some tens of milliseconds to start a program.
const AHEAD: Duration = Duration::from_secs(1);

/// One fault on its way.
pub(super) struct Step<'a> {
    pub course: &'a Course<'a>,
    pub fault: &'a PlannedFault,
    pub number: u32,
}

impl<'a> Step<'a> {
    /// Breaks, unless that was done before the call, and mends, until the call is over. Returns what can be mended only
    /// when the peers have ended the call.
    pub async fn through(
        self,
        standing: Option<Broken<'a>>,
        mut over: watch::Receiver<bool>,
    ) -> Result<Option<Broken<'a>>, NodeError> {
        let stood = standing.is_some();
        let broken = match standing {
            Some(broken) => Some(broken),
            None => self.begin(&mut over).await?,
        };
        let Some(broken) = broken else {
            return Ok(None);
        };
        let due = match self.fault.until {
            None => {
                is_over(&mut over).await;
                // Nothing that stood all the time lets anything through that counts.
                if stood || broken.moves() {
                    return Ok(Some(broken));
                }
                None
            }
            Some(until) => tokio::select! {
                due = self.nearly_due(until, broken.begun) => Some(due),
                () = is_over(&mut over) => None,
            },
        };
        broken.mend(self.course.recorder, due).await?;
        Ok(None)
    }

    /// Breaks when it is due; `None` if the call is over before, or there is nothing to break.
    async fn begin(
        &self,
        over: &mut watch::Receiver<bool>,
    ) -> Result<Option<Broken<'a>>, NodeError> {
        let Course { lab, recorder, .. } = *self.course;
        let due = tokio::select! {
            due = self.nearly_due(self.fault.from, self.course.begun) => due,
            () = is_over(over) => return Ok(None),
        };
        let what = &self.fault.what;
        let in_use = match &self.fault.node {
            Some(node) => Some(node.clone()),
            None => {
                self.relayed_pair(due).await;
                self.server_in_use(None)
            }
        };
        let Some(node) = in_use else {
            recorder.fault(format!(
                "failed to bring about {what}: media go through no TURN server; expect `relayed = true` where they must"
            ));
            return Ok(None);
        };
        let places = places(lab, self.fault, &node);
        let numbered = (self.number, self.fault);
        let broken = Broken::begin(places, numbered, Some(due), recorder).await?;
        if self.fault.node.is_none()
            && self
                .server_in_use(Some(broken.begun))
                .is_some_and(|now| now != node)
        {
            recorder.fault(format!(
                "failed to bring about {what}: media had left {node} for another server by then; run it again"
            ));
        }
        Ok(Some(broken))
    }

    /// Waits until it is as good as time for something to break or to be mended; returns when it is due. `own` is when
    /// what comes before this step happened.
    async fn nearly_due(&self, moment: Moment, own: Instant) -> Instant {
        let from = match moment.event {
            Milestone::Call | Milestone::Begun => own,
            Milestone::Connected => self.when_connected().await,
            Milestone::Attempt1 => self.when(|event| begins(event, 1)).await,
            Milestone::Attempt2 => self.when(|event| begins(event, 2)).await,
            Milestone::Attempt3 => self.when(|event| begins(event, 3)).await,
            Milestone::PreviousBegun => self.when_previous(FaultEdge::Begun).await,
            Milestone::PreviousMended => self.when_previous(FaultEdge::Mended).await,
        };
        let due = from + Duration::from_millis(u64::from(moment.ms));
        if let Some(ahead) = due.checked_sub(AHEAD) {
            tokio::time::sleep_until(ahead.into()).await;
        }
        due
    }

    async fn when_connected(&self) -> Instant {
        let mut states = States::new(self.course.call);
        self.first(|entry| {
            states.take(entry);
            states.both_connected()
        })
        .await
    }

    async fn when(&self, is_it: impl Fn(&Event) -> bool) -> Instant {
        self.first(|entry| is_it(&entry.event)).await
    }

    /// Waits for an event of this call, as long as it goes on; whoever waits for more than that ends it. Returns when
    /// it was.
    async fn first(&self, mut is_it: impl FnMut(&Entry) -> bool) -> Instant {
        let Course {
            recorder, begin, ..
        } = *self.course;
        let search = |entry: &Entry| is_it(entry).then_some(entry.at_ms);
        let found = recorder.find(begin, Duration::MAX, search).await;
        found.map_or_else(Instant::now, |at_ms| recorder.instant(at_ms))
    }

    async fn when_previous(&self, wanted: FaultEdge) -> Instant {
        let previous = self.number.saturating_sub(1);
        let is_it = |event: &Event| matches!(event, Event::Fault(fault) if fault.number == previous && fault.edge == wanted);
        self.when(is_it).await
    }

    /// Waits until a peer has selected a relayed pair, at most until then: it may tell of it a little later than of its
    /// connection.
    async fn relayed_pair(&self, at_most: Instant) {
        let Course {
            recorder, begin, ..
        } = *self.course;
        let within = at_most.saturating_duration_since(Instant::now());
        let is_relayed = |entry: &Entry| match &entry.event {
            Event::SelectedPair(pair) => {
                (pair.local.candidate_type == CandidateType::Relay).then_some(())
            }
            _ => None,
        };
        // In vain where media go another way, which is told of then.
        let _ = recorder.find(begin, within, is_relayed).await;
    }

    /// The node of the server of the last relayed pair that a peer of this call had selected at a moment; `None`: that it
    /// has told of.
    fn server_in_use(&self, at: Option<Instant>) -> Option<String> {
        let Course {
            recorder,
            begin,
            call,
            breaking,
            ..
        } = *self.course;
        let timeline = recorder.select(|position, entry| {
            position >= begin
                && at.is_none_or(|at| recorder.instant(entry.at_ms) <= at)
                && matches!(entry.event, Event::SelectedPair(_))
        });
        let mut newest = timeline.entries().iter().rev();
        newest.find_map(|entry| {
            let Event::SelectedPair(pair) = &entry.event else {
                return None;
            };
            let is_relay = pair.local.candidate_type == CandidateType::Relay;
            let url = pair.local.url.as_ref().filter(|_| is_relay)?;
            let mut servers = call.ice_servers.iter();
            let server = servers.find(|server| server.url.text == *url)?;
            breaking.turn_nodes.get(&server.url.host).cloned()
        })
    }
}

async fn is_over(over: &mut watch::Receiver<bool>) {
    let _ = over.wait_for(|is_over| *is_over).await;
}

fn begins(event: &Event, number: u32) -> bool {
    matches!(event, Event::Recovery(RecoveryEvent::Started { attempt, .. }) if *attempt == number)
}
