//! What peers do before anything works for them: log in at a captive portal.

use farcall_lab::{Lab, NodeError};
use farcall_plan::CallPlan;
use farcall_protocol::Command;
use futures::future::try_join_all;
use std::time::Duration;

/// How long a login may take: four pages of a portal next door, each with a budget of its own far below this.
const LOGIN_DEADLINE: Duration = Duration::from_secs(20);

/// Logs every peer in that is behind a portal.
///
/// # Errors
/// When a portal does not do what a portal does.
pub(crate) async fn log_in(lab: &Lab, call: &CallPlan) -> Result<(), NodeError> {
    let logins = call.logins.iter().map(async |(peer, portal)| {
        let command = Command::LogIn { portal: *portal };
        lab.node(peer)?.request(command, LOGIN_DEADLINE).await
    });
    try_join_all(logins).await.map(drop)
}
