//! The choice of an external port (RFC 4787 section 4.2).

use crate::Protocol;
use rand::{Rng, RngExt};

/// The least port that is drawn; those below are left to services.
const FIRST: u16 = 1024;

/// Multicast DNS (RFC 6762): rtc-ice takes whatever comes from this port for an answer to a name's query and drops it, so
/// a peer never answers a check that comes from here.
const NEVER_DRAWN: u16 = 5353;

/// A free port for this source port, or `None` where there is none.
///
/// With `preserve` it is the source port itself if that is free, else a random one of the same parity.
/// An ICMP identifier may be any number and has no parity that matters.
pub(crate) fn choose(
    random: &mut impl Rng,
    protocol: Protocol,
    source: u16,
    preserve: bool,
    mut is_free: impl FnMut(u16) -> bool,
) -> Option<u16> {
    let is_identifier = protocol == Protocol::Icmp;
    if preserve && (source != 0 || is_identifier) && is_free(source) {
        return Some(source);
    }
    let (first, step) = match (is_identifier, preserve) {
        (true, _) => (0, 1),
        (false, true) => (FIRST + source % 2, 2),
        (false, false) => (FIRST, 1),
    };
    let count = (usize::from(u16::MAX - first) / step) + 1;
    let start = random.random_range(0..count);
    let nth = |at: usize| first + ((start + at) % count * step) as u16;
    (0..count)
        .map(nth)
        .filter(|port| is_identifier || *port != NEVER_DRAWN)
        .find(|port| is_free(*port))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// Whether this port is drawn when it is the only free one.
    fn may_be(port: u16, protocol: Protocol, source: u16, preserve: bool) -> bool {
        let mut random = ChaCha8Rng::seed_from_u64(4787);
        let chosen = choose(&mut random, protocol, source, preserve, |it| it == port);
        assert!(chosen.is_none_or(|chosen| chosen == port));
        chosen.is_some()
    }

    #[test]
    fn a_free_source_port_is_preserved() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for source in [1, 80, 1024, 40_000, 65_535] {
            let port = choose(&mut random, Protocol::Udp, source, true, |_| true);
            assert_eq!(port, Some(source));
        }
    }

    #[test]
    fn another_port_than_the_preserved_one_is_any_unprivileged_one_of_its_parity() {
        for port in [1024, 1025, 1026, 40_000, 40_001, 65_534, 65_535] {
            assert_eq!(may_be(port, Protocol::Tcp, 50_000, true), port % 2 == 0);
            assert_eq!(may_be(port, Protocol::Tcp, 50_001, true), port % 2 == 1);
        }
        for privileged in [0, 1, 1022, 1023] {
            assert!(!may_be(privileged, Protocol::Tcp, 50_000, true));
            assert!(!may_be(privileged, Protocol::Tcp, 50_001, true));
        }
    }

    #[test]
    fn without_preservation_a_port_is_any_unprivileged_one() {
        for port in [0, 1023, 1024, 1025, 40_000, 40_001, 65_534, 65_535] {
            assert_eq!(may_be(port, Protocol::Udp, 50_000, false), port >= 1024);
        }
    }

    #[test]
    fn the_port_of_multicast_dns_is_preserved_but_never_drawn() {
        assert!(!may_be(5353, Protocol::Udp, 50_001, true));
        assert!(!may_be(5353, Protocol::Udp, 50_001, false));
        assert!(may_be(5353, Protocol::Udp, 5353, true));
    }

    #[test]
    fn an_identifier_may_be_any_number() {
        for identifier in [0, 1, 1023, 5353, 40_001, 65_535] {
            assert!(may_be(identifier, Protocol::Icmp, 0, true));
            assert!(may_be(identifier, Protocol::Icmp, 0, false));
        }
    }

    #[test]
    fn port_zero_is_never_preserved() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let port = choose(&mut random, Protocol::Udp, 0, true, |_| true).unwrap();
        assert!(port >= 1024 && port.is_multiple_of(2));
    }

    #[test]
    fn without_preservation_successive_ports_are_not_neighbours() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut draw = || choose(&mut random, Protocol::Udp, 40_000, false, |_| true).unwrap();
        let ports: Vec<u16> = (0..64).map(|_| draw()).collect();
        let neighbours = ports.windows(2).filter(|two| two[0].abs_diff(two[1]) < 64);
        assert!(neighbours.count() < 4, "{ports:?}");
    }
}
