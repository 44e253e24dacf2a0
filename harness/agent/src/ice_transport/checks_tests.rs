//! Connectivity checks, as they pass.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::checks::{Base, CheckedPair, Checks};
use super::observer::Use;
use super::testing::{
    binding_request, binding_success, error_response, relayed_in_channel_data, response_to,
};
use bytes::Bytes;
use farcall_timeline::CandidatePairState::{Failed, InProgress, Succeeded, Waiting};
use rtc::stun::attributes::{
    ATTR_CHANNEL_NUMBER, ATTR_DATA, ATTR_USE_CANDIDATE, ATTR_XOR_PEER_ADDRESS,
};
use rtc::stun::message::{
    CLASS_INDICATION, CLASS_REQUEST, CLASS_SUCCESS_RESPONSE, METHOD_ALLOCATE, METHOD_CHANNEL_BIND,
    METHOD_DATA, METHOD_SEND, Message, MessageType, TransactionId,
};
use rtc::stun::xoraddr::XorMappedAddress;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const OF: Use = Use {
    server: 0,
    socket: 1,
};

fn local() -> SocketAddr {
    SocketAddr::from(([10, 20, 0, 5], 40_000))
}

fn remote() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 9], 61_234))
}

fn relay() -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 10], 49_152))
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn nominating() -> Bytes {
    let mut request = Message::new();
    request.unmarshal_binary(&binding_request()).unwrap();
    request.add(ATTR_USE_CANDIDATE, &[]);
    Bytes::from(request.raw)
}

fn of_peer(message_type: MessageType) -> Message {
    let mut message = Message::new();
    message
        .build(&[Box::new(TransactionId::new()), Box::new(message_type)])
        .unwrap();
    let peer = XorMappedAddress {
        ip: remote().ip(),
        port: remote().port(),
    };
    peer.add_to_as(&mut message, ATTR_XOR_PEER_ADDRESS).unwrap();
    message
}

fn send_indication(payload: &[u8]) -> Bytes {
    let mut message = of_peer(MessageType::new(METHOD_SEND, CLASS_INDICATION));
    message.add(ATTR_DATA, payload);
    Bytes::from(message.raw)
}

fn data_indication(payload: &[u8]) -> Bytes {
    let mut message = of_peer(MessageType::new(METHOD_DATA, CLASS_INDICATION));
    message.add(ATTR_DATA, payload);
    Bytes::from(message.raw)
}

/// Asks for the channel that [`relayed_in_channel_data`] uses.
fn channel_bind() -> Bytes {
    let mut message = of_peer(MessageType::new(METHOD_CHANNEL_BIND, CLASS_REQUEST));
    message.add(ATTR_CHANNEL_NUMBER, &[0x40, 0, 0, 0]);
    Bytes::from(message.raw)
}

fn pairs(checks: &Checks, now: Instant) -> Vec<CheckedPair> {
    checks.pairs(now, |of| (of == OF).then(relay))
}

fn only(checks: &Checks, now: Instant) -> CheckedPair {
    let mut pairs = pairs(checks, now);
    assert_eq!(pairs.len(), 1, "{pairs:#?}");
    pairs.remove(0)
}

#[test]
fn a_check_that_is_answered_succeeds() {
    let (checks, base, start) = (Checks::default(), Base::Host(local()), Instant::now());
    let request = binding_request();
    checks.sent(base, remote(), &request, start);
    assert_eq!(only(&checks, start).state, InProgress);
    let answer = binding_success(&request, local());
    checks.received(base, remote(), &answer, start + ms(31));
    // The same once more is an answer to nothing.
    checks.received(base, remote(), &answer, start + ms(40));
    let asked = binding_request();
    checks.received(base, remote(), &asked, start + ms(50));
    let given = binding_success(&asked, remote());
    checks.sent(base, remote(), &given, start + ms(50));
    let expected = CheckedPair {
        local: local(),
        is_relayed: false,
        remote: remote(),
        state: Succeeded,
        nominated: false,
        requests_sent: 1,
        responses_received: 1,
        requests_received: 1,
        responses_sent: 1,
        round_trip: Some(ms(31)),
    };
    assert_eq!(only(&checks, start + ms(60_000)), expected);
}

#[test]
fn a_check_without_an_answer_fails_when_none_can_come() {
    let (checks, base, start) = (Checks::default(), Base::Host(local()), Instant::now());
    let request = binding_request();
    checks.sent(base, remote(), &request, start);
    checks.sent(base, remote(), &binding_request(), start + ms(200));
    assert_eq!(only(&checks, start + ms(4_100)).state, InProgress);
    assert_eq!(only(&checks, start + ms(4_200)).state, Failed);
    let late = binding_success(&request, local());
    checks.received(base, remote(), &late, start + ms(4_300));
    let pair = only(&checks, start + ms(4_300));
    assert_eq!((pair.state, pair.responses_received), (Failed, 0));
    assert_eq!((pair.requests_sent, pair.round_trip), (2, None));
}

#[test]
fn a_pair_that_is_no_longer_answered_has_failed() {
    let (checks, base, start) = (Checks::default(), Base::Host(local()), Instant::now());
    let (first, lost, third) = (binding_request(), binding_request(), binding_request());
    checks.sent(base, remote(), &first, start);
    checks.received(
        base,
        remote(),
        &binding_success(&first, local()),
        start + ms(20),
    );
    checks.sent(base, remote(), &lost, start + ms(1_000));
    assert_eq!(only(&checks, start + ms(4_900)).state, Succeeded);
    assert_eq!(only(&checks, start + ms(5_000)).state, Failed);
    // It was that one alone.
    checks.sent(base, remote(), &third, start + ms(5_100));
    checks.received(
        base,
        remote(),
        &binding_success(&third, local()),
        start + ms(5_120),
    );
    assert_eq!(only(&checks, start + ms(9_000)).state, Succeeded);
}

#[test]
fn a_pair_of_which_only_the_other_peer_knows_waits() {
    let (checks, base, now) = (Checks::default(), Base::Host(local()), Instant::now());
    checks.received(base, remote(), &nominating(), now);
    let pair = only(&checks, now);
    assert_eq!((pair.state, pair.nominated), (Waiting, false));
    assert_eq!((pair.requests_received, pair.requests_sent), (1, 0));
}

#[test]
fn a_pair_is_nominated_by_either_peer_and_a_check_that_succeeds() {
    for (own, others) in [
        (nominating(), binding_request()),
        (binding_request(), nominating()),
    ] {
        let (checks, base, now) = (Checks::default(), Base::Host(local()), Instant::now());
        checks.received(base, remote(), &others, now);
        checks.sent(base, remote(), &own, now);
        assert!(!only(&checks, now).nominated);
        checks.received(base, remote(), &binding_success(&own, local()), now);
        assert!(only(&checks, now).nominated);
    }
}

#[test]
fn relayed_checks_are_of_the_relayed_address() {
    let request = binding_request();
    let answer = binding_success(&request, relay());
    for (sent, received) in [
        (send_indication(&request), data_indication(&answer)),
        (
            relayed_in_channel_data(&request),
            relayed_in_channel_data(&answer),
        ),
    ] {
        let (checks, now) = (Checks::default(), Instant::now());
        checks.sent_to_turn(OF, &channel_bind(), now);
        checks.sent_to_turn(OF, &sent, now);
        checks.received_from_turn(OF, &received, now + ms(20));
        let pair = only(&checks, now + ms(20));
        assert_eq!((pair.local, pair.is_relayed), (relay(), true));
        assert_eq!((pair.remote, pair.state), (remote(), Succeeded));
    }
}

#[test]
fn what_comes_through_a_channel_that_nobody_asked_for_is_of_no_pair() {
    let (checks, now) = (Checks::default(), Instant::now());
    let of_another = Use { server: 1, ..OF };
    checks.sent_to_turn(of_another, &channel_bind(), now);
    checks.sent_to_turn(OF, &relayed_in_channel_data(&binding_request()), now);
    assert!(pairs(&checks, now).is_empty(), "{checks:?}");
}

#[test]
fn what_is_no_check_is_not_counted() {
    let (checks, base, now) = (Checks::default(), Base::Host(local()), Instant::now());
    let request = binding_request();
    let mut allocate = Message::new();
    let of_server = MessageType::new(METHOD_ALLOCATE, CLASS_REQUEST);
    allocate
        .build(&[Box::new(TransactionId::new()), Box::new(of_server)])
        .unwrap();
    for other in [
        &[0x80, 111, 0, 1][..],
        &[],
        &error_response(&request, 487),
        // An answer to what nobody asked.
        &response_to(&request, CLASS_SUCCESS_RESPONSE),
        &allocate.raw,
    ] {
        checks.sent(base, remote(), other, now);
        checks.received(base, remote(), other, now);
        checks.sent_to_turn(OF, other, now);
        checks.received_from_turn(OF, other, now);
    }
    assert!(pairs(&checks, now).is_empty(), "{checks:?}");
}

#[test]
fn no_more_pairs_are_counted_than_a_call_can_have() {
    let (checks, base, now) = (Checks::default(), Base::Host(local()), Instant::now());
    for port in 1..=1_000 {
        let from = SocketAddr::new(remote().ip(), port);
        checks.received(base, from, &binding_request(), now);
    }
    assert_eq!(pairs(&checks, now).len(), 256);
}
