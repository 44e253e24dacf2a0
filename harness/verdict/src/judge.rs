//! All checks, and what they come to together.

use crate::case::Case;
use crate::checks;
use crate::{Check, CheckVerdict, Declared, Judgement, PeerResult, PhaseTimes, Verdict};
use farcall_timeline::{Phase, Timeline};

/// A check: looks at a run and says what it found, once for each thing that it looks at.
type CheckFunction = fn(&Case<'_>) -> Vec<Check>;

/// The checks of the lab and of the harness.
const SOUNDNESS: &[CheckFunction] = &[
    checks::lab,
    checks::harness_sound,
    checks::harness_complete,
    checks::not_interrupted,
    checks::unsupported,
];

/// The checks of the call, in the order in which it goes.
const CALL: &[CheckFunction] = &[
    checks::signalling,
    checks::ice_servers,
    checks::conditions,
    checks::connection,
    checks::connection_lasts,
    checks::selected_pairs,
    checks::media,
    checks::blocking_rules,
    checks::peers_agree,
    checks::datapaths,
    checks::gateways_agree,
    checks::servers_agree,
    checks::released,
    checks::allocations,
];

/// The checks of a call in which something breaks and the peers recover. What servers and gateways count is of all its
/// connections together, and what becomes of a URL depends on when it was asked: neither is compared. What was sent while nothing got through may
/// be missing from the totals; what is sent afterwards is judged by itself.
const RECOVERY: &[CheckFunction] = &[
    checks::signalling,
    checks::faults,
    checks::conditions,
    checks::connection,
    checks::attempts,
    checks::policy,
    checks::outcome,
    checks::final_state,
    checks::media_again,
    checks::flows,
    checks::connection_lasts,
    checks::selected_pairs,
    checks::datapaths,
    checks::released,
    checks::allocations,
];

/// As those, where the peers must give up: there is nothing to see of a connection in the end.
const HOPELESS: &[CheckFunction] = &[
    checks::signalling,
    checks::faults,
    checks::conditions,
    checks::connection,
    checks::attempts,
    checks::policy,
    checks::outcome,
    checks::final_state,
    checks::datapaths,
    checks::released,
    checks::allocations,
];

/// The checks of a call of which it is said what becomes of media. Whether it lasts is part of that.
const FLOWS: &[CheckFunction] = &[
    checks::signalling,
    checks::faults,
    checks::ice_servers,
    checks::conditions,
    checks::connection,
    checks::selected_pairs,
    checks::flows,
    checks::blocking_rules,
    checks::datapaths,
    checks::released,
    checks::allocations,
];

fn checks_of_call(declared: &Declared) -> &'static [CheckFunction] {
    match &declared.expect.recovery {
        None if declared.expect.flows.is_empty() => CALL,
        None => FLOWS,
        Some(expected) if expected.recovers => RECOVERY,
        Some(_) => HOPELESS,
    }
}

/// Says what a run comes to. See the [crate's documentation](crate) for what outranks what.
#[must_use]
pub fn judge(timeline: &Timeline, declared: &Declared) -> Judgement {
    let case = Case::new(timeline, declared);
    let call = checks_of_call(declared);
    let call = call.iter().flat_map(|check| check(&case));
    let checks: Vec<Check> = SOUNDNESS
        .iter()
        .flat_map(|check| check(&case))
        .chain(call.map(|check| excuse(&case, check)))
        .collect();
    Judgement {
        verdict: match checks::unsupported(&case).is_empty() {
            true => overall(&checks),
            false => Verdict::Unsupported,
        },
        attestation: case.attested().cloned().collect(),
        peers: case
            .peers
            .iter()
            .map(|peer| ((*peer).to_owned(), PeerResult::of(&case, peer)))
            .collect(),
        phases: PhaseTimes::of(timeline),
        checks,
    }
}

/// A call that did not come to its end proves nothing against anybody, and what it lacks is not worth
/// a complaint each: that the run is incomplete is a check of its own.
fn excuse(case: &Case<'_>, mut check: Check) -> Check {
    let is_wrong = matches!(check.verdict, CheckVerdict::Fail | CheckVerdict::Invalid);
    if is_wrong && !case.has_ended(Phase::Call) {
        check.verdict = CheckVerdict::Skipped;
        check.observed = format!("the call did not come to its end: {}", check.observed);
    }
    check
}

fn overall(checks: &[Check]) -> Verdict {
    let any = |verdict| checks.iter().any(|check| check.verdict == verdict);
    if any(CheckVerdict::Invalid) {
        Verdict::Invalid
    } else if any(CheckVerdict::Fail) {
        Verdict::Fail
    } else {
        Verdict::Pass
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::sample::{Sample, TCP_URL};
    use farcall_timeline::{Entry, Event, IceServerOutcome};
    use std::collections::BTreeSet;

    fn break_lab(sample: &mut Sample) {
        sample.change(|event| {
            if let Event::Attested(measured) = event {
                measured.holds = false;
            }
        });
    }

    #[test]
    fn a_good_run_passes_every_check() {
        let judgement = Sample::good().judge();
        for check in &judgement.checks {
            let is_stun = check.name.ends_with("/stun");
            assert!(is_stun || check.verdict == CheckVerdict::Pass, "{check:#?}");
        }
        assert_eq!(judgement.verdict, Verdict::Pass);
        assert_eq!(judgement.attestation.len(), 7);
    }

    #[test]
    fn what_the_machine_cannot_build_is_unsupported_whatever_else_is_wrong() {
        let mut sample = Sample::good();
        break_lab(&mut sample);
        assert_eq!(sample.judge().verdict, Verdict::Invalid);
        let reason = "IPv6 is off at eth0; use another Docker Engine".to_owned();
        sample.add(100.0, "alice", Event::Unsupported { reason });
        let judgement = sample.judge();
        assert_eq!(judgement.verdict, Verdict::Unsupported);
        let mut checks = judgement.checks.iter();
        let check = checks.find(|check| check.name == "harness/supported");
        assert!(check.unwrap().observed.contains("IPv6 is off at eth0"));
    }

    #[test]
    fn what_no_lab_can_have_is_unsupported_although_nothing_was_raised() {
        let mut sample = Sample::good();
        sample.remove(|_| true);
        assert_eq!(sample.judge().verdict, Verdict::Invalid);
        let reason = "turn:[2001:db8::7]: write a host name".to_owned();
        sample.add(0.0, "harness", Event::ConfigurationUnsupported { reason });
        let judgement = sample.judge();
        assert_eq!(judgement.verdict, Verdict::Unsupported);
        let mut checks = judgement.checks.iter();
        let check = checks.find(|check| check.name == "harness/supported");
        let check = check.unwrap();
        assert!(check.observed.contains("turn:[2001:db8::7]"), "{check:?}");
        assert!(check.expected.contains("ICE configuration"), "{check:?}");
    }

    #[test]
    fn names_of_checks_are_unique() {
        let checks = Sample::good().judge().checks;
        let names: BTreeSet<&str> = checks.iter().map(|check| check.name.as_str()).collect();
        assert_eq!(names.len(), checks.len());
    }

    #[test]
    fn a_call_that_does_not_connect_in_a_sound_lab_fails() {
        let judgement = Sample::not_connected().judge();
        assert_eq!(judgement.verdict, Verdict::Fail);
        let failed: Vec<&str> = judgement
            .checks
            .iter()
            .filter(|check| check.verdict == CheckVerdict::Fail)
            .map(|check| check.name.as_str())
            .collect();
        assert_eq!(failed, ["connection"]);
    }

    #[test]
    fn a_wrong_lab_outranks_a_failed_call_and_a_good_one() {
        for mut sample in [Sample::good(), Sample::not_connected()] {
            break_lab(&mut sample);
            assert_eq!(sample.judge().verdict, Verdict::Invalid);
        }
    }

    #[test]
    fn another_outcome_fails_even_a_connected_call() {
        let mut sample = Sample::good();
        sample.change_server("bob", TCP_URL, |report| {
            report.outcome = IceServerOutcome::Quota;
        });
        assert_eq!(sample.judge().verdict, Verdict::Fail);
    }

    #[test]
    fn where_no_call_can_connect_one_that_does_not_passes() {
        let mut sample = Sample::not_connected();
        sample.declared.expect.connects = false;
        assert_eq!(sample.judge().verdict, Verdict::Pass);
    }

    #[test]
    fn an_empty_log_is_invalid() {
        let declared = Sample::good().declared;
        let judgement = judge(&Timeline::default(), &declared);
        assert_eq!(judgement.verdict, Verdict::Invalid);
        assert_eq!(judgement.peers.len(), 2);
    }

    #[test]
    fn a_run_that_was_cut_short_is_invalid_wherever_it_was() {
        let whole = Sample::good();
        for end_ms in [1_000.0, 2_500.0, 4_002.0, 5_000.0, 7_000.0, 9_850.0] {
            let mut sample = whole.clone();
            sample.remove(|entry| entry.at_ms > end_ms);
            let judgement = sample.judge();
            assert_eq!(judgement.verdict, Verdict::Invalid, "{end_ms}");
            for check in judgement.checks {
                let is_about_call =
                    !check.name.starts_with("lab/") && check.name != "harness/complete";
                assert!(
                    !is_about_call
                        || matches!(check.verdict, CheckVerdict::Pass | CheckVerdict::Skipped),
                    "{end_ms}: {check:#?}"
                );
            }
        }
    }

    /// Nodes forwards or backwards, each node's own events in order.
    fn by_node(sample: &Sample, backwards: bool) -> Timeline {
        let mut entries: Vec<Entry> = sample.entries.clone();
        entries.sort_by(|left, right| {
            let order = left.node.cmp(&right.node);
            let order = if backwards { order.reverse() } else { order };
            order.then(left.at_ms.total_cmp(&right.at_ms))
        });
        Timeline::new(entries)
    }

    #[test]
    fn the_order_of_nodes_at_equal_times_does_not_matter() {
        for mut sample in [Sample::good(), Sample::not_connected()] {
            for whole_ms in [1.0, 1_000.0] {
                for entry in &mut sample.entries {
                    entry.at_ms = (entry.at_ms / whole_ms).round() * whole_ms;
                }
                let forwards = judge(&by_node(&sample, false), &sample.declared);
                let backwards = judge(&by_node(&sample, true), &sample.declared);
                assert_eq!(forwards, backwards);
                assert_eq!(forwards, judge(&by_node(&sample, false), &sample.declared));
            }
        }
    }

    #[test]
    fn what_is_declared_can_be_stored() {
        let declared = Sample::good().declared;
        let text = serde_json::to_string(&declared).unwrap();
        let read: Declared = serde_json::from_str(&text).unwrap();
        assert_eq!(read, declared);
    }

    #[test]
    fn what_was_stored_under_a_former_name_is_read() {
        let mut declared = Sample::good().declared;
        declared.expect.refuses_credentials = true;
        let text = serde_json::to_string(&declared).unwrap();
        assert!(text.contains("\"refuses_credentials\":true"), "{text}");
        let former = text.replace("refuses_credentials", "has_expired_credentials");
        let read: Declared = serde_json::from_str(&former).unwrap();
        assert_eq!(read, declared);
    }
}
