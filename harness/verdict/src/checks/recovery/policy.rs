//! Attempts are made when and how the client's policy says.

use super::attempts::steps;
use super::pass_if;
use crate::Check;
use crate::case::Case;
use farcall_scenario::{Recovery, RecoveryStrategy};
use farcall_timeline::{Event, RecoveryEvent};

/// How much shorter than declared a pause may look: a client that waits for the processor between its failure and its
/// words tells of them late. On a busy machine it waits for tens of milliseconds.
const SLACK_MS: f64 = 250.0;

/// One check of the pauses before attempts, and one of what each attempt does.
pub(crate) fn policy(case: &Case<'_>) -> Vec<Check> {
    let declared = case.declared.call.recovery.as_ref();
    let (Some(policy), Some(_)) = (declared, &case.declared.expect.recovery) else {
        return Vec::new();
    };
    vec![pauses(case, policy), strategies(case, policy)]
}

/// Each attempt was announced, with the policy's pause before it, and did not begin before that was over.
fn pauses(case: &Case<'_>, policy: &Recovery) -> Check {
    let mut wrong = Vec::new();
    let mut attempts = 0;
    for peer in &case.peers {
        let mut due = None;
        for (_, at_ms, step) in steps(case).filter(|(of, ..)| of == peer) {
            match step {
                RecoveryEvent::Scheduled {
                    attempt, delay_ms, ..
                } => {
                    due = Some((*attempt, at_ms + delay_ms));
                    let (least_ms, most_ms) = pause_ms(policy, *attempt);
                    if *delay_ms < least_ms - SLACK_MS || *delay_ms > most_ms + 1.0 {
                        wrong.push(format!(
                            "{peer}: {delay_ms:.0} ms before attempt {attempt}, not {}",
                            between(least_ms, most_ms)
                        ));
                    }
                }
                RecoveryEvent::Started { attempt, .. } => {
                    attempts += 1;
                    match due.take() {
                        Some((announced, due_ms)) if announced == *attempt => {
                            if at_ms < due_ms - SLACK_MS {
                                let early_ms = due_ms - at_ms;
                                wrong.push(format!(
                                    "{peer}: attempt {attempt} {early_ms:.0} ms before its pause was over"
                                ));
                            }
                        }
                        _ => wrong.push(format!("{peer}: attempt {attempt} without a pause")),
                    }
                }
                RecoveryEvent::Ended { .. } => {}
                RecoveryEvent::Recovered { .. } | RecoveryEvent::GaveUp { .. } => due = None,
            }
        }
    }
    let (least_ms, most_ms) = pause_ms(policy, 1);
    let mut expected = format!("{} before each attempt", between(least_ms, most_ms));
    if policy.backoff > 1.0 {
        expected = format!(
            "{} before the first attempt, {} times as long before each further one",
            between(least_ms, most_ms),
            policy.backoff
        );
    }
    let observed = match (attempts, wrong.len()) {
        (0, 0) => "no attempt was made".to_owned(),
        (_, 0) => "each pause was kept".to_owned(),
        (_, many) => format!("not so {many} times"),
    };
    let verdict = pass_if(wrong.is_empty());
    Check::new("recovery/pauses", verdict, expected, observed).with_evidence(wrong)
}

/// The shortest and the longest pause before an attempt, in milliseconds: with all of the jitter and without.
fn pause_ms(policy: &Recovery, attempt: u32) -> (f64, f64) {
    let further = f64::from(attempt.saturating_sub(1));
    let pause_ms = f64::from(policy.retry_delay_ms) * policy.backoff.powf(further);
    let pause_ms = pause_ms.min(f64::from(policy.max_retry_delay_ms));
    (pause_ms, pause_ms * (1.0 + policy.jitter))
}

fn between(least_ms: f64, most_ms: f64) -> String {
    match most_ms > least_ms {
        true => format!("{least_ms:.0} to {most_ms:.0} ms"),
        false => format!("{least_ms:.0} ms"),
    }
}

/// Each attempt did what the policy has for its number, and none was beyond the last. A reset makes a new connection;
/// where every attempt is an ICE restart there is one connection all the time.
fn strategies(case: &Case<'_>, policy: &Recovery) -> Check {
    let mut wrong = Vec::new();
    let mut done = Vec::new();
    for peer in &case.peers {
        let mut reset = None;
        let mut connections = 0_u32;
        for (at_ms, event) in case.of(peer) {
            match event {
                Event::CallStarted { policy, .. } => {
                    connections += 1;
                    if let Some((attempt, RecoveryStrategy::ResetRelayed)) = reset
                        && policy != "relay"
                    {
                        wrong.push(format!(
                            "{peer}: attempt {attempt} with the ICE transport policy `{policy}`"
                        ));
                    }
                    reset = None;
                }
                Event::Recovery(RecoveryEvent::Started {
                    attempt,
                    of,
                    strategy,
                    ..
                }) => {
                    wrong.extend(reset.map(|before| unmade(peer, before)));
                    let wanted = strategy_of(policy, *attempt);
                    if *strategy != name(wanted) {
                        wrong.push(format!(
                            "{peer}: {strategy} in attempt {attempt}, not {}",
                            name(wanted)
                        ));
                    }
                    if *of != policy.max_attempts || attempt > of {
                        wrong.push(format!(
                            "{peer}: attempt {attempt} of {of}, {} being the most",
                            policy.max_attempts
                        ));
                    }
                    reset = (wanted != RecoveryStrategy::IceRestart).then_some((*attempt, wanted));
                    done.push(format!("{peer} at {at_ms:.0} ms: {strategy}"));
                }
                _ => {}
            }
        }
        wrong.extend(reset.map(|before| unmade(peer, before)));
        let all = &policy.strategies;
        let restarts =
            !all.is_empty() && all.iter().all(|one| *one == RecoveryStrategy::IceRestart);
        if restarts && connections > 1 {
            wrong.push(format!(
                "{peer}: {connections} connections, all attempts being ICE restarts"
            ));
        }
    }
    let names = (1..=policy.max_attempts).map(|attempt| name(strategy_of(policy, attempt)));
    let expected = match policy.max_attempts {
        0 => "no attempt".to_owned(),
        _ => format!("in turn {}", names.collect::<Vec<_>>().join(", ")),
    };
    let observed = match wrong.len() {
        0 => format!("{} attempts as that", done.len()),
        many => format!("not so {many} times"),
    };
    let verdict = pass_if(wrong.is_empty());
    wrong.extend(done);
    Check::new("recovery/strategies", verdict, expected, observed).with_evidence(wrong)
}

fn unmade(peer: &str, (attempt, strategy): (u32, RecoveryStrategy)) -> String {
    format!(
        "{peer}: attempt {attempt} made no new connection, though it is a {}",
        name(strategy)
    )
}

fn strategy_of(policy: &Recovery, attempt: u32) -> RecoveryStrategy {
    let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    let strategy = policy.strategies.get(index).or(policy.strategies.last());
    strategy.copied().unwrap_or_default()
}

fn name(strategy: RecoveryStrategy) -> &'static str {
    match strategy {
        RecoveryStrategy::Reset => "reset",
        RecoveryStrategy::IceRestart => "ice-restart",
        RecoveryStrategy::ResetRelayed => "reset-relayed",
    }
}
