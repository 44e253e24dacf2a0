//! One run of a scenario with an ICE configuration: raise the lab, attest it, place the call, collect
//! what the nodes know, judge, remove everything.

mod attest;
mod attestation;
mod call;
mod collect;
mod error;
mod faults;
mod harness;
mod login;
mod matrix;
mod options;
mod prepare;
mod recorder;
mod states;
mod traffic;
mod unsupported;

pub use error::RunError;
pub use farcall_protocol::{Carried, Delays, Traffic};
pub use farcall_report::{Attestation, StoredRun};
pub use harness::Harness;
pub use matrix::{MatrixOptions, MatrixProgress, OnMatrixProgress, StoredMatrix};
pub use options::{EventSink, RunOptions};
pub use traffic::{Exchange, Exchanged, TrafficError};
