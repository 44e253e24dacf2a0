//! What must come of the call, as it follows from rules and listeners, and from the ICE configuration,
//! whose account its TURN servers have to accept.

use crate::ipv6::{BLACK_HOLED, Ipv6Kind};
use crate::layout::{Layout, PeerLayout, SiteLayout};
use crate::model::{
    BlockingRule, CallPlan, CallServer, Expectations, ExpectedFault, ExpectedOutcome, Passage,
    Payload, RestAuthority,
};
use crate::passage::{Attempt, Ruling, ruling};
use crate::servers::{Demand, host_key, listener};
use crate::services::{PORTAL_TLS, PORTAL_TLS_PORT, PROXY_DENY, Proxy, portal_before, proxy};
use crate::signalling;
use farcall_scenario::{
    ExpectedFlows, Fault, IceTransportPolicy, IceUrl, Scenario, Scheme, ServerCondition,
    TimeStampUnit,
};
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
        flows: expected_flows(scenario, call),
        ice_servers: BTreeMap::new(),
        signalling: BTreeMap::new(),
        muted: Vec::new(),
        blocking_rules: Vec::new(),
        gateways: BTreeMap::new(),
        public_addresses: BTreeMap::new(),
        turn_nodes: BTreeMap::new(),
        server_conditions: scenario.servers.conditions.clone(),
        refuses_credentials: refusal(call).is_some(),
    };
    for peer in &layout.peers {
        let judged = call.ice_servers.iter().map(|server| {
            if is_asked(call, server) {
                judge(layout, peer, server, call)
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

/// Where something is said of media, it is about both peers.
fn expected_flows(scenario: &Scenario, call: &CallPlan) -> BTreeMap<String, ExpectedFlows> {
    let said = &scenario.expect.flows;
    if said.is_empty() {
        return BTreeMap::new();
    }
    let peers = [&call.offerer, &call.answerer].into_iter();
    peers
        .map(|peer| (peer.clone(), said.get(peer).copied().unwrap_or_default()))
        .collect()
}

fn expected_fault(fault: &Fault) -> ExpectedFault {
    ExpectedFault {
        what: crate::faults::in_words(fault),
        drops: fault.kind.drops(),
        kind: fault.kind,
        target: fault.target.clone(),
        least_delay: crate::faults::least_delay(fault),
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
    call: &CallPlan,
) -> (ExpectedOutcome, Option<BlockingRule>) {
    let site = &layout.sites[peer.site];
    let host = host_key(&server.url);
    let demand = layout
        .servers
        .iter()
        .map(|at| &at.demand)
        .find(|at| at.host == host);
    let asked = Asked {
        server,
        demand,
        refusal: refusal(call),
    };
    let fate = match (
        portal_for(layout, peer, server),
        proxy_for(site, peer, server),
    ) {
        (Some(portal), _) => at_portal(site, portal, asked),
        (None, Some(proxy)) => through_proxy(proxy, asked),
        (None, None) => misnamed(asked).unwrap_or_else(|| straight(layout, peer, asked)),
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
fn at_portal(site: &SiteLayout, portal: Ipv4Addr, asked: Asked<'_>) -> Fate {
    let server = asked.server;
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
    let fate = ruled(site, attempt, asked);
    Fate {
        because: format!(
            "the name resolves to the captive portal at {portal}: {}",
            fate.because
        ),
        ..fate
    }
}

fn through_proxy(proxy: Proxy, asked: Asked<'_>) -> Fate {
    let (url, listen) = (&asked.server.url, proxy.listen);
    if proxy.connects_to(url.port) {
        let (outcome, because) = answer(asked);
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

fn straight(layout: &Layout, peer: &PeerLayout, asked: Asked<'_>) -> Fate {
    let server = asked.server;
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
    ruled(&layout.sites[peer.site], attempt, asked)
}

/// What the firewall's rules do with an attempt to use the URL.
fn ruled(site: &SiteLayout, attempt: Attempt<'_>, asked: Asked<'_>) -> Fate {
    let server = asked.server;
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
        (Passage::Passes, _) => answer(asked),
    };
    Fate {
        outcome,
        because,
        blocked_by: (passage != Passage::Passes).then_some(rule),
    }
}

/// A URL that a peer asks, and what is wrong with its server.
#[derive(Clone, Copy)]
struct Asked<'a> {
    server: &'a CallServer,
    demand: Option<&'a Demand>,
    /// Why the server must not accept the credentials that are given out for the call.
    refusal: Option<&'static str>,
}

impl Asked<'_> {
    fn has(self, condition: ServerCondition) -> bool {
        self.demand.is_some_and(|demand| demand.has(condition))
    }
}

/// What becomes of a URL whose name is missing or wrong.
fn misnamed(asked: Asked<'_>) -> Option<Fate> {
    let url = &asked.server.url;
    asked.demand.filter(|demand| demand.literal.is_none())?;
    let (outcome, because) = if asked.has(ServerCondition::NameMissing) {
        let because = "its name does not exist".to_owned();
        (IceServerOutcome::DnsFailed, because)
    } else if asked.has(ServerCondition::NameWrong) {
        let because = "its name resolves to an address that nobody has".to_owned();
        match url.transport {
            // The last router tells after three seconds that it does not find the host. TCP believes it, UDP does not
            // (RFC 1122 section 4.1.3.3).
            IceTransport::Tcp | IceTransport::Tls => (IceServerOutcome::Refused, because),
            IceTransport::Udp => (IceServerOutcome::NoAnswer, because),
        }
    } else {
        return None;
    };
    Some(Fate {
        outcome,
        because,
        blocked_by: None,
    })
}

/// What a server answers to what reaches it. A TURN server is expected to accept the account that the
/// ICE configuration gives for it, whatever accounts the scenario lets it have: one that refuses it is
/// the failure. Other things that the scenario makes wrong with it are expected.
fn answer(asked: Asked<'_>) -> (IceServerOutcome, String) {
    let url = &asked.server.url;
    let host = host_key(url);
    let listener = listener(url);
    if let Some(demand) = asked
        .demand
        .filter(|demand| demand.missing.contains(&listener))
    {
        return missing(url, demand);
    }
    let listens = format!("{host} listens on {} {}", url.transport, url.port);
    if url.scheme == Scheme::Stun {
        return (IceServerOutcome::Reachable, listens);
    }
    let is_tls = url.transport == IceTransport::Tls;
    if is_tls
        && asked
            .demand
            .is_some_and(|demand| demand.certificate().is_some())
    {
        let because = format!("{listens} with a certificate that must not be taken");
        return (IceServerOutcome::TlsFailed, because);
    }
    if let Some(refusal) = asked.refusal {
        let because = format!("{listens} and must not accept {refusal}");
        return (IceServerOutcome::Unauthorized, because);
    }
    if asked.has(ServerCondition::WrongCredentials) {
        let because = format!("{listens} and knows the account by another password");
        return (IceServerOutcome::Unauthorized, because);
    }
    if asked.has(ServerCondition::Quota) {
        let because = format!("{listens}, and others have used up the account's quota");
        return (IceServerOutcome::Quota, because);
    }
    if asked.has(ServerCondition::NoCapacity) {
        let because = format!("{listens}, and others have all its relay ports");
        return (IceServerOutcome::NoCapacity, because);
    }
    (
        IceServerOutcome::Allocated,
        format!("{listens} and must accept the configuration's account"),
    )
}

/// What TURN servers must not accept of the credentials that are given out for the call, in words.
fn refusal(call: &CallPlan) -> Option<&'static str> {
    let RestAuthority { valid_s, unit, .. } = call.rest.as_ref()?;
    match (unit, valid_s) {
        (TimeStampUnit::Milliseconds, _) => Some("a time stamp in milliseconds"),
        (TimeStampUnit::Seconds, 0) => Some("credentials that are past"),
        (TimeStampUnit::Seconds, _) => None,
    }
}

/// What becomes of a URL whose listener is missing.
fn missing(url: &IceUrl, demand: &Demand) -> (IceServerOutcome, String) {
    let because = format!(
        "{} does not listen on {} {}",
        demand.host, url.transport, url.port
    );
    let mut others = demand.listeners.iter();
    let is_open = url.transport != IceTransport::Udp
        && others.any(|at| at.port == url.port && at.transport != IceTransport::Udp);
    let outcome = match url.scheme {
        // From an unconnected socket: see the rules above.
        Scheme::Stun => IceServerOutcome::NoAnswer,
        // Somebody listens there who speaks something else.
        _ if is_open => IceServerOutcome::Reset,
        _ => IceServerOutcome::Refused,
    };
    (outcome, because)
}
