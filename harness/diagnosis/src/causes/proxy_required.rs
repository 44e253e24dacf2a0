//! Only an HTTP proxy leads out, and the client does not use it.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::way_out::turns;
use crate::words::code;
use farcall_plan::{Fact, Passage};
use farcall_timeline::IceTransport;
use std::net::SocketAddrV4;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    let used = &case.run.declared.call.proxies;
    let stranded = case.stranded().into_iter();
    let (peer, proxy) = stranded
        .filter(|peer| !used.contains_key(*peer))
        .find_map(|peer| Some((peer, only_way(case, peer)?)))?;
    let attempts = case.attempts(peer);
    let mut seen: Vec<_> = attempts.iter().map(evidence::attempt).collect();
    seen.extend(evidence::signalling(case, peer));
    seen.extend(evidence::rules(case, &attempts));
    seen.extend(evidence::attested(case, peer, |fact| {
        matches!(
            fact,
            Fact::Passage {
                proxy: Some(_),
                passage: Passage::Passes,
                ..
            }
        )
    }));
    let host = case.turn_urls().next().map(|url| url.host.as_str());
    let streams = case
        .turn_urls()
        .any(|url| url.transport != IceTransport::Udp);
    let add = match (host, streams) {
        (_, true) => None,
        (Some(host), false) => Some(turns(host)),
        (None, false) => Some(turns("YOUR-TURN-SERVER")),
    };
    let besides = add.as_ref().map_or(String::new(), |url| {
        format!(
            " And add {}: a proxy carries TCP and TLS, not UDP.",
            code(url)
        )
    });
    Some(Finding {
        summary: format!(
            "From the network of {peer} only the HTTP proxy {proxy} leads out, and the client does not use it: whatever it \
             sends to a server itself is dropped."
        ),
        evidence: seen,
        next_step: format!(
            "Let the client use the proxy (HTTP CONNECT to port 443). Browsers take it from the system's settings or a PAC \
             file; a native client must be told, and not every WebRTC library can. Or have those who run the network open \
             TCP 443 to the TURN server.{besides}"
        ),
        add_urls: add.into_iter().collect(),
        ..Finding::default()
    })
}

/// The proxy, if something passes through it that does not pass without, and nothing passes straight.
fn only_way<'a>(case: &Case<'a>, peer: &'a str) -> Option<SocketAddrV4> {
    let mut through = None;
    for (fact, measured) in case.facts(peer) {
        if let Fact::Passage {
            proxy,
            passage: Passage::Passes,
            port,
            ..
        } = fact
        {
            match proxy {
                Some(proxy) if measured.holds => through = Some(*proxy),
                // The resolver's port is no way to a TURN server.
                None if *port != 53 => return None,
                _ => {}
            }
        }
    }
    through
}
