//! Plans of small scenarios, whole and in parts.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod addresses;
mod attestation;
mod outcomes;
mod servers;
mod snapshots;
mod support;
