//! Scenarios and ICE configurations for the tests, built as a Rust program would.

use farcall_plan::{Plan, PlanError, plan};
use farcall_scenario::{
    Behaviour, Call, Carrier, Expect, FirewallPreset, Gateway, IceConfiguration, IceServer, IceUrl,
    Ipv6, LinkPreset, NatOverride, NatPreset, Peer, Scenario, Scheme, Secret, Servers, Site,
};
use farcall_timeline::IceTransport;
use std::collections::BTreeMap;

/// A site behind one gateway.
pub fn site(lan: &str, nat: NatPreset, firewall: FirewallPreset) -> Site {
    Site {
        lan: lan.parse().unwrap(),
        gateway: Gateway {
            nat,
            nat_override: None,
            firewall,
            firewall_override: None,
        },
        carrier: None,
        link: LinkPreset::None,
        link_override: None,
        ipv6: Ipv6::None,
    }
}

/// A phone hotspot: symmetric behind a carrier.
pub fn hotspot() -> Site {
    Site {
        carrier: Some(Carrier {
            network: "100.64.0.0/24".parse().unwrap(),
            nat: NatPreset::MobileCarrier,
            nat_override: Some(NatOverride {
                udp_timeout_s: Some(45),
                ..NatOverride::default()
            }),
        }),
        ..site(
            "192.168.43.0/24",
            NatPreset::Symmetric,
            FirewallPreset::Open,
        )
    }
}

/// A call from alice in the first site to bob in the second.
pub fn scenario(name: &str, alice: (&str, Site), bob: (&str, Site)) -> Scenario {
    let peer = |name: &str, site: &str| Peer {
        name: name.to_owned(),
        site: site.to_owned(),
        muted: false,
        uses_proxy: false,
        logs_in: false,
    };
    Scenario {
        written: None,
        name: name.to_owned(),
        description: "for a test".to_owned(),
        tags: Vec::new(),
        peers: vec![peer("alice", alice.0), peer("bob", bob.0)],
        sites: BTreeMap::from([(alice.0.to_owned(), alice.1), (bob.0.to_owned(), bob.1)]),
        call: Call::default(),
        servers: Servers::default(),
        recovery: None,
        faults: Vec::new(),
        expect: Expect {
            connects: true,
            within_ms: 15_000,
            relayed: None,
            media: Default::default(),
            selected_pair: BTreeMap::new(),
            recovery: None,
            flows: Default::default(),
        },
    }
}

/// A peer in an office and one on a phone hotspot.
pub fn office(firewall: FirewallPreset) -> Scenario {
    let office = site("192.168.1.0/24", NatPreset::Symmetric, firewall);
    scenario("office", ("office", office), ("mobile", hotspot()))
}

/// Two peers with public addresses.
pub fn public(firewall: FirewallPreset) -> Scenario {
    let site = |lan| site(lan, NatPreset::None, firewall);
    let (east, west) = (site("198.51.100.0/24"), site("192.0.2.0/24"));
    scenario("public", ("east", east), ("west", west))
}

/// A URL without credentials.
pub fn stun(host: &str, port: u16) -> IceServer {
    IceServer {
        urls: vec![url(Scheme::Stun, host, port, IceTransport::Udp)],
        username: None,
        credential: None,
    }
}

/// A URL with the account that the shipped configurations have.
pub fn turn(host: &str, port: u16, transport: IceTransport) -> IceServer {
    let scheme = match transport {
        IceTransport::Tls => Scheme::Turns,
        IceTransport::Udp | IceTransport::Tcp => Scheme::Turn,
    };
    IceServer {
        urls: vec![url(scheme, host, port, transport)],
        username: Some("user".to_owned()),
        credential: Some(Secret::new("hunter2")),
    }
}

fn url(scheme: Scheme, host: &str, port: u16, transport: IceTransport) -> IceUrl {
    let text = match (scheme, transport) {
        (Scheme::Stun, _) => format!("stun:{host}:{port}"),
        (_, IceTransport::Udp) => format!("turn:{host}:{port}"),
        (_, IceTransport::Tcp) => format!("turn:{host}:{port}?transport=tcp"),
        (_, IceTransport::Tls) => format!("turns:{host}:{port}?transport=tcp"),
    };
    IceUrl {
        text,
        scheme,
        host: host.to_owned(),
        port,
        transport,
    }
}

pub fn ice(servers: Vec<IceServer>) -> IceConfiguration {
    IceConfiguration {
        name: "test".to_owned(),
        ice_servers: servers,
        ice_transport_policy: None,
    }
}

/// The shape of the production configuration.
pub fn production() -> IceConfiguration {
    ice(vec![
        stun("stun.example.net", 19_302),
        turn("relay.example.net", 443, IceTransport::Udp),
        turn("relay.example.net", 443, IceTransport::Tcp),
        turn("backup.example.org", 3478, IceTransport::Udp),
        turn("relay.example.net", 80, IceTransport::Udp),
    ])
}

/// One server that speaks everything, TCP and TLS on the same port.
pub fn with_tls() -> IceConfiguration {
    ice(vec![
        stun("turn.example.net", 3478),
        turn("turn.example.net", 3478, IceTransport::Udp),
        turn("turn.example.net", 443, IceTransport::Tcp),
        turn("turn.example.net", 443, IceTransport::Tls),
        turn("turn.example.net", 5349, IceTransport::Tls),
    ])
}

pub fn planned(scenario: &Scenario, ice: &IceConfiguration) -> Plan {
    plan(scenario, ice, 7).unwrap()
}

pub fn refused(scenario: &Scenario, ice: &IceConfiguration) -> PlanError {
    plan(scenario, ice, 7).err().unwrap()
}

/// A NAT property, overridden.
pub fn mapping(mapping: Behaviour) -> Option<NatOverride> {
    Some(NatOverride {
        mapping: Some(mapping),
        ..NatOverride::default()
    })
}
