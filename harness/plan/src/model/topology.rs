//! The lab as a picture has it: who is where and what lies between.

use super::Listener;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Sites, the internet between them, and the servers on it, in the words of the scenario. Nothing of a lab follows
/// from it: reports draw it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    /// The sites in the order of their peers, the offerer's first.
    pub sites: Vec<TopologySite>,
    /// The STUN and TURN servers, in the order of the ICE configuration.
    pub servers: Vec<TopologyServer>,
}

/// A site: peers in a LAN, and the routers between it and the internet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopologySite {
    /// Its name.
    pub name: String,
    /// The LAN's addresses; `None` where that is not known.
    pub lan: Option<Ipv4Net>,
    /// The peers in it.
    pub peers: Vec<TopologyPeer>,
    /// The gateway, then the carrier if there is one.
    pub routers: Vec<TopologyRouter>,
}

/// A peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopologyPeer {
    /// The node's name.
    pub name: String,
    /// Its addresses in the LAN.
    pub addresses: Vec<IpAddr>,
}

/// A router with what it does to packets, by the names that the scenario uses; `None` where it does nothing, or that is
/// not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopologyRouter {
    /// The node's name.
    pub name: String,
    /// Its addresses towards the internet.
    pub addresses: Vec<IpAddr>,
    /// The NAT, such as `home-router`; with `, overridden` where the scenario changes it.
    pub nat: Option<String>,
    /// The firewall, likewise.
    pub firewall: Option<String>,
    /// The link between it and what lies beyond, likewise.
    pub link: Option<String>,
}

/// A STUN and TURN server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopologyServer {
    /// The node's name.
    pub node: String,
    /// The host name by which the ICE configuration knows it.
    pub host: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// What it listens on.
    pub listeners: Vec<Listener>,
}
