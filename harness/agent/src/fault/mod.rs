//! Faults at this node: what breaks it on purpose, and mends it again.

mod change;
mod due;
mod standstill;
mod table;

pub(crate) use due::Due;
pub(crate) use standstill::Standstill;

use crate::counters::CountersError;
use crate::datapath::Datapath;
use crate::gateway::{Gateway, resolves};
use crate::handover::MoveError;
use crate::mappings::{self, ForgetError, Marker};
use crate::node::{RunningNode, RunningRole};
use crate::service::ServiceError;
use crate::setup::SetupError;
use crate::signalling::{SignallingError, SignallingServer};
use crate::tool::ToolError;
use crate::turn::TurnServer;
use change::{breaking, mending};
use farcall_plan::FaultAction;
use farcall_timeline::Crossed;

/// A fault could not be brought about or mended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FaultError {
    /// A tool failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// Connections were not forgotten.
    #[error(transparent)]
    Forget(#[from] ForgetError),
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
    /// Nobody could end it.
    #[error("failed to let the node stand still: its requests do not come through a pipe")]
    NoPipe,
    /// One that has been asked for is not due yet.
    #[error(
        "failed to let the node stand still: it was asked to stand still already; let two `peer-frozen` of one peer begin \
         two seconds apart or more"
    )]
    StandsStill,
    /// It was to be in effect until now.
    #[error(
        "failed to change the link: it has other conditions than it was given; let two `link-change` of one site not \
         overlap"
    )]
    OtherLink,
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
    /// What crossed the link whose conditions it changed.
    pub(crate) crossed: Option<Crossed>,
}

/// Breaks the node when that is due. Returns since when what was before is no more, on the node's clock; when this
/// returns, what comes in its place has been seen.
pub(crate) async fn begin(
    node: &RunningNode,
    action: &FaultAction,
    due: &Due<'_>,
) -> Result<u64, FaultError> {
    let marker = match action {
        FaultAction::ForgetMappings | FaultAction::Readdress(_) => Some(Marker::set().await?),
        _ => None,
    };
    let breaking = breaking(node, action).await?;
    due.come().await;
    breaking.await?;
    let at_ns = due.now_ns();
    match action {
        FaultAction::ReplaceNames {
            configuration,
            delay_ms,
            name,
            address,
        } => {
            gateway(node)?.resolve_by(configuration, *delay_ms).await?;
            resolves(configuration, name, *address, *delay_ms).await?;
        }
        FaultAction::RestartServer => {
            server(node)?.start_again().await?;
            server(node)?.ready().await?;
        }
        FaultAction::ChangeCredentials => server(node)?.takes_credentials(false).await?,
        FaultAction::ReplaceCertificate { .. } => server(node)?.shows_certificate(true).await?,
        FaultAction::FreezeServer => server(node)?.is_silent().await?,
        FaultAction::StopSignalling => signalling(node)?.refuses().await?,
        _ => {}
    }
    if let Some(marker) = marker {
        marker.is_forgotten().await?;
    }
    Ok(at_ns)
}

/// Mends the node when that is due. A server that was killed is mended when it starts; when this returns, it answers.
pub(crate) async fn end(
    node: &RunningNode,
    action: &FaultAction,
    due: &Due<'_>,
) -> Result<Mended, FaultError> {
    let marker = match action {
        FaultAction::Restart { .. } | FaultAction::Readdress(_) => Some(Marker::set().await?),
        _ => None,
    };
    if let FaultAction::Restart { .. } = action {
        // Nothing passes until it is back: it forgets in the meantime.
        mappings::forget(node).await?;
    }
    let mending = mending(node, action)?;
    due.come().await;
    let crossed = match action {
        // When the link is as it was, it counts anew.
        FaultAction::ChangeLink { link, .. } => {
            let datapath = datapath(node)?;
            if !datapath.has_link(link) {
                return Err(FaultError::OtherLink);
            }
            datapath.crossed()
        }
        _ => None,
    };
    mending.await?;
    let mut mended = Mended {
        at_ns: due.now_ns(),
        dropped_packets: None,
        crossed,
    };
    match action {
        FaultAction::Drop { table, .. } | FaultAction::Restart { table, .. } => {
            mended.dropped_packets = table::remove(table).await?;
        }
        FaultAction::KillServer | FaultAction::FreezeServer => server(node)?.ready().await?,
        FaultAction::ChangeCredentials => server(node)?.takes_credentials(true).await?,
        FaultAction::ReplaceCertificate { .. } => server(node)?.shows_certificate(false).await?,
        _ => {}
    }
    if let Some(marker) = marker {
        marker.is_forgotten().await?;
    }
    Ok(mended)
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
