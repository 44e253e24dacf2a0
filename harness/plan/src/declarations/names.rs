//! Names resolve to the lab's own servers.

use super::near;
use crate::dns::SLOW_MS;
use crate::layout::Layout;
use crate::model::{Declaration, Fact};
use crate::services::portal_before;
use farcall_scenario::ServerCondition;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Every peer resolves every name, to a captive portal's address until it has logged in.
pub(super) fn declarations(
    layout: &Layout,
    names: &BTreeMap<String, Ipv4Addr>,
) -> Vec<Declaration> {
    let mut all = Vec::new();
    for peer in &layout.peers {
        let portal = portal_before(&layout.sites[peer.site], peer);
        for (name, address) in names {
            let (name, address) = (name.clone(), portal.unwrap_or(*address));
            let fact = match (layout.is_slow(), portal) {
                (true, None) => Fact::ResolvesSlowly {
                    name,
                    address,
                    delay_ms: SLOW_MS,
                },
                _ => Fact::Resolves { name, address },
            };
            all.push(near(&peer.name, fact));
        }
    }
    for peer in &layout.peers {
        let site = &layout.sites[peer.site];
        let missing = layout.servers.iter().filter(|server| {
            let demand = &server.demand;
            demand.literal.is_none() && demand.has(ServerCondition::NameMissing)
        });
        // A captive portal knows every name.
        let missing = missing.filter(|_| portal_before(site, peer).is_none());
        all.extend(missing.map(|server| {
            let name = server.demand.host.clone();
            near(&peer.name, Fact::NameMissing { name })
        }));
    }
    all
}
