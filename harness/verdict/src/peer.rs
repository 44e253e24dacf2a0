//! What happened at one peer.

use crate::case::Case;
use farcall_timeline::{
    Candidate, DataStats, Event, IceServerReport, MediaKind, MediaStats, SelectedPair,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happened at one peer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeerResult {
    /// What became of each URL, in the order of the ICE configuration.
    pub ice_servers: Vec<IceServerReport>,
    /// The local candidates in the order in which they were gathered.
    pub candidates: Vec<Candidate>,
    /// The candidate pair that was used last.
    pub selected_pair: Option<SelectedPair>,
    /// Every change of state.
    pub states: Vec<TimedState>,
    /// What was sent and received in all.
    pub media: MediaResult,
}

/// A state of the peer connection and when it was reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimedState {
    /// In milliseconds since the run began.
    pub at_ms: f64,
    /// `signaling`, `ice-gathering`, `ice-connection` or `connection`.
    pub machine: String,
    /// The state's W3C name.
    pub state: String,
}

/// What was sent and received in all; `None` where the peer reported nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MediaResult {
    /// Opus.
    pub audio: Option<Flow<RtpSent, RtpReceived>>,
    /// VP8.
    pub video: Option<Flow<RtpSent, RtpReceived>>,
    /// The data channel.
    pub data: Option<Flow<DataSent, DataReceived>>,
}

/// Both directions of one kind of media.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flow<S, R> {
    /// By this peer.
    pub sent: S,
    /// By this peer.
    pub received: R,
}

/// An RTP stream that was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RtpSent {
    /// RTP packets.
    pub packets: u64,
    /// RTP payload bytes.
    pub bytes: u64,
    /// Encoded frames.
    pub frames: u64,
}

/// An RTP stream that was received, compared with the clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RtpReceived {
    /// RTP packets.
    pub packets: u64,
    /// RTP payload bytes.
    pub bytes: u64,
    /// Packets expected but not received (RFC 3550 appendix A.3); negative with duplicates.
    pub packets_lost: i64,
    /// Interarrival jitter in milliseconds (RFC 3550 appendix A.8).
    pub jitter_ms: f64,
    /// Complete frames, whatever their content.
    pub frames: u64,
    /// Frames identical to a frame of the clip.
    pub frames_intact: u64,
    /// Complete frames that are no frame of the clip.
    pub frames_corrupt: u64,
    /// Frames that never became complete.
    pub frames_lost: u64,
    /// Frames of encoded silence or blackness.
    pub frames_silent: u64,
    /// Frames received more than once.
    pub frames_duplicate: u64,
    /// From the start of reception to the first intact frame, in milliseconds.
    pub first_frame_after_ms: Option<f64>,
    /// The longest time between two complete frames, in milliseconds.
    pub longest_gap_ms: f64,
}

/// Data channel messages that were sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataSent {
    /// Messages.
    pub messages: u64,
    /// Payload bytes.
    pub bytes: u64,
}

/// Data channel messages that were received.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataReceived {
    /// Payload bytes.
    pub bytes: u64,
    /// Messages with the content that was sent.
    pub messages_intact: u64,
    /// Messages with another content.
    pub messages_corrupt: u64,
    /// Messages out of order.
    pub messages_out_of_order: u64,
}

impl PeerResult {
    pub(crate) fn of(case: &Case<'_>, peer: &str) -> Self {
        Self {
            ice_servers: ice_servers(case, peer),
            candidates: collect(case, peer, |_, event| match event {
                Event::LocalCandidate(candidate) => Some(candidate.clone()),
                _ => None,
            }),
            selected_pair: case.pair(peer).cloned(),
            states: collect(case, peer, |at_ms, event| match event {
                Event::State(state) => Some(TimedState {
                    at_ms,
                    machine: state.machine.clone(),
                    state: state.state.clone(),
                }),
                _ => None,
            }),
            media: MediaResult {
                audio: case.media(peer, MediaKind::Audio).map(rtp_flow),
                video: case.media(peer, MediaKind::Video).map(rtp_flow),
                data: case.data(peer).map(data_flow),
            },
        }
    }
}

fn collect<T>(case: &Case<'_>, peer: &str, pick: impl Fn(f64, &Event) -> Option<T>) -> Vec<T> {
    case.of(peer)
        .iter()
        .filter_map(|(at_ms, event)| pick(*at_ms, event))
        .collect()
}

/// In the order of the configuration; what the plan does not know comes last.
fn ice_servers(case: &Case<'_>, peer: &str) -> Vec<IceServerReport> {
    let mut reports = case.servers(peer);
    let planned = case.declared.expect.ice_servers.get(peer);
    let mut ordered: Vec<IceServerReport> = planned
        .into_iter()
        .flatten()
        .filter_map(|expected| reports.remove(expected.url.as_str()).cloned())
        .collect();
    ordered.extend(reports.into_values().cloned());
    ordered
}

fn rtp_flow(stats: &MediaStats) -> Flow<RtpSent, RtpReceived> {
    Flow {
        sent: RtpSent {
            packets: stats.packets_sent,
            bytes: stats.bytes_sent,
            frames: stats.frames_sent,
        },
        received: RtpReceived {
            packets: stats.packets_received,
            bytes: stats.bytes_received,
            packets_lost: stats.packets_lost,
            jitter_ms: stats.jitter_ms,
            frames: stats.frames_received,
            frames_intact: stats.frames_intact,
            frames_corrupt: stats.frames_corrupt,
            frames_lost: stats.frames_lost,
            frames_silent: stats.frames_silent,
            frames_duplicate: stats.frames_duplicate,
            first_frame_after_ms: stats.first_frame_after_ms,
            longest_gap_ms: stats.longest_gap_ms,
        },
    }
}

fn data_flow(stats: &DataStats) -> Flow<DataSent, DataReceived> {
    Flow {
        sent: DataSent {
            messages: stats.messages_sent,
            bytes: stats.bytes_sent,
        },
        received: DataReceived {
            bytes: stats.bytes_received,
            messages_intact: stats.messages_intact,
            messages_corrupt: stats.messages_corrupt,
            messages_out_of_order: stats.messages_out_of_order,
        },
    }
}

#[cfg(test)]
mod tests {
    use crate::judge;
    use crate::sample::Sample;

    #[test]
    fn a_peer_has_its_servers_in_the_order_of_the_configuration() {
        let sample = Sample::good();
        let judgement = judge(&sample.timeline(), &sample.declared);
        let urls: Vec<_> = judgement.peers["alice"]
            .ice_servers
            .iter()
            .map(|server| server.url.as_str())
            .collect();
        assert_eq!(
            urls,
            [
                "turn:turn.example.net:443",
                "turn:turn.example.net:443?transport=tcp",
                "stun:stun.example.net:3478"
            ]
        );
    }

    #[test]
    fn totals_are_those_of_the_last_report() {
        let sample = Sample::good();
        let judgement = judge(&sample.timeline(), &sample.declared);
        let audio = judgement.peers["bob"].media.audio.as_ref();
        assert_eq!(audio.map(|flow| flow.received.frames_intact), Some(149));
        assert_eq!(audio.map(|flow| flow.sent.frames), Some(150));
    }
}
