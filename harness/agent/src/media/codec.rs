//! The two codecs of a call, Opus and VP8, as they are negotiated and carried in RTP.

use farcall_timeline::MediaKind;
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_VP8, MediaEngine,
};
use rtc::rtp::codec::{opus, vp8};
use rtc::rtp::packetizer::{Depacketizer, Payloader};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RtpCodecKind,
};

/// A codec of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// Opus at 48 kHz, two channels (RFC 7587).
    Opus,
    /// VP8 (RFC 7741).
    Vp8,
}

impl Codec {
    /// The codec that carries this kind of media; `None` for data.
    #[must_use]
    pub fn of(kind: MediaKind) -> Option<Self> {
        match kind {
            MediaKind::Audio => Some(Self::Opus),
            MediaKind::Video => Some(Self::Vp8),
            MediaKind::Data => None,
        }
    }

    /// The kind of media that it carries.
    #[must_use]
    pub fn kind(self) -> MediaKind {
        match self {
            Self::Opus => MediaKind::Audio,
            Self::Vp8 => MediaKind::Video,
        }
    }

    /// The rate of the RTP clock, in Hz.
    #[must_use]
    pub fn clock_rate_hz(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            Self::Vp8 => 90_000,
        }
    }

    pub(crate) fn rtp_kind(self) -> RtpCodecKind {
        match self {
            Self::Opus => RtpCodecKind::Audio,
            Self::Vp8 => RtpCodecKind::Video,
        }
    }

    /// What stands in the session description, with the values that browsers offer.
    pub(crate) fn parameters(self) -> RTCRtpCodecParameters {
        match self {
            Self::Opus => RTCRtpCodecParameters {
                rtp_codec: RTCRtpCodec {
                    mime_type: MIME_TYPE_OPUS.to_owned(),
                    clock_rate: self.clock_rate_hz(),
                    channels: 2,
                    sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
                    rtcp_feedback: vec![],
                },
                payload_type: 111,
            },
            Self::Vp8 => RTCRtpCodecParameters {
                rtp_codec: RTCRtpCodec {
                    mime_type: MIME_TYPE_VP8.to_owned(),
                    clock_rate: self.clock_rate_hz(),
                    channels: 0,
                    sdp_fmtp_line: String::new(),
                    rtcp_feedback: vec![feedback("nack", ""), feedback("nack", "pli")],
                },
                payload_type: 96,
            },
        }
    }

    pub(crate) fn payloader(self) -> Box<dyn Payloader> {
        match self {
            Self::Opus => Box::new(opus::OpusPayloader),
            Self::Vp8 => Box::new(vp8::Vp8Payloader::default()),
        }
    }

    /// A depacketizer for one packet: that of VP8 keeps flags of earlier packets, so it must not
    /// be used twice.
    pub(crate) fn depacketizer(self) -> Box<dyn Depacketizer> {
        match self {
            Self::Opus => Box::new(opus::OpusPacket),
            Self::Vp8 => Box::new(vp8::Vp8Packet::default()),
        }
    }
}

fn feedback(typ: &str, parameter: &str) -> RTCPFeedback {
    RTCPFeedback {
        typ: typ.to_owned(),
        parameter: parameter.to_owned(),
    }
}

/// The media engine of a peer: Opus and VP8 and nothing else, so that what is negotiated is what
/// the clip is encoded in. Retransmissions come in the stream itself (no RTX), so that the packets
/// of one source are all there is to count.
///
/// # Errors
///
/// When the crate does not take a codec.
pub fn media_engine() -> webrtc::error::Result<MediaEngine> {
    let mut engine = MediaEngine::default();
    for codec in [Codec::Opus, Codec::Vp8] {
        engine.register_codec(codec.parameters(), codec.rtp_kind())?;
    }
    Ok(engine)
}
