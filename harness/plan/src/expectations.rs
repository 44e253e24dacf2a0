//! What must come of the call, as it follows from rules and listeners, and from the ICE configuration,
//! whose account its TURN servers have to accept.

use crate::layout::{Layout, PeerLayout};
use crate::model::{BlockingRule, CallPlan, CallServer, Expectations, ExpectedOutcome, Passage};
use crate::passage::{Attempt, ruling};
use crate::servers::host_key;
use farcall_scenario::{IceTransportPolicy, Scenario, Scheme};
use farcall_timeline::IceServerOutcome;
use std::collections::BTreeMap;

/// What must come of a call in this layout.
pub(crate) fn expectations(scenario: &Scenario, layout: &Layout, call: &CallPlan) -> Expectations {
    let mut expect = Expectations {
        connects: scenario.expect.connects,
        within_ms: scenario.expect.within_ms,
        relayed: scenario.expect.relayed,
        selected_pair: scenario.expect.selected_pair.clone(),
        ice_servers: BTreeMap::new(),
        muted: Vec::new(),
        blocking_rules: Vec::new(),
        gateways: BTreeMap::new(),
        public_addresses: BTreeMap::new(),
        turn_nodes: BTreeMap::new(),
    };
    for peer in &layout.peers {
        let judged = call.ice_servers.iter().map(|server| {
            if is_asked(call, server) {
                judge(layout, peer, server)
            } else {
                (not_used(server), None)
            }
        });
        let (outcomes, blocking): (Vec<_>, Vec<_>) = judged.unzip();
        for rule in blocking.into_iter().flatten() {
            if !expect.blocking_rules.contains(&rule) {
                expect.blocking_rules.push(rule);
            }
        }
        expect.ice_servers.insert(peer.name.clone(), outcomes);
        let site = &layout.sites[peer.site];
        let routers = site.routers.iter();
        let gateways = routers.map(|router| router.name.clone()).collect();
        expect.gateways.insert(peer.name.clone(), gateways);
        let public = site.public_address(peer.port.address);
        expect.public_addresses.insert(peer.name.clone(), public);
        if peer.muted {
            expect.muted.push(peer.name.clone());
        }
    }
    for server in &call.ice_servers {
        expect
            .turn_nodes
            .insert(server.url.host.clone(), host_key(&server.url));
    }
    expect
}

/// Whether a peer asks a URL's server: under the policy `relay` it gathers relayed candidates only,
/// and STUN has none (RFC 8829 section 3.5.3).
fn is_asked(call: &CallPlan, server: &CallServer) -> bool {
    call.policy == IceTransportPolicy::All || server.url.scheme != Scheme::Stun
}

fn not_used(server: &CallServer) -> ExpectedOutcome {
    ExpectedOutcome {
        url: server.url.text.clone(),
        outcome: IceServerOutcome::NotUsed,
        because: "the ICE transport policy relay uses no STUN server".to_owned(),
    }
}

fn judge(
    layout: &Layout,
    peer: &PeerLayout,
    server: &CallServer,
) -> (ExpectedOutcome, Option<BlockingRule>) {
    let site = &layout.sites[peer.site];
    let gateway = &site.gateway().name;
    let url = &server.url;
    let ruling = ruling(&site.firewall, Attempt::of(url.transport, url.port));
    let blocked = |what: &str| format!("{} at {gateway} {what}", ruling.rule);
    let (outcome, because) = match ruling.passage {
        Passage::Dropped => (IceServerOutcome::NoAnswer, blocked("drops it")),
        Passage::Refused => (IceServerOutcome::Refused, blocked("refuses it")),
        Passage::Reset => (IceServerOutcome::Reset, blocked("resets it")),
        Passage::Intercepted => (IceServerOutcome::TlsFailed, blocked("re-terminates it")),
        Passage::Redirected => (IceServerOutcome::Malformed, blocked("redirects it")),
        Passage::Passes => answer(server),
    };
    let blocking = (ruling.passage != Passage::Passes).then(|| BlockingRule {
        gateway: gateway.clone(),
        rule: ruling.rule.clone(),
        peer: peer.name.clone(),
    });
    let expected = ExpectedOutcome {
        url: url.text.clone(),
        outcome,
        because,
    };
    (expected, blocking)
}

/// What a server answers to what reaches it. A TURN server is expected to accept the account that the
/// ICE configuration gives for it, whatever accounts the scenario lets it have: one that refuses it is
/// the failure.
fn answer(server: &CallServer) -> (IceServerOutcome, String) {
    let url = &server.url;
    let host = host_key(url);
    let listens = format!("{host} listens on {} {}", url.transport, url.port);
    if url.scheme == Scheme::Stun {
        return (IceServerOutcome::Reachable, listens);
    }
    (
        IceServerOutcome::Allocated,
        format!("{listens} and must accept the configuration's account"),
    )
}
