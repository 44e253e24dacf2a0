//! The event log while a run goes.

use crate::ReportError;
use farcall_timeline::Entry;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Appends events to `events.jsonl`. Each line reaches the file at once and whole, so that a run that
/// is killed leaves what was seen until then.
#[derive(Debug)]
pub struct EventWriter {
    file: File,
    path: PathBuf,
}

impl EventWriter {
    pub(crate) fn create(path: &Path) -> Result<Self, ReportError> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(path)
            .map_err(ReportError::io("create", path))?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    /// Appends one event.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append(&mut self, entry: &Entry) -> Result<(), ReportError> {
        let to_error = ReportError::io("write", &self.path);
        let mut line = match serde_json::to_vec(entry) {
            Ok(line) => line,
            Err(error) => return Err(to_error(error.into())),
        };
        line.push(b'\n');
        self.file.write_all(&line).map_err(to_error)
    }
}
