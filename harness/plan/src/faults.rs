//! What breaks in the middle of a call: what each fault does at which node.

use crate::coturn::RELAY_PORTS;
use crate::error::PlanError;
use crate::layout::{Layout, Router};
use crate::model::{FaultAction, GatewayAction, Node, PlannedFault, Role};
use crate::nodes::NOBODYS_ADDRESS;
use farcall_scenario::{Direction, Fault, FaultKind, Scenario};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Packets larger than this many bytes are dropped by [`FaultKind::DropLarge`].
const LARGE_BYTES: u16 = 1_000;

/// The faults of a scenario.
pub(crate) fn faults(
    scenario: &Scenario,
    layout: &Layout,
    nodes: &[Node],
) -> Result<Vec<PlannedFault>, PlanError> {
    let faults = scenario.faults.iter().enumerate();
    faults
        .map(|(index, fault)| planned(index + 1, fault, layout, nodes))
        .collect()
}

/// What a fault is: `link-down at office`.
pub(crate) fn in_words(fault: &Fault) -> String {
    let way = match fault.direction {
        None => "at",
        Some(Direction::Out) => "out of",
        Some(Direction::In) => "into",
    };
    format!("{} {way} {}", fault.kind, fault.target)
}

fn planned(
    number: usize,
    fault: &Fault,
    layout: &Layout,
    nodes: &[Node],
) -> Result<PlannedFault, PlanError> {
    let what = in_words(fault);
    let nobody = || PlanError::FaultTarget {
        fault: what.clone(),
        target: fault.target.clone(),
    };
    let table = format!("fault-{number}");
    let (node, action) = if fault.kind.is_of_server() {
        let action = at_server(fault.kind);
        if fault.target == Fault::TURN_SERVER_IN_USE {
            return Ok(PlannedFault {
                what,
                node: None,
                action,
                around: around(fault.kind, &table, layout),
                from: fault.from,
                until: fault.until,
            });
        }
        let mut servers = nodes.iter().filter(
            |node| matches!(&node.role, Role::TurnServer(server) if server.host == fault.target),
        );
        let node = servers.next().ok_or_else(nobody)?;
        (node.name.clone(), action)
    } else {
        let mut sites = layout.sites.iter();
        let site = sites
            .find(|site| site.name == fault.target)
            .ok_or_else(nobody)?;
        let gateway = site.gateway();
        let action = match fault.kind {
            FaultKind::ForgetMappings => FaultAction::ForgetMappings,
            FaultKind::NameMissing => replaced_names(gateway, nodes, None).ok_or_else(nobody)?,
            FaultKind::NameWrong => {
                replaced_names(gateway, nodes, Some(NOBODYS_ADDRESS)).ok_or_else(nobody)?
            }
            kind => at_gateway(
                table.clone(),
                kind,
                fault.direction,
                gateway.outside.interface,
            ),
        };
        (gateway.name.clone(), action)
    };
    Ok(PlannedFault {
        what,
        node: Some(node),
        action,
        around: around(fault.kind, &table, layout),
        from: fault.from,
        until: fault.until,
    })
}

/// What a server does itself, or its agent to it.
fn at_server(kind: FaultKind) -> FaultAction {
    match (kind, kind.certificate()) {
        (_, Some(flaw)) => FaultAction::ReplaceCertificate { flaw },
        (FaultKind::ServerDown, _) => FaultAction::KillServer,
        (FaultKind::ServerRestarted, _) => FaultAction::RestartServer,
        (FaultKind::CredentialsChanged, _) => FaultAction::ChangeCredentials,
        (FaultKind::QuotaExhausted, _) => FaultAction::ExhaustQuota,
        _ => FaultAction::FreezeServer,
    }
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

/// The resolver's configuration without the names of the lab's servers, or with another address for all of them.
fn replaced_names(
    gateway: &Router,
    nodes: &[Node],
    address: Option<Ipv4Addr>,
) -> Option<FaultAction> {
    let node = nodes.iter().find(|node| node.name == gateway.name)?;
    let Role::Gateway(role) = &node.role else {
        return None;
    };
    let (mut configuration, mut name) = (String::new(), None);
    for line in role.dnsmasq.as_ref()?.lines() {
        let record = line
            .strip_prefix("host-record=")
            .and_then(|record| record.split_once(','));
        match (record, address) {
            (None, _) => configuration += &format!("{line}\n"),
            (Some((of, _)), None) => name = Some(of),
            (Some((of, _)), Some(address)) => {
                name = Some(of);
                configuration += &format!("host-record={of},{address}\n");
            }
        }
    }
    Some(FaultAction::ReplaceNames {
        configuration,
        name: name?.to_owned(),
        address,
    })
}

/// What a site's gateway drops at its outer interface. There every packet passes once, whichever way it takes through
/// the gateway.
fn at_gateway(
    table: String,
    kind: FaultKind,
    direction: Option<Direction>,
    outside: &str,
) -> FaultAction {
    let matched = content(kind);
    let rules = |way: &str| -> Vec<String> {
        let matched = matched.iter();
        matched
            .map(|content| format!("{way} \"{outside}\" {content}"))
            .collect()
    };
    let inward = match direction {
        Some(Direction::Out) => Vec::new(),
        _ => rules("iifname"),
    };
    let outward = match direction {
        Some(Direction::In) => Vec::new(),
        _ => rules("oifname"),
    };
    dropping(table, &inward, &outward)
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
