//! The lab as a picture has it, where a stored run does not say.

use farcall_plan::{
    Expectations, Topology, TopologyPeer, TopologyRouter, TopologyServer, TopologySite,
};
use std::collections::BTreeMap;

/// What the expectations of a run tell: who is behind which gateways, and which servers there are. Peers behind the same
/// gateways are in one site.
pub(crate) fn topology_of(expect: &Expectations) -> Topology {
    let mut sites: Vec<TopologySite> = Vec::new();
    for (peer, gateways) in &expect.gateways {
        let peer = TopologyPeer {
            name: peer.clone(),
            addresses: Vec::new(),
        };
        let behind = |site: &&mut TopologySite| site.routers.iter().map(|at| &at.name).eq(gateways);
        match sites.iter_mut().find(behind) {
            Some(site) => site.peers.push(peer),
            None => sites.push(site(peer, gateways, expect)),
        }
    }
    let mut hosts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (host, node) in &expect.turn_nodes {
        hosts.entry(node).or_default().push(host);
    }
    let servers = hosts.into_iter().map(|(node, hosts)| TopologyServer {
        node: node.to_owned(),
        host: hosts.join(", "),
        addresses: Vec::new(),
        listeners: Vec::new(),
    });
    Topology {
        servers: servers.collect(),
        sites,
    }
}

fn site(peer: TopologyPeer, gateways: &[String], expect: &Expectations) -> TopologySite {
    let public = expect.public_addresses.get(&peer.name);
    let outermost = gateways.len().saturating_sub(1);
    let routers = gateways.iter().enumerate();
    TopologySite {
        name: peer.name.clone(),
        lan: None,
        routers: routers
            .map(|(index, name)| TopologyRouter {
                name: name.clone(),
                addresses: match public {
                    Some(addresses) if index == outermost => addresses.clone(),
                    _ => Vec::new(),
                },
                nat: None,
                firewall: None,
                link: None,
            })
            .collect(),
        peers: vec![peer],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use farcall_verdict::sample::Sample;

    #[test]
    fn what_is_expected_of_a_run_tells_who_is_behind_what() {
        let topology = topology_of(&Sample::good().declared.expect);
        let sites: Vec<(&str, Vec<&str>)> = topology
            .sites
            .iter()
            .map(|site| {
                let routers = site.routers.iter().map(|router| router.name.as_str());
                (site.peers[0].name.as_str(), routers.collect())
            })
            .collect();
        assert_eq!(
            sites,
            [
                ("alice", vec!["office-gateway"]),
                ("bob", vec!["mobile-gateway", "mobile-carrier-gateway"])
            ]
        );
        let servers: Vec<&str> = topology.servers.iter().map(|at| at.node.as_str()).collect();
        assert_eq!(servers, ["stun", "turn"]);
    }
}
