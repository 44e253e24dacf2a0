//! From a container as Docker made it to a node as the plan has it.

mod interfaces;
mod privileges;
mod routing;
mod sysctls;

pub(crate) use privileges::raise_privileges;
pub(crate) use routing::readdressing;

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

use farcall_plan::{COTURN_DIRECTORY, Interface, Nat64, Node, Role};
use farcall_protocol::Setup;
use farcall_timeline::Event;
use ipnet::Ipv6Net;

use crate::Outlet;
use crate::capture::Captures;
use crate::datapath::{Datapath, Devices};
use crate::gateway::Gateway;
use crate::nat64;
use crate::node::{RunningNode, RunningRole};
use crate::peer::{Peer, PeerIdentity};
use crate::probe::{ProbeError, Responder, Turn};
use crate::service::ServiceError;
use crate::services::ServicesError;
use crate::signalling::{SignallingError, SignallingServer};
use crate::tool::{self, ToolError};
use crate::turn::TurnServer;

/// Where the agent keeps its files.
pub(crate) const DIRECTORY: &str = COTURN_DIRECTORY;

/// The node could not be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    /// The interfaces could not be listed.
    #[error("failed to list the interfaces: {source}")]
    ListInterfaces {
        /// Why.
        source: nix::Error,
    },
    /// Docker's address is nowhere.
    #[error("failed to find the interface with Docker's address {address}; there are: {found}")]
    NoInterface {
        /// The address.
        address: Ipv4Addr,
        /// What there is.
        found: String,
    },
    /// Addresses and interfaces do not correspond.
    #[error(
        "failed to set up {node}: it has {interfaces} interfaces and {addresses} addresses of Docker; \
         each interface needs one"
    )]
    AddressCount {
        /// The node.
        node: String,
        /// How many interfaces the plan gives it.
        interfaces: usize,
        /// How many addresses the host named.
        addresses: usize,
    },
    /// A setting is not as the plan has it.
    #[error(
        "failed: the setting {name} is {found} and must be {wanted}; the container must be created \
         with it"
    )]
    Sysctl {
        /// Its name.
        name: String,
        /// What the plan says.
        wanted: String,
        /// What it is.
        found: String,
    },
    /// An interface has no IPv6.
    #[error(
        "failed to give {interface} an IPv6 address: IPv6 is off there; Docker Engine 26.0 switches it off and \
         cannot be told otherwise: use another version, or leave out `ipv6`"
    )]
    NoIpv6 {
        /// The interface, by Docker's name.
        interface: String,
    },
    /// The way of packets through this process could not be made.
    #[error("failed to {tried}: {source}; the container needs /dev/net/tun and NET_ADMIN")]
    Datapath {
        /// What was tried.
        tried: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("failed to write {path}: {source}")]
    Write {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Capabilities could not be given up.
    #[error("failed to {tried}: {reason}")]
    Privileges {
        /// What was tried.
        tried: &'static str,
        /// Why it failed.
        reason: String,
    },
    /// Something that the role needs was not sent.
    #[error("failed to set up {node}: {missing}")]
    Missing {
        /// The node.
        node: String,
        /// What is missing.
        missing: &'static str,
    },
    /// Answers of the resolver could not be delayed.
    #[error("failed to listen at {at} to delay the answers of the resolver: {source}")]
    DelayDns {
        /// Where.
        at: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// What is to be wrong with a node is not.
    #[error("failed to change {what} of {node}: {found}; the fault is not in effect")]
    NotInEffect {
        /// The node.
        node: String,
        /// What was changed.
        what: &'static str,
        /// What was found instead.
        found: String,
    },
    /// A tool failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// What a gateway's firewall does in user space failed.
    #[error(transparent)]
    Firewall(#[from] ServicesError),
    /// The signalling server failed.
    #[error(transparent)]
    Signalling(#[from] SignallingError),
    /// The probe failed.
    #[error(transparent)]
    Probe(#[from] ProbeError),
}

/// Makes this container the node, and tells when it is ready.
pub(crate) async fn set_up(setup: Setup, outlet: &Outlet) -> Result<RunningNode, SetupError> {
    for account in &setup.accounts {
        outlet.keep_secret(&account.password);
    }
    if let Some(secret) = &setup.secret {
        outlet.keep_secret(&secret.0);
    }
    let node = &setup.node;
    let datapath = network(&setup, outlet).await?;
    files(node, &setup.ca_pem)?;
    let captures = match setup.capture {
        true => Captures::start(&node.interfaces, outlet).await?,
        false => Captures::default(),
    };
    let role = match &node.role {
        Role::Gateway(gateway) => {
            RunningRole::Gateway(Gateway::start(gateway, &setup.ca_pem, outlet).await?)
        }
        Role::Peer { muted } => {
            privileges::keep_only_what(node)?;
            let identity = PeerIdentity {
                local_ips: addresses(node).collect(),
                ca_pem: setup.ca_pem.clone(),
                muted: *muted,
            };
            RunningRole::Peer(Peer::new(identity, outlet.clone()))
        }
        Role::TurnServer(server) => {
            privileges::keep_only_what(node)?;
            RunningRole::TurnServer(Box::new(TurnServer::start(server, &setup, outlet).await?))
        }
        Role::Signalling(server) => {
            privileges::keep_only_what(node)?;
            let certificate = setup.certificate.as_ref();
            let certificate = certificate.ok_or_else(|| SetupError::Missing {
                node: node.name.clone(),
                missing: "a signalling server needs a certificate",
            })?;
            let at = (Ipv4Addr::UNSPECIFIED, server.port).into();
            RunningRole::Signalling(SignallingServer::start(at, certificate, outlet).await?)
        }
        Role::Probe => {
            let responder = Responder::start(ipv6_pair(node)).await?;
            privileges::keep_only_what(node)?;
            RunningRole::Probe(responder)
        }
    };
    let after = Duration::from_nanos(outlet.now_ns());
    outlet.event(Event::NodeReady {
        after_ms: after.as_secs_f64() * 1e3,
    });
    Ok(RunningNode {
        node: setup.node,
        ca_pem: setup.ca_pem,
        role,
        datapath,
        turn: Turn::default(),
        captures,
    })
}

/// The first two IPv6 addresses of the node.
fn ipv6_pair(node: &Node) -> Option<[Ipv6Addr; 2]> {
    let of_interfaces = node.interfaces.iter().flat_map(|at| &at.addresses_v6);
    let mut addresses = of_interfaces.map(Ipv6Net::addr);
    Some([addresses.next()?, addresses.next()?])
}

/// All addresses of the node that are not link-local.
fn addresses(node: &Node) -> impl Iterator<Item = IpAddr> {
    let of_interface = |interface: &Interface| {
        let ipv4 = interface.addresses.iter().map(|net| net.addr().into());
        let ipv6 = interface.addresses_v6.iter().map(Ipv6Net::addr);
        let global = ipv6.filter(|address| !address.is_unicast_link_local());
        ipv4.chain(global.map(Into::into)).collect::<Vec<_>>()
    };
    node.interfaces.iter().flat_map(of_interface)
}

async fn network(setup: &Setup, outlet: &Outlet) -> Result<Option<Datapath>, SetupError> {
    let node = &setup.node;
    if setup.docker_addresses.len() != node.interfaces.len() {
        return Err(SetupError::AddressCount {
            node: node.name.clone(),
            interfaces: node.interfaces.len(),
            addresses: setup.docker_addresses.len(),
        });
    }
    std::fs::create_dir_all(DIRECTORY).map_err(|source| SetupError::Write {
        path: DIRECTORY.to_owned(),
        source,
    })?;
    let names = interfaces::docker_names(&setup.docker_addresses)?;
    if node.ipv6.is_some() {
        sysctls::check_ipv6(&names, Path::new("/proc/sys"))?;
    }
    // Rules before addresses: nothing passes that they would not let pass. What Docker has put
    // into this namespace, such as the translation for its embedded resolver, goes.
    let ruleset = format!("flush ruleset\n{}", node.nftables);
    tool::run(&["nft", "-f", "-"], &ruleset).await?;
    let mut batch = interfaces::batch(&names, node);
    if let Some(planned) = nat64(node) {
        nat64::make_device(planned).await?;
        batch.push_str(&nat64::batch(planned));
    }
    let failed = |tried| move |source| SetupError::Datapath { tried, source };
    let devices = match datapath(node) {
        Some(planned) => {
            batch.push_str(&routing::batch(planned));
            let devices = Devices::open(planned).map_err(failed("make TUN devices"))?;
            Some((planned, devices))
        }
        None => None,
    };
    tool::run(&["ip", "-batch", "-"], &batch).await?;
    sysctls::check(&node.sysctls, Path::new("/proc/sys"))?;
    devices
        .map(|(planned, devices)| Datapath::start(planned, devices, outlet))
        .transpose()
        .map_err(failed("start a thread that moves packets"))
}

fn datapath(node: &Node) -> Option<&farcall_plan::Datapath> {
    match &node.role {
        Role::Gateway(gateway) => gateway.datapath.as_ref(),
        _ => None,
    }
}

fn nat64(node: &Node) -> Option<&Nat64> {
    match &node.role {
        Role::Gateway(gateway) => gateway.nat64.as_ref(),
        _ => None,
    }
}

fn files(node: &Node, ca_pem: &str) -> Result<(), SetupError> {
    let over_ipv6 = node.ipv6.as_ref().and_then(|ipv6| ipv6.resolver);
    let resolver = node
        .resolver
        .map(IpAddr::from)
        .or(over_ipv6.map(IpAddr::from));
    write(
        "/etc/resolv.conf",
        &resolver.map(resolver_file).unwrap_or_default(),
    )?;
    // Docker's own has the address that this container had before.
    let mut hosts = "127.0.0.1 localhost\n".to_owned();
    if let Some(address) = addresses(node).next() {
        let _ = writeln!(hosts, "{address} {}", node.name);
    }
    write("/etc/hosts", &hosts)?;
    write(&format!("{DIRECTORY}/ca.pem"), ca_pem)
}

/// The system's resolver configuration (resolv.conf(5)).
pub(crate) fn resolver_file(address: IpAddr) -> String {
    format!("nameserver {address}\n")
}

/// Writes a file.
pub(crate) fn write(path: &str, text: &str) -> Result<(), SetupError> {
    std::fs::write(path, text).map_err(|source| SetupError::Write {
        path: path.to_owned(),
        source,
    })
}
