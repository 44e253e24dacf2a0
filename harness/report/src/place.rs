//! Which node a text is about: a URL, or a fault.

use crate::StoredRun;
use farcall_scenario::IceUrl;
use farcall_timeline::FaultEvent;
use std::str::FromStr;

/// The node of the server that a URL of the ICE configuration names.
pub(crate) fn server_of<'a>(run: &'a StoredRun, url: &str) -> Option<&'a str> {
    let host = IceUrl::from_str(url).ok()?.host;
    let node = run.declared.expect.turn_nodes.get(&host);
    node.map(String::as_str)
}

/// The node at which a fault is: its last word names a site or a server's host.
pub(crate) fn node_of_fault<'a>(run: &'a StoredRun, fault: &FaultEvent) -> Option<&'a str> {
    let target = fault.what.split_whitespace().next_back()?;
    let mut sites = run.topology.sites.iter();
    if let Some(site) = sites.find(|site| site.name == target) {
        return site.routers.first().map(|router| router.name.as_str());
    }
    let mut servers = run.topology.servers.iter();
    let server = servers.find(|server| server.host == target || server.node == target)?;
    Some(&server.node)
}

/// The nodes of the picture from left to right: the offerer's site, servers, the answerer's site; then whoever else
/// reports.
pub(crate) fn nodes(run: &StoredRun) -> Vec<&str> {
    let mut nodes: Vec<&str> = Vec::new();
    let mut sites = run.topology.sites.iter();
    let near = sites.next();
    if let Some(site) = near {
        nodes.extend(site.peers.iter().map(|peer| peer.name.as_str()));
        nodes.extend(site.routers.iter().map(|router| router.name.as_str()));
    }
    let servers = run.topology.servers.iter();
    nodes.extend(servers.map(|server| server.node.as_str()));
    for site in sites {
        let routers = site.routers.iter().rev();
        nodes.extend(routers.map(|router| router.name.as_str()));
        nodes.extend(site.peers.iter().map(|peer| peer.name.as_str()));
    }
    for entry in run.timeline.entries() {
        if !nodes.contains(&entry.node.as_str()) {
            nodes.push(&entry.node);
        }
    }
    nodes
}
