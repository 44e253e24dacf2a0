//! The one ordered log of what happened in a run.
//!
//! Every node of a lab and the harness itself write typed [`Event`]s into one [`Timeline`], on one
//! clock: milliseconds since the run began. Every verdict and every report is a pure function of it,
//! so a stored run can be judged again without Docker.

mod event;
mod fault;
mod ice;
mod media;
mod store;
mod tls;

pub use event::{
    Aspect, CallState, Entry, Event, Holdings, Level, Measured, Phase, RecoveryEvent, RuleCounter,
    SignallingEvent, TurnSession,
};
pub use fault::{Crossed, Crossing, FaultEdge, FaultEvent};
pub use ice::{
    Candidate, CandidatePairReport, CandidatePairState, CandidateType, IceServerOutcome,
    IceServerReport, IceTransport, SelectedPair,
};
pub use media::{DataStats, Direction, Flow, MediaKind, MediaStats};
pub use store::{StoreError, Timeline, read_events};
pub use tls::TlsFailure;
