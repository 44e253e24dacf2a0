//! `result.json`, as it stands in the run's directory.

use super::Report;
use crate::StoredRun;
use std::io::Write;

/// The result as JSON.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json;

impl Report for Json {
    fn render(&self, run: &StoredRun, out: &mut dyn Write) -> std::io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, &run.result)?;
        out.write_all(b"\n")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::stored::tests::{about, stored};
    use farcall_verdict::sample::Sample;

    #[test]
    fn it_is_what_is_stored() {
        let out = tempfile::tempdir().unwrap();
        let run = stored(&out, &about(), &Sample::good());
        let mut bytes = Vec::new();
        Json.render(&run, &mut bytes).unwrap();
        let kept = std::fs::read(run.directory.join("result.json")).unwrap();
        assert_eq!(bytes, kept);
    }
}
