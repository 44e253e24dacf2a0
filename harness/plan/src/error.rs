//! Why a scenario and an ICE configuration cannot become a plan.

use farcall_scenario::{Contradiction, TraceNotLoaded};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// A scenario and an ICE configuration that no lab can be made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A call has two ends.
    #[error("failed to plan a call between {found} peers; write exactly two [[peers]]")]
    PeerCount {
        /// How many there are.
        found: usize,
    },
    /// A peer is in a site that does not exist.
    #[error(
        "failed to place peer {peer}: there is no site {site}; write [sites.{site}] or name another"
    )]
    UnknownSite {
        /// The peer.
        peer: String,
        /// What it names.
        site: String,
    },
    /// A NAT preset and its override contradict each other.
    #[error("failed to plan the NAT of {router}: {source}; {}", source.hint)]
    Nat {
        /// The node that would translate.
        router: String,
        /// What contradicts what.
        source: Contradiction,
    },
    /// A firewall preset and its override contradict each other.
    #[error("failed to plan the firewall of {site}: {source}; {}", source.hint)]
    Firewall {
        /// The site.
        site: String,
        /// What contradicts what.
        source: Contradiction,
    },
    /// A link has a recorded rate that nobody has read.
    #[error("failed to plan the link of {site}: {source}")]
    Link {
        /// The site.
        site: String,
        /// Which trace.
        source: TraceNotLoaded,
    },
    /// A fault befalls nobody.
    #[error(
        "failed to plan {fault}: there is no {target} in this lab; name a site, or the host of a TURN server that the \
         ICE configuration has"
    )]
    FaultTarget {
        /// The fault in words.
        fault: String,
        /// What it names.
        target: String,
    },
    /// IPv6 that the lab cannot build.
    #[error("failed to plan the IPv6 of {site}: {reason}")]
    Ipv6 {
        /// The site.
        site: String,
        /// Why not, and what to do.
        reason: &'static str,
    },
    /// Two networks that must be told apart have addresses in common.
    #[error(
        "failed to tell {first} ({first_net}) from {second} ({second_net}): their addresses overlap and \
         packets must be routed between them; give one of them another range"
    )]
    Overlap {
        /// One network.
        first: String,
        /// Its addresses.
        first_net: Ipv4Net,
        /// The other network.
        second: String,
        /// Its addresses.
        second_net: Ipv4Net,
    },
    /// A network has fewer addresses than nodes.
    #[error("failed to find an address in {network} ({subnet}) for {node}; use a larger network")]
    NetworkFull {
        /// The network.
        network: String,
        /// Its addresses.
        subnet: Ipv4Net,
        /// The node without an address.
        node: String,
    },
    /// Two nodes would have one name.
    #[error(
        "failed to name the lab's nodes: there would be two of the name {name}; rename the peer or site"
    )]
    DuplicateNode {
        /// The name.
        name: String,
    },
    /// The ICE configuration asks for what no lab can have: see [`unsupported`](fn@crate::unsupported).
    #[error("UNSUPPORTED with the ICE configuration {configuration}: {reason}")]
    Unsupported {
        /// The configuration.
        configuration: String,
        /// What, why not, and what to do.
        reason: String,
    },
    /// A host of the ICE configuration that no lab can have.
    #[error("failed to plan a server for {host} of {url}: {reason}")]
    UnusableHost {
        /// The host.
        host: String,
        /// The URL that names it.
        url: String,
        /// Why not, and what to do.
        reason: String,
    },
    /// A server address that a node or network of the lab already has.
    #[error(
        "failed to give a server the address {address}: {holder} has it; use a host name instead"
    )]
    AddressTaken {
        /// The address.
        address: Ipv4Addr,
        /// What has it.
        holder: String,
    },
    /// One user name with two passwords on one server.
    #[error(
        "failed to plan the accounts of {host}: the ICE configuration gives user {username} two \
         passwords there, and a server knows one; correct it, or set servers.account in the scenario"
    )]
    TwoPasswords {
        /// The server.
        host: String,
        /// The user name.
        username: String,
    },
}
