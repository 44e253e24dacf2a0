//! Requests and their answers.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;

use farcall_protocol::{Command, Reply, Request, Setup};
use farcall_timeline::{Event, Level};
use futures::FutureExt;
use tokio::sync::{OnceCell, mpsc};
use tokio::task::LocalSet;

use crate::Outlet;
use crate::collect::{collect, cpu_ms, end, resources};
use crate::counters::counters;
use crate::fault::{self, Due, Mended, Standstill};
use crate::node::{RunningNode, RunningRole};
use crate::peer::{Peer, PeerError};
use crate::probe;
use crate::requests::Requests;
use crate::setup::{SetupError, set_up};

/// Answers requests until there are no more; for ever, if the node was set up as detached.
pub(crate) async fn serve(requests: Requests, outlet: &Outlet) {
    let agent = Rc::new(Agent {
        outlet: outlet.clone(),
        node: OnceCell::new(),
        detached: Cell::new(false),
    });
    let tasks = LocalSet::new();
    tasks
        .run_until(async {
            read(requests, agent.clone()).await;
            if agent.detached.get() {
                std::future::pending::<()>().await;
            }
        })
        .await;
}

async fn read(mut requests: Requests, agent: Rc<Agent>) {
    let (calls, mut in_order) = mpsc::unbounded_channel();
    let caller = agent.clone();
    tokio::task::spawn_local(async move {
        while let Some(request) = in_order.recv().await {
            caller.answer(request).await;
        }
    });
    let mut standstill: Option<Standstill> = None;
    loop {
        let line = tokio::select! {
            line = requests.next() => line,
            begun = Standstill::come(&mut standstill, &agent.outlet) => {
                begun.last(&mut requests, &agent.outlet).await;
                continue;
            }
        };
        let Some(line) = line else {
            return;
        };
        match serde_json::from_slice::<Request>(&line) {
            Ok(request) if is_of_call(&request.command) => {
                // The task that receives lives as long as this one.
                let _ = calls.send(request);
            }
            Ok(request) => match Standstill::asked_for(&request) {
                Some(asked_for) if standstill.is_some() => asked_for.refuse(&agent.outlet),
                Some(asked_for) if requests.can_block() => standstill = Some(asked_for),
                _ => {
                    let agent = agent.clone();
                    tokio::task::spawn_local(async move { agent.answer(request).await });
                }
            },
            // Without its `id` it cannot be answered. The line may hold passwords.
            Err(error) => agent.outlet.event(Event::HarnessFault {
                message: format!(
                    "failed to read a request at column {}; host and agent must be of one version",
                    error.column()
                ),
            }),
        }
    }
}

/// What must take effect in the order in which it was asked for.
fn is_of_call(command: &Command) -> bool {
    match command {
        Command::StartCall(_) | Command::Signal(_) | Command::StopMedia | Command::EndCall => true,
        Command::Setup(_)
        | Command::Clock
        | Command::Measure { .. }
        | Command::EaseLink { .. }
        | Command::Carry { .. }
        | Command::Used
        | Command::Counters
        | Command::TellSessions
        | Command::BeginFault { .. }
        | Command::EndFault { .. }
        | Command::LogIn { .. }
        | Command::Collect { .. } => false,
    }
}

struct Agent {
    outlet: Outlet,
    node: OnceCell<RunningNode>,
    detached: Cell<bool>,
}

impl Agent {
    async fn answer(&self, request: Request) {
        let Request { id, command } = request;
        let done = AssertUnwindSafe(self.perform(command)).catch_unwind();
        let reply = match done.await {
            Ok(Ok(reply)) => reply,
            Ok(Err(message)) => Reply::Failed { message },
            Err(_) => Reply::Failed {
                message: "failed: the agent panicked; see its log, and report this as a bug"
                    .to_owned(),
            },
        };
        self.outlet.reply(id, reply);
    }

    /// `Err` tells what was tried, with what, and what to do.
    async fn perform(&self, command: Command) -> Result<Reply, String> {
        match command {
            Command::Setup(setup) => self.set_up(*setup).await,
            Command::Clock => Ok(Reply::Clock {
                now_ns: self.outlet.now_ns(),
            }),
            Command::Measure {
                fact,
                round_trip_ms,
            } => {
                let node = self.node()?;
                let round_trip = Duration::from_millis(round_trip_ms.into());
                let measured =
                    probe::measure(&node.node, &node.ca_pem, &fact, round_trip, &node.turn);
                Ok(Reply::Measured(measured.await))
            }
            Command::EaseLink { eased } => {
                if let Some(datapath) = &self.node()?.datapath {
                    match eased {
                        true => datapath.ease_link(),
                        false => datapath.restore_link(),
                    }
                }
                Ok(Reply::Done)
            }
            Command::Carry {
                traffic,
                round_trip_ms,
            } => {
                let round_trip = Duration::from_millis(round_trip_ms.into());
                let carried = probe::carry(&self.node()?.node, traffic, round_trip).await;
                carried.map(Reply::Carried).map_err(in_words)
            }
            Command::Used => cpu_ms()
                .map(|cpu_ms| Reply::Used { cpu_ms })
                .map_err(in_words),
            Command::Counters => {
                let mut rules = counters().await.map_err(in_words)?;
                if let Ok(node) = self.node()
                    && let RunningRole::Gateway(gateway) = &node.role
                {
                    rules.extend(gateway.counters());
                }
                if let Ok(RunningNode {
                    datapath: Some(datapath),
                    ..
                }) = self.node()
                {
                    rules.extend(datapath.counters());
                }
                Ok(Reply::Counters { rules })
            }
            Command::Collect { end_services } => {
                let node = self.node()?;
                let files = collect(node).await;
                if end_services {
                    end(node).await;
                }
                if let Some(used) = resources() {
                    self.outlet.event(used);
                }
                Ok(Reply::Files { files })
            }
            Command::TellSessions => {
                let node = self.node()?;
                let RunningRole::TurnServer(server) = &node.role else {
                    let name = &node.node.name;
                    return Err(format!(
                        "failed to tell allocations: {name} is no TURN server"
                    ));
                };
                server.tell_sessions().await;
                Ok(Reply::Done)
            }
            Command::BeginFault { action, at_ns } => {
                let due = Due::at(at_ns, &self.outlet);
                let begun = fault::begin(self.node()?, &action, &due).await;
                let at_ns = begun.map_err(in_words)?;
                Ok(Reply::Broken { at_ns })
            }
            Command::EndFault { action, at_ns } => {
                let due = Due::at(at_ns, &self.outlet);
                let mended = fault::end(self.node()?, &action, &due).await;
                let Mended {
                    at_ns,
                    dropped_packets,
                    crossed,
                } = mended.map_err(in_words)?;
                Ok(Reply::Mended {
                    at_ns,
                    dropped_packets,
                    crossed,
                })
            }
            Command::LogIn { portal } => done(self.peer()?.log_in(portal).await),
            Command::StartCall(call) => {
                for (_, account) in &call.ice_servers {
                    if let Some(account) = account {
                        self.outlet.keep_secret(&account.password);
                    }
                }
                done(self.peer()?.start_call(&call).await)
            }
            Command::Signal(signal) => done(self.peer()?.signal(signal).await),
            Command::StopMedia => done(self.peer()?.stop_media().await),
            Command::EndCall => done(self.peer()?.end_call().await),
        }
    }

    async fn set_up(&self, setup: Setup) -> Result<Reply, String> {
        self.detached.set(setup.detached);
        let name = setup.node.name.clone();
        if self.node.initialized() {
            return Err(format!(
                "failed to set up {name}: this agent is set up already"
            ));
        }
        let node = set_up(setup, &self.outlet).await;
        if let Err(error @ SetupError::NoIpv6 { .. }) = &node {
            self.outlet.event(Event::Unsupported {
                reason: error.to_string(),
            });
        }
        let node = node.map_err(in_words)?;
        self.node
            .set(node)
            .map_err(|_| format!("failed to set up {name}: it was asked for twice at once"))?;
        self.outlet
            .log(Level::Debug, "farcall_agent", &format!("{name} is set up"));
        Ok(Reply::Done)
    }

    fn node(&self) -> Result<&RunningNode, String> {
        let node = self.node.get();
        node.ok_or_else(|| "failed: the node is not set up; send `setup` first".to_owned())
    }

    fn peer(&self) -> Result<&Peer, String> {
        let node = self.node()?;
        match &node.role {
            RunningRole::Peer(peer) => Ok(peer),
            _ => Err(format!(
                "failed to do something of a call: {} is no peer",
                node.node.name
            )),
        }
    }
}

fn done(result: Result<(), PeerError>) -> Result<Reply, String> {
    result.map(|()| Reply::Done).map_err(in_words)
}

fn in_words(error: impl std::error::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use farcall_protocol::Message;

    /// What an agent answers to these lines before its input ends.
    async fn answers(lines: &str, expected: usize) -> Vec<Message> {
        let (outlet, mut said) = Outlet::new();
        let (mut host, input) = tokio::io::duplex(4096);
        let serving = serve(Requests::new(input), &outlet);
        let talk = async {
            tokio::io::AsyncWriteExt::write_all(&mut host, lines.as_bytes())
                .await
                .unwrap();
            let mut answers = Vec::new();
            while answers.len() < expected {
                answers.push(said.next().await.unwrap());
            }
            drop(host);
            answers
        };
        let within = std::time::Duration::from_secs(5);
        let both = async { tokio::join!(serving, talk).1 };
        tokio::time::timeout(within, both).await.unwrap()
    }

    #[tokio::test]
    async fn requests_are_answered_by_their_id_and_the_end_of_input_ends_the_agent() {
        let lines = "{\"id\":4,\"command\":{\"do\":\"clock\"}}\n";
        assert!(matches!(
            answers(lines, 1).await[..],
            [Message::Reply {
                id: 4,
                reply: Reply::Clock { .. }
            }]
        ));
    }

    #[tokio::test]
    async fn what_needs_a_node_fails_before_there_is_one() {
        let lines = "{\"id\":1,\"command\":{\"do\":\"collect\",\"end_services\":true}}\n\
                     {\"id\":2,\"command\":{\"do\":\"stop-media\"}}\n\
                     {\"id\":3,\"command\":{\"do\":\"measure\",\"fact\":{\"kind\":\"no-embedded-resolver\"},\"round_trip_ms\":0}}\n";
        let answers = answers(lines, 3).await;
        for answer in &answers {
            assert!(
                matches!(
                    answer,
                    Message::Reply { reply: Reply::Failed { message }, .. }
                        if message.contains("not set up")
                ),
                "{answer:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_request_that_cannot_be_read_is_a_fault_without_its_words() {
        let lines = "{\"id\":1,\"command\":{\"do\":\"setup\",\"password\":\"geheim\"}}\n";
        let answers = answers(lines, 1).await;
        let shown = format!("{answers:?}");
        assert!(shown.contains("HarnessFault"), "{shown}");
        assert!(!shown.contains("geheim"), "{shown}");
    }
}
