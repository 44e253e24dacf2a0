//! The tracks that a peer sends.

use super::{Clip, ClipError, Codec, Feed, Pace, Source, lock};
use farcall_timeline::{MediaKind, MediaStats};
use rtc::media_stream::MediaStreamTrack;
use rtc::rtp_transceiver::PayloadType;
use rtc::rtp_transceiver::rtp_sender::{RTCRtpCodingParameters, RTCRtpEncodingParameters};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::PeerConnection;
use webrtc::rtp_transceiver::RtpSender;

/// The media stream to which both tracks belong, so that a receiver may play them in time.
const STREAM_ID: &str = "farcall";

/// What a peer sends; `None` for a track that is not there at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaOptions {
    /// The audio track.
    pub audio: Option<Feed>,
    /// The video track.
    pub video: Option<Feed>,
}

impl Default for MediaOptions {
    fn default() -> Self {
        Self {
            audio: Some(Feed::Live),
            video: Some(Feed::Live),
        }
    }
}

/// Media could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The clip is unfit.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// The peer connection did not take the track.
    #[error("failed to add the {kind} track to the peer connection")]
    AddTrack {
        /// Which track.
        kind: MediaKind,
        /// The crate's reason.
        #[source]
        source: webrtc::error::Error,
    },
    /// Sending began before the other side agreed to receive, or it refused.
    #[error(
        "failed to start sending {kind}: {codec:?} is not negotiated; \
         the session descriptions must be exchanged before, and offer it"
    )]
    NotNegotiated {
        /// Which track.
        kind: MediaKind,
        /// The codec of the clip.
        codec: Codec,
    },
    /// The peer connection is gone.
    #[error("failed to start sending {kind}: the peer connection does not tell what is negotiated")]
    Parameters {
        /// Which track.
        kind: MediaKind,
        /// The crate's reason.
        #[source]
        source: webrtc::error::Error,
    },
}

/// The tracks of a peer, which send once started. Sending ends when this is dropped.
pub struct Senders {
    tracks: Vec<Track>,
    tasks: JoinSet<()>,
    cancel: CancellationToken,
}

struct Track {
    clip: Arc<Clip>,
    feed: Feed,
    ssrc: u32,
    local: Arc<TrackLocalStaticRTP>,
    sender: Arc<dyn RtpSender>,
    sent: Arc<Mutex<MediaStats>>,
}

/// Adds the tracks to a peer connection. Before the offer or the answer is created.
///
/// # Errors
///
/// When the clip is unfit, or the peer connection refuses a track.
pub async fn add_tracks(
    connection: &dyn PeerConnection,
    options: &MediaOptions,
) -> Result<Senders, MediaError> {
    let feeds = [(Codec::Opus, options.audio), (Codec::Vp8, options.video)];
    let mut tracks = Vec::new();
    for (codec, feed) in feeds {
        if let Some(feed) = feed {
            tracks.push(Track::add(connection, codec, feed).await?);
        }
    }
    Ok(Senders {
        tracks,
        tasks: JoinSet::new(),
        cancel: CancellationToken::new(),
    })
}

impl Senders {
    /// Begins to send, with the first frame of the clip at `start`. When the connection is
    /// established; earlier packets would be lost.
    ///
    /// # Errors
    ///
    /// When the other side has not agreed to receive a codec.
    pub async fn start(&mut self, start: Instant) -> Result<(), MediaError> {
        for track in &self.tracks {
            let payload_type = track.payload_type().await?;
            let send = track.run(start, payload_type);
            let cancel = self.cancel.clone();
            self.tasks.spawn(async move { send.until(&cancel).await });
        }
        Ok(())
    }

    /// Ends sending, after the frame that is being sent.
    pub async fn stop(&mut self) {
        self.cancel.cancel();
        while self.tasks.join_next().await.is_some() {}
    }

    /// Puts what was sent of this kind beside what was received: the statistics of one peer.
    /// Packets count as sent when the crate has taken them.
    #[must_use]
    pub fn stats(&self, kind: MediaKind, received: MediaStats) -> MediaStats {
        let track = self
            .tracks
            .iter()
            .find(|track| track.clip.codec().kind() == kind);
        let Some(track) = track else {
            return received;
        };
        let sent = lock(&track.sent);
        MediaStats {
            packets_sent: sent.packets_sent,
            bytes_sent: sent.bytes_sent,
            frames_sent: sent.frames_sent,
            ..received
        }
    }
}

impl Drop for Senders {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Track {
    async fn add(
        connection: &dyn PeerConnection,
        codec: Codec,
        feed: Feed,
    ) -> Result<Self, MediaError> {
        let kind = codec.kind();
        let clip = Arc::new(Clip::load(codec)?);
        let ssrc = rand::random();
        let encoding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(ssrc),
                ..Default::default()
            },
            codec: codec.parameters().rtp_codec,
            ..Default::default()
        };
        let local = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
            STREAM_ID.to_owned(),
            kind.to_string(),
            format!("{STREAM_ID} {kind}"),
            codec.rtp_kind(),
            vec![encoding],
        )));
        let sender = connection
            .add_track(Arc::clone(&local) as Arc<dyn TrackLocal>)
            .await
            .map_err(|source| MediaError::AddTrack { kind, source })?;
        Ok(Self {
            clip,
            feed,
            ssrc,
            local,
            sender,
            sent: Arc::default(),
        })
    }

    /// The number that the session descriptions give the codec.
    async fn payload_type(&self) -> Result<PayloadType, MediaError> {
        let codec = self.clip.codec();
        let kind = codec.kind();
        let parameters = self.sender.get_parameters().await;
        let parameters = parameters.map_err(|source| MediaError::Parameters { kind, source })?;
        let mime_type = codec.parameters().rtp_codec.mime_type;
        parameters
            .rtp_parameters
            .codecs
            .iter()
            .find(|negotiated| {
                negotiated
                    .rtp_codec
                    .mime_type
                    .eq_ignore_ascii_case(&mime_type)
            })
            .map(|negotiated| negotiated.payload_type)
            .ok_or(MediaError::NotNegotiated { kind, codec })
    }

    fn run(&self, start: Instant, payload_type: PayloadType) -> Sending {
        Sending {
            source: Source::new(Arc::clone(&self.clip), self.feed, self.ssrc, start),
            pace: Pace::new(start, self.clip.frame_duration()),
            payload_type,
            track: Arc::clone(&self.local),
            sent: Arc::clone(&self.sent),
        }
    }
}

/// A track that sends.
struct Sending {
    source: Source,
    pace: Pace,
    payload_type: PayloadType,
    track: Arc<TrackLocalStaticRTP>,
    sent: Arc<Mutex<MediaStats>>,
}

impl Sending {
    async fn until(mut self, cancel: &CancellationToken) {
        let due = |pace: &Pace| tokio::time::sleep_until(pace.due_at().into());
        while cancel.run_until_cancelled(due(&self.pace)).await.is_some() {
            let now = Instant::now();
            let Some(slot) = self.pace.take(now) else {
                continue;
            };
            if let Err(error) = self.send(slot, now).await {
                tracing::warn!(%error, slot, "sending media ended: the peer connection takes no packet");
                return;
            }
        }
    }

    async fn send(&mut self, slot: u64, now: Instant) -> webrtc::error::Result<()> {
        for mut packet in self.source.packets(slot, now)? {
            packet.header.payload_type = self.payload_type;
            let bytes = packet.payload.len() as u64;
            self.track.write_rtp(packet).await?;
            let mut sent = lock(&self.sent);
            sent.packets_sent += 1;
            sent.bytes_sent += bytes;
        }
        lock(&self.sent).frames_sent += 1;
        Ok(())
    }
}
