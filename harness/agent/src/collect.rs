//! What a node has to tell when the call is over.

use farcall_timeline::Event;
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use crate::node::{RunningNode, RunningRole};
use crate::tool::{self, ToolError};

/// Reads what the kernel knows: names of files and their text. What cannot be read is a file that says
/// why. A TURN server also tells of its sessions.
pub(crate) async fn collect(node: &RunningNode) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut add = |name: &str, text: Result<String, ToolError>| {
        let text = text.unwrap_or_else(|error| format!("{error}\n"));
        files.push((name.to_owned(), text));
    };
    if let RunningRole::Gateway(gateway) = &node.role {
        let (connections, ruleset) = tokio::join!(
            gateway.connections(),
            tool::run(&["nft", "list", "ruleset"], "")
        );
        add("connections.txt", connections);
        add("ruleset.txt", ruleset);
    }
    if let Some(datapath) = &node.datapath {
        add("nat-mappings.txt", Ok(datapath.mappings()));
    }
    let (links, routes, sockets) = tokio::join!(
        tool::run(&["ip", "-s", "link"], ""),
        tool::run(&["ip", "route"], ""),
        tool::run(&["ss", "-tuna"], ""),
    );
    add("links.txt", links);
    add("routes.txt", routes);
    add("sockets.txt", sockets);
    if let RunningRole::TurnServer(server) = &node.role {
        server.tell_sessions().await;
    }
    files
}

/// Ends services and captures in good order: what they know by then they tell.
pub(crate) async fn end(node: &RunningNode) {
    let ended = match &node.role {
        RunningRole::Gateway(gateway) => gateway.end().await,
        RunningRole::TurnServer(server) => server.end().await,
        RunningRole::Peer(_) | RunningRole::Signalling(_) | RunningRole::Probe(_) => Ok(()),
    };
    for ended in [ended, node.captures.end().await] {
        if let Err(error) = ended {
            tracing::error!("{error}");
        }
    }
}

/// What this agent has used so far; nothing where the kernel does not tell.
pub(crate) fn resources() -> Option<Event> {
    getrusage(UsageWho::RUSAGE_SELF)
        .ok()
        .map(|used| in_event(&used))
}

/// The processor time of this agent so far, in milliseconds.
///
/// # Errors
/// As of getrusage(2).
pub(crate) fn cpu_ms() -> nix::Result<f64> {
    getrusage(UsageWho::RUSAGE_SELF).map(|used| busy_ms(&used))
}

fn in_event(used: &Usage) -> Event {
    Event::Resources {
        peak_resident_kib: u64::try_from(used.max_rss()).unwrap_or_default(),
        cpu_ms: busy_ms(used),
    }
}

#[expect(clippy::cast_precision_loss, reason = "no run lasts 285 years")]
fn busy_ms(used: &Usage) -> f64 {
    (used.user_time() + used.system_time()).num_microseconds() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_knows_what_it_has_used() {
        let used = resources();
        assert!(
            matches!(used, Some(Event::Resources { peak_resident_kib, cpu_ms })
                if peak_resident_kib > 500 && cpu_ms > 0.0),
            "{used:?}"
        );
    }
}
