//! The servers of a configuration, and the names and addresses under which webrtc-rs knows them.
//!
//! webrtc 0.21.1 speaks TURN over UDP only, keys its TURN clients by server address and skips all
//! other URLs. So it is told of every URL as a UDP URL with a host name of its own, which resolves to
//! an address of its own; what is sent there is carried to the real server by the URL's own transport.
//!
//! A TURN server over UDP also tells a peer its server-reflexive address (RFC 8445 section 5.1.1.2),
//! but webrtc-rs takes that from STUN URLs only. So it is told of a STUN server too for each of them,
//! which the URL implies: libwebrtc as well uses every TURN server over UDP as a STUN server.

use farcall_scenario::{IceConfiguration, IceUrl, Scheme, Secret};
use farcall_timeline::IceTransport;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use webrtc::peer_connection::RTCIceServer;

/// Made-up host names end in this: no such name can exist (RFC 6761 section 6.4).
const HOST_SUFFIX: &str = ".farcall.invalid";
const HOST_PREFIX: &str = "server-";

/// Half of the indices, since each URL may imply another server.
const MAX_URLS: usize = 32_767;

/// What is wrong with an ICE configuration, or with the certificates to trust.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// A TURN URL without credentials (browsers throw `InvalidAccessError`).
    #[error(
        "the TURN URL {url} has no user name or no credential; give its entry in iceServers both"
    )]
    MissingCredentials {
        /// The URL.
        url: String,
    },
    /// More URLs than stand-in addresses.
    #[error("the ICE configuration {name} has {count} URLs; at most {MAX_URLS} can be used")]
    TooManyUrls {
        /// The configuration's name.
        name: String,
        /// How many it has.
        count: usize,
    },
    /// The CA certificates are not PEM, or no certificates.
    #[error(
        "failed to read the CA certificates to trust for turns: URLs: {reason}; give a PEM file of certificates"
    )]
    CaCertificates {
        /// What is wrong.
        reason: String,
    },
}

/// One URL of the ICE configuration with the credentials of its entry, or a STUN server implied by it.
#[derive(Debug, Clone)]
pub(super) struct Server {
    index: u16,
    pub url: IceUrl,
    username: String,
    credential: Secret,
    implied_by: Option<u16>,
}

impl Server {
    /// All URLs of a configuration, in order; a server's place in the list is its index.
    pub fn all(configuration: &IceConfiguration) -> Result<Vec<Self>, TransportError> {
        let count = configuration.urls().count();
        if count > MAX_URLS {
            return Err(TransportError::TooManyUrls {
                name: configuration.name.clone(),
                count,
            });
        }
        configuration
            .urls()
            .zip(0..)
            .map(|((entry, url), index)| {
                let username = entry.username.clone().unwrap_or_default();
                let credential = entry.credential.clone().unwrap_or_default();
                let anonymous = username.is_empty() || credential.expose().is_empty();
                if url.scheme != Scheme::Stun && anonymous {
                    return Err(TransportError::MissingCredentials {
                        url: url.text.clone(),
                    });
                }
                Ok(Self {
                    index,
                    url: url.clone(),
                    username,
                    credential,
                    implied_by: None,
                })
            })
            .collect()
    }

    /// All URLs, followed by the STUN servers that they imply: one for each TURN server over UDP that
    /// is not a configured STUN server anyway.
    pub fn with_implied(mut configured: Vec<Self>) -> Vec<Self> {
        let mut free = configured.last().map_or(0, |last| last.index + 1);
        for at in 0..configured.len() {
            let by = &configured[at];
            let is_turn_over_udp = !by.is_stun() && by.url.transport == IceTransport::Udp;
            let is_same = |other: &Self| {
                other.is_stun() && other.url.host == by.url.host && other.url.port == by.url.port
            };
            if is_turn_over_udp && !configured.iter().any(is_same) {
                let implied = Self {
                    index: free,
                    url: by.url.clone(),
                    username: String::new(),
                    credential: Secret::default(),
                    implied_by: Some(by.index),
                };
                configured.push(implied);
                free += 1;
            }
        }
        configured
    }

    /// Whether it is used as a STUN server; otherwise as a TURN server.
    pub fn is_stun(&self) -> bool {
        self.url.scheme == Scheme::Stun || self.implied_by.is_some()
    }

    /// The index of the TURN URL that implies this STUN server, which is not configured itself.
    pub fn implied_by(&self) -> Option<usize> {
        self.implied_by.map(usize::from)
    }

    /// The entry that stands for this URL in what webrtc-rs is given.
    pub fn rtc_ice_server(&self) -> RTCIceServer {
        let scheme = if self.is_stun() { "stun" } else { "turn" };
        let (index, port) = (self.index, self.url.port);
        RTCIceServer {
            urls: vec![format!("{scheme}:{HOST_PREFIX}{index}{HOST_SUFFIX}:{port}")],
            username: self.username.clone(),
            credential: self.credential.expose().to_owned(),
        }
    }

    /// The address that stands for this URL towards webrtc-rs: IPv4 out of 240.0.0.0/16, which no
    /// network carries (RFC 1112 section 4), or IPv6 out of 100::/64, which discards (RFC 6666).
    pub fn stand_in(&self, ipv4: bool) -> SocketAddr {
        let ip = if ipv4 {
            let [high, low] = self.index.to_be_bytes();
            IpAddr::V4(Ipv4Addr::new(240, 0, high, low))
        } else {
            IpAddr::V6(Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, self.index))
        };
        SocketAddr::new(ip, self.url.port)
    }
}

/// The index of the server that an address stands for (see [`Server::stand_in`]).
pub(super) fn index_of_stand_in(address: SocketAddr) -> Option<usize> {
    match address.ip() {
        IpAddr::V4(ip) => match ip.octets() {
            [240, 0, high, low] => Some(usize::from(u16::from_be_bytes([high, low]))),
            _ => None,
        },
        IpAddr::V6(ip) => match ip.segments() {
            [0x100, 0, 0, 0, 0, 0, 0, index] => Some(usize::from(index)),
            _ => None,
        },
    }
}

/// The index of the server that a made-up host name stands for, in a host name, a `host:port` or a URL.
pub(super) fn index_of_host(text: &str) -> Option<usize> {
    let (before, _) = text.split_once(HOST_SUFFIX)?;
    let (_, index) = before.rsplit_once(HOST_PREFIX)?;
    index.parse().ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::super::testing::configuration;
    use super::*;

    fn servers(urls: &[&str]) -> Vec<Server> {
        Server::all(&configuration(urls)).unwrap()
    }

    #[test]
    fn urls_that_differ_only_in_transport_and_duplicates_get_names_and_addresses_of_their_own() {
        let servers = servers(&[
            "turn:turn.example.net:443",
            "turn:turn.example.net:443?transport=tcp",
            "turns:turn.example.net:443?transport=tcp",
            "turn:turn.example.net:443",
        ]);
        for ipv4 in [true, false] {
            for (index, server) in servers.iter().enumerate() {
                assert_eq!(index_of_stand_in(server.stand_in(ipv4)), Some(index));
                assert_eq!(server.stand_in(ipv4).port(), 443);
            }
        }
        let urls: Vec<String> = servers
            .iter()
            .flat_map(|server| server.rtc_ice_server().urls)
            .collect();
        assert_eq!(urls[2], "turn:server-2.farcall.invalid:443");
        for (index, url) in urls.iter().enumerate() {
            assert_eq!(index_of_host(url), Some(index));
        }
    }

    #[test]
    fn each_turn_server_over_udp_implies_a_stun_server_unless_that_is_configured() {
        let servers = Server::with_implied(servers(&[
            "turn:a.example:443",
            "turn:a.example:443?transport=tcp",
            "turns:b.example:443?transport=tcp",
            "turn:a.example:443",
            "turn:a.example:80",
            "turn:c.example:3478",
            "stun:c.example:3478",
        ]));
        let implied: Vec<_> = servers[7..]
            .iter()
            .map(|server| {
                let urls = server.rtc_ice_server().urls;
                (server.implied_by(), server.url.text.as_str(), urls)
            })
            .collect();
        let first = vec!["stun:server-7.farcall.invalid:443".to_owned()];
        let second = vec!["stun:server-8.farcall.invalid:80".to_owned()];
        let expected = [
            (Some(0), "turn:a.example:443", first),
            (Some(4), "turn:a.example:80", second),
        ];
        assert_eq!(implied, expected);
        assert!(servers[..7].iter().all(|s| s.implied_by().is_none()));
        assert_eq!(index_of_stand_in(servers[8].stand_in(true)), Some(8));
        assert!(servers[8].rtc_ice_server().credential.is_empty());
    }

    #[test]
    fn the_url_that_webrtc_reports_for_a_candidate_leads_back() {
        let reported = "turn:server-12.farcall.invalid:3478?transport=udp";
        assert_eq!(index_of_host(reported), Some(12));
        assert_eq!(index_of_host("turn:turn.example.net:3478"), None);
    }

    #[test]
    fn ordinary_addresses_stand_for_no_server() {
        for address in ["203.0.113.5:3478", "127.0.0.1:1", "[2001:db8::1]:443"] {
            assert_eq!(index_of_stand_in(address.parse().unwrap()), None);
        }
    }

    #[test]
    fn a_stun_url_needs_no_credentials_and_a_turn_url_does() {
        let mut configuration = configuration(&["stun:a.example:3478", "turn:a.example:3478"]);
        for entry in &mut configuration.ice_servers {
            entry.credential = None;
        }
        let error = Server::all(&configuration).unwrap_err();
        assert!(error.to_string().contains("turn:a.example"), "{error}");
        configuration.ice_servers.pop();
        assert!(Server::all(&configuration).unwrap()[0].is_stun());
    }

    #[test]
    fn credentials_do_not_appear_in_debug_output() {
        let shown = format!("{:?}", servers(&["turn:a.example:3478"]));
        assert!(!shown.contains("a-lab-credential"), "{shown}");
    }
}
