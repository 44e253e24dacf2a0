//! How long mappings live.

use crate::*;

const NANOSECOND: Duration = Duration::from_nanos(1);

#[test]
fn an_idle_udp_mapping_expires_at_the_exact_moment() {
    let mut nat = translator(FULL_CONE);
    let (alice, stun) = (at(ALICE, 40_000), at(STUN, 3478));
    let external = leaves_as(&mut nat, alice, stun, START);
    assert_eq!(nat.mappings(seconds(30) - NANOSECOND).count(), 1);
    assert_eq!(nat.mappings(seconds(30)).count(), 0);
    let late = reaches(&mut nat, stun, external, seconds(30));
    assert_eq!(late, Err(Reason::UnsolicitedUdp));
    let mut nat = translator(FULL_CONE);
    let external = leaves_as(&mut nat, alice, stun, START);
    let in_time = reaches(&mut nat, stun, external, seconds(30) - NANOSECOND);
    assert_eq!(in_time, Ok(alice));
}

#[test]
fn outbound_and_admitted_inbound_packets_refresh_a_mapping() {
    let mut nat = translator(FULL_CONE);
    let (alice, stun) = (at(ALICE, 40_000), at(STUN, 3478));
    let external = leaves_as(&mut nat, alice, stun, START);
    assert_eq!(leaves_as(&mut nat, alice, stun, seconds(20)), external);
    assert_eq!(reaches(&mut nat, stun, external, seconds(49)), Ok(alice));
    assert_eq!(reaches(&mut nat, stun, external, seconds(78)), Ok(alice));
    let late = reaches(&mut nat, stun, external, seconds(108));
    assert_eq!(late, Err(Reason::UnsolicitedUdp));
}

#[test]
fn filtered_packets_refresh_nothing() {
    let mut nat = translator(Nat {
        filtering: Behaviour::AddressDependent,
        ..FULL_CONE
    });
    let external = leaves_as(&mut nat, at(ALICE, 40_000), at(STUN, 3478), START);
    let stranger = reaches(&mut nat, at(PEER, 5000), external, seconds(20));
    assert_eq!(stranger, Err(Reason::Filtered));
    let late = reaches(&mut nat, at(STUN, 3478), external, seconds(30));
    assert_eq!(late, Err(Reason::UnsolicitedUdp));
}

#[test]
fn who_was_contacted_may_answer_as_long_as_the_mapping_lives_and_no_longer() {
    let mut nat = translator(Nat {
        filtering: Behaviour::AddressAndPortDependent,
        ..FULL_CONE
    });
    let (alice, stun, peer) = (at(ALICE, 40_000), at(STUN, 3478), at(PEER, 5000));
    let external = leaves_as(&mut nat, alice, peer, START);
    for refreshed in [20, 40, 60] {
        assert_eq!(
            leaves_as(&mut nat, alice, stun, seconds(refreshed)),
            external
        );
    }
    assert_eq!(reaches(&mut nat, peer, external, seconds(80)), Ok(alice));
    assert_eq!(leaves_as(&mut nat, alice, stun, seconds(110)), external);
    assert_eq!(
        reaches(&mut nat, peer, external, seconds(111)),
        Err(Reason::Filtered)
    );
}

#[test]
fn a_dependent_mapping_lives_by_its_own_packets_alone() {
    let mut nat = translator(Nat {
        mapping: Behaviour::AddressAndPortDependent,
        ..FULL_CONE
    });
    let (alice, stun, peer) = (at(ALICE, 40_000), at(STUN, 3478), at(PEER, 5000));
    let to_stun = leaves_as(&mut nat, alice, stun, START);
    let to_peer = leaves_as(&mut nat, alice, peer, seconds(20));
    assert_eq!(reaches(&mut nat, peer, to_peer, seconds(30)), Ok(alice));
    let late = reaches(&mut nat, stun, to_stun, seconds(30));
    assert_eq!(late, Err(Reason::UnsolicitedUdp));
}

#[test]
fn an_echo_is_answered_for_a_minute() {
    let mut nat = translator(FULL_CONE);
    let mut request = wire::echo_request(ALICE, STUN, 7);
    assert_eq!(nat.outbound(&mut request, START), Verdict::Forward);
    let mut reply = wire::echo_reply(STUN, EXTERNAL, 7);
    let in_time = nat.inbound(&mut reply, seconds(60) - NANOSECOND);
    assert_eq!(in_time, Verdict::Forward);
    let mut reply = wire::echo_reply(STUN, EXTERNAL, 7);
    let late = nat.inbound(&mut reply, seconds(120));
    assert_eq!(late, Verdict::Drop(Reason::UnsolicitedIcmp));
}

#[test]
fn forgetting_drops_what_is_under_way_and_the_next_packet_begins_anew() {
    let mut nat = translator(Nat {
        port_preservation: false,
        ..FULL_CONE
    });
    let (alice, stun) = (at(ALICE, 40_000), at(STUN, 3478));
    let before = leaves_as(&mut nat, alice, stun, START);
    nat.forget();
    assert_eq!(nat.mappings(START).count(), 0);
    let answer = reaches(&mut nat, stun, before, START);
    assert_eq!(answer, Err(Reason::UnsolicitedUdp));
    let after = leaves_as(&mut nat, alice, stun, START);
    assert_ne!(after, before);
    assert_eq!(reaches(&mut nat, stun, after, START), Ok(alice));
    assert_eq!(counted(&nat, "nat/forward-outbound"), 2);
}

#[test]
fn mappings_are_limited_and_expired_ones_make_room() {
    let mut nat = translator(FULL_CONE);
    let stun = at(STUN, 3478);
    let inside = |at_number: u32| {
        let host = Ipv4Addr::from_bits(ALICE.to_bits() + at_number / 50_000);
        at(host, 1024 + (at_number % 50_000) as u16)
    };
    for number in 0..16_384 {
        leaves_as(&mut nat, inside(number), stun, START);
    }
    let mut one_more = wire::udp(inside(16_384), stun);
    let verdict = nat.outbound(&mut one_more, seconds(29));
    assert_eq!(verdict, Verdict::Drop(Reason::TableFull));
    assert_eq!(
        leaves_as(&mut nat, inside(3), stun, seconds(29)),
        external(1027)
    );
    leaves_as(&mut nat, inside(16_384), stun, seconds(30));
    assert_eq!(nat.mappings(seconds(30)).count(), 2);
}

#[test]
fn the_remote_endpoints_of_one_mapping_are_limited() {
    let mut nat = translator(Nat {
        filtering: Behaviour::AddressAndPortDependent,
        ..FULL_CONE
    });
    let alice = at(ALICE, 40_000);
    for port in 1..=256 {
        leaves_as(&mut nat, alice, at(PEER, port), START);
    }
    let mut one_more = wire::udp(alice, at(PEER, 257));
    let verdict = nat.outbound(&mut one_more, START);
    assert_eq!(verdict, Verdict::Drop(Reason::TableFull));
    leaves_as(&mut nat, alice, at(PEER, 7), START);
}

#[test]
fn with_another_external_address_everything_begins_anew_there() {
    let mut nat = translator(FULL_CONE);
    let (alice, stun) = (at(ALICE, 40_000), at(STUN, 3478));
    let before = leaves_as(&mut nat, alice, stun, START);
    let other = Ipv4Addr::new(203, 0, 113, 50);
    nat.readdress(other);
    // The old address is nobody's any more.
    assert!(reaches(&mut nat, stun, before, START).is_err());
    let after = leaves_as(&mut nat, alice, stun, START);
    assert_eq!(*after.ip(), other);
    assert_eq!(reaches(&mut nat, stun, after, START), Ok(alice));
}
