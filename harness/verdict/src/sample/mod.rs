//! A run made by hand: alice behind a corporate firewall calls bob on a mobile network, relayed over
//! TCP 443. For tests, which break one thing each.

mod declared;
mod events;

use crate::{Check, Declared, Judgement, judge};
pub use declared::{STUN_URL, TCP_URL, UDP_URL};
use farcall_timeline::{
    CallState, CandidatePairReport, CandidatePairState, CandidateType, DataStats, Entry, Event,
    IceServerReport, MediaKind, MediaStats, RuleCounter, Timeline,
};

/// A run that can be changed.
#[derive(Debug, Clone)]
pub struct Sample {
    /// What it is judged against.
    pub declared: Declared,
    /// Its events.
    pub entries: Vec<Entry>,
}

impl Sample {
    /// A run in which all is well.
    #[must_use]
    pub fn good() -> Self {
        Self {
            declared: declared::declared(),
            entries: events::events(),
        }
    }

    /// The same run, but the call never connects.
    #[must_use]
    pub fn not_connected() -> Self {
        let mut sample = Self::good();
        sample.remove(|entry| match &entry.event {
            Event::State(state) => state.state == "connected",
            Event::SelectedPair(_) | Event::Media { .. } | Event::Data { .. } => true,
            Event::RemoteCandidate(remote) => remote.candidate_type == CandidateType::Prflx,
            _ => false,
        });
        sample.change(|event| match event {
            Event::CallEnded { reason } => {
                *reason = Some("not connected within 20000 ms".into());
            }
            Event::CandidatePair(pair) => {
                *pair = CandidatePairReport {
                    state: CandidatePairState::Failed,
                    nominated: false,
                    responses_received: 0,
                    requests_received: 0,
                    responses_sent: 0,
                    current_round_trip_ms: None,
                    ..pair.clone()
                };
            }
            _ => {}
        });
        sample
    }

    /// The run's timeline.
    #[must_use]
    pub fn timeline(&self) -> Timeline {
        Timeline::new(self.entries.clone())
    }

    /// What the run comes to.
    #[must_use]
    pub fn judge(&self) -> Judgement {
        judge(&self.timeline(), &self.declared)
    }

    /// One check of the run.
    ///
    /// # Panics
    /// When there is no check of that name.
    #[must_use]
    pub fn check(&self, name: &str) -> Check {
        let checks = self.judge().checks;
        let names: Vec<String> = checks.iter().map(|check| check.name.clone()).collect();
        checks
            .into_iter()
            .find(|check| check.name == name)
            .unwrap_or_else(|| panic!("no check {name} among {names:#?}"))
    }

    /// Changes every event.
    pub fn change(&mut self, mut change: impl FnMut(&mut Event)) {
        for entry in &mut self.entries {
            change(&mut entry.event);
        }
    }

    /// Changes every event of a node.
    pub fn change_of(&mut self, node: &str, mut change: impl FnMut(&mut Event)) {
        for entry in self.entries.iter_mut().filter(|entry| entry.node == node) {
            change(&mut entry.event);
        }
    }

    /// Changes what became of a URL.
    pub fn change_server(&mut self, peer: &str, url: &str, change: impl Fn(&mut IceServerReport)) {
        self.change_of(peer, |event| match event {
            Event::IceServer(report) if report.url == url => change(report),
            _ => {}
        });
    }

    /// Changes a stream's last report.
    pub fn change_media(
        &mut self,
        peer: &str,
        wanted: MediaKind,
        change: impl Fn(&mut MediaStats),
    ) {
        let last = self
            .entries
            .iter_mut()
            .rev()
            .find_map(|entry| match &mut entry.event {
                Event::Media { kind, stats } if entry.node == peer && *kind == wanted => {
                    Some(stats)
                }
                _ => None,
            });
        if let Some(stats) = last {
            change(stats);
        }
    }

    /// Changes a data channel's last report.
    pub fn change_data(&mut self, peer: &str, change: impl Fn(&mut DataStats)) {
        let last = self
            .entries
            .iter_mut()
            .rev()
            .find_map(|entry| match &mut entry.event {
                Event::Data { stats } if entry.node == peer => Some(stats),
                _ => None,
            });
        if let Some(stats) = last {
            change(stats);
        }
    }

    /// Changes what a rule had counted after the call.
    pub fn change_counter(&mut self, gateway: &str, rule: &str, change: impl Fn(&mut RuleCounter)) {
        self.change_of(gateway, |event| match event {
            Event::Counters { moment, rules } if moment == "after-call" => {
                rules
                    .iter_mut()
                    .filter(|counter| counter.rule == rule)
                    .for_each(&change);
            }
            _ => {}
        });
    }

    /// Lets a peer use another pair until the first second of media is over.
    pub fn change_relayed_late(&mut self, peer: &str) {
        let mut early = None;
        for entry in self.entries.iter_mut().filter(|entry| entry.node == peer) {
            if let Event::SelectedPair(pair) = &entry.event {
                let mut other = pair.clone();
                other.local.candidate_type = CandidateType::Host;
                early = Some((entry.at_ms, other));
                entry.at_ms = events::FIRST_REPORT_MS - 10.0;
            }
        }
        if let Some((at_ms, pair)) = early {
            self.add(at_ms, peer, Event::SelectedPair(pair));
        }
    }

    /// Removes events.
    pub fn remove(&mut self, is_removed: impl Fn(&Entry) -> bool) {
        self.entries.retain(|entry| !is_removed(entry));
    }

    /// Removes a state of a node.
    pub fn remove_state(&mut self, node: &str, machine: &str, state: &str) {
        self.remove(|entry| {
            entry.node == node
                && matches!(&entry.event, Event::State(found)
                    if found.machine == machine && found.state == state)
        });
    }

    /// Adds an event.
    pub fn add(&mut self, at_ms: f64, node: &str, event: Event) {
        self.entries.push(Entry {
            at_ms,
            node: node.into(),
            event,
        });
    }

    /// Adds a state of a node.
    pub fn add_state(&mut self, at_ms: f64, node: &str, machine: &str, state: &str) {
        let event = Event::State(CallState {
            machine: machine.into(),
            state: state.into(),
        });
        self.add(at_ms, node, event);
    }
}
