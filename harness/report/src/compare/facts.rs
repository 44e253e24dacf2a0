//! What of a run is compared.

use super::model::Kind;
use crate::StoredRun;
use crate::matrix::{ConnectedPath, formed_after_ms, path_of};
use farcall_timeline::{Event, FaultEdge, IceTransport, MediaKind, RecoveryEvent};
use farcall_verdict::{CheckVerdict, PeerResult, RtpReceived, Verdict};
use std::collections::BTreeMap;

/// A thing that is compared: what kind, and which.
pub(super) type Thing = (Kind, String);

/// What of a run is compared.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub words: BTreeMap<Thing, Word>,
    pub figures: BTreeMap<Thing, f64>,
}

/// How something is, in a word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Word {
    pub text: String,
    /// How bad it is, 0 being best; `None` where it is neither good nor bad.
    pub rank: Option<u32>,
}

impl Word {
    /// Of what a run does not have.
    pub(super) fn absent() -> Self {
        Self::new("not there", None)
    }

    fn new(text: impl Into<String>, rank: Option<u32>) -> Self {
        Self {
            text: text.into(),
            rank,
        }
    }
}

impl Facts {
    /// Of a run that passed or failed.
    pub(super) fn of(run: &StoredRun) -> Self {
        let mut facts = Self::default();
        facts.outcome(run);
        facts.connection(run);
        facts.recovery(run);
        for (name, peer) in &run.result.peers {
            facts.servers(name, peer);
            facts.media(run, name, peer);
        }
        for check in &run.result.checks {
            facts.word(Kind::Check, &check.name, check_word(check.verdict));
        }
        facts.expectations(run);
        facts
    }

    fn word(&mut self, kind: Kind, what: &str, word: Word) {
        self.words.insert((kind, what.to_owned()), word);
    }

    fn figure(&mut self, kind: Kind, what: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.figures.insert((kind, what.to_owned()), value);
        }
    }

    fn outcome(&mut self, run: &StoredRun) {
        let result = &run.result;
        let has_failed = result.verdict != Verdict::Pass;
        let verdict = Word::new(result.verdict.to_string(), Some(u32::from(has_failed)));
        self.word(Kind::Verdict, "the call", verdict);
        // Where no call is expected to connect, the cause is what a user of that network would meet.
        let is_bad = |bad: bool| expects_connection(run).then_some(u32::from(bad));
        let cause = match &result.diagnosis {
            None => Word::new("none", is_bad(false)),
            Some(diagnosis) => Word::new(diagnosis.cause.to_string(), is_bad(true)),
        };
        self.word(Kind::Cause, "the call", cause);
    }

    fn connection(&mut self, run: &StoredRun) {
        let mut peers = run.result.peers.values();
        let (Some(one), Some(other)) = (peers.next(), peers.next()) else {
            return;
        };
        let mut path = path_word(path_of(one, other).or_else(|| path_of(other, one)));
        path.rank = path.rank.filter(|_| expects_connection(run));
        self.word(Kind::Path, "between the peers", path);
        let formed_ms = formed_after_ms(one, other).or_else(|| formed_after_ms(other, one));
        self.figure(
            Kind::SetUpTime,
            "from the offer to both connected",
            formed_ms,
        );
    }

    fn servers(&mut self, name: &str, peer: &PeerResult) {
        for server in &peer.ice_servers {
            let what = format!("{name}, {}", server.url);
            let is_success = server.outcome.is_success();
            let outcome = Word::new(server.outcome.to_string(), Some(u32::from(!is_success)));
            let after_ms = is_success.then_some(server.after_ms);
            self.figure(Kind::SetUpTime, &what, after_ms);
            self.word(Kind::IceServer, &what, outcome);
        }
    }

    /// Of what is received, by the peer that receives it.
    fn media(&mut self, run: &StoredRun, name: &str, peer: &PeerResult) {
        let media = [
            (MediaKind::Audio, &peer.media.audio),
            (MediaKind::Video, &peer.media.video),
        ];
        for (kind, flow) in media {
            let Some(received) = flow.as_ref().map(|flow| &flow.received) else {
                continue;
            };
            let what = format!("{kind} at {name}");
            let first_ms = received.first_frame_after_ms;
            self.figure(Kind::SetUpTime, &format!("first frame of {what}"), first_ms);
            self.figure(Kind::Loss, &what, loss_percent(received));
            let jitter_ms = (received.packets > 0).then_some(received.jitter_ms);
            self.figure(Kind::Jitter, &what, jitter_ms);
        }
        let trips = run.timeline.of(name).filter_map(|event| match event {
            Event::RoundTrip { rtt_ms } => Some(*rtt_ms),
            _ => None,
        });
        // The shortest is the path's own; all others have waited for a busy machine as well.
        let shortest_ms = trips.min_by(f64::total_cmp);
        self.figure(Kind::RoundTrip, &format!("shortest at {name}"), shortest_ms);
    }

    fn recovery(&mut self, run: &StoredRun) {
        let entries = run.timeline.entries();
        let begun = entries.iter().find_map(|entry| match &entry.event {
            Event::Fault(fault) if fault.edge == FaultEdge::Begun => Some(entry.at_ms),
            _ => None,
        });
        let Some(begun_ms) = begun else { return };
        let steps = entries.iter().filter_map(|entry| match &entry.event {
            Event::Recovery(step) => Some((entry.at_ms, step)),
            _ => None,
        });
        let (mut attempts, mut recovered_ms, mut gave_up) = (0, None, false);
        for (at_ms, step) in steps {
            match step {
                RecoveryEvent::Started { attempt, .. } => attempts = attempts.max(*attempt),
                RecoveryEvent::Recovered { .. } => recovered_ms = Some(at_ms),
                RecoveryEvent::GaveUp { .. } => gave_up = true,
                RecoveryEvent::Scheduled { .. } | RecoveryEvent::Ended { .. } => {}
            }
        }
        let expected = run.declared.expect.recovery.as_ref();
        let is_hopeless = expected.is_some_and(|expected| !expected.recovers);
        let made = match attempts {
            1 => "1 attempt".to_owned(),
            several => format!("{several} attempts"),
        };
        let word = match (gave_up, recovered_ms) {
            (true, _) => Word::new(format!("gave up after {made}"), Some(u32::MAX)),
            (false, Some(_)) => Word::new(format!("recovered after {made}"), Some(attempts)),
            (false, None) => Word::new(format!("{made}, none of which recovered it"), None),
        };
        let rank = word.rank.filter(|_| !is_hopeless);
        self.word(Kind::Recovery, "the peers", Word { rank, ..word });
        let after_ms = recovered_ms.filter(|_| !gave_up);
        let after_ms = after_ms.map(|at_ms| at_ms - begun_ms);
        let what = "from the first fault to the last recovery";
        self.figure(Kind::RecoveryTime, what, after_ms);
    }

    fn expectations(&mut self, run: &StoredRun) {
        // They are written to `plan.json` in the same way, so this cannot fail.
        let Ok(serde_json::Value::Object(expect)) = serde_json::to_value(&run.declared.expect)
        else {
            return;
        };
        for (name, value) in expect {
            let word = Word::new(value.to_string(), None);
            self.word(Kind::Expectation, &name, word);
        }
    }
}

fn expects_connection(run: &StoredRun) -> bool {
    run.declared.expect.connects
}

/// The less a path costs the better: a direct one, then relays over UDP, TCP and TLS. Each peer's own relay counts.
fn path_word(path: Option<ConnectedPath>) -> Word {
    const NO_PATH: u32 = 100;
    let rank = match path {
        None => NO_PATH,
        Some(ConnectedPath::Relay { offerer, answerer }) => {
            let cost = |transport: Option<IceTransport>| match transport {
                None => 0,
                Some(IceTransport::Udp) => 1,
                Some(IceTransport::Tcp) => 2,
                Some(IceTransport::Tls) => 3,
            };
            1 + cost(offerer) + cost(answerer)
        }
        Some(ConnectedPath::Host | ConnectedPath::Srflx | ConnectedPath::Prflx) => 0,
    };
    let text = path.map_or_else(|| "not connected".to_owned(), |path| path.to_string());
    Word::new(text, Some(rank))
}

fn check_word(verdict: CheckVerdict) -> Word {
    let rank = match verdict {
        CheckVerdict::Pass => Some(0),
        CheckVerdict::Fail => Some(1),
        CheckVerdict::Invalid | CheckVerdict::Skipped => None,
    };
    Word::new(verdict.to_string(), rank)
}

/// Lost packets in percent of those that were expected; `None` where none was.
fn loss_percent(received: &RtpReceived) -> Option<f64> {
    let lost = u64::try_from(received.packets_lost).unwrap_or(0);
    let expected = received.packets + lost;
    // Exact below 2^53, which no call reaches.
    (expected > 0).then(|| 100.0 * lost as f64 / expected as f64)
}
