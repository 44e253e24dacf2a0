//! The gate before a deploy: the networks of a baseline, judged, in one answer.
//!
//! A run is judged twice: by its scenario's own checks, which make its verdict, and by what the baseline says of the
//! network beyond that: whether the call connects, by which path, and how fast. What the baseline does not name is not
//! judged. INVALID is never a yes, and never a failure of the application.
//!
//! Everything here is a pure function but [`store`], which reads and writes `gate.json`.

mod bless;
mod calls;
mod fingerprint;
mod judge;
mod merge;
mod result;
mod retry;
mod seen;
mod shard;
mod shown;
pub mod store;
#[cfg(test)]
mod testing;
mod text;
mod words;

pub use bless::{BlessError, Blessing, Budget, Refusal, blessing, written};
pub use calls::{CallsError, NetworkCalls, calls};
pub use fingerprint::{Fingerprint, fingerprint_of_baseline, fingerprint_of_ice};
pub use judge::judge;
pub use merge::{MergeError, Part, merge};
pub use result::{
    Answer, Entry, GATE_SCHEMA_VERSION, GateResult, Measured, PathEnd, Rerun, Shortfall, Subject,
    schema,
};
pub use retry::due;
pub use seen::Seen;
pub use shard::{Shard, ShardError, cost_ms, divide};
pub use shown::shown;
pub use text::Text;
