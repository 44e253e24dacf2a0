//! The calls of a gate as reports show them: with what each weighs in the answer, and those of which there is no result.

use crate::{Answer, Entry, GateResult, Shortfall, Subject};
use farcall_report::{Call, Earlier, StoredRun, Weight};
use farcall_scenario::Written;
use farcall_verdict::{Check, CheckVerdict, Verdict};

/// The calls of a gate. `load` reads the run of a directory, as that is told in the entries.
///
/// # Errors
/// When a run that counts cannot be read.
pub fn shown<E>(
    result: &GateResult,
    load: impl Fn(&str) -> Result<StoredRun, E>,
) -> Result<Vec<Call>, E> {
    let entries = result.entries.iter();
    let mut calls = entries
        .map(|entry| of_entry(entry, result, &load))
        .collect::<Result<Vec<_>, _>>()?;
    calls.extend(missing(result));
    Ok(calls)
}

fn of_entry<E>(
    entry: &Entry,
    result: &GateResult,
    load: &impl Fn(&str) -> Result<StoredRun, E>,
) -> Result<Call, E> {
    let run = match entry.runs.last() {
        Some(last) => Ok(with_shortfalls(load(&last.directory)?, &entry.shortfalls)),
        None => Err("no run came to its end".to_owned()),
    };
    let written = match &run {
        Ok(run) => run.about.written.clone(),
        Err(_) => Some(Written {
            file: result.baseline.name.clone(),
            line: entry.line,
        }),
    };
    let quarantine = entry.quarantine_in_words();
    let (weight, expired) = match (entry.decides, quarantine) {
        (true, expired) => (Weight::Decides, expired),
        (false, why) => (Weight::Quarantined(why.unwrap_or_default()), None),
    };
    let needless = (!entry.decides && entry.answer == Answer::Yes).then(|| {
        format!(
            "it is as expected, so {}:{} may do without quarantine",
            result.baseline.name, entry.line
        )
    });
    let reruns = entry.reruns_in_words(result.retries);
    let before = entry
        .runs
        .split_last()
        .map_or(&[][..], |(_, before)| before);
    Ok(Call {
        scenario: entry.call.scenario.clone(),
        ice_configuration: entry.call.ice_configuration.clone(),
        written,
        run,
        weight,
        remarks: [expired, needless, reruns].into_iter().flatten().collect(),
        earlier: before
            .iter()
            .map(|run| Earlier {
                verdict: run.verdict,
                cause: run.cause.clone(),
                sentence: run.sentence.clone(),
            })
            .collect(),
    })
}

/// The calls of shards that are missing. What is in no entry of a shard falls to another.
fn missing(result: &GateResult) -> impl Iterator<Item = Call> {
    let numbers: Vec<String> = result.missing_shards.iter().map(u32::to_string).collect();
    let why = match numbers.as_slice() {
        [one] => format!("shard {one} is missing"),
        several => format!("it is in one of the missing shards {}", several.join(", ")),
    };
    let calls = result.calls.iter();
    let is_missing = move |call: &&Subject| {
        let mut entries = result.entries.iter();
        !numbers.is_empty() && !entries.any(|entry| entry.call == **call)
    };
    calls.filter(is_missing).map(move |call| Call {
        scenario: call.scenario.clone(),
        ice_configuration: call.ice_configuration.clone(),
        written: None,
        run: Err(why.clone()),
        weight: Weight::Decides,
        remarks: Vec::new(),
        earlier: Vec::new(),
    })
}

/// What is not as the baseline expects is a check that failed.
fn with_shortfalls(mut run: StoredRun, shortfalls: &[Shortfall]) -> StoredRun {
    if run.result.verdict != Verdict::Pass {
        return run;
    }
    let checks = shortfalls.iter().map(|shortfall| Check {
        name: format!("baseline/{}", shortfall.what),
        verdict: CheckVerdict::Fail,
        expected: shortfall.expected.clone(),
        observed: shortfall.came.clone(),
        evidence: Vec::new(),
    });
    run.result.checks.extend(checks);
    if !shortfalls.is_empty() {
        run.result.verdict = Verdict::Fail;
        // It is of a call that falls short of its scenario.
        run.result.diagnosis = None;
    }
    run
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::testing::{TODAY, network, result, seen, stored};
    use crate::{Shard, judge};
    use farcall_report::{ReportFormat, html_index};
    use farcall_verdict::sample::Sample;
    use std::path::Path;

    const QUARANTINE: &str = "quarantine = { reason = \"TLS comes in July\", until = 2026-06-30 }";

    /// A gate with these calls: the keys of the baseline and the verdicts of each one's runs.
    fn gate(calls: &[(&str, &[Verdict])]) -> GateResult {
        let mut gate = result();
        let entries = calls.iter().map(|(keys, verdicts)| {
            let runs: Vec<_> = verdicts.iter().copied().map(seen).collect();
            let base = Path::new("/gate");
            judge(&network(keys), "production", &runs, base, TODAY)
        });
        gate.entries = entries.collect();
        gate.calls = gate.entries.iter().map(|one| one.call.clone()).collect();
        gate.retries = 2;
        gate.answer = gate.answered();
        gate
    }

    fn shown_of(gate: &GateResult, sample: &Sample) -> Vec<Call> {
        let out = tempfile::tempdir().unwrap();
        let load = |_: &str| Ok::<_, std::convert::Infallible>(stored(&out, sample));
        shown(gate, load).unwrap()
    }

    fn rendered(format: ReportFormat, calls: &[Call]) -> String {
        let mut bytes = Vec::new();
        format.render(calls, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn index(calls: &[Call]) -> String {
        let links = vec!["run.html".to_owned(); calls.len()];
        let mut bytes = Vec::new();
        html_index(calls, &links, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_is_quarantined_does_not_contradict_a_yes() {
        let mut yes = gate(&[(QUARANTINE, &[Verdict::Fail])]);
        yes.entries.extend(result().entries);
        assert_eq!(yes.answered(), Answer::Yes);
        let calls = shown_of(&yes, &Sample::not_connected());
        let why = "quarantined until 2026-06-30, so it does not decide: TLS comes in July";
        assert_eq!(calls[0].weight, Weight::Quarantined(why.to_owned()));
        let junit = rendered(ReportFormat::Junit, &calls[..1]);
        assert!(
            junit.contains("tests=\"1\" skipped=\"1\" failures=\"0\" errors=\"0\""),
            "{junit}"
        );
        assert!(junit.contains(&format!("message=\"{why}\"")), "{junit}");
        let annotations = rendered(ReportFormat::GithubAnnotations, &calls[..1]);
        assert!(annotations.starts_with("::notice "), "{annotations}");
    }

    #[test]
    fn a_quarantine_that_has_expired_is_told_of_what_decides_again() {
        let expired = "quarantine = { reason = \"TLS comes in May\", until = 2026-06-01 }";
        let no = gate(&[(expired, &[Verdict::Fail])]);
        let call = shown_of(&no, &Sample::not_connected()).remove(0);
        assert_eq!(call.weight, Weight::Decides);
        assert_eq!(
            call.remarks,
            ["quarantine has expired on 2026-06-01, so it decides again: TLS comes in May"]
        );
    }

    #[test]
    fn a_quarantine_that_is_not_needed_is_said_to_be() {
        let passed = gate(&[(QUARANTINE, &[Verdict::Pass])]);
        let call = shown_of(&passed, &Sample::good()).remove(0);
        assert_eq!(
            call.remarks,
            ["it is as expected, so farcall-baseline.toml:1 may do without quarantine"]
        );
    }

    #[test]
    fn a_call_that_was_never_placed_is_shown_at_its_place_in_the_baseline() {
        let undecided = gate(&[("", &[])]);
        let calls = shown_of(&undecided, &Sample::good());
        assert_eq!(calls[0].run, Err("no run came to its end".to_owned()));
        let written = calls[0].written.clone().unwrap();
        assert_eq!(
            (written.file.as_str(), written.line),
            ("farcall-baseline.toml", 1)
        );
        let junit = rendered(ReportFormat::Junit, &calls);
        assert!(junit.contains("errors=\"1\""), "{junit}");
        assert!(
            junit.contains("message=\"no result: no run came to its end\""),
            "{junit}"
        );
    }

    #[test]
    fn the_calls_of_a_missing_shard_are_in_every_report() {
        let mut merged = result();
        merged.calls.push(Subject {
            scenario: "hotel".to_owned(),
            ice_configuration: "production".to_owned(),
        });
        merged.missing_shards = vec![2];
        assert_eq!(merged.answered(), Answer::Undecided);
        let calls = shown_of(&merged, &Sample::good());
        assert_eq!(calls.len(), 2);
        let junit = rendered(ReportFormat::Junit, &calls);
        assert!(
            junit.contains("tests=\"2\" skipped=\"0\" failures=\"0\" errors=\"1\""),
            "{junit}"
        );
        let said = "no result: shard 2 is missing";
        assert!(junit.contains(said), "{junit}");
        let summary = rendered(ReportFormat::GithubSummary, &calls);
        assert!(
            summary.contains("## NO RESULT hotel with production"),
            "{summary}"
        );
        assert!(index(&calls).contains("shard 2 is missing"));
        merged.missing_shards = vec![2, 3];
        let calls = shown_of(&merged, &Sample::good());
        let why = "it is in one of the missing shards 2, 3";
        assert_eq!(calls[1].run, Err(why.to_owned()));
    }

    #[test]
    fn what_falls_to_another_shard_is_not_missing() {
        let mut shard = result();
        shard.entries.clear();
        shard.shard = Some(Shard { number: 2, of: 2 });
        assert_eq!(shown_of(&shard, &Sample::good()), []);
    }

    #[test]
    fn shortfalls_of_a_call_that_passed_its_scenario_are_on_the_page_of_all_calls() {
        let keys = "connect_within_ms = 2000\npath.alice = { local = [\"host\"] }";
        let no = gate(&[(keys, &[Verdict::Pass])]);
        let calls = shown_of(&no, &Sample::good());
        let page = index(&calls);
        for said in [
            "data-verdict=\"fail\"",
            "<b>baseline/path.alice</b>: local relay over tcp (turn:t.example), remote prflx",
            "also baseline/connect_within_ms",
        ] {
            assert!(page.contains(said), "{said} is missing:\n{page}");
        }
    }

    #[test]
    fn reruns_are_told() {
        let again = gate(&[("", &[Verdict::Invalid, Verdict::Pass])]);
        let calls = shown_of(&again, &Sample::good());
        let said = "run again 1 of at most 2 times: INVALID (tcp-443-not-tls), then PASS";
        assert_eq!(calls[0].remarks, [said]);
        assert_eq!(calls[0].earlier.len(), 1);
        assert_eq!(calls[0].earlier[0].verdict, Verdict::Invalid);
        let junit = rendered(ReportFormat::Junit, &calls);
        assert!(junit.contains("<flakyError "), "{junit}");
        let summary = rendered(ReportFormat::GithubSummary, &calls);
        assert!(
            summary.contains("run again 1 of at most 2 times"),
            "{summary}"
        );
        assert!(index(&calls).contains(said));
    }

    #[test]
    fn the_runs_that_count_are_the_last_ones() {
        let again = gate(&[("", &[Verdict::Invalid, Verdict::Pass])]);
        let mut gate = again.clone();
        gate.entries[0].runs[1].directory = "last".to_owned();
        let out = tempfile::tempdir().unwrap();
        let calls = shown(&gate, |directory: &str| match directory {
            "last" => Ok(stored(&out, &Sample::good())),
            other => Err(other.to_owned()),
        });
        assert!(calls.unwrap()[0].run.is_ok());
        assert_eq!(
            shown(&again, |directory: &str| Err(directory.to_owned())),
            Err("run".to_owned())
        );
    }
}
