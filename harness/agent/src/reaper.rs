//! Ended processes that nobody waits for. The agent is the first process of its container, so
//! what outlives its own parent, such as a program that was started in the background by
//! `docker exec`, becomes its child.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

/// Processes that the agent itself has started and waits for.
static OWN: Mutex<Option<HashSet<u32>>> = Mutex::new(None);

/// A process of the agent's own; it counts as one until this is dropped.
pub(crate) struct Own(Option<u32>);

/// Starts a process that the agent itself waits for.
pub(crate) fn spawn(command: &mut Command) -> std::io::Result<(Child, Own)> {
    // Locked before it starts, so that it is known before it can end.
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    let child = command.spawn()?;
    let id = child.id();
    own.get_or_insert_default().extend(id);
    Ok((child, Own(id)))
}

impl Drop for Own {
    fn drop(&mut self) {
        let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(own), Some(id)) = (own.as_mut(), self.0) {
            own.remove(&id);
        }
    }
}

/// Waits for every process that ends and is not the agent's own.
pub(crate) async fn reap() -> std::io::Result<()> {
    let mut ended = signal(SignalKind::child())?;
    while ended.recv().await.is_some() {
        while reap_one() {}
    }
    Ok(())
}

/// Whether there may be more.
fn reap_one() -> bool {
    // Only looks: the status of the agent's own processes is for those who wait for them.
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    let Ok(status) = waitid(Id::All, flags) else {
        return false;
    };
    let Some(process) = status.pid() else {
        return false;
    };
    if is_own(process) {
        return false;
    }
    matches!(
        waitpid(process, Some(WaitPidFlag::WNOHANG)),
        Ok(status) if status != WaitStatus::StillAlive
    )
}

fn is_own(process: Pid) -> bool {
    let own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    let id = u32::try_from(process.as_raw()).unwrap_or(0);
    own.as_ref().is_some_and(|own| own.contains(&id))
}
