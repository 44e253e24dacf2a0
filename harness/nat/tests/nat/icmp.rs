//! Echoes, and errors with the packet that they quote (RFC 5508).

use crate::*;
use rstest::rstest;

/// On the way between the NAT and its peers.
const ROUTER: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
/// Behind the NAT, on the way to its hosts.
const INSIDE_ROUTER: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 1);

const PORT_UNREACHABLE: (u8, u8) = (3, 3);
const FRAGMENTATION_NEEDED: (u8, u8) = (3, 4);
const TIME_EXCEEDED: (u8, u8) = (11, 0);

/// The packet from inside, and as it is outside.
fn sent(nat: &mut Translator, packet: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let mut outside = packet.clone();
    assert_eq!(nat.outbound(&mut outside, START), Verdict::Forward);
    (packet, outside)
}

#[test]
fn echoes_are_mapped_by_their_identifier() {
    let mut nat = translator(FULL_CONE);
    let hosts = [ALICE, BOB].map(|host| {
        let (_, outside) = sent(&mut nat, wire::echo_request(host, STUN, 7));
        let (source, destination) = wire::ends(&outside);
        assert_eq!(destination, at(STUN, 0));
        (host, source)
    });
    assert_eq!(hosts[0].1, external(7));
    assert_ne!(hosts[1].1, external(7));
    for (host, outside) in hosts {
        let mut reply = wire::echo_reply(STUN, EXTERNAL, outside.port());
        assert_eq!(nat.inbound(&mut reply, START), Verdict::Forward);
        assert_eq!(wire::ends(&reply), (at(STUN, 0), at(host, 7)));
    }
}

#[test]
fn echoes_in_the_wrong_direction_and_other_queries_are_dropped() {
    let mut nat = translator(FULL_CONE);
    sent(&mut nat, wire::echo_request(ALICE, STUN, 7));
    let dropped = Verdict::Drop(Reason::IcmpType);
    let mut request = wire::echo_request(PEER, EXTERNAL, 7);
    assert_eq!(nat.inbound(&mut request, START), dropped);
    let mut reply = wire::echo_reply(ALICE, PEER, 7);
    assert_eq!(nat.outbound(&mut reply, START), dropped);
    let mut redirect = wire::icmp(PEER, EXTERNAL, (5, 1), &[0; 28]);
    assert_eq!(nat.inbound(&mut redirect, START), dropped);
}

#[rstest]
fn an_error_from_outside_reaches_the_sender_with_the_packet_as_it_was_sent(
    #[values(PORT_UNREACHABLE, FRAGMENTATION_NEEDED, TIME_EXCEEDED)] kind: (u8, u8),
    #[values(
        wire::udp(at(ALICE, 40_000), at(STUN, 3478)),
        wire::tcp(at(ALICE, 40_000), at(STUN, 443), "S"),
        wire::echo_request(ALICE, STUN, 7)
    )]
    packet: Vec<u8>,
    #[values(28, 40, 1500)] quoted: usize,
    #[values(
        Behaviour::EndpointIndependent,
        Behaviour::AddressDependent,
        Behaviour::AddressAndPortDependent
    )]
    behaviour: Behaviour,
) {
    let mut nat = translator(Nat {
        mapping: behaviour,
        filtering: behaviour,
        port_preservation: false,
        ..FULL_CONE
    });
    let (inside, outside) = sent(&mut nat, packet);
    let quoted = quoted.min(inside.len());
    let mut error = wire::icmp(ROUTER, EXTERNAL, kind, &outside[..quoted]);
    let length = error.len();
    assert_eq!(nat.inbound(&mut error, START), Verdict::Forward);
    assert_eq!(wire::addresses(&error), (ROUTER, ALICE));
    assert_eq!(wire::quoted(&error), inside[..quoted]);
    assert_eq!(error.len(), length);
    assert_eq!(
        (error[20], error[21], &error[24..28]),
        (kind.0, kind.1, &[0, 0, 0x05, 0x14][..])
    );
}

#[rstest]
#[case::of_the_host(ALICE)]
#[case::of_a_router_on_the_way(INSIDE_ROUTER)]
fn an_error_from_inside_leaves_from_the_external_address(#[case] reporter: Ipv4Addr) {
    for behaviour in [
        Behaviour::EndpointIndependent,
        Behaviour::AddressAndPortDependent,
    ] {
        let mut nat = translator(Nat {
            mapping: behaviour,
            port_preservation: false,
            ..FULL_CONE
        });
        let outside = leaves_as(&mut nat, at(ALICE, 40_000), at(STUN, 3478), START);
        let answer = wire::udp(at(STUN, 3478), outside);
        let mut inside = answer.clone();
        assert_eq!(nat.inbound(&mut inside, START), Verdict::Forward);
        let mut error = wire::icmp(reporter, STUN, PORT_UNREACHABLE, &inside);
        assert_eq!(nat.outbound(&mut error, START), Verdict::Forward);
        assert_eq!(wire::addresses(&error), (EXTERNAL, STUN));
        assert_eq!(wire::quoted(&error), answer);
    }
}

/// RFC 5508 REQ-7.
#[test]
fn an_error_about_a_hairpinned_packet_is_hairpinned() {
    let mut nat = translator(FULL_CONE);
    let (alice, bob) = (at(ALICE, 40_000), at(BOB, 50_000));
    let outside = leaves_as(&mut nat, bob, at(STUN, 3478), START);
    let packet = wire::udp(alice, outside);
    let mut received = packet.clone();
    assert_eq!(nat.outbound(&mut received, START), Verdict::Hairpin);
    let mut error = wire::icmp(BOB, EXTERNAL, PORT_UNREACHABLE, &received);
    assert_eq!(nat.outbound(&mut error, START), Verdict::Hairpin);
    assert_eq!(wire::addresses(&error), (EXTERNAL, ALICE));
    assert_eq!(wire::quoted(&error), packet);
}

#[test]
fn an_error_about_what_nobody_sent_is_dropped() {
    let mut nat = translator(Nat {
        filtering: Behaviour::AddressAndPortDependent,
        ..FULL_CONE
    });
    let (_, outside) = sent(&mut nat, wire::udp(at(ALICE, 40_000), at(STUN, 3478)));
    let other_port = wire::udp(external(40_002), at(STUN, 3478));
    let other_remote = wire::udp(external(40_000), at(PEER, 3478));
    let other_source = wire::udp(at(PEER, 40_000), at(STUN, 3478));
    for packet in [other_port, other_remote, other_source] {
        let mut error = wire::icmp(ROUTER, EXTERNAL, PORT_UNREACHABLE, &packet);
        let verdict = nat.inbound(&mut error, START);
        assert_eq!(verdict, Verdict::Drop(Reason::IcmpError));
    }
    let mut late = wire::icmp(ROUTER, EXTERNAL, PORT_UNREACHABLE, &outside);
    let verdict = nat.inbound(&mut late, seconds(30));
    assert_eq!(verdict, Verdict::Drop(Reason::IcmpError));
    let unknown = wire::udp(at(PEER, 1), at(BOB, 2));
    let mut error = wire::icmp(BOB, PEER, PORT_UNREACHABLE, &unknown);
    let verdict = nat.outbound(&mut error, START);
    assert_eq!(verdict, Verdict::Drop(Reason::IcmpError));
}

/// Such an echo has passed the NAT in neither direction. With identifier 0 its two ends look alike.
#[test]
fn an_error_about_an_echo_in_the_wrong_direction_is_dropped() {
    let mut nat = translator(FULL_CONE);
    sent(&mut nat, wire::echo_request(ALICE, STUN, 0));
    let dropped = Verdict::Drop(Reason::IcmpError);
    let reply = wire::echo_reply(EXTERNAL, STUN, 0);
    let mut error = wire::icmp(STUN, EXTERNAL, TIME_EXCEEDED, &reply);
    assert_eq!(nat.inbound(&mut error, START), dropped);
    let request = wire::echo_request(STUN, ALICE, 0);
    let mut error = wire::icmp(ALICE, STUN, TIME_EXCEEDED, &request);
    assert_eq!(nat.outbound(&mut error, START), dropped);
}

#[test]
fn an_error_about_a_later_fragment_is_dropped_whatever_its_bytes_look_like() {
    let mut nat = translator(FULL_CONE);
    let (_, mut outside) = sent(&mut nat, wire::udp(at(ALICE, 40_000), at(STUN, 3478)));
    outside[7] = 1;
    wire::sum_header(&mut outside);
    let mut error = wire::icmp(ROUTER, EXTERNAL, TIME_EXCEEDED, &outside);
    let verdict = nat.inbound(&mut error, START);
    assert_eq!(verdict, Verdict::Drop(Reason::IcmpError));
}

/// As the extensions of RFC 4884, which follow the quoted packet.
#[test]
fn what_follows_the_quoted_packet_is_kept() {
    let mut nat = translator(FULL_CONE);
    let (_, mut outside) = sent(&mut nat, wire::tcp(at(ALICE, 40_000), at(STUN, 443), "S"));
    outside[2..4].copy_from_slice(&28_u16.to_be_bytes());
    wire::sum_header(&mut outside);
    let mut error = wire::icmp(ROUTER, EXTERNAL, TIME_EXCEEDED, &outside);
    assert_eq!(nat.inbound(&mut error, START), Verdict::Forward);
    assert_eq!(wire::quoted(&error)[28..], outside[28..]);
}

/// RFC 5508 REQ-6.
#[test]
fn an_error_neither_refreshes_nor_ends_a_mapping() {
    let mut nat = translator(FULL_CONE);
    let (_, outside) = sent(&mut nat, wire::udp(at(ALICE, 40_000), at(STUN, 3478)));
    let mut error = wire::icmp(ROUTER, EXTERNAL, PORT_UNREACHABLE, &outside);
    assert_eq!(nat.inbound(&mut error, seconds(10)), Verdict::Forward);
    let mapping = nat.mappings(seconds(10)).next().unwrap();
    assert_eq!(mapping.expires_in, Duration::from_secs(20));
}

/// RFC 5508 REQ-3.
#[test]
fn an_error_with_a_wrong_checksum_is_dropped() {
    let mut nat = translator(FULL_CONE);
    let (_, outside) = sent(&mut nat, wire::udp(at(ALICE, 40_000), at(STUN, 3478)));
    let mut error = wire::icmp(ROUTER, EXTERNAL, PORT_UNREACHABLE, &outside);
    error[27] ^= 1;
    let verdict = nat.inbound(&mut error, START);
    assert_eq!(verdict, Verdict::Drop(Reason::Malformed));
    let mut damaged = outside;
    damaged[8] ^= 1;
    let mut error = wire::icmp(ROUTER, EXTERNAL, PORT_UNREACHABLE, &damaged);
    let verdict = nat.inbound(&mut error, START);
    assert_eq!(verdict, Verdict::Drop(Reason::Malformed));
}
