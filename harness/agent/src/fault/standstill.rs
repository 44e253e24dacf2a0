//! A node that stands still with everything that it does.

use farcall_plan::FaultAction;
use farcall_protocol::{Command, Reply, Request};
use farcall_timeline::Event;

use super::{Due, FaultError};
use crate::Outlet;
use crate::requests::Requests;

/// A standstill that has been asked for.
///
/// The whole agent runs on one thread, which blocks: no timer, no socket and no media is attended to, as in a process that
/// is stopped. The kernel goes on, and takes what is sent to it. A signal could not stop the agent, since the first
/// process of a container is spared (pid_namespaces(7)), and Docker's own pause takes 20 to 350 ms.
pub(crate) struct Standstill {
    id: u64,
    at_ns: Option<u64>,
}

impl Standstill {
    /// What this request asks for, if it is about that.
    pub(crate) fn asked_for(request: &Request) -> Option<Self> {
        match request.command {
            Command::BeginFault {
                action: FaultAction::Freeze,
                at_ns,
            } => Some(Self {
                id: request.id,
                at_ns,
            }),
            _ => None,
        }
    }

    /// Another one is to come first.
    pub(crate) fn refuse(self, outlet: &Outlet) {
        let message = FaultError::StandsStill.to_string();
        outlet.reply(self.id, Reply::Failed { message });
    }

    /// Waits until the one that was asked for is due, and takes it; for ever if there is none.
    pub(crate) async fn come(asked_for: &mut Option<Self>, outlet: &Outlet) -> Self {
        if let Some(one) = asked_for {
            Due::at(one.at_ns, outlet).come().await;
        }
        match asked_for.take() {
            Some(due) => due,
            None => std::future::pending().await,
        }
    }

    /// Stands still from now on until a request ends that, or the host is gone.
    pub(crate) async fn last(self, requests: &mut Requests, outlet: &Outlet) {
        let at_ns = outlet.now_ns();
        if let Err(message) = runs_on_one_thread() {
            outlet.reply(self.id, Reply::Failed { message });
            return;
        }
        outlet.reply(self.id, Reply::Broken { at_ns });
        outlet.written().await;
        match requests.block_until(end) {
            Ok(Some((id, at_ns))) => {
                std::thread::sleep(Due::at(at_ns, outlet).left());
                outlet.reply(
                    id,
                    Reply::Mended {
                        at_ns: outlet.now_ns(),
                        dropped_packets: None,
                        crossed: None,
                    },
                );
            }
            Ok(None) => {}
            Err(error) => outlet.event(Event::HarnessFault {
                message: format!("failed to wait for the end of a standstill: {error}"),
            }),
        }
    }
}

/// The request that ends a standstill, and when that is due.
fn end(line: &[u8]) -> Option<(u64, Option<u64>)> {
    match serde_json::from_slice(line).ok()? {
        Request {
            id,
            command:
                Command::EndFault {
                    action: FaultAction::Freeze,
                    at_ns,
                },
        } => Some((id, at_ns)),
        _ => None,
    }
}

/// Another thread would go on.
fn runs_on_one_thread() -> Result<(), String> {
    match std::fs::read_dir("/proc/self/task").map(Iterator::count) {
        Ok(1) => Ok(()),
        Ok(threads) => Err(format!(
            "failed to let the node stand still: it runs on {threads} threads, of which one would; please report this as \
             a bug"
        )),
        Err(error) => Err(format!(
            "failed to count the threads of the node: /proc/self/task: {error}"
        )),
    }
}
