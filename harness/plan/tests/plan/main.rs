//! Plans of small scenarios, whole and in parts.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod addresses;
mod attestation;
mod attestation_firewalls;
mod attestation_links;
mod attestation_nats;
mod datapath;
mod faults;
mod firewalls;
mod ipv6;
mod outcomes;
mod servers;
mod snapshots;
mod support;
