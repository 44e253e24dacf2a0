//! What a gateway runs and knows beside its rules: a resolver, what its firewall does in user space, and
//! connections.

mod dns_delay;
mod resolver;

pub(crate) use resolver::resolves;

use std::time::Duration;

use farcall_timeline::RuleCounter;
use futures::future::try_join3;
use nix::sys::signal::Signal;
use resolver::Resolver;
use tokio::sync::Mutex;

use crate::Outlet;
use crate::nat64;
use crate::service::{Service, ServiceError};
use crate::services::Services;
use crate::setup::SetupError;
use crate::tool::{self, ToolError};

/// How long the translator may take to end.
const END_WITHIN: Duration = Duration::from_secs(2);

/// A gateway's services.
pub(crate) struct Gateway {
    /// That of the site, and that of a captive portal.
    resolvers: Mutex<Resolvers>,
    outlet: Outlet,
    nat64: Option<Service>,
    services: Services,
}

#[derive(Default)]
struct Resolvers {
    site: Option<Resolver>,
    portal: Option<Resolver>,
}

impl Gateway {
    /// Starts the resolvers, if the gateway has any, and waits until they answer; then what else the plan
    /// says. `ca_pem` is the lab's certificate authority.
    pub(crate) async fn start(
        planned: &farcall_plan::Gateway,
        ca_pem: &str,
        outlet: &Outlet,
    ) -> Result<Self, SetupError> {
        let mut resolvers = Resolvers::default();
        if let Some(configuration) = &planned.dnsmasq {
            let delay_ms = planned.dns_delay_ms;
            resolvers.site = Some(site_resolver(configuration, delay_ms, outlet).await?);
        }
        if let Some(configuration) = &planned.portal_dnsmasq {
            let portal = Resolver::start("portal-dnsmasq", configuration, None, outlet);
            resolvers.portal = Some(portal.await?);
        }
        let nat64 = match planned.nat64 {
            Some(_) => Some(nat64::start(outlet).await?),
            None => None,
        };
        let services = Services::start(&planned.services, ca_pem, outlet).await?;
        Ok(Self {
            resolvers: Mutex::new(resolvers),
            outlet: outlet.clone(),
            nat64,
            services,
        })
    }

    /// Ends the site's resolver, if there is one: the names that it gave are gone.
    pub(crate) async fn forget_names(&self) -> Result<(), SetupError> {
        match &mut self.resolvers.lock().await.site {
            Some(site) => Ok(site.end().await?),
            None => Ok(()),
        }
    }

    /// Gives the site's resolver, which has ended, another configuration, and lets its answers be so late.
    pub(crate) async fn resolve_by(
        &self,
        configuration: &str,
        delay_ms: Option<u32>,
    ) -> Result<(), SetupError> {
        let resolver = site_resolver(configuration, delay_ms, &self.outlet).await?;
        self.resolvers.lock().await.site = Some(resolver);
        Ok(())
    }

    /// What has been counted in user space, beside the counters of the ruleset.
    pub(crate) fn counters(&self) -> Vec<RuleCounter> {
        self.services.counters()
    }

    /// Ends the services.
    pub(crate) async fn end(&self) -> Result<(), ServiceError> {
        let mut resolvers = self.resolvers.lock().await;
        let Resolvers { site, portal } = &mut *resolvers;
        let end = async |resolver: &mut Option<Resolver>| match resolver {
            Some(resolver) => resolver.end().await,
            None => Ok(()),
        };
        let nat64 = async {
            match &self.nat64 {
                Some(nat64) => nat64.end(Signal::SIGTERM, END_WITHIN).await,
                None => Ok(()),
            }
        };
        try_join3(end(site), end(portal), nat64).await.map(drop)
    }

    /// The connections that the gateway tracks, as `conntrack` prints them.
    pub(crate) async fn connections(&self) -> Result<String, ToolError> {
        tool::run(&["conntrack", "-L", "-o", "extended"], "").await
    }
}

async fn site_resolver(
    configuration: &str,
    delay_ms: Option<u32>,
    outlet: &Outlet,
) -> Result<Resolver, SetupError> {
    Resolver::start("dnsmasq", configuration, delay_ms, outlet).await
}
