//! One capture of a network out of those that its nodes made.

use pcap_file::pcap::{PcapPacket, PcapReader};
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::{DataLink, PcapError};
use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

/// Timestamps in units of 10^-9 s (`if_tsresol`). The writer counts nanoseconds whatever the file
/// says, and without this option readers would take them for microseconds.
const NANOSECONDS: u8 = 9;

/// What was captured at one place: a pcap file as tcpdump writes it.
#[derive(Debug)]
pub struct CapturePoint<R> {
    /// The node that captured.
    pub node: String,
    /// The interface inside the node.
    pub interface: String,
    /// The file.
    pub pcap: R,
}

/// What came of merging.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// Packets written.
    pub packets: u64,
    /// Nodes whose file ends within a packet, or before the first, as when tcpdump is killed.
    pub truncated: Vec<String>,
}

/// Writes the packets of all points in the order of their time, as pcapng with one interface for each
/// point. Within one point the order of the capture is kept.
///
/// # Errors
/// When a file is not pcap or `writer` fails. A file that ends early is no error.
pub fn merge<R: Read>(
    points: Vec<CapturePoint<R>>,
    writer: impl Write,
) -> Result<Merged, PcapError> {
    let mut writer = PcapNgWriter::new(writer)?;
    let mut merged = Merged::default();
    let mut sources = Vec::new();
    for point in points {
        let source = Source::open(point.pcap)?;
        writer.write_pcapng_block(source.describe(point.interface, &point.node))?;
        sources.push((point.node, source));
    }
    while let Some((interface_id, packet)) = take_earliest(&mut sources)? {
        writer.write_pcapng_block(EnhancedPacketBlock {
            interface_id,
            timestamp: packet.timestamp,
            original_len: packet.orig_len,
            data: packet.data,
            options: Vec::new(),
        })?;
        merged.packets += 1;
    }
    merged.truncated = sources
        .into_iter()
        .filter(|(_, source)| source.is_truncated)
        .map(|(node, _)| node)
        .collect();
    Ok(merged)
}

/// A file that is being read, one packet ahead.
struct Source<R: Read> {
    reader: Option<PcapReader<R>>,
    next: Option<PcapPacket<'static>>,
    is_truncated: bool,
}

impl<R: Read> Source<R> {
    fn open(pcap: R) -> Result<Self, PcapError> {
        let mut source = Self {
            reader: None,
            next: None,
            is_truncated: false,
        };
        match PcapReader::new(pcap) {
            Ok(reader) => source.reader = Some(reader),
            Err(error) if is_end(&error) => source.is_truncated = true,
            Err(error) => return Err(error),
        }
        source.advance()?;
        Ok(source)
    }

    fn describe(&self, interface: String, node: &str) -> InterfaceDescriptionBlock<'static> {
        let header = self.reader.as_ref().map(PcapReader::header);
        InterfaceDescriptionBlock {
            linktype: header.map_or(DataLink::ETHERNET, |header| header.datalink),
            snaplen: header.map_or(0, |header| header.snaplen),
            options: vec![
                InterfaceDescriptionOption::IfName(interface.into()),
                InterfaceDescriptionOption::IfDescription(node.to_owned().into()),
                InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
            ],
        }
    }

    fn time(&self) -> Option<Duration> {
        self.next.as_ref().map(|packet| packet.timestamp)
    }

    /// Reads the next packet and gives the one before.
    fn advance(&mut self) -> Result<Option<PcapPacket<'static>>, PcapError> {
        let read = self.reader.as_mut().and_then(next_packet);
        let following = match read {
            None => None,
            Some(Ok(packet)) => Some(packet),
            Some(Err(error)) if is_end(&error) => {
                self.is_truncated = true;
                self.reader = None;
                None
            }
            Some(Err(error)) => return Err(error),
        };
        Ok(std::mem::replace(&mut self.next, following))
    }
}

/// The next packet, of which the capture may have kept less than there was: the crate's own way refuses one that was longer
/// than the snapshot length, as TCP's are that the kernel hands on in one piece of 64 KiB.
fn next_packet<R: Read>(
    reader: &mut PcapReader<R>,
) -> Option<Result<PcapPacket<'static>, PcapError>> {
    let resolution = reader.header().ts_resolution;
    let raw = reader.next_raw_packet()?;
    Some(raw.and_then(|raw| {
        let packet = raw.try_into_pcap_packet(resolution, u32::MAX)?;
        Ok(packet.into_owned())
    }))
}

fn take_earliest<R: Read>(
    sources: &mut [(String, Source<R>)],
) -> Result<Option<(u32, PcapPacket<'static>)>, PcapError> {
    let earliest = (0_u32..)
        .zip(sources.iter_mut())
        .filter_map(|(id, (_, source))| source.time().map(|time| (time, id, source)))
        .min_by_key(|(time, id, _)| (*time, *id));
    let Some((_, id, source)) = earliest else {
        return Ok(None);
    };
    Ok(source.advance()?.map(|packet| (id, packet)))
}

fn is_end(error: &PcapError) -> bool {
    match error {
        PcapError::IncompleteBuffer => true,
        PcapError::IoError(error) => error.kind() == ErrorKind::UnexpectedEof,
        _ => false,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use pcap_file::pcap::{PcapHeader, PcapWriter, RawPcapPacket};
    use pcap_file::pcapng::{Block, PcapNgReader};
    use std::io::Cursor;

    /// A capture of at most 1000 bytes of each packet, with one of 1500 bytes at each of these times.
    fn pcap(times_ms: &[u64]) -> Vec<u8> {
        let header = PcapHeader {
            snaplen: 1_000,
            ..PcapHeader::default()
        };
        let mut bytes = Vec::new();
        let mut writer = PcapWriter::with_header(&mut bytes, header).unwrap();
        for time_ms in times_ms {
            let data = time_ms.to_be_bytes();
            let time = Duration::from_millis(*time_ms);
            let packet = RawPcapPacket {
                ts_sec: u32::try_from(time.as_secs()).unwrap(),
                ts_frac: time.subsec_micros(),
                incl_len: u32::try_from(data.len()).unwrap(),
                orig_len: 1_500,
                data: data.as_slice().into(),
            };
            writer.write_raw_packet(&packet).unwrap();
        }
        bytes
    }

    fn point(node: &str, pcap: &[u8]) -> CapturePoint<Cursor<Vec<u8>>> {
        CapturePoint {
            node: node.into(),
            interface: "lan".into(),
            pcap: Cursor::new(pcap.to_vec()),
        }
    }

    /// Packets that were captured at an interface at these times.
    pub(crate) fn captured(
        node: &str,
        interface: &str,
        times_ms: &[u64],
    ) -> CapturePoint<Cursor<Vec<u8>>> {
        CapturePoint {
            interface: interface.into(),
            ..point(node, &pcap(times_ms))
        }
    }

    /// The interfaces' descriptions, and each packet's interface and time in milliseconds.
    fn read(pcapng: &[u8]) -> (Vec<String>, Vec<(u32, u128)>) {
        let mut reader = PcapNgReader::new(pcapng).unwrap();
        let (mut interfaces, mut packets) = (Vec::new(), Vec::new());
        while let Some(block) = reader.next_block() {
            match block.unwrap().into_owned() {
                Block::InterfaceDescription(interface) => {
                    assert!(
                        interface
                            .options
                            .contains(&InterfaceDescriptionOption::IfTsResol(9))
                    );
                    for option in interface.options {
                        if let InterfaceDescriptionOption::IfDescription(text) = option {
                            interfaces.push(text.into_owned());
                        }
                    }
                }
                Block::EnhancedPacket(packet) => {
                    assert_eq!(packet.original_len, 1_500);
                    packets.push((packet.interface_id, packet.timestamp.as_millis()));
                }
                _ => {}
            }
        }
        (interfaces, packets)
    }

    #[test]
    fn packets_are_in_the_order_of_their_time() {
        let mut merged = Vec::new();
        let points = vec![
            point("alice", &pcap(&[1, 4, 9])),
            point("office-gateway", &pcap(&[2, 4, 5])),
        ];
        let found = merge(points, &mut merged).unwrap();
        let (interfaces, packets) = read(&merged);
        assert_eq!(interfaces, ["alice", "office-gateway"]);
        assert_eq!(packets, [(0, 1), (1, 2), (0, 4), (1, 4), (1, 5), (0, 9)]);
        assert_eq!(found.packets, 6);
        assert!(found.truncated.is_empty());
    }

    #[test]
    fn a_file_that_ends_within_a_packet_keeps_those_before() {
        let mut cut = pcap(&[1, 4]);
        cut.truncate(cut.len() - 3);
        let mut merged = Vec::new();
        let found = merge(vec![point("alice", &cut), point("bob", &[])], &mut merged).unwrap();
        let (interfaces, packets) = read(&merged);
        assert_eq!(interfaces, ["alice", "bob"]);
        assert_eq!(packets, [(0, 1)]);
        assert_eq!(found.truncated, ["alice", "bob"]);
    }

    #[test]
    fn what_is_no_capture_is_an_error() {
        let text = b"tcpdump: eth0: You don't have permission to capture on that device";
        assert!(merge(vec![point("alice", text)], Vec::new()).is_err());
    }
}
