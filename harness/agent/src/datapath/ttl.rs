//! The time to live of packets that the kernel forwards twice.

/// Where the time to live stands (RFC 791 section 3.1).
const TTL: usize = 8;

/// Where the header's checksum stands.
const CHECKSUM: std::ops::Range<usize> = 10..12;

/// Gives back what the kernel took when it forwarded the packet to a device, since it will take it once more: a
/// gateway is one hop. A packet without a whole IPv4 header stays as it is.
pub(super) fn give_back(packet: &mut [u8]) {
    let is_ipv4 = packet.len() >= 20 && packet[0] >> 4 == 4;
    if !is_ipv4 || packet[TTL] == u8::MAX {
        return;
    }
    packet[TTL] += 1;
    // RFC 1624 equation 3, for a header word that grew by 0x0100.
    let checksum = u16::from_be_bytes([packet[CHECKSUM.start], packet[CHECKSUM.start + 1]]);
    let (less, borrowed) = checksum.overflowing_sub(0x0100);
    let checksum = less.wrapping_sub(u16::from(borrowed));
    packet[CHECKSUM].copy_from_slice(&checksum.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(ttl: u8, identification: u16) -> Vec<u8> {
        let mut header = vec![0x45, 0, 0, 20, 0, 0, 0, 0, ttl, 17, 0, 0];
        header[4..6].copy_from_slice(&identification.to_be_bytes());
        header.extend([192, 168, 1, 10, 203, 0, 113, 2]);
        let checksum = !sum(&header);
        header[CHECKSUM].copy_from_slice(&checksum.to_be_bytes());
        header
    }

    /// The one's complement sum, which is all ones in a header whose checksum holds.
    fn sum(header: &[u8]) -> u16 {
        let words = header.chunks_exact(2);
        let sum: u32 = words
            .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])))
            .sum();
        let folded = (sum & 0xffff) + (sum >> 16);
        (folded as u16).wrapping_add((folded >> 16) as u16)
    }

    #[test]
    fn one_hop_is_given_back_and_the_checksum_holds() {
        for identification in 0..=u16::MAX {
            let mut packet = header(63, identification);
            give_back(&mut packet);
            assert_eq!(packet[TTL], 64);
            assert_eq!(sum(&packet), 0xffff, "{identification}");
        }
    }

    #[test]
    fn there_is_no_time_to_live_beyond_the_largest() {
        let mut packet = header(255, 7);
        give_back(&mut packet);
        assert_eq!(packet, header(255, 7));
    }

    #[test]
    fn what_is_no_ipv4_packet_stays_as_it_is() {
        for mut packet in [vec![], vec![0x45; 19], vec![0x60; 40]] {
            let before = packet.clone();
            give_back(&mut packet);
            assert_eq!(packet, before);
        }
    }
}
