//! What a node has to tell when the call is over.

use crate::node::{RunningNode, RunningRole};
use crate::tool::{self, ToolError};

/// Ends services in good order and reads what the kernel knows: names of files and their text. What
/// cannot be read is a file that says why.
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
    let (links, routes, sockets) = tokio::join!(
        tool::run(&["ip", "-s", "link"], ""),
        tool::run(&["ip", "route"], ""),
        tool::run(&["ss", "-tuna"], ""),
    );
    add("links.txt", links);
    add("routes.txt", routes);
    add("sockets.txt", sockets);
    let ended = match &node.role {
        RunningRole::Gateway(gateway) => gateway.end().await,
        RunningRole::TurnServer(server) => server.end().await,
        RunningRole::Peer(_) | RunningRole::Probe(_) => Ok(()),
    };
    for ended in [ended, node.captures.end().await] {
        if let Err(error) = ended {
            tracing::error!("{error}");
        }
    }
    files
}
