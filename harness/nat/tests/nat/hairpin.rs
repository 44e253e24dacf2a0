//! Inside endpoints that reach each other by their external endpoints (RFC 4787 section 6).

use crate::*;
use Behaviour::{AddressAndPortDependent, EndpointIndependent};

/// A UDP packet from inside to an external endpoint: its ends when it comes back inside.
fn hairpinned(
    nat: &mut Translator,
    from: SocketAddrV4,
    to: SocketAddrV4,
) -> Result<(SocketAddrV4, SocketAddrV4), Reason> {
    let mut packet = wire::udp(from, to);
    match nat.outbound(&mut packet, START) {
        Verdict::Hairpin => Ok(wire::ends(&packet)),
        Verdict::Drop(reason) => Err(reason),
        Verdict::Forward => panic!("what is for the NAT itself does not go outside"),
    }
}

#[test]
fn both_ways_have_external_source_address_and_port() {
    let mut nat = translator(FULL_CONE);
    let (alice, bob, stun) = (at(ALICE, 40_000), at(BOB, 50_000), at(STUN, 3478));
    let alice_outside = leaves_as(&mut nat, alice, stun, START);
    let bob_outside = leaves_as(&mut nat, bob, stun, START);
    let there = hairpinned(&mut nat, alice, bob_outside);
    assert_eq!(there, Ok((alice_outside, bob)));
    let back = hairpinned(&mut nat, bob, alice_outside);
    assert_eq!(back, Ok((bob_outside, alice)));
    assert_eq!(counted(&nat, "nat/hairpin"), 2);
}

#[test]
fn the_receivers_filter_applies() {
    let mut nat = translator(Nat {
        filtering: AddressAndPortDependent,
        ..FULL_CONE
    });
    let (alice, bob, stun) = (at(ALICE, 40_000), at(BOB, 50_000), at(STUN, 3478));
    let alice_outside = leaves_as(&mut nat, alice, stun, START);
    let bob_outside = leaves_as(&mut nat, bob, stun, START);
    let first = hairpinned(&mut nat, alice, bob_outside);
    assert_eq!(first, Err(Reason::Filtered));
    let punched = hairpinned(&mut nat, bob, alice_outside);
    assert_eq!(punched, Ok((bob_outside, alice)));
    let again = hairpinned(&mut nat, alice, bob_outside);
    assert_eq!(again, Ok((alice_outside, bob)));
}

#[test]
fn with_dependent_mapping_the_receiver_cannot_know_the_senders_port() {
    let mut nat = translator(Nat {
        mapping: AddressAndPortDependent,
        filtering: AddressAndPortDependent,
        ..FULL_CONE
    });
    let (alice, bob, stun) = (at(ALICE, 40_000), at(BOB, 50_000), at(STUN, 3478));
    let alice_outside = leaves_as(&mut nat, alice, stun, START);
    let bob_outside = leaves_as(&mut nat, bob, stun, START);
    for _ in 0..2 {
        assert_eq!(
            hairpinned(&mut nat, alice, bob_outside),
            Err(Reason::Filtered)
        );
        assert_eq!(
            hairpinned(&mut nat, bob, alice_outside),
            Err(Reason::Filtered)
        );
    }
}

#[test]
fn without_hairpinning_it_is_dropped_and_leaves_no_mapping() {
    let mut nat = translator(Nat {
        hairpinning: false,
        filtering: EndpointIndependent,
        ..FULL_CONE
    });
    let outside = leaves_as(&mut nat, at(BOB, 50_000), at(STUN, 3478), START);
    let verdict = hairpinned(&mut nat, at(ALICE, 40_000), outside);
    assert_eq!(verdict, Err(Reason::NoHairpin));
    assert_eq!(counted(&nat, "nat/drop-no-hairpin"), 1);
    assert_eq!(nat.mappings(START).count(), 1);
}

#[test]
fn a_port_that_nobody_has_is_unsolicited_from_inside_too() {
    let mut nat = translator(FULL_CONE);
    let nobody = hairpinned(&mut nat, at(ALICE, 40_000), external(50_000));
    assert_eq!(nobody, Err(Reason::UnsolicitedUdp));
}

#[test]
fn a_tcp_connection_is_hairpinned() {
    let mut nat = translator(FULL_CONE);
    let (alice, bob) = (at(ALICE, 40_000), at(BOB, 50_000));
    let mut syn = wire::tcp(bob, at(STUN, 443), "S");
    assert_eq!(nat.outbound(&mut syn, START), Verdict::Forward);
    let segments = [
        (alice, external(50_000), "S", external(40_000), bob),
        (bob, external(40_000), "SA", external(50_000), alice),
        (alice, external(50_000), "A", external(40_000), bob),
    ];
    for (from, to, flags, source, destination) in segments {
        let mut segment = wire::tcp(from, to, flags);
        assert_eq!(
            nat.outbound(&mut segment, START),
            Verdict::Hairpin,
            "{flags}"
        );
        assert_eq!(wire::ends(&segment), (source, destination));
    }
}
