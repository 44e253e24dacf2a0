//! The translator as its callers see it: packets in, packets and verdicts out.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod behaviour;
mod fragments;
mod hairpin;
mod hostile;
mod icmp;
mod lifetime;
mod ports;
mod tcp;
mod wire;

use farcall_nat::{Reason, Translator, Verdict};
use farcall_scenario::{Behaviour, Nat};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

const EXTERNAL: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
const ALICE: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 10);
const BOB: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 11);
const STUN: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 3);
const PEER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 77);

/// A home router with endpoint-independent filtering, of which tests change single properties.
const FULL_CONE: Nat = Nat {
    mapping: Behaviour::EndpointIndependent,
    filtering: Behaviour::EndpointIndependent,
    port_preservation: true,
    hairpinning: true,
    udp_timeout_s: 30,
    tcp_timeout_s: 7440,
};

const START: Duration = Duration::from_secs(1000);

fn translator(nat: Nat) -> Translator {
    Translator::new(nat, EXTERNAL, 1)
}

fn at(address: Ipv4Addr, port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(address, port)
}

fn external(port: u16) -> SocketAddrV4 {
    at(EXTERNAL, port)
}

fn seconds(seconds: u64) -> Duration {
    START + Duration::from_secs(seconds)
}

/// Sends a UDP packet from inside, and says as which external endpoint it left.
fn leaves_as(
    nat: &mut Translator,
    inside: SocketAddrV4,
    remote: SocketAddrV4,
    now: Duration,
) -> SocketAddrV4 {
    let mut packet = wire::udp(inside, remote);
    assert_eq!(nat.outbound(&mut packet, now), Verdict::Forward);
    let (source, destination) = wire::ends(&packet);
    assert_eq!(destination, remote);
    source
}

/// Sends a UDP packet from outside, and says which inside endpoint gets it.
fn reaches(
    nat: &mut Translator,
    remote: SocketAddrV4,
    external: SocketAddrV4,
    now: Duration,
) -> Result<SocketAddrV4, Reason> {
    let mut packet = wire::udp(remote, external);
    match nat.inbound(&mut packet, now) {
        Verdict::Forward => {
            let (source, destination) = wire::ends(&packet);
            assert_eq!(source, remote);
            Ok(destination)
        }
        Verdict::Drop(reason) => Err(reason),
        Verdict::Hairpin => panic!("what comes from outside is not sent back inside"),
    }
}

fn counted(nat: &Translator, name: &str) -> u64 {
    let mut counters = nat.counters().iter();
    let (_, counter) = counters.find(|(counter, _)| *counter == name).unwrap();
    counter.packets
}
