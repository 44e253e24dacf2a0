//! The Internet checksum, adjusted for single words.

/// The checksum after a word that it covers has changed (RFC 1624, equation 3). A checksum that was
/// wrong stays wrong, so a damaged packet does not leave as a sound one.
pub(crate) fn adjusted(checksum: u16, old: u16, new: u16) -> u16 {
    let sum = u32::from(!checksum) + u32::from(!old) + u32::from(new);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    !(sum as u16)
}

/// The checksum of these bytes (RFC 1071). It is 0 where they contain their own right checksum.
pub(crate) fn of(bytes: &[u8]) -> u16 {
    let sum = etherparse::checksum::Sum16BitWords::new().add_slice(bytes);
    u16::from_be(sum.ones_complement())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjusting_agrees_with_summing_anew() {
        let mut bytes = [0x45, 0x00, 0x12, 0x34, 0xff, 0xff, 0xc0, 0xa8];
        for new in [0x0000, 0x0001, 0x1233, 0x1235, 0xfffe, 0xffff] {
            let before = of(&bytes);
            let old = u16::from_be_bytes([bytes[2], bytes[3]]);
            bytes[2..4].copy_from_slice(&u16::to_be_bytes(new));
            assert_eq!(
                adjusted(before, old, new),
                of(&bytes),
                "{old:04x} to {new:04x}"
            );
        }
    }

    /// The example of RFC 1624 section 4, where RFC 1141's equation gives 0xffff.
    #[test]
    fn adjusting_does_not_yield_the_other_zero() {
        assert_eq!(adjusted(0xdd2f, 0x5555, 0x3285), 0x0000);
    }
}
