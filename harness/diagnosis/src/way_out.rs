//! What to write in the configuration so that a peer reaches its TURN server from its network: what the network was
//! measured to let through decides.

use crate::case::Case;
use crate::words::{and, code};
use farcall_plan::Payload::{Plain, Tls};
use farcall_plan::ProbeProtocol::{Tcp, Udp};
use farcall_plan::{Fact, Passage, Payload, ProbeProtocol};
use farcall_scenario::{IceUrl, Scheme};
use std::collections::BTreeSet;

/// The port that every network lets something through on.
const HTTPS: u16 = 443;

/// What stands for a TURN server where the configuration has none.
const NO_HOST: &str = "YOUR-TURN-SERVER";

/// What to do.
pub(crate) struct WayOut {
    pub(crate) next_step: String,
    /// Without what the configuration has already.
    pub(crate) add_urls: Vec<String>,
}

/// What of TLS on port 443 a network lets through.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Https {
    /// All of it.
    Open,
    /// What asks for one of these server names.
    OnlyFor(Vec<String>),
    /// What the firewall itself answers.
    Intercepted,
    /// None, or none that was measured.
    Closed,
}

/// What of TLS on port 443 was measured to leave a peer's network.
pub(crate) fn https<'a>(case: &Case<'a>, peer: &'a str) -> Https {
    if case.passes(peer, (Tcp, HTTPS, Tls), None) {
        return Https::Open;
    }
    let mut names = Vec::new();
    for (fact, measured) in case.facts(peer) {
        if let Fact::Passage {
            protocol: Tcp,
            port: HTTPS,
            payload: Tls,
            server_name,
            proxy: None,
            passage,
        } = fact
            && measured.holds
        {
            match (passage, server_name) {
                (Passage::Passes, Some(name)) => names.push(name.clone()),
                (Passage::Intercepted, _) => return Https::Intercepted,
                _ => {}
            }
        }
    }
    match names.is_empty() {
        true => Https::Closed,
        false => Https::OnlyFor(names),
    }
}

/// The host whose TURN server the configuration should offer in another way.
pub(crate) fn turn_host(case: &Case<'_>) -> Option<String> {
    case.turn_urls().next().map(|url| url.host.clone())
}

/// A TURN URL that reaches a host over TLS on port 443.
pub(crate) fn turns(host: &str) -> String {
    format!("turns:{host}:443?transport=tcp")
}

/// What gets a peer's TURN traffic out of its network.
pub(crate) fn way_out<'a>(case: &Case<'a>, peer: &'a str) -> WayOut {
    let host = turn_host(case).unwrap_or_else(|| NO_HOST.to_owned());
    match https(case, peer) {
        Https::Open => {
            let why = format!(
                "That is TLS on TCP 443, which was measured to leave the network of {peer} and leaves nearly every other."
            );
            add(case, peer, turns(&host), "TLS on TCP 443", &why)
        }
        Https::OnlyFor(names) => only_for(case, peer, &names, &host),
        Https::Intercepted => other_way(case, peer, &host).unwrap_or_else(|| exempted(case, &host)),
        Https::Closed => other_way(case, peer, &host).unwrap_or_else(|| nothing(case, peer, &host)),
    }
}

/// What helps where the firewall lets TLS through for these server names alone.
fn only_for(case: &Case<'_>, peer: &str, names: &[String], host: &str) -> WayOut {
    let mut hosts = case.turn_urls().map(|url| url.host.as_str());
    if let Some(host) = hosts.find(|host| names.iter().any(|name| name == host)) {
        let why = format!(
            "That is TLS on TCP 443 for {host}, which the firewall in front of {peer} lets through."
        );
        return add(case, peer, turns(host), "TLS on TCP 443", &why);
    }
    let configured: Vec<&IceUrl> = case
        .turn_urls()
        .filter(|url| url.scheme == Scheme::Turns && url.port == HTTPS)
        .collect();
    let names = and(names);
    let instead = format!(
        "to the server names that it lets through ({names} now), or use a TURN server of such a name."
    );
    if configured.is_empty() {
        let url = turns(host);
        return WayOut {
            next_step: format!(
                "Add {} and have those who run the firewall add {host} {instead}",
                code(&url)
            ),
            add_urls: vec![url],
        };
    }
    WayOut {
        next_step: format!(
            "The configuration has {} already. Have those who run the firewall add {} {instead}",
            and(configured.iter().map(|url| code(&url.text))),
            and(configured
                .iter()
                .map(|url| &url.host)
                .collect::<BTreeSet<_>>())
        ),
        add_urls: Vec::new(),
    }
}

/// What helps where TLS is opened by the firewall and nothing else passes: nothing that an application could write alone.
fn exempted(case: &Case<'_>, host: &str) -> WayOut {
    let next_step = format!(
        "Have those who run the firewall exempt {host} from TLS inspection; without that no configuration gets through. A \
         client that trusts the company's authority ends no handshake, but then speaks TURN to an inspection that expects \
         web traffic."
    );
    let url = turns(host);
    match case.is_configured(&url) {
        true => WayOut {
            next_step,
            add_urls: Vec::new(),
        },
        false => WayOut {
            next_step: format!("{next_step} And add {}.", code(&url)),
            add_urls: vec![url],
        },
    }
}

/// What helps where nothing gets out.
fn nothing(case: &Case<'_>, peer: &str, host: &str) -> WayOut {
    let url = turns(host);
    let open = format!(
        "Nothing that a TURN server could listen on was measured to leave the network of {peer}. Have those who run it open \
         TCP 443 to {host}"
    );
    match case.is_configured(&url) {
        true => WayOut {
            next_step: format!("{open}; the configuration has {} already.", code(&url)),
            add_urls: Vec::new(),
        },
        false => WayOut {
            next_step: format!("{open}, and add {}.", code(&url)),
            add_urls: vec![url],
        },
    }
}

/// What was measured to leave a peer's network beside TLS on port 443, if anything: first what the configuration lacks.
fn other_way<'a>(case: &Case<'a>, peer: &'a str, host: &str) -> Option<WayOut> {
    let ways: [(ProbeProtocol, u16, Payload); 6] = [
        (Tcp, HTTPS, Plain),
        (Udp, 3478, Plain),
        (Udp, HTTPS, Plain),
        (Tcp, 3478, Plain),
        (Tcp, 5349, Tls),
        (Tcp, 80, Plain),
    ];
    let passing = ways.into_iter().filter(|way| case.passes(peer, *way, None));
    let mut passing: Vec<(String, String)> = passing
        .map(|(protocol, port, payload)| match (protocol, payload) {
            (Udp, _) => (format!("turn:{host}:{port}"), format!("UDP {port}")),
            (Tcp, Plain) => (
                format!("turn:{host}:{port}?transport=tcp"),
                format!("TCP {port}"),
            ),
            (Tcp, Tls) => (
                format!("turns:{host}:{port}?transport=tcp"),
                format!("TCP {port}"),
            ),
        })
        .collect();
    passing.sort_by_key(|(url, _)| case.is_configured(url));
    let (url, words) = passing.into_iter().next()?;
    let why = format!(
        "{words} was measured to leave the network of {peer}; TLS on TCP 443 does not reach a server from there."
    );
    Some(add(case, peer, url, &words, &why))
}

/// To offer this URL, which the network was measured to let out. Where the configuration has it, the network keeps it from
/// this server alone.
fn add(case: &Case<'_>, peer: &str, url: String, listener: &str, why: &str) -> WayOut {
    let url_as_code = code(&url);
    if case.is_configured(&url) {
        return WayOut {
            next_step: format!(
                "The configuration has {url_as_code} already, and {listener} leaves the network of {peer} for other places: \
                 have those who run it let that through to the TURN server too."
            ),
            add_urls: Vec::new(),
        };
    }
    let what = match turn_host(case) {
        Some(_) => {
            format!("Add {url_as_code} beside the others, with the same user name and credential.")
        }
        None => {
            format!("Set up a TURN server and add {url_as_code} with its user name and credential.")
        }
    };
    WayOut {
        next_step: format!("{what} {why} The TURN server must listen for {listener}."),
        add_urls: vec![url],
    }
}
