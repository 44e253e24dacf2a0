//! Faults and what is expected of a recovery.

use super::{faults, within};
use crate::model::Scenario;
use crate::read::Finding;
use crate::recovery::{ExpectedRecovery, Fault, Milestone, Moment, Recovery, RecoveryStrategy};

/// What is wrong with a scenario's faults and recovery, beyond what each value says by itself.
pub(crate) fn check(scenario: &Scenario) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(recovery) = &scenario.recovery {
        findings.extend(check_recovery(recovery));
    }
    for (index, fault) in scenario.faults.iter().enumerate() {
        findings.extend(check_fault(scenario, index, fault));
    }
    match &scenario.expect.recovery {
        Some(_) if scenario.faults.is_empty() => findings.push(
            Finding::new("expect.recovery", "nothing breaks from which to recover")
                .hint("write [[faults]], or leave it out"),
        ),
        Some(expected) => {
            let most = scenario.recovery.as_ref().map_or(0, |at| at.max_attempts);
            if expected.attempts > most {
                let message = format!("the client makes {most} attempts at most");
                let finding = Finding::new("expect.recovery.attempts", message);
                let hint = "expect fewer, or set recovery.max_attempts";
                findings.push(finding.because_of("recovery").hint(hint));
            }
            findings.extend(within(
                "expect.recovery.within_ms",
                expected.within_ms,
                &ExpectedRecovery::WITHIN_MS,
            ));
        }
        None if !scenario.faults.is_empty() && scenario.expect.flows.is_empty() => findings.push(
            Finding::new("faults[0]", "what must come of it is not said")
                .hint("write [expect.recovery], or [expect.flows] for what becomes of media"),
        ),
        None => {}
    }
    findings
}

fn check_recovery(recovery: &Recovery) -> Vec<Finding> {
    let numbers = [
        (
            "max_attempts",
            recovery.max_attempts,
            Recovery::MAX_ATTEMPTS,
        ),
        (
            "retry_delay_ms",
            recovery.retry_delay_ms,
            Recovery::RETRY_DELAY_MS,
        ),
        (
            "max_retry_delay_ms",
            recovery.max_retry_delay_ms,
            Recovery::MAX_RETRY_DELAY_MS,
        ),
        (
            "disconnected_grace_ms",
            recovery.disconnected_grace_ms,
            Recovery::GRACE_MS,
        ),
        (
            "connect_timeout_ms",
            recovery.connect_timeout_ms,
            Recovery::CONNECT_TIMEOUT_MS,
        ),
    ];
    let mut findings: Vec<Finding> = numbers
        .into_iter()
        .filter_map(|(key, number, range)| within(&format!("recovery.{key}"), number, &range))
        .collect();
    if recovery.fresh_credentials && recovery.strategies.contains(&RecoveryStrategy::IceRestart) {
        let message = "an ICE restart keeps the connection, and its credentials with it";
        let finding = Finding::new("recovery.fresh_credentials", message);
        let hint = "let every attempt be a reset, or leave it out";
        findings.push(finding.because_of("recovery.strategies").hint(hint));
    }
    if !Recovery::BACKOFF.contains(&recovery.backoff) {
        let message = format!("{} is no factor by which a pause grows", recovery.backoff);
        findings
            .push(Finding::new("recovery.backoff", message).hint("write a number from 1 to 10"));
    }
    if !Recovery::JITTER.contains(&recovery.jitter) {
        let message = format!("{} is no part of a pause", recovery.jitter);
        findings.push(Finding::new("recovery.jitter", message).hint("write a number from 0 to 1"));
    }
    findings
}

fn check_fault(scenario: &Scenario, index: usize, fault: &Fault) -> Vec<Finding> {
    let mut findings = Vec::new();
    let key = |key: &str| format!("faults[{index}].{key}");
    findings.extend(faults::check(scenario, index, fault));
    if fault.direction.is_some() && !fault.kind.has_direction() {
        let message = format!("{} has no direction", fault.kind);
        findings.push(Finding::new(key("direction"), message).hint("leave it out"));
    }
    if fault.kind.is_instant() && fault.until.is_some() {
        let message = format!("{} is over as soon as it has begun", fault.kind);
        let finding = Finding::new(key("until"), message);
        findings.push(finding.hint("leave it out"));
    }
    if fault.from.event == Milestone::Begun {
        let finding = Finding::new(key("from"), "a fault cannot begin after it has begun");
        findings.push(finding.hint("name another event, such as \"connected\""));
    }
    if fault.from.event == Milestone::Call && fault.target == Fault::TURN_SERVER_IN_USE {
        let finding = Finding::new(
            key("target"),
            "until the call is connected no TURN server is in use",
        );
        findings.push(finding.hint("name its host, or another event in `from`"));
    }
    if fault
        .until
        .is_some_and(|until| until.event == Milestone::Call)
    {
        let finding = Finding::new(key("until"), "a fault cannot be mended before it begins");
        findings.push(finding.hint("name another event, such as \"begun\""));
    }
    let moments = [("from", Some(fault.from)), ("until", fault.until)];
    for (name, moment) in moments {
        let ms = moment.map_or(0, |moment| moment.ms);
        findings.extend(within(&key(&format!("{name}.ms")), ms, &Moment::MS));
    }
    findings
}
