//! What a gateway's firewall does in user space: the HTTP proxy, the looks into TLS, the captive portal.
//!
//! Connections that the rules redirect, and those of the proxy's clients, end here; what is let through goes
//! onward over a connection of the gateway's own (`onward`), from its inside address, so that it is translated
//! and crosses the link as the traffic of any other host of the site.

mod authority;
mod destination;
mod filter;
mod hello;
mod http;
mod interceptor;
mod listen;
mod onward;
mod portal;
mod proxy;
mod splice;
#[cfg(test)]
mod testing;

use std::net::SocketAddrV4;
use std::sync::Arc;

use farcall_plan::GatewayService;
use farcall_timeline::RuleCounter;
use tokio_util::task::AbortOnDropHandle;

use crate::Outlet;
use crate::counters::Tally;
use crate::dns;
use crate::ice_transport::{TransportError, tls_connector};
use authority::{Authority, CertificateError};
use destination::original_destination;
use filter::Filter;
use interceptor::Interceptor;
use listen::Listener;
use onward::Onward;
use portal::Portal;
use proxy::Proxy;

/// A service could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServicesError {
    /// Its address is not to be had.
    #[error(
        "failed to listen at {address} for the {what}: {source}; it must be an address of the gateway, \
         at which nothing else listens"
    )]
    Listen {
        /// Where.
        address: SocketAddrV4,
        /// The service.
        what: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// Its certificates could not be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The lab's certificate authority cannot be trusted.
    #[error(transparent)]
    Trust(#[from] TransportError),
}

/// The running services; they end when this is dropped.
pub(crate) struct Services {
    tallies: Vec<Arc<Tally>>,
    tasks: Vec<AbortOnDropHandle<()>>,
}

impl Services {
    /// Starts what the plan says. All listen when this returns.
    pub(crate) async fn start(
        planned: &[GatewayService],
        ca_pem: &str,
        outlet: &Outlet,
    ) -> Result<Self, ServicesError> {
        let mut services = Self {
            tallies: Vec::new(),
            tasks: Vec::new(),
        };
        for service in planned {
            services.add(service, ca_pem, outlet).await?;
        }
        Ok(services)
    }

    /// What they have counted.
    pub(crate) fn counters(&self) -> Vec<RuleCounter> {
        self.tallies.iter().map(|tally| tally.read()).collect()
    }

    async fn add(
        &mut self,
        service: &GatewayService,
        ca_pem: &str,
        outlet: &Outlet,
    ) -> Result<(), ServicesError> {
        match service {
            GatewayService::HttpProxy {
                listen,
                ports,
                allow,
                deny,
            } => {
                let proxy = Arc::new(Proxy {
                    ports: ports.clone(),
                    onward: onward_from(*listen),
                    allow: self.tally(allow),
                    deny: self.tally(deny),
                });
                let listener = Listener::open("HTTP proxy", *listen, outlet).await?;
                self.run(listener.serve(move |stream, _| proxy.clone().handle(stream)));
            }
            GatewayService::TlsFilter {
                listen,
                server_names,
                pass,
                reset,
            } => {
                let filter = Arc::new(Filter {
                    server_names: server_names.clone(),
                    onward: onward_from(*listen),
                    destination: original_destination,
                    pass: self.tally(pass),
                    reset: self.tally(reset),
                });
                let listener = Listener::open("TLS filter", *listen, outlet).await?;
                self.run(listener.serve(move |stream, _| filter.clone().handle(stream)));
            }
            GatewayService::TlsInterceptor {
                listen,
                issuer,
                intercept,
                reset,
            } => {
                let interceptor = Arc::new(Interceptor {
                    authority: Authority::new(issuer)?,
                    onward: onward_from(*listen),
                    tls: tls_connector(ca_pem.as_bytes())?,
                    destination: original_destination,
                    intercept: self.tally(intercept),
                    reset: self.tally(reset),
                });
                let listener = Listener::open("TLS interceptor", *listen, outlet).await?;
                self.run(listener.serve(move |stream, _| interceptor.clone().handle(stream)));
            }
            GatewayService::CaptivePortal {
                http,
                tls,
                redirect,
                login,
            } => {
                let portal = Arc::new(Portal::new(
                    *http,
                    portal::into_rules,
                    self.tally(redirect),
                    self.tally(login),
                    outlet,
                )?);
                let listener = Listener::open("captive portal", *http, outlet).await?;
                let plain = portal.clone();
                self.run(listener.serve(move |stream, client| {
                    plain.clone().handle(stream, *client.ip())
                }));
                let listener = Listener::open("captive portal's TLS", *tls, outlet).await?;
                self.run(listener.serve(move |stream, client| {
                    portal.clone().handle_tls(stream, *client.ip())
                }));
            }
        }
        Ok(())
    }

    fn tally(&mut self, rule: &str) -> Arc<Tally> {
        let tally = Arc::new(Tally::new(rule));
        self.tallies.push(tally.clone());
        tally
    }

    fn run(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(AbortOnDropHandle::new(tokio::spawn(task)));
    }
}

/// The address at which a service listens is the gateway's inside address, at which its resolver listens too.
fn onward_from(listen: SocketAddrV4) -> Onward {
    Onward {
        from: *listen.ip(),
        name_server: SocketAddrV4::new(*listen.ip(), dns::PORT),
    }
}
