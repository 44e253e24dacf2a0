//! Packets that are none, and checksums at their limits.

use crate::*;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One packet of each kind, from inside and from outside.
fn specimens() -> Vec<Vec<u8>> {
    let (alice, server) = (at(ALICE, 40_000), at(STUN, 3478));
    let outside = external(40_000);
    let mut specimens = vec![
        wire::udp(alice, server),
        wire::udp(alice, outside),
        wire::udp(server, outside),
        wire::tcp(alice, server, "S"),
        wire::tcp(server, outside, "SA"),
        wire::echo_request(ALICE, STUN, 7),
        wire::echo_reply(STUN, EXTERNAL, 7),
        wire::icmp(STUN, EXTERNAL, (3, 4), &wire::udp(outside, server)),
        wire::icmp(ALICE, STUN, (3, 3), &wire::udp(server, alice)),
        wire::icmp(ALICE, EXTERNAL, (11, 0), &wire::tcp(outside, alice, "S")),
    ];
    specimens.extend(wire::fragments(&specimens[0], 16));
    specimens
}

fn warmed_up() -> Translator {
    let mut nat = translator(FULL_CONE);
    for mut packet in specimens() {
        nat.outbound(&mut packet, START);
    }
    nat
}

#[test]
fn truncated_packets_are_malformed() {
    for packet in specimens() {
        for length in 0..packet.len() {
            let mut nat = warmed_up();
            let malformed = Verdict::Drop(Reason::Malformed);
            assert_eq!(
                nat.outbound(&mut packet[..length].to_vec(), START),
                malformed
            );
            assert_eq!(
                nat.inbound(&mut packet[..length].to_vec(), START),
                malformed
            );
        }
    }
}

/// As truncated ones, but they say so themselves.
#[test]
fn short_packets_do_no_harm() {
    let mut nat = warmed_up();
    for packet in specimens() {
        for length in 20..packet.len() {
            let mut packet = packet[..length].to_vec();
            packet[2..4].copy_from_slice(&(length as u16).to_be_bytes());
            wire::sum_header(&mut packet);
            nat.outbound(&mut packet.clone(), START);
            nat.inbound(&mut packet, START);
        }
    }
}

#[test]
fn a_tcp_header_that_is_cut_off_is_malformed() {
    for length in 28..40 {
        let mut nat = warmed_up();
        let mut segment = wire::tcp(at(ALICE, 40_000), at(STUN, 3478), "A")[..length].to_vec();
        segment[2..4].copy_from_slice(&(length as u16).to_be_bytes());
        wire::sum_header(&mut segment);
        let verdict = nat.outbound(&mut segment, START);
        assert_eq!(verdict, Verdict::Drop(Reason::Malformed), "{length}");
    }
}

#[test]
fn a_packet_that_says_to_end_within_its_header_is_malformed() {
    let mut nat = warmed_up();
    let mut later = wire::fragments(&wire::udp(at(ALICE, 40_000), at(STUN, 3478)), 16)[1].clone();
    assert_eq!(nat.outbound(&mut later.clone(), START), Verdict::Forward);
    later[2..4].copy_from_slice(&[0, 19]);
    wire::sum_header(&mut later);
    let verdict = nat.outbound(&mut later, START);
    assert_eq!(verdict, Verdict::Drop(Reason::Malformed));
}

#[test]
fn an_error_does_not_quote_what_is_behind_it() {
    let mut nat = warmed_up();
    let quoted = wire::udp(external(40_000), at(STUN, 3478));
    let error = wire::icmp(STUN, EXTERNAL, (3, 3), &quoted[..24]);
    let mut error = [&error, &quoted[24..]].concat();
    let verdict = nat.inbound(&mut error, START);
    assert_eq!(verdict, Verdict::Drop(Reason::Malformed));
}

#[test]
fn random_bytes_and_damaged_packets_do_no_harm() {
    let mut random = ChaCha8Rng::seed_from_u64(1624);
    let mut nat = warmed_up();
    let specimens = specimens();
    let mut forwarded = 0;
    for round in 0..40_000_u32 {
        let mut packet = if round.is_multiple_of(4) {
            let mut bytes = vec![0; random.random_range(0..120)];
            random.fill_bytes(&mut bytes);
            if let Some(first) = bytes.first_mut() {
                *first = 0x45 + *first % 3;
            }
            bytes
        } else {
            let mut bytes = specimens[random.random_range(0..specimens.len())].clone();
            for _ in 0..random.random_range(1..4) {
                let damaged = random.random_range(0..bytes.len());
                bytes[damaged] = random.random();
            }
            bytes
        };
        let length = packet.len();
        let now = START + Duration::from_millis(round.into());
        let verdict = match random.random() {
            true => nat.outbound(&mut packet, now),
            false => nat.inbound(&mut packet, now),
        };
        assert_eq!(packet.len(), length);
        forwarded += u32::from(!matches!(verdict, Verdict::Drop(_)));
    }
    assert!((1000..39_000).contains(&forwarded), "{forwarded}");
    let counted: u64 = nat
        .counters()
        .iter()
        .map(|(_, counter)| counter.packets)
        .sum();
    assert_eq!(counted, 40_000 + specimens.len() as u64);
}

#[test]
fn other_protocols_are_dropped() {
    let mut nat = translator(FULL_CONE);
    let mut packet = wire::udp(at(ALICE, 40_000), at(STUN, 3478));
    packet[9] = 132;
    wire::sum_header(&mut packet);
    let verdict = nat.outbound(&mut packet, START);
    assert_eq!(verdict, Verdict::Drop(Reason::Protocol));
}

#[test]
fn udp_without_a_checksum_stays_without_one() {
    let mut nat = translator(FULL_CONE);
    let mut packet = wire::udp(at(ALICE, 40_000), at(STUN, 3478));
    packet[26..28].fill(0);
    assert_eq!(nat.outbound(&mut packet, START), Verdict::Forward);
    assert_eq!(packet[26..28], [0, 0]);
    assert_eq!(wire::ends(&packet).0, external(40_000));
}

/// Every checksum occurs, and among them the one that would be 0 and must not be written so (RFC 768).
#[test]
fn udp_checksums_hold_whatever_they_come_to() {
    let mut nat = translator(FULL_CONE);
    let mut ones = 0;
    for word in 0..=u16::MAX {
        let payload = word.to_be_bytes();
        let mut packet = wire::udp_with(at(ALICE, 40_000), at(STUN, 3478), &payload);
        assert_eq!(nat.outbound(&mut packet, START), Verdict::Forward);
        wire::ends(&packet);
        assert_ne!(packet[26..28], [0, 0]);
        ones += u32::from(packet[26..28] == [0xff, 0xff]);
    }
    assert!(ones > 0);
}

#[test]
fn a_damaged_packet_does_not_leave_as_a_sound_one() {
    let mut nat = translator(FULL_CONE);
    let sound = wire::udp(at(ALICE, 40_000), at(STUN, 3478));
    let mut packets = [sound.clone(), sound];
    packets[1][30] ^= 1;
    for packet in &mut packets {
        assert_eq!(nat.outbound(packet, START), Verdict::Forward);
    }
    assert_eq!(packets[0][26..28], packets[1][26..28]);
    assert_ne!(packets[0][30], packets[1][30]);
}

#[test]
fn options_and_bytes_behind_the_packet_are_kept() {
    let mut nat = translator(FULL_CONE);
    let plain = wire::udp(at(ALICE, 40_000), at(STUN, 3478));
    let mut packet = [&plain[..20], &[1; 4], &plain[20..], b"behind"].concat();
    packet[0] = 0x46;
    let length = plain.len() as u16 + 4;
    packet[2..4].copy_from_slice(&length.to_be_bytes());
    wire::sum_header(&mut packet);
    assert_eq!(nat.outbound(&mut packet, START), Verdict::Forward);
    let translated = &packet[..usize::from(length)];
    assert_eq!(wire::ends(translated), (external(40_000), at(STUN, 3478)));
    assert_eq!(translated[20..24], [1; 4]);
    assert!(packet.ends_with(b"behind"));
}
