//! A run as a Mermaid sequence diagram: signalling, allocations, checks, faults, attempts.

use crate::StoredRun;
use crate::format::duration;
use crate::place::{node_of_fault, nodes, server_of};
use crate::words::{candidate_in_words, fault_in_words};
use farcall_timeline::{
    CandidateType, Entry, Event, IceServerOutcome, IceServerReport, MediaKind, SelectedPair,
};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

/// How many arrows and notes a diagram has at most: Mermaid refuses texts beyond 50,000 characters.
const MOST_STEPS: usize = 300;

/// Writes a run as a Mermaid sequence diagram.
pub(crate) fn mermaid(run: &StoredRun, out: &mut dyn Write) -> std::io::Result<()> {
    let steps = Steps::of(run);
    let shown = &steps.list[..steps.list.len().min(MOST_STEPS)];
    let result = &run.result;
    writeln!(out, "sequenceDiagram")?;
    writeln!(
        out,
        "    %% {} {} with {}",
        result.verdict,
        safe(&result.scenario),
        safe(&result.ice_configuration)
    )?;
    let involved: BTreeSet<&str> = shown.iter().flat_map(|step| step.nodes()).collect();
    for (number, node) in steps.nodes.iter().enumerate() {
        if involved.contains(node) {
            writeln!(out, "    participant n{number} as {}", safe(node))?;
        }
    }
    for step in shown {
        writeln!(out, "    {}", step.text(&steps.nodes))?;
    }
    let left_out = steps.list.len() - shown.len();
    match (left_out, steps.nodes.first()) {
        (1.., Some(_)) => writeln!(out, "    %% {left_out} further steps are left out"),
        _ => Ok(()),
    }
}

/// An arrow between two nodes, or a note over one.
struct Step<'a> {
    at_ms: f64,
    from: &'a str,
    /// The arrow and where it leads; `None` for a note.
    to: Option<(&'static str, &'a str)>,
    what: String,
}

impl<'a> Step<'a> {
    fn nodes(&self) -> impl Iterator<Item = &'a str> {
        [Some(self.from), self.to.map(|(_, to)| to)]
            .into_iter()
            .flatten()
    }

    fn text(&self, nodes: &[&str]) -> String {
        let id = |name: &str| {
            let known = nodes.iter().position(|node| *node == name);
            format!("n{}", known.unwrap_or_default())
        };
        let what = format!("{} {}", duration(self.at_ms), safe(&self.what));
        match self.to {
            Some((arrow, to)) => format!("{}{arrow}{}: {what}", id(self.from), id(to)),
            None => format!("Note over {}: {what}", id(self.from)),
        }
    }
}

/// What a message text cannot have as it is: `;` ends a statement and `#` begins a character's code.
fn safe(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut coded = String::new();
    for letter in words.join(" ").chars() {
        match letter {
            ';' => coded.push_str("#59;"),
            '#' => coded.push_str("#35;"),
            other => coded.push(other),
        }
    }
    coded
}

struct Steps<'a> {
    run: &'a StoredRun,
    nodes: Vec<&'a str>,
    /// The signaling state of each peer.
    signaling: BTreeMap<&'a str, &'a str>,
    /// Who made an offer of which the other has not told yet, or the other way about.
    offers: BTreeSet<&'a str>,
    /// Peers that have had media.
    served: BTreeSet<&'a str>,
    list: Vec<Step<'a>>,
}

impl<'a> Steps<'a> {
    fn of(run: &'a StoredRun) -> Self {
        let mut steps = Self {
            run,
            nodes: nodes(run),
            signaling: BTreeMap::new(),
            offers: BTreeSet::new(),
            served: BTreeSet::new(),
            list: Vec::new(),
        };
        let entries = run.timeline.entries();
        let began = entries
            .iter()
            .find(|entry| matches!(entry.event, Event::CallStarted { .. } | Event::State(_)));
        let began_ms = began.map_or(0.0, |entry| entry.at_ms);
        for entry in entries {
            steps.add(entry.at_ms - began_ms, entry);
        }
        steps
    }

    fn other(&self, peer: &str) -> Option<&'a str> {
        let mut peers = self.run.result.peers.keys();
        peers.find(|name| *name != peer).map(String::as_str)
    }

    fn arrow(
        &mut self,
        at_ms: f64,
        from: &'a str,
        arrow: &'static str,
        to: Option<&'a str>,
        what: String,
    ) {
        self.list.push(Step {
            at_ms,
            from,
            to: to.map(|to| (arrow, to)),
            what,
        });
    }

    fn add(&mut self, at_ms: f64, entry: &'a Entry) {
        let node = entry.node.as_str();
        let other = self.other(node);
        match &entry.event {
            Event::CallStarted { policy, .. } => {
                self.arrow(
                    at_ms,
                    node,
                    "",
                    None,
                    format!("new connection, policy {policy}"),
                );
            }
            Event::State(state) => match (state.machine.as_str(), state.state.as_str()) {
                ("signaling", state) => self.signaling(at_ms, node, state),
                ("ice-connection", "checking") => {
                    self.arrow(at_ms, node, "->>", other, "connectivity checks".to_owned());
                }
                ("connection", "connected" | "disconnected" | "failed" | "closed") => {
                    self.arrow(at_ms, node, "", None, state.state.clone());
                }
                _ => {}
            },
            Event::LocalCandidate(candidate) => {
                let what = format!("candidate {}", candidate_in_words(candidate));
                self.arrow(at_ms, node, "->>", other, what);
            }
            Event::IceServer(report) => self.server(at_ms, node, report),
            Event::SelectedPair(pair) => self.pair(at_ms, node, pair),
            Event::Media {
                kind: MediaKind::Video,
                stats,
            } => {
                if stats.frames_intact + stats.frames_silent > 0
                    && self.served.insert(node)
                    && let Some(other) = other
                {
                    self.arrow(at_ms, other, "->>", Some(node), "media arrive".to_owned());
                }
            }
            Event::Fault(fault) => {
                let at = node_of_fault(self.run, fault).unwrap_or(node);
                let what = format!("fault {}, {}", fault.number, fault_in_words(fault));
                self.arrow(at_ms, at, "", None, what);
            }
            Event::Recovery(step) => self.arrow(at_ms, node, "", None, step.to_string()),
            Event::CallEnded { reason } => {
                if let (Some(reason), Some(first)) = (reason, self.nodes.first().copied()) {
                    self.arrow(at_ms, first, "", None, format!("given up, {reason}"));
                }
            }
            _ => {}
        }
    }

    /// An offer when the first of both peers tells of it, whose clocks are not quite the same; an answer when who gives
    /// it is done.
    fn signaling(&mut self, at_ms: f64, node: &'a str, state: &'a str) {
        let other = self.other(node);
        let before = self.signaling.insert(node, state);
        let offer = match state {
            "have-local-offer" => Some((Some(node), other)),
            "have-remote-offer" => Some((other, Some(node))),
            _ => None,
        };
        if let Some((Some(from), to)) = offer {
            if !self.offers.remove(from) {
                self.offers.insert(from);
                self.arrow(at_ms, from, "->>", to, "offer".to_owned());
            }
        } else if state == "stable" && before == Some("have-remote-offer") {
            self.arrow(at_ms, node, "->>", other, "answer".to_owned());
        }
    }

    /// A question to a server and what became of it.
    fn server(&mut self, at_ms: f64, peer: &'a str, report: &'a IceServerReport) {
        if report.outcome == IceServerOutcome::NotUsed {
            return;
        }
        let server = server_of(self.run, &report.url);
        let asked = duration(at_ms - report.after_ms);
        let what = format!("{} over {}", report.url, report.transport);
        if report.outcome == IceServerOutcome::NoAnswer {
            self.arrow(
                at_ms,
                peer,
                "-x",
                server,
                format!("{what}, no answer since {asked}"),
            );
            return;
        }
        self.arrow(at_ms, peer, "->>", server, what);
        let what = match &report.relay_address {
            Some(address) => format!("{}, relay {address}", report.outcome),
            None => format!("{} {}", report.outcome, report.reason),
        };
        if let Some(server) = server {
            self.arrow(at_ms, server, "-->>", Some(peer), what);
        }
    }

    /// The way of the selected pair from its peer.
    fn pair(&mut self, at_ms: f64, peer: &'a str, pair: &'a SelectedPair) {
        let what = format!(
            "selected {} to {}",
            pair.local.candidate_type, pair.remote.candidate_type
        );
        let url = pair.local.url.as_deref();
        let relay = match pair.local.candidate_type {
            CandidateType::Relay => url.and_then(|url| server_of(self.run, url)),
            _ => None,
        };
        let other = self.other(peer);
        match relay {
            Some(relay) => {
                self.arrow(at_ms, peer, "->>", Some(relay), what.clone());
                self.arrow(at_ms, relay, "->>", other, what);
            }
            None => self.arrow(at_ms, peer, "->>", other, what),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::stored::tests::{about, stored};
    use farcall_timeline::{FaultEdge, FaultEvent, RecoveryEvent};
    use farcall_verdict::sample::{Sample, UDP_URL};

    fn render(sample: &Sample) -> String {
        let out = tempfile::tempdir().unwrap();
        let mut bytes = Vec::new();
        mermaid(&stored(&out, &about(), sample), &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn broken() -> Sample {
        let mut sample = Sample::good();
        let fault = |edge, dropped_packets| {
            Event::Fault(FaultEvent {
                number: 1,
                what: "server-frozen at turn".into(),
                edge,
                late_ms: Some(0.0),
                dropped_packets,
                crossed: None,
            })
        };
        sample.add(7_000.0, "harness", fault(FaultEdge::Begun, None));
        sample.add(8_000.0, "harness", fault(FaultEdge::Mended, Some(12)));
        let step = RecoveryEvent::Started {
            attempt: 1,
            of: 3,
            trigger: "failed".into(),
            strategy: "reset".into(),
        };
        sample.add(8_100.0, "alice", Event::Recovery(step));
        sample
    }

    #[test]
    fn a_run_reads_as_a_sequence() {
        insta::assert_snapshot!(render(&broken()));
    }

    #[test]
    fn no_text_can_end_a_statement() {
        let mut sample = Sample::good();
        sample.change_server("alice", UDP_URL, |report| {
            report.outcome = IceServerOutcome::ServerError;
            report.reason = "end; Note over n0: #1\nparticipant x".into();
        });
        let text = render(&sample);
        assert!(
            text.contains("end#59; Note over n0: #35;1 participant x"),
            "{text}"
        );
    }

    #[test]
    fn a_long_run_is_cut_before_mermaid_refuses_it() {
        let mut sample = broken();
        for index in 0..2_000_u32 {
            let step = RecoveryEvent::Recovered { attempts: index };
            sample.add(8_200.0, "alice", Event::Recovery(step));
        }
        let text = render(&sample);
        assert!(text.len() < 50_000, "{}", text.len());
        assert!(text.contains("further steps are left out"), "{text}");
    }
}
