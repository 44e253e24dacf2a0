//! Two peers in one process, over the loopback, with nothing between their signalling.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;
use crate::outlet::Said;
use farcall_protocol::{Message, PlainSecret, RestAuthority};
use farcall_scenario::{RecoveryStrategy, TimeStampUnit};
use farcall_timeline::Holdings;
use futures::FutureExt;
use std::net::Ipv4Addr;

const DEADLINE: Duration = Duration::from_secs(30);

/// A peer, and what it has said.
struct Side {
    session: Session,
    said: Said,
    /// How many connections it has made.
    connections: usize,
    is_connected: bool,
    steps: Vec<RecoveryEvent>,
    gave_up: bool,
    /// The connection and the attempt of each of its offers.
    offers: Vec<(u32, u32)>,
    answers: usize,
}

fn setup(offerer: bool, recovery: &farcall_scenario::Recovery) -> CallSetup {
    CallSetup {
        configuration: "test".to_owned(),
        ice_servers: Vec::new(),
        policy: IceTransportPolicy::All,
        gathering_timeout_ms: 1_000,
        offerer,
        proxy: None,
        signalling: None,
        rest: None,
        recovery: Some(recovery.clone()),
        seed: 1,
    }
}

impl Side {
    async fn start(offerer: bool, recovery: &farcall_scenario::Recovery) -> Self {
        Self::of(&setup(offerer, recovery)).await
    }

    async fn of(setup: &CallSetup) -> Self {
        let (outlet, said) = Outlet::new();
        let identity = PeerIdentity {
            local_ips: vec![Ipv4Addr::LOCALHOST.into()],
            ca_pem: String::new(),
            muted: false,
        };
        Self {
            session: Session::start(&identity, &outlet, setup).await.unwrap(),
            said,
            connections: 0,
            is_connected: false,
            steps: Vec::new(),
            gave_up: false,
            offers: Vec::new(),
            answers: 0,
        }
    }

    /// Takes a message; gives what is for the other peer.
    fn hear(&mut self, message: Message) -> Option<Signal> {
        match message {
            Message::Signal(signal) => {
                match &signal.body {
                    SignalBody::Offer { attempt, .. } => {
                        self.offers.push((signal.connection, *attempt));
                    }
                    SignalBody::Answer { .. } => self.answers += 1,
                    _ => {}
                }
                return Some(signal);
            }
            Message::Event { event, .. } => match event {
                Event::CallStarted { .. } => {
                    self.connections += 1;
                    self.is_connected = false;
                }
                Event::State(state) if state.machine == "connection" => {
                    self.is_connected = state.state == "connected";
                }
                Event::Recovery(step) => {
                    self.gave_up |= matches!(step, RecoveryEvent::GaveUp { .. });
                    self.steps.push(step);
                }
                Event::HarnessFault { message } => panic!("{message}"),
                _ => {}
            },
            Message::Reply { .. } => {}
        }
        None
    }

    /// What its connection with this number among those that it made would say if it failed.
    fn fail(&self, incarnation: u32) {
        let state = RTCPeerConnectionState::Failed;
        let failed = Input::State { incarnation, state };
        self.session.inputs.send(failed).ok().unwrap();
    }

    /// What came of the attempts that this peer began itself.
    fn outcomes(&self) -> Vec<&str> {
        let steps = self.steps.iter();
        steps
            .filter_map(|step| match step {
                RecoveryEvent::Ended { outcome, .. } => Some(outcome.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The attempts that this peer began itself.
    fn attempts(&self) -> Vec<u32> {
        let steps = self.steps.iter();
        steps
            .filter_map(|step| match step {
                RecoveryEvent::Started { attempt, .. } => Some(*attempt),
                _ => None,
            })
            .collect()
    }
}

/// Two peers in a call.
struct Pair {
    alice: Side,
    bob: Side,
    way: Between,
    /// What is held up, in the order in which it was said; whether to bob.
    held: Vec<(bool, Signal)>,
}

/// What becomes of what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Between {
    Arrives,
    IsHeldUp,
    IsLost,
}

impl Pair {
    async fn start(strategies: &[RecoveryStrategy]) -> Self {
        let recovery = farcall_scenario::Recovery {
            retry_delay_ms: 50,
            connect_timeout_ms: 5_000,
            strategies: strategies.to_vec(),
            ..farcall_scenario::Recovery::default()
        };
        let bob = Side::start(false, &recovery).await;
        Self {
            alice: Side::start(true, &recovery).await,
            bob,
            way: Between::Arrives,
            held: Vec::new(),
        }
    }

    fn carry(&mut self, to_bob: bool, signal: Signal) {
        match self.way {
            Between::Arrives if to_bob => self.bob.session.signal(signal),
            Between::Arrives => self.alice.session.signal(signal),
            Between::IsHeldUp => self.held.push((to_bob, signal)),
            Between::IsLost => {}
        }
    }

    /// From now on all arrives, and first what was held up.
    fn release(&mut self) {
        self.way = Between::Arrives;
        for (to_bob, signal) in std::mem::take(&mut self.held) {
            self.carry(to_bob, signal);
        }
    }

    /// Carries what they say until both are in a state.
    async fn until(&mut self, is_so: impl Fn(&Side) -> bool) {
        let all = async {
            while !(is_so(&self.alice) && is_so(&self.bob)) {
                tokio::select! {
                    message = self.alice.said.next() => {
                        if let Some(signal) = self.alice.hear(message.unwrap()) {
                            self.carry(true, signal);
                        }
                    }
                    message = self.bob.said.next() => {
                        if let Some(signal) = self.bob.hear(message.unwrap()) {
                            self.carry(false, signal);
                        }
                    }
                }
            }
        };
        let came = tokio::time::timeout(DEADLINE, all).await;
        let told = (&self.alice.steps, &self.bob.steps);
        assert!(came.is_ok(), "{told:#?}");
    }

    async fn connected(&mut self, connections: usize) {
        self.until(|side| side.is_connected && side.connections >= connections)
            .await;
    }

    async fn end(self) {
        self.alice.session.end().await.unwrap();
        self.bob.session.end().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_connection_takes_the_place_of_one_that_failed() {
    let mut pair = Pair::start(&[RecoveryStrategy::Reset]).await;
    pair.connected(1).await;
    pair.bob.fail(1);
    pair.connected(2).await;
    pair.until(|side| side.outcomes().len() == side.attempts().len())
        .await;
    assert_eq!(pair.bob.outcomes(), ["connected"]);
    assert_eq!(pair.bob.attempts(), [1]);
    assert_eq!(pair.alice.attempts(), Vec::<u32>::new());
    // It is numbered from one again after a recovery.
    pair.bob.fail(2);
    pair.connected(3).await;
    assert_eq!(pair.bob.attempts(), [1, 1]);
    pair.end().await;
}

/// Each has made its offer before it hears the other's.
#[tokio::test(flavor = "multi_thread")]
async fn both_peers_that_try_again_at_once_come_to_one_connection() {
    let mut pair = Pair::start(&[RecoveryStrategy::Reset]).await;
    pair.connected(1).await;
    pair.way = Between::IsHeldUp;
    pair.alice.fail(1);
    pair.bob.fail(1);
    pair.until(|side| side.offers.contains(&(2, 1))).await;
    pair.release();
    pair.connected(2).await;
    // Bob's own second connection gave way to the one that answers alice's.
    assert_eq!((pair.alice.connections, pair.bob.connections), (2, 3));
    assert_eq!(pair.bob.outcomes(), ["replaced"]);
    pair.end().await;
}

/// Bob asks for new ICE credentials while alice's offer of them is under way to him.
#[tokio::test(flavor = "multi_thread")]
async fn both_peers_that_restart_ice_at_once_come_to_one_offer() {
    let mut pair = Pair::start(&[RecoveryStrategy::IceRestart]).await;
    pair.connected(1).await;
    pair.way = Between::IsHeldUp;
    pair.alice.fail(1);
    pair.bob.fail(1);
    pair.until(|side| side.attempts() == [1]).await;
    pair.release();
    pair.until(|side| side.offers.len() + side.answers == 2)
        .await;
    assert_eq!(pair.alice.offers, [(1, 0), (1, 1)]);
    assert_eq!((pair.alice.connections, pair.bob.connections), (1, 1));
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_ice_credentials_are_offered_by_the_caller_whoever_asks_for_them() {
    for is_alice in [true, false] {
        let mut pair = Pair::start(&[RecoveryStrategy::IceRestart]).await;
        pair.connected(1).await;
        if is_alice {
            pair.alice.fail(1);
        } else {
            pair.bob.fail(1);
        }
        pair.until(|side| side.offers.len() + side.answers == 2)
            .await;
        assert_eq!(pair.alice.offers, [(1, 0), (1, 1)]);
        assert_eq!((pair.alice.connections, pair.bob.connections), (1, 1));
        pair.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_gives_up_has_tried_three_times_and_answers_no_more() {
    let before = super::super::holdings::now();
    let mut pair = Pair::start(&[RecoveryStrategy::Reset]).await;
    pair.connected(1).await;
    pair.way = Between::IsLost;
    pair.alice.fail(1);
    pair.bob.fail(1);
    for connection in 2..=4 {
        let made = usize::try_from(connection).unwrap();
        pair.until(|side| side.connections >= made).await;
        pair.alice.fail(connection);
        pair.bob.fail(connection);
    }
    pair.until(|side| side.gave_up).await;
    for side in [&pair.alice, &pair.bob] {
        assert_eq!(side.attempts(), [1, 2, 3]);
        assert_eq!(side.outcomes(), ["failed"; 3]);
        assert_eq!(side.connections, 4);
    }
    // Nothing is left of their connections before anybody ends the call: each session is a task.
    let sessions = Holdings {
        sockets: usize::MAX,
        tasks: before.tasks + 2,
    };
    let after = super::super::holdings::settled(sessions).await;
    assert!(after.tasks <= sessions.tasks, "{after:?}");
    pair.end().await;
}

#[tokio::test]
async fn credentials_are_fetched_before_the_connection_that_uses_them_and_told() {
    let authority = RestAuthority {
        secret: PlainSecret("north".to_owned()),
        valid_s: 60,
        unit: TimeStampUnit::Milliseconds,
    };
    let mut alice = Side::of(&CallSetup {
        rest: Some(authority),
        ..setup(true, &farcall_scenario::Recovery::default())
    })
    .await;
    let said = alice.said.so_far().into_iter();
    let events: Vec<Event> = said
        .filter_map(|message| match message {
            Message::Event { event, .. } => Some(event),
            _ => None,
        })
        .collect();
    let mut all = events.iter();
    let fetched = all.position(|event| match event {
        Event::CredentialsFetched { time_stamp } => time_stamp.to_string().len() == 13,
        _ => false,
    });
    assert!(fetched.is_some(), "{events:#?}");
    let is_started = |event: &Event| matches!(event, Event::CallStarted { .. });
    assert!(all.any(is_started), "{events:#?}");
    alice.session.end().await.unwrap();
}

/// Two offers with new ICE credentials may be under way at once, when signalling is held up. The answer to the first has
/// credentials that the other peer uses no more.
#[tokio::test]
async fn an_answer_to_another_offer_than_the_last_is_dropped() {
    for (attempt, is_taken) in [(7, false), (0, true)] {
        let mut alice = Side::start(true, &farcall_scenario::Recovery::default()).await;
        while alice.offers.is_empty() {
            let message = alice.said.next().await.unwrap();
            alice.hear(message);
        }
        alice.session.signal(Signal {
            connection: 1,
            incarnation: 1,
            body: SignalBody::Answer {
                sdp: "no description".to_owned(),
                attempt,
            },
        });
        alice.session.end().await.unwrap();
        let mut complaints = 0;
        while let Some(Some(message)) = alice.said.next().now_or_never() {
            if let Message::Event {
                event: Event::HarnessFault { .. },
                ..
            } = message
            {
                complaints += 1;
            }
        }
        assert_eq!(complaints > 0, is_taken, "{attempt}");
    }
}

/// A connection that is over holds nothing, also one that never came to anything.
#[tokio::test]
async fn a_session_that_has_ended_leaves_no_task() {
    let before = super::super::holdings::now();
    let mut side = Side::start(true, &farcall_scenario::Recovery::default()).await;
    while side.offers.is_empty() {
        let message = side.said.next().await.unwrap();
        side.hear(message);
    }
    side.session.end().await.unwrap();
    let after = super::super::holdings::settled(before).await;
    assert_eq!(after.tasks, before.tasks);
}
