//! The calls of a matrix.

use super::schedule::Schedule;
use super::slice::{When, is_about, reporter};
use super::{MatrixProgress, MatrixRun, fault_of, locked, sessions};
use crate::call::{self, Placement};
use crate::collect::{self, Moment};
use crate::recorder::{Position, RECORDING_DEADLINE};
use farcall_lab::{Lab, NodeError};
use farcall_plan::Cell;
use farcall_protocol::Command;
use farcall_report::CellResult;
use farcall_scenario::CellSource;
use farcall_timeline::{Entry, Event, Phase};
use farcall_verdict::{Declared, judge};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::time::Duration;

/// How long a peer may take to hang up after its call broke.
const HANG_UP_DEADLINE: Duration = Duration::from_secs(5);

impl MatrixRun<'_> {
    /// Places the calls, as many at a time as the options say.
    pub(super) async fn place_calls(&self, lab: &Lab) {
        let cells = &self.matrix.cells;
        let mut schedule = Schedule::new(cells);
        let mut calls = FuturesUnordered::new();
        loop {
            while calls.len() < self.options.jobs.max(1)
                && let Some(index) = schedule.take()
            {
                calls.push(async move { (index, self.place(lab, &cells[index]).await) });
            }
            let Some((index, result)) = calls.next().await else {
                return;
            };
            schedule.release(index);
            self.say(MatrixProgress::Called(Box::new(result.clone())));
            if let Some(kept) = locked(&self.results).get_mut(index) {
                *kept = Some(result);
            }
        }
    }

    async fn place(&self, lab: &Lab, cell: &Cell) -> CellResult {
        let begin = self.recorder.position();
        let is_sound = cell.nodes.is_disjoint(&locked(&self.unsound));
        if is_sound {
            self.say(MatrixProgress::Calls {
                offerer: cell.offerer.clone(),
                answerer: cell.answerer.clone(),
            });
            let reporter = reporter(cell);
            let phase = Phase::Call;
            self.recorder
                .record_of(&reporter, Event::PhaseStarted { phase });
            match self.call(lab, cell, &reporter, begin).await {
                Ok(()) => self
                    .recorder
                    .record_of(&reporter, Event::PhaseEnded { phase }),
                Err(error) => {
                    self.recorder.record_of(&reporter, fault_of(&error));
                    self.hang_up(lab, cell).await;
                }
            }
            // What was sent before the call's end is recorded before it.
            let ends = |entry: &Entry| {
                let is_end = matches!(
                    entry.event,
                    Event::PhaseEnded { .. } | Event::HarnessFault { .. }
                );
                (is_end && entry.node == reporter).then_some(())
            };
            let _ = self.recorder.find(begin, RECORDING_DEADLINE, ends).await;
        }
        self.judge(cell, begin, self.recorder.position())
    }

    async fn call(
        &self,
        lab: &Lab,
        cell: &Cell,
        reporter: &str,
        begin: Position,
    ) -> Result<(), NodeError> {
        let gateways = || cell.expect.gateways.values().flatten().map(String::as_str);
        collect::counters(lab, gateways(), self.recorder, Moment::BeforeCall).await?;
        let placement = Placement {
            call: &cell.call,
            configuration: &self.matrix.plan.ice_configuration,
            within_ms: cell.expect.within_ms,
            connects: cell.expect.connects,
            reporter,
            breaking: None,
        };
        call::place(lab, placement, self.recorder).await?;
        collect::counters(lab, gateways(), self.recorder, Moment::AfterCall).await?;
        let is_gateway = |node: &str| cell.nodes.contains(node);
        sessions::closed(self.recorder, begin, &cell.expect, is_gateway).await;
        Ok(())
    }

    /// Ends what is left of a call that broke, so that its peers can be in another.
    async fn hang_up(&self, lab: &Lab, cell: &Cell) {
        for peer in [&cell.call.offerer, &cell.call.answerer] {
            if let Ok(node) = lab.node(peer) {
                // Who is in no call says so.
                let _ = node.request(Command::EndCall, HANG_UP_DEADLINE).await;
            }
        }
    }

    /// What the log says of a cell whose call was from one place of it to another.
    pub(super) fn judge(&self, cell: &Cell, begin: Position, end: Position) -> CellResult {
        let timeline = self.recorder.select(|position, entry| {
            let when = if position < begin {
                When::Before
            } else if position < end {
                When::During
            } else {
                When::After
            };
            is_about(cell, entry, when)
        });
        let mut declared = Declared::from(&self.matrix.plan);
        declared.expect = cell.expect.clone();
        declared
            .attestation
            .retain(|declaration| cell.nodes.contains(&declaration.node));
        let source = cell.source.map(|source| match source {
            CellSource::Libwebrtc => "libwebrtc".to_owned(),
            CellSource::Reasoned => "reasoned".to_owned(),
        });
        CellResult::new(
            [&cell.offerer, &cell.answerer],
            [&cell.call.offerer, &cell.call.answerer],
            judge(&timeline, &declared),
            source,
            cell.because.clone(),
        )
    }
}
