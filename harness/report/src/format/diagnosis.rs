//! Why a call fell short, for people.

use super::style::Paint;
use super::text::{cut, wrap};
use crate::StoredRun;
use farcall_verdict::Verdict;
use std::io::Write;

/// The widest evidence that is shown, in characters; all of it is in `result.json`.
const MAX_EVIDENCE_COLUMNS: usize = 240;

/// How much evidence is shown.
const MAX_EVIDENCE: usize = 8;

/// The cause, what was seen, and what to do; nothing for a call that did not fall short.
pub(super) fn write(paint: Paint, run: &StoredRun, out: &mut dyn Write) -> std::io::Result<()> {
    let Some(diagnosis) = &run.result.diagnosis else {
        return Ok(());
    };
    let expected = match run.result.verdict {
        Verdict::Pass => " (as the scenario expects)",
        _ => "",
    };
    let name = paint.heading(diagnosis.cause.name());
    writeln!(out, "cause   {name}{expected}")?;
    writeln!(out, "{}", wrap("        ", &diagnosis.summary))?;
    for (index, evidence) in diagnosis.evidence.iter().take(MAX_EVIDENCE).enumerate() {
        let heading = if index == 0 { "seen    " } else { "        " };
        let line = cut(&evidence.to_string(), MAX_EVIDENCE_COLUMNS);
        writeln!(out, "{}", wrap(heading, &line))?;
    }
    let hidden = diagnosis.evidence.len().saturating_sub(MAX_EVIDENCE);
    if hidden > 0 {
        writeln!(out, "        and {hidden} more in result.json")?;
    }
    writeln!(out, "{}", wrap("do      ", &diagnosis.next_step))?;
    writeln!(out, "more    {}\n", diagnosis.cause.page())
}
