//! Runs as JUnit XML, which CI systems show as tests: a suite for each scenario, a test for each call in it.
//!
//! There is no one schema. Of what Jenkins' xUnit plugin has (`junit-10.xsd`), three attributes differ: `skipped` of
//! `testsuites`, which quick-junit always writes, and `file` and `line` of `testcase`, by which GitLab and GitHub find the
//! scenario.

use crate::call::{NO_RESULT, Standing};
use crate::explanation::{Explanation, wrong};
use crate::format::markdown::total_ms;
use crate::format::{Report as _, Terminal};
use crate::{Call, Earlier, Weight};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestRerun, TestSuite};
use std::fmt::Write as _;
use std::io::Write;
use std::time::Duration;

/// Writes calls as JUnit XML. A broken expectation is a failure; an INVALID run and a call without a run are errors; what
/// is quarantined is skipped, and so is an UNSUPPORTED run, unless it decides.
pub(crate) fn junit(calls: &[Call], out: &mut dyn Write) -> std::io::Result<()> {
    let mut suites: Vec<TestSuite> = Vec::new();
    for call in calls {
        let scenario = call.scenario.as_str();
        let known = suites
            .iter()
            .position(|suite| suite.name.as_str() == scenario);
        let index = known.unwrap_or_else(|| {
            suites.push(suite(call));
            suites.len() - 1
        });
        suites[index].add_test_case(case(call)?);
    }
    for suite in &mut suites {
        let times = suite.test_cases.iter().filter_map(|case| case.time);
        let time = times.sum();
        suite.set_time(time);
    }
    let mut report = Report::new("farcall");
    report.set_time(suites.iter().filter_map(|suite| suite.time).sum());
    report.add_test_suites(suites);
    report.serialize(out).map_err(std::io::Error::other)
}

fn suite(call: &Call) -> TestSuite {
    let mut suite = TestSuite::new(&*call.scenario);
    if let Some(written) = &call.written {
        suite.extra.insert("file".into(), (&*written.file).into());
    }
    suite
}

fn case(call: &Call) -> std::io::Result<TestCase> {
    let mut case = TestCase::new(call.subject(), status(call));
    case.set_classname(format!("farcall.{}", call.scenario));
    if let Some(written) = &call.written {
        case.extra.insert("file".into(), (&*written.file).into());
        case.extra
            .insert("line".into(), written.line.to_string().into());
    }
    let mut text = Vec::new();
    for note in call.notes() {
        writeln!(text, "{note}")?;
    }
    if let Ok(run) = &call.run {
        case.set_time(Duration::try_from_secs_f64(total_ms(run) / 1e3).unwrap_or_default());
        Terminal { colour: false }.render(run, &mut text)?;
    }
    case.set_system_out_lossy(text);
    Ok(case)
}

fn status(call: &Call) -> TestCaseStatus {
    let mut status = match call.standing() {
        Standing::Passed => TestCaseStatus::success(),
        Standing::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Standing::NoResult | Standing::Invalid => {
            TestCaseStatus::non_success(NonSuccessKind::Error)
        }
        Standing::Unsupported if call.weight == Weight::Decides => {
            TestCaseStatus::non_success(NonSuccessKind::Error)
        }
        Standing::Unsupported | Standing::Quarantined => TestCaseStatus::skipped(),
    };
    if let Some(explained) = call.explanation() {
        let message = match &call.run {
            Ok(_) => explained.sentence.clone(),
            Err(why) => format!("{NO_RESULT}: {why}"),
        };
        status.set_type(&*explained.cause);
        status.set_message(message);
        status.set_description(description(call, &explained));
    }
    if let Weight::Quarantined(why) = &call.weight {
        status.set_type("quarantined");
        status.set_message(why.as_str());
    }
    status.add_reruns(call.earlier.iter().map(rerun));
    status
}

/// A run that does not count is `flakyError` of a test that passed in the end, and else `rerunError`.
fn rerun(earlier: &Earlier) -> TestRerun {
    let mut rerun = TestRerun::new(NonSuccessKind::Error);
    let cause = earlier.cause.as_deref().unwrap_or_default();
    rerun.set_type(format!("{} {cause}", earlier.verdict).trim_end());
    if let Some(sentence) = &earlier.sentence {
        rerun.set_message(sentence.as_str());
    }
    // Surefire's schema asks for one.
    rerun.set_stack_trace(earlier.sentence.as_deref().unwrap_or_default());
    rerun
}

/// The explanation, every check that did not hold, and what else is to be said.
fn description(call: &Call, explained: &Explanation) -> String {
    let mut text = format!("{}: {}\n", explained.cause, explained.sentence);
    // Writing to a string cannot fail.
    for line in &explained.evidence {
        let _ = writeln!(text, "- {line}");
    }
    if let Some(next) = &explained.next_step {
        let _ = writeln!(text, "next: {next}");
    }
    for check in call.run.iter().flat_map(wrong) {
        let _ = writeln!(
            text,
            "\n{} {}\n  expected {}\n  observed {}",
            check.verdict, check.name, check.expected, check.observed
        );
        for line in &check.evidence {
            let _ = writeln!(text, "  evidence {line}");
        }
    }
    for remark in &call.remarks {
        let _ = writeln!(text, "\n{remark}");
    }
    text
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::call::tests::{AGAIN, MISSING, WHY, again, call, missing, quarantined};
    use farcall_timeline::Event;
    use farcall_verdict::sample::Sample;
    use junit_parser::{RerunOrFlakyKind, TestCase, TestStatus, TestSuites};

    fn render() -> Vec<u8> {
        let out = tempfile::tempdir().unwrap();
        let mut invalid = Sample::good();
        invalid.add(1.0, "harness", Event::Interrupted);
        let mut unsupported = Sample::good();
        let reason = "no <tun> & \u{1}\u{1b}[1mno \"bold\"".into();
        unsupported.add(1.0, "harness", Event::Unsupported { reason });
        let samples = [
            ("corporate-firewall", Sample::good()),
            ("corporate-firewall", Sample::not_connected()),
            ("hotel", invalid),
            ("vpn", unsupported),
        ];
        let calls = samples.iter().map(|(scenario, sample)| Call {
            weight: Weight::Alone,
            ..call(&out, scenario, sample)
        });
        written(&calls.collect::<Vec<_>>())
    }

    fn written(calls: &[Call]) -> Vec<u8> {
        let mut bytes = Vec::new();
        junit(calls, &mut bytes).unwrap();
        bytes
    }

    /// What a reader makes of the only call.
    fn read_one(call: Call) -> TestCase {
        let bytes = written(&[call]);
        let mut read: TestSuites = junit_parser::from_reader(bytes.as_slice()).unwrap();
        read.suites.remove(0).cases.remove(0)
    }

    /// By a reader that has nothing in common with the writer but the format.
    #[test]
    fn a_reader_finds_every_verdict_in_its_own_words() {
        let bytes = render();
        let read: TestSuites = junit_parser::from_reader(bytes.as_slice()).unwrap();
        assert_eq!(
            (read.tests, read.failures, read.errors, read.skipped),
            (4, 1, 1, 1)
        );
        let names: Vec<&str> = read
            .suites
            .iter()
            .map(|suite| suite.name.as_str())
            .collect();
        assert_eq!(names, ["corporate-firewall", "hotel", "vpn"]);
        let cases: Vec<_> = read.suites.iter().flat_map(|suite| &suite.cases).collect();
        assert!(matches!(cases[0].status, TestStatus::Success));
        let TestStatus::Failure(failure) = &cases[1].status else {
            panic!("{:?}", cases[1].status);
        };
        assert!(
            failure
                .message
                .contains("no connectivity check came through"),
            "{failure:?}"
        );
        assert!(failure.text.contains("FAIL"), "{failure:?}");
        assert!(matches!(cases[2].status, TestStatus::Error(_)));
        let TestStatus::Skipped(skipped) = &cases[3].status else {
            panic!("{:?}", cases[3].status);
        };
        assert!(skipped.message.contains("no <tun> & "), "{skipped:?}");
        assert_eq!(
            cases[1].file.as_deref(),
            Some("scenarios/corporate-firewall.toml")
        );
        assert_eq!(cases[1].line, Some(29));
    }

    #[test]
    fn what_is_quarantined_is_skipped_with_its_reason_and_says_why_it_failed() {
        let out = tempfile::tempdir().unwrap();
        let failed = quarantined(call(&out, "vpn", &Sample::not_connected()));
        let read = read_one(failed);
        let TestStatus::Skipped(skipped) = &read.status else {
            panic!("{:?}", read.status);
        };
        assert_eq!(skipped.message, WHY);
        assert!(
            skipped.text.contains("no connectivity check came through"),
            "{skipped:?}"
        );
        let passed = read_one(quarantined(call(&out, "vpn", &Sample::good())));
        assert!(passed.status.is_skipped(), "{passed:?}");
    }

    #[test]
    fn a_call_without_a_run_is_an_error() {
        let read = read_one(missing("vpn"));
        let TestStatus::Error(error) = &read.status else {
            panic!("{:?}", read.status);
        };
        assert_eq!(error.message, format!("no result: {MISSING}"));
        assert_eq!(read.original_name, "vpn with production");
    }

    #[test]
    fn what_decides_and_could_not_be_tried_is_an_error() {
        let out = tempfile::tempdir().unwrap();
        let mut unsupported = Sample::good();
        let reason = "no tun".into();
        unsupported.add(1.0, "harness", Event::Unsupported { reason });
        let decides = call(&out, "vpn", &unsupported);
        let alone = Call {
            weight: Weight::Alone,
            ..decides.clone()
        };
        assert!(read_one(decides).status.is_error());
        assert!(read_one(alone).status.is_skipped());
    }

    #[test]
    fn runs_that_do_not_count_are_told() {
        let out = tempfile::tempdir().unwrap();
        let passed = read_one(again(call(&out, "vpn", &Sample::good())));
        assert!(passed.status.is_success());
        assert_eq!(passed.reruns.len(), 1);
        assert!(matches!(
            passed.reruns[0].kind,
            RerunOrFlakyKind::FlakyError
        ));
        assert_eq!(passed.reruns[0].rerun_type, "INVALID lab-invalid");
        assert!(passed.system_out.unwrap().starts_with(AGAIN));
        let failed = read_one(again(call(&out, "vpn", &Sample::not_connected())));
        assert!(matches!(
            failed.reruns[0].kind,
            RerunOrFlakyKind::RerunError
        ));
        assert!(failed.status.failure_as_ref().text.contains(AGAIN));
    }

    #[test]
    fn characters_that_xml_cannot_have_are_left_out() {
        let text = String::from_utf8(render()).unwrap();
        let allowed = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\t' | '\r');
        assert!(text.chars().all(allowed));
    }
}
