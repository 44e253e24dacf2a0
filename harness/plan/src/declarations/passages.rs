//! What the firewalls let through.

use crate::layout::SiteLayout;
use crate::model::{CallPlan, Fact, Payload, ProbeProtocol};
use crate::passage::{Attempt, ruling};
use std::collections::BTreeSet;

/// Attempts that every firewall is asked about, beside those of the ICE configuration.
const ATTEMPTS: [(ProbeProtocol, u16, Payload); 9] = [
    (ProbeProtocol::Tcp, 22, Payload::Plain),
    (ProbeProtocol::Tcp, 80, Payload::Plain),
    (ProbeProtocol::Tcp, 443, Payload::Plain),
    (ProbeProtocol::Tcp, 443, Payload::Tls),
    (ProbeProtocol::Tcp, 3478, Payload::Plain),
    (ProbeProtocol::Tcp, 5349, Payload::Plain),
    (ProbeProtocol::Udp, 53, Payload::Plain),
    (ProbeProtocol::Udp, 443, Payload::Plain),
    (ProbeProtocol::Udp, 3478, Payload::Plain),
];

/// What becomes of each attempt at a site.
pub(super) fn facts(site: &SiteLayout, attempts: &BTreeSet<Attempt>) -> Vec<Fact> {
    let facts = attempts.iter().map(|attempt| Fact::Passage {
        protocol: attempt.protocol,
        port: attempt.port,
        payload: attempt.payload,
        server_name: None,
        proxy: None,
        passage: ruling(&site.firewall, *attempt).passage,
    });
    facts.collect()
}

/// What every firewall is asked about.
pub(super) fn attempts(call: &CallPlan) -> BTreeSet<Attempt> {
    let fixed = ATTEMPTS.map(|(protocol, port, payload)| Attempt {
        protocol,
        port,
        payload,
    });
    let urls = call.ice_servers.iter().map(|server| &server.url);
    let named = urls.map(|url| Attempt::of(url.transport, url.port));
    fixed.into_iter().chain(named).collect()
}
