//! Fragments, of which only the first has ports.

use crate::*;

const ALICES: SocketAddrV4 = SocketAddrV4::new(ALICE, 40_000);
const SERVER: SocketAddrV4 = SocketAddrV4::new(STUN, 3478);

fn large(source: SocketAddrV4, destination: SocketAddrV4) -> [Vec<u8>; 2] {
    wire::fragments(&wire::udp_with(source, destination, &[7; 2001]), 1480)
}

#[test]
fn a_datagram_in_fragments_goes_out_and_another_comes_back() {
    let mut nat = translator(Nat {
        port_preservation: false,
        ..FULL_CONE
    });
    let mut fragments = large(ALICES, SERVER);
    for fragment in &mut fragments {
        assert_eq!(nat.outbound(fragment, START), Verdict::Forward);
    }
    let (outside, destination) = wire::ends(&wire::reassembled(&fragments));
    assert_eq!((*outside.ip(), destination), (EXTERNAL, SERVER));
    let mut fragments = large(SERVER, outside);
    for fragment in &mut fragments {
        assert_eq!(nat.inbound(fragment, START), Verdict::Forward);
    }
    assert_eq!(wire::ends(&wire::reassembled(&fragments)), (SERVER, ALICES));
}

#[test]
fn a_datagram_in_fragments_is_hairpinned() {
    let mut nat = translator(FULL_CONE);
    let outside = leaves_as(&mut nat, at(BOB, 50_000), SERVER, START);
    let mut fragments = large(ALICES, outside);
    for fragment in &mut fragments {
        assert_eq!(nat.outbound(fragment, START), Verdict::Hairpin);
    }
    let ends = wire::ends(&wire::reassembled(&fragments));
    assert_eq!(ends, (external(40_000), at(BOB, 50_000)));
}

#[test]
fn a_later_fragment_without_its_first_is_dropped() {
    let mut nat = translator(FULL_CONE);
    let dropped = Verdict::Drop(Reason::Fragment);
    let [mut first, later] = large(ALICES, SERVER);
    assert_eq!(nat.outbound(&mut later.clone(), START), dropped);
    assert_eq!(nat.outbound(&mut first, START), Verdict::Forward);
    let mut of_another = later.clone();
    of_another[5] ^= 1;
    wire::sum_header(&mut of_another);
    assert_eq!(nat.outbound(&mut of_another, START), dropped);
    assert_eq!(
        nat.outbound(&mut later.clone(), seconds(29)),
        Verdict::Forward
    );
    assert_eq!(nat.outbound(&mut later.clone(), seconds(30)), dropped);
    assert_eq!(counted(&nat, "nat/drop-fragment"), 3);
}

#[test]
fn a_fragment_from_outside_does_not_follow_one_from_inside() {
    let mut nat = translator(FULL_CONE);
    leaves_as(&mut nat, at(BOB, 50_000), SERVER, START);
    let [mut first, mut later] = large(ALICES, external(50_000));
    assert_eq!(nat.outbound(&mut first, START), Verdict::Hairpin);
    let verdict = nat.inbound(&mut later, START);
    assert_eq!(verdict, Verdict::Drop(Reason::Fragment));
}

#[test]
fn fragmented_datagrams_are_limited_and_expired_ones_make_room() {
    let mut nat = translator(FULL_CONE);
    let datagram = |number: u16| {
        large(ALICES, SERVER).map(|mut fragment| {
            fragment[4..6].copy_from_slice(&number.to_be_bytes());
            wire::sum_header(&mut fragment);
            fragment
        })
    };
    for number in 0..1024 {
        nat.outbound(&mut datagram(number)[0], START);
    }
    for (now, expected) in [
        (seconds(29), Verdict::Drop(Reason::Fragment)),
        (seconds(30), Verdict::Forward),
    ] {
        let [mut first, mut later] = datagram(1024);
        assert_eq!(nat.outbound(&mut first, now), Verdict::Forward);
        assert_eq!(nat.outbound(&mut later, now), expected);
    }
}

#[test]
fn what_follows_a_filtered_fragment_is_dropped_too() {
    let mut nat = translator(Nat {
        filtering: Behaviour::AddressDependent,
        ..FULL_CONE
    });
    let outside = leaves_as(&mut nat, ALICES, SERVER, START);
    let [mut first, mut later] = large(at(PEER, 5000), outside);
    let filtered = nat.inbound(&mut first, START);
    assert_eq!(filtered, Verdict::Drop(Reason::Filtered));
    let later = nat.inbound(&mut later, START);
    assert_eq!(later, Verdict::Drop(Reason::Fragment));
}

#[test]
fn forgotten_fragments_are_dropped() {
    let mut nat = translator(FULL_CONE);
    let [mut first, mut later] = large(ALICES, SERVER);
    nat.outbound(&mut first, START);
    nat.forget();
    let verdict = nat.outbound(&mut later, START);
    assert_eq!(verdict, Verdict::Drop(Reason::Fragment));
}

#[test]
fn the_fragments_of_an_error_are_dropped() {
    let mut nat = translator(FULL_CONE);
    let mut packet = wire::udp_with(ALICES, SERVER, &[7; 500]);
    nat.outbound(&mut packet, START);
    let error = wire::icmp(STUN, EXTERNAL, (3, 3), &packet);
    for mut fragment in wire::fragments(&error, 256) {
        let verdict = nat.inbound(&mut fragment, START);
        assert_eq!(verdict, Verdict::Drop(Reason::Fragment));
    }
}
