//! What an ICE configuration asks for that no lab can have.

use farcall_scenario::{IceConfiguration, IceUrl};

/// What no lab can have of an ICE configuration, and what is left of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// What it is, why not, and what to do.
    pub reason: String,
    /// The configuration without it.
    pub rest: IceConfiguration,
}

/// What no lab can have of an ICE configuration; `None` where it can be tried as it is.
///
/// It is servers that URLs name by IPv6 literal. A lab gives its servers IPv4 addresses, and where a site has IPv6 each
/// has the one that its IPv4 address leads to. So nobody is at an address that is written in a URL, and a call
/// would come to what it comes to where the server is down.
#[must_use]
pub fn unsupported(ice: &IceConfiguration) -> Option<Unsupported> {
    let urls = ice.urls().map(|(_, url)| url);
    let literals = urls.filter(|url| is_literal(url));
    let literals: Vec<&str> = literals.map(|url| url.text.as_str()).collect();
    if literals.is_empty() {
        return None;
    }
    let mut rest = ice.clone();
    for server in &mut rest.ice_servers {
        server.urls.retain(|url| !is_literal(url));
    }
    rest.ice_servers.retain(|server| !server.urls.is_empty());
    Some(Unsupported {
        reason: format!(
            "{}: no lab has a server at an IPv6 address that is written in a URL, since its servers get their IPv6 \
             addresses from the lab; write a host name, which resolves to IPv6 too where a site has it",
            literals.join(", ")
        ),
        rest,
    })
}

fn is_literal(url: &IceUrl) -> bool {
    url.ipv6().is_some()
}
