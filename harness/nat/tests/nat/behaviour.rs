//! Mapping and filtering against an oracle that knows the words of RFC 4787 and nothing of the translator.

use crate::*;
use Behaviour::{AddressAndPortDependent, AddressDependent, EndpointIndependent};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rstest::rstest;

/// A packet that was seen on both sides of the NAT.
struct Sent {
    inside: SocketAddrV4,
    external: SocketAddrV4,
    remote: SocketAddrV4,
}

/// Section 4.1: whether what goes to these two destinations shares a mapping.
fn share_a_mapping(mapping: Behaviour, one: SocketAddrV4, other: SocketAddrV4) -> bool {
    match mapping {
        EndpointIndependent => true,
        AddressDependent => one.ip() == other.ip(),
        AddressAndPortDependent => one == other,
    }
}

/// Section 5: whether a packet to this external endpoint passes, after what that endpoint has sent.
fn passes(filtering: Behaviour, sent: &[Sent], from: SocketAddrV4, to: SocketAddrV4) -> bool {
    let mut sent = sent.iter().filter(|sent| sent.external == to);
    sent.any(|sent| match filtering {
        EndpointIndependent => true,
        AddressDependent => sent.remote.ip() == from.ip(),
        AddressAndPortDependent => sent.remote == from,
    })
}

#[rstest]
fn every_mapping_and_filtering_is_as_rfc_4787_words_it(
    #[values(EndpointIndependent, AddressDependent, AddressAndPortDependent)] mapping: Behaviour,
    #[values(EndpointIndependent, AddressDependent, AddressAndPortDependent)] filtering: Behaviour,
    #[values(true, false)] port_preservation: bool,
) {
    let mut nat = translator(Nat {
        mapping,
        filtering,
        port_preservation,
        ..FULL_CONE
    });
    let mut random = ChaCha8Rng::seed_from_u64(4787);
    let mut sent: Vec<Sent> = Vec::new();
    let (mut passed, mut dropped) = (0, 0);
    for _ in 0..1500 {
        let mut one_of = |count: u8| random.random_range(0..count);
        let inside = at(
            [ALICE, BOB][usize::from(one_of(2))],
            40_000 + u16::from(one_of(2)),
        );
        let remote = at(
            Ipv4Addr::new(198, 51, 100, 1 + one_of(4)),
            3478 + u16::from(one_of(3)),
        );
        if sent.is_empty() || one_of(8) == 0 {
            let external = leaves_as(&mut nat, inside, remote, START);
            for earlier in &sent {
                let is_shared =
                    earlier.inside == inside && share_a_mapping(mapping, earlier.remote, remote);
                assert_eq!(earlier.external == external, is_shared);
            }
            sent.push(Sent {
                inside,
                external,
                remote,
            });
            continue;
        }
        let target = &sent[random.random_range(0..sent.len())];
        let (inside, external) = (target.inside, target.external);
        match reaches(&mut nat, remote, external, START) {
            Ok(receiver) => {
                assert!(passes(filtering, &sent, remote, external));
                assert_eq!(receiver, inside);
                passed += 1;
            }
            Err(reason) => {
                assert!(!passes(filtering, &sent, remote, external));
                assert_eq!(reason, Reason::Filtered);
                dropped += 1;
            }
        }
    }
    assert!(passed > 50);
    assert_eq!(dropped > 50, filtering != EndpointIndependent);
}

#[rstest]
fn two_hosts_with_one_port_keep_mapping_and_filtering(
    #[values(EndpointIndependent, AddressDependent, AddressAndPortDependent)] filtering: Behaviour,
) {
    let mut nat = translator(Nat {
        filtering,
        ..FULL_CONE
    });
    let (alice, bob) = (at(ALICE, 40_000), at(BOB, 40_000));
    let (stun, peer) = (at(STUN, 3478), at(PEER, 5000));
    let first = leaves_as(&mut nat, alice, stun, START);
    let second = leaves_as(&mut nat, bob, stun, START);
    assert_ne!(first, second);
    assert_eq!(leaves_as(&mut nat, bob, peer, START), second);
    assert_eq!(leaves_as(&mut nat, alice, peer, START), first);
    for (external, inside) in [(first, alice), (second, bob)] {
        assert_eq!(reaches(&mut nat, stun, external, START), Ok(inside));
        let stranger = reaches(&mut nat, at(STUN, 3479), external, START);
        let is_admitted = filtering != AddressAndPortDependent;
        assert_eq!(stranger.is_ok(), is_admitted);
    }
}

#[test]
fn what_no_mapping_has_asked_for_is_dropped_and_counted_by_protocol() {
    let mut nat = translator(FULL_CONE);
    let packets = [
        (
            wire::udp(at(PEER, 5000), external(40_000)),
            Reason::UnsolicitedUdp,
        ),
        (
            wire::tcp(at(PEER, 5000), external(40_000), "S"),
            Reason::UnsolicitedTcp,
        ),
        (wire::echo_reply(PEER, EXTERNAL, 7), Reason::UnsolicitedIcmp),
        (
            wire::udp(at(PEER, 5000), at(ALICE, 40_000)),
            Reason::WrongAddress,
        ),
    ];
    for (mut packet, reason) in packets {
        assert_eq!(nat.inbound(&mut packet, START), Verdict::Drop(reason));
        assert_eq!(counted(&nat, reason.name()), 1);
        assert_eq!(nat.counters().dropped(reason).bytes, packet.len() as u64);
    }
    assert_eq!(nat.mappings(START).count(), 0);
}

#[test]
fn what_is_forwarded_is_counted() {
    let mut nat = translator(FULL_CONE);
    let external = leaves_as(&mut nat, at(ALICE, 40_000), at(STUN, 3478), START);
    reaches(&mut nat, at(STUN, 3478), external, START).unwrap();
    reaches(&mut nat, at(PEER, 5000), external, START).unwrap();
    assert_eq!(counted(&nat, "nat/forward-outbound"), 1);
    assert_eq!(counted(&nat, "nat/forward-inbound"), 2);
    assert_eq!(
        nat.counters()
            .iter()
            .map(|(_, counter)| counter.packets)
            .sum::<u64>(),
        3
    );
}

#[test]
fn protocols_have_ports_of_their_own() {
    let mut nat = translator(FULL_CONE);
    let stun = at(STUN, 3478);
    assert_eq!(
        leaves_as(&mut nat, at(ALICE, 40_000), stun, START),
        external(40_000)
    );
    let mut packet = wire::tcp(at(BOB, 40_000), stun, "S");
    assert_eq!(nat.outbound(&mut packet, START), Verdict::Forward);
    assert_eq!(wire::ends(&packet), (external(40_000), stun));
}
