//! `docs/presets.md` is generated from the presets, so that the two cannot differ.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{ContentArrangement, Table};
use farcall_scenario::{
    Action, FirewallPreset, FirewallService, LinkDirection, LinkPreset, Loss, NatPreset, Rate, Rule,
};
use serde::Serialize;
use std::fmt::Write as _;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/presets.md");

/// With `FARCALL_UPDATE=1` in the environment, writes the file instead.
#[test]
fn the_page_of_presets_is_what_the_presets_expand_to() {
    let page = page();
    if std::env::var_os("FARCALL_UPDATE").is_some() {
        std::fs::write(FILE, &page).unwrap();
    }
    let written = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        written == page,
        "docs/presets.md is out of date: FARCALL_UPDATE=1 cargo test -p farcall-scenario --test presets"
    );
}

fn page() -> String {
    let mut page = "# Presets\n\n\
        The names that scenario files use, and what each expands to before anything reads it. This page is \
        generated from the code and tested against it.\n"
        .to_owned();
    let mut section = |title: &str, text: &str, table: &Table| {
        let _ = write!(page, "\n## {title}\n\n{text}\n\n{table}\n");
    };
    section(
        "NATs",
        "`nat = \"NAME\"` of a gateway or carrier. Mapping and filtering in the words of RFC 4787 sections 4.1 \
         and 5, for UDP and TCP; a mapping that is idle for its lifetime is forgotten. `nat_override` replaces \
         single properties.",
        &nats(),
    );
    section(
        "Firewalls",
        "`firewall = \"NAME\"` of a gateway. The rules in their order, by the names of their counters; the \
         first of a direction that matches a connection's first packet decides, and what none matches is \
         dropped. Names are resolved by the site's own \
         resolver behind each of them. `firewall_override` changes single properties: `blocking = \
         \"reject\"` answers with a TCP reset or an ICMP error what else is dropped.",
        &firewalls(),
    );
    section(
        "Links",
        "`link = \"NAME\"` of a site: each direction as the site sees it. Delays are one way, rates are of IP \
         packets. `link_override` replaces single properties.",
        &links(),
    );
    page
}

fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(ASCII_MARKDOWN)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(columns);
    table
}

fn nats() -> Table {
    let mut table = table(&[
        "name",
        "mapping",
        "filtering",
        "ports",
        "hairpinning",
        "UDP lifetime",
        "TCP lifetime",
        "source",
    ]);
    for preset in NatPreset::ALL {
        let mut row = vec![name(preset)];
        match preset.expand(None).unwrap() {
            None => row.extend(["no translation", "", "", "", "", ""].map(str::to_owned)),
            Some(nat) => row.extend([
                nat.mapping.to_string(),
                nat.filtering.to_string(),
                if nat.port_preservation {
                    "preserved"
                } else {
                    "random"
                }
                .to_owned(),
                if nat.hairpinning { "yes" } else { "no" }.to_owned(),
                format!("{} s", nat.udp_timeout_s),
                format!("{} s", nat.tcp_timeout_s),
            ]),
        }
        row.push(preset.source().to_owned());
        table.add_row(row);
    }
    table
}

fn firewalls() -> Table {
    let mut table = table(&[
        "name", "rule", "way", "protocol", "port", "address", "action", "source",
    ]);
    for preset in FirewallPreset::ALL {
        let firewall = preset.expand(None).unwrap();
        let offered = firewall.service.map(service_cells);
        let rows = firewall.rules.iter().map(rule_cells).chain(offered);
        for (index, cells) in rows.enumerate() {
            let once = |text: String| if index == 0 { text } else { String::new() };
            let mut row = vec![once(name(preset))];
            row.extend(cells);
            row.push(once(preset.source().to_owned()));
            table.add_row(row);
        }
    }
    table
}

fn rule_cells(rule: &Rule) -> [String; 6] {
    let any = || "any".to_owned();
    let action = match &rule.action {
        Action::Police(kbit) => format!("accept, police to {kbit} kbit/s"),
        Action::AcceptTlsFor(names) => format!("accept-tls for {}", names.join(", ")),
        other => name(other),
    };
    [
        format!("`{}`", rule.name),
        name(rule.direction),
        rule.protocol.map_or_else(any, name),
        rule.port.map_or_else(any, |port| port.to_string()),
        rule.address.map_or_else(any, |network| network.to_string()),
        action,
    ]
}

/// What the gateway offers beside its rules.
fn service_cells(service: FirewallService) -> [String; 6] {
    let (port, what) = match service {
        FirewallService::HttpProxy { port } => (port.to_string(), "HTTP proxy (CONNECT)"),
        FirewallService::CaptivePortal => (String::new(), "captive portal"),
    };
    let at = "to the gateway itself".to_owned();
    [
        at,
        String::new(),
        "tcp".to_owned(),
        port,
        String::new(),
        what.to_owned(),
    ]
}

fn links() -> Table {
    let mut table = table(&[
        "name", "way", "delay", "loss", "rate", "queue", "MTU", "source",
    ]);
    for preset in LinkPreset::ALL {
        let Some(link) = preset.expand() else {
            let mut row = vec![name(preset)];
            row.extend(["", "none", "none", "no limit", "", "1500"].map(str::to_owned));
            row.push(preset.source().to_owned());
            table.add_row(row);
            continue;
        };
        let ways = [
            (name(preset), "up", &link.up, preset.source()),
            (String::new(), "down", &link.down, ""),
        ];
        for (name, way, direction, source) in ways {
            let mut row = vec![name, way.to_owned()];
            row.extend(direction_cells(direction));
            row.push(source.to_owned());
            table.add_row(row);
        }
    }
    table
}

fn direction_cells(direction: &LinkDirection) -> [String; 5] {
    let delay = match direction.jitter_ms {
        0.0 => format!("{} ms", direction.delay_ms),
        jitter_ms => format!(
            "{} ± {jitter_ms} ms ({})",
            direction.delay_ms,
            name(direction.jitter_distribution)
        ),
    };
    let loss = match direction.loss {
        Loss::None => "none".to_owned(),
        Loss::Random { percent } => format!("{percent} %"),
        Loss::Bursts {
            good_to_bad_percent,
            bad_to_good_percent,
            good_loss_percent,
            bad_loss_percent,
        } => format!(
            "Gilbert-Elliott: {good_to_bad_percent} % into and {bad_to_good_percent} % out of the bad state; \
             {good_loss_percent} % in the good, {bad_loss_percent} % in the bad"
        ),
    };
    let (rate, queue) = match &direction.rate {
        Rate::Unlimited => ("no limit".to_owned(), String::new()),
        Rate::Constant { kbit } => (
            format!("{kbit} kbit/s"),
            format!("{} ms", direction.queue_ms),
        ),
        Rate::Trace { .. } => ("a trace".to_owned(), format!("{} ms", direction.queue_ms)),
    };
    let told = if direction.fragmentation_needed {
        ""
    } else {
        ", the sender is not told"
    };
    [delay, loss, rate, queue, format!("{}{told}", direction.mtu)]
}

/// A preset's name as scenario files have it.
fn name(preset: impl Serialize) -> String {
    let name = serde_json::to_value(preset).unwrap();
    name.as_str().unwrap().to_owned()
}
