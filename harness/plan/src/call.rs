//! The call to place.

use crate::datapath::seed_for;
use crate::layout::Layout;
use crate::model::{CallPlan, CallServer, RestAuthority, SignallingServer};
use crate::services::{PORTAL_HTTP_PORT, portal, proxy};
use crate::signalling::SIGNALLING_LISTENER;
use farcall_scenario::{IceConfiguration, Peer, Scenario, Scheme, Secret};
use std::collections::BTreeMap;
use std::net::SocketAddrV4;

/// The call between two peers with an application's ICE configuration.
pub(crate) fn call(
    scenario: &Scenario,
    layout: &Layout,
    ice: &IceConfiguration,
    offerer: &Peer,
    answerer: &Peer,
    seed: u64,
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
        signalling: layout.signalling.as_ref().map(|server| SignallingServer {
            host: server.demand.host.clone(),
            port: SIGNALLING_LISTENER.port,
        }),
        rest: scenario.servers.rest.map(|rest| RestAuthority {
            secret: rest_secret(seed),
            valid_s: rest.valid_s,
            unit: rest.unit,
        }),
        recovery: scenario.recovery.clone(),
        seeds: layout
            .peers
            .iter()
            .map(|peer| (peer.name.clone(), seed_for(seed, &peer.name)))
            .collect(),
        proxies: proxies(layout),
        logins: logins(layout),
    }
}

/// The secret of whoever gives out time-limited credentials in this lab.
pub(crate) fn rest_secret(seed: u64) -> Secret {
    Secret::new(format!(
        "{:016x}",
        seed_for(seed, "time-limited credentials")
    ))
}

fn proxies(layout: &Layout) -> BTreeMap<String, SocketAddrV4> {
    let users = layout.peers.iter().filter(|peer| peer.uses_proxy);
    users
        .filter_map(|peer| Some((peer.name.clone(), proxy(&layout.sites[peer.site])?.listen)))
        .collect()
}

fn logins(layout: &Layout) -> BTreeMap<String, SocketAddrV4> {
    let guests = layout.peers.iter().filter(|peer| peer.logs_in);
    let at = |address| SocketAddrV4::new(address, PORTAL_HTTP_PORT);
    guests
        .filter_map(|peer| Some((peer.name.clone(), at(portal(&layout.sites[peer.site])?))))
        .collect()
}
