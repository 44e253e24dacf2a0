//! What runs in a gateway beside its rules.

use farcall_scenario::{Link, Nat};
use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddrV4};

/// What runs in a gateway beside its rules.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// dnsmasq's configuration, if this gateway resolves names for its LAN.
    pub dnsmasq: Option<String>,
    /// By how much the answers of that are late, in milliseconds. It listens on [`DELAYED_DNS_PORT`] then, and what
    /// delays it at the port of DNS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_delay_ms: Option<u32>,
    /// The configuration of a second dnsmasq, which gives a captive portal's address for every name. The rules
    /// send it the questions of who has not logged in. It listens at the same address on [`PORTAL_DNS_PORT`].
    pub portal_dnsmasq: Option<String>,
    /// The translator between the site's IPv6 and the IPv4 of everybody else, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nat64: Option<Nat64>,
    /// The way of packets through user space, if they take it.
    pub datapath: Option<Datapath>,
    /// What its firewall does in user space.
    pub services: Vec<GatewayService>,
}

/// The way of packets between inside and outside through the gateway's own process, over two TUN devices:
/// what the kernel's translation does not express, and the link.
///
/// Outward: inside interface, rules, device `up`, translation, link, device `up`, outside interface. Inward:
/// outside interface, device `down`, link, translation, device `down`, rules, inside interface. So the rules
/// see inside addresses only, and connection tracking sees each packet once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Datapath {
    /// The interface towards the peers.
    pub inside: String,
    /// The gateway's own address there, with the network.
    pub inside_address: Ipv4Net,
    /// The interface towards the internet.
    pub outside: String,
    /// The gateway's own address there, which a translation gives to what it translates.
    pub outside_address: Ipv4Addr,
    /// How it translates; `None` where it does not, or the kernel does.
    pub nat: Option<Nat>,
    /// The link; `None` for a wire.
    pub link: Option<Link>,
    /// From which everything random follows: lost packets, jitter, ports.
    pub seed: u64,
}

/// A translator of IPv6 packets to IPv4 packets and back, without state (RFC 7915): each peer has an IPv4 address,
/// out of the site's `lan`, that only the gateway knows. It moves packets through the TUN device [`NAT64_DEVICE`],
/// behind which everything else in the gateway sees those IPv4 addresses. What the gateway does to them, its NAT
/// above all, makes it one with state (RFC 6146).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nat64 {
    /// tayga's configuration.
    pub configuration: String,
    /// The gateway's own address on the device, with the network of the peers' IPv4 addresses.
    pub device_address: Ipv4Net,
    /// What goes to the device over IPv6: the prefix under which IPv4 addresses are (RFC 6052), and the
    /// translator's own address.
    pub routed: Vec<Ipv6Net>,
}

/// The name of the TUN device of a [`Nat64`].
pub const NAT64_DEVICE: &str = "nat64";

/// The names of the TUN devices of a [`Datapath`]: outward and inward.
pub const DATAPATH_DEVICES: [&str; 2] = ["up", "down"];

/// The mark of packets from outside on their way to `down`, ahead of the gateway's own addresses. Routing by their
/// interface would also catch the questions of ARP: the kernel answers those for an address that its
/// routing says is its own.
pub const DATAPATH_MARK: u32 = 0x66;

/// What a firewall does in user space. Connections onward come from the gateway's inside address, so that they
/// are translated and cross the link as those of any other host of the site. Counters have the names that
/// nftables counters have, and are reported with them; each counts connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum GatewayService {
    /// An HTTP proxy: CONNECT (RFC 9110 section 9.3.6).
    HttpProxy {
        /// Where it listens.
        listen: SocketAddrV4,
        /// The ports to which it connects; 403 for others.
        ports: Vec<u16>,
        /// The counter of connections that it made.
        allow: String,
        /// The counter of requests that it refused.
        deny: String,
    },
    /// Looks at the ClientHello of connections that the rules redirect here, and passes those for some server
    /// names on to where they were meant to go; resets others.
    TlsFilter {
        /// Where it listens.
        listen: SocketAddrV4,
        /// The server names (RFC 6066 section 3).
        server_names: Vec<String>,
        /// The counter of connections that passed.
        pass: String,
        /// The counter of connections that were reset.
        reset: String,
    },
    /// Re-terminates TLS of connections that the rules redirect here, with certificates of an authority of its
    /// own; resets what is no TLS.
    TlsInterceptor {
        /// Where it listens.
        listen: SocketAddrV4,
        /// The common name of its authority.
        issuer: String,
        /// The counter of connections that were re-terminated.
        intercept: String,
        /// The counter of connections that were reset.
        reset: String,
    },
    /// A captive portal: redirects every HTTP request that reaches it to its login page (RFC 8952 section 1),
    /// and puts the address of who answers that into the rules' set of those logged in.
    CaptivePortal {
        /// Where it speaks HTTP.
        http: SocketAddrV4,
        /// Where it speaks TLS, with a certificate of its own for whatever name is asked.
        tls: SocketAddrV4,
        /// The counter of redirected requests.
        redirect: String,
        /// The counter of logins.
        login: String,
    },
}

/// The name of the nftables set of IPv4 addresses that have logged in at a captive portal.
pub const LOGGED_IN_SET: &str = "logged-in";

/// Where a resolver listens whose answers are delayed.
pub const DELAYED_DNS_PORT: u16 = 5354;

/// Where the resolver of a captive portal listens, for who has not logged in.
pub const PORTAL_DNS_PORT: u16 = 5353;

/// The common name of the authority with which a company's firewall re-terminates TLS.
pub const COMPANY_AUTHORITY: &str = "Company TLS inspection CA";
