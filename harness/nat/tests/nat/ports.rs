//! External ports, and what is shown of mappings.

use crate::*;
use std::collections::HashSet;

#[test]
fn a_second_host_with_the_same_port_gets_another_one_of_the_same_parity() {
    let mut nat = translator(FULL_CONE);
    let mut ports = HashSet::new();
    for host in 1..=200 {
        let inside = at(Ipv4Addr::new(192, 168, 1, host), 40_001);
        let port = leaves_as(&mut nat, inside, at(STUN, 3478), START).port();
        assert_eq!(port == 40_001, host == 1);
        assert_eq!(port % 2, 1);
        assert!(ports.insert(port));
    }
}

#[test]
fn without_port_preservation_no_port_says_anything_of_the_one_inside() {
    let mut nat = translator(Nat {
        port_preservation: false,
        ..FULL_CONE
    });
    let inside: Vec<u16> = (40_000..40_200).collect();
    let ports: Vec<u16> = inside
        .iter()
        .map(|port| leaves_as(&mut nat, at(ALICE, *port), at(STUN, 3478), START).port())
        .collect();
    assert_eq!(ports.iter().collect::<HashSet<_>>().len(), ports.len());
    assert!(ports.iter().all(|port| *port >= 1024));
    let kept = inside.iter().zip(&ports).filter(|(from, to)| from == to);
    assert!(kept.count() < 4);
    let same_parity = inside
        .iter()
        .zip(&ports)
        .filter(|(from, to)| *from % 2 == *to % 2);
    assert!((50..150).contains(&same_parity.count()));
}

#[test]
fn the_preserved_port_is_free_again_once_its_mapping_has_expired() {
    let mut nat = translator(FULL_CONE);
    let stun = at(STUN, 3478);
    leaves_as(&mut nat, at(ALICE, 40_000), stun, START);
    assert_ne!(
        leaves_as(&mut nat, at(BOB, 40_000), stun, seconds(29)),
        external(40_000)
    );
    let carol = at(Ipv4Addr::new(192, 168, 1, 12), 40_000);
    assert_eq!(
        leaves_as(&mut nat, carol, stun, seconds(30)),
        external(40_000)
    );
    assert_eq!(
        reaches(&mut nat, stun, external(40_000), seconds(30)),
        Ok(carol)
    );
    assert_ne!(
        leaves_as(&mut nat, at(ALICE, 40_000), stun, seconds(30)),
        external(40_000)
    );
}

#[test]
fn a_port_that_went_to_another_host_is_not_shared_with_the_one_that_had_it() {
    let stun = at(STUN, 3478);
    let mut expired = translator(FULL_CONE);
    leaves_as(&mut expired, at(ALICE, 40_000), stun, START);
    let mut forgotten = translator(FULL_CONE);
    leaves_as(&mut forgotten, at(ALICE, 40_000), stun, seconds(100));
    forgotten.forget();
    for mut nat in [expired, forgotten] {
        let bobs = leaves_as(&mut nat, at(BOB, 40_000), stun, seconds(100));
        assert_eq!(bobs, external(40_000));
        let alices = leaves_as(&mut nat, at(ALICE, 40_000), stun, seconds(100));
        assert_ne!(alices, bobs);
        assert_eq!(
            reaches(&mut nat, stun, bobs, seconds(100)),
            Ok(at(BOB, 40_000))
        );
    }
}

#[test]
fn the_seed_decides_the_ports() {
    let ports = |seed| {
        let nat = Nat {
            port_preservation: false,
            mapping: Behaviour::AddressAndPortDependent,
            ..FULL_CONE
        };
        let mut nat = Translator::new(nat, EXTERNAL, seed);
        let to = |port| leaves_as(&mut nat, at(ALICE, 40_000), at(STUN, port), START).port();
        (1..=100).map(to).collect::<Vec<_>>()
    };
    assert_eq!(ports(7), ports(7));
    assert_ne!(ports(7), ports(8));
}

#[test]
fn mappings_are_shown_in_order_with_what_they_depend_on() {
    let mut nat = translator(Nat {
        mapping: Behaviour::AddressDependent,
        ..FULL_CONE
    });
    leaves_as(&mut nat, at(BOB, 50_000), at(PEER, 5000), START);
    leaves_as(&mut nat, at(ALICE, 40_000), at(STUN, 3478), seconds(2));
    let mut syn = wire::tcp(at(ALICE, 40_000), at(STUN, 443), "S");
    assert_eq!(nat.outbound(&mut syn, START), Verdict::Forward);
    let shown: Vec<_> = nat
        .mappings(seconds(4))
        .map(|mapping| mapping.to_string())
        .collect();
    assert_eq!(
        shown,
        [
            "udp 192.168.1.10:40000 -> 203.0.113.10:40000 towards 198.51.100.3 expires in 28 s",
            "udp 192.168.1.11:50000 -> 203.0.113.10:50000 towards 198.51.100.77 expires in 26 s",
            "tcp 192.168.1.10:40000 -> 203.0.113.10:40000 towards 198.51.100.3 expires in 236 s",
        ]
    );
    let mut nat = translator(FULL_CONE);
    leaves_as(&mut nat, at(ALICE, 40_000), at(STUN, 3478), START);
    let mapping = nat
        .mappings(START + Duration::from_millis(1500))
        .next()
        .unwrap();
    assert_eq!(
        mapping.to_string(),
        "udp 192.168.1.10:40000 -> 203.0.113.10:40000 expires in 29 s"
    );
}
