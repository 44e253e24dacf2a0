//! What stands in `result.json`, on one line.

use super::Report;
use crate::StoredRun;
use std::io::Write;

/// The result as one line of JSON.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json;

impl Report for Json {
    fn render(&self, run: &StoredRun, out: &mut dyn Write) -> std::io::Result<()> {
        serde_json::to_writer(&mut *out, &run.result)?;
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
    fn it_is_what_is_stored_on_one_line() {
        let out = tempfile::tempdir().unwrap();
        let run = stored(&out, &about(), &Sample::good());
        let mut bytes = Vec::new();
        Json.render(&run, &mut bytes).unwrap();
        let kept = std::fs::read(run.directory.join("result.json")).unwrap();
        let value = |json: &[u8]| serde_json::from_slice::<serde_json::Value>(json).unwrap();
        assert_eq!(value(&bytes), value(&kept));
        let ends: Vec<_> = bytes.iter().filter(|byte| **byte == b'\n').collect();
        assert_eq!((ends.len(), bytes.last()), (1, Some(&b'\n')));
    }
}
