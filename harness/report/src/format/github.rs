//! What GitHub Actions shows: annotations of a workflow's run. Its step summary is Markdown.

use crate::Call;
use crate::call::Standing;
use std::collections::BTreeMap;
use std::io::Write;

/// Writes a workflow command for each scenario that has a call which did not pass: an error for a failure, a warning
/// for what says nothing of the call, and a notice where all that did not pass is quarantined.
pub(crate) fn annotations(calls: &[Call], out: &mut dyn Write) -> std::io::Result<()> {
    let mut scenarios: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
    for call in calls.iter().filter(|call| !call.has_passed()) {
        let of_scenario = scenarios.entry(&call.scenario).or_default();
        of_scenario.push(call);
    }
    for of_scenario in scenarios.values() {
        annotation(of_scenario, out)?;
    }
    Ok(())
}

fn annotation(calls: &[&Call], out: &mut dyn Write) -> std::io::Result<()> {
    let Some(gravest) = calls.iter().min_by_key(|call| call.standing()) else {
        return Ok(());
    };
    let command = match gravest.standing() {
        Standing::Failed => "error",
        Standing::NoResult | Standing::Invalid | Standing::Unsupported => "warning",
        Standing::Quarantined | Standing::Passed => "notice",
    };
    let place = gravest.written.as_ref().map(|written| {
        let file = property(&written.file);
        format!("file={file},line={},", written.line)
    });
    let mut lines: Vec<String> = calls.iter().map(|call| line(call)).collect();
    // Several runs may have failed in the same way.
    lines.dedup();
    writeln!(
        out,
        "::{command} {}title={}::{}",
        place.unwrap_or_default(),
        property(&gravest.named()),
        data(&lines.join("\n"))
    )
}

fn line(call: &Call) -> String {
    let mut line = call.named();
    if let Some(explained) = call.explanation() {
        let next = explained.next_step.map(|next| format!(" Next: {next}"));
        line = format!(
            "{line}: {}: {}{}",
            explained.cause,
            explained.sentence,
            next.unwrap_or_default()
        );
    }
    for note in call.notes() {
        line = format!("{line} ({note})");
    }
    line
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
    use crate::call::tests::{AGAIN, MISSING, WHY, again, call, missing, quarantined};
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
            stored(&out, &about, sample).into()
        });
        written(&each.collect::<Vec<_>>())
    }

    fn written(calls: &[Call]) -> String {
        let mut bytes = Vec::new();
        annotations(calls, &mut bytes).unwrap();
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

    #[test]
    fn what_is_quarantined_is_no_more_than_a_notice_that_says_why() {
        let out = tempfile::tempdir().unwrap();
        let failed = quarantined(call(&out, "a", &Sample::not_connected()));
        let passed = quarantined(call(&out, "b", &Sample::good()));
        let text = written(&[failed.clone(), passed]);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.starts_with("::notice "), "{text}");
        assert!(text.contains(WHY), "{text}");
        // Beside one that decides, that one is what the annotation is named after.
        let text = written(&[failed, call(&out, "a", &Sample::not_connected())]);
        assert!(text.starts_with("::error "), "{text}");
        assert!(text.contains("title=FAIL a with production::"), "{text}");
    }

    #[test]
    fn a_call_without_a_run_is_warned_of() {
        let text = written(&[missing("a")]);
        let start = "::warning title=NO RESULT a with production::";
        assert!(text.starts_with(start), "{text}");
        assert!(text.contains(MISSING), "{text}");
    }

    #[test]
    fn what_was_run_again_says_so() {
        let out = tempfile::tempdir().unwrap();
        let text = written(&[again(call(&out, "a", &Sample::not_connected()))]);
        assert!(text.contains(AGAIN), "{text}");
    }
}
