//! What the peer's process holds: sockets and tasks. A call that is over has left none of its own.

use farcall_timeline::Holdings;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// How long what a call held may take to go: tasks end at their next turn.
const GOES_WITHIN: Duration = Duration::from_secs(2);

/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What is held now. Must be called within a tokio runtime.
pub(super) fn now() -> Holdings {
    Holdings {
        sockets: sockets(),
        tasks: Handle::current().metrics().num_alive_tasks(),
    }
}

/// Waits until no more is held than before, as long as that may take, and tells what is held then.
pub(super) async fn settled(before: Holdings) -> Holdings {
    let begun = Instant::now();
    loop {
        let held = now();
        let is_settled = held.sockets <= before.sockets && held.tasks <= before.tasks;
        if is_settled || begun.elapsed() > GOES_WITHIN {
            return held;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The process's open sockets (proc(5)).
fn sockets() -> usize {
    let descriptors = std::fs::read_dir("/proc/self/fd").into_iter().flatten();
    let targets = descriptors
        .flatten()
        .map(|at| std::fs::read_link(at.path()));
    targets
        .flatten()
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .count()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use tokio::net::UdpSocket;

    #[tokio::test]
    async fn a_socket_and_a_task_count_as_long_as_they_are_there() {
        let before = now();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let task = tokio::spawn(std::future::pending::<()>());
        // Other tests of this process open and close sockets meanwhile.
        assert!(now().tasks > before.tasks);
        assert!(now().sockets > 0);
        task.abort();
        drop(socket);
        let after = settled(before).await;
        assert_eq!(after.tasks, before.tasks);
    }
}
