//! A node's moves on the network: a peer into another site, a gateway to another public address.

use crate::mappings::{self, ForgetError};
use crate::node::{RunningNode, RunningRole};
use crate::setup::{SetupError, resolver_file, write};
use crate::tool::{self, ToolError, Waiting};
use farcall_plan::{Attachment, Readdressing};
use std::fmt::Write as _;
use std::net::IpAddr;

/// The move failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MoveError {
    /// A tool failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// Connections were not forgotten.
    #[error(transparent)]
    Forget(#[from] ForgetError),
    /// A file could not be written.
    #[error(transparent)]
    File(#[from] SetupError),
    /// The node has not come to have the address.
    #[error("failed to move {node}: it has not {wanted} but {found}; please report this as a bug")]
    NotThere {
        /// The node.
        node: String,
        /// The address.
        wanted: IpAddr,
        /// What it has.
        found: String,
    },
}

/// The tool that changes addresses and routes; it does nothing before it is told what.
pub(crate) fn ip() -> Result<Waiting, MoveError> {
    let _raised = crate::setup::raise_privileges()?;
    Ok(tool::start(&["ip", "-batch", "-"])?)
}

/// Leaves one network for another, as a device does that leaves the hotspot for the office: an interface loses its
/// addresses, and with them its routes, and another gets some. Neither goes down, which would end its capture.
pub(crate) async fn move_peer(
    node: &RunningNode,
    off: &Attachment,
    on: &Attachment,
    ip: Waiting,
) -> Result<(), MoveError> {
    ip.give(&moving(off, on)).await?;
    write("/etc/resolv.conf", &resolver_file(on.resolver.into()))?;
    let addresses = &on.interface.addresses;
    for address in addresses {
        there(node, address.addr().into())?;
    }
    if let RunningRole::Peer(peer) = &node.role {
        let addresses = addresses.iter().map(|net| net.addr().into());
        peer.moved(addresses.collect()).await;
    }
    Ok(())
}

fn moving(off: &Attachment, on: &Attachment) -> String {
    let mut batch = format!("address flush dev {}\n", off.interface.name);
    let name = &on.interface.name;
    for address in &on.interface.addresses {
        let _ = writeln!(batch, "address add {address} broadcast + dev {name}");
    }
    let _ = writeln!(batch, "route add default via {}", on.gateway);
    batch
}

/// Gives a gateway another address outside, as a provider does with a new lease: everything that went by the old one
/// ends there.
pub(crate) async fn readdress(
    node: &RunningNode,
    change: &Readdressing,
    back: bool,
    ip: Waiting,
) -> Result<(), MoveError> {
    let to = if back { change.from } else { change.to };
    let mut batch = format!("address flush dev {}\n", change.interface);
    let _ = writeln!(
        batch,
        "address add {to} broadcast + dev {}",
        change.interface
    );
    for route in &node.node.routes {
        let _ = writeln!(batch, "route replace {} via {}", route.to, route.via);
    }
    if let Some(datapath) = &node.datapath {
        batch.push_str(&crate::setup::readdressing(&node.node, to.addr()));
        datapath.readdress(to.addr());
    }
    ip.give(&batch).await?;
    mappings::forget(node).await?;
    there(node, to.addr().into())
}

/// The kernel has this address now.
fn there(node: &RunningNode, wanted: IpAddr) -> Result<(), MoveError> {
    let found: Vec<IpAddr> = nix::ifaddrs::getifaddrs()
        .into_iter()
        .flatten()
        .filter_map(|interface| Some(interface.address?.as_sockaddr_in()?.ip().into()))
        .collect();
    if found.contains(&wanted) {
        return Ok(());
    }
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    Err(MoveError::NotThere {
        node: node.node.name.clone(),
        wanted,
        found: found.join(", "),
    })
}
