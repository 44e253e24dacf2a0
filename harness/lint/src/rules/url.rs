//! What is wrong with single URLs.

use crate::configuration::{Configuration, WrittenUrl};
use crate::finding::Draft;
use crate::rule::Rule;
use crate::url::{Fault, Host, Reading, Scheme, Transport, Url};

/// Those of HTTP, and of TURN without TLS.
const PLAIN_PORTS: [u16; 2] = [80, 3478];

const REFUSED: &str = "`new RTCPeerConnection` throws a SyntaxError for this one URL: there is no call, in any \
     network";

pub(super) fn examine(configuration: &Configuration) -> Vec<Draft> {
    let servers = configuration.servers.iter();
    let urls = servers.flat_map(|server| &server.urls);
    urls.flat_map(|written| match &written.reading {
        Reading::Url(url) => {
            let mut drafts: Vec<Draft> = url
                .faults
                .iter()
                .map(|fault| faulty(written, *fault, Some(url)))
                .collect();
            drafts.extend(doubtful(written, url));
            drafts
        }
        Reading::Broken(fault) => vec![faulty(written, *fault, None)],
        Reading::Computed => Vec::new(),
    })
    .collect()
}

fn faulty(written: &WrittenUrl, fault: Fault, url: Option<&Url>) -> Draft {
    let (rule, message) = match fault {
        Fault::NoScheme => (Rule::MalformedUrl, "the URL has no scheme"),
        Fault::UnknownScheme => (
            Rule::MalformedUrl,
            "the URL's scheme is not one of an ICE server",
        ),
        Fault::NoHost => (Rule::MalformedUrl, "the URL has no host"),
        Fault::BadHost => (
            Rule::MalformedUrl,
            "the URL's host is neither a host name nor an address",
        ),
        Fault::BadPort => (
            Rule::MalformedUrl,
            "the URL's port is not one of 1 to 65535",
        ),
        Fault::Slashes => (Rule::MalformedUrl, "a STUN or TURN URL has no `//`"),
        Fault::User => (Rule::MalformedUrl, "a STUN or TURN URL names no user"),
        Fault::Ipv6WithoutBrackets => (Rule::MalformedUrl, "an IPv6 address stands in brackets"),
        Fault::StunQuery => (Rule::StunQuery, "a STUN URL has nothing after a `?`"),
        Fault::UnknownTransport => (
            Rule::UnknownTransport,
            "TURN has no transport but `udp` and `tcp`",
        ),
        Fault::UnknownQuery => (
            Rule::UnknownTransport,
            "after the `?` of a TURN URL stands `transport=udp`, `transport=tcp` or nothing",
        ),
    };
    let meant = url.map(|url| match fault {
        // Who asks for another transport means TLS.
        Fault::UnknownTransport => format!(
            "write `{}` for TLS, or `{}` for TCP",
            over_tls(url),
            with(url, Scheme::Turn, Transport::Tcp)
        ),
        Fault::User => format!("write `{url}`, and `username` and `credential` beside `urls`"),
        _ => format!("write `{url}`"),
    });
    let example = || match fault {
        Fault::NoHost | Fault::BadHost => {
            "write the host right after the scheme, in ASCII: `turn:turn.example.net:3478`"
        }
        _ => {
            "write for example `turn:turn.example.net:3478`, with `stun:`, `turn:` or `turns:` before the host"
        }
    };
    Draft::new(rule, &written.path, &written.span, message)
        .so(REFUSED)
        .write(meant.unwrap_or_else(|| example().to_owned()))
}

/// What browsers take, and what does not do what it looks like.
fn doubtful(written: &WrittenUrl, url: &Url) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let draft = |rule, message| Draft::new(rule, &written.path, &written.span, message);
    let is_address = matches!(url.host, Host::Ipv4(_) | Host::Ipv6(_));
    if url.scheme == Scheme::Turns && is_address {
        drafts.push(
            draft(
                Rule::TurnsWithAddress,
                format!("`{url}` asks for a certificate that names an address"),
            )
            .so(
                "The handshake fails wherever it is tried, for certificates name hosts: this entry gives no relay \
                 candidate, least of all where TLS is the only way out",
            )
            .write("write the host name that the server's certificate has: `turns:turn.example.net:443?transport=tcp`")
            .seen_in(&["corporate-tls-only"]),
        );
    }
    if url.scheme == Scheme::Turns && url.transport == Transport::Udp {
        drafts.push(
            draft(
                Rule::TurnsOverUdp,
                format!("`{url}` is TURN over DTLS, which browsers do not speak"),
            )
            .so(
                "They make TLS over TCP of it or ignore it, so it does not do over UDP what it seems to; `farcall \
                 run` refuses it",
            )
            .write(format!(
                "write `{}` for TLS, or `{}` for UDP",
                with(url, Scheme::Turns, Transport::Tcp),
                with(url, Scheme::Turn, Transport::Udp)
            )),
        );
    }
    if let Host::Ipv4(address) = url.host {
        drafts.push(
            draft(
                Rule::Ipv4Literal,
                format!("{address} is an IPv4 address, not a host name"),
            )
            .so(
                "From an IPv6-only network without 464XLAT (many mobile carriers) nothing leads to it: this entry \
                 gives no candidate there",
            )
            .write("write a host name that resolves to it")
            .seen_in(&["ipv6-only"]),
        );
    }
    drafts
}

/// The same server by another way.
pub(super) fn with(url: &Url, scheme: Scheme, transport: Transport) -> Url {
    Url {
        scheme,
        transport,
        faults: Vec::new(),
        ..url.clone()
    }
}

/// The same server over TLS, on 443 where its port is one on which nobody has TLS.
pub(super) fn over_tls(url: &Url) -> Url {
    let port = if PLAIN_PORTS.contains(&url.port) {
        443
    } else {
        url.port
    };
    Url {
        port,
        ..with(url, Scheme::Turns, Transport::Tcp)
    }
}
