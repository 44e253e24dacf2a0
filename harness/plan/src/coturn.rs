//! coturn's configuration.

use crate::layout::ServerLayout;
use farcall_scenario::ServerCondition;
use farcall_timeline::IceTransport;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Where the agent puts coturn's files, and where coturn finds them.
pub const COTURN_DIRECTORY: &str = "/run/farcall";
/// The accounts, which the agent adds with `turnadmin`.
pub const COTURN_USER_DATABASE: &str = "/dev/shm/turndb";
/// The certificate chain, as PEM.
pub const COTURN_CERTIFICATE: &str = "/run/farcall/turn.crt";
/// The certificate's private key, as PEM.
pub const COTURN_PRIVATE_KEY: &str = "/run/farcall/turn.key";
/// The process id.
pub const COTURN_PID_FILE: &str = "/run/farcall/turn.pid";

/// The UDP ports that relayed transport addresses have (RFC 8656 section 7.2).
pub(crate) const RELAY_PORTS: (u16, u16) = (49_152, 65_535);

/// The quota of accounts that is used up in the middle of a call: more than its peers need, a few connections each.
const QUOTA: u32 = 24;

/// The external address of servers that have a wrong one: TEST-NET-2's last (RFC 5737), which nobody has.
pub const WRONG_EXTERNAL_ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 254);

/// The settings that make a condition.
fn settings(condition: ServerCondition) -> Vec<String> {
    match condition {
        ServerCondition::StaleNonce => vec![
            "stale-nonce=1".to_owned(),
            // Refreshed after half of it, with a nonce that is stale by then.
            "max-allocate-lifetime=20".to_owned(),
        ],
        ServerCondition::Quota => vec!["user-quota=1".to_owned()],
        ServerCondition::PeersDenied => vec!["denied-peer-ip=0.0.0.0-255.255.255.255".to_owned()],
        ServerCondition::WrongExternalAddress => {
            vec![format!("external-ip={WRONG_EXTERNAL_ADDRESS}")]
        }
        ServerCondition::WrongCredentials
        | ServerCondition::NoCapacity
        | ServerCondition::RelayPortsBlocked
        | ServerCondition::NoUdp
        | ServerCondition::NoTcp
        | ServerCondition::NoTls
        | ServerCondition::CertificateExpired
        | ServerCondition::CertificateWrongName
        | ServerCondition::CertificateSelfSigned
        | ServerCondition::CertificateIncompleteChain
        | ServerCondition::NameMissing
        | ServerCondition::NameWrong
        | ServerCondition::NameSlow => Vec::new(),
    }
}

/// coturn's configuration for a server of these listeners.
///
/// coturn 4.6.1 speaks every transport that is switched on at each of its ports, TLS and plain TCP
/// on the same one told apart by the first bytes. So one port is the main one for all of them, every
/// other is an auxiliary server, and transports that no listener has are off. What is left too much,
/// such as TCP on a port that only has UDP, the node's own packet filter refuses as a closed port
/// would.
///
/// With an IPv6 address it listens there too. It relays over IPv4 alone: a client over IPv6 is given an IPv4 relayed
/// address unless it asks for another, which webrtc-rs does not.
pub(crate) fn configuration(server: &ServerLayout, also: Option<Ipv6Addr>) -> String {
    let listeners = &server.demand.listeners;
    let has = |transport| {
        listeners
            .iter()
            .any(|listener| listener.transport == transport)
    };
    let ports: BTreeSet<u16> = listeners.iter().map(|listener| listener.port).collect();
    let address = server.address;
    let mut lines = vec![
        format!("listening-ip={address}"),
        format!("relay-ip={address}"),
    ];
    lines.extend(also.map(|address| format!("listening-ip={address}")));
    for (index, port) in ports.iter().enumerate() {
        if index == 0 {
            lines.push(format!("listening-port={port}"));
            // Else TLS would open a port of its own.
            lines.push(format!("tls-listening-port={port}"));
        } else {
            lines.push(format!("aux-server={address}:{port}"));
            lines.extend(also.map(|address| format!("aux-server=[{address}]:{port}")));
        }
    }
    lines.push("no-dtls".to_owned());
    for (transport, off) in [
        (IceTransport::Udp, "no-udp"),
        (IceTransport::Tcp, "no-tcp"),
        (IceTransport::Tls, "no-tls"),
    ] {
        // Who asks the server from its own node does so over TCP, which its packet filter closes to others.
        let is_needed = transport == IceTransport::Tcp && server.demand.is_asked_by_itself;
        if !has(transport) && !is_needed {
            lines.push(off.to_owned());
        }
    }
    if has(IceTransport::Tls) {
        lines.push(format!("cert={COTURN_CERTIFICATE}"));
        lines.push(format!("pkey={COTURN_PRIVATE_KEY}"));
    }
    lines.push(format!("realm={}", server.demand.host));
    lines.push(format!("userdb={COTURN_USER_DATABASE}"));
    if server.demand.relays {
        let (first, last) = RELAY_PORTS;
        lines.push(
            match server.demand.takes_rest {
                true => "use-auth-secret",
                false => "lt-cred-mech",
            }
            .to_owned(),
        );
        let last = match server.demand.has(ServerCondition::NoCapacity) {
            true => first,
            false => last,
        };
        lines.push(format!("min-port={first}"));
        lines.push(format!("max-port={last}"));
        if server.demand.is_exhausted_later {
            lines.push(format!("user-quota={QUOTA}"));
        }
        lines.extend(server.demand.conditions.iter().flat_map(|at| settings(*at)));
        lines.push("no-multicast-peers".to_owned());
    } else {
        lines.push("stun-only".to_owned());
    }
    for line in [
        "fingerprint",
        "no-software-attribute",
        "no-cli",
        // Else as many as the machine has processors, in every server of every lab.
        "relay-threads=2",
        "log-file=stdout",
        "simple-log",
        "verbose",
    ] {
        lines.push(line.to_owned());
    }
    lines.push(format!("pidfile={COTURN_PID_FILE}"));
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    })
}
