//! The call: offer, answer and candidates between the two peers, as an application's signalling
//! carries them, then media for as long as the scenario says.

use crate::recorder::{HARNESS, Position, Recorder};
use farcall_lab::{Lab, NodeError, NodeHandle};
use farcall_plan::{CallPlan, Plan};
use farcall_protocol::{CallSetup, Command, PlainAccount, Reply};
use farcall_timeline::{Entry, Event};
use futures::FutureExt;
use futures::future::try_join;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a peer may take for a step of the signalling, which involves no network.
const SIGNALLING_DEADLINE: Duration = Duration::from_secs(10);

/// A call to place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placement<'a> {
    /// The call.
    pub call: &'a CallPlan,
    /// The ICE configuration's name.
    pub configuration: &'a str,
    /// How long the two may take to connect, in milliseconds.
    pub within_ms: u32,
    /// The name under which the harness reports of this call.
    pub reporter: &'a str,
}

impl<'a> Placement<'a> {
    /// The one call of a plan.
    pub fn of(plan: &'a Plan) -> Self {
        Self {
            call: &plan.call,
            configuration: &plan.ice_configuration,
            within_ms: plan.expect.within_ms,
            reporter: HARNESS,
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
        // Candidates of an earlier call are of no use to this one.
        let mut trickles = peer.trickles();
        while let Some(Some(_)) = trickles.recv().now_or_never() {}
    }
    try_join(
        ask(offerer, Command::StartCall(setup(placement, &call.offerer))),
        ask(
            answerer,
            Command::StartCall(setup(placement, &call.answerer)),
        ),
    )
    .await?;

    // A candidate may be added only once the remote description is set; applications queue it.
    let (offerer_described, offerer_gate) = oneshot::channel();
    let (answerer_described, answerer_gate) = oneshot::channel();
    let to_answerer = relay(offerer, answerer, answerer_gate);
    let to_offerer = relay(answerer, offerer, offerer_gate);

    let conversation = async {
        let offer = describe(offerer, Command::CreateOffer).await?;
        let answer = describe(answerer, Command::AcceptOffer { sdp: offer }).await?;
        let _ = answerer_described.send(());
        ask(offerer, Command::AcceptAnswer { sdp: answer }).await?;
        let _ = offerer_described.send(());

        let within = Duration::from_millis(u64::from(placement.within_ms));
        let reason = match connected(recorder, begin, call, within).await {
            Some(Ok(())) => {
                tokio::time::sleep(Duration::from_millis(u64::from(call.media_ms))).await;
                None
            }
            Some(Err(reason)) => Some(reason),
            None => Some(format!("not connected within {} ms", within.as_millis())),
        };
        Ok::<_, NodeError>(reason)
    };

    let reason = tokio::select! {
        reason = conversation => reason?,
        broken = to_answerer => return Err(broken),
        broken = to_offerer => return Err(broken),
    };
    let ended = Event::CallEnded {
        reason: reason.clone(),
    };
    recorder.record_of(placement.reporter, ended);
    // Both stop to send before either reads its totals, or what is under way would look lost.
    for last in [Command::StopMedia, Command::EndCall] {
        try_join(ask(offerer, last.clone()), ask(answerer, last)).await?;
    }
    Ok(reason)
}

/// Waits until both peers are connected: `Ok`, or `Err` with the peer that failed. Only what came after
/// `begin` is of this call.
async fn connected(
    recorder: &Recorder,
    begin: Position,
    call: &CallPlan,
    within: Duration,
) -> Option<Result<(), String>> {
    let peers = [&call.offerer, &call.answerer];
    let mut is_connected = [false; 2];
    let next = |entry: &Entry| {
        let peer = peers.iter().position(|peer| **peer == entry.node)?;
        let Event::State(state) = &entry.event else {
            return None;
        };
        if state.machine != "connection" {
            return None;
        }
        if state.state == "failed" {
            return Some(Err(format!("the connection of {} failed", entry.node)));
        }
        is_connected[peer] = state.state == "connected";
        (is_connected == [true; 2]).then_some(Ok(()))
    };
    recorder.find(begin, within, next).await
}

/// Carries candidates from one peer to the other once `gate` opens, and tells the first what the other
/// has taken. Ends only when a peer is gone.
async fn relay(from: &NodeHandle, to: &NodeHandle, gate: oneshot::Receiver<()>) -> NodeError {
    if gate.await.is_err() {
        // The conversation ended before the description was set; its own result says why.
        return std::future::pending().await;
    }
    let mut trickles = from.trickles();
    while let Some(candidate) = trickles.recv().await {
        let carried = async {
            ask(to, Command::AddCandidate(candidate.clone())).await?;
            ask(from, Command::CandidateSignalled(candidate)).await
        };
        if let Err(error) = carried.await {
            return error;
        }
    }
    std::future::pending().await
}

fn setup(placement: Placement<'_>, peer: &str) -> CallSetup {
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
    }
}

async fn ask(node: &NodeHandle, command: Command) -> Result<(), NodeError> {
    node.request(command, SIGNALLING_DEADLINE).await.map(drop)
}

async fn describe(node: &NodeHandle, command: Command) -> Result<String, NodeError> {
    match node.request(command, SIGNALLING_DEADLINE).await? {
        Reply::Description { sdp } => Ok(sdp),
        other => Err(node.unexpected(&other)),
    }
}
