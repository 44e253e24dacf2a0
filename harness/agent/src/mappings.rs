//! What a gateway knows of connections: the kernel's tracking, and the mappings of its own translation.

use crate::node::RunningNode;
use crate::tool::{self, ToolError};
use std::sync::atomic::{AtomicU16, Ordering};

/// Between addresses that nobody has (RFC 1112 section 4).
const UNUSED: &str = "-p udp -s 240.0.0.1 -d 240.0.0.2 --dport 9 --sport";

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
    /// A mapping is still there that must not be.
    #[error(
        "failed to make the gateway forget its mappings: some are left; please report this as a bug"
    )]
    StillMapped,
}

/// A connection that nobody uses, one for each time that a gateway forgets. Others may be made anew as soon as they are
/// forgotten, and look as if they never had been.
pub(crate) struct Marker(u16);

impl Marker {
    /// From now on it is among those that the gateway knows.
    pub(crate) async fn set() -> Result<Self, ForgetError> {
        static NEXT: AtomicU16 = AtomicU16::new(1);
        let marker = Self(NEXT.fetch_add(1, Ordering::Relaxed));
        marker.conntrack("-I", &["-t", LIFETIME_S]).await?;
        Ok(marker)
    }

    /// Sees that the gateway has forgotten it.
    pub(crate) async fn is_forgotten(&self) -> Result<(), ForgetError> {
        let known = self.conntrack("-L", &[]).await?;
        match known.trim() {
            "" => Ok(()),
            known => Err(ForgetError::StillKnown(known.to_owned())),
        }
    }

    async fn conntrack(&self, what: &str, further: &[&str]) -> Result<String, ToolError> {
        let port = self.0.to_string();
        let unused = UNUSED.split(' ').chain([port.as_str()]);
        let command: Vec<&str> = ["conntrack", what]
            .into_iter()
            .chain(unused)
            .chain(further.iter().copied())
            .collect();
        tool::run(&command, "").await
    }
}

/// Forgets all connections and mappings, as a router does that restarts.
pub(crate) async fn forget(node: &RunningNode) -> Result<(), ForgetError> {
    if let Some(datapath) = &node.datapath
        && !datapath.forget()
    {
        return Err(ForgetError::StillMapped);
    }
    tool::run(&["conntrack", "-F"], "").await?;
    Ok(())
}
