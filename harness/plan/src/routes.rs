//! Who sends what where. Nothing leads out of the lab: gateways on the internet and the probe have no
//! default route, and behind every other default route stands one of them.

use crate::layout::Layout;
use crate::model::{PROBE_ADDRESSES, Route};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// The route to everywhere.
pub(crate) fn default_route(via: Ipv4Addr) -> Route {
    Route {
        to: Ipv4Net::default(),
        via,
    }
}

/// What a node on the internet with this address reaches through others there: networks behind
/// routers that do not translate, and servers whose address is not of the internet's own network.
pub(crate) fn on_internet(layout: &Layout, own: Ipv4Addr) -> Vec<Route> {
    let sites = layout.sites.iter().flat_map(|site| {
        let last = site.routers.last().map(|router| router.outside.address);
        let nets = site.untranslated(site.routers.len());
        last.into_iter()
            .flat_map(move |via| nets.clone().into_iter().map(move |to| Route { to, via }))
    });
    let servers = layout
        .servers
        .iter()
        .filter(|server| server.address != server.primary)
        .map(|server| Route {
            to: Ipv4Net::from(server.address),
            via: server.primary,
        });
    sites
        .chain(servers)
        .filter(|route| route.via != own)
        .collect()
}

/// The routes of a server. A relay is told to send to addresses that only exist behind some NAT; on
/// the real internet such packets vanish. The probe forwards nothing, so behind it they vanish too.
/// Without any route coturn 4.6.1 has a send error instead, upon which it drops the client's whole TCP
/// connection (seen with a peer's host candidate).
pub(crate) fn of_server(layout: &Layout, own: Ipv4Addr) -> Vec<Route> {
    let mut routes = on_internet(layout, own);
    routes.push(default_route(PROBE_ADDRESSES[0]));
    routes
}

/// The routes of router `index` of a site.
pub(crate) fn of_router(layout: &Layout, site: usize, index: usize) -> Vec<Route> {
    let routers = &layout.sites[site].routers;
    let mut routes = Vec::new();
    if let Some(before) = index.checked_sub(1) {
        let via = routers[before].outside.address;
        let nets = layout.sites[site].untranslated(index);
        routes.extend(nets.into_iter().map(|to| Route { to, via }));
    }
    match routers.get(index + 1) {
        Some(next) => routes.push(default_route(next.inside.address)),
        None => routes.extend(on_internet(layout, routers[index].outside.address)),
    }
    routes
}
