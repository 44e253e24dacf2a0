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
    /// The encoded frame; `None` if its packets make none (RFC 7741 section 4.4).
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
    /// Whether the packets up to now make the beginning of a frame.
    sound: bool,
    /// Whether its beginning is missing.
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
        // A frame without a last packet ends where another begins.
        let unfinished = self
            .open
            .take_if(|open| open.timestamp != timestamp)
            .and_then(|mut open| {
                open.sound = false;
                self.complete(open)
            });

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
        match depacketizer.depacketize(&packet.payload) {
            Ok(payload) => open.data.extend_from_slice(&payload),
            Err(_) => open.sound = false,
        }
        let complete = if depacketizer.is_partition_tail(packet.header.marker, &packet.payload) {
            self.complete(open)
        } else {
            self.open = Some(open);
            None
        };
        [unfinished, complete]
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
