//! What is written about each node in the picture.

use crate::StoredRun;
use crate::dropped::counted;
use crate::place::{node_of_fault, server_of};
use farcall_plan::{TopologyPeer, TopologyRouter, TopologyServer};
use farcall_timeline::{Event, FaultEdge};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// How many rules that blocked are named in the picture; all are in the tables.
const MOST_RULES: usize = 4;

/// A node with what is said of it.
#[derive(Debug, Clone)]
pub(super) struct Card {
    pub(super) node: String,
    /// `peer`, `gateway` or `server`.
    pub(super) kind: &'static str,
    pub(super) title: String,
    pub(super) lines: Vec<Line>,
}

/// A line of a card.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Its class: `drop`, `fault`, or nothing in particular.
    pub(super) kind: &'static str,
    pub(super) text: String,
}

/// The cards of a lab.
#[derive(Debug, Clone)]
pub(super) struct Cards {
    pub(super) servers: Vec<Card>,
    pub(super) sites: Vec<SiteCards>,
}

/// The cards of a site; the routers from the gateway outwards.
#[derive(Debug, Clone)]
pub(super) struct SiteCards {
    pub(super) title: String,
    pub(super) routers: Vec<Card>,
    pub(super) peers: Vec<Card>,
}

pub(super) fn cards(run: &StoredRun) -> Cards {
    let topology = &run.topology;
    let sites = topology.sites.iter().map(|site| SiteCards {
        title: match site.lan {
            Some(lan) => format!("{}, {lan}", site.name),
            None => site.name.clone(),
        },
        routers: site.routers.iter().map(|at| router(run, at)).collect(),
        peers: site.peers.iter().map(|at| peer(run, at)).collect(),
    });
    Cards {
        servers: topology.servers.iter().map(|at| server(run, at)).collect(),
        sites: sites.collect(),
    }
}

fn plain(text: String) -> Line {
    Line {
        kind: "plain",
        text,
    }
}

fn addresses(addresses: &[IpAddr]) -> Option<Line> {
    let words: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    (!words.is_empty()).then(|| plain(words.join(", ")))
}

fn peer(run: &StoredRun, at: &TopologyPeer) -> Card {
    let mut lines: Vec<Line> = addresses(&at.addresses).into_iter().collect();
    if let Some(peer) = run.result.peers.get(&at.name) {
        let mut states = peer.states.iter().rev();
        if let Some(last) = states.find(|state| state.machine == "connection") {
            lines.push(plain(format!("connection {} in the end", last.state)));
        }
        let mut found: BTreeMap<String, usize> = BTreeMap::new();
        for candidate in &peer.candidates {
            *found
                .entry(candidate.candidate_type.to_string())
                .or_default() += 1;
        }
        let words: Vec<String> = found
            .iter()
            .map(|(kind, count)| format!("{count} {kind}"))
            .collect();
        lines.push(plain(match words.is_empty() {
            true => "no candidates".to_owned(),
            false => format!("candidates: {}", words.join(", ")),
        }));
    }
    lines.extend(faults(run, &at.name));
    Card {
        node: at.name.clone(),
        kind: "peer",
        title: at.name.clone(),
        lines,
    }
}

fn router(run: &StoredRun, at: &TopologyRouter) -> Card {
    let does = [
        ("NAT", &at.nat),
        ("firewall", &at.firewall),
        ("link", &at.link),
    ];
    let does = does
        .into_iter()
        .filter_map(|(what, name)| name.as_ref().map(|name| plain(format!("{what} {name}"))));
    let mut lines: Vec<Line> = addresses(&at.addresses).into_iter().chain(does).collect();
    let counts = counted(run, &at.name);
    let mut blocked: Vec<_> = counts.iter().filter(|count| count.blocks).collect();
    blocked.sort_by_key(|count| std::cmp::Reverse(count.packets));
    for count in blocked.iter().take(MOST_RULES) {
        let plural = if count.packets == 1 { "" } else { "s" };
        lines.push(Line {
            kind: "drop",
            text: format!("\u{2715} {} packet{plural}: {}", count.packets, count.rule),
        });
    }
    if let more @ 1.. = blocked.len().saturating_sub(MOST_RULES) {
        lines.push(Line {
            kind: "drop",
            text: format!("and {more} rules more"),
        });
    }
    lines.extend(faults(run, &at.name));
    Card {
        node: at.name.clone(),
        kind: "gateway",
        title: at.name.clone(),
        lines,
    }
}

fn server(run: &StoredRun, at: &TopologyServer) -> Card {
    let mut ports: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for listener in &at.listeners {
        let of_transport = ports.entry(listener.transport.to_string()).or_default();
        of_transport.push(listener.port.to_string());
    }
    let listeners: Vec<String> = ports
        .iter()
        .map(|(transport, ports)| format!("{transport} {}", ports.join(" ")))
        .collect();
    let mut lines: Vec<Line> = addresses(&at.addresses).into_iter().collect();
    if !listeners.is_empty() {
        lines.push(plain(format!("listens: {}", listeners.join(", "))));
    }
    for (name, peer) in &run.result.peers {
        let own = peer.ice_servers.iter();
        let own = own.filter(|report| server_of(run, &report.url) == Some(&at.node));
        let (mut all, mut good) = (0, 0);
        for report in own {
            all += 1;
            good += usize::from(report.outcome.is_success());
        }
        if all > 0 {
            lines.push(Line {
                kind: if good == 0 { "drop" } else { "plain" },
                text: format!("{name}: {good} of {all} URLs worked"),
            });
        }
    }
    lines.extend(faults(run, &at.node));
    Card {
        node: at.node.clone(),
        kind: "server",
        title: at.host.clone(),
        lines,
    }
}

/// The faults at a node, each as its end told of it, or its beginning.
fn faults(run: &StoredRun, node: &str) -> Vec<Line> {
    let mut told: BTreeMap<u32, String> = BTreeMap::new();
    for entry in run.timeline.entries() {
        let Event::Fault(fault) = &entry.event else {
            continue;
        };
        if node_of_fault(run, fault) == Some(node) {
            let dropped = fault
                .dropped_packets
                .filter(|_| fault.edge == FaultEdge::Mended);
            let kind = fault.what.split_whitespace().next().unwrap_or_default();
            let text = match dropped {
                Some(packets) => format!("{kind}, {packets} packets dropped"),
                None => kind.to_owned(),
            };
            told.insert(fault.number, format!("fault {}: {text}", fault.number));
        }
    }
    let lines = told.into_values().map(|text| Line {
        kind: "fault",
        text,
    });
    lines.collect()
}
