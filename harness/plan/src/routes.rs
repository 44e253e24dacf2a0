//! Who sends what where. Nothing leads out of the lab: nodes on the internet have no default route,
//! and behind every other default route stands one of them.

use crate::layout::Layout;
use crate::model::Route;
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
