//! What a translator has counted.

/// Why a packet was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It is no IPv4 packet, is truncated, or a checksum that must hold does not.
    Malformed,
    /// It is neither UDP nor TCP nor ICMP.
    Protocol,
    /// It came from outside but is not for the external address.
    WrongAddress,
    /// No live mapping has the UDP port that it came to.
    UnsolicitedUdp,
    /// No live mapping has the TCP port that it came to.
    UnsolicitedTcp,
    /// No live mapping has the identifier of this echo reply.
    UnsolicitedIcmp,
    /// A live mapping has the port, but its filtering does not admit the sender.
    Filtered,
    /// It belongs to no TCP connection and does not open one.
    NoConnection,
    /// It went from inside to the external address, and this NAT does not hairpin.
    NoHairpin,
    /// A later fragment whose first one was not forwarded, or a fragment of an ICMP error.
    Fragment,
    /// An ICMP message that is neither an echo nor an error, or an echo in the wrong direction.
    IcmpType,
    /// An ICMP error about nothing that a live mapping has sent or received.
    IcmpError,
    /// Every port that the mapping could have is taken.
    NoPort,
    /// There are as many mappings, or remote endpoints of one mapping, as the translator holds.
    TableFull,
}

impl Reason {
    /// The counter's name, such as `nat/drop-filtered`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "nat/drop-malformed",
            Self::Protocol => "nat/drop-protocol",
            Self::WrongAddress => "nat/drop-wrong-address",
            Self::UnsolicitedUdp => "nat/drop-unsolicited-udp",
            Self::UnsolicitedTcp => "nat/drop-unsolicited-tcp",
            Self::UnsolicitedIcmp => "nat/drop-unsolicited-icmp",
            Self::Filtered => "nat/drop-filtered",
            Self::NoConnection => "nat/drop-no-connection",
            Self::NoHairpin => "nat/drop-no-hairpin",
            Self::Fragment => "nat/drop-fragment",
            Self::IcmpType => "nat/drop-icmp-type",
            Self::IcmpError => "nat/drop-icmp-error",
            Self::NoPort => "nat/drop-no-port",
            Self::TableFull => "nat/drop-table-full",
        }
    }

    const ALL: [Self; 14] = [
        Self::Malformed,
        Self::Protocol,
        Self::WrongAddress,
        Self::UnsolicitedUdp,
        Self::UnsolicitedTcp,
        Self::UnsolicitedIcmp,
        Self::Filtered,
        Self::NoConnection,
        Self::NoHairpin,
        Self::Fragment,
        Self::IcmpType,
        Self::IcmpError,
        Self::NoPort,
        Self::TableFull,
    ];
}

/// Packets of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counter {
    /// How many there were.
    pub packets: u64,
    /// Their bytes, IP headers included.
    pub bytes: u64,
}

impl Counter {
    pub(crate) fn count(&mut self, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
    }
}

/// Everything that a translator has forwarded and dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Forwarded from inside to outside.
    pub outbound: Counter,
    /// Forwarded from outside to inside.
    pub inbound: Counter,
    /// Sent back inside.
    pub hairpin: Counter,
    dropped: [Counter; Reason::ALL.len()],
}

impl Counters {
    /// What was dropped for this reason.
    pub fn dropped(&self, reason: Reason) -> Counter {
        self.dropped[reason as usize]
    }

    pub(crate) fn count_drop(&mut self, reason: Reason, bytes: usize) {
        self.dropped[reason as usize].count(bytes);
    }

    /// All of them with their names, those that are zero included, always in the same order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Counter)> {
        let forwarded = [
            ("nat/forward-outbound", self.outbound),
            ("nat/forward-inbound", self.inbound),
            ("nat/hairpin", self.hairpin),
        ];
        let dropped = Reason::ALL.map(|reason| (reason.name(), self.dropped(reason)));
        forwarded.into_iter().chain(dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_counter_and_a_name_of_its_own() {
        let mut counters = Counters::default();
        for (at, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, at);
            (0..=at).for_each(|_| counters.count_drop(reason, 100));
        }
        let dropped: Vec<_> = counters.iter().skip(3).collect();
        for (at, (name, counter)) in dropped.iter().enumerate() {
            assert_eq!(counter.packets, at as u64 + 1, "{name}");
            assert_eq!(counter.bytes, counter.packets * 100, "{name}");
            assert_eq!(dropped.iter().filter(|(other, _)| other == name).count(), 1);
        }
    }
}
