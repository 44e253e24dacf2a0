//! Results for people and programs: one format a file.

mod attestation;
mod course;
mod diagnosis;
pub(crate) mod dump;
pub(crate) mod github;
mod json;
pub(crate) mod junit;
pub(crate) mod markdown;
pub(crate) mod media;
pub(crate) mod mermaid;
pub(crate) mod pcapng;
mod signalling;
mod style;
mod summary;
mod terminal;
mod text;
pub(crate) mod trace;

pub use attestation::AttestationTable;
pub use json::Json;
pub(crate) use markdown::Document;
pub use style::Paint;
pub use summary::Summary;
pub use terminal::Terminal;
pub use text::{cut, duration, wrap};

use crate::StoredRun;
use std::io::Write;

/// A format in which a run can be written.
pub trait Report {
    /// Writes a run.
    ///
    /// # Errors
    /// When `out` fails.
    fn render(&self, run: &StoredRun, out: &mut dyn Write) -> std::io::Result<()>;
}

/// As [`Terminal`] without colour: what a failed assertion of a test shows.
impl std::fmt::Display for StoredRun {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = Vec::new();
        Terminal::default()
            .render(self, &mut text)
            .map_err(|_| std::fmt::Error)?;
        formatter.write_str(&String::from_utf8_lossy(&text))
    }
}
