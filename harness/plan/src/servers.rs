//! What the ICE configuration asks of servers: one for each host, with its listeners and accounts.

use crate::error::PlanError;
use crate::model::{Listener, TurnAccount};
use farcall_scenario::{
    CertificateFlaw, Fault, FaultKind, IceConfiguration, IceServer, IceUrl, Scenario, Scheme,
    Secret, ServerCondition, Servers,
};
use farcall_timeline::IceTransport;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// A server as the ICE configuration wants it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Demand {
    /// The host, by which URLs find it: see [`host_key`].
    pub host: String,
    /// The host as an address, where it is one.
    pub literal: Option<Ipv4Addr>,
    /// The listeners that URLs name.
    pub listeners: BTreeSet<Listener>,
    /// The accounts it accepts.
    pub accounts: Vec<TurnAccount>,
    /// Whether a URL wants it to relay.
    pub relays: bool,
    /// The listeners that URLs name and it has not.
    pub missing: BTreeSet<Listener>,
    /// What is wrong with it.
    pub conditions: Vec<ServerCondition>,
    /// Whether it takes time-limited credentials instead of accounts.
    pub takes_rest: bool,
    /// Whether its quota is used up in the middle of the call.
    pub is_exhausted_later: bool,
    /// Whether it is asked for allocations from its own node, to use it up or to see what it answers.
    pub is_asked_by_itself: bool,
    /// What is wrong with certificates that it gets in the middle of the call.
    pub replacement_flaws: Vec<CertificateFlaw>,
}

impl Demand {
    /// Whether this is wrong with it.
    pub(crate) fn has(&self, condition: ServerCondition) -> bool {
        self.conditions.contains(&condition)
    }

    /// Whether others take what it has to give.
    pub(crate) fn is_occupied(&self) -> bool {
        self.has(ServerCondition::Quota) || self.has(ServerCondition::NoCapacity)
    }

    /// Whether plain TCP and TLS are told apart at its ports: where URLs name both, at one as at different ports.
    pub(crate) fn tells_tls_apart(&self) -> bool {
        let named = || self.listeners.iter().chain(&self.missing);
        [IceTransport::Tcp, IceTransport::Tls]
            .into_iter()
            .all(|transport| named().any(|at| at.transport == transport))
    }

    /// What is wrong with its certificate.
    pub(crate) fn certificate(&self) -> Option<CertificateFlaw> {
        let mut conditions = self.conditions.iter();
        conditions.find_map(|condition| condition.certificate())
    }
}

/// The host of a URL in the form in which hosts are compared: DNS ignores case and the root's dot.
pub(crate) fn host_key(url: &IceUrl) -> String {
    url.host.trim_end_matches('.').to_ascii_lowercase()
}

/// The listener that a URL names.
pub(crate) fn listener(url: &IceUrl) -> Listener {
    Listener {
        port: url.port,
        transport: url.transport,
    }
}

/// The servers that a configuration names, in the order in which it does.
pub(crate) fn demands(
    ice: &IceConfiguration,
    scenario: &Scenario,
) -> Result<Vec<Demand>, PlanError> {
    let servers = &scenario.servers;
    let mut demands: Vec<Demand> = Vec::new();
    for (entry, url) in ice.urls() {
        let host = host_key(url);
        let index = match demands.iter().position(|demand| demand.host == host) {
            Some(index) => index,
            None => {
                demands.push(Demand {
                    literal: address_of(&host, url)?,
                    host,
                    listeners: BTreeSet::new(),
                    accounts: Vec::new(),
                    relays: false,
                    missing: BTreeSet::new(),
                    conditions: Vec::new(),
                    takes_rest: false,
                    is_exhausted_later: false,
                    is_asked_by_itself: false,
                    replacement_flaws: Vec::new(),
                });
                demands.len() - 1
            }
        };
        let demand = &mut demands[index];
        demand.listeners.insert(listener(url));
        if url.scheme != Scheme::Stun {
            demand.relays = true;
            add_account(demand, entry, servers)?;
        }
    }
    for demand in demands.iter_mut().filter(|demand| demand.relays) {
        burden(demand, servers);
        prepare(demand, &scenario.faults);
    }
    Ok(demands)
}

/// Makes a TURN server ready for what befalls it in the middle of the call.
fn prepare(demand: &mut Demand, faults: &[Fault]) {
    let kinds = || faults.iter().map(|fault| fault.kind);
    demand.is_exhausted_later = kinds().any(|kind| kind == FaultKind::QuotaExhausted);
    demand.is_asked_by_itself = demand.is_occupied()
        || demand.is_exhausted_later
        || kinds().any(|kind| kind == FaultKind::CredentialsChanged);
    if demand
        .listeners
        .iter()
        .any(|at| at.transport == IceTransport::Tls)
    {
        demand.replacement_flaws = kinds().filter_map(FaultKind::certificate).collect();
    }
}

/// Makes what the scenario says wrong with a TURN server.
fn burden(demand: &mut Demand, servers: &Servers) {
    demand.conditions.clone_from(&servers.conditions);
    demand.takes_rest = servers.rest.is_some();
    let lacks = |transport| {
        servers.have(match transport {
            IceTransport::Udp => ServerCondition::NoUdp,
            IceTransport::Tcp => ServerCondition::NoTcp,
            IceTransport::Tls => ServerCondition::NoTls,
        })
    };
    let listeners = std::mem::take(&mut demand.listeners).into_iter();
    (demand.missing, demand.listeners) = listeners.partition(|at| lacks(at.transport));
}

/// The host as an IPv4 address, or `None` for a name. A host that is neither is an error: it would
/// become part of the configuration of coturn and dnsmasq.
fn address_of(host: &str, url: &IceUrl) -> Result<Option<Ipv4Addr>, PlanError> {
    let unusable = |reason: &str| PlanError::UnusableHost {
        host: host.to_owned(),
        url: url.text.clone(),
        reason: reason.to_owned(),
    };
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        let reserved = address.is_loopback()
            || address.is_unspecified()
            || address.is_multicast()
            || address.is_broadcast()
            || address.is_link_local();
        return if reserved {
            Err(unusable(
                "no server can be reached at such an address; use a host name",
            ))
        } else {
            Ok(Some(address))
        };
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if host.len() > 253 || !host.split('.').all(is_label) {
        return Err(unusable("it is no host name (RFC 1123); correct the URL"));
    }
    Ok(None)
}

fn add_account(demand: &mut Demand, entry: &IceServer, servers: &Servers) -> Result<(), PlanError> {
    if servers.rest.is_some() {
        return Ok(());
    }
    let account = match (&servers.account, &entry.username, &entry.credential) {
        (Some(account), _, _) => TurnAccount {
            username: account.username.clone(),
            credential: account.credential.clone(),
        },
        (None, Some(username), Some(credential)) => TurnAccount {
            username: username.clone(),
            credential: match servers.have(ServerCondition::WrongCredentials) {
                true => Secret::new(format!("not {}", credential.expose())),
                false => credential.clone(),
            },
        },
        (None, _, _) => return Ok(()),
    };
    match demand
        .accounts
        .iter()
        .find(|known| known.username == account.username)
    {
        None => demand.accounts.push(account),
        Some(known) if *known == account => {}
        Some(_) => {
            return Err(PlanError::TwoPasswords {
                host: demand.host.clone(),
                username: account.username,
            });
        }
    }
    Ok(())
}
