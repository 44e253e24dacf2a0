//! STUN and TURN URLs, read with all their mistakes (RFC 7064, RFC 7065).

use farcall_literal::HOLE;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The port of `stun:` and `turn:` where none is written.
const PLAIN_PORT: u16 = 3478;

/// The port of `stuns:` and `turns:` where none is written.
const TLS_PORT: u16 = 5349;

/// What a URL means, as far as that can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    pub scheme: Scheme,
    pub host: Host,
    /// The port, or the scheme's; 0 where what is written is no port.
    pub port: u16,
    pub transport: Transport,
    /// What makes browsers refuse it.
    pub faults: Vec<Fault>,
}

/// A URL's scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    Stun,
    Stuns,
    Turn,
    Turns,
}

/// A URL's host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    Name(String),
    Ipv4(Ipv4Addr),
    Ipv6(Ipv6Addr),
    /// Known when the program runs.
    Computed,
}

/// What `?transport=` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    NotWritten,
    Udp,
    Tcp,
    /// Known when the program runs.
    Computed,
}

/// What is wrong with a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    NoScheme,
    UnknownScheme,
    NoHost,
    BadHost,
    BadPort,
    Slashes,
    User,
    Ipv6WithoutBrackets,
    StunQuery,
    /// `transport=` is written, with a value that is none.
    UnknownTransport,
    /// Something else stands after the `?`.
    UnknownQuery,
}

/// What a text is as a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    Url(Url),
    /// It cannot be told what it means.
    Broken(Fault),
    /// Known when the program runs.
    Computed,
}

impl Url {
    pub fn is_turn(&self) -> bool {
        matches!(self.scheme, Scheme::Turn | Scheme::Turns)
    }

    /// Whether it reaches its server over TCP, with TLS or without.
    pub fn is_stream(&self) -> bool {
        self.scheme == Scheme::Turns
            || self.scheme == Scheme::Turn && self.transport == Transport::Tcp
    }

    /// Scheme, host, port and way to the server: what two URLs that do the same agree in.
    pub fn identity(&self) -> Option<(Scheme, &Host, u16, bool)> {
        let is_known = self.host != Host::Computed && self.transport != Transport::Computed;
        (is_known && self.port != 0).then(|| (self.scheme, &self.host, self.port, self.is_stream()))
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Stun => "stun",
            Self::Stuns => "stuns",
            Self::Turn => "turn",
            Self::Turns => "turns",
        })
    }
}

/// As it stands in a URL.
impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Ipv4(address) => write!(formatter, "{address}"),
            Self::Ipv6(address) => write!(formatter, "[{address}]"),
            Self::Computed => formatter.write_str("HOST"),
        }
    }
}

/// As it should be written: without what makes browsers refuse it.
impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.scheme, self.host)?;
        if self.port != usual_port(self.scheme) && self.port != 0 {
            write!(formatter, ":{}", self.port)?;
        }
        match self.transport {
            Transport::Udp => formatter.write_str("?transport=udp"),
            Transport::Tcp => formatter.write_str("?transport=tcp"),
            Transport::NotWritten | Transport::Computed => Ok(()),
        }
    }
}

/// What a text means as the URL of an ICE server.
pub(crate) fn read(text: &str) -> Reading {
    let Some((scheme, rest)) = text.split_once(':') else {
        return if text.contains(HOLE) {
            Reading::Computed
        } else {
            Reading::Broken(Fault::NoScheme)
        };
    };
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "stun" => Scheme::Stun,
        "stuns" => Scheme::Stuns,
        "turn" => Scheme::Turn,
        "turns" => Scheme::Turns,
        computed if computed.contains(HOLE) => return Reading::Computed,
        _ => return Reading::Broken(Fault::UnknownScheme),
    };
    let mut faults = Vec::new();
    let (authority, query) = match rest.split_once('?') {
        Some((authority, query)) => (authority, Some(query)),
        None => (rest, None),
    };
    let authority = without_excess(authority, &mut faults);
    let (host, port) = split_port(authority, &mut faults);
    let host = match read_host(host) {
        Ok(host) => host,
        Err(fault) => return Reading::Broken(faults.first().copied().unwrap_or(fault)),
    };
    let port = match port {
        None => usual_port(scheme),
        Some(port) if port.contains(HOLE) => 0,
        Some(port) => read_port(port).unwrap_or_else(|| {
            faults.push(Fault::BadPort);
            0
        }),
    };
    let transport = read_query(scheme, query, &mut faults);
    Reading::Url(Url {
        scheme,
        host,
        port,
        transport,
        faults,
    })
}

fn usual_port(scheme: Scheme) -> u16 {
    match scheme {
        Scheme::Stun | Scheme::Turn => PLAIN_PORT,
        Scheme::Stuns | Scheme::Turns => TLS_PORT,
    }
}

/// Host and port, without the slashes and the user that some write before them.
fn without_excess<'a>(authority: &'a str, faults: &mut Vec<Fault>) -> &'a str {
    let mut rest = authority;
    if let Some(after) = rest.strip_prefix("//") {
        faults.push(Fault::Slashes);
        rest = after;
    }
    if let Some((_, after)) = rest.rsplit_once('@') {
        faults.push(Fault::User);
        rest = after;
    }
    rest
}

fn split_port<'a>(authority: &'a str, faults: &mut Vec<Fault>) -> (&'a str, Option<&'a str>) {
    if let Some((host, after)) = authority
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        return match after.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if after.is_empty() => (host, None),
            None => (authority, None),
        };
    }
    match authority.split_once(':') {
        None => (authority, None),
        Some((_, rest)) if rest.contains(':') => {
            faults.push(Fault::Ipv6WithoutBrackets);
            (authority, None)
        }
        Some((host, port)) => (host, Some(port)),
    }
}

fn read_host(host: &str) -> Result<Host, Fault> {
    if host.contains(HOLE) {
        return Ok(Host::Computed);
    }
    if host.is_empty() {
        return Err(Fault::NoHost);
    }
    if let Ok(address) = host.parse() {
        return Ok(Host::Ipv6(address));
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    if let Ok(address) = name.parse() {
        return Ok(Host::Ipv4(address));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = name.len() <= 253
        && name.split('.').all(is_label)
        && !name.rsplit('.').next().is_some_and(is_number);
    is_name.then_some(Host::Name(name)).ok_or(Fault::BadHost)
}

fn read_port(port: &str) -> Option<u16> {
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    let number = port.parse().ok().filter(|_| is_number)?;
    (number != 0).then_some(number)
}

fn read_query(scheme: Scheme, query: Option<&str>, faults: &mut Vec<Fault>) -> Transport {
    let Some(query) = query else {
        return Transport::NotWritten;
    };
    if matches!(scheme, Scheme::Stun | Scheme::Stuns) {
        faults.push(Fault::StunQuery);
        return Transport::NotWritten;
    }
    let query = query.to_ascii_lowercase();
    match query.strip_prefix("transport=") {
        Some("udp") => Transport::Udp,
        Some("tcp") => Transport::Tcp,
        _ if query.contains(HOLE) => Transport::Computed,
        written => {
            faults.push(match written {
                Some(_) => Fault::UnknownTransport,
                None => Fault::UnknownQuery,
            });
            Transport::NotWritten
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use farcall_scenario::IceUrl;
    use farcall_timeline::IceTransport;
    use proptest::prelude::*;
    use rstest::rstest;

    fn url(text: &str) -> Url {
        match read(text) {
            Reading::Url(url) => url,
            other => panic!("{text} is {other:?}"),
        }
    }

    #[rstest]
    #[case("turn:turn.example.net", "turn:turn.example.net")]
    #[case(
        "TURN:Turn.Example.NET.:443?Transport=TCP",
        "turn:turn.example.net:443?transport=tcp"
    )]
    #[case("turns:turn.example.net:5349", "turns:turn.example.net")]
    #[case(
        "turn:[2001:DB8::1]:443?transport=udp",
        "turn:[2001:db8::1]:443?transport=udp"
    )]
    #[case("stuns:192.0.2.7", "stuns:192.0.2.7")]
    #[case("turns:[2001:db8:0:0::1]", "turns:[2001:db8::1]")]
    #[case("turn:\u{fffc}:80?transport=tcp", "turn:HOST:80?transport=tcp")]
    fn what_is_right_is_read_without_a_fault(#[case] text: &str, #[case] shown: &str) {
        let url = url(text);
        assert_eq!(url.faults, []);
        assert_eq!(url.to_string(), shown);
    }

    #[rstest]
    #[case(
        "turn://turn.example.net:443",
        Fault::Slashes,
        "turn:turn.example.net:443"
    )]
    #[case("turn:me:pw@turn.example.net", Fault::User, "turn:turn.example.net")]
    #[case("turn:2001:db8::1", Fault::Ipv6WithoutBrackets, "turn:[2001:db8::1]")]
    #[case("turn:turn.example.net:", Fault::BadPort, "turn:turn.example.net")]
    #[case("turn:turn.example.net:0", Fault::BadPort, "turn:turn.example.net")]
    #[case("turn:turn.example.net:65536", Fault::BadPort, "turn:turn.example.net")]
    #[case(
        "stun:stun.example.net?transport=udp",
        Fault::StunQuery,
        "stun:stun.example.net"
    )]
    #[case(
        "turns:t.example:443?transport=tls",
        Fault::UnknownTransport,
        "turns:t.example:443"
    )]
    #[case("turn:t.example?transport=", Fault::UnknownTransport, "turn:t.example")]
    #[case("turn:t.example?tcp", Fault::UnknownQuery, "turn:t.example")]
    fn what_is_wrong_is_read_with_what_was_meant(
        #[case] text: &str,
        #[case] fault: Fault,
        #[case] meant: &str,
    ) {
        let url = url(text);
        assert_eq!(url.faults, [fault]);
        assert_eq!(url.to_string(), meant);
    }

    #[rstest]
    #[case("turn.example.net", Reading::Broken(Fault::NoScheme))]
    #[case("https:turn.example.net", Reading::Broken(Fault::UnknownScheme))]
    #[case("turn:", Reading::Broken(Fault::NoHost))]
    #[case("turn:a..b", Reading::Broken(Fault::BadHost))]
    #[case("turn:1.2.3.400", Reading::Broken(Fault::BadHost))]
    #[case("turn://a/b", Reading::Broken(Fault::Slashes))]
    #[case("turn:[2001:db8::1%eth0]", Reading::Broken(Fault::BadHost))]
    #[case("turn:[2001:db8::1]3478", Reading::Broken(Fault::BadHost))]
    #[case("\u{fffc}", Reading::Computed)]
    #[case("\u{fffc}:turn.example.net", Reading::Computed)]
    fn what_means_nothing_says_why(#[case] text: &str, #[case] reading: Reading) {
        assert_eq!(read(text), reading);
    }

    proptest! {
        #[test]
        fn what_a_run_accepts_has_no_fault_and_the_same_meaning(
            scheme in prop::sample::select(vec!["stun", "turn", "turns", "TURN"]),
            host in prop_oneof![
                "[a-z][a-z0-9-]{0,8}(\\.[a-z]{2,5}){0,2}\\.?|[0-9]{1,3}(\\.[0-9]{1,3}){3}",
                any::<std::net::Ipv6Addr>().prop_map(|address| format!("[{address}]")),
                "\\[[0-9A-F]{1,4}::[0-9a-f]{1,4}(%eth0)?\\]|\\[?2001:db8(:[0-9a-f]{0,2}){1,6}\\]?",
            ],
            port in prop::option::of(any::<u16>()),
            query in prop::sample::select(vec!["", "?transport=udp", "?transport=tcp", "?transport=tls"]),
        ) {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            let text = format!("{scheme}:{host}{port}{query}");
            if let Ok(accepted) = text.parse::<IceUrl>() {
                let url = url(&text);
                prop_assert_eq!(&url.faults, &[]);
                prop_assert_eq!(url.host.to_string(), accepted.host);
                prop_assert_eq!(url.port, accepted.port);
                let is_stream = accepted.transport != IceTransport::Udp;
                prop_assert_eq!(url.is_stream(), is_stream && url.is_turn());
            }
        }

        #[test]
        fn no_text_makes_reading_panic(text in "(stun|turns?):?.{0,40}") {
            let _ = read(&text);
        }

        #[test]
        fn what_is_shown_is_read_as_the_same(
            text in "turns?:(t\\.example|192\\.0\\.2\\.1|\\[2001:db8::1\\])(:[1-9][0-9]{0,3})?(\\?transport=(udp|tcp))?"
        ) {
            let once = url(&text);
            prop_assert_eq!(&url(&once.to_string()), &once);
        }
    }
}
