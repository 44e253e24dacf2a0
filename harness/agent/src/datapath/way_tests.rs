#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use etherparse::{PacketBuilder, SlicedPacket, TransportSlice};
use farcall_plan::Datapath;
use farcall_scenario::{Link, LinkDirection, Nat, NatPreset};

use super::way::{Device, Way};

const GATEWAY: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
const HOST: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(192, 168, 1, 10), 5000);
const SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 2), 3478);
const MAPPED: SocketAddrV4 = SocketAddrV4::new(GATEWAY, 5000);

fn way(nat: NatPreset, link: Option<Link>) -> Way {
    Way::new(&Datapath {
        inside: "lan".to_owned(),
        inside_address: "192.168.1.1/24".parse().unwrap(),
        outside: "wan".to_owned(),
        outside_address: GATEWAY,
        nat: nat.expand(None).unwrap().map(|nat| Nat {
            udp_timeout_s: 60,
            ..nat
        }),
        link,
        seed: 7,
    })
}

/// 30 ms to the internet, 10 ms back.
fn far() -> Option<Link> {
    let direction = |delay_ms| LinkDirection {
        delay_ms,
        ..LinkDirection::default()
    };
    Some(Link {
        up: direction(30.0),
        down: direction(10.0),
    })
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A UDP datagram that the kernel has forwarded once.
fn datagram(from: SocketAddrV4, to: SocketAddrV4) -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv4(from.ip().octets(), to.ip().octets(), 63)
        .udp(from.port(), to.port())
        .write(&mut packet, b"hello")
        .unwrap();
    packet
}

/// A packet that was written: where, from whom, to whom.
type Written = (Device, SocketAddrV4, SocketAddrV4);

fn read(device: Device, packet: &[u8]) -> Written {
    let sliced = SlicedPacket::from_ip(packet).unwrap();
    let ip = sliced.net.unwrap();
    let ip = ip.ipv4_ref().unwrap().header();
    assert_eq!(ip.ttl(), 64);
    let Some(TransportSlice::Udp(udp)) = sliced.transport else {
        panic!("no UDP datagram");
    };
    assert_eq!(
        udp.checksum(),
        udp.to_header()
            .calc_checksum_ipv4(&ip.to_header(), udp.payload())
            .unwrap()
    );
    (
        device,
        SocketAddrV4::new(ip.source_addr(), udp.source_port()),
        SocketAddrV4::new(ip.destination_addr(), udp.destination_port()),
    )
}

/// What is written when this comes from a device.
fn taken(way: &mut Way, device: Device, mut packet: Vec<u8>, now: Duration) -> Vec<Written> {
    let mut written = Vec::new();
    way.take(device, &mut packet, now, &mut |device, packet: &[u8]| {
        written.push(read(device, packet));
        Ok(())
    })
    .unwrap();
    written
}

/// What is written when it is so late.
fn delivered(way: &mut Way, now: Duration) -> Vec<Written> {
    let mut written = Vec::new();
    way.deliver(now, &mut |device, packet: &[u8]| {
        written.push(read(device, packet));
        Ok(())
    })
    .unwrap();
    written
}

fn counted(way: &Way, name: &str) -> u64 {
    let counters = way.counters();
    let counter = counters.iter().find(|counter| counter.rule == name);
    counter.unwrap().packets
}

#[test]
fn without_a_link_what_goes_out_is_translated_and_written_at_once() {
    let mut way = way(NatPreset::FullCone, None);
    let out = taken(&mut way, Device::Up, datagram(HOST, SERVER), ms(0));
    assert_eq!(out, [(Device::Up, MAPPED, SERVER)]);
    let back = taken(&mut way, Device::Down, datagram(SERVER, MAPPED), ms(1));
    assert_eq!(back, [(Device::Down, SERVER, HOST)]);
    assert_eq!(way.next_due(), None);
}

#[test]
fn each_direction_has_its_own_delay_and_replies_are_translated_behind_the_link() {
    let mut way = way(NatPreset::FullCone, far());
    assert_eq!(
        taken(&mut way, Device::Up, datagram(HOST, SERVER), ms(0)),
        []
    );
    assert_eq!(way.next_due(), Some(ms(30)));
    assert_eq!(delivered(&mut way, ms(29)), []);
    assert_eq!(delivered(&mut way, ms(30)), [(Device::Up, MAPPED, SERVER)]);
    // The mapping lives when the reply comes to the link, and no longer when it has crossed it.
    let late = datagram(SERVER, MAPPED);
    assert_eq!(taken(&mut way, Device::Down, late, ms(59_995)), []);
    assert_eq!(delivered(&mut way, ms(60_005)), []);
    assert_eq!(counted(&way, "nat/drop-unsolicited-udp"), 1);
    assert_eq!(counted(&way, "link/up-passed"), 1);
    assert_eq!(counted(&way, "link/down-passed"), 1);
}

#[test]
fn an_eased_link_is_a_wire_until_it_is_as_planned_again() {
    let mut way = way(NatPreset::FullCone, far());
    way.ease_link();
    taken(&mut way, Device::Up, datagram(HOST, SERVER), ms(0));
    assert_eq!(delivered(&mut way, ms(0)), [(Device::Up, MAPPED, SERVER)]);
    way.change_link(&far().unwrap(), 7);
    taken(&mut way, Device::Up, datagram(HOST, SERVER), ms(1));
    assert_eq!(delivered(&mut way, ms(30)), []);
    assert_eq!(delivered(&mut way, ms(31)), [(Device::Up, MAPPED, SERVER)]);
}

#[test]
fn what_nobody_asked_for_is_dropped_and_counted() {
    let mut way = way(NatPreset::Symmetric, None);
    let unsolicited = datagram(SERVER, SocketAddrV4::new(GATEWAY, 53));
    assert_eq!(taken(&mut way, Device::Down, unsolicited, ms(0)), []);
    assert_eq!(counted(&way, "nat/drop-unsolicited-udp"), 1);
}

#[test]
fn what_one_host_sends_to_another_s_mapped_address_does_not_cross_the_link() {
    let mut way = way(NatPreset::FullCone, far());
    let other = SocketAddrV4::new(Ipv4Addr::new(192, 168, 1, 11), 6000);
    let other_mapped = SocketAddrV4::new(GATEWAY, 6000);
    taken(&mut way, Device::Up, datagram(other, SERVER), ms(0));
    let hairpin = taken(&mut way, Device::Up, datagram(HOST, other_mapped), ms(1));
    assert_eq!(hairpin, [(Device::Down, MAPPED, other)]);
}

#[test]
fn without_translation_packets_keep_their_addresses() {
    let mut way = way(NatPreset::None, far());
    taken(&mut way, Device::Up, datagram(HOST, SERVER), ms(0));
    taken(&mut way, Device::Down, datagram(SERVER, HOST), ms(0));
    let both = [(Device::Up, HOST, SERVER), (Device::Down, SERVER, HOST)];
    assert_eq!(delivered(&mut way, ms(30)), both);
    assert_eq!(way.mappings(ms(30)), "");
}

#[test]
fn mappings_are_shown_until_they_are_forgotten() {
    let mut way = way(NatPreset::FullCone, None);
    taken(&mut way, Device::Up, datagram(HOST, SERVER), ms(0));
    assert!(
        way.mappings(ms(1))
            .contains("192.168.1.10:5000 -> 203.0.113.10:5000")
    );
    way.forget();
    assert_eq!(way.mappings(ms(1)), "");
    let reply = datagram(SERVER, MAPPED);
    assert_eq!(taken(&mut way, Device::Down, reply, ms(2)), []);
}
