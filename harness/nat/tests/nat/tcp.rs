//! The life of TCP connections (RFC 5382).

use crate::*;
use rstest::rstest;

const SERVER: SocketAddrV4 = SocketAddrV4::new(STUN, 443);
const CLIENT: SocketAddrV4 = SocketAddrV4::new(ALICE, 40_000);
const OUTSIDE: SocketAddrV4 = SocketAddrV4::new(EXTERNAL, 40_000);

fn out(nat: &mut Translator, flags: &str, now: Duration) -> Verdict {
    let mut segment = wire::tcp(CLIENT, SERVER, flags);
    let verdict = nat.outbound(&mut segment, now);
    if verdict == Verdict::Forward {
        assert_eq!(wire::ends(&segment), (OUTSIDE, SERVER));
    }
    verdict
}

fn back(nat: &mut Translator, flags: &str, now: Duration) -> Verdict {
    let mut segment = wire::tcp(SERVER, OUTSIDE, flags);
    let verdict = nat.inbound(&mut segment, now);
    if verdict == Verdict::Forward {
        assert_eq!(wire::ends(&segment), (SERVER, CLIENT));
    }
    verdict
}

fn established() -> Translator {
    let mut nat = translator(FULL_CONE);
    assert_eq!(out(&mut nat, "S", START), Verdict::Forward);
    assert_eq!(back(&mut nat, "SA", START), Verdict::Forward);
    assert_eq!(out(&mut nat, "A", START), Verdict::Forward);
    nat
}

/// How many seconds the only mapping lives on if nothing is sent.
fn lives_on(nat: &Translator) -> u64 {
    nat.mappings(START).next().unwrap().expires_in.as_secs()
}

#[test]
fn an_established_connection_lives_as_declared() {
    let mut nat = established();
    assert_eq!(lives_on(&nat), 7440);
    assert_eq!(back(&mut nat, "A", seconds(7439)), Verdict::Forward);
    assert_eq!(out(&mut nat, "A", seconds(7439 + 7439)), Verdict::Forward);
    let late = back(&mut nat, "A", seconds(7439 + 7439 + 7440));
    assert_eq!(late, Verdict::Drop(Reason::UnsolicitedTcp));
}

#[test]
fn a_half_open_connection_lives_four_minutes() {
    let mut nat = translator(FULL_CONE);
    out(&mut nat, "S", START);
    assert_eq!(lives_on(&nat), 240);
    back(&mut nat, "SA", START);
    assert_eq!(lives_on(&nat), 240);
}

#[rstest]
#[case::reset_from_inside(&[("out", "RA")])]
#[case::reset_from_outside(&[("back", "R")])]
#[case::both_closed(&[("out", "FA"), ("back", "FA")])]
#[case::both_closed_and_acknowledged(&[("back", "FA"), ("out", "FA"), ("back", "A")])]
fn a_connection_that_is_over_lives_four_minutes(#[case] segments: &[(&str, &str)]) {
    let mut nat = established();
    assert_eq!(lives_on(&nat), 7440);
    for (way, flags) in segments {
        let verdict = match *way {
            "out" => out(&mut nat, flags, START),
            _ => back(&mut nat, flags, START),
        };
        assert_eq!(verdict, Verdict::Forward);
    }
    assert_eq!(lives_on(&nat), 240);
}

#[test]
fn a_connection_that_one_side_has_closed_lives_as_declared() {
    let mut nat = established();
    out(&mut nat, "FA", START);
    back(&mut nat, "A", START);
    assert_eq!(lives_on(&nat), 7440);
}

#[test]
fn a_port_is_used_again_after_a_connection_is_over() {
    let mut nat = established();
    out(&mut nat, "RA", START);
    out(&mut nat, "S", START);
    back(&mut nat, "SA", START);
    out(&mut nat, "A", START);
    assert_eq!(lives_on(&nat), 7440);
}

#[test]
fn a_mapping_lives_as_long_as_its_last_connection() {
    let mut nat = established();
    let mut second = wire::tcp(CLIENT, at(PEER, 443), "S");
    assert_eq!(nat.outbound(&mut second, START), Verdict::Forward);
    assert_eq!(lives_on(&nat), 7440);
    out(&mut nat, "RA", START);
    assert_eq!(lives_on(&nat), 240);
}

#[test]
fn a_connection_expires_at_the_exact_moment_though_another_keeps_the_mapping() {
    let (in_time, late) = (seconds(7440) - Duration::from_nanos(1), seconds(7440));
    for (now, expected) in [
        (in_time, Verdict::Forward),
        (late, Verdict::Drop(Reason::NoConnection)),
    ] {
        let mut nat = established();
        let mut another = wire::tcp(CLIENT, at(PEER, 443), "S");
        assert_eq!(nat.outbound(&mut another, seconds(7400)), Verdict::Forward);
        assert_eq!(out(&mut nat, "A", now), expected);
    }
}

#[test]
fn the_connections_of_a_mapping_are_limited_and_expired_ones_make_room() {
    let mut nat = established();
    let opens = |nat: &mut Translator, port, now| {
        nat.outbound(&mut wire::tcp(CLIENT, at(PEER, port), "S"), now)
    };
    for port in 1..256 {
        assert_eq!(opens(&mut nat, port, START), Verdict::Forward);
    }
    let full = Verdict::Drop(Reason::TableFull);
    assert_eq!(opens(&mut nat, 256, seconds(239)), full);
    assert_eq!(opens(&mut nat, 1, seconds(240)), Verdict::Forward);
    assert_eq!(out(&mut nat, "A", seconds(241)), Verdict::Forward);
}

#[test]
fn only_a_syn_begins_a_connection() {
    let mut nat = translator(FULL_CONE);
    for flags in ["A", "SA", "FA", "RA", "SF"] {
        let verdict = out(&mut nat, flags, START);
        assert_eq!(verdict, Verdict::Drop(Reason::NoConnection), "{flags}");
    }
    assert_eq!(nat.mappings(START).count(), 0);
    let mut nat = established();
    let mut elsewhere = wire::tcp(at(PEER, 443), OUTSIDE, "SA");
    let verdict = nat.inbound(&mut elsewhere, START);
    assert_eq!(verdict, Verdict::Drop(Reason::NoConnection));
}

#[test]
fn an_open_connection_is_dead_once_the_nat_has_forgotten_it() {
    let mut nat = established();
    nat.forget();
    assert_eq!(
        out(&mut nat, "A", START),
        Verdict::Drop(Reason::NoConnection)
    );
    assert_eq!(
        back(&mut nat, "A", START),
        Verdict::Drop(Reason::UnsolicitedTcp)
    );
}

#[test]
fn a_syn_from_outside_passes_if_the_filter_admits_its_sender() {
    let stranger = at(PEER, 5000);
    for (filtering, expected) in [
        (Behaviour::EndpointIndependent, Verdict::Forward),
        (Behaviour::AddressDependent, Verdict::Drop(Reason::Filtered)),
        (
            Behaviour::AddressAndPortDependent,
            Verdict::Drop(Reason::Filtered),
        ),
    ] {
        let mut nat = translator(Nat {
            filtering,
            ..FULL_CONE
        });
        out(&mut nat, "S", START);
        let mut syn = wire::tcp(stranger, OUTSIDE, "S");
        assert_eq!(nat.inbound(&mut syn, START), expected);
        if expected == Verdict::Forward {
            assert_eq!(wire::ends(&syn), (stranger, CLIENT));
            let mut answer = wire::tcp(CLIENT, stranger, "SA");
            assert_eq!(nat.outbound(&mut answer, START), Verdict::Forward);
            assert_eq!(wire::ends(&answer), (OUTSIDE, stranger));
        }
    }
}

/// RFC 5382 REQ-2: both sides send a SYN before either has come.
#[test]
fn a_simultaneous_open_is_established() {
    let mut nat = translator(Nat {
        filtering: Behaviour::AddressAndPortDependent,
        ..FULL_CONE
    });
    out(&mut nat, "S", START);
    assert_eq!(back(&mut nat, "S", START), Verdict::Forward);
    assert_eq!(out(&mut nat, "SA", START), Verdict::Forward);
    assert_eq!(back(&mut nat, "SA", START), Verdict::Forward);
    assert_eq!(out(&mut nat, "A", START), Verdict::Forward);
    assert_eq!(lives_on(&nat), 7440);
}
