//! What came of a call beside what its baseline expects.

use crate::{Answer, Entry, Rerun, Seen, Shortfall, Subject};
use farcall_report::duration;
use farcall_scenario::{BaselineNetwork, ExpectedNetwork};
use farcall_verdict::{Verdict, fits_pair, pair_seen, pair_wanted};
use std::path::Path;
use time::Date;

/// Judges a call by the last of its runs. Directories are told relative to `base`.
#[must_use]
pub fn judge(
    network: &BaselineNetwork,
    ice_configuration: &str,
    runs: &[Seen],
    base: &Path,
    today: Date,
) -> Entry {
    let expected = &network.expected;
    let quarantine = expected.quarantine.as_ref();
    let (answer, shortfalls) = match runs.last() {
        None => (Answer::Undecided, vec![no_run()]),
        Some(run) => judge_run(expected, run),
    };
    Entry {
        call: Subject {
            scenario: network.scenario.name.clone(),
            ice_configuration: ice_configuration.to_owned(),
        },
        line: network.line,
        answer,
        decides: quarantine.is_none_or(|quarantine| quarantine.has_expired(today)),
        expected: expected.clone(),
        measured: runs.last().map(Seen::measured),
        shortfalls,
        runs: runs.iter().map(|run| told(run, base)).collect(),
    }
}

fn judge_run(expected: &ExpectedNetwork, run: &Seen) -> (Answer, Vec<Shortfall>) {
    let verdict = |came: String| Shortfall {
        what: "verdict".to_owned(),
        expected: "PASS".to_owned(),
        came,
    };
    match run.verdict {
        Verdict::Invalid | Verdict::Unsupported => {
            (Answer::Undecided, vec![verdict(run.verdict.to_string())])
        }
        Verdict::Fail => {
            let checks = match run.failed_checks {
                1 => "1 check of the scenario failed".to_owned(),
                several => format!("{several} checks of the scenario failed"),
            };
            (Answer::No, vec![verdict(format!("FAIL: {checks}"))])
        }
        Verdict::Pass => {
            let shortfalls = beyond(expected, run);
            match shortfalls.is_empty() {
                true => (Answer::Yes, shortfalls),
                false => (Answer::No, shortfalls),
            }
        }
    }
}

/// What a run that passed lacks of what the baseline names.
fn beyond(expected: &ExpectedNetwork, run: &Seen) -> Vec<Shortfall> {
    let connects = |connects| match connects {
        true => "a call that connects",
        false => "no call that connects",
    };
    let outcome = expected
        .connects
        .filter(|wanted| *wanted != run.connects())
        .map(|wanted| Shortfall {
            what: "connects".to_owned(),
            expected: connects(wanted).to_owned(),
            came: format!("{}, as the scenario expects", connects(run.connects())),
        });
    if outcome.is_some() {
        return Vec::from_iter(outcome);
    }
    let mut shortfalls = Vec::new();
    for (peer, wanted) in &expected.path {
        let pair = run.pairs.get(peer);
        if !pair.is_some_and(|pair| fits_pair(wanted, pair)) {
            shortfalls.push(Shortfall {
                what: format!("path.{peer}"),
                expected: pair_wanted(wanted),
                came: pair.map_or_else(|| "no selected pair".to_owned(), pair_seen),
            });
        }
    }
    let figures = &run.figures;
    let times = [
        (
            "connect_within_ms",
            expected.connect_within_ms,
            figures.connected_after_ms,
        ),
        (
            "recover_within_ms",
            expected.recover_within_ms,
            figures.recovered_after_ms,
        ),
    ];
    for (what, budget, after_ms) in times {
        let Some(budget) = budget else { continue };
        if !after_ms.is_some_and(|after_ms| after_ms <= f64::from(budget)) {
            shortfalls.push(Shortfall {
                what: what.to_owned(),
                expected: format!("at most {budget} ms"),
                came: after_ms.map_or_else(|| "never".to_owned(), |ms| format!("{ms:.0} ms")),
            });
        }
    }
    if let Some(most) = expected.max_attempts {
        let made = figures.attempts;
        if made.is_none_or(|made| made > most) {
            shortfalls.push(Shortfall {
                what: "max_attempts".to_owned(),
                expected: format!("at most {most}"),
                came: made.map_or_else(|| "not counted".to_owned(), |made| made.to_string()),
            });
        }
    }
    shortfalls
}

fn no_run() -> Shortfall {
    Shortfall {
        what: "run".to_owned(),
        expected: "a run".to_owned(),
        came: "none that came to its end".to_owned(),
    }
}

fn told(run: &Seen, base: &Path) -> Rerun {
    let directory = run.directory.strip_prefix(base).unwrap_or(&run.directory);
    let explanation = run.explanation.as_ref();
    Rerun {
        directory: directory.display().to_string(),
        verdict: run.verdict,
        cause: explanation.map(|why| why.cause.clone()),
        sentence: explanation.map(|why| why.sentence.clone()),
        next_step: explanation.and_then(|why| why.next_step.clone()),
    }
}

impl Entry {
    /// What connected and how fast, for people: `alice relay tcp <-> bob host, connected after 1.2 s`.
    #[must_use]
    pub fn in_short(&self) -> String {
        let Some(measured) = self.measured.as_ref().filter(|measured| measured.connects) else {
            return "no call connects".to_owned();
        };
        let ends = measured.path.iter().map(|(peer, end)| {
            let transport = end.relay_protocol.map(|transport| format!(" {transport}"));
            format!("{peer} {}{}", end.local, transport.unwrap_or_default())
        });
        let mut parts = vec![ends.collect::<Vec<_>>().join(" <-> ")];
        if let Some(ms) = measured.connected_after_ms {
            parts.push(format!("connected after {}", duration(ms)));
        }
        if let Some(ms) = measured.recovered_after_ms {
            parts.push(format!("again after {}", duration(ms)));
        }
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::testing::{TODAY, network, seen};
    use farcall_timeline::{CandidateType, IceTransport};
    use farcall_verdict::Figures;
    use rstest::rstest;
    use time::macros::date;

    fn judged(keys: &str, runs: &[Seen]) -> Entry {
        judge(
            &network(keys),
            "production",
            runs,
            Path::new("/gate"),
            TODAY,
        )
    }

    const ALL: &str = "connects = true\nconnect_within_ms = 2400\n\
        path.alice = { local = [\"relay\"], relay_protocol = [\"tcp\"], remote = [\"prflx\"] }";

    #[test]
    fn a_run_as_expected_is_a_yes() {
        let entry = judged(ALL, &[seen(Verdict::Pass)]);
        assert_eq!(entry.shortfalls, []);
        assert_eq!(entry.answer, Answer::Yes);
        assert_eq!(entry.runs[0].directory, "run");
        assert_eq!(entry.in_short(), "alice relay tcp, connected after 2.4 s");
    }

    #[test]
    fn what_the_baseline_does_not_name_is_not_judged() {
        let mut run = seen(Verdict::Pass);
        run.pairs.clear();
        run.figures = Figures::default();
        assert_eq!(judged("", &[run]).answer, Answer::Yes);
    }

    fn other_type(run: &mut Seen) {
        let alice = run.pairs.get_mut("alice").unwrap();
        alice.local.candidate_type = CandidateType::Host;
    }

    fn other_transport(run: &mut Seen) {
        let alice = run.pairs.get_mut("alice").unwrap();
        alice.local.relay_protocol = Some(IceTransport::Udp);
    }

    fn other_remote(run: &mut Seen) {
        let alice = run.pairs.get_mut("alice").unwrap();
        alice.remote.candidate_type = CandidateType::Host;
    }

    #[rstest]
    #[case::no_connection(|run: &mut Seen| run.figures.connected_after_ms = None, "connects", "no call that connects, as the scenario expects")]
    #[case::another_type(other_type, "path.alice", "local host, remote prflx")]
    #[case::another_transport(
        other_transport,
        "path.alice",
        "local relay over udp (turn:t.example), remote prflx"
    )]
    #[case::another_remote(
        other_remote,
        "path.alice",
        "local relay over tcp (turn:t.example), remote host"
    )]
    #[case::no_pair(|run: &mut Seen| run.pairs.clear(), "path.alice", "no selected pair")]
    #[case::late(|run: &mut Seen| run.figures.connected_after_ms = Some(2_400.6), "connect_within_ms", "2401 ms")]
    fn a_run_that_passed_falls_short(
        #[case] change: fn(&mut Seen),
        #[case] what: &str,
        #[case] came: &str,
    ) {
        let mut run = seen(Verdict::Pass);
        change(&mut run);
        let entry = judged(ALL, &[run]);
        assert_eq!(entry.answer, Answer::No);
        let found: Vec<_> = entry
            .shortfalls
            .iter()
            .map(|one| (one.what.as_str(), one.came.as_str()))
            .collect();
        assert_eq!(found, [(what, came)]);
    }

    #[rstest]
    #[case::in_time(Some(8_000.0), Some(1), &[])]
    #[case::late(Some(8_001.0), Some(1), &["recover_within_ms"])]
    #[case::never(None, Some(1), &["recover_within_ms"])]
    #[case::more_attempts(Some(0.0), Some(2), &["max_attempts"])]
    #[case::not_counted(Some(0.0), None, &["max_attempts"])]
    fn a_recovery_has_budgets_of_its_own(
        #[case] recovered_after_ms: Option<f64>,
        #[case] attempts: Option<u32>,
        #[case] wrong: &[&str],
    ) {
        let mut run = seen(Verdict::Pass);
        run.figures.recovered_after_ms = recovered_after_ms;
        run.figures.attempts = attempts;
        let entry = judged("recover_within_ms = 8000\nmax_attempts = 1", &[run]);
        let found: Vec<&str> = entry.shortfalls.iter().map(|one| &*one.what).collect();
        assert_eq!(found, wrong);
    }

    #[test]
    fn where_no_call_is_expected_one_that_connects_is_a_no() {
        let entry = judged("connects = false", &[seen(Verdict::Pass)]);
        assert_eq!(entry.answer, Answer::No);
        assert_eq!(entry.shortfalls[0].what, "connects");
    }

    #[rstest]
    #[case::failed(Verdict::Fail, Answer::No, "FAIL: 2 checks of the scenario failed")]
    #[case::invalid(Verdict::Invalid, Answer::Undecided, "INVALID")]
    #[case::unsupported(Verdict::Unsupported, Answer::Undecided, "UNSUPPORTED")]
    fn a_run_that_did_not_pass_says_why(
        #[case] verdict: Verdict,
        #[case] answer: Answer,
        #[case] came: &str,
    ) {
        let entry = judged(ALL, &[seen(verdict)]);
        assert_eq!(entry.answer, answer);
        assert_eq!(entry.shortfalls[0].came, came);
        assert_eq!(entry.runs[0].cause.as_deref(), Some("tcp-443-not-tls"));
        assert_eq!(entry.runs[0].next_step.as_deref(), Some("Add it."));
    }

    #[test]
    fn without_a_run_nothing_is_known() {
        let entry = judged("", &[]);
        assert_eq!(entry.answer, Answer::Undecided);
        assert_eq!(entry.measured, None);
        assert_eq!(entry.shortfalls[0].what, "run");
    }

    #[test]
    fn the_last_run_counts() {
        let runs = [seen(Verdict::Invalid), seen(Verdict::Pass)];
        let entry = judged("", &runs);
        assert_eq!((entry.answer, entry.runs.len()), (Answer::Yes, 2));
        assert_eq!(entry.runs[0].verdict, Verdict::Invalid);
    }

    #[rstest]
    #[case::before(date!(2026 - 06 - 29), false)]
    #[case::on_its_last_day(date!(2026 - 06 - 30), false)]
    #[case::the_day_after(date!(2026 - 07 - 01), true)]
    fn a_quarantine_holds_through_its_last_day(#[case] today: Date, #[case] decides: bool) {
        let network =
            network("quarantine = { reason = \"it is being mended\", until = 2026-06-30 }");
        let entry = judge(
            &network,
            "production",
            &[seen(Verdict::Fail)],
            Path::new("/gate"),
            today,
        );
        assert_eq!((entry.answer, entry.decides), (Answer::No, decides));
    }
}
