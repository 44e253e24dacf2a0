//! Ports that pass a firewall, for probes to measure something else with.

use crate::layout::SiteLayout;
use crate::model::{Passage, Payload, ProbeProtocol};
use crate::passage::{Attempt, ruling};
use farcall_scenario::Action;
use std::collections::BTreeSet;

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
    attempts: &BTreeSet<Attempt>,
    protocol: ProbeProtocol,
    payload: Payload,
) -> Vec<(u16, Treatment)> {
    let same_protocol = attempts.iter().filter(|at| at.protocol == protocol);
    let ports: BTreeSet<u16> = same_protocol.map(|attempt| attempt.port).collect();
    let treated = ports.into_iter().filter_map(|port| {
        let attempt = Attempt {
            protocol,
            port,
            payload,
        };
        Some((port, treatment(site, attempt)?))
    });
    treated.collect()
}

/// A UDP port behind which nothing but the link slows packets down.
pub(super) fn unhindered_udp(site: &SiteLayout, attempts: &BTreeSet<Attempt>) -> Option<u16> {
    let ports = passing(site, attempts, ProbeProtocol::Udp, Payload::Plain);
    let mut forwarded = ports.iter().filter(|(_, how)| *how == Treatment::Forwarded);
    forwarded.next().map(|(port, _)| *port)
}

/// Two ports that pass and that the probe answers at different ports of its own: one even, one odd
/// (see [`PROBE_PORTS`](crate::PROBE_PORTS)).
pub(super) fn even_and_odd(
    site: &SiteLayout,
    attempts: &BTreeSet<Attempt>,
    protocol: ProbeProtocol,
    payload: Payload,
) -> Option<[u16; 2]> {
    let ports = passing(site, attempts, protocol, payload);
    let mut ports = ports.into_iter().filter(|(_, how)| *how != Treatment::Served);
    let (first, _) = ports.next()?;
    let (other, _) = ports.find(|(port, _)| port % 2 != first % 2)?;
    Some([first, other])
}

fn treatment(site: &SiteLayout, attempt: Attempt) -> Option<Treatment> {
    let ruling = ruling(&site.firewall, attempt);
    if ruling.passage != Passage::Passes {
        return None;
    }
    let mut rules = site.firewall.rules.iter();
    let rule = rules.find(|rule| rule.name == ruling.rule);
    Some(match rule.map(|rule| &rule.action) {
        Some(Action::Police(kbit)) => Treatment::Policed(*kbit),
        Some(Action::AcceptTlsFor(_)) => Treatment::Served,
        _ => Treatment::Forwarded,
    })
}
