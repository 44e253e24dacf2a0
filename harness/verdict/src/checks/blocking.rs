//! The rules that should block did see packets.

use super::signalling::never_placed;
use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_plan::BlockingRule;
use farcall_timeline::IceServerOutcome;

/// One check for each rule into which a URL of the configuration runs. A rule that counted nothing
/// while the call was placed did not block it, so the run says nothing about it: invalid.
pub(crate) fn blocking_rules(case: &Case<'_>) -> Vec<Check> {
    let rules = &case.declared.expect.blocking_rules;
    rules.iter().map(|rule| check(case, rule)).collect()
}

fn check(case: &Case<'_>, rule: &BlockingRule) -> Check {
    let (verdict, observed) = match case.counted(&rule.gateway, &rule.rule) {
        None => (
            CheckVerdict::Invalid,
            "its counter was not read before and after the call, or went backwards".to_owned(),
        ),
        Some(counted) if counted.packets == 0 && was_not_called(case, rule) => (
            CheckVerdict::Skipped,
            format!("{} asked no server, since it was not called", rule.peer),
        ),
        Some(counted) if counted.packets == 0 => (
            CheckVerdict::Invalid,
            "the rule that should block saw nothing".to_owned(),
        ),
        Some(counted) => (
            CheckVerdict::Pass,
            format!(
                "{} packets, {} bytes, whoever behind {} sent them",
                counted.packets, counted.bytes, rule.gateway
            ),
        ),
    };
    Check::new(
        format!("blocking-rule/{}/{}/{}", rule.gateway, rule.rule, rule.peer),
        verdict,
        format!(
            "the rule counts packets during the call: what {} asks for runs into it",
            rule.peer
        ),
        observed,
    )
}

/// Whether signalling kept the peer from asking any server: it did not learn of the call.
fn was_not_called(case: &Case<'_>, rule: &BlockingRule) -> bool {
    let mut reports = case.servers(&rule.peer).into_values();
    reports.all(|report| report.outcome == IceServerOutcome::NotUsed)
        && never_placed(case).is_some()
}

#[cfg(test)]
mod tests {
    use crate::CheckVerdict::{Invalid, Pass};
    use crate::sample::Sample;
    use farcall_timeline::Event;

    const CHECK: &str = "blocking-rule/office-gateway/corporate/drop-udp/alice";

    #[test]
    fn a_rule_that_counted_packets_passes() {
        let check = Sample::good().check(CHECK);
        assert_eq!(check.verdict, Pass);
        assert_eq!(
            check.observed,
            "7 packets, 392 bytes, whoever behind office-gateway sent them"
        );
        assert_eq!(
            check.expected,
            "the rule counts packets during the call: what alice asks for runs into it"
        );
    }

    #[test]
    fn a_rule_that_saw_nothing_during_the_call_is_invalid() {
        let mut sample = Sample::good();
        // Attestation's own probes have met it before the call: only the difference counts.
        sample.change_counter("office-gateway", "corporate/drop-udp", |counter| {
            counter.packets = 3;
            counter.bytes = 120;
        });
        let check = sample.check(CHECK);
        assert_eq!(check.verdict, Invalid);
        assert_eq!(check.observed, "the rule that should block saw nothing");
    }

    #[test]
    fn a_counter_that_went_backwards_is_invalid() {
        for (packets, bytes) in [(2, 512), (10, 119)] {
            let mut sample = Sample::good();
            sample.change_counter("office-gateway", "corporate/drop-udp", |counter| {
                counter.packets = packets;
                counter.bytes = bytes;
            });
            let check = sample.check(CHECK);
            assert_eq!(check.verdict, Invalid, "{check:?}");
            assert_eq!(
                check.observed,
                "its counter was not read before and after the call, or went backwards"
            );
        }
    }

    #[test]
    fn a_rule_that_was_not_read_is_invalid() {
        let mut sample = Sample::good();
        sample.remove(|entry| {
            matches!(&entry.event, Event::Counters { moment, .. } if moment == "after-call")
        });
        assert_eq!(sample.check(CHECK).verdict, Invalid);
    }
}
