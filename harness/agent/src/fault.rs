//! Faults at this node: what breaks it on purpose, and mends it again.

use crate::counters::{CountersError, counters_of};
use crate::datapath::Datapath;
use crate::gateway::Gateway;
use crate::handover::{self, MoveError};
use crate::mappings;
use crate::node::{RunningNode, RunningRole};
use crate::service::ServiceError;
use crate::setup::SetupError;
use crate::signalling::{SignallingError, SignallingServer};
use crate::tool::{self, ToolError};
use crate::turn::TurnServer;
use farcall_plan::{FaultAction, Role};
use nix::sys::signal::Signal;

/// A fault could not be brought about or mended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FaultError {
    /// A tool failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// What was dropped could not be read.
    #[error(transparent)]
    Counters(#[from] CountersError),
    /// coturn did not end, or did not start again.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// Something else than what was to be is in effect.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The node is of another kind.
    #[error("failed to change what names resolve to: there is no resolver at {node}")]
    NoResolver {
        /// The node.
        node: String,
    },
    /// The node is of another kind.
    #[error("failed to break {node}: it is no {what}")]
    Other {
        /// The node.
        node: String,
        /// What it would have to be.
        what: &'static str,
    },
    /// It cannot be done in the node.
    #[error("failed to let a node stand still from within: ask Docker")]
    FromOutside,
    /// A peer or an address was not moved.
    #[error(transparent)]
    Move(#[from] MoveError),
    /// The signalling server did not start again.
    #[error(transparent)]
    Signalling(#[from] SignallingError),
}

/// Breaks the node; when this returns, the fault is in effect.
pub(crate) async fn begin(node: &RunningNode, action: &FaultAction) -> Result<(), FaultError> {
    match action {
        FaultAction::Drop { rules, .. } => {
            tool::run(&["nft", "-f", "-"], rules).await?;
        }
        FaultAction::ForgetMappings => mappings::forget(node).await?,
        FaultAction::Restart { rules, .. } => {
            tool::run(&["nft", "-f", "-"], rules).await?;
        }
        FaultAction::ChangeLink { link, seed } => datapath(node)?.change_link(link, *seed),
        FaultAction::Readdress(change) => handover::readdress(node, change, false).await?,
        FaultAction::Move { from, to } => handover::move_peer(node, from, to).await?,
        FaultAction::Freeze => return Err(FaultError::FromOutside),
        FaultAction::StopSignalling => signalling(node)?.stop().await,
        FaultAction::FreezeServer => server(node)?.signal(Signal::SIGSTOP).await,
        FaultAction::KillServer => server(node)?.kill().await?,
        FaultAction::RestartServer => {
            server(node)?.kill().await?;
            server(node)?.start_again().await?;
        }
        FaultAction::ChangeCredentials => server(node)?.change_credentials(false).await?,
        FaultAction::ExhaustQuota => server(node)?.occupy().await?,
        FaultAction::ReplaceCertificate { flaw } => {
            server(node)?.replace_certificate(Some(*flaw)).await?;
        }
        FaultAction::ReplaceNames {
            configuration,
            name,
            address,
        } => {
            gateway(node)?.resolve_by(configuration).await?;
            Gateway::resolves(configuration, name, *address).await?;
        }
    }
    Ok(())
}

/// Mends the node, and tells how many packets were dropped, as far as the fault drops any.
pub(crate) async fn end(
    node: &RunningNode,
    action: &FaultAction,
) -> Result<Option<u64>, FaultError> {
    match action {
        FaultAction::Drop { table, .. } => lift(table).await,
        FaultAction::Restart { table, .. } => {
            let dropped = lift(table).await?;
            mappings::forget(node).await?;
            Ok(dropped)
        }
        FaultAction::ChangeLink { .. } => {
            datapath(node)?.restore_link();
            Ok(None)
        }
        FaultAction::Readdress(change) => {
            handover::readdress(node, change, true).await?;
            Ok(None)
        }
        FaultAction::Move { from, to } => {
            handover::move_peer(node, to, from).await?;
            Ok(None)
        }
        FaultAction::Freeze => Err(FaultError::FromOutside),
        FaultAction::StopSignalling => {
            signalling(node)?.start_again().await?;
            Ok(None)
        }
        FaultAction::ForgetMappings | FaultAction::RestartServer => Ok(None),
        FaultAction::FreezeServer => {
            server(node)?.signal(Signal::SIGCONT).await;
            Ok(None)
        }
        FaultAction::KillServer => {
            server(node)?.start_again().await?;
            Ok(None)
        }
        FaultAction::ChangeCredentials => {
            server(node)?.change_credentials(true).await?;
            Ok(None)
        }
        FaultAction::ExhaustQuota => {
            server(node)?.vacate();
            Ok(None)
        }
        FaultAction::ReplaceCertificate { .. } => {
            server(node)?.replace_certificate(None).await?;
            Ok(None)
        }
        FaultAction::ReplaceNames { .. } => {
            if let Role::Gateway(planned) = &node.node.role
                && let Some(configuration) = &planned.dnsmasq
            {
                gateway(node)?.resolve_by(configuration).await?;
            }
            Ok(None)
        }
    }
}

fn gateway(node: &RunningNode) -> Result<&Gateway, FaultError> {
    match &node.role {
        RunningRole::Gateway(gateway) => Ok(gateway),
        _ => Err(FaultError::NoResolver {
            node: node.node.name.clone(),
        }),
    }
}

/// Takes a fault's table away, and tells how many packets it dropped.
async fn lift(table: &str) -> Result<Option<u64>, FaultError> {
    let counters = counters_of(table).await?;
    tool::run(&["nft", "delete", "table", "inet", table], "").await?;
    let mut counters = counters.into_iter();
    let dropped = counters.find(|counter| counter.rule == FaultAction::DROPPED);
    Ok(dropped.map(|counter| counter.packets))
}

fn datapath(node: &RunningNode) -> Result<&Datapath, FaultError> {
    node.datapath.as_ref().ok_or_else(|| FaultError::Other {
        node: node.node.name.clone(),
        what: "gateway with a link",
    })
}

fn signalling(node: &RunningNode) -> Result<&SignallingServer, FaultError> {
    match &node.role {
        RunningRole::Signalling(server) => Ok(server),
        _ => Err(FaultError::Other {
            node: node.node.name.clone(),
            what: "signalling server",
        }),
    }
}

fn server(node: &RunningNode) -> Result<&TurnServer, FaultError> {
    match &node.role {
        RunningRole::TurnServer(server) => Ok(server),
        _ => Err(FaultError::Other {
            node: node.node.name.clone(),
            what: "TURN server",
        }),
    }
}
