//! The call: what the two peers say to each other, as an application's signalling carries it, then media for as long
//! as the scenario says, with what breaks in between.

use crate::faults::{self, Breaking, Broken, Course};
use crate::recorder::{HARNESS, Position, Recorder};
use crate::states::{Seen, States};
use farcall_lab::{Lab, NodeError, NodeHandle};
use farcall_plan::{CallPlan, Plan, PlannedFault};
use farcall_protocol::{
    CallSetup, Command, PlainAccount, PlainSecret, RestAuthority, SignallingAccess,
};
use farcall_timeline::{Entry, Event, SignallingEvent};
use futures::FutureExt;
use futures::future::try_join;
use std::time::{Duration, Instant};

/// How long a peer may take for a command of the call, which waits for no network.
const SIGNALLING_DEADLINE: Duration = Duration::from_secs(10);

/// How long the peers' signalling may take to open: two attempts.
const SIGNALLING_OPENS_WITHIN: Duration = Duration::from_secs(17);

/// How much longer than they may the peers are waited for that are to connect: who connects late is told from who never
/// does.
const LATE: Duration = Duration::from_secs(5);

/// How long data channels may take to open once both peers are connected.
const DATA_CHANNEL_DEADLINE: Duration = Duration::from_secs(5);

/// A call to place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placement<'a> {
    /// The call.
    pub call: &'a CallPlan,
    /// The ICE configuration's name.
    pub configuration: &'a str,
    /// How long the two may take to connect, in milliseconds.
    pub within_ms: u32,
    /// Whether they are to.
    pub connects: bool,
    /// The name under which the harness reports of this call.
    pub reporter: &'a str,
    /// What breaks in it, and what must come of that.
    pub breaking: Option<Breaking<'a>>,
}

impl<'a> Placement<'a> {
    /// The one call of a plan, in which this breaks.
    pub fn of(plan: &'a Plan, faults: &'a [PlannedFault]) -> Self {
        Self {
            call: &plan.call,
            configuration: &plan.ice_configuration,
            within_ms: plan.expect.within_ms,
            connects: plan.expect.connects,
            reporter: HARNESS,
            breaking: (!faults.is_empty() || plan.expect.recovery.is_some()).then_some(Breaking {
                faults,
                turn_nodes: &plan.expect.turn_nodes,
                expected: plan.expect.recovery.as_ref(),
            }),
        }
    }
}

/// Places the call and returns why it was given up, or `None` when its media time was up.
pub(crate) async fn place(
    lab: &Lab,
    placement: Placement<'_>,
    recorder: &Recorder,
) -> Result<Option<String>, NodeError> {
    let call = placement.call;
    let offerer = lab.node(&call.offerer)?;
    let answerer = lab.node(&call.answerer)?;
    let begin = recorder.position();
    for peer in [offerer, answerer] {
        // What was said in an earlier call is of no use in this one.
        let mut signals = peer.signals();
        while let Some(Some(_)) = signals.recv().now_or_never() {}
    }
    let standing = match placement.breaking {
        Some(breaking) => faults::stand(lab, breaking, recorder).await?,
        None => Vec::new(),
    };
    // No other call of this lab began there.
    let room = format!("{} to {}, {begin}", call.offerer, call.answerer);
    let begun = Instant::now();
    // Who answers must be there to be called.
    for peer in [answerer, offerer] {
        let setup = setup(placement, peer.name(), &room);
        ask(peer, Command::StartCall(setup)).await?;
    }
    let course = placement.breaking.map(|breaking| Course {
        lab,
        call,
        breaking,
        recorder,
        begin,
        begun,
    });
    let conversation = converse(placement, recorder, begin, course.as_ref());
    let through = async {
        match &course {
            Some(course) => course.through(standing, conversation).await,
            None => Ok((conversation.await, Vec::new())),
        }
    };
    let (reason, broken) = tokio::select! {
        came = through => came?,
        gone = relay(offerer, answerer) => return Err(gone),
        gone = relay(answerer, offerer) => return Err(gone),
    };
    let ended = Event::CallEnded {
        reason: reason.clone(),
    };
    recorder.record_of(placement.reporter, ended);
    // Both stop to send before either reads its totals, or what is under way would look lost.
    let both =
        async |last: Command| try_join(ask(offerer, last.clone()), ask(answerer, last)).await;
    both(Command::StopMedia).await?;
    let (moved, standing) = broken.into_iter().partition(Broken::moves);
    faults::mend(standing, recorder).await?;
    both(Command::EndCall).await?;
    faults::mend(moved, recorder).await?;
    Ok(reason)
}

/// From the offer to the end of media; returns why the call was given up, if it was.
async fn converse(
    placement: Placement<'_>,
    recorder: &Recorder,
    begin: Position,
    course: Option<&Course<'_>>,
) -> Option<String> {
    let call = placement.call;
    let within = Duration::from_millis(u64::from(placement.within_ms));
    let late = if placement.connects {
        LATE
    } else {
        Duration::ZERO
    };
    let connecting = async {
        tokio::select! {
            connected = connected(recorder, begin, call, within + late) => connected,
            reason = signalling_fails(recorder, begin, call, within) => Some(Err(reason)),
        }
    };
    match connecting.await {
        Some(Ok(())) => {}
        Some(Err(reason)) => return Some(reason),
        None => return Some(format!("not connected within {} ms", within.as_millis())),
    }
    // In vain where data do not get through, which is for the verdict to say.
    let _ = data_channels_open(recorder, begin, call).await;
    if let Some(course) = course {
        return course.outcome().await;
    }
    tokio::time::sleep(Duration::from_millis(u64::from(call.media_ms))).await;
    None
}

/// Waits until both peers are connected: `Ok`, or `Err` with the peer that failed or that both have given up. Only what came after
/// `begin` is of this call.
async fn connected(
    recorder: &Recorder,
    begin: Position,
    call: &CallPlan,
    within: Duration,
) -> Option<Result<(), String>> {
    let mut states = States::new(call);
    let next = |entry: &Entry| match states.take(entry) {
        Some(Seen::Failed) if call.recovery.is_none() => {
            Some(Err(format!("the connection of {} failed", entry.node)))
        }
        Some(Seen::GaveUp) if states.both_gave_up() => Some(Err("both peers gave up".to_owned())),
        _ => states.both_connected().then_some(Ok(())),
    };
    recorder.find(begin, within, next).await
}

/// Waits until it is clear that a peer's signalling does not open, and says why; for ever if it does or need not, and
/// where the peers try again by themselves, which tells by their giving up.
async fn signalling_fails(
    recorder: &Recorder,
    begin: Position,
    call: &CallPlan,
    within: Duration,
) -> String {
    if call.signalling.is_none() || call.recovery.is_some() {
        return std::future::pending().await;
    }
    let mut missing = vec![call.offerer.as_str(), call.answerer.as_str()];
    let mut reason = None;
    let search = |entry: &Entry| {
        match &entry.event {
            Event::Signalling(SignallingEvent::Open { .. }) => {
                missing.retain(|peer| *peer != entry.node);
            }
            Event::Signalling(SignallingEvent::Failed { reason: why, .. }) => {
                reason = Some(why.clone());
            }
            _ => {}
        }
        missing.is_empty().then_some(())
    };
    let within = within.min(SIGNALLING_OPENS_WITHIN);
    match recorder.find(begin, within, search).await {
        Some(()) => std::future::pending().await,
        None => format!(
            "the signalling of {} could not connect within {} ms{}",
            missing.join(" and "),
            within.as_millis(),
            reason.map_or_else(String::new, |reason| format!(": {reason}"))
        ),
    }
}

/// Waits until both peers' data channels are open, which takes some round trips after they are connected, and longer on
/// a busy machine: the time for which media flow is the same for all of them.
async fn data_channels_open(recorder: &Recorder, begin: Position, call: &CallPlan) -> Option<()> {
    let peers = [&call.offerer, &call.answerer];
    let mut is_open = [false; 2];
    let search = |entry: &Entry| {
        let peer = peers.iter().position(|peer| **peer == entry.node)?;
        if let Event::State(state) = &entry.event {
            is_open[peer] |= state.machine == "data-channel" && state.state == "open";
        }
        (is_open == [true; 2]).then_some(())
    };
    recorder.find(begin, DATA_CHANNEL_DEADLINE, search).await
}

/// Carries what one peer says to the other. Ends only when a peer is gone.
async fn relay(from: &NodeHandle, to: &NodeHandle) -> NodeError {
    let mut signals = from.signals();
    while let Some(signal) = signals.recv().await {
        if let Err(error) = ask(to, Command::Signal(signal)).await {
            return error;
        }
    }
    std::future::pending().await
}

fn setup(placement: Placement<'_>, peer: &str, room: &str) -> CallSetup {
    let call = placement.call;
    CallSetup {
        configuration: placement.configuration.to_owned(),
        ice_servers: call
            .ice_servers
            .iter()
            .map(|server| {
                let account = server
                    .username
                    .as_ref()
                    .zip(server.credential.as_ref())
                    .map(|(username, credential)| PlainAccount {
                        username: username.clone(),
                        password: credential.expose().to_owned(),
                    });
                (server.url.clone(), account)
            })
            .collect(),
        policy: call.policy,
        gathering_timeout_ms: call.gathering_timeout_ms,
        offerer: call.offerer == peer,
        proxy: call.proxies.get(peer).copied(),
        signalling: call.signalling.as_ref().map(|server| SignallingAccess {
            host: server.host.clone(),
            port: server.port,
            room: room.to_owned(),
            peer: peer.to_owned(),
        }),
        recovery: call.recovery.clone(),
        rest: call.rest.as_ref().map(|rest| RestAuthority {
            secret: PlainSecret(rest.secret.expose().to_owned()),
            valid_s: rest.valid_s,
            unit: rest.unit,
        }),
        seed: call.seeds.get(peer).copied().unwrap_or_default(),
    }
}

async fn ask(node: &NodeHandle, command: Command) -> Result<(), NodeError> {
    node.request(command, SIGNALLING_DEADLINE).await.map(drop)
}
