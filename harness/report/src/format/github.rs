//! What GitHub Actions shows: annotations of a workflow's run. Its step summary is Markdown.

use crate::StoredRun;
use crate::explanation::Explanation;
use crate::format::markdown::named;
use farcall_verdict::Verdict;
use std::collections::BTreeMap;
use std::io::Write;

/// Writes a workflow command for each scenario that has a run which did not pass: an error for a failure, a warning
/// for what says nothing of the call.
pub(crate) fn annotations(runs: &[StoredRun], out: &mut dyn Write) -> std::io::Result<()> {
    let mut scenarios: BTreeMap<&str, Vec<&StoredRun>> = BTreeMap::new();
    for run in runs {
        if run.result.verdict != Verdict::Pass {
            let of_scenario = scenarios.entry(&run.result.scenario).or_default();
            of_scenario.push(run);
        }
    }
    for of_scenario in scenarios.values() {
        annotation(of_scenario, out)?;
    }
    Ok(())
}

fn annotation(runs: &[&StoredRun], out: &mut dyn Write) -> std::io::Result<()> {
    let Some(gravest) = runs
        .iter()
        .find(|run| run.result.verdict == Verdict::Fail)
        .or(runs.first())
    else {
        return Ok(());
    };
    let command = match gravest.result.verdict {
        Verdict::Fail => "error",
        _ => "warning",
    };
    let place = gravest.about.written.as_ref().map(|written| {
        let file = property(&written.file);
        format!("file={file},line={},", written.line)
    });
    let mut lines: Vec<String> = runs.iter().map(|run| line(run)).collect();
    // Several runs may have failed in the same way.
    lines.dedup();
    writeln!(
        out,
        "::{command} {}title={}::{}",
        place.unwrap_or_default(),
        property(&named(gravest)),
        data(&lines.join("\n"))
    )
}

fn line(run: &StoredRun) -> String {
    match Explanation::of(run) {
        Some(explained) => {
            let next = explained.next_step.map(|next| format!(" Next: {next}"));
            format!(
                "{}: {}: {}{}",
                named(run),
                explained.cause,
                explained.sentence,
                next.unwrap_or_default()
            )
        }
        None => named(run),
    }
}

/// A workflow command's message (actions/toolkit, packages/core/src/command.ts).
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a workflow command's property (the same file).
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::stored::tests::{about, stored};
    use farcall_scenario::Written;
    use farcall_timeline::Event;
    use farcall_verdict::sample::Sample;

    fn annotate(samples: &[(&str, Sample)]) -> String {
        let out = tempfile::tempdir().unwrap();
        let each = samples.iter().map(|(scenario, sample)| {
            let mut about = about();
            about.scenario = (*scenario).to_owned();
            about.written = Some(Written {
                file: format!("net,works/100%: {scenario}.toml"),
                line: 7,
            });
            stored(&out, &about, sample)
        });
        let runs: Vec<StoredRun> = each.collect();
        let mut bytes = Vec::new();
        annotations(&runs, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn unsupported() -> Sample {
        let mut sample = Sample::good();
        let reason = "no tun\r\nfor 100% of it".into();
        sample.add(1.0, "harness", Event::Unsupported { reason });
        sample
    }

    #[test]
    fn a_scenario_has_one_annotation_however_many_of_its_runs_failed() {
        let failed = Sample::not_connected;
        let text = annotate(&[
            ("a", failed()),
            ("b", Sample::good()),
            ("a", failed()),
            ("c", failed()),
        ]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(
            lines.iter().all(|line| line.starts_with("::error ")),
            "{text}"
        );
    }

    #[test]
    fn what_ends_a_command_or_property_is_escaped() {
        let text = annotate(&[("a", unsupported())]);
        let place = "::warning file=net%2Cworks/100%25%3A a.toml,line=7,title=UNSUPPORTED a with production::";
        assert!(text.starts_with(place), "{text}");
        assert!(text.contains("no tun%0D%0Afor 100%25 of it"), "{text}");
        assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    }

    #[test]
    fn what_passed_is_not_annotated() {
        assert_eq!(annotate(&[("a", Sample::good())]), "");
    }
}
