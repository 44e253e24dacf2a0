//! What stays of a run: its directory, `result.json`, and what a person reads.
//!
//! A run is written to its directory while it goes, and judged from there when it has ended. So what
//! [`RunDirectory::finish`] gives is by construction what [`StoredRun::load`] gives later, without
//! Docker.
//!
//! ```text
//! target/farcall/latest -> 20260102T030405Z-corporate-firewall-SESSION
//!   plan.json        what the run is judged against, without credentials
//!   events.jsonl     every event of every node on one clock
//!   result.json      see schema/result.schema.json
//!   logs/NODE.log    what each container wrote
//!   nodes/NODE/...   connection tables and whatever else a node leaves
//!   counters/NODE.txt what each gateway's rules counted
//!   captures/NETWORK.pcapng  packets, one interface for each place where they were captured
//! ```

mod about;
mod attestation;
mod call;
mod capture;
mod compare;
mod counters;
mod directory;
mod dropped;
mod error;
mod events;
mod explanation;
mod flow;
mod format;
mod html;
mod matrix;
mod place;
mod render;
mod result;
mod stored;
mod topology;
mod words;

pub use about::{About, Environment};
pub use attestation::Attestation;
pub use call::{Call, Earlier, Weight};
pub use capture::{CapturePoint, Merged, merge};
pub use compare::{
    COMPARISON_SCHEMA_VERSION, Change, Comparison, ComparisonText, Direction, Figure, Group, Kind,
    Margin, Runs, Side, Subject, compare, comparison_markdown, comparison_schema,
};
pub use directory::{RunDirectory, replace_file};
pub use error::ReportError;
pub use events::EventWriter;
pub use explanation::Explanation;
pub use format::{AttestationTable, Json, Paint, Report, Summary, Terminal, cut, duration, wrap};
pub use html::html_index;
pub use matrix::{
    CellResult, ConnectedPath, Grid, MATRIX_SCHEMA_VERSION, MatrixResult, MatrixTimes, path_of,
};
pub use render::{ReportFormat, dump_of_peer};
pub use result::{RunResult, SCHEMA_VERSION, schema};
pub use stored::{StoredRun, run_directories};
