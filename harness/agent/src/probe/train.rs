//! Trains: packets of one size that are sent at a steady pace and counted where they arrive.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep_until};

use super::wire::HEADER_BYTES;

/// What a packet of a train begins with. It is no JSON, and no STUN.
const MAGIC: [u8; 8] = *b"farcall\0";

/// The bytes of a packet's own header: [`MAGIC`], the train's token, the packet's index, and when it was sent, on
/// the kernel's clock in nanoseconds; all in network byte order.
const TRAIN_HEADER_BYTES: usize = 28;

/// The most packets that a train may have.
pub(super) const LONGEST: u32 = 100_000;

/// A train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Train {
    /// How many packets.
    pub(super) packets: u32,
    /// How large each is, IP header included, in bytes.
    pub(super) ip_bytes: u16,
    /// From the beginning of one to that of the next, in nanoseconds.
    pub(super) gap_ns: u64,
}

impl Train {
    /// How long it takes to send, in all.
    pub(super) fn duration(&self) -> Duration {
        Duration::from_nanos(self.gap_ns.saturating_mul(self.packets.into()))
    }

    /// Sends it. Whatever is late is sent at once, so that a moment's pause of this process changes nothing
    /// about the whole. A packet that the kernel refuses to send is one that does not arrive.
    pub(super) async fn send(&self, socket: &UdpSocket, to: SocketAddr, token: u64) {
        let length = usize::from(self.ip_bytes.saturating_sub(HEADER_BYTES));
        let mut bytes = vec![0; length.max(TRAIN_HEADER_BYTES)];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..16].copy_from_slice(&token.to_be_bytes());
        let start = Instant::now();
        for index in 0..self.packets.min(LONGEST) {
            let due = start + Duration::from_nanos(self.gap_ns.saturating_mul(index.into()));
            if Instant::now() < due {
                sleep_until(due).await;
            }
            bytes[16..20].copy_from_slice(&index.to_be_bytes());
            bytes[20..28].copy_from_slice(&now_ns().to_be_bytes());
            let _ = socket.send_to(&bytes, to).await;
        }
    }
}

/// A packet of a train.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packet {
    /// The train's.
    pub(super) token: u64,
    /// Its place in the train, from 0.
    pub(super) index: u32,
    /// When it was sent, on the kernel's clock, which all nodes share.
    pub(super) sent: Duration,
}

/// A packet of a train; `None` if it is of none.
pub(super) fn read(packet: &[u8]) -> Option<Packet> {
    let rest = packet.strip_prefix(&MAGIC)?;
    let (token, rest) = rest.split_first_chunk()?;
    let (index, rest) = rest.split_first_chunk()?;
    let (sent_ns, _) = rest.split_first_chunk()?;
    Some(Packet {
        token: u64::from_be_bytes(*token),
        index: u32::from_be_bytes(*index),
        sent: Duration::from_nanos(u64::from_be_bytes(*sent_ns)),
    })
}

/// The clock of the kernel's own timestamps, which lasts until the year 2554 in as many bits.
fn now_ns() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[tokio::test]
    async fn packets_have_their_size_and_come_in_order() {
        let [from, to] = [
            UdpSocket::bind("127.0.0.1:0").await.unwrap(),
            UdpSocket::bind("127.0.0.1:0").await.unwrap(),
        ];
        let train = Train {
            packets: 5,
            ip_bytes: 200,
            gap_ns: 1_000,
        };
        let destination = to.local_addr().unwrap();
        let before = Duration::from_nanos(now_ns());
        train.send(&from, destination, 7).await;
        let after = Duration::from_nanos(now_ns());
        let mut buffer = [0; 1500];
        for index in 0..5 {
            let length = to.recv(&mut buffer).await.unwrap();
            assert_eq!(length + usize::from(HEADER_BYTES), 200);
            let packet = read(&buffer[..length]).unwrap();
            assert_eq!((packet.token, packet.index), (7, index));
            assert!((before..=after).contains(&packet.sent), "{packet:?}");
        }
    }

    #[test]
    fn what_is_of_no_train_is_not_taken_for_one() {
        assert_eq!(read(b"{\"token\":1}"), None);
        assert_eq!(read(&MAGIC), None);
    }
}
