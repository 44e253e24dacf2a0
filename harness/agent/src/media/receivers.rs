//! The tracks that a peer receives.

use super::{Clip, ClipError, Codec, StreamReceiver, lock};
use farcall_timeline::{MediaKind, MediaStats};
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

/// What a peer receives. Cheap to clone: all clones count together.
#[derive(Clone)]
pub struct Receivers {
    audio: Arc<Mutex<StreamReceiver>>,
    video: Arc<Mutex<StreamReceiver>>,
}

impl Receivers {
    /// Receivers that begin to wait at `started`.
    ///
    /// # Errors
    ///
    /// When the clip is unfit.
    pub fn new(started: Instant) -> Result<Self, ClipError> {
        let receiver = |codec| {
            let clip = Arc::new(Clip::load(codec)?);
            let receiver = StreamReceiver::new(clip, started);
            Ok::<_, ClipError>(Arc::new(Mutex::new(receiver)))
        };
        Ok(Self {
            audio: receiver(Codec::Opus)?,
            video: receiver(Codec::Vp8)?,
        })
    }

    /// Receives a track until it ends, in a task of its own: for
    /// [`on_track`](webrtc::peer_connection::PeerConnectionEventHandler::on_track).
    pub fn receive(&self, track: Arc<dyn TrackRemote>) {
        let receivers = self.clone();
        tokio::spawn(async move {
            let stream = match track.kind().await {
                RtpCodecKind::Audio => &receivers.audio,
                RtpCodecKind::Video => &receivers.video,
                other => {
                    tracing::warn!(kind = ?other, "a track of this kind is not received");
                    return;
                }
            };
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    lock(stream).on_packet(Instant::now(), packet);
                }
            }
        });
    }

    /// What was received of this kind, as known at `now`: packets that came may still wait for
    /// one that is missing before them. All zero for data.
    #[must_use]
    pub fn stats(&self, kind: MediaKind, now: Instant) -> MediaStats {
        self.with(kind, |stream| stream.stats(now))
    }

    /// What was received of this kind in the end: nothing is waited for any more.
    #[must_use]
    pub fn finish(&self, kind: MediaKind) -> MediaStats {
        self.with(kind, StreamReceiver::finish)
    }

    fn with(
        &self,
        kind: MediaKind,
        ask: impl FnOnce(&mut StreamReceiver) -> MediaStats,
    ) -> MediaStats {
        match kind {
            MediaKind::Audio => ask(&mut lock(&self.audio)),
            MediaKind::Video => ask(&mut lock(&self.video)),
            MediaKind::Data => MediaStats::default(),
        }
    }
}
