//! The servers of a configuration, and the names and addresses under which webrtc-rs knows them.
//!
//! webrtc 0.21.1 speaks TURN over UDP only, keys its TURN clients by server address and skips all
//! other URLs. So it is told of every URL as a UDP URL with a host name of its own, which resolves to
//! an address of its own; what is sent there is carried to the real server by the URL's own transport.

use farcall_scenario::{IceConfiguration, IceUrl, Scheme, Secret};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use webrtc::peer_connection::RTCIceServer;

/// Made-up host names end in this: no such name can exist (RFC 6761 section 6.4).
const HOST_SUFFIX: &str = ".farcall.invalid";
const HOST_PREFIX: &str = "server-";

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
    #[error("the ICE configuration {name} has {count} URLs; at most 65535 can be used")]
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

/// One URL of the ICE configuration with the credentials of its entry.
#[derive(Debug, Clone)]
pub(super) struct Server {
    index: u16,
    pub url: IceUrl,
    username: String,
    credential: Secret,
}

impl Server {
    /// All URLs of a configuration, in order; a server's place in the list is its index.
    pub fn all(configuration: &IceConfiguration) -> Result<Vec<Self>, TransportError> {
        let count = configuration.urls().count();
        configuration
            .urls()
            .enumerate()
            .map(|(index, (entry, url))| {
                let username = entry.username.clone().unwrap_or_default();
                let credential = entry.credential.clone().unwrap_or_default();
                let anonymous = username.is_empty() || credential.expose().is_empty();
                if url.scheme != Scheme::Stun && anonymous {
                    return Err(TransportError::MissingCredentials {
                        url: url.text.clone(),
                    });
                }
                let index = u16::try_from(index).map_err(|_| TransportError::TooManyUrls {
                    name: configuration.name.clone(),
                    count,
                })?;
                Ok(Self {
                    index,
                    url: url.clone(),
                    username,
                    credential,
                })
            })
            .collect()
    }

    /// Whether the URL names a STUN server; otherwise it is a TURN server.
    pub fn is_stun(&self) -> bool {
        self.url.scheme == Scheme::Stun
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
