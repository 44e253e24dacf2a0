//! STUN and TURN URLs (RFC 7064, RFC 7065).

use super::{IceUrl, Scheme};
use farcall_timeline::IceTransport;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A URL that is not one of a STUN or TURN server, or one whose server nobody could reach.
///
/// Nothing of the URL is repeated in it, for a URL is where some people write their password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct IceUrlError {
    /// What is wrong.
    pub message: &'static str,
    /// What to write.
    pub hint: &'static str,
}

impl IceUrl {
    /// Whether both name the same server in the same way, however each is written: scheme, host, port and transport, with
    /// what stands for a part that is left out (RFC 7064 section 3.2, RFC 7065 section 3.2).
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let meaning = |url: &Self| (url.scheme, url.port, url.transport);
        self.host == other.host && meaning(self) == meaning(other)
    }

    /// The address of its server where it is written as an IPv6 literal; `None` for a name and for an IPv4 literal.
    #[must_use]
    pub fn ipv6(&self) -> Option<Ipv6Addr> {
        let literal = self.host.strip_prefix('[')?.strip_suffix(']')?;
        literal.parse().ok()
    }
}

impl FromStr for IceUrl {
    type Err = IceUrlError;

    fn from_str(text: &str) -> Result<Self, IceUrlError> {
        let (scheme, rest) = text.split_once(':').ok_or(IceUrlError {
            message: "the URL has no scheme",
            hint: "write for example `turn:turn.example.net:3478`",
        })?;
        let scheme = parse_scheme(scheme)?;
        let (authority, query) = match rest.split_once('?') {
            Some((authority, query)) => (authority, Some(query)),
            None => (rest, None),
        };
        let (host, port) = parse_authority(authority)?;
        let (transport, usual_port) = parse_transport(scheme, query)?;
        Ok(Self {
            text: text.to_owned(),
            scheme,
            host,
            port: port.unwrap_or(usual_port),
            transport,
        })
    }
}

fn parse_scheme(scheme: &str) -> Result<Scheme, IceUrlError> {
    match scheme.to_ascii_lowercase().as_str() {
        "stun" => Ok(Scheme::Stun),
        "turn" => Ok(Scheme::Turn),
        "turns" => Ok(Scheme::Turns),
        "stuns" => Err(IceUrlError {
            message: "STUN over TLS is not supported",
            hint: "write `stun:`; a STUN server has nothing to hide",
        }),
        _ => Err(IceUrlError {
            message: "the URL's scheme is not one of an ICE server",
            hint: "write `stun:`, `turn:` or `turns:`",
        }),
    }
}

fn parse_authority(authority: &str) -> Result<(String, Option<u16>), IceUrlError> {
    if authority.starts_with("//") {
        return Err(IceUrlError {
            message: "a STUN or TURN URL has no `//`",
            hint: "write the host right after the colon: `turn:turn.example.net`",
        });
    }
    if authority.contains('@') {
        return Err(IceUrlError {
            message: "a STUN or TURN URL names no user",
            hint: "write `username` and `credential` beside `urls`",
        });
    }
    if let Some(rest) = authority.strip_prefix('[') {
        return parse_ipv6_authority(rest);
    }
    if authority.matches(':').count() > 1 {
        return Err(IceUrlError {
            message: "an IPv6 address stands in brackets",
            hint: "write it as in `turn:[2001:db8::1]:3478`, or write a host name",
        });
    }
    match authority.split_once(':') {
        None => Ok((parse_host(authority)?, None)),
        Some((host, port)) => Ok((parse_host(host)?, Some(parse_port(port)?))),
    }
}

/// An IPv6 literal and what comes after it, without the bracket that begins it (RFC 3986 section 3.2.2). A zone is only
/// good on the host that has it, and no URL has one (RFC 7064 section 3.1, RFC 7065 section 3.1).
fn parse_ipv6_authority(rest: &str) -> Result<(String, Option<u16>), IceUrlError> {
    let no_address = IceUrlError {
        message: "what stands in brackets is no IPv6 address",
        hint: "write it as in `turn:[2001:db8::1]:3478`, without a zone, or write a host name without brackets",
    };
    let (literal, after) = rest.split_once(']').ok_or(no_address)?;
    let address: Ipv6Addr = literal.parse().map_err(|_| no_address)?;
    if !is_reachable_over_ipv6(address) {
        return Err(IceUrlError {
            message: "no server can be reached at this address",
            hint: "write a host name",
        });
    }
    let port = match after.strip_prefix(':') {
        Some(port) => Some(parse_port(port)?),
        None if after.is_empty() => None,
        None => {
            return Err(IceUrlError {
                message: "after the bracket stands something that is no port",
                hint: "write nothing after the address but port and `?transport=`",
            });
        }
    };
    Ok((format!("[{address}]"), port))
}

fn parse_host(host: &str) -> Result<String, IceUrlError> {
    if host.is_empty() {
        return Err(IceUrlError {
            message: "the URL has no host",
            hint: "write the host after the colon: `turn:turn.example.net`",
        });
    }
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return if is_reachable(address) {
            Ok(host)
        } else {
            Err(IceUrlError {
                message: "no server can be reached at this address",
                hint: "write a host name or a unicast IPv4 address",
            })
        };
    }
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    if host.len() > 253
        || !host.split('.').all(is_label)
        || host.rsplit('.').next().is_some_and(is_number)
    {
        return Err(IceUrlError {
            message: "the URL's host is neither a host name nor an IPv4 address",
            hint: "write it in ASCII (`xn--...` for others) and with nothing after it but port and \
                   `?transport=`",
        });
    }
    Ok(host)
}

fn is_reachable(address: Ipv4Addr) -> bool {
    !(address.octets()[0] == 0
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast())
}

fn is_reachable_over_ipv6(address: Ipv6Addr) -> bool {
    match address.to_ipv4_mapped() {
        Some(mapped) => is_reachable(mapped),
        None => {
            !(address.is_unspecified()
                || address.is_loopback()
                || address.is_unicast_link_local()
                || address.is_multicast())
        }
    }
}

/// A label of a host name (RFC 1123 section 2.1), with the underscore that DNS itself allows.
fn is_label(label: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=63).contains(&label.len())
        && label.bytes().all(plain)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn parse_port(port: &str) -> Result<u16, IceUrlError> {
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { port.parse().unwrap_or(0) } else { 0 };
    if number == 0 {
        return Err(IceUrlError {
            message: "the URL's port is not one",
            hint: "write a number of 1 to 65535, or leave colon and port out for the usual one",
        });
    }
    Ok(number)
}

/// The transport to the server and the port where the URL names none (RFC 7064 section 3.2, RFC 7065
/// section 3.2).
fn parse_transport(
    scheme: Scheme,
    query: Option<&str>,
) -> Result<(IceTransport, u16), IceUrlError> {
    let asked = match (scheme, query) {
        (_, None) => None,
        (Scheme::Stun, Some(_)) => {
            return Err(IceUrlError {
                message: "a STUN URL has nothing after a `?`",
                hint: "leave it out: STUN is asked over UDP",
            });
        }
        (_, Some(query)) => Some(asked_transport(query)?),
    };
    match (scheme, asked) {
        (Scheme::Stun, _) => Ok((IceTransport::Udp, 3478)),
        (Scheme::Turn, None) => Ok((IceTransport::Udp, 3478)),
        (Scheme::Turn, Some(transport)) => Ok((transport, 3478)),
        (Scheme::Turns, None | Some(IceTransport::Tcp)) => Ok((IceTransport::Tls, 5349)),
        (Scheme::Turns, Some(_)) => Err(IceUrlError {
            message: "TURN over DTLS (`turns:` with `transport=udp`) is not supported",
            hint: "write `?transport=tcp` for TLS, or `turn:` for plain UDP",
        }),
    }
}

fn asked_transport(query: &str) -> Result<IceTransport, IceUrlError> {
    match query.to_ascii_lowercase().as_str() {
        "transport=udp" => Ok(IceTransport::Udp),
        "transport=tcp" => Ok(IceTransport::Tcp),
        _ => Err(IceUrlError {
            message: "what stands after the `?` is not a transport that TURN has",
            hint: "write `?transport=udp` or `?transport=tcp`; for TLS write `turns:`",
        }),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    fn parts(text: &str) -> (Scheme, String, u16, IceTransport) {
        let url: IceUrl = text.parse().unwrap();
        assert_eq!(url.text, text);
        (url.scheme, url.host, url.port, url.transport)
    }

    #[test]
    fn urls_have_the_ports_and_transports_of_their_schemes() {
        use IceTransport::{Tcp, Tls, Udp};
        let host = || "turn.example.net".to_owned();
        for (text, expected) in [
            ("stun:turn.example.net", (Scheme::Stun, host(), 3478, Udp)),
            ("turn:turn.example.net", (Scheme::Turn, host(), 3478, Udp)),
            (
                "turn:turn.example.net:443",
                (Scheme::Turn, host(), 443, Udp),
            ),
            (
                "turn:turn.example.net?transport=udp",
                (Scheme::Turn, host(), 3478, Udp),
            ),
            (
                "turn:turn.example.net:80?transport=tcp",
                (Scheme::Turn, host(), 80, Tcp),
            ),
            ("turns:turn.example.net", (Scheme::Turns, host(), 5349, Tls)),
            (
                "turns:turn.example.net:443?transport=tcp",
                (Scheme::Turns, host(), 443, Tls),
            ),
            (
                "TURN:Turn.Example.NET.:443?Transport=TCP",
                (Scheme::Turn, host(), 443, Tcp),
            ),
            (
                "stun:203.0.113.9:19302",
                (Scheme::Stun, "203.0.113.9".into(), 19302, Udp),
            ),
            (
                "turn:[2001:db8::1]:3478",
                (Scheme::Turn, "[2001:db8::1]".into(), 3478, Udp),
            ),
            (
                "stun:[2001:DB8:0:0::1]",
                (Scheme::Stun, "[2001:db8::1]".into(), 3478, Udp),
            ),
            (
                "turns:[2001:db8::1]:443?transport=tcp",
                (Scheme::Turns, "[2001:db8::1]".into(), 443, Tls),
            ),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }

    #[test]
    fn urls_are_compared_by_what_they_mean() {
        let is_same = |left: &str, right: &str| {
            let [left, right] = [left, right].map(|text| text.parse::<IceUrl>().unwrap());
            left.is_same_as(&right)
        };
        for (left, right) in [
            ("turns:h.example:443", "turns:h.example:443?transport=tcp"),
            ("turns:h.example", "turns:h.example:5349?transport=tcp"),
            ("turn:h.example", "turn:h.example:3478?transport=udp"),
            ("stun:h.example", "STUN:H.Example.:3478"),
            ("stun:[2001:db8::1]", "stun:[2001:DB8:0::1]:3478"),
        ] {
            assert!(is_same(left, right), "{left} {right}");
        }
        for (left, right) in [
            ("turn:h.example:443", "turn:h.example:443?transport=tcp"),
            (
                "turn:h.example:443?transport=tcp",
                "turns:h.example:443?transport=tcp",
            ),
            ("stun:h.example", "turn:h.example"),
            ("turns:h.example", "turns:h.example:443"),
            ("turns:h.example", "turns:i.example"),
        ] {
            assert!(!is_same(left, right), "{left} {right}");
        }
    }

    #[test]
    fn an_ipv6_literal_is_told_from_names_and_ipv4() {
        let ipv6 = |text: &str| text.parse::<IceUrl>().unwrap().ipv6();
        let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
        assert_eq!(ipv6("turn:[2001:DB8::1]:443"), Some(address));
        assert_eq!(ipv6("stun:[2001:db8::1]"), Some(address));
        assert_eq!(ipv6("turn:203.0.113.9"), None);
        assert_eq!(ipv6("turn:turn.example.net"), None);
    }

    #[test]
    fn what_is_no_url_of_an_ice_server_is_refused() {
        for (text, message) in [
            ("turn.example.net", "no scheme"),
            ("http:turn.example.net", "scheme is not one"),
            ("stuns:turn.example.net", "STUN over TLS"),
            ("turn://turn.example.net", "no `//`"),
            ("turn:user:hunter2@turn.example.net", "names no user"),
            ("turn:", "no host"),
            ("turn::3478", "no host"),
            ("turn:2001:db8::1", "stands in brackets"),
            ("turn:[2001:db8::1", "no IPv6 address"),
            ("turn:[]", "no IPv6 address"),
            ("turn:[turn.example.net]", "no IPv6 address"),
            ("turn:[203.0.113.9]", "no IPv6 address"),
            ("turn:[2001:db8::1::2]", "no IPv6 address"),
            ("turn:[fe80::1%eth0]", "no IPv6 address"),
            ("turn:[2001:db8::1%25eth0]", "no IPv6 address"),
            ("turn:[2001:db8::1]3478", "no port"),
            ("turn:[2001:db8::1]/path", "no port"),
            ("turn:[2001:db8::1]:", "port is not one"),
            ("turn:[2001:db8::1]:0", "port is not one"),
            ("turn:[::1]", "no server can be reached"),
            ("turn:[::]", "no server can be reached"),
            ("turn:[fe80::1]", "no server can be reached"),
            ("turn:[ff02::1]", "no server can be reached"),
            ("turn:[::ffff:127.0.0.1]", "no server can be reached"),
            ("turn:turn.example.net/path", "neither a host name"),
            ("turn:1.2.3.400", "neither a host name"),
            ("turn:bücher.example", "neither a host name"),
            ("turn:a..b", "neither a host name"),
            ("turn:127.0.0.1", "no server can be reached"),
            ("turn:0.0.0.0", "no server can be reached"),
            ("turn:turn.example.net:0", "port is not one"),
            ("turn:turn.example.net:", "port is not one"),
            ("turn:turn.example.net:+80", "port is not one"),
            ("turn:turn.example.net:65536", "port is not one"),
            ("turn:turn.example.net?transport=tls", "not a transport"),
            ("turn:turn.example.net?transport=", "not a transport"),
            ("turn:turn.example.net?transport=tcp&x=y", "not a transport"),
            ("stun:turn.example.net?transport=udp", "nothing after a `?`"),
            ("turns:turn.example.net?transport=udp", "DTLS"),
        ] {
            let error = text.parse::<IceUrl>().unwrap_err();
            assert!(error.message.contains(message), "{text}: {error}");
        }
    }

    #[test]
    fn an_error_repeats_nothing_of_the_url() {
        for text in [
            "hunter2",
            "hunter2:x",
            "turn:u:hunter2@h",
            "turn:h:hunter2",
            "turn:h?hunter2",
            "turn:[hunter2]",
            "turn:[2001:db8::1]hunter2",
        ] {
            let error = text.parse::<IceUrl>().unwrap_err();
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
