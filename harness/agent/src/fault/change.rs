//! What breaks a node and what mends it, made ready before its moment comes.

use super::{FaultError, datapath, gateway, server, signalling, table};
use crate::gateway::Gateway;
use crate::handover;
use crate::mappings;
use crate::node::RunningNode;
use farcall_plan::{FaultAction, Role};
use futures::future::LocalBoxFuture;
use nix::sys::signal::Signal;

/// What is done when its moment comes; nothing before it is awaited.
pub(super) type Change<'a> = LocalBoxFuture<'a, Result<(), FaultError>>;

/// Makes ready what breaks the node.
pub(super) fn breaking<'a>(
    node: &'a RunningNode,
    action: &'a FaultAction,
) -> Result<Change<'a>, FaultError> {
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
        // Whoever reads requests does that, where it can be done.
        FaultAction::Freeze => return Err(FaultError::NoPipe),
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
        FaultAction::ReplaceNames { .. } => {
            let gateway = gateway(node)?;
            Box::pin(async { Ok(gateway.forget_names().await?) })
        }
    })
}

/// Makes ready what mends the node.
pub(super) fn mending<'a>(
    node: &'a RunningNode,
    action: &'a FaultAction,
) -> Result<Change<'a>, FaultError> {
    Ok(match action {
        FaultAction::Drop { table, .. } | FaultAction::Restart { table, .. } => {
            let nft = table::nft()?;
            Box::pin(async { Ok(nft.give(&table::dormant(table)).await.map(drop)?) })
        }
        FaultAction::ForgetMappings | FaultAction::RestartServer | FaultAction::Freeze => {
            Box::pin(async { Ok(()) })
        }
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
        gateway.forget_names().await?;
        gateway
            .resolve_by(configuration, planned.dns_delay_ms)
            .await?;
    }
    Ok(())
}
