//! Faults at this node: what breaks it on purpose, and mends it again.

mod due;
mod table;

pub(crate) use due::Due;

use crate::counters::CountersError;
use crate::datapath::Datapath;
use crate::gateway::{Gateway, resolves};
use crate::handover::{self, MoveError};
use crate::mappings;
use crate::node::{RunningNode, RunningRole};
use crate::service::ServiceError;
use crate::setup::SetupError;
use crate::signalling::{SignallingError, SignallingServer};
use crate::tool::ToolError;
use crate::turn::TurnServer;
use farcall_plan::{FaultAction, Role};
use futures::future::LocalBoxFuture;
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

/// The end of a fault.
pub(crate) struct Mended {
    /// When it was no longer in effect, on the node's clock.
    pub(crate) at_ns: u64,
    /// How many packets it dropped, as far as it drops any.
    pub(crate) dropped_packets: Option<u64>,
}

/// What is done when its moment comes; nothing before it is awaited.
type Change<'a> = LocalBoxFuture<'a, Result<(), FaultError>>;

/// Breaks the node when that is due. Returns since when the fault is in effect, on the node's clock; what is to be seen or
/// to be waited for comes after that.
pub(crate) async fn begin(
    node: &RunningNode,
    action: &FaultAction,
    due: &Due<'_>,
) -> Result<u64, FaultError> {
    let breaking = breaking(node, action)?;
    due.come().await;
    breaking.await?;
    let at_ns = due.now_ns();
    match action {
        FaultAction::ReplaceNames {
            configuration,
            delay_ms,
            name,
            address,
        } => resolves(configuration, name, *address, *delay_ms).await?,
        FaultAction::RestartServer => {
            server(node)?.start_again().await?;
            server(node)?.ready().await?;
        }
        _ => {}
    }
    Ok(at_ns)
}

/// Mends the node when that is due. A server is mended when it starts again.
pub(crate) async fn end(
    node: &RunningNode,
    action: &FaultAction,
    due: &Due<'_>,
) -> Result<Mended, FaultError> {
    if let FaultAction::Restart { .. } = action {
        // Nothing passes until it is back: it forgets in the meantime.
        mappings::forget(node).await?;
    }
    let mending = mending(node, action)?;
    due.come().await;
    mending.await?;
    let at_ns = due.now_ns();
    let dropped_packets = match action {
        FaultAction::Drop { table, .. } | FaultAction::Restart { table, .. } => {
            table::remove(table).await?
        }
        FaultAction::KillServer => {
            server(node)?.ready().await?;
            None
        }
        _ => None,
    };
    Ok(Mended {
        at_ns,
        dropped_packets,
    })
}

/// Makes ready what breaks the node.
fn breaking<'a>(node: &'a RunningNode, action: &'a FaultAction) -> Result<Change<'a>, FaultError> {
    Ok(match action {
        FaultAction::Drop { rules, .. } | FaultAction::Restart { rules, .. } => {
            let nft = table::nft()?;
            Box::pin(async { Ok(nft.give(rules).await.map(drop)?) })
        }
        FaultAction::ForgetMappings => Box::pin(async { Ok(mappings::forget(node).await?) }),
        FaultAction::ChangeLink { link, seed } => {
            let datapath = datapath(node)?;
            Box::pin(async {
                datapath.change_link(link, *seed);
                Ok(())
            })
        }
        FaultAction::Readdress(change) => {
            let ip = handover::ip()?;
            Box::pin(async { Ok(handover::readdress(node, change, false, ip).await?) })
        }
        FaultAction::Move { from, to } => {
            let ip = handover::ip()?;
            Box::pin(async { Ok(handover::move_peer(node, from, to, ip).await?) })
        }
        FaultAction::Freeze => return Err(FaultError::FromOutside),
        FaultAction::StopSignalling => {
            let server = signalling(node)?;
            Box::pin(async {
                server.stop().await;
                Ok(())
            })
        }
        FaultAction::FreezeServer => stand_still(node, Signal::SIGSTOP)?,
        FaultAction::KillServer | FaultAction::RestartServer => {
            let server = server(node)?;
            Box::pin(async { Ok(server.kill().await?) })
        }
        FaultAction::ChangeCredentials => {
            let server = server(node)?;
            Box::pin(async { Ok(server.change_credentials(false).await?) })
        }
        FaultAction::ExhaustQuota => {
            let server = server(node)?;
            Box::pin(async { Ok(server.occupy().await?) })
        }
        FaultAction::ReplaceCertificate { flaw } => {
            let server = server(node)?;
            Box::pin(async { Ok(server.replace_certificate(Some(*flaw)).await?) })
        }
        FaultAction::ReplaceNames {
            configuration,
            delay_ms,
            ..
        } => {
            let gateway = gateway(node)?;
            Box::pin(async { Ok(gateway.resolve_by(configuration, *delay_ms).await?) })
        }
    })
}

/// Makes ready what mends the node.
fn mending<'a>(node: &'a RunningNode, action: &'a FaultAction) -> Result<Change<'a>, FaultError> {
    Ok(match action {
        FaultAction::Drop { table, .. } | FaultAction::Restart { table, .. } => {
            let nft = table::nft()?;
            Box::pin(async { Ok(nft.give(&table::dormant(table)).await.map(drop)?) })
        }
        FaultAction::ForgetMappings | FaultAction::RestartServer => Box::pin(async { Ok(()) }),
        FaultAction::ChangeLink { .. } => {
            let datapath = datapath(node)?;
            Box::pin(async {
                datapath.restore_link();
                Ok(())
            })
        }
        FaultAction::Readdress(change) => {
            let ip = handover::ip()?;
            Box::pin(async { Ok(handover::readdress(node, change, true, ip).await?) })
        }
        FaultAction::Move { from, to } => {
            let ip = handover::ip()?;
            Box::pin(async { Ok(handover::move_peer(node, to, from, ip).await?) })
        }
        FaultAction::Freeze => return Err(FaultError::FromOutside),
        FaultAction::StopSignalling => {
            let server = signalling(node)?;
            Box::pin(async { Ok(server.start_again().await?) })
        }
        FaultAction::FreezeServer => stand_still(node, Signal::SIGCONT)?,
        FaultAction::KillServer => {
            let server = server(node)?;
            Box::pin(async { Ok(server.start_again().await?) })
        }
        FaultAction::ChangeCredentials => {
            let server = server(node)?;
            Box::pin(async { Ok(server.change_credentials(true).await?) })
        }
        FaultAction::ExhaustQuota => {
            let server = server(node)?;
            Box::pin(async {
                server.vacate();
                Ok(())
            })
        }
        FaultAction::ReplaceCertificate { .. } => {
            let server = server(node)?;
            Box::pin(async { Ok(server.replace_certificate(None).await?) })
        }
        FaultAction::ReplaceNames { .. } => {
            let gateway = gateway(node)?;
            Box::pin(async { resolve_as_planned(gateway, node).await })
        }
    })
}

/// Lets a TURN server stand still or go on.
fn stand_still(node: &RunningNode, signal: Signal) -> Result<Change<'_>, FaultError> {
    let server = server(node)?;
    Ok(Box::pin(async move {
        server.signal(signal).await;
        Ok(())
    }))
}

async fn resolve_as_planned(gateway: &Gateway, node: &RunningNode) -> Result<(), FaultError> {
    if let Role::Gateway(planned) = &node.node.role
        && let Some(configuration) = &planned.dnsmasq
    {
        gateway
            .resolve_by(configuration, planned.dns_delay_ms)
            .await?;
    }
    Ok(())
}

fn gateway(node: &RunningNode) -> Result<&Gateway, FaultError> {
    match &node.role {
        RunningRole::Gateway(gateway) => Ok(gateway),
        _ => Err(FaultError::NoResolver {
            node: node.node.name.clone(),
        }),
    }
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
