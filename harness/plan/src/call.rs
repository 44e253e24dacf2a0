//! The call to place.

use crate::model::{CallPlan, CallServer};
use farcall_scenario::{IceConfiguration, Peer, Scenario, Scheme};
use std::collections::BTreeMap;

/// The call between two peers with an application's ICE configuration.
pub(crate) fn call(
    scenario: &Scenario,
    ice: &IceConfiguration,
    offerer: &Peer,
    answerer: &Peer,
) -> CallPlan {
    let mut ice_servers: Vec<CallServer> = ice
        .urls()
        .map(|(entry, url)| {
            let relays = url.scheme != Scheme::Stun;
            CallServer {
                url: url.clone(),
                username: entry.username.clone().filter(|_| relays),
                credential: entry.credential.clone().filter(|_| relays),
            }
        })
        .collect();
    ice_servers.sort_by_key(|server| server.url.scheme == Scheme::Stun);
    CallPlan {
        offerer: offerer.name.clone(),
        answerer: answerer.name.clone(),
        policy: ice.ice_transport_policy.unwrap_or(scenario.call.policy),
        media_ms: scenario.call.media_ms,
        gathering_timeout_ms: scenario.call.gathering_timeout_ms,
        ice_servers,
        proxies: BTreeMap::new(),
        logins: BTreeMap::new(),
    }
}
