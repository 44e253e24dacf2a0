//! What a site's firewall does in user space, and where on the gateway.

use crate::layout::{PeerLayout, SiteLayout};
use crate::model::{COMPANY_AUTHORITY, GatewayService};
use farcall_scenario::{Action, Firewall, FirewallService, Rule};
use std::net::{Ipv4Addr, SocketAddrV4};

/// Where a captive portal speaks HTTP and TLS: the ports to which names that resolve to it lead.
pub(crate) const PORTAL_HTTP_PORT: u16 = 80;
/// See [`PORTAL_HTTP_PORT`].
pub(crate) const PORTAL_TLS_PORT: u16 = 443;

/// The counter of connections to [`PORTAL_TLS_PORT`] of the portal.
pub(crate) const PORTAL_TLS: &str = "portal/accept-tls";

/// The counter of connections that the HTTP proxy refuses to make.
pub(crate) const PROXY_DENY: &str = "proxy/deny-connect";

/// The ports to which the HTTP proxy connects: those of the web.
const PROXY_PORTS: [u16; 2] = [80, 443];

/// The port of the service to which the first rule of a firewall hands over connections; those after it
/// have the next ones. Nobody else listens there on a gateway.
const FIRST_PORT: u16 = 9000;

/// An HTTP proxy as those behind it see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// Where it listens.
    pub listen: SocketAddrV4,
}

impl Proxy {
    /// Whether it connects to this port.
    pub(crate) fn connects_to(self, port: u16) -> bool {
        PROXY_PORTS.contains(&port)
    }
}

/// The HTTP proxy of a site, if it has one.
pub(crate) fn proxy(site: &SiteLayout) -> Option<Proxy> {
    match site.firewall.service {
        Some(FirewallService::HttpProxy { port }) => Some(Proxy {
            listen: SocketAddrV4::new(site.gateway().inside.address, port),
        }),
        _ => None,
    }
}

/// The captive portal of a site, if it has one: the address to which names resolve until the client has
/// logged in.
pub(crate) fn portal(site: &SiteLayout) -> Option<Ipv4Addr> {
    let is_portal = site.firewall.service == Some(FirewallService::CaptivePortal);
    is_portal.then(|| site.gateway().inside.address)
}

/// The captive portal at which a peer of the site has not logged in.
pub(crate) fn portal_before(site: &SiteLayout, peer: &PeerLayout) -> Option<Ipv4Addr> {
    portal(site).filter(|_| !peer.logs_in)
}

/// The gateway's port to which rule `index` of a firewall redirects what it matches, if it does.
pub(crate) fn redirection(index: usize, rule: &Rule) -> Option<u16> {
    match rule.action {
        Action::AcceptTlsFor(_) | Action::InterceptTls => {
            u16::try_from(index).ok()?.checked_add(FIRST_PORT)
        }
        Action::RedirectToPortal => Some(PORTAL_HTTP_PORT),
        _ => None,
    }
}

/// What a gateway does for its firewall, at its address in the LAN.
pub(crate) fn services(firewall: &Firewall, inside: Ipv4Addr) -> Vec<GatewayService> {
    let at = |port| SocketAddrV4::new(inside, port);
    let inspecting = firewall
        .rules
        .iter()
        .enumerate()
        .filter_map(|(index, rule)| {
            let listen = at(redirection(index, rule)?);
            let reset = rule.reset_counter().unwrap_or_default();
            match &rule.action {
                Action::AcceptTlsFor(names) => Some(GatewayService::TlsFilter {
                    listen,
                    server_names: names.clone(),
                    pass: rule.name.clone(),
                    reset,
                }),
                Action::InterceptTls => Some(GatewayService::TlsInterceptor {
                    listen,
                    issuer: COMPANY_AUTHORITY.to_owned(),
                    intercept: rule.name.clone(),
                    reset,
                }),
                _ => None,
            }
        });
    let offered = firewall.service.map(|service| match service {
        FirewallService::HttpProxy { port } => GatewayService::HttpProxy {
            listen: at(port),
            ports: PROXY_PORTS.to_vec(),
            allow: "proxy/allow-connect".to_owned(),
            deny: PROXY_DENY.to_owned(),
        },
        FirewallService::CaptivePortal => GatewayService::CaptivePortal {
            http: at(PORTAL_HTTP_PORT),
            tls: at(PORTAL_TLS_PORT),
            redirect: "portal/redirected-requests".to_owned(),
            login: "portal/logins".to_owned(),
        },
    });
    inspecting.chain(offered).collect()
}
