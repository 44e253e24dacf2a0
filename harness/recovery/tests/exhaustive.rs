//! Every order of events up to a bound, against what a client promises: each promise by itself.

use farcall_recovery::{Action, ClientState, ConnectionState, Policy, Recovery, Strategy, Trigger};
use std::time::Duration;

const MAX_ATTEMPTS: u32 = 3;
const RETRY_DELAY: Duration = Duration::from_secs(2);

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    State(ConnectionState),
    /// Time passes up to the deadline, if there is one.
    Deadline,
    /// Less time passes.
    Moment,
    /// The other peer makes its next attempt.
    Other,
}

const INPUTS: [Input; 6] = [
    Input::State(ConnectionState::Connected),
    Input::State(ConnectionState::Disconnected),
    Input::State(ConnectionState::Failed),
    Input::Deadline,
    Input::Moment,
    Input::Other,
];

/// So many events in a row: enough for all attempts to be made and fail, by whatever trigger, and one more event.
const DEPTH: usize = 8;

/// An event, when it came, and what it brought about.
#[derive(Debug, Clone, Copy)]
struct Step {
    at: Duration,
    input: Input,
    action: Option<Action>,
    accepted: bool,
}

fn policy() -> Policy {
    Policy {
        max_attempts: MAX_ATTEMPTS,
        retry_delay: RETRY_DELAY,
        strategies: vec![
            Strategy::IceRestart,
            Strategy::Reset,
            Strategy::ResetRelayed,
        ],
        ..Policy::default()
    }
}

/// Shows `check` every history, from the beginning of the call.
fn every_history(mut check: impl FnMut(&[Step])) {
    let mut recovery = Recovery::new(policy());
    recovery.begin(Duration::ZERO);
    extend(&recovery, Duration::ZERO, &mut Vec::new(), &mut check);
}

fn extend(
    recovery: &Recovery,
    now: Duration,
    history: &mut Vec<Step>,
    check: &mut impl FnMut(&[Step]),
) {
    if history.len() == DEPTH {
        return check(history);
    }
    for input in INPUTS {
        let mut next = recovery.clone();
        let (at, action, accepted) = happen(&mut next, now, input);
        history.push(Step {
            at,
            input,
            action,
            accepted,
        });
        extend(&next, at, history, check);
        history.pop();
    }
}

fn happen(
    recovery: &mut Recovery,
    now: Duration,
    input: Input,
) -> (Duration, Option<Action>, bool) {
    match input {
        Input::State(state) => (now, recovery.on_state(now, state), true),
        Input::Deadline => {
            let at = recovery.deadline().unwrap_or(now);
            (at, recovery.on_timer(at), true)
        }
        Input::Moment => {
            let at = now + Duration::from_millis(10);
            (at, recovery.on_timer(at), true)
        }
        Input::Other => {
            let number = recovery.attempts() + 1;
            (now, None, recovery.on_attempt_of_other(now, number))
        }
    }
}

const CONNECTED: Input = Input::State(ConnectionState::Connected);

/// What came after the connection was last up.
fn since_connected(history: &[Step]) -> &[Step] {
    let last = history.iter().rposition(|step| step.input == CONNECTED);
    &history[last.map_or(0, |last| last + 1)..]
}

fn attempts(history: &[Step]) -> impl Iterator<Item = &Step> {
    let is_attempt = |step: &&Step| matches!(step.action, Some(Action::Attempt { .. }));
    history.iter().filter(is_attempt)
}

#[test]
fn no_more_than_three_attempts_are_made_without_a_connection_between() {
    every_history(|history| {
        for end in 1..=history.len() {
            let made = attempts(since_connected(&history[..end])).count();
            assert!(made <= 3, "{history:#?}");
        }
    });
}

#[test]
fn attempts_are_numbered_from_one_without_gaps_but_for_those_of_the_other() {
    every_history(|history| {
        let mut last = 0;
        for step in history {
            match step.action {
                _ if step.input == CONNECTED => last = 0,
                Some(Action::Attempt { number, .. }) => {
                    assert_eq!(number, last + 1, "{history:#?}");
                    last = number;
                }
                // It takes the place of one that this client was waiting for.
                _ if step.input == Input::Other => last += 1,
                _ => {}
            }
            if step.input == Input::Other {
                return;
            }
        }
    });
}

#[test]
fn an_attempt_is_made_when_its_pause_is_over_and_not_before() {
    every_history(|history| {
        let mut scheduled = None;
        let mut failed_at = Duration::ZERO;
        for step in history {
            match step.action {
                Some(Action::Schedule { at, .. }) => {
                    failed_at = step.at;
                    scheduled = Some(at);
                }
                Some(Action::Attempt { .. }) => {
                    let at = scheduled.take();
                    assert!(at.is_some_and(|at| step.at >= at), "{history:#?}");
                    assert!(step.at >= failed_at + RETRY_DELAY, "{history:#?}");
                }
                _ => {}
            }
        }
    });
}

#[test]
fn a_connection_that_is_up_is_left_alone() {
    every_history(|history| {
        let mut is_up = false;
        for step in history {
            assert!(
                !is_up || !matches!(step.action, Some(Action::Attempt { .. })),
                "{history:#?}"
            );
            match step.input {
                CONNECTED => is_up = true,
                Input::State(_) | Input::Other => is_up = false,
                Input::Deadline | Input::Moment => {}
            }
        }
    });
}

#[test]
fn the_count_begins_anew_once_connected() {
    every_history(|history| {
        for (index, step) in history.iter().enumerate() {
            let Some(Action::Schedule { number, .. }) = step.action else {
                continue;
            };
            let before = since_connected(&history[..index]);
            let was_up = before.len() < index;
            let others = before.iter().any(|step| step.input == Input::Other);
            let made = attempts(before).count();
            if was_up && !others {
                assert_eq!(usize::try_from(number), Ok(made + 1), "{history:#?}");
            }
        }
    });
}

#[test]
fn every_failure_is_followed_by_an_attempt_until_there_is_none_left() {
    let is_failure = |step: &Step| {
        matches!(
            step.action,
            Some(Action::Schedule { .. } | Action::GiveUp { .. })
        )
    };
    every_history(|history| {
        for (index, step) in history
            .iter()
            .enumerate()
            .filter(|(_, step)| is_failure(step))
        {
            if let Some(Action::GiveUp { attempts, .. }) = step.action {
                assert!(attempts >= MAX_ATTEMPTS, "gave up early: {history:#?}");
                let others = history[..index].iter();
                if !others.clone().any(|step| step.input == Input::Other) {
                    let made = self::attempts(since_connected(&history[..index])).count();
                    assert_eq!(made, 3, "{history:#?}");
                }
            }
        }
    });
}

#[test]
fn a_failure_never_goes_unnoticed() {
    every_history(|history| {
        // Whether there is a connection, or one forms, that can fail.
        let mut can_fail = true;
        for step in history {
            let noticed = matches!(
                step.action,
                Some(Action::Schedule { .. } | Action::GiveUp { .. })
            );
            if step.input == Input::State(ConnectionState::Failed) {
                assert_eq!(noticed, can_fail, "{history:#?}");
            }
            let given_up = matches!(step.action, Some(Action::GiveUp { .. }));
            match step.action {
                _ if noticed => can_fail = false,
                Some(Action::Attempt { .. } | Action::Recovered { .. }) => can_fail = true,
                _ if step.input == Input::Other && step.accepted => can_fail = true,
                _ => {}
            }
            if given_up {
                return;
            }
        }
    });
}

#[test]
fn what_the_client_is_in_follows_from_what_it_did_last() {
    every_history(|history| {
        let mut recovery = Recovery::new(policy());
        recovery.begin(Duration::ZERO);
        let mut now = Duration::ZERO;
        assert_eq!(recovery.state(), ClientState::Connecting);
        for step in history {
            let before = recovery.state();
            (now, ..) = happen(&mut recovery, now, step.input);
            let state = recovery.state();
            let expected = match step.action {
                Some(Action::Schedule { .. }) => ClientState::Retrying,
                Some(Action::Attempt { .. }) => ClientState::Connecting,
                Some(Action::Recovered { .. }) => ClientState::Connected,
                Some(Action::GiveUp { .. }) => ClientState::Failed,
                // Failed for good.
                None if before == ClientState::Failed => before,
                None => match (step.input, before) {
                    (CONNECTED, _) => ClientState::Connected,
                    (Input::Other, _) => ClientState::Connecting,
                    (Input::State(ConnectionState::Disconnected), ClientState::Connected) => {
                        ClientState::Disconnected
                    }
                    _ => before,
                },
            };
            assert_eq!(state, expected, "{step:?} of {history:#?}");
        }
    });
}

#[test]
fn nothing_is_done_after_giving_up() {
    every_history(|history| {
        let given_up = |step: &Step| matches!(step.action, Some(Action::GiveUp { .. }));
        if let Some(end) = history.iter().position(given_up) {
            for step in &history[end + 1..] {
                assert_eq!(step.action, None, "{history:#?}");
                assert!(step.input != Input::Other || !step.accepted, "{history:#?}");
            }
        }
    });
}

#[test]
fn a_recovery_is_told_once_with_the_attempts_that_it_took() {
    every_history(|history| {
        for (index, step) in history.iter().enumerate() {
            let before = since_connected(&history[..index]);
            let failures = before
                .iter()
                .filter(|step| matches!(step.action, Some(Action::Schedule { .. })));
            let others = before
                .iter()
                .filter(|step| step.input == Input::Other && step.accepted);
            let gave_up = history[..index]
                .iter()
                .any(|step| matches!(step.action, Some(Action::GiveUp { .. })));
            let is_recovery = step.input == CONNECTED
                && !gave_up
                && failures.count() + others.clone().count() > 0;
            match step.action {
                Some(Action::Recovered { attempts }) => {
                    assert!(is_recovery, "{history:#?}");
                    if others.count() == 0 {
                        let made = self::attempts(before).count();
                        assert_eq!(usize::try_from(attempts), Ok(made), "{history:#?}");
                    }
                }
                _ => assert!(!is_recovery, "{history:#?}"),
            }
        }
    });
}

#[test]
fn each_attempt_has_the_strategy_of_its_number() {
    every_history(|history| {
        for step in history {
            if let Some(Action::Attempt {
                number, strategy, ..
            }) = step.action
            {
                assert_eq!(strategy, policy().strategy_of(number), "{history:#?}");
            }
        }
    });
}

#[test]
fn a_short_disconnection_passes_and_a_long_one_is_a_failure() {
    let at = Duration::from_secs;
    let mut recovery = Recovery::new(policy());
    recovery.begin(at(0));
    assert_eq!(recovery.on_state(at(1), ConnectionState::Connected), None);
    assert_eq!(
        recovery.on_state(at(10), ConnectionState::Disconnected),
        None
    );
    assert_eq!(recovery.on_timer(at(14)), None);
    assert_eq!(recovery.on_state(at(14), ConnectionState::Connected), None);
    assert_eq!(
        recovery.on_state(at(20), ConnectionState::Disconnected),
        None
    );
    let scheduled = Action::Schedule {
        number: 1,
        trigger: Trigger::Disconnected,
        at: at(27),
    };
    assert_eq!(recovery.on_timer(at(25)), Some(scheduled));
}

#[test]
fn a_connection_that_comes_back_before_the_attempt_is_not_replaced() {
    let at = Duration::from_secs;
    let mut recovery = Recovery::new(policy());
    recovery.begin(at(0));
    recovery.on_state(at(1), ConnectionState::Connected);
    recovery.on_state(at(10), ConnectionState::Disconnected);
    assert!(recovery.on_timer(at(15)).is_some());
    let recovered = Action::Recovered { attempts: 0 };
    let back = recovery.on_state(at(16), ConnectionState::Connected);
    assert_eq!(back, Some(recovered));
    assert_eq!(recovery.on_timer(at(17)), None);
}

#[test]
fn a_connection_that_does_not_form_is_a_failure() {
    let at = Duration::from_secs;
    let mut recovery = Recovery::new(policy());
    recovery.begin(at(0));
    assert_eq!(recovery.deadline(), Some(at(15)));
    let scheduled = Action::Schedule {
        number: 1,
        trigger: Trigger::NotFormed,
        at: at(17),
    };
    assert_eq!(recovery.on_timer(at(15)), Some(scheduled));
}

#[test]
fn without_recovery_the_first_failure_is_the_last() {
    let mut recovery = Recovery::new(Policy::off());
    recovery.begin(Duration::ZERO);
    let gave_up = Action::GiveUp {
        attempts: 0,
        trigger: Trigger::Failed,
    };
    let failed = recovery.on_state(Duration::from_secs(30), ConnectionState::Failed);
    assert_eq!(failed, Some(gave_up));
}

#[test]
fn pauses_use_the_random_numbers_in_turn() {
    let at = Duration::from_secs;
    let policy = Policy {
        jitter: 1.0,
        ..policy()
    };
    let mut recovery = Recovery::new(policy).with_randoms(vec![0.5, 0.0]);
    recovery.begin(at(0));
    let mut now = at(0);
    let mut pauses = Vec::new();
    for _ in 0..3 {
        let Some(Action::Schedule { at, .. }) = recovery.on_state(now, ConnectionState::Failed)
        else {
            panic!("an attempt is left");
        };
        pauses.push((at - now).as_secs());
        now = at;
        assert!(recovery.on_timer(now).is_some());
    }
    assert_eq!(pauses, [3, 2, 3]);
}
