//! One connection of a dump.

use super::epoch_ms;
use super::series::{Series, Statistics};
use super::update::{Update, update};
use crate::StoredRun;
use farcall_timeline::{Candidate, CandidatePairReport, Entry, Event, MediaKind, SelectedPair};
use serde::Serialize;
use std::collections::BTreeMap;

/// A connection as a dump has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Connection {
    pid: u64,
    rid: u64,
    url: String,
    rtc_configuration: Configuration,
    constraints: String,
    stats: BTreeMap<String, Series>,
    update_log: Vec<Update>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    ice_servers: Vec<IceServer>,
    ice_transport_policy: String,
}

#[derive(Serialize)]
struct IceServer {
    urls: Vec<String>,
}

impl Connection {
    /// The same with its number among those of its peer.
    pub(super) fn numbered(mut self, number: u64) -> Self {
        self.rid = number;
        self
    }
}

/// The connections of a peer in their order.
pub(super) fn connections(run: &StoredRun, peer: &str, process: u64) -> Vec<Connection> {
    let own = run.timeline.entries().iter();
    let own: Vec<&Entry> = own.filter(|entry| entry.node == peer).collect();
    let begins = |entry: &&Entry| matches!(entry.event, Event::CallStarted { .. });
    let mut parts: Vec<Vec<&Entry>> = Vec::new();
    for entry in own {
        match parts.last_mut() {
            Some(part) if !(begins(&entry) && part.iter().any(begins)) => part.push(entry),
            _ => parts.push(vec![entry]),
        }
    }
    let each = parts
        .iter()
        .map(|part| connection(run, peer, process, part));
    each.collect()
}

fn connection(run: &StoredRun, peer: &str, process: u64, entries: &[&Entry]) -> Connection {
    let result = &run.result;
    let policy = entries.iter().find_map(|entry| match &entry.event {
        Event::CallStarted { policy, .. } => Some(policy.clone()),
        _ => None,
    });
    let urls = run.declared.expect.ice_servers.get(peer);
    Connection {
        pid: process,
        rid: 1,
        url: format!(
            "farcall://{}/{}/{peer}",
            result.scenario, result.ice_configuration
        ),
        rtc_configuration: Configuration {
            ice_servers: urls
                .into_iter()
                .flatten()
                .map(|expected| IceServer {
                    urls: vec![expected.url.clone()],
                })
                .collect(),
            ice_transport_policy: policy.unwrap_or_else(|| "all".to_owned()),
        },
        constraints: String::new(),
        stats: statistics(run, entries),
        update_log: entries
            .iter()
            .filter_map(|entry| update(&entry.event, epoch_ms(run, entry.at_ms)))
            .collect(),
    }
}

/// The statistics at each report of media, in the words of W3C webrtc-stats.
fn statistics(run: &StoredRun, entries: &[&Entry]) -> BTreeMap<String, Series> {
    let mut statistics = Statistics::default();
    let mut state = "new";
    let mut pair = None;
    let mut others = Others::default();
    for entry in entries {
        let at_ms = epoch_ms(run, entry.at_ms);
        match &entry.event {
            Event::State(changed) if changed.machine == "connection" => state = &changed.state,
            Event::SelectedPair(changed) => {
                pair = Some(changed);
                selected(&mut statistics, at_ms, changed, state, None);
            }
            Event::CandidatePair(report) => match pair {
                Some(selected) if report.is_selected(selected) => {
                    checked(&mut statistics, at_ms, report, ["CP1", "L1", "R1"]);
                }
                _ => others.checked(&mut statistics, at_ms, report),
            },
            Event::Media { kind, stats } => {
                let (inbound, outbound) = match kind {
                    MediaKind::Video => ("IV", "OV"),
                    _ => ("IA", "OA"),
                };
                let kind = kind.to_string();
                let mut report = statistics.report(outbound, "outbound-rtp", at_ms);
                report.set("kind", kind.as_str());
                report.set("packetsSent", stats.packets_sent);
                report.total("bytesSent", stats.bytes_sent);
                report.set("framesSent", stats.frames_sent);
                let mut report = statistics.report(inbound, "inbound-rtp", at_ms);
                report.set("kind", kind.as_str());
                report.set("packetsReceived", stats.packets_received);
                report.total("bytesReceived", stats.bytes_received);
                report.set("packetsLost", stats.packets_lost);
                // In seconds.
                report.set("jitter", stats.jitter_ms / 1e3);
                report.set("framesReceived", stats.frames_received);
            }
            Event::Data { stats } => {
                let mut report = statistics.report("D1", "data-channel", at_ms);
                report.set("messagesSent", stats.messages_sent);
                report.total("bytesSent", stats.bytes_sent);
                let received = stats.messages_intact + stats.messages_corrupt;
                report.set("messagesReceived", received);
                report.total("bytesReceived", stats.bytes_received);
            }
            Event::RoundTrip { rtt_ms } => {
                let Some(pair) = pair else { continue };
                // In seconds.
                selected(&mut statistics, at_ms, pair, state, Some(rtt_ms / 1e3));
            }
            _ => {}
        }
    }
    statistics.into_series()
}

fn selected(
    statistics: &mut Statistics,
    at_ms: f64,
    pair: &SelectedPair,
    state: &str,
    round_trip_s: Option<f64>,
) {
    candidate(statistics, at_ms, "L1", "local-candidate", &pair.local);
    candidate(statistics, at_ms, "R1", "remote-candidate", &pair.remote);
    let mut report = statistics.report("CP1", "candidate-pair", at_ms);
    report.set("transportId", "T1");
    report.set("localCandidateId", "L1");
    report.set("remoteCandidateId", "R1");
    report.set("state", "succeeded");
    report.set("nominated", true);
    report.set("currentRoundTripTime", round_trip_s);
    let mut report = statistics.report("T1", "transport", at_ms);
    report.set("selectedCandidatePairId", "CP1");
    report.set("dtlsState", state);
}

/// The candidates of pairs that were not selected, by the numbers of their ids; the selected pair's have the number 1.
#[derive(Default)]
struct Others<'a> {
    pairs: usize,
    local: Vec<&'a Candidate>,
    remote: Vec<&'a Candidate>,
}

impl<'a> Others<'a> {
    fn checked(
        &mut self,
        statistics: &mut Statistics,
        at_ms: f64,
        report: &'a CandidatePairReport,
    ) {
        let (local, remote) = (&report.local, &report.remote);
        let (of_local, is_new) = number(&mut self.local, local);
        let local_id = format!("L{of_local}");
        if is_new {
            candidate(statistics, at_ms, &local_id, "local-candidate", local);
        }
        let (of_remote, is_new) = number(&mut self.remote, remote);
        let remote_id = format!("R{of_remote}");
        if is_new {
            candidate(statistics, at_ms, &remote_id, "remote-candidate", remote);
        }
        self.pairs += 1;
        let id = format!("CP{}", self.pairs + 1);
        checked(statistics, at_ms, report, [&id, &local_id, &remote_id]);
    }
}

/// The number of a candidate, beginning with 2, and whether it has not been told of.
fn number<'a>(known: &mut Vec<&'a Candidate>, candidate: &'a Candidate) -> (usize, bool) {
    if let Some(index) = known.iter().position(|one| *one == candidate) {
        return (index + 2, false);
    }
    known.push(candidate);
    (known.len() + 1, true)
}

/// A pair with the ids of itself and its candidates.
fn checked(
    statistics: &mut Statistics,
    at_ms: f64,
    pair: &CandidatePairReport,
    [id, local, remote]: [&str; 3],
) {
    let mut report = statistics.report(id, "candidate-pair", at_ms);
    report.set("transportId", "T1");
    report.set("localCandidateId", local);
    report.set("remoteCandidateId", remote);
    report.set("state", pair.state.to_string());
    report.set("nominated", pair.nominated);
    report.set("requestsSent", pair.requests_sent);
    report.set("responsesReceived", pair.responses_received);
    report.set("requestsReceived", pair.requests_received);
    report.set("responsesSent", pair.responses_sent);
    // In seconds.
    let round_trip_s = pair.current_round_trip_ms.map(|ms| ms / 1e3);
    report.set("currentRoundTripTime", round_trip_s);
}

fn candidate(statistics: &mut Statistics, at_ms: f64, id: &str, kind: &str, candidate: &Candidate) {
    let (address, port) = address_and_port(&candidate.address);
    let mut report = statistics.report(id, kind, at_ms);
    report.set("transportId", "T1");
    report.set("isRemote", kind == "remote-candidate");
    report.set("candidateType", candidate.candidate_type.to_string());
    report.set("address", address);
    report.set("port", port);
    report.set("protocol", candidate.protocol.as_str());
    if let Some(transport) = candidate.relay_protocol {
        report.set("relayProtocol", transport.to_string());
    }
    if let Some(url) = &candidate.url {
        report.set("url", url.as_str());
    }
}

/// A transport address in its parts; port 0 where it has none.
pub(super) fn address_and_port(address: &str) -> (String, u16) {
    match address.parse::<std::net::SocketAddr>() {
        Ok(address) => (address.ip().to_string(), address.port()),
        Err(_) => (address.to_owned(), 0),
    }
}
