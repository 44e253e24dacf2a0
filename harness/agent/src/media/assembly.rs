//! Frames out of packets in order.

use super::Codec;
use super::reorder::{Arrival, InOrder};
use bytes::BytesMut;
use std::time::Instant;

/// A frame of which every packet came.
#[derive(Debug, Clone)]
pub struct Assembled {
    /// The RTP timestamp of its packets.
    pub timestamp: u32,
    /// When the last of its packets came.
    pub at: Instant,
    /// The encoded frame; `None` if its packets do not begin one.
    pub data: Option<BytesMut>,
    /// Whether packets are missing between the frame before and this one.
    pub after_gap: bool,
}

/// A frame of which the last packet has not come yet.
#[derive(Debug)]
struct Open {
    timestamp: u32,
    at: Instant,
    data: BytesMut,
    /// Whether its first packet is the beginning of a frame.
    sound: bool,
    /// Whether it is not, because packets are missing.
    torn: bool,
}

/// Assembles the frames of one RTP source.
#[derive(Debug)]
pub struct Assembly {
    codec: Codec,
    open: Option<Open>,
    after_gap: bool,
}

impl Assembly {
    /// An assembly for frames of this codec.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        Self {
            codec,
            open: None,
            // The stream may be joined in the midst of a frame.
            after_gap: true,
        }
    }

    /// Takes what comes next; gives the frames that became complete with it.
    pub fn take(&mut self, next: InOrder) -> Vec<Assembled> {
        match next {
            InOrder::Gap => {
                self.open = None;
                self.after_gap = true;
                Vec::new()
            }
            InOrder::Packet(arrival) => self.take_packet(&arrival).into_iter().flatten().collect(),
        }
    }

    fn take_packet(&mut self, arrival: &Arrival) -> [Option<Assembled>; 2] {
        let Arrival { at, packet } = arrival;
        let timestamp = packet.header.timestamp;
        if packet.payload.is_empty() {
            return [None, None]; // Nothing but padding: it probes the bandwidth.
        }
        // A frame whose last packet is not marked ends where another begins.
        let unmarked = self.open.take_if(|open| open.timestamp != timestamp);
        let unmarked = unmarked.and_then(|open| self.complete(open));

        let mut depacketizer = self.codec.depacketizer();
        let after_gap = self.after_gap;
        let head = depacketizer.is_partition_head(&packet.payload);
        let mut open = self.open.take().unwrap_or_else(|| Open {
            timestamp,
            at: *at,
            data: BytesMut::new(),
            sound: head,
            torn: after_gap && !head,
        });
        open.at = open.at.max(*at);
        // A packet that is none of the codec's adds nothing, so its frame will be none of the clip's.
        if let Ok(payload) = depacketizer.depacketize(&packet.payload) {
            open.data.extend_from_slice(&payload);
        }
        let complete = if depacketizer.is_partition_tail(packet.header.marker, &packet.payload) {
            self.complete(open)
        } else {
            self.open = Some(open);
            None
        };
        [unmarked, complete]
    }

    fn complete(&mut self, open: Open) -> Option<Assembled> {
        if open.torn {
            return None;
        }
        let after_gap = std::mem::replace(&mut self.after_gap, false);
        Some(Assembled {
            timestamp: open.timestamp,
            at: open.at,
            data: open.sound.then_some(open.data),
            after_gap,
        })
    }
}
