//! The signalling server, and who reaches it.

use crate::layout::{Layout, PROBE, PeerLayout, ServerLayout, on_internet};
use crate::model::{
    BlockingRule, Declaration, ExpectedSignalling, Fact, Listener, Node, Passage, Role,
    SignallingServer,
};
use crate::passage::{Attempt, Ruling, ruling};
use crate::servers::Demand;
use crate::services::{PORTAL_TLS, PROXY_DENY, portal_before, proxy};
use crate::{declarations, ipv6, nft, nodes, routes};
use farcall_timeline::IceTransport;
use std::net::IpAddr;

/// The name of its node.
pub(crate) const SIGNALLING: &str = "signalling";

/// Its host name, which no real host has (RFC 6761 section 6.2).
pub(crate) const SIGNALLING_HOST: &str = "signalling.test";

/// Where it listens, as applications have it that must get through firewalls.
pub(crate) const SIGNALLING_LISTENER: Listener = Listener {
    port: 443,
    transport: IceTransport::Tls,
};

/// What is wanted of it.
pub(crate) fn demand() -> Demand {
    Demand {
        host: SIGNALLING_HOST.to_owned(),
        listeners: [SIGNALLING_LISTENER].into(),
        ..Demand::default()
    }
}

/// Its node.
pub(crate) fn node(layout: &Layout, server: &ServerLayout) -> Node {
    let has_ipv6 = ipv6::listening(layout, server.primary).is_some();
    let node = nodes::on_the_internet(
        SIGNALLING,
        on_internet(server.primary, "eth").interface(),
        routes::of_server(layout, server.primary),
        nft::server(server, has_ipv6),
        Role::Signalling(SignallingServer {
            host: server.demand.host.clone(),
            port: SIGNALLING_LISTENER.port,
        }),
    );
    ipv6::reachable(node, layout, &[server.primary])
}

/// What the probe finds at it.
pub(crate) fn declaration(server: &ServerLayout) -> Declaration {
    declarations::near(
        PROBE,
        Fact::SignallingAnswers {
            host: server.demand.host.clone(),
            address: IpAddr::V4(server.address),
            port: SIGNALLING_LISTENER.port,
        },
    )
}

/// Whether a peer's signalling opens, and the rule that must count packets if it does not.
pub(crate) fn expected(
    layout: &Layout,
    peer: &PeerLayout,
) -> Option<(ExpectedSignalling, Option<BlockingRule>)> {
    let server = layout.signalling.as_ref()?;
    let site = &layout.sites[peer.site];
    let Listener { port, transport } = SIGNALLING_LISTENER;
    let listens = format!("{SIGNALLING_HOST} listens on {transport} {port}");
    let proxy = proxy(site).filter(|_| peer.uses_proxy);
    let (opens, because, rule) = match (portal_before(site, peer), proxy) {
        (Some(portal), _) => {
            let because = format!("the name resolves to the captive portal at {portal}");
            (false, because, PORTAL_TLS.to_owned())
        }
        (None, Some(proxy)) => {
            let because = format!("the proxy {} connects to port {port}", proxy.listen);
            (proxy.connects_to(port), because, PROXY_DENY.to_owned())
        }
        (None, None) => {
            let attempt = Attempt {
                logged_in: peer.logs_in,
                ..Attempt::of(transport, SIGNALLING_HOST, server.address, port)
            };
            let Ruling { passage, rule } = ruling(&site.firewall, attempt);
            let because = match passage {
                Passage::Passes => listens,
                other => format!("{rule} at {}: {other}", site.gateway().name),
            };
            (passage == Passage::Passes, because, rule)
        }
    };
    let blocking = (!opens).then(|| BlockingRule {
        gateway: site.gateway().name.clone(),
        rule,
        peer: peer.name.clone(),
    });
    Some((ExpectedSignalling { opens, because }, blocking))
}
