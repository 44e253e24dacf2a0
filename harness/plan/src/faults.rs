//! What breaks in the middle of a call: what each fault does at which node.

use crate::coturn::RELAY_PORTS;
use crate::datapath::seed_for;
use crate::dns::SLOW_MS;
use crate::error::PlanError;
use crate::layout::{Layout, Port, Router, SiteLayout, within};
use crate::model::{
    DELAYED_DNS_PORT, FaultAction, GatewayAction, LeastDelay, Node, PlannedFault, Readdressing,
    Role,
};
use crate::nodes::NOBODYS_ADDRESS;
use crate::place::next_address;
use crate::signalling::{SIGNALLING, SIGNALLING_HOST};
use farcall_scenario::{
    Direction, Fault, FaultKind, JitterDistribution, Link, LinkDirection, Protocol, Scenario,
    TraceNotLoaded, Victim,
};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Packets larger than this many bytes are dropped by [`FaultKind::DropLarge`].
const LARGE_BYTES: u16 = 1_000;

/// The faults of a scenario.
pub(crate) fn faults(
    scenario: &Scenario,
    layout: &Layout,
    nodes: &[Node],
    seed: u64,
) -> Result<Vec<PlannedFault>, PlanError> {
    let faults = scenario.faults.iter().enumerate();
    faults
        .map(|(index, fault)| planned(index + 1, fault, layout, nodes, seed))
        .collect()
}

/// What a fault is: `link-down at office`.
pub(crate) fn in_words(fault: &Fault) -> String {
    let way = match fault.direction {
        None => "at",
        Some(Direction::Out) => "out of",
        Some(Direction::In) => "into",
    };
    let what = format!("{} {way} {}", fault.kind, fault.target);
    match (fault.kind, &fault.to) {
        (FaultKind::Handover, Some(to)) => format!("handover of {} to {to}", fault.target),
        _ => what,
    }
}

fn planned(
    number: usize,
    fault: &Fault,
    layout: &Layout,
    nodes: &[Node],
    seed: u64,
) -> Result<PlannedFault, PlanError> {
    let table = format!("fault-{number}");
    let (node, action) = match fault.kind.victim() {
        Victim::Site => {
            let (node, action) = at_site(fault, table.clone(), layout, nodes, seed)?;
            (Some(node), action)
        }
        Victim::TurnServer => at_server(fault, nodes)?,
        Victim::Peer => (Some(fault.target.clone()), at_peer(fault, layout)?),
        Victim::Signalling => (Some(SIGNALLING.to_owned()), FaultAction::StopSignalling),
    };
    Ok(PlannedFault {
        what: in_words(fault),
        node,
        action,
        around: around(fault.kind, &table, layout),
        from: fault.from,
        until: fault.until,
    })
}

fn nobody(fault: &Fault) -> PlanError {
    PlanError::FaultTarget {
        fault: in_words(fault),
        target: fault.target.clone(),
    }
}

/// The node of a TURN server; `None` for the one through which media go at that moment.
fn at_server(fault: &Fault, nodes: &[Node]) -> Result<(Option<String>, FaultAction), PlanError> {
    let action = match (fault.kind, fault.kind.certificate()) {
        (_, Some(flaw)) => FaultAction::ReplaceCertificate { flaw },
        (FaultKind::ServerDown, _) => FaultAction::KillServer,
        (FaultKind::ServerRestarted, _) => FaultAction::RestartServer,
        (FaultKind::CredentialsChanged, _) => FaultAction::ChangeCredentials,
        (FaultKind::QuotaExhausted, _) => FaultAction::ExhaustQuota,
        _ => FaultAction::FreezeServer,
    };
    if fault.target == Fault::TURN_SERVER_IN_USE {
        return Ok((None, action));
    }
    let is_meant = |node: &&Node| matches!(&node.role, Role::TurnServer(server) if server.host == fault.target);
    let node = nodes.iter().find(is_meant).ok_or_else(|| nobody(fault))?;
    Ok((Some(node.name.clone()), action))
}

fn at_peer(fault: &Fault, layout: &Layout) -> Result<FaultAction, PlanError> {
    if fault.kind == FaultKind::PeerFrozen {
        return Ok(FaultAction::Freeze);
    }
    let mut peers = layout.peers.iter();
    let peer = peers.find(|peer| peer.name == fault.target);
    let peer = peer.ok_or_else(|| nobody(fault))?;
    let to = peer.next_attachment(&layout.sites);
    Ok(FaultAction::Move {
        from: peer.attachment(&layout.sites),
        to: to.ok_or_else(|| nobody(fault))?,
    })
}

/// The node of the site that it befalls, and what is done there.
fn at_site(
    fault: &Fault,
    table: String,
    layout: &Layout,
    nodes: &[Node],
    seed: u64,
) -> Result<(String, FaultAction), PlanError> {
    let mut sites = layout.sites.iter();
    let site = sites.find(|site| site.name == fault.target);
    let site = site.ok_or_else(|| nobody(fault))?;
    let gateway = site.gateway();
    let outside = gateway.outside.interface;
    let names = |names| replaced_names(gateway, nodes, names).ok_or_else(|| nobody(fault));
    let action = match fault.kind {
        FaultKind::ForgetMappings => FaultAction::ForgetMappings,
        FaultKind::GatewayRestart => match at_gateway(table, fault, outside) {
            FaultAction::Drop { table, rules } => FaultAction::Restart { table, rules },
            other => other,
        },
        FaultKind::NameMissing => names(Names::Missing)?,
        FaultKind::NameWrong => names(Names::Wrong)?,
        FaultKind::NameSlow => names(Names::Slow)?,
        FaultKind::LinkChange => change_link(fault, seed)?,
        FaultKind::AddressChange => return readdress(fault, site, layout),
        _ => at_gateway(table, fault, outside),
    };
    Ok((gateway.name.clone(), action))
}

fn change_link(fault: &Fault, seed: u64) -> Result<FaultAction, PlanError> {
    let link = changed_link(fault).map_err(|source| PlanError::Link {
        site: fault.target.clone(),
        source,
    })?;
    Ok(FaultAction::ChangeLink {
        link: link.ok_or_else(|| nobody(fault))?,
        seed: seed_for(seed, &in_words(fault)),
    })
}

/// What the link becomes.
fn changed_link(fault: &Fault) -> Result<Option<Link>, TraceNotLoaded> {
    let preset = fault.link.unwrap_or_default();
    preset.overridden(fault.link_override.as_ref())
}

/// The least that a packet takes to cross the link that this fault makes of the site's, if it changes that.
pub(crate) fn least_delay(fault: &Fault) -> Option<LeastDelay> {
    let changes = fault.kind == FaultKind::LinkChange;
    // One that no link can be made of is no plan.
    let link = changed_link(fault).ok().flatten().filter(|_| changes)?;
    let least_us = |line: &LinkDirection| {
        let spread_ms = match line.jitter_distribution {
            JitterDistribution::Uniform => line.jitter_ms,
            // Has no end.
            JitterDistribution::Normal if line.jitter_ms > 0.0 => line.delay_ms,
            JitterDistribution::Normal => 0.0,
        };
        ((line.delay_ms - spread_ms).max(0.0) * 1e3) as u64
    };
    Some(LeastDelay {
        up_us: least_us(&link.up),
        down_us: least_us(&link.down),
    })
}

/// It is the outermost translation that has the site's public address.
fn readdress(
    fault: &Fault,
    site: &SiteLayout,
    layout: &Layout,
) -> Result<(String, FaultAction), PlanError> {
    let router = site.routers.last().ok_or_else(|| nobody(fault))?;
    let next = next_address(layout, &router.name)?;
    let Port {
        interface,
        subnet,
        address,
        ..
    } = &router.outside;
    let change = Readdressing {
        interface: (*interface).to_owned(),
        from: within(*address, *subnet),
        to: within(next, *subnet),
    };
    Ok((router.name.clone(), FaultAction::Readdress(change)))
}

/// What every site's gateway drops for a fault that befalls a server from outside, for each server.
fn around(kind: FaultKind, table: &str, layout: &Layout) -> BTreeMap<String, Vec<GatewayAction>> {
    let ports = match kind {
        FaultKind::ServerBlackHoled => None,
        FaultKind::RelayPortsBlocked => Some(RELAY_PORTS),
        _ => return BTreeMap::new(),
    };
    let of_ports = |which: &str| {
        ports.map_or(String::new(), |(first, last)| {
            format!(" udp {which} {first}-{last}")
        })
    };
    let at = |address: Ipv4Addr, outside: &str| {
        let inward = format!(
            "iifname \"{outside}\" ip saddr {address}{}",
            of_ports("sport")
        );
        let outward = format!(
            "oifname \"{outside}\" ip daddr {address}{}",
            of_ports("dport")
        );
        dropping(table.to_owned(), &[inward], &[outward])
    };
    let servers = layout.servers.iter().filter(|server| server.demand.relays);
    servers
        .map(|server| {
            let gateways = layout.sites.iter().map(|site| site.gateway());
            let actions = gateways.map(|gateway| GatewayAction {
                gateway: gateway.name.clone(),
                action: at(server.address, gateway.outside.interface),
            });
            (server.demand.host.clone(), actions.collect())
        })
        .collect()
}

/// What a site's resolver says of the lab's servers while its names are broken.
#[derive(Clone, Copy)]
enum Names {
    /// That there are none.
    Missing,
    /// That they are at an address that nobody has.
    Wrong,
    /// What is right, and late.
    Slow,
}

/// What breaks the names that a site's resolver gives; `None` if it knows none.
fn replaced_names(gateway: &Router, nodes: &[Node], names: Names) -> Option<FaultAction> {
    let node = nodes.iter().find(|node| node.name == gateway.name)?;
    let Role::Gateway(role) = &node.role else {
        return None;
    };
    let (mut configuration, mut asked) = (String::new(), None);
    for line in role.dnsmasq.as_ref()?.lines() {
        let record = line
            .strip_prefix("host-record=")
            .filter(|record| !is_signalling(record));
        let Some((name, address)) = record.and_then(|record| record.split_once(',')) else {
            let is_port = matches!(names, Names::Slow) && line.starts_with("port=");
            configuration += &match is_port {
                true => format!("port={DELAYED_DNS_PORT}\n"),
                false => format!("{line}\n"),
            };
            continue;
        };
        let address = match names {
            Names::Missing => None,
            Names::Wrong => Some(NOBODYS_ADDRESS),
            Names::Slow => Some(address.parse().ok()?),
        };
        if let Some(address) = address {
            configuration += &format!("host-record={name},{address}\n");
        }
        asked = Some((name.to_owned(), address));
    }
    let (name, address) = asked?;
    Some(FaultAction::ReplaceNames {
        configuration,
        delay_ms: match names {
            Names::Slow => Some(SLOW_MS),
            Names::Missing | Names::Wrong => role.dns_delay_ms,
        },
        name,
        address,
    })
}

/// Whether a resolver's record is the signalling server's, which stays as it is.
fn is_signalling(record: &str) -> bool {
    record
        .split_once(',')
        .is_some_and(|(name, _)| name == SIGNALLING_HOST)
}

/// What a site's gateway drops at its outer interface. There every packet passes once, whichever way it takes through
/// the gateway.
fn at_gateway(table: String, fault: &Fault, outside: &str) -> FaultAction {
    let matched = content(fault.kind);
    let rules = |way: &str, far: &str| -> Vec<String> {
        let rule = rule(fault, far);
        let matched = matched.iter();
        matched
            .map(|content| format!("{way} \"{outside}\" {content}{rule}"))
            .collect()
    };
    let inward = match fault.direction {
        Some(Direction::Out) => Vec::new(),
        _ => rules("iifname", "saddr"),
    };
    let outward = match fault.direction {
        Some(Direction::In) => Vec::new(),
        _ => rules("oifname", "daddr"),
    };
    dropping(table, &inward, &outward)
}

/// What a rule of a scenario's own matches, where the other end's address is the packet's `far` one.
fn rule(fault: &Fault, far: &str) -> String {
    let mut matched = Vec::new();
    if let Some(address) = fault.address {
        matched.push(format!("ip {far} {address}"));
    }
    if let Some(protocol) = fault.protocol {
        let protocol = match protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        matched.push(format!("meta l4proto {protocol}"));
    }
    // Which of its ports is the other end's follows from the direction in which the connection was opened.
    if let Some(port) = fault.port {
        matched.push(match far {
            "saddr" => format!("th sport {port}"),
            _ => format!("th dport {port}"),
        });
    }
    matched.join(" ")
}

/// What is matched, over UDP by the first byte of the payload (RFC 7983 section 7), of which a TURN server's and its
/// client's stands behind the four bytes of a ChannelData header (RFC 8656 section 12.4).
fn content(kind: FaultKind) -> Vec<String> {
    let first_byte = |first: u8, last: u8| {
        vec![
            format!("meta l4proto udp @th,64,8 {first}-{last}"),
            format!("meta l4proto udp @th,64,8 64-79 @th,96,8 {first}-{last}"),
        ]
    };
    match kind {
        FaultKind::DropStun => vec!["meta l4proto udp @th,64,8 0-3".to_owned()],
        FaultKind::DropDtls => first_byte(20, 63),
        FaultKind::DropRtp => first_byte(128, 191),
        FaultKind::DropLarge => vec![format!("meta length > {LARGE_BYTES}")],
        _ => vec![String::new()],
    }
}

/// A table that drops what comes in and what goes out by these matches: before connection tracking sees what comes,
/// and after all else has seen what goes.
fn dropping(table: String, inward: &[String], outward: &[String]) -> FaultAction {
    let counter = FaultAction::DROPPED;
    let chain = |name: &str, hook: &str, matches: &[String]| {
        let rules: String = matches
            .iter()
            .map(|matched| format!("\t\t{matched} counter name \"{counter}\" drop\n"))
            .collect();
        format!("\tchain {name} {{\n\t\ttype filter hook {hook}; policy accept;\n{rules}\t}}\n")
    };
    let rules = format!(
        "table inet {table} {{\n\tcounter {counter} {{ }}\n{}{}}}\n",
        chain("inward", "prerouting priority -350", inward),
        chain("outward", "postrouting priority 350", outward),
    );
    FaultAction::Drop { table, rules }
}
