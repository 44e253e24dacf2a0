//! What a gateway knows of connections: the kernel's tracking, and the mappings of its own translation.

use crate::node::RunningNode;
use crate::tool::{self, ToolError};

/// Between addresses that nobody has (RFC 1112 section 4) and ports that nothing uses.
const UNUSED: &str = "-p udp -s 240.0.0.1 -d 240.0.0.2 --sport 9 --dport 9";

/// For how long it would live, in seconds: longer than any call.
const LIFETIME_S: &str = "3600";

/// The connections could not be forgotten.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForgetError {
    /// A tool failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A connection is still known that must not be.
    #[error(
        "failed to make the gateway forget its connections: it still knows `{0}`; please report this as a bug"
    )]
    StillKnown(String),
}

/// Makes a gateway ready to forget: a connection that nobody uses is now among those that it knows. Others may be made anew
/// as soon as they are forgotten, and look as if they never had been.
pub(crate) async fn prepare() -> Result<(), ForgetError> {
    conntrack("-I", &["-t", LIFETIME_S]).await?;
    Ok(())
}

/// Forgets all of it, as a router does that restarts.
pub(crate) async fn forget(node: &RunningNode) -> Result<(), ForgetError> {
    if let Some(datapath) = &node.datapath {
        datapath.forget();
    }
    tool::run(&["conntrack", "-F"], "").await?;
    Ok(())
}

/// Sees that what was there when the gateway was [made ready](prepare) is forgotten.
pub(crate) async fn is_forgotten() -> Result<(), ForgetError> {
    let known = conntrack("-L", &[]).await?;
    match known.trim() {
        "" => Ok(()),
        known => Err(ForgetError::StillKnown(known.to_owned())),
    }
}

/// Does something with the unused connection.
async fn conntrack(what: &str, further: &[&str]) -> Result<String, ToolError> {
    let unused = UNUSED.split(' ');
    let command: Vec<&str> = ["conntrack", what]
        .into_iter()
        .chain(unused)
        .chain(further.iter().copied())
        .collect();
    tool::run(&command, "").await
}
