//! What a run comes to: a pure function of its timeline and of what its plan declares.
//!
//! [`judge`] runs every check of one list over the events. A check passes, fails, is skipped because
//! nothing can be said (the call did not connect, so no media could arrive), or is invalid because
//! the lab or the harness did not do its part. The whole run is
//!
//! 1. UNSUPPORTED if this machine cannot build the network, or no lab can have what the ICE configuration asks for,
//!    whatever follows from that.
//! 2. INVALID if any check is invalid. "Unknown" outranks what is known: where the network was not what
//!    the plan declares, neither a connected call nor a failed one says anything.
//! 3. FAIL if any check failed in a lab that was sound.
//! 4. PASS otherwise.
//!
//! # What counts as the lab's fault
//!
//! A missing observation is invalid, never a pass and never a fail: a declaration that was not
//! measured, a URL whose outcome no peer reported, a rule that should block and counted nothing, a
//! peer that claims bytes that no gateway saw. Where the call itself did not come to its end, because
//! the lab did not hold or somebody interrupted it, what is missing is skipped instead: one check says
//! that the run is incomplete, and the run is invalid for it.
//!
//! A URL that came to *another* outcome than the plan derives is a fail, not the lab's fault. By then
//! attestation has shown that the rules on the way and the listener at its end are as declared, so
//! what differs is what the peer under test made of them. `no answer` where the plan says `allocated`
//! is what a user of that peer would see; to call it invalid would hide exactly the defects that the
//! harness is there to find. If attestation did not hold, its own checks make the run INVALID anyway.
//!
//! # Order
//!
//! The order of one node's events is kept, since it is causal. Between nodes, only time counts:
//! [`judge`] gives the same result whichever of two nodes comes first at equal times.

mod case;
mod checks;
mod figures;
mod judge;
mod model;
mod peer;
mod phases;
#[cfg(any(test, feature = "sample"))]
pub mod sample;

pub use case::{Case, Counted};
pub use checks::{
    CLAIM_PERCENT, MIN_ARRIVED_DEGRADED_PERCENT, MIN_ARRIVED_PERCENT, fits_pair, pair_seen,
    pair_wanted,
};
pub use figures::Figures;
pub use judge::judge;
pub use model::{Check, CheckVerdict, Declared, DeclaredCall, DeclaredServer, Judgement, Verdict};
pub use peer::{
    DataReceived, DataSent, Flow, MediaResult, PeerResult, RtpReceived, RtpSent, TimedState,
};
pub use phases::PhaseTimes;
