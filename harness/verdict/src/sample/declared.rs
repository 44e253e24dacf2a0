//! What the sample's plan declares and expects.

use crate::{Declared, DeclaredCall, DeclaredServer};
use farcall_plan::{
    BlockingRule, Declaration, Expectations, ExpectedOutcome, Fact, Listener, Passage, Payload,
    ProbeProtocol,
};
use farcall_scenario::{Behaviour, ExpectedPair, IceUrl, Scheme};
use farcall_timeline::{CandidateType, IceServerOutcome, IceTransport};
use std::net::Ipv4Addr;

/// A TURN URL over UDP.
pub const UDP_URL: &str = "turn:turn.example.net:443";
/// The same server over TCP.
pub const TCP_URL: &str = "turn:turn.example.net:443?transport=tcp";
/// A STUN URL.
pub const STUN_URL: &str = "stun:stun.example.net:3478";

pub(super) fn declared() -> Declared {
    Declared {
        expect: Expectations {
            connects: true,
            within_ms: 20_000,
            relayed: Some(true),
            media: Default::default(),
            recovery: None,
            faults: Vec::new(),
            flows: Default::default(),
            selected_pair: [("alice".to_owned(), relayed_over_a_stream())].into(),
            ice_servers: [
                ("alice".to_owned(), from_the_office()),
                ("bob".to_owned(), from_the_mobile_network()),
            ]
            .into(),
            signalling: Default::default(),
            muted: Vec::new(),
            blocking_rules: vec![blocking_rule()],
            gateways: [
                ("alice".to_owned(), vec!["office-gateway".to_owned()]),
                (
                    "bob".to_owned(),
                    vec![
                        "mobile-gateway".to_owned(),
                        "mobile-carrier-gateway".to_owned(),
                    ],
                ),
            ]
            .into(),
            public_addresses: [
                (
                    "alice".to_owned(),
                    vec![Ipv4Addr::new(198, 51, 100, 2).into()],
                ),
                (
                    "bob".to_owned(),
                    vec![Ipv4Addr::new(198, 51, 100, 9).into()],
                ),
            ]
            .into(),
            server_conditions: Vec::new(),
            refuses_credentials: false,
            turn_nodes: [
                ("turn.example.net".to_owned(), "turn".to_owned()),
                ("stun.example.net".to_owned(), "stun".to_owned()),
            ]
            .into(),
        },
        attestation: attestation(),
        call: call(),
        loses_packets: false,
    }
}

fn call() -> DeclaredCall {
    let servers = [UDP_URL, TCP_URL, STUN_URL].into_iter();
    let servers = servers.filter_map(|url| url.parse::<IceUrl>().ok());
    DeclaredCall {
        ice_servers: servers
            .map(|url| DeclaredServer {
                has_account: url.scheme != Scheme::Stun,
                time_stamp: None,
                url,
            })
            .collect(),
        ..DeclaredCall::default()
    }
}

fn relayed_over_a_stream() -> ExpectedPair {
    ExpectedPair {
        local: vec![CandidateType::Relay],
        remote: Vec::new(),
        relay_protocol: vec![IceTransport::Tcp, IceTransport::Tls],
    }
}

fn from_the_office() -> Vec<ExpectedOutcome> {
    let dropped = "corporate/drop-udp on office-gateway drops it";
    let passes = "tcp 443 passes office-gateway and turn listens on it";
    let blocked = |url| ExpectedOutcome {
        blocked_by: Some(blocking_rule()),
        ..expected(url, IceServerOutcome::NoAnswer, dropped)
    };
    vec![
        blocked(UDP_URL),
        expected(TCP_URL, IceServerOutcome::Allocated, passes),
        blocked(STUN_URL),
    ]
}

fn blocking_rule() -> BlockingRule {
    BlockingRule {
        gateway: "office-gateway".into(),
        rule: "corporate/drop-udp".into(),
        peer: "alice".into(),
    }
}

fn from_the_mobile_network() -> Vec<ExpectedOutcome> {
    let passes = "nothing blocks it and turn listens on it";
    vec![
        expected(UDP_URL, IceServerOutcome::Allocated, passes),
        expected(TCP_URL, IceServerOutcome::Allocated, passes),
        expected(STUN_URL, IceServerOutcome::Reachable, passes),
    ]
}

fn expected(url: &str, outcome: IceServerOutcome, because: &str) -> ExpectedOutcome {
    ExpectedOutcome {
        url: url.into(),
        outcome,
        because: because.into(),
        blocked_by: None,
    }
}

fn attestation() -> Vec<Declaration> {
    let address = Ipv4Addr::new(203, 0, 113, 10);
    let declare = |node: &str, fact| Declaration {
        node: node.into(),
        fact,
        round_trip_ms: 0,
        link_at: None,
    };
    vec![
        declare("alice", Fact::NoEmbeddedResolver),
        declare("bob", Fact::NoEmbeddedResolver),
        declare(
            "alice",
            Fact::Resolves {
                name: "turn.example.net".into(),
                address,
            },
        ),
        declare(
            "bob",
            Fact::NatMapping {
                mapping: Some(Behaviour::AddressAndPortDependent),
                protocol: ProbeProtocol::Udp,
                ports: [3478, 3479],
                source_port: None,
                mirrored: false,
            },
        ),
        declare(
            "alice",
            Fact::Passage {
                protocol: ProbeProtocol::Udp,
                port: 443,
                payload: Payload::Plain,
                server_name: None,
                proxy: None,
                passage: Passage::Dropped,
            },
        ),
        declare(
            "alice",
            Fact::RoundTrip {
                rtt_ms: 0.0,
                jitter_ms: 0.0,
                sending_ms: 0.0,
                overtaking: false,
                protocol: ProbeProtocol::Tcp,
                port: 443,
            },
        ),
        declare(
            "probe",
            Fact::ListenerAnswers {
                host: "turn.example.net".into(),
                address: address.into(),
                listener: Listener {
                    port: 443,
                    transport: IceTransport::Tcp,
                },
            },
        ),
    ]
}
