//! The clip as one RTP source: the packets of each frame.

use super::Clip;
use rtc::rtp;
use rtc::rtp::packetizer::{Packetizer, new_packetizer};
use rtc::rtp::sequence::new_fixed_sequencer;
use std::sync::Arc;
use std::time::Instant;

/// The largest RTP packet, header included, in bytes: small enough for every path that carries
/// IPv6 with its 1280 bytes, through TURN.
const MTU_BYTES: usize = 1200;

/// A source's first sequence number: one of the lower half, so that no number wraps while the first packets may be lost. An
/// SRTP receiver that sees the first packet only after the wrap takes it for one before, and can authenticate none of the
/// stream's packets (RFC 3711 section 3.3.1; libwebrtc begins in the lower half too).
fn first_sequence_number(random: u16) -> u16 {
    random >> 1
}

/// What a source sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Feed {
    /// The clip, again and again.
    #[default]
    Live,
    /// What browsers send for a track that is disabled: encoded silence, encoded blackness.
    Muted,
}

/// A clip as an RTP source (pure: it makes packets, it does not send them).
pub struct Source {
    clip: Arc<Clip>,
    feed: Feed,
    packetizer: Box<dyn Packetizer>,
    next_slot: u64,
}

impl Source {
    /// A source with this SSRC, which begins at random in timestamps (RFC 3550 section 5.1), and in the lower half of the
    /// sequence numbers.
    #[must_use]
    pub fn new(clip: Arc<Clip>, feed: Feed, ssrc: u32, now: Instant) -> Self {
        let codec = clip.codec();
        let packetizer = new_packetizer(
            now,
            MTU_BYTES,
            codec.parameters().payload_type,
            ssrc,
            codec.payloader(),
            Box::new(new_fixed_sequencer(first_sequence_number(rand::random()))),
            codec.clock_rate_hz(),
        );
        Self {
            clip,
            feed,
            packetizer: Box::new(packetizer),
            next_slot: 0,
        }
    }

    /// The packets of the frame that belongs into this slot of the schedule. Slots that were passed
    /// over move the timestamp, but take no sequence numbers: nothing of them was ever sent.
    ///
    /// # Errors
    ///
    /// When the crate cannot packetize the frame.
    pub fn packets(&mut self, slot: u64, now: Instant) -> webrtc::error::Result<Vec<rtp::Packet>> {
        let skipped = u32::try_from(slot.saturating_sub(self.next_slot)).unwrap_or(u32::MAX);
        self.next_slot = slot + 1;
        let ticks = self.clip.frame_ticks();
        // Timestamps are modulo 2^32 (RFC 3550 section 5.1).
        self.packetizer.skip_samples(ticks.wrapping_mul(skipped));
        let frames = match self.feed {
            Feed::Live => self.clip.frames(),
            Feed::Muted => self.clip.silence(),
        };
        let index = usize::try_from(slot % frames.len() as u64).unwrap_or_default();
        self.packetizer.packetize(now, &frames[index].data, ticks)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

    use super::*;
    use crate::media::{Codec, Content};

    fn source(codec: Codec, feed: Feed) -> (Arc<Clip>, Source) {
        let clip = Arc::new(Clip::load(codec).unwrap());
        let source = Source::new(Arc::clone(&clip), feed, 7, Instant::now());
        (clip, source)
    }

    fn frame_of(codec: Codec, packets: &[rtp::Packet]) -> Vec<u8> {
        packets
            .iter()
            .flat_map(|packet| codec.depacketizer().depacketize(&packet.payload).unwrap())
            .collect()
    }

    #[test]
    fn every_frame_survives_its_packets_and_the_clip_repeats_from_its_key_frame() {
        for codec in [Codec::Opus, Codec::Vp8] {
            let (clip, mut source) = source(codec, Feed::Live);
            let count = clip.frames().len();
            for slot in 0..2 * count {
                let packets = source.packets(slot as u64, Instant::now()).unwrap();
                let content = clip.identify(&frame_of(codec, &packets));
                assert_eq!(content, Some(Content::Clip(slot % count)));
                assert!(packets.iter().all(|p| p.payload.len() <= MTU_BYTES - 12));
            }
        }
    }

    #[test]
    fn no_source_begins_near_the_wrap_of_its_sequence_numbers() {
        assert_eq!(first_sequence_number(u16::MAX), 0x7fff);
        assert_eq!(first_sequence_number(0), 0);
        for _ in 0..64 {
            let (_, mut source) = source(Codec::Opus, Feed::Muted);
            let packets = source.packets(0, Instant::now()).unwrap();
            assert!(packets[0].header.sequence_number <= 0x7fff);
        }
    }

    #[test]
    fn a_muted_source_sends_silence() {
        for codec in [Codec::Opus, Codec::Vp8] {
            let (clip, mut source) = source(codec, Feed::Muted);
            for slot in 0..50 {
                let packets = source.packets(slot, Instant::now()).unwrap();
                let content = clip.identify(&frame_of(codec, &packets));
                assert_eq!(content, Some(Content::Silence));
            }
        }
    }

    #[test]
    fn timestamps_follow_the_slots_and_sequence_numbers_the_packets() {
        let (_, mut source) = source(Codec::Vp8, Feed::Live);
        let first = source.packets(0, Instant::now()).unwrap();
        let second = source.packets(1, Instant::now()).unwrap();
        let fifth = source.packets(4, Instant::now()).unwrap();
        let timestamp = first[0].header.timestamp;
        assert!(first.iter().all(|p| p.header.timestamp == timestamp));
        assert_eq!(second[0].header.timestamp.wrapping_sub(timestamp), 4500);
        assert_eq!(fifth[0].header.timestamp.wrapping_sub(timestamp), 4 * 4500);
        let packets: Vec<_> = [first, second, fifth].concat();
        for pair in packets.windows(2) {
            let step = pair[1]
                .header
                .sequence_number
                .wrapping_sub(pair[0].header.sequence_number);
            assert_eq!(step, 1);
        }
    }
}
