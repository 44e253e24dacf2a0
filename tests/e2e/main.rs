//! End-to-end tests on real containers. They need a Docker Engine and fail where there is none.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod attestation;
mod causes;
mod cli;
mod gate;
mod ipv6;
mod library;
mod links;
mod lint;
mod matrix;
mod media;
mod nat;
mod recovery;
mod rulesets;
mod scenarios;
mod server_faults;
mod servers;
mod signalling;
mod support;
mod tampering;
mod turn_transport;
