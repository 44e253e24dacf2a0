//! A declared fact in words, in two halves: what is measured, and what must come out.

use crate::model::{
    COMPANY_AUTHORITY, Fact, Fate, INTERMEDIATE_AUTHORITY, Passage, Payload, ProbeProtocol,
};
use farcall_scenario::{Behaviour, CertificateFlaw, Direction};
use std::fmt::{Display, Formatter, Result};

impl Fact {
    /// What is measured, such as `tcp 443 to the internet`.
    #[must_use]
    pub fn what(&self) -> String {
        match self {
            Self::Interfaces { .. } => "interfaces".to_owned(),
            Self::NoRoute { to } => format!("a route to {}", comma(to)),
            Self::NoEmbeddedResolver => "Docker's embedded resolver".to_owned(),
            Self::LinkLocalClosed => "what is sent to link-local IPv6 addresses".to_owned(),
            Self::Resolves { name, .. } => format!("the name {name}"),
            Self::ResolvesToIpv6 { name, .. } => format!("the name {name}, over IPv6"),
            Self::Ipv6Passage {
                protocol,
                address,
                port,
                ..
            } => format!("{protocol} {port} to {address} on the internet"),
            Self::Ipv6Filtering { address, port, .. } => {
                format!("filtering of IPv6, over udp {port} to {address}")
            }
            Self::NatMapping {
                protocol,
                ports,
                source_port,
                ..
            } => {
                let ports = comma(ports);
                format!("NAT mapping, over {protocol} {ports}{}", from(*source_port))
            }
            Self::NatFiltering {
                port, source_port, ..
            } => format!("NAT filtering, over udp {port}{}", from(*source_port)),
            Self::NatPortPreservation { port, .. } => {
                format!("NAT port preservation, over udp {port}")
            }
            Self::NatHairpinning { port, .. } => format!("NAT hairpinning, over udp {port}"),
            Self::NatUdpTimeout { port, .. } => {
                format!("UDP mapping lifetime, over udp {port}")
            }
            Self::RoundTrip { protocol, port, .. } => {
                format!("round trip, over {protocol} {port}")
            }
            Self::Rate {
                direction, port, ..
            } => format!("rate {}, over udp {port}", way(*direction)),
            Self::TracedRate {
                direction, port, ..
            } => format!("recorded rate {}, over udp {port}", way(*direction)),
            Self::PolicedRate {
                direction, port, ..
            } => format!("policed rate {}, over udp {port}", way(*direction)),
            Self::Mtu {
                direction, port, ..
            } => format!("MTU {}, over udp {port}", way(*direction)),
            Self::FateRatio {
                fate,
                direction,
                port,
                ..
            } => format!("{fate} {}, over udp {port}", way(*direction)),
            Self::Passage {
                protocol,
                port,
                payload,
                server_name,
                proxy,
                ..
            } => {
                let tls = match (payload, server_name) {
                    (Payload::Plain, _) => String::new(),
                    (Payload::Tls, None) => ", with TLS".to_owned(),
                    (Payload::Tls, Some(name)) => format!(", with TLS for {name}"),
                };
                let through = proxy.map_or(String::new(), |at| format!(", through the proxy {at}"));
                format!("{protocol} {port} to the internet{tls}{through}")
            }
            Self::IncomingTcp { port, .. } => format!("tcp {port} from the internet"),
            Self::SignallingAnswers {
                host,
                address,
                port,
            } => format!("{host} ({address}) on tcp {port}, with TLS and WebSocket"),
            Self::NameMissing { name } | Self::ResolvesSlowly { name, .. } => {
                format!("the name {name}")
            }
            Self::RelayPortsBlocked {
                host,
                address,
                port,
            } => format!("{host} ({address}) on relay port {port}"),
            Self::ServerPassage {
                host,
                address,
                listener,
                ..
            }
            | Self::ListenerCertificate {
                host,
                address,
                listener,
                ..
            }
            | Self::ListenerAnswers {
                host,
                address,
                listener,
            }
            | Self::ListenerRefuses {
                host,
                address,
                listener,
            } => format!(
                "{host} ({address}) on {} {}",
                listener.transport, listener.port
            ),
        }
    }

    /// What must come out, such as `dropped`.
    #[must_use]
    pub fn declared(&self) -> String {
        match self {
            Self::Interfaces { interfaces } => {
                let has_ipv6 = interfaces.iter().any(|at| !at.addresses_v6.is_empty());
                let mut words: Vec<_> = interfaces.iter().map(ToString::to_string).collect();
                if !has_ipv6 {
                    words.push("no IPv6".to_owned());
                }
                words.join("; ")
            }
            Self::NoRoute { .. } => "none".to_owned(),
            Self::LinkLocalClosed => "nothing is sent".to_owned(),
            Self::ResolvesToIpv6 { address, .. } => address.to_string(),
            Self::NoEmbeddedResolver => "no answer".to_owned(),
            Self::Resolves { address, .. } => address.to_string(),
            Self::NatMapping { mapping, .. } => behaviour(*mapping, "no translation"),
            Self::NatFiltering { filtering, .. } | Self::Ipv6Filtering { filtering, .. } => {
                behaviour(*filtering, "no filter")
            }
            Self::NatPortPreservation { preserved, .. } => {
                yes(*preserved, "preserved", "not preserved")
            }
            Self::NatHairpinning { hairpins, .. } => yes(*hairpins, "hairpins", "does not hairpin"),
            Self::NatUdpTimeout { timeout_s, .. } => format!("{timeout_s} s"),
            Self::RoundTrip {
                rtt_ms, jitter_ms, ..
            } if *jitter_ms > 0.0 => format!("{rtt_ms} ms ± {jitter_ms} ms"),
            Self::RoundTrip { rtt_ms, .. } => format!("{rtt_ms} ms"),
            Self::Rate { kbit: None, .. } => "no limit".to_owned(),
            Self::Rate {
                kbit: Some(kbit), ..
            }
            | Self::PolicedRate { kbit, .. } => format!("{kbit} kbit/s"),
            Self::TracedRate {
                window_ms,
                least_kbit,
                most_kbit,
                ..
            } => format!("{least_kbit} to {most_kbit} kbit/s in {window_ms} ms"),
            Self::Mtu {
                mtu,
                fragmentation_needed,
                ..
            } => match fragmentation_needed {
                None => format!("{mtu} bytes"),
                Some(true) => format!("{mtu} bytes, and who sends more is told"),
                Some(false) => format!("{mtu} bytes, and who sends more is not told"),
            },
            Self::FateRatio {
                percent,
                tolerance_percent,
                ..
            } => format!("{percent} % ± {tolerance_percent} %"),
            Self::Passage { passage, .. }
            | Self::Ipv6Passage { passage, .. }
            | Self::IncomingTcp { passage, .. }
            | Self::ServerPassage { passage, .. } => passage.to_string(),
            Self::SignallingAnswers { .. } | Self::ListenerAnswers { .. } => "answers".to_owned(),
            Self::ListenerRefuses { .. } => "refuses".to_owned(),
            Self::ListenerCertificate { host, flaw, .. } => certificate(host, *flaw),
            Self::RelayPortsBlocked { .. } => "no answer".to_owned(),
            Self::ResolvesSlowly {
                address, delay_ms, ..
            } => {
                format!("{address}, not before {delay_ms} ms")
            }
            Self::NameMissing { .. } => "Non-Existent Domain".to_owned(),
        }
    }
}

impl Display for Fact {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        write!(out, "{}: {}", self.what(), self.declared())
    }
}

impl Display for Fate {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        out.write_str(match self {
            Self::Lost => "loss",
            Self::Duplicated => "duplicates",
            Self::Overtaking => "overtaking",
        })
    }
}

impl Display for ProbeProtocol {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        out.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        })
    }
}

impl Display for Passage {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Self::Passes => out.write_str("passes"),
            Self::Dropped => out.write_str("dropped"),
            Self::Refused => out.write_str("refused"),
            Self::Reset => out.write_str("reset"),
            Self::Intercepted => out.write_str(&Self::intercepted_by(COMPANY_AUTHORITY)),
            Self::Redirected => out.write_str("redirected"),
        }
    }
}

fn way(direction: Direction) -> &'static str {
    match direction {
        Direction::Out => "up",
        Direction::In => "down",
    }
}

fn from(source_port: Option<u16>) -> String {
    source_port.map_or_else(String::new, |port| {
        format!(", from source port {port} at every peer")
    })
}

fn yes(is: bool, yes: &str, no: &str) -> String {
    if is { yes } else { no }.to_owned()
}

fn behaviour(behaviour: Option<Behaviour>, none: &str) -> String {
    behaviour.map_or_else(|| none.to_owned(), |behaviour| behaviour.to_string())
}

/// What a TLS client says of a certificate, as the agent's transport puts it.
fn certificate(host: &str, flaw: CertificateFlaw) -> String {
    let unknown = |issuer: &str| {
        format!("unknown issuer: the certificate was issued by {issuer}, which is not trusted")
    };
    match flaw {
        CertificateFlaw::Expired => "expired".to_owned(),
        CertificateFlaw::WrongName => "wrong name".to_owned(),
        CertificateFlaw::SelfSigned => unknown(host),
        CertificateFlaw::IncompleteChain => unknown(INTERMEDIATE_AUTHORITY),
    }
}

fn comma(items: &[impl Display]) -> String {
    let words: Vec<String> = items.iter().map(ToString::to_string).collect();
    words.join(", ")
}
