//! What a receiver says of streams with known faults.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use super::*;
use crate::media::{Codec, Feed, Source};

/// Longer than packets wait for a missing one.
const LONG: Duration = Duration::from_secs(2);

/// A sender without a network: its packets are in the hands of the test.
struct Stream {
    clip: Arc<Clip>,
    source: Source,
    start: Instant,
    packets: Vec<(Instant, Packet)>,
}

impl Stream {
    fn new(codec: Codec, feed: Feed) -> Self {
        let clip = Arc::new(Clip::load(codec).unwrap());
        let start = Instant::now();
        Self {
            source: Source::new(Arc::clone(&clip), feed, 1, start),
            clip,
            start,
            packets: Vec::new(),
        }
    }

    /// The packets of these slots, each at its time.
    fn with_slots(mut self, slots: std::ops::Range<u64>) -> Self {
        for slot in slots {
            let frames = u32::try_from(slot).unwrap();
            let at = self.start + self.clip.frame_duration() * frames;
            let packets = self.source.packets(slot, at).unwrap();
            self.packets
                .extend(packets.into_iter().map(|packet| (at, packet)));
        }
        self
    }

    /// Numbers the packets anew, the first with this sequence number and timestamp.
    fn numbered_from(mut self, sequence: u16, timestamp: u32) -> Self {
        let first = self.packets[0].1.header.timestamp;
        for (index, (_, packet)) in (0_u16..).zip(&mut self.packets) {
            let header = &mut packet.header;
            header.sequence_number = sequence.wrapping_add(index);
            header.timestamp = timestamp.wrapping_add(header.timestamp.wrapping_sub(first));
        }
        self
    }

    /// The positions of the packets of this frame.
    fn packets_of(&self, frame: u32) -> Vec<usize> {
        let timestamp = self.packets[0]
            .1
            .header
            .timestamp
            .wrapping_add(frame * self.clip.frame_ticks());
        (0..self.packets.len())
            .filter(|&position| self.packets[position].1.header.timestamp == timestamp)
            .collect()
    }

    fn receiver(&self) -> StreamReceiver {
        StreamReceiver::new(Arc::clone(&self.clip), self.start)
    }

    fn received(&self) -> MediaStats {
        let mut receiver = self.receiver();
        for (at, packet) in &self.packets {
            receiver.on_packet(*at, packet.clone());
        }
        receiver.finish()
    }
}

fn live(codec: Codec, frames: u64) -> Stream {
    Stream::new(codec, Feed::Live).with_slots(0..frames)
}

#[test]
fn all_is_intact_over_the_loop_of_the_clip() {
    for (codec, frames) in [(Codec::Opus, 300), (Codec::Vp8, 120)] {
        let stream = live(codec, frames);
        let stats = stream.received();
        let bytes: usize = stream.packets.iter().map(|(_, p)| p.payload.len()).sum();
        let frame_ms = milliseconds(stream.clip.frame_duration());
        let expected = MediaStats {
            packets_received: stream.packets.len() as u64,
            bytes_received: bytes as u64,
            frames_received: frames,
            frames_intact: frames,
            first_frame_after_ms: Some(0.0),
            longest_gap_ms: frame_ms,
            jitter_ms: stats.jitter_ms,
            ..MediaStats::default()
        };
        assert_eq!(stats, expected);
        assert!(stats.jitter_ms < 0.001, "{codec:?}: {}", stats.jitter_ms);
    }
}

#[test]
fn nothing_is_not_silence() {
    let nothing = Stream::new(Codec::Opus, Feed::Live).received();
    assert_eq!(nothing, MediaStats::default());

    for codec in [Codec::Opus, Codec::Vp8] {
        let silence = Stream::new(codec, Feed::Muted)
            .with_slots(0..100)
            .received();
        assert_eq!(silence.frames_silent, 100);
        assert_eq!((silence.frames_intact, silence.frames_corrupt), (0, 0));
        assert_eq!(silence.first_frame_after_ms, None);
    }
}

#[test]
fn a_flipped_bit_anywhere_is_a_corrupt_frame() {
    for codec in [Codec::Opus, Codec::Vp8] {
        let frames = 12;
        let packets = live(codec, frames).packets_of(7).len();
        for packet in 0..packets {
            for bit in [0, 4, 7] {
                let mut stream = live(codec, frames);
                let position = stream.packets_of(7)[packet];
                let payload = &mut stream.packets[position].1.payload;
                let mut bytes = payload.to_vec();
                // In VP8 the first byte is the payload descriptor.
                for byte in [0, bytes.len() / 2] {
                    bytes[byte] ^= 1 << bit;
                }
                *payload = bytes.into();
                let stats = stream.received();
                assert_eq!(stats.frames_corrupt, 1, "{codec:?} {packet} {bit}");
                assert_eq!(stats.frames_intact, frames - 1);
                assert_eq!((stats.frames_lost, stats.packets_lost), (0, 0));
            }
        }
    }
}

#[test]
fn a_video_frame_whose_head_is_not_marked_is_corrupt_not_lost() {
    let mut stream = live(Codec::Vp8, 12);
    let head = stream.packets_of(7)[0];
    let mut bytes = stream.packets[head].1.payload.to_vec();
    bytes[0] ^= 0x10;
    stream.packets[head].1.payload = bytes.into();
    let stats = stream.received();
    assert_eq!((stats.frames_corrupt, stats.frames_lost), (1, 0));
    assert_eq!(stats.frames_intact, 11);
}

#[test]
fn a_packet_that_is_none_of_the_codec_makes_its_frame_corrupt() {
    let mut stream = live(Codec::Vp8, 12);
    let tail = stream.packets_of(0).len() - 1;
    stream.packets[tail].1.payload.truncate(2);
    let stats = stream.received();
    assert_eq!((stats.frames_corrupt, stats.frames_lost), (1, 0));
    assert_eq!(stats.frames_intact, 11);
}

#[test]
fn a_frame_without_marker_is_complete_when_the_next_begins() {
    let mut stream = live(Codec::Vp8, 12);
    for position in stream.packets_of(7) {
        stream.packets[position].1.header.marker = false;
    }
    let stats = stream.received();
    assert_eq!((stats.frames_intact, stats.frames_received), (12, 12));
}

#[test]
fn packets_of_padding_only_are_part_of_no_frame() {
    let mut stream = live(Codec::Vp8, 60);
    for position in [40, 20] {
        let mut padding = stream.packets[position].clone();
        padding.1.payload = Default::default();
        stream.packets.insert(position, padding);
    }
    let stats = stream.numbered_from(0, 0).received();
    assert_eq!((stats.frames_intact, stats.frames_received), (60, 60));
    assert_eq!(stats.packets_lost, 0);
}

#[test]
fn a_frame_has_come_when_its_last_packet_has() {
    let mut stream = live(Codec::Vp8, 2);
    let second = stream.packets.remove(1);
    let late = stream.start + Duration::from_millis(30);
    let before_next_frame = stream.packets.len() - 1;
    stream.packets.insert(before_next_frame, (late, second.1));
    let first_ms = stream.received().first_frame_after_ms.unwrap();
    assert!((first_ms - 30.0).abs() < 0.001, "{first_ms}");
}

#[test]
fn lost_packets_are_lost_frames() {
    for codec in [Codec::Opus, Codec::Vp8] {
        let mut stream = live(codec, 100);
        let lost = [
            stream.packets_of(60),
            stream.packets_of(20),
            stream.packets_of(21),
        ]
        .concat();
        let mut position = 0;
        stream.packets.retain(|_| {
            position += 1;
            !lost.contains(&(position - 1))
        });
        let stats = stream.received();
        assert_eq!(stats.packets_lost, i64::try_from(lost.len()).unwrap());
        assert_eq!(stats.frames_lost, 3, "{codec:?}");
        assert_eq!((stats.frames_intact, stats.frames_corrupt), (97, 0));
        let three_frames_ms = 3.0 * milliseconds(stream.clip.frame_duration());
        assert!((stats.longest_gap_ms - three_frames_ms).abs() < 0.001);
    }
}

#[test]
fn each_packet_of_a_video_frame_is_needed() {
    let packets = live(Codec::Vp8, 60).packets_of(50);
    assert!(packets.len() > 3, "the key frame takes several packets");
    for lost in packets {
        let mut stream = live(Codec::Vp8, 60);
        stream.packets.remove(lost);
        let stats = stream.received();
        assert_eq!((stats.frames_lost, stats.packets_lost), (1, 1));
        assert_eq!((stats.frames_intact, stats.frames_corrupt), (59, 0));
    }
}

#[test]
fn loss_over_the_border_of_two_frames_is_two_lost_frames() {
    let mut stream = live(Codec::Vp8, 60);
    let head = stream.packets_of(50)[0];
    stream.packets.drain(head - 1..=head);
    let stats = stream.received();
    assert_eq!((stats.frames_lost, stats.packets_lost), (2, 2));
    assert_eq!((stats.frames_intact, stats.frames_corrupt), (58, 0));
}

#[test]
fn loss_is_certain_only_after_a_while() {
    let mut stream = live(Codec::Opus, 10);
    let (lost_at, lost) = stream.packets.remove(5);
    let mut receiver = stream.receiver();
    for (at, packet) in &stream.packets {
        receiver.on_packet(*at, packet.clone());
    }
    let soon = receiver.stats(lost_at + Duration::from_millis(100));
    assert_eq!((soon.frames_lost, soon.frames_intact), (0, 5));
    assert_eq!(soon.packets_lost, 1);

    let mut late = stream.receiver();
    for (at, packet) in &stream.packets {
        late.on_packet(*at, packet.clone());
    }
    assert_eq!(late.stats(lost_at + LONG).frames_lost, 1);
    late.on_packet(lost_at + LONG, lost.clone());
    let too_late = late.finish();
    assert_eq!((too_late.frames_lost, too_late.frames_intact), (1, 9));

    receiver.on_packet(lost_at + Duration::from_millis(150), lost);
    let mended = receiver.finish();
    assert_eq!((mended.frames_lost, mended.frames_intact), (0, 10));
    assert_eq!(mended.packets_lost, 0);
}

#[test]
fn order_does_not_matter() {
    for codec in [Codec::Opus, Codec::Vp8] {
        let mut stream = live(codec, 100);
        let times: Vec<Instant> = stream.packets.iter().map(|(at, _)| *at).collect();
        let mut packets: Vec<Packet> = stream.packets.drain(..).map(|(_, p)| p).collect();
        // The first packet stays, since what comes before it cannot be told from what never was.
        for chunk in packets[1..].chunks_mut(5) {
            chunk.reverse();
        }
        stream.packets = times.into_iter().zip(packets).collect();
        let stats = stream.received();
        assert_eq!((stats.frames_intact, stats.frames_received), (100, 100));
        assert_eq!((stats.frames_lost, stats.packets_lost), (0, 0));
    }
}

#[test]
fn repeated_packets_are_repeated_frames_and_change_nothing_else() {
    for codec in [Codec::Opus, Codec::Vp8] {
        let mut stream = live(codec, 60);
        let repeated = [stream.packets_of(50), stream.packets_of(9)].concat();
        for position in &repeated {
            stream
                .packets
                .insert(position + 1, stream.packets[*position].clone());
        }
        let stats = stream.received();
        assert_eq!(stats.frames_duplicate, 2, "{codec:?}");
        assert_eq!((stats.frames_intact, stats.frames_received), (60, 60));
        assert_eq!(stats.packets_lost, -i64::try_from(repeated.len()).unwrap());
    }
}

#[test]
fn numbers_and_timestamps_wrap_around() {
    for codec in [Codec::Opus, Codec::Vp8] {
        let mut stream = live(codec, 100).numbered_from(65_530, u32::MAX - 10_000);
        assert_eq!(stream.received().frames_intact, 100);
        stream.packets.remove(stream.packets_of(2)[0]);
        let stats = stream.received();
        assert_eq!((stats.frames_lost, stats.packets_lost), (1, 1));
        assert_eq!((stats.frames_intact, stats.frames_corrupt), (99, 0));
    }
}

#[test]
fn frames_that_the_sender_skipped_are_not_lost() {
    let stream = live(Codec::Opus, 10).with_slots(30..200);
    let stats = stream.received();
    assert_eq!((stats.frames_lost, stats.packets_lost), (0, 0));
    assert_eq!((stats.frames_intact, stats.frames_corrupt), (180, 0));
    assert!((stats.longest_gap_ms - 21.0 * 20.0).abs() < 0.001);
}

#[test]
fn a_frame_of_the_clip_in_the_place_of_another_is_corrupt() {
    let mut stream = live(Codec::Opus, 100);
    let stray = stream.packets[90].1.payload.clone();
    stream.packets[40].1.payload = stray;
    let stats = stream.received();
    assert!(stats.frames_corrupt > 0);
    assert_eq!(stats.frames_intact + stats.frames_corrupt, 100);
}

#[test]
fn a_stream_joined_within_a_frame_begins_with_the_next() {
    let mut stream = live(Codec::Vp8, 60);
    stream.packets.drain(..2);
    let stats = stream.received();
    assert_eq!((stats.frames_intact, stats.frames_corrupt), (59, 0));
    let first_ms = stats.first_frame_after_ms.unwrap();
    assert!((first_ms - 50.0).abs() < 0.001);
}

#[test]
fn another_source_is_not_this_stream() {
    let stream = live(Codec::Opus, 10);
    let mut receiver = stream.receiver();
    for (at, packet) in &stream.packets {
        receiver.on_packet(*at, packet.clone());
        let mut other = packet.clone();
        other.header.ssrc += 1;
        receiver.on_packet(*at, other);
    }
    let stats = receiver.finish();
    assert_eq!((stats.packets_received, stats.frames_intact), (10, 10));
}

#[test]
fn late_packets_are_jitter_in_milliseconds() {
    for codec in [Codec::Opus, Codec::Vp8] {
        let mut stream = live(codec, 200);
        for (index, (at, _)) in stream.packets.iter_mut().enumerate() {
            *at += Duration::from_millis(8) * u32::try_from(index % 2).unwrap();
        }
        let stats = stream.received();
        assert!(
            (6.0..=8.1).contains(&stats.jitter_ms),
            "{codec:?}: {}",
            stats.jitter_ms
        );
    }
}
