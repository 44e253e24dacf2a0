//! Which side of the lab a fact is about.

use crate::Fact;
use farcall_timeline::Aspect;

/// The counter that every gateway has for all packets that reach it from its inside, counted before
/// any rule decides on them.
pub const FROM_INSIDE: &str = "traffic/from-inside";

/// The counter that every gateway has for all packets that leave it towards its inside.
pub const TO_INSIDE: &str = "traffic/to-inside";

/// The counters of what a gateway's datapath lost by itself: packets for which a TUN device's or the emulator's
/// own memory had no room. Above zero the link was worse than declared.
pub const DATAPATH_LOSSES: [&str; 4] = [
    "datapath/up-overrun",
    "datapath/down-overrun",
    "link/up-overflowed",
    "link/down-overflowed",
];

impl Fact {
    /// Which side of the lab the fact is about.
    #[must_use]
    pub fn aspect(&self) -> Aspect {
        match self {
            Self::Interfaces { .. }
            | Self::NoRoute { .. }
            | Self::NoEmbeddedResolver
            | Self::LinkLocalClosed => Aspect::Isolation,
            Self::Resolves { .. }
            | Self::ResolvesToIpv6 { .. }
            | Self::NameMissing { .. }
            | Self::ResolvesSlowly { .. } => Aspect::Names,
            Self::NatMapping { .. }
            | Self::NatFiltering { .. }
            | Self::NatPortPreservation { .. }
            | Self::NatHairpinning { .. }
            | Self::NatUdpTimeout { .. } => Aspect::Nat,
            Self::RoundTrip { .. }
            | Self::Rate { .. }
            | Self::TracedRate { .. }
            | Self::PolicedRate { .. }
            | Self::Mtu { .. }
            | Self::FateRatio { .. } => Aspect::Link,
            Self::Passage { .. }
            | Self::IncomingTcp { .. }
            | Self::ServerPassage { .. }
            | Self::Ipv6Passage { .. }
            | Self::Ipv6Filtering { .. } => Aspect::Firewall,
            Self::SignallingAnswers { .. }
            | Self::ListenerAnswers { .. }
            | Self::ListenerRefuses { .. }
            | Self::ListenerCertificate { .. }
            | Self::RelayPortsBlocked { .. } => Aspect::Servers,
        }
    }
}
