//! What to write in the configuration so that a peer reaches its TURN server from its network: what the network was
//! measured to let through decides.

use crate::case::Case;
use crate::words::{and, code};
use farcall_plan::Payload::{Plain, Tls};
use farcall_plan::ProbeProtocol::{Tcp, Udp};
use farcall_plan::{Fact, Passage, Payload, ProbeProtocol};

/// The port that every network lets something through on.
const HTTPS: u16 = 443;

/// What stands for a TURN server where the configuration has none.
const NO_HOST: &str = "YOUR-TURN-SERVER";

/// What to do.
pub(crate) struct WayOut {
    pub(crate) next_step: String,
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
    let host = turn_host(case);
    let is_known = host.is_some();
    let host = host.unwrap_or_else(|| NO_HOST.to_owned());
    match https(case, peer) {
        Https::Open => {
            let text = format!(
                "That is TLS on TCP 443, which was measured to leave the network of {peer} and leaves nearly every other."
            );
            add(turns(&host), is_known, &text, "TLS on TCP 443")
        }
        Https::OnlyFor(names) if names.contains(&host) => {
            let text = format!(
                "That is TLS on TCP 443 for {host}, which the firewall in front of {peer} lets through."
            );
            add(turns(&host), is_known, &text, "TLS on TCP 443")
        }
        Https::OnlyFor(names) => {
            let url = turns(&host);
            let next_step = format!(
                "Add {} and have those who run the firewall add {host} to the server names that it lets through ({} now), \
                 or use a TURN server of such a name.",
                code(&url),
                and(&names)
            );
            WayOut {
                next_step,
                add_urls: vec![url],
            }
        }
        Https::Intercepted => {
            other_way(case, peer, &host, is_known).unwrap_or_else(|| exempted(case, &host))
        }
        Https::Closed => {
            other_way(case, peer, &host, is_known).unwrap_or_else(|| nothing(peer, &host))
        }
    }
}

/// What helps where TLS is opened by the firewall and nothing else passes: nothing that an application could write alone.
fn exempted(case: &Case<'_>, host: &str) -> WayOut {
    let mut next_step = format!(
        "Have those who run the firewall exempt {host} from TLS inspection; without that no configuration gets through. A \
         client that trusts the company's authority ends no handshake, but then speaks TURN to an inspection that expects \
         web traffic."
    );
    let url = turns(host);
    if case.turn_urls().any(|known| known.text == url) {
        return WayOut {
            next_step,
            add_urls: Vec::new(),
        };
    }
    next_step.push_str(&format!(" And add {}.", code(&url)));
    WayOut {
        next_step,
        add_urls: vec![url],
    }
}

/// What helps where nothing gets out.
fn nothing(peer: &str, host: &str) -> WayOut {
    let url = turns(host);
    WayOut {
        next_step: format!(
            "Nothing that a TURN server could listen on was measured to leave the network of {peer}. Have those who run it \
             open TCP 443 to {host}, and add {}.",
            code(&url)
        ),
        add_urls: vec![url],
    }
}

/// What was measured to leave a peer's network beside TLS on port 443, if anything.
fn other_way<'a>(case: &Case<'a>, peer: &'a str, host: &str, is_known: bool) -> Option<WayOut> {
    let ways: [(ProbeProtocol, u16, Payload); 6] = [
        (Tcp, HTTPS, Plain),
        (Udp, 3478, Plain),
        (Udp, HTTPS, Plain),
        (Tcp, 3478, Plain),
        (Tcp, 5349, Tls),
        (Tcp, 80, Plain),
    ];
    let mut ways = ways.into_iter();
    let (protocol, port, payload) = ways.find(|way| case.passes(peer, *way, None))?;
    let url = match (protocol, payload) {
        (Udp, _) => format!("turn:{host}:{port}"),
        (Tcp, Plain) => format!("turn:{host}:{port}?transport=tcp"),
        (Tcp, Tls) => format!("turns:{host}:{port}?transport=tcp"),
    };
    let words = match protocol {
        Udp => format!("UDP {port}"),
        Tcp => format!("TCP {port}"),
    };
    let why = format!(
        "{words} was measured to leave the network of {peer}; TLS on TCP 443 does not reach a server from there."
    );
    Some(add(url, is_known, &why, &words))
}

fn add(url: String, is_known: bool, why: &str, listener: &str) -> WayOut {
    let url_as_code = code(&url);
    let what = match is_known {
        true => {
            format!("Add {url_as_code} beside the others, with the same user name and credential.")
        }
        false => {
            format!("Set up a TURN server and add {url_as_code} with its user name and credential.")
        }
    };
    WayOut {
        next_step: format!("{what} {why} The TURN server must listen for {listener}."),
        add_urls: vec![url],
    }
}
