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
                    authority: Arc::new(Authority::new(issuer)?),
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
                self.run(
                    listener
                        .serve(move |stream, client| plain.clone().handle(stream, *client.ip())),
                );
                let listener = Listener::open("captive portal's TLS", *tls, outlet).await?;
                self.run(
                    listener.serve(move |stream, client| {
                        portal.clone().handle_tls(stream, *client.ip())
                    }),
                );
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::testing::{closed_port, connect};
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn all_that_is_planned_listens_and_has_its_counters() {
        let proxy = closed_port();
        let (outlet, _said) = Outlet::new();
        let planned = [
            GatewayService::HttpProxy {
                listen: proxy,
                ports: vec![443],
                allow: "proxy/allow".to_owned(),
                deny: "proxy/deny".to_owned(),
            },
            GatewayService::TlsFilter {
                listen: closed_port(),
                server_names: Vec::new(),
                pass: "filter/pass".to_owned(),
                reset: "filter/reset".to_owned(),
            },
            GatewayService::TlsInterceptor {
                listen: closed_port(),
                issuer: "Company".to_owned(),
                intercept: "interceptor/intercept".to_owned(),
                reset: "interceptor/reset".to_owned(),
            },
            GatewayService::CaptivePortal {
                http: closed_port(),
                tls: closed_port(),
                redirect: "portal/redirect".to_owned(),
                login: "portal/login".to_owned(),
            },
        ];
        let services = Services::start(&planned, "", &outlet).await.unwrap();
        assert_eq!(services.tasks.len(), 5);
        let mut client = connect(proxy).await;
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
        let counters = services.counters();
        let counters: Vec<_> = counters
            .iter()
            .map(|counter| (counter.rule.as_str(), counter.packets))
            .collect();
        let expected = [
            ("proxy/allow", 0),
            ("proxy/deny", 1),
            ("filter/pass", 0),
            ("filter/reset", 0),
            ("interceptor/intercept", 0),
            ("interceptor/reset", 0),
            ("portal/redirect", 0),
            ("portal/login", 0),
        ];
        assert_eq!(counters, expected);

        let again = Services::start(&planned[..1], "", &outlet).await;
        let error = again.err().unwrap().to_string();
        assert!(error.contains("HTTP proxy"), "{error}");
    }
}
