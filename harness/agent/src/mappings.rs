//! What a gateway knows of connections: the kernel's tracking, and the mappings of its own translation.

use crate::node::RunningNode;
use crate::tool::{self, ToolError};

/// Forgets all of it, as a router does that restarts.
pub(crate) async fn forget(node: &RunningNode) -> Result<(), ToolError> {
    if let Some(datapath) = &node.datapath {
        datapath.forget();
    }
    tool::run(&["conntrack", "-F"], "").await.map(drop)
}
