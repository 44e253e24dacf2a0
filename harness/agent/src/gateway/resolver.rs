//! A resolver on a gateway: dnsmasq, and what makes its answers late.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::{Duration, Instant};

use farcall_timeline::Level;
use hickory_resolver::proto::rr::{Name, RecordType};
use nix::sys::signal::Signal;
use tokio::process::Command;
use tokio_util::task::AbortOnDropHandle;

use super::dns_delay::delay;
use crate::Outlet;
use crate::dns;
use crate::service::{Service, ServiceError};
use crate::setup::{self, SetupError};

/// How long dnsmasq may take until it answers. It takes some milliseconds.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// How long dnsmasq may take to end.
const END_WITHIN: Duration = Duration::from_secs(2);

/// How long to wait for one answer before asking again.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// A running resolver.
pub(super) struct Resolver {
    dnsmasq: Service,
    delay: Option<AbortOnDropHandle<()>>,
}

impl Resolver {
    /// Starts a resolver, whose answers are late if that is given in milliseconds, and waits until it answers.
    pub(super) async fn start(
        name: &'static str,
        configuration: &str,
        delay_ms: Option<u32>,
        outlet: &Outlet,
    ) -> Result<Self, SetupError> {
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
        let dnsmasq = Service::start(name, &mut command, outlet, level)?;
        let behind = listen_address(configuration);
        let awaited = format!("an answer from {behind}");
        dnsmasq
            .ready(&awaited, READY_WITHIN, answers(behind))
            .await?;
        dnsmasq.guard(outlet);
        let delay = match delay_ms {
            None => None,
            Some(delay_ms) => {
                let at = SocketAddr::new(behind.ip(), dns::PORT);
                let delaying = delay(at, behind, Duration::from_millis(delay_ms.into()));
                let delaying = delaying.await;
                Some(delaying.map_err(|source| SetupError::DelayDns { at, source })?)
            }
        };
        Ok(Self { dnsmasq, delay })
    }

    /// Ends it. The port at which it was asked is free then.
    pub(super) async fn end(&mut self) -> Result<(), ServiceError> {
        if let Some(delay) = self.delay.take() {
            delay.abort();
            // It says that it was ended, which is what was asked for.
            let _ = delay.await;
        }
        self.dnsmasq.end(Signal::SIGTERM, END_WITHIN).await
    }
}

/// Sees that a resolver of this configuration gives an address for a name - `None`: that the name does not exist -, and
/// so late.
pub(crate) async fn resolves(
    configuration: &str,
    name: &str,
    address: Option<Ipv4Addr>,
    delay_ms: Option<u32>,
) -> Result<(), SetupError> {
    let at = SocketAddr::new(listen_address(configuration).ip(), dns::PORT);
    let not_in_effect = |found: String| SetupError::NotInEffect {
        node: at.to_string(),
        what: "the names",
        found,
    };
    let name = Name::from_str(name).map_err(|error| not_in_effect(error.to_string()))?;
    let question = dns::question(name, RecordType::A);
    let asked_at = Instant::now();
    let asked = tokio::time::timeout(READY_WITHIN, dns::ask_at(at, &question));
    let answer = match asked.await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(not_in_effect(error.to_string())),
        Err(_) => return Err(not_in_effect("no answer".to_owned())),
    };
    let took = asked_at.elapsed();
    if took < Duration::from_millis(delay_ms.unwrap_or_default().into()) {
        let found = format!("an answer after {} ms", took.as_millis());
        return Err(not_in_effect(found));
    }
    match (dns::addresses(&answer), address) {
        (Err(_), None) => Ok(()),
        (Ok(found), Some(address)) if found == [IpAddr::from(address)] => Ok(()),
        (found, _) => Err(not_in_effect(format!("{found:?}"))),
    }
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
