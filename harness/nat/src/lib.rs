//! farcall's own network address translator: whole IPv4 packets in, whole IPv4 packets out.
//!
//! # Why there is one
//!
//! The kernel's masquerading tells connections apart by all five of protocol, addresses and ports, and
//! so expresses only a part of RFC 4787:
//!
//! - Its mapping is endpoint-independent only while no port collides. When two hosts behind it send from
//!   the same port to the same destination, the second one gets another port for that destination alone:
//!   the behaviour changes with the traffic, which section 8 forbids (REQ-11).
//! - It has no address-dependent mapping.
//! - It filters by address and port and in no other way.
//! - It does not hairpin.
//!
//! Here every mapping is declared ([`Nat`](farcall_scenario::Nat)) and holds whatever the traffic: two
//! hosts with one source port both keep the mapping and the filtering that the scenario names.
//!
//! # What it is
//!
//! A [`Translator`] is a pure state machine. It reads and writes no device, has no clock and no
//! source of randomness of its own: the caller hands it a packet and the time and gets a [`Verdict`].
//! The same seed and the same packets at the same times give the same ports.
//!
//! | what | as in |
//! |---|---|
//! | UDP: mapping, ports, refresh, filtering, hairpinning | RFC 4787 sections 4 to 6 |
//! | TCP: the same mapping and filtering; a connection begins with a SYN | RFC 5382 |
//! | ICMP echo by identifier; errors with the packet embedded in them | RFC 5508 |
//! | fragments, in order | RFC 4787 sections 10 and 11 |
//!
//! # Where the RFCs leave a choice
//!
//! - **Refresh.** Outbound packets refresh a mapping (RFC 4787 section 4.3, REQ-6), and so do inbound
//!   packets that pass (which REQ-6 a permits), as on Linux. What is dropped refreshes nothing, nor does an
//!   ICMP error (RFC 5508 REQ-6).
//! - **Filtering.** A remote endpoint that an external port has sent to may answer that port for as long as
//!   its mapping lives, however long ago that was: section 5 says "previously" and gives no timer.
//! - **Ports.** With port preservation the source port is kept where no live mapping has it; otherwise a
//!   port of the same parity (section 4.2.2) is drawn from 1024 to 65535. Without port preservation any
//!   port from 1024 is drawn. Multicast DNS's 5353 is left out: peers take what comes from it for DNS. No two
//!   live mappings of a protocol ever share an external port, so with dependent mapping every destination's
//!   mapping has its own.
//! - **Dependent mapping with looser filtering.** What an inside endpoint sends goes by the mapping towards
//!   that destination. Whoever comes in by the mapping towards another destination is answered from another
//!   external port, and cannot open a TCP connection that way.
//! - **TCP.** Only a SYN creates a mapping or a connection. One from outside that does not pass is dropped
//!   in silence, as a security policy may have it (RFC 5382 REQ-4). After [`Translator::forget`] an open
//!   connection is dead, as it is behind a router that has restarted.
//! - **Fragments.** Those that come before the first one of their datagram are dropped (RFC 4787 REQ-14
//!   recommends to take them).
//! - **Limits.** There are at most 16,384 mappings with 256 remote endpoints each; what would exceed that is
//!   dropped and counted.
//! - **Time to live.** It is not decremented: routing is the kernel's.

mod checksum;
mod counters;
mod fragments;
mod icmp;
mod mapping;
mod packet;
mod port;
mod remote;
mod rewrite;
mod table;
mod tcp;
mod translator;

pub use counters::{Counter, Counters, Reason};
pub use mapping::{Mapping, Protocol};
pub use remote::Remote;
pub use translator::{Translator, Verdict};
