//! What breaks a node and what mends it, made ready before its moment comes.

use super::{FaultError, datapath, gateway, server, signalling, table};
use crate::handover;
use crate::mappings;
use crate::node::RunningNode;
use farcall_plan::{FaultAction, Role};
use futures::future::LocalBoxFuture;
use nix::sys::signal::Signal;

/// What is done when its moment comes; nothing before it is awaited.
pub(super) type Change<'a> = LocalBoxFuture<'a, Result<(), FaultError>>;

/// Makes ready what breaks the node.
pub(super) async fn breaking<'a>(
    node: &'a RunningNode,
    action: &'a FaultAction,
) -> Result<Change<'a>, FaultError> {
    Ok(match action {
        FaultAction::Drop { rules, .. } | FaultAction::Restart { rules, .. } => {
            let nft = table::nft()?;
            Box::pin(async { Ok(nft.give(rules).await.map(drop)?) })
        }
        FaultAction::ForgetMappings => Box::pin(async { Ok(mappings::forget(node).await?) }),
        FaultAction::ChangeLink { link, seed } => Box::pin(async {
            datapath(node)?.change_link(link, *seed);
            Ok(())
        }),
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
        FaultAction::StopSignalling => Box::pin(async {
            signalling(node)?.stop().await;
            Ok(())
        }),
        FaultAction::FreezeServer => Box::pin(signalled(node, Signal::SIGSTOP)),
        FaultAction::KillServer | FaultAction::RestartServer => {
            Box::pin(async { Ok(server(node)?.kill().await?) })
        }
        FaultAction::ChangeCredentials => {
            Box::pin(async { Ok(server(node)?.change_credentials(false).await?) })
        }
        FaultAction::ExhaustQuota => {
            let server = server(node)?;
            let queue = server.queue().await?;
            Box::pin(async { Ok(server.occupy(queue).await?) })
        }
        FaultAction::ReplaceCertificate { flaw } => {
            Box::pin(async { Ok(server(node)?.replace_certificate(Some(*flaw)).await?) })
        }
        FaultAction::ReplaceNames { .. } => {
            Box::pin(async { Ok(gateway(node)?.forget_names().await?) })
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
        FaultAction::ChangeLink { .. } => Box::pin(async {
            datapath(node)?.restore_link();
            Ok(())
        }),
        FaultAction::Readdress(change) => {
            let ip = handover::ip()?;
            Box::pin(async { Ok(handover::readdress(node, change, true, ip).await?) })
        }
        FaultAction::Move { from, to } => {
            let ip = handover::ip()?;
            Box::pin(async { Ok(handover::move_peer(node, to, from, ip).await?) })
        }
        FaultAction::StopSignalling => {
            Box::pin(async { Ok(signalling(node)?.start_again().await?) })
        }
        FaultAction::FreezeServer => Box::pin(signalled(node, Signal::SIGCONT)),
        FaultAction::KillServer => Box::pin(async { Ok(server(node)?.start_again().await?) }),
        FaultAction::ChangeCredentials => {
            Box::pin(async { Ok(server(node)?.change_credentials(true).await?) })
        }
        FaultAction::ExhaustQuota => Box::pin(async {
            server(node)?.vacate();
            Ok(())
        }),
        FaultAction::ReplaceCertificate { .. } => {
            Box::pin(async { Ok(server(node)?.replace_certificate(None).await?) })
        }
        FaultAction::ReplaceNames { .. } => Box::pin(resolve_as_planned(node)),
    })
}

/// Lets a TURN server stand still or go on.
async fn signalled(node: &RunningNode, signal: Signal) -> Result<(), FaultError> {
    server(node)?.signal(signal).await;
    Ok(())
}

async fn resolve_as_planned(node: &RunningNode) -> Result<(), FaultError> {
    let gateway = gateway(node)?;
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
