//! What a mapping or a filter keeps of a remote endpoint.

use farcall_scenario::Behaviour;
use std::fmt::{self, Display};
use std::net::{Ipv4Addr, SocketAddrV4};

/// As much of a remote endpoint as a behaviour depends on: nothing, its address, or its address and port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Remote {
    /// Any endpoint.
    Any,
    /// Any port of this address.
    Address(Ipv4Addr),
    /// This endpoint alone. The port is 0 with ICMP echo, which has none on the remote side.
    Endpoint(SocketAddrV4),
}

impl Remote {
    /// What this behaviour keeps of the endpoint (RFC 4787 sections 4.1 and 5).
    pub(crate) fn seen_by(behaviour: Behaviour, endpoint: SocketAddrV4) -> Self {
        match behaviour {
            Behaviour::EndpointIndependent => Self::Any,
            Behaviour::AddressDependent => Self::Address(*endpoint.ip()),
            Behaviour::AddressAndPortDependent => Self::Endpoint(endpoint),
        }
    }
}

impl Display for Remote {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("any"),
            Self::Address(address) => address.fmt(formatter),
            Self::Endpoint(endpoint) => endpoint.fmt(formatter),
        }
    }
}
