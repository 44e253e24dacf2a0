//! Runs as JUnit XML, which CI systems show as tests: a suite for each scenario, a test for each call in it.
//!
//! There is no one schema. Of what Jenkins' xUnit plugin has (`junit-10.xsd`), three attributes differ: `skipped` of
//! `testsuites`, which quick-junit always writes, and `file` and `line` of `testcase`, by which GitLab and GitHub find the
//! scenario.

use crate::StoredRun;
use crate::explanation::{Explanation, wrong};
use crate::format::markdown::total_ms;
use crate::format::{Report as _, Terminal};
use farcall_verdict::Verdict;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::fmt::Write as _;
use std::io::Write;
use std::time::Duration;

/// Writes runs as JUnit XML. A broken expectation is a failure, an INVALID run an error, an UNSUPPORTED one is skipped.
pub(crate) fn junit(runs: &[StoredRun], out: &mut dyn Write) -> std::io::Result<()> {
    let mut suites: Vec<TestSuite> = Vec::new();
    for run in runs {
        let scenario = run.result.scenario.as_str();
        let known = suites
            .iter()
            .position(|suite| suite.name.as_str() == scenario);
        let index = known.unwrap_or_else(|| {
            suites.push(suite(run));
            suites.len() - 1
        });
        suites[index].add_test_case(case(run)?);
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

fn suite(run: &StoredRun) -> TestSuite {
    let mut suite = TestSuite::new(&*run.result.scenario);
    if let Some(written) = &run.about.written {
        suite.extra.insert("file".into(), (&*written.file).into());
    }
    suite
}

fn case(run: &StoredRun) -> std::io::Result<TestCase> {
    let result = &run.result;
    let name = format!("{} with {}", result.scenario, result.ice_configuration);
    let mut case = TestCase::new(name, status(run));
    case.set_classname(format!("farcall.{}", result.scenario));
    case.set_time(Duration::try_from_secs_f64(total_ms(run) / 1e3).unwrap_or_default());
    if let Some(written) = &run.about.written {
        case.extra.insert("file".into(), (&*written.file).into());
        case.extra
            .insert("line".into(), written.line.to_string().into());
    }
    let mut text = Vec::new();
    Terminal { colour: false }.render(run, &mut text)?;
    case.set_system_out_lossy(text);
    Ok(case)
}

fn status(run: &StoredRun) -> TestCaseStatus {
    let mut status = match run.result.verdict {
        Verdict::Pass => return TestCaseStatus::success(),
        Verdict::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Invalid => TestCaseStatus::non_success(NonSuccessKind::Error),
        Verdict::Unsupported => TestCaseStatus::skipped(),
    };
    if let Some(explained) = Explanation::of(run) {
        status.set_type(&*explained.cause);
        status.set_message(&*explained.sentence);
        status.set_description(description(run, &explained));
    }
    status
}

/// The explanation and every check that did not hold.
fn description(run: &StoredRun, explained: &Explanation) -> String {
    let mut text = format!("{}: {}\n", explained.cause, explained.sentence);
    // Writing to a string cannot fail.
    for line in &explained.evidence {
        let _ = writeln!(text, "- {line}");
    }
    if let Some(next) = &explained.next_step {
        let _ = writeln!(text, "next: {next}");
    }
    for check in wrong(run) {
        let _ = writeln!(
            text,
            "\n{} {}\n  expected {}\n  observed {}",
            check.verdict, check.name, check.expected, check.observed
        );
        for line in &check.evidence {
            let _ = writeln!(text, "  evidence {line}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::stored::tests::{about, stored};
    use farcall_scenario::Written;
    use farcall_timeline::Event;
    use farcall_verdict::sample::Sample;
    use junit_parser::{TestStatus, TestSuites};

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
        let runs = samples.iter().map(|(scenario, sample)| {
            let mut about = about();
            about.scenario = (*scenario).into();
            about.written = Some(Written {
                file: format!("scenarios/{scenario}.toml"),
                line: 29,
            });
            stored(&out, &about, sample)
        });
        let runs: Vec<StoredRun> = runs.collect();
        let mut bytes = Vec::new();
        junit(&runs, &mut bytes).unwrap();
        bytes
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
    fn characters_that_xml_cannot_have_are_left_out() {
        let text = String::from_utf8(render()).unwrap();
        let allowed = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\t' | '\r');
        assert!(text.chars().all(allowed));
    }
}
