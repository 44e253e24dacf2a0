//! Runs as chrome://webrtc-internals dumps them ("Create a WebRTC-Internals dump"), for the tools that open such dumps.
//!
//! The dump has a connection for each `RTCPeerConnection` of each peer, its changes in `updateLog` and its statistics in
//! `stats`: for each property of each report a list of values as JSON in a string. Importers
//! (fippo/webrtc-dump-importer, rtcstats/rtcstats) find the times of the values in the report's own property
//! `timestamp`. Where Chrome has changed a form, this has the one that all of them read. A stored run knows neither
//! credentials nor session descriptions, and the dump has none.

mod connection;
mod series;
mod update;

use crate::StoredRun;
use connection::connections;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;

/// Writes the connections of all peers, or of one, as a webrtc-internals dump.
pub(crate) fn dump(
    runs: &[&StoredRun],
    peer: Option<&str>,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let mut peer_connections = BTreeMap::new();
    let mut process = 0;
    for run in runs {
        for name in run.result.peers.keys() {
            process += 1;
            if peer.is_some_and(|wanted| wanted != name) {
                continue;
            }
            for (number, connection) in (1..).zip(connections(run, name, process)) {
                let number: u64 = number;
                let key = format!("{process}-{number}");
                let numbered = connection.numbered(number);
                peer_connections.insert(key, numbered);
            }
        }
    }
    let version = env!("CARGO_PKG_VERSION");
    let brand = |brand: &str| Brand {
        brand: brand.to_owned(),
        version: version.to_owned(),
    };
    let dump = Dump {
        get_user_media: [],
        peer_connections,
        user_agent: format!("farcall/{version} (webrtc-rs)"),
        // Importers show the third.
        user_agent_data: [brand("farcall"), brand("webrtc-rs"), brand("farcall")],
        timestamp: runs
            .iter()
            .map(|run| epoch_ms(run, 0.0))
            .fold(0.0, f64::max),
    };
    serde_json::to_writer(&mut *out, &dump)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Dump {
    #[serde(rename = "getUserMedia")]
    get_user_media: [(); 0],
    #[serde(rename = "PeerConnections")]
    peer_connections: BTreeMap<String, connection::Connection>,
    #[serde(rename = "UserAgent")]
    user_agent: String,
    #[serde(rename = "UserAgentData")]
    user_agent_data: [Brand; 3],
    timestamp: f64,
}

#[derive(Serialize)]
struct Brand {
    brand: String,
    version: String,
}

/// A moment of a run in milliseconds since 1970, as JavaScript has it.
fn epoch_ms(run: &StoredRun, at_ms: f64) -> f64 {
    let started = run.about.started_at;
    let whole_s = started.unix_timestamp();
    // Exact for some 285,000 years.
    let whole_s = f64::from(u32::try_from(whole_s).unwrap_or(0));
    (whole_s * 1e3 + f64::from(started.millisecond()) + at_ms).round()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::stored::tests::{about, stored};
    use farcall_timeline::Event;
    use farcall_verdict::sample::{Sample, UDP_URL};
    use serde_json::Value;

    fn render(sample: &Sample, peer: Option<&str>) -> Value {
        let out = tempfile::tempdir().unwrap();
        let run = stored(&out, &about(), sample);
        let mut bytes = Vec::new();
        dump(&[&run], peer, &mut bytes).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    /// What importers ask of a statistic: `ID-PROPERTY`, with as many values as its report has times.
    #[test]
    fn every_value_has_a_time() {
        let dump = render(&Sample::good(), None);
        let connections = dump["PeerConnections"].as_object().unwrap();
        assert_eq!(connections.len(), 2);
        for connection in connections.values() {
            let stats = connection["stats"].as_object().unwrap();
            assert!(!stats.is_empty());
            for (name, series) in stats {
                let id = match name.split_once('[') {
                    Some((id, _)) => id.trim_end_matches('-'),
                    None => name.rsplit_once('-').unwrap().0,
                };
                let list = |series: &Value| -> Vec<Value> {
                    serde_json::from_str(series["values"].as_str().unwrap()).unwrap()
                };
                let times = list(&stats[&format!("{id}-timestamp")]);
                assert_eq!(list(series).len(), times.len(), "{name}");
                assert!(series["statsType"].is_string(), "{name}");
                assert!(series["startTime"].is_string() && series["endTime"].is_string());
            }
        }
    }

    #[test]
    fn what_changed_is_in_the_log_and_every_value_is_a_string() {
        let dump = render(&Sample::good(), Some("alice"));
        let connections = dump["PeerConnections"].as_object().unwrap();
        assert_eq!(connections.keys().collect::<Vec<_>>(), ["1-1"]);
        let log = connections["1-1"]["updateLog"].as_array().unwrap();
        let of = |kind: &str| -> Vec<&str> {
            let found = log.iter().filter(|update| update["type"] == kind);
            found
                .map(|update| update["value"].as_str().unwrap())
                .collect()
        };
        assert_eq!(of("connectionstatechange"), ["connecting", "connected"]);
        assert_eq!(of("icecandidate").len(), 2);
        assert!(of("icecandidateerror")[0].contains(UDP_URL));
        assert_eq!(of("addIceCandidate").len(), 1);
        let candidates = [of("icecandidate"), of("addIceCandidate")].concat();
        for candidate in candidates {
            // Where importers cut it.
            let parts: Vec<&str> = candidate.split(", ").collect();
            let line = parts[2].strip_prefix("candidate: candidate:").unwrap();
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(
                (words[1], words[2], words[6]),
                ("1", "udp", "typ"),
                "{line}"
            );
            words[3].parse::<u32>().unwrap();
            words[5].parse::<u16>().unwrap();
        }
        assert!(
            log.iter()
                .all(|update| update["time"].is_string() && update["timestamp"].is_number())
        );
    }

    #[test]
    fn every_pair_that_was_checked_is_a_statistic_with_its_candidates() {
        for (sample, pairs) in [
            (Sample::good(), [("CP1", "succeeded"), ("CP2", "failed")]),
            (
                Sample::not_connected(),
                [("CP2", "failed"), ("CP3", "failed")],
            ),
        ] {
            let dump = render(&sample, Some("alice"));
            let stats = &dump["PeerConnections"]["1-1"]["stats"];
            let last = |name: String| -> Value {
                let values = stats[&name]["values"].as_str().unwrap();
                let values: Vec<Value> = serde_json::from_str(values).unwrap();
                values.last().unwrap().clone()
            };
            for (pair, state) in pairs {
                assert_eq!(last(format!("{pair}-state")), state, "{stats:#}");
                assert!(last(format!("{pair}-requestsSent")).as_u64() > Some(0));
                for (end, remote) in [("local", false), ("remote", true)] {
                    let id = last(format!("{pair}-{end}CandidateId"));
                    let id = id.as_str().unwrap();
                    assert_eq!(last(format!("{id}-isRemote")), remote, "{stats:#}");
                }
            }
        }
    }

    #[test]
    fn each_connection_of_a_peer_is_one() {
        let mut sample = Sample::good();
        for (at_ms, peer) in [(3_999.0, "alice"), (3_999.0, "bob"), (9_000.0, "alice")] {
            let began = Event::CallStarted {
                configuration: "production".into(),
                policy: "all".into(),
            };
            sample.add(at_ms, peer, began);
        }
        let dump = render(&sample, None);
        let connections = dump["PeerConnections"].as_object().unwrap();
        let keys: Vec<&String> = connections.keys().collect();
        assert_eq!(keys, ["1-1", "1-2", "2-1"]);
        for connection in connections.values() {
            assert!(connection["rtcConfiguration"]["iceServers"].is_array());
        }
    }
}
