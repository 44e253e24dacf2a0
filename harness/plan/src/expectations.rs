//! What must come of the call, as it follows from rules and listeners, and from the ICE configuration,
//! whose account its TURN servers have to accept.

use crate::ipv6::{BLACK_HOLED, Ipv6Kind};
use crate::layout::{Layout, PeerLayout, SiteLayout};
use crate::model::{
    BlockingRule, CallPlan, CallServer, Expectations, ExpectedFault, ExpectedOutcome, Passage,
    Payload,
};
use crate::passage::{Attempt, Ruling, ruling};
use crate::servers::host_key;
use crate::services::{PORTAL_TLS, PORTAL_TLS_PORT, PROXY_DENY, Proxy, portal_before, proxy};
use crate::signalling;
use farcall_scenario::{Fault, FaultKind, IceTransportPolicy, Scenario, Scheme};
use farcall_timeline::{IceServerOutcome, IceTransport};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// What must come of a call in this layout.
pub(crate) fn expectations(scenario: &Scenario, layout: &Layout, call: &CallPlan) -> Expectations {
    let mut expect = Expectations {
        connects: scenario.expect.connects,
        within_ms: scenario.expect.within_ms,
        relayed: scenario.expect.relayed,
        media: scenario.expect.media,
        selected_pair: scenario.expect.selected_pair.clone(),
        recovery: scenario.expect.recovery.clone(),
        faults: scenario.faults.iter().map(expected_fault).collect(),
        ice_servers: BTreeMap::new(),
        signalling: BTreeMap::new(),
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
        expect.blocking_rules.extend(black_hole(layout, peer, call));
        let routers = site.routers.iter();
        let gateways = routers.map(|router| router.name.clone()).collect();
        expect.gateways.insert(peer.name.clone(), gateways);
        let public = site.public_addresses(&peer.port);
        expect.public_addresses.insert(peer.name.clone(), public);
        if let Some((expected, blocking)) = signalling::expected(layout, peer) {
            expect.signalling.insert(peer.name.clone(), expected);
            let blocking = blocking.filter(|rule| !expect.blocking_rules.contains(rule));
            expect.blocking_rules.extend(blocking);
        }
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

fn expected_fault(fault: &Fault) -> ExpectedFault {
    ExpectedFault {
        what: crate::faults::in_words(fault),
        drops: fault.kind.drops(),
        kind: fault.kind,
        target: fault.target.clone(),
    }
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
        blocked_by: None,
    }
}

/// What becomes of a URL and why, and the counter of the rule that blocks it, if one does.
struct Fate {
    outcome: IceServerOutcome,
    because: String,
    blocked_by: Option<String>,
}

fn judge(
    layout: &Layout,
    peer: &PeerLayout,
    server: &CallServer,
) -> (ExpectedOutcome, Option<BlockingRule>) {
    let site = &layout.sites[peer.site];
    let fate = match (
        portal_for(layout, peer, server),
        proxy_for(site, peer, server),
    ) {
        (Some(portal), _) => at_portal(site, portal, server),
        (None, Some(proxy)) => through_proxy(proxy, server),
        (None, None) => straight(layout, peer, server),
    };
    let blocking = fate.blocked_by.map(|rule| BlockingRule {
        gateway: site.gateway().name.clone(),
        rule,
        peer: peer.name.clone(),
    });
    let expected = ExpectedOutcome {
        url: server.url.text.clone(),
        outcome: fate.outcome,
        because: fate.because,
        blocked_by: blocking.clone(),
    };
    (expected, blocking)
}

/// The address of the captive portal, if that is what the URL's host name resolves to.
fn portal_for(layout: &Layout, peer: &PeerLayout, server: &CallServer) -> Option<Ipv4Addr> {
    let host = host_key(&server.url);
    let mut servers = layout.servers.iter();
    let is_name = servers.any(|at| at.demand.host == host && at.demand.literal.is_none());
    portal_before(&layout.sites[peer.site], peer).filter(|_| is_name)
}

/// The HTTP proxy through which the peer uses the URL: CONNECT carries TCP alone.
fn proxy_for(site: &SiteLayout, peer: &PeerLayout, server: &CallServer) -> Option<Proxy> {
    let goes_through = peer.uses_proxy && server.url.transport != IceTransport::Udp;
    proxy(site).filter(|_| goes_through)
}

/// The URL's host name resolves to the captive portal, which speaks TLS and HTTP; the rest is judged by the
/// rules as what goes out.
fn at_portal(site: &SiteLayout, portal: Ipv4Addr, server: &CallServer) -> Fate {
    let host = host_key(&server.url);
    let attempt = Attempt::of(server.url.transport, &host, portal, server.url.port);
    if server.url.transport != IceTransport::Udp && server.url.port == PORTAL_TLS_PORT {
        let resolves = format!("the name resolves to the captive portal at {portal}, which");
        let (outcome, because) = match attempt.payload {
            Payload::Tls => (IceServerOutcome::TlsFailed, "has another certificate"),
            Payload::Plain => (IceServerOutcome::Reset, "closes what is no TLS"),
        };
        return Fate {
            outcome,
            because: format!("{resolves} {because}"),
            blocked_by: Some(PORTAL_TLS.to_owned()),
        };
    }
    let fate = ruled(site, attempt, server);
    Fate {
        because: format!(
            "the name resolves to the captive portal at {portal}: {}",
            fate.because
        ),
        ..fate
    }
}

fn through_proxy(proxy: Proxy, server: &CallServer) -> Fate {
    let (url, listen) = (&server.url, proxy.listen);
    if proxy.connects_to(url.port) {
        let (outcome, because) = answer(server);
        return Fate {
            outcome,
            because: format!(
                "the proxy {listen} connects to port {}, and {because}",
                url.port
            ),
            blocked_by: None,
        };
    }
    Fate {
        outcome: IceServerOutcome::Refused,
        because: format!("the proxy {listen} refuses to connect to port {}", url.port),
        blocked_by: Some(PROXY_DENY.to_owned()),
    }
}

/// The rule into which a peer runs that asks servers over IPv6 too, as it does if they have names.
fn black_hole(layout: &Layout, peer: &PeerLayout, call: &CallPlan) -> Option<BlockingRule> {
    let site = &layout.sites[peer.site];
    site.ipv6.filter(|ipv6| ipv6.kind == Ipv6Kind::Broken)?;
    let mut asked = call.ice_servers.iter().filter(|at| is_asked(call, at));
    let has_name = asked.any(|at| host_key(&at.url).parse::<Ipv4Addr>().is_err());
    has_name.then(|| BlockingRule {
        gateway: site.gateway().name.clone(),
        rule: BLACK_HOLED.to_owned(),
        peer: peer.name.clone(),
    })
}

fn straight(layout: &Layout, peer: &PeerLayout, server: &CallServer) -> Fate {
    let host = host_key(&server.url);
    let mut servers = layout.servers.iter();
    let at = servers.find(|at| at.demand.host == host);
    let to = at.map_or(Ipv4Addr::UNSPECIFIED, |at| at.address);
    let ipv6 = layout.sites[peer.site].ipv6;
    let has_ipv4 = ipv6.is_none_or(|ipv6| ipv6.kind != Ipv6Kind::Only);
    if let (false, Some(literal)) = (has_ipv4, at.and_then(|at| at.demand.literal)) {
        return Fate {
            outcome: IceServerOutcome::DnsFailed,
            because: format!(
                "{} has no IPv4, and no name is asked for {literal}",
                peer.name
            ),
            blocked_by: None,
        };
    }
    let attempt = Attempt {
        logged_in: peer.logs_in,
        ..Attempt::of(server.url.transport, &host, to, server.url.port)
    };
    ruled(&layout.sites[peer.site], attempt, server)
}

/// What the firewall's rules do with an attempt to use the URL.
fn ruled(site: &SiteLayout, attempt: Attempt<'_>, server: &CallServer) -> Fate {
    let Ruling { passage, rule } = ruling(&site.firewall, attempt);
    let blocked = |what: &str| format!("{rule} at {} {what}", site.gateway().name);
    let (outcome, because) = match (passage, attempt.payload) {
        (Passage::Dropped, _) => (IceServerOutcome::NoAnswer, blocked("drops it")),
        // STUN servers are asked from the socket that the media use. It is not connected to any of them, so it
        // learns of no ICMP error (RFC 8445 section 5.1.1.2; udp(7)).
        (Passage::Refused, _) if server.url.scheme == Scheme::Stun => (
            IceServerOutcome::NoAnswer,
            blocked("refuses it, which an unconnected socket is not told"),
        ),
        (Passage::Refused, _) => (IceServerOutcome::Refused, blocked("refuses it")),
        (Passage::Reset, _) => (IceServerOutcome::Reset, blocked("resets it")),
        (Passage::Intercepted, _) => (
            IceServerOutcome::TlsFailed,
            blocked("answers in the server's name with a certificate of its own authority"),
        ),
        (Passage::Redirected, Payload::Plain) => {
            (IceServerOutcome::Malformed, blocked("answers it with HTTP"))
        }
        (Passage::Redirected, Payload::Tls) => {
            (IceServerOutcome::TlsFailed, blocked("answers it with HTTP"))
        }
        (Passage::Passes, _) => answer(server),
    };
    Fate {
        outcome,
        because,
        blocked_by: (passage != Passage::Passes).then_some(rule),
    }
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
