//! What a gateway runs and knows beside its rules: a resolver, what its firewall does in user space, and
//! connections.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use farcall_timeline::{Level, RuleCounter};
use futures::future::try_join_all;
use hickory_resolver::proto::rr::{Name, RecordType};
use nix::sys::signal::Signal;
use tokio::process::Command;
use tokio::sync::Mutex;
use tokio_util::task::AbortOnDropHandle;

use crate::Outlet;
use crate::dns;
use crate::dns_delay::delay;
use crate::nat64;
use crate::service::{Service, ServiceError};
use crate::services::Services;
use crate::setup::{self, SetupError};
use crate::tool::{self, ToolError};

/// How long dnsmasq may take until it answers. It takes some milliseconds.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// How long dnsmasq may take to end.
const END_WITHIN: Duration = Duration::from_secs(2);

/// How long to wait for one answer before asking again.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// A gateway's services.
pub(crate) struct Gateway {
    /// The site's own, and that of a captive portal.
    resolvers: Mutex<Vec<Service>>,
    outlet: Outlet,
    _delay: Option<AbortOnDropHandle<()>>,
    nat64: Option<Service>,
    services: Services,
}

impl Gateway {
    /// Starts the resolvers, if the gateway has any, and waits until they answer; then what else the plan
    /// says. `ca_pem` is the lab's certificate authority.
    pub(crate) async fn start(
        planned: &farcall_plan::Gateway,
        ca_pem: &str,
        outlet: &Outlet,
    ) -> Result<Self, SetupError> {
        let mut resolvers = Vec::new();
        for (name, configuration) in [
            ("dnsmasq", &planned.dnsmasq),
            ("portal-dnsmasq", &planned.portal_dnsmasq),
        ] {
            if let Some(configuration) = configuration {
                resolvers.push(resolver(name, configuration, outlet).await?);
            }
        }
        let delay = match (planned.dns_delay_ms, &planned.dnsmasq) {
            (Some(delay_ms), Some(configuration)) => {
                let behind = listen_address(configuration);
                let at = SocketAddr::new(behind.ip(), dns::PORT);
                let by = Duration::from_millis(delay_ms.into());
                let delaying = delay(at, behind, by).await;
                Some(delaying.map_err(|source| SetupError::DelayDns { at, source })?)
            }
            _ => None,
        };
        let nat64 = match planned.nat64 {
            Some(_) => Some(nat64::start(outlet).await?),
            None => None,
        };
        let services = Services::start(&planned.services, ca_pem, outlet).await?;
        Ok(Self {
            resolvers: Mutex::new(resolvers),
            outlet: outlet.clone(),
            _delay: delay,
            nat64,
            services,
        })
    }

    /// Gives the site's resolver another configuration.
    pub(crate) async fn resolve_by(&self, configuration: &str) -> Result<(), SetupError> {
        let mut resolvers = self.resolvers.lock().await;
        let Some(site) = resolvers.first_mut() else {
            return Ok(());
        };
        site.end(Signal::SIGTERM, END_WITHIN).await?;
        *site = resolver("dnsmasq", configuration, &self.outlet).await?;
        Ok(())
    }

    /// Sees that the resolver of this configuration gives an address for a name; `None`: that the name does not exist.
    pub(crate) async fn resolves(
        configuration: &str,
        name: &str,
        address: Option<Ipv4Addr>,
    ) -> Result<(), SetupError> {
        let at = listen_address(configuration);
        let not_in_effect = |found: String| SetupError::NotInEffect {
            node: at.to_string(),
            what: "the names",
            found,
        };
        let name = Name::from_str(name).map_err(|error| not_in_effect(error.to_string()))?;
        let question = dns::question(name, RecordType::A);
        let asked = tokio::time::timeout(READY_WITHIN, dns::ask_at(at, &question));
        let answer = match asked.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(not_in_effect(error.to_string())),
            Err(_) => return Err(not_in_effect("no answer".to_owned())),
        };
        match (dns::addresses(&answer), address) {
            (Err(_), None) => Ok(()),
            (Ok(found), Some(address)) if found == [IpAddr::from(address)] => Ok(()),
            (found, _) => Err(not_in_effect(format!("{found:?}"))),
        }
    }

    /// What has been counted in user space, beside the counters of the ruleset.
    pub(crate) fn counters(&self) -> Vec<RuleCounter> {
        self.services.counters()
    }

    /// Ends the services.
    pub(crate) async fn end(&self) -> Result<(), ServiceError> {
        let resolvers = self.resolvers.lock().await;
        let ends = resolvers
            .iter()
            .chain(&self.nat64)
            .map(|resolver| resolver.end(Signal::SIGTERM, END_WITHIN));
        try_join_all(ends).await.map(drop)
    }

    /// The connections that the gateway tracks, as `conntrack` prints them.
    pub(crate) async fn connections(&self) -> Result<String, ToolError> {
        tool::run(&["conntrack", "-L", "-o", "extended"], "").await
    }
}

async fn resolver(
    name: &'static str,
    configuration: &str,
    outlet: &Outlet,
) -> Result<Service, SetupError> {
    let path = format!("{}/{name}.conf", setup::DIRECTORY);
    setup::write(&path, configuration)?;
    let mut command = Command::new("dnsmasq");
    command.args([
        // In the foreground, and as the same user and group: to change them needs capabilities that
        // the container does not have.
        "--no-daemon",
        "--log-facility=-",
        &format!("--conf-file={path}"),
    ]);
    let service = Service::start(name, &mut command, outlet, level)?;
    let address = listen_address(configuration);
    let awaited = format!("an answer from {address}");
    service
        .ready(&awaited, READY_WITHIN, answers(address))
        .await?;
    service.guard(outlet);
    Ok(service)
}

/// The first address and the port on which this configuration makes dnsmasq listen.
fn listen_address(configuration: &str) -> SocketAddr {
    let value = |key: &str| {
        let mut lines = configuration.lines();
        lines.find_map(|line| line.strip_prefix(key)?.strip_prefix('=').map(str::trim))
    };
    let address = value("listen-address").and_then(|address| address.parse().ok());
    let port = value("port").and_then(|port| port.parse().ok());
    SocketAddr::new(
        address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        port.unwrap_or(dns::PORT),
    )
}

async fn answers(address: SocketAddr) {
    let question = dns::question(Name::root(), RecordType::A);
    loop {
        let answer = tokio::time::timeout(ASK_AGAIN, dns::ask_at(address, &question)).await;
        match answer {
            Ok(Ok(_)) => return,
            // It does not listen yet.
            Ok(Err(_)) => tokio::time::sleep(Duration::from_millis(1)).await,
            Err(_) => {}
        }
    }
}

fn level(line: &str) -> Level {
    if line.contains("failed") || line.contains("cannot") {
        Level::Warn
    } else {
        Level::Debug
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resolver_is_asked_where_it_listens() {
        for (configuration, address) in [
            (
                "port=53\nlisten-address=192.168.1.1\nno-resolv\n",
                "192.168.1.1:53",
            ),
            (
                "listen-address=192.168.1.1\nport=5353\n",
                "192.168.1.1:5353",
            ),
            ("port=53\nlisten-address=2001:db8::1\n", "[2001:db8::1]:53"),
            ("no-resolv\n", "127.0.0.1:53"),
        ] {
            assert_eq!(listen_address(configuration).to_string(), address);
        }
    }
}
