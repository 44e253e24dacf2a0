//! Ports that pass a firewall, for probes to measure something else with.

use crate::layout::SiteLayout;
use crate::model::{PROBE_ADDRESSES, Passage, Payload, ProbeProtocol};
use crate::passage::{Attempt, ruling};
use farcall_scenario::Action;
use std::collections::{BTreeMap, BTreeSet};

/// What a firewall does with what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Treatment {
    /// Nothing: the kernel forwards it as it is.
    Forwarded,
    /// It ends in the gateway, which opens a connection of its own.
    Served,
    /// What is beyond so many kbit/s is dropped.
    Policed(u32),
}

/// The ports that pass, in ascending order, each with how.
pub(super) fn passing(
    site: &SiteLayout,
    attempts: &BTreeSet<Attempt<'_>>,
    protocol: ProbeProtocol,
    payload: Payload,
) -> Vec<(u16, Treatment)> {
    let same_protocol = attempts.iter().filter(|at| at.protocol == protocol);
    let treated: BTreeMap<u16, Treatment> = same_protocol
        .filter_map(|attempt| {
            let attempt = Attempt {
                payload,
                ..*attempt
            };
            Some((attempt.port, treatment(site, attempt)?))
        })
        .collect();
    treated.into_iter().collect()
}

/// A UDP port behind which nothing but the link slows packets down.
pub(super) fn unhindered_udp(site: &SiteLayout, attempts: &BTreeSet<Attempt<'_>>) -> Option<u16> {
    let ports = passing(site, attempts, ProbeProtocol::Udp, Payload::Plain);
    let mut forwarded = ports.iter().filter(|(_, how)| *how == Treatment::Forwarded);
    forwarded.next().map(|(port, _)| *port)
}

/// A TCP port behind which the probe itself answers.
pub(super) fn forwarded_tcp(site: &SiteLayout, attempts: &BTreeSet<Attempt<'_>>) -> Option<u16> {
    let ports = passing(site, attempts, ProbeProtocol::Tcp, Payload::Plain);
    let mut forwarded = ports.iter().filter(|(_, how)| *how == Treatment::Forwarded);
    forwarded.next().map(|(port, _)| *port)
}

/// Two ports that pass and that the probe answers at different ports of its own: one even, one odd
/// (see [`PROBE_PORTS`](crate::PROBE_PORTS)).
pub(super) fn even_and_odd(
    site: &SiteLayout,
    attempts: &BTreeSet<Attempt<'_>>,
    protocol: ProbeProtocol,
    payload: Payload,
) -> Option<[u16; 2]> {
    let ports = passing(site, attempts, protocol, payload);
    let mut ports = ports
        .into_iter()
        .filter(|(_, how)| *how != Treatment::Served);
    let (first, _) = ports.next()?;
    let (other, _) = ports.find(|(port, _)| port % 2 != first % 2)?;
    Some([first, other])
}

/// What becomes of what passes to both of the probe's addresses.
fn treatment(site: &SiteLayout, attempt: Attempt<'_>) -> Option<Treatment> {
    let [first, other] =
        PROBE_ADDRESSES.map(|to| ruling(&site.firewall, Attempt { to, ..attempt }));
    if first.passage != Passage::Passes || first != other {
        return None;
    }
    let mut rules = site.firewall.rules.iter();
    let rule = rules.find(|rule| rule.name == first.rule);
    Some(match rule.map(|rule| &rule.action) {
        Some(Action::Police(kbit)) => Treatment::Policed(*kbit),
        Some(Action::AcceptTlsFor(_)) => Treatment::Served,
        _ => Treatment::Forwarded,
    })
}
