//! One received stream, compared with the clip.

use super::assembly::{Assembled, Assembly};
use super::jitter::Jitter;
use super::reorder::{Arrival, Reorder};
use super::sequence::SequenceNumbers;
use super::{Clip, Content};
use farcall_timeline::MediaStats;
use rtc::rtp::Packet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Receives one stream of the clip (pure: time comes with the packets).
///
/// A frame counts once: as intact, silent or corrupt when all of its packets came, else as lost. It
/// is lost for certain only when later packets came and its own were waited for in vain; frames
/// lost before the first and after the last that came are known to the sender alone.
pub struct StreamReceiver {
    clip: Arc<Clip>,
    started: Instant,
    ssrc: Option<u32>,
    sequence: SequenceNumbers,
    jitter: Jitter,
    reorder: Reorder,
    assembly: Assembly,
    /// The RTP timestamp of the latest frame, and when it came.
    previous: Option<(u32, Instant)>,
    /// The RTP timestamp of some frame of the clip, with that frame's index.
    anchor: Option<(u32, usize)>,
    repeated_timestamp: Option<u32>,
    longest_gap: Duration,
    stats: MediaStats,
}

impl StreamReceiver {
    /// A receiver that begins to wait at `started`.
    #[must_use]
    pub fn new(clip: Arc<Clip>, started: Instant) -> Self {
        let codec = clip.codec();
        Self {
            clip,
            started,
            ssrc: None,
            sequence: SequenceNumbers::default(),
            jitter: Jitter::new(codec.clock_rate_hz()),
            reorder: Reorder::default(),
            assembly: Assembly::new(codec),
            previous: None,
            anchor: None,
            repeated_timestamp: None,
            longest_gap: Duration::ZERO,
            stats: MediaStats::default(),
        }
    }

    /// Takes a packet that came at `now`. Packets of another source than the first one's are none
    /// of this stream.
    pub fn on_packet(&mut self, now: Instant, packet: Packet) {
        let header = &packet.header;
        if *self.ssrc.get_or_insert(header.ssrc) != header.ssrc {
            return;
        }
        let timestamp = header.timestamp;
        let sequence = self.sequence.extend(header.sequence_number);
        self.stats.bytes_received += packet.payload.len() as u64;
        self.jitter.update(now, timestamp);
        let is_new = self.reorder.push(sequence, Arrival { at: now, packet });
        if !is_new && self.repeated_timestamp.replace(timestamp) != Some(timestamp) {
            self.stats.frames_duplicate += 1;
        }
        self.settle(now);
    }

    /// What is known at `now`.
    pub fn stats(&mut self, now: Instant) -> MediaStats {
        self.settle(now);
        self.totals()
    }

    /// What is known in the end, when no packet is waited for any more.
    pub fn finish(&mut self) -> MediaStats {
        while let Some(next) = self.reorder.flush() {
            for frame in self.assembly.take(next) {
                self.judge(frame);
            }
        }
        self.totals()
    }

    fn settle(&mut self, now: Instant) {
        while let Some(next) = self.reorder.pop(now) {
            for frame in self.assembly.take(next) {
                self.judge(frame);
            }
        }
    }

    fn totals(&self) -> MediaStats {
        MediaStats {
            packets_received: self.sequence.received(),
            packets_lost: self.sequence.lost(),
            jitter_ms: self.jitter.milliseconds(),
            longest_gap_ms: milliseconds(self.longest_gap),
            ..self.stats.clone()
        }
    }

    fn judge(&mut self, frame: Assembled) {
        if let Some((timestamp, at)) = self.previous {
            let frames = self.frames_between(timestamp, frame.timestamp);
            if frame.after_gap {
                self.stats.frames_lost += u64::try_from(frames - 1).unwrap_or_default();
            }
            let gap = frame.at.saturating_duration_since(at);
            self.longest_gap = self.longest_gap.max(gap);
        }
        self.stats.frames_received += 1;
        match frame
            .data
            .as_ref()
            .and_then(|data| self.clip.identify(data))
        {
            Some(Content::Silence) => self.stats.frames_silent += 1,
            Some(Content::Clip(index)) if self.is_in_place(frame.timestamp, index) => {
                self.stats.frames_intact += 1;
                let waited = frame.at.saturating_duration_since(self.started);
                self.stats
                    .first_frame_after_ms
                    .get_or_insert(milliseconds(waited));
            }
            Some(Content::Clip(_)) | None => self.stats.frames_corrupt += 1,
        }
        self.previous = Some((frame.timestamp, frame.at));
    }

    /// Whether the frame of the clip with this index is the one that its timestamp calls for.
    fn is_in_place(&mut self, timestamp: u32, index: usize) -> bool {
        let (anchor_timestamp, anchor_index) = self.anchor.unwrap_or((timestamp, index));
        // Moved along with the stream, so that the distance never exceeds the range of timestamps.
        self.anchor = Some((timestamp, index));
        let frames = self.frames_between(anchor_timestamp, timestamp);
        let count = i64::try_from(self.clip.frames().len()).unwrap_or(i64::MAX);
        let expected = (i64::try_from(anchor_index).unwrap_or_default() + frames).rem_euclid(count);
        i64::try_from(index) == Ok(expected)
    }

    /// How many frames later the second timestamp is, over the wrap-around of timestamps.
    fn frames_between(&self, first: u32, second: u32) -> i64 {
        let ticks = i64::from(second.wrapping_sub(first).cast_signed());
        let frame_ticks = i64::from(self.clip.frame_ticks());
        (ticks + frame_ticks / 2).div_euclid(frame_ticks)
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests;
