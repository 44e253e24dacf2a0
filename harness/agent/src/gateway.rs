//! What a gateway runs and knows beside its rules: a resolver, what its firewall does in user space, and
//! connections.

use std::net::Ipv4Addr;
use std::time::Duration;

use farcall_timeline::{Level, RuleCounter};
use hickory_resolver::proto::rr::Name;
use nix::sys::signal::Signal;
use tokio::process::Command;

use crate::Outlet;
use crate::dns;
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
    resolver: Option<Service>,
    services: Services,
}

impl Gateway {
    /// Starts the resolver, if the gateway has one, and waits until it answers; then what else the plan
    /// says. `ca_pem` is the lab's certificate authority.
    pub(crate) async fn start(
        planned: &farcall_plan::Gateway,
        ca_pem: &str,
        outlet: &Outlet,
    ) -> Result<Self, SetupError> {
        let resolver = match &planned.dnsmasq {
            Some(configuration) => Some(resolver(configuration, outlet).await?),
            None => None,
        };
        let services = Services::start(&planned.services, ca_pem, outlet).await?;
        Ok(Self { resolver, services })
    }

    /// What has been counted in user space, beside the counters of the ruleset.
    pub(crate) fn counters(&self) -> Vec<RuleCounter> {
        self.services.counters()
    }

    /// Ends the services.
    pub(crate) async fn end(&self) -> Result<(), ServiceError> {
        match &self.resolver {
            Some(resolver) => resolver.end(Signal::SIGTERM, END_WITHIN).await,
            None => Ok(()),
        }
    }

    /// The connections that the gateway tracks, as `conntrack` prints them.
    pub(crate) async fn connections(&self) -> Result<String, ToolError> {
        tool::run(&["conntrack", "-L", "-o", "extended"], "").await
    }
}

async fn resolver(configuration: &str, outlet: &Outlet) -> Result<Service, SetupError> {
    let path = format!("{}/dnsmasq.conf", setup::DIRECTORY);
    setup::write(&path, configuration)?;
    let mut command = Command::new("dnsmasq");
    command.args([
        // In the foreground, and as the same user and group: to change them needs capabilities that
        // the container does not have.
        "--no-daemon",
        "--log-facility=-",
        &format!("--conf-file={path}"),
    ]);
    let service = Service::start("dnsmasq", &mut command, outlet, level)?;
    let address = listen_address(configuration).unwrap_or(Ipv4Addr::LOCALHOST);
    let awaited = format!("an answer from {address}:{}", dns::PORT);
    service
        .ready(&awaited, READY_WITHIN, answers(address))
        .await?;
    service.guard(outlet);
    Ok(service)
}

/// The first address on which this configuration makes dnsmasq listen.
fn listen_address(configuration: &str) -> Option<Ipv4Addr> {
    let mut lines = configuration.lines();
    lines.find_map(|line| line.strip_prefix("listen-address=")?.trim().parse().ok())
}

async fn answers(address: Ipv4Addr) {
    let question = dns::question(Name::root());
    loop {
        let answer = tokio::time::timeout(ASK_AGAIN, dns::ask(address, &question)).await;
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
        let configuration = "port=53\nlisten-address=192.168.1.1\nno-resolv\n";
        assert_eq!(
            listen_address(configuration),
            Some(Ipv4Addr::new(192, 168, 1, 1))
        );
        assert_eq!(listen_address("port=53\n"), None);
    }
}
