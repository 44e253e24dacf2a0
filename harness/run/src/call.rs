//! The call: offer, answer and candidates between the two peers, as an application's signalling
//! carries them, then media for as long as the scenario says.

use crate::recorder::Recorder;
use farcall_lab::{Lab, NodeError, NodeHandle};
use farcall_plan::{CallPlan, Plan};
use farcall_protocol::{CallSetup, Command, PlainAccount, Reply};
use farcall_timeline::{Entry, Event};
use futures::future::try_join;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a peer may take for a step of the signalling, which involves no network.
const SIGNALLING_DEADLINE: Duration = Duration::from_secs(10);

/// Places the call and returns why it was given up, or `None` when its media time was up.
pub(crate) async fn place(
    lab: &Lab,
    plan: &Plan,
    recorder: &Recorder,
) -> Result<Option<String>, NodeError> {
    let call = &plan.call;
    let offerer = lab.node(&call.offerer)?;
    let answerer = lab.node(&call.answerer)?;
    try_join(
        ask(
            offerer,
            Command::StartCall(setup(&plan.ice_configuration, call, true)),
        ),
        ask(
            answerer,
            Command::StartCall(setup(&plan.ice_configuration, call, false)),
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

        let within = Duration::from_millis(u64::from(plan.expect.within_ms));
        let reason = match connected(recorder, call, within).await {
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
    recorder.record(Event::CallEnded {
        reason: reason.clone(),
    });
    // Both stop to send before either reads its totals, or what is under way would look lost.
    for last in [Command::StopMedia, Command::EndCall] {
        try_join(ask(offerer, last.clone()), ask(answerer, last)).await?;
    }
    Ok(reason)
}

/// Waits until both peers are connected: `Ok`, or `Err` with the peer that failed.
async fn connected(
    recorder: &Recorder,
    call: &CallPlan,
    within: Duration,
) -> Option<Result<(), String>> {
    recorder
        .wait_for(within, |entries| {
            let peers = [&call.offerer, &call.answerer];
            let is = |peer: &str, state| connection_state(entries, peer) == Some(state);
            if let Some(peer) = peers.into_iter().find(|peer| is(peer, "failed")) {
                return Some(Err(format!("the connection of {peer} failed")));
            }
            let connected = peers.into_iter().all(|peer| is(peer, "connected"));
            connected.then_some(Ok(()))
        })
        .await
}

/// The last connection state that a peer reported.
fn connection_state<'a>(entries: &'a [Entry], peer: &str) -> Option<&'a str> {
    entries.iter().rev().find_map(|entry| match &entry.event {
        Event::State(state) if entry.node == peer && state.machine == "connection" => {
            Some(state.state.as_str())
        }
        _ => None,
    })
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

fn setup(configuration: &str, call: &CallPlan, offerer: bool) -> CallSetup {
    CallSetup {
        configuration: configuration.to_owned(),
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
        offerer,
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
