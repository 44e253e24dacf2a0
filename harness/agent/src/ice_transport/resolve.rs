//! Host names of ICE servers.

use super::outcome::Conclusion;
use super::resolver_tasks::{ResolverRuntime, ResolverTasks};
use farcall_timeline::IceServerOutcome;
use hickory_resolver::config::LookupIpStrategy;
use hickory_resolver::net::NetError;
use std::net::{IpAddr, SocketAddr};
use tokio::sync::OnceCell;

/// Resolves names with the system's `/etc/hosts` and `/etc/resolv.conf`, read at first use.
#[derive(Default)]
pub(super) struct Resolver {
    ipv4: OnceCell<Asking>,
    ipv6: OnceCell<Asking>,
    tasks: ResolverTasks,
}

type Asking = hickory_resolver::Resolver<ResolverRuntime>;

impl Resolver {
    /// The first address of a host in the address family of the local socket that will be used, as
    /// browsers take it.
    pub async fn resolve(
        &self,
        host: &str,
        port: u16,
        ipv4: bool,
    ) -> Result<SocketAddr, Conclusion> {
        let family = if ipv4 { "IPv4" } else { "IPv6" };
        if let Ok(ip) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            if ip.is_ipv4() == ipv4 {
                return Ok(SocketAddr::new(ip, port));
            }
            let reason = format!("{host} is no {family} address, and the local socket is {family}");
            return Err(failure(reason));
        }
        let resolver = self.of_family(ipv4).await.map_err(|error| {
            failure(format!(
                "failed to read the name server configuration: {error}"
            ))
        })?;
        let found = resolver
            .lookup_ip(host)
            .await
            .map_err(|error| failure(in_words(host, family, &error)))?;
        let ip = found.iter().find(|ip| ip.is_ipv4() == ipv4);
        ip.map(|ip| SocketAddr::new(ip, port))
            .ok_or_else(|| failure(format!("{host} has no {family} address")))
    }

    /// Gives up whatever is still being asked. What has been resolved is known to who asked for it.
    pub fn end(&self) {
        self.tasks.end();
    }

    async fn of_family(&self, ipv4: bool) -> Result<&Asking, NetError> {
        let (cell, strategy) = if ipv4 {
            (&self.ipv4, LookupIpStrategy::Ipv4Only)
        } else {
            (&self.ipv6, LookupIpStrategy::Ipv6Only)
        };
        cell.get_or_try_init(async || {
            let mut builder = Asking::builder(self.tasks.runtime())?;
            builder.options_mut().ip_strategy = strategy;
            builder.build()
        })
        .await
    }
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Resolver").finish_non_exhaustive()
    }
}

fn failure(reason: String) -> Conclusion {
    Conclusion::failure(IceServerOutcome::DnsFailed, reason)
}

fn in_words(host: &str, family: &str, error: &NetError) -> String {
    if error.is_nx_domain() {
        format!("the name {host} does not exist")
    } else if error.is_no_records_found() {
        format!("{host} has no {family} address")
    } else {
        format!("failed to resolve {host}: {error}")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn literal_addresses_need_no_name_server() {
        let resolver = Resolver::default();
        let address = resolver.resolve("203.0.113.5", 443, true).await.unwrap();
        assert_eq!(address, SocketAddr::from(([203, 0, 113, 5], 443)));
        let address = resolver.resolve("[2001:db8::5]", 443, false).await.unwrap();
        assert_eq!(address.to_string(), "[2001:db8::5]:443");
    }

    /// A name server that never answers is enough to have hickory wait in the background.
    #[tokio::test]
    async fn what_a_resolver_began_ends_with_it() {
        let alive = || {
            tokio::runtime::Handle::current()
                .metrics()
                .num_alive_tasks()
        };
        let before = alive();
        let resolver = Resolver::default();
        let asking = resolver.resolve("turn.example.net", 443, true);
        let _ = tokio::time::timeout(Duration::from_millis(50), asking).await;
        drop(resolver);
        let gone = async {
            while alive() > before {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), gone)
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn an_address_of_the_wrong_family_fails_with_a_reason() {
        let conclusion = Resolver::default()
            .resolve("203.0.113.5", 443, false)
            .await
            .unwrap_err();
        assert_eq!(conclusion.outcome, IceServerOutcome::DnsFailed);
        assert!(conclusion.reason.contains("IPv6"), "{}", conclusion.reason);
    }
}
