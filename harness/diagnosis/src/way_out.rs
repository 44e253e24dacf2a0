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
            add(turns(&host), is_known, &text, Some("TLS on TCP 443"))
        }
        Https::OnlyFor(names) if names.contains(&host) => {
            let text = format!(
                "That is TLS on TCP 443 for {host}, which the firewall in front of {peer} lets through."
            );
            add(turns(&host), is_known, &text, Some("TLS on TCP 443"))
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
        Https::Intercepted => intercepted(case),
        Https::Closed => without_https(case, peer, &host, is_known),
    }
}

/// What helps where TLS is opened by the firewall: nothing that an application could write alone.
pub(crate) fn intercepted(case: &Case<'_>) -> WayOut {
    let host = turn_host(case);
    let has_tls = case.turn_urls().any(|url| url.text == turns(&url.host));
    let mut add_urls = Vec::new();
    let named = host.as_deref().unwrap_or(NO_HOST);
    let mut next_step = format!(
        "Have those who run the firewall exempt {named} from TLS inspection. Until then no configuration gets through: \
         a browser accepts the firewall's certificate for web pages, where the company has installed its authority, but \
         what is inspected is then no web traffic, and most such firewalls end it."
    );
    if !has_tls {
        let url = turns(named);
        next_step.push_str(&format!(" Then add {} too.", code(&url)));
        add_urls.push(url);
    }
    WayOut {
        next_step,
        add_urls,
    }
}

fn without_https<'a>(case: &Case<'a>, peer: &'a str, host: &str, is_known: bool) -> WayOut {
    let ways: [(ProbeProtocol, u16, Payload); 6] = [
        (Tcp, HTTPS, Plain),
        (Udp, 3478, Plain),
        (Udp, HTTPS, Plain),
        (Tcp, 3478, Plain),
        (Tcp, 5349, Tls),
        (Tcp, 80, Plain),
    ];
    let open = ways.into_iter().find(|way| case.passes(peer, *way, None));
    let Some((protocol, port, payload)) = open else {
        let next_step = format!(
            "Nothing that a TURN server could listen on was measured to leave the network of {peer}. Have those who run it \
             open TCP 443 to {host}, and add {}.",
            code(turns(host))
        );
        return WayOut {
            next_step,
            add_urls: vec![turns(host)],
        };
    };
    let url = match (protocol, payload) {
        (Udp, _) => format!("turn:{host}:{port}"),
        (Tcp, Plain) => format!("turn:{host}:{port}?transport=tcp"),
        (Tcp, Tls) => format!("turns:{host}:{port}?transport=tcp"),
    };
    let words = match protocol {
        Udp => format!("UDP {port}"),
        Tcp => format!("TCP {port}"),
    };
    let text =
        format!("{words} was measured to leave the network of {peer}; TLS on TCP 443 does not.");
    add(url, is_known, &text, Some(&words))
}

fn add(url: String, is_known: bool, why: &str, listener: Option<&str>) -> WayOut {
    let listen = listener.map_or(String::new(), |what| {
        format!(" The TURN server must listen for {what}.")
    });
    let next_step = match is_known {
        true => format!(
            "Add {} beside the others, with the same user name and credential. {why}{listen}",
            code(&url)
        ),
        false => format!(
            "Set up a TURN server and add {} with its user name and credential. {why}{listen}",
            code(&url)
        ),
    };
    WayOut {
        next_step,
        add_urls: vec![url],
    }
}
