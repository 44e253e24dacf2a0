//! What flowed, in the words of W3C webrtc-stats.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kind of media.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    /// Opus.
    Audio,
    /// VP8.
    Video,
    /// The data channel.
    Data,
}

impl std::fmt::Display for MediaKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Data => "data",
        })
    }
}

/// What becomes of what one peer sends to the other, of one kind: where on the way from "not connected" to "flows" it
/// stops.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// It arrives.
    #[default]
    Flows,
    /// Some of it arrives: too much is lost for a link, too little for a block.
    Partly,
    /// The peers are connected, it is sent, and nothing of it arrives.
    Dropped,
    /// What arrives is silence or blackness: the sender is muted, and the network is not at fault.
    Silent,
    /// The peers are connected, and nothing is sent.
    NotSent,
    /// ICE was connected, and then checks were no longer answered (RFC 7675).
    ConsentLost,
    /// ICE is connected, and the DTLS handshake does not end: there are no keys for media (RFC 8827 section 6.5).
    NoDtls,
    /// ICE found no pair.
    NotConnected,
}

impl std::fmt::Display for Flow {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Flows => "flows",
            Self::Partly => "connected, but only some arrives",
            Self::Dropped => "connected, but nothing arrives of what is sent",
            Self::Silent => "connected, but the sender is silent",
            Self::NotSent => "connected, but nothing is sent",
            Self::ConsentLost => "was connected, but consent was lost",
            Self::NoDtls => "ICE is connected, but DTLS is not",
            Self::NotConnected => "not connected",
        })
    }
}

/// The direction of media, as seen from the peer that reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Sent by the reporting peer.
    Sent,
    /// Received by the reporting peer.
    Received,
}

/// One RTP stream, sent and received side of one peer.
///
/// Computed from the packets themselves, since the crate's own statistics are wrong in places
/// (webrtc 0.21.1 reports jitter in RTP clock units, and loss only when a report is sent).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MediaStats {
    /// RTP packets sent.
    pub packets_sent: u64,
    /// RTP payload bytes sent.
    pub bytes_sent: u64,
    /// Encoded frames sent.
    pub frames_sent: u64,
    /// RTP packets received.
    pub packets_received: u64,
    /// RTP payload bytes received.
    pub bytes_received: u64,
    /// Packets expected but not received (RFC 3550 appendix A.3); negative with duplicates.
    pub packets_lost: i64,
    /// Interarrival jitter in milliseconds (RFC 3550 appendix A.8).
    pub jitter_ms: f64,
    /// Complete frames received, whatever their content.
    pub frames_received: u64,
    /// Frames identical to a frame of the clip.
    pub frames_intact: u64,
    /// Complete frames that are no frame of the clip.
    pub frames_corrupt: u64,
    /// Frames of the clip that never became complete.
    pub frames_lost: u64,
    /// Frames of encoded silence or blackness: the sender is muted, the network is not at fault.
    pub frames_silent: u64,
    /// Frames received more than once.
    pub frames_duplicate: u64,
    /// From the start of reception to the first intact frame, in milliseconds.
    pub first_frame_after_ms: Option<f64>,
    /// The longest time without a complete frame between two frames, in milliseconds.
    pub longest_gap_ms: f64,
}

/// The data channel, sent and received side of one peer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataStats {
    /// Messages sent.
    pub messages_sent: u64,
    /// Payload bytes sent.
    pub bytes_sent: u64,
    /// Messages received with the content that was sent.
    pub messages_intact: u64,
    /// Messages received with another content.
    pub messages_corrupt: u64,
    /// Messages received out of order.
    pub messages_out_of_order: u64,
    /// Payload bytes received.
    pub bytes_received: u64,
}
