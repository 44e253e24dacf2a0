//! Docker's own addresses in a lab's networks.
//!
//! The scenario's addresses are set inside the containers; Docker's are only how an agent finds its
//! interfaces, and are flushed. So they are drawn at random from a private pool, and Docker says
//! when another network already has them.

use ipnet::Ipv4Net;
use rand::{Rng, RngExt};
use std::net::Ipv4Addr;

/// Where the subnets are drawn from: the part of 10.0.0.0/8 farthest from what people use.
const POOL: Ipv4Addr = Ipv4Addr::new(10, 224, 0, 0);
const POOL_PREFIX: u8 = 12;

/// The network's address, the broadcast address and the gateway that Docker insists on.
const RESERVED: u32 = 3;

/// Draws a subnet with room for `endpoints` containers.
pub(crate) fn draw(random: &mut impl Rng, endpoints: u32) -> Ipv4Net {
    let prefix = prefix_for(endpoints);
    let subnets = 1_u32 << (prefix - POOL_PREFIX);
    let index = random.random_range(0..subnets);
    let address = Ipv4Addr::from_bits(POOL.to_bits() + (index << (32 - prefix)));
    Ipv4Net::new_assert(address, prefix)
}

/// The prefix length of the smallest subnet with room for `endpoints` containers.
fn prefix_for(endpoints: u32) -> u8 {
    let addresses = endpoints.saturating_add(RESERVED);
    let host_bits = u32::BITS - (addresses - 1).leading_zeros();
    let prefix = u32::BITS.saturating_sub(host_bits);
    // More containers than the whole pool has addresses are refused by Docker, not here.
    u8::try_from(prefix).unwrap_or(POOL_PREFIX).max(POOL_PREFIX)
}

/// The gateway's address: the first of the subnet.
pub(crate) fn gateway(subnet: Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from_bits(subnet.network().to_bits() + 1)
}

/// The address of the container with this index, from 0.
pub(crate) fn endpoint(subnet: Ipv4Net, index: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(subnet.network().to_bits() + 2 + index)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use std::collections::BTreeSet;

    #[test]
    fn the_smallest_subnet_that_fits() {
        let prefixes = [0, 1, 2, 5, 6, 13, 14].map(prefix_for);
        assert_eq!(prefixes, [30, 30, 29, 29, 28, 28, 27]);
        assert_eq!(prefix_for(u32::MAX), POOL_PREFIX);
    }

    #[test]
    fn every_endpoint_has_a_host_address_of_its_own() {
        let mut random = StdRng::seed_from_u64(1);
        for endpoints in 0..40 {
            let subnet = draw(&mut random, endpoints);
            let hosts: BTreeSet<Ipv4Addr> = subnet.hosts().collect();
            let mut given = BTreeSet::from([gateway(subnet)]);
            given.extend((0..endpoints).map(|index| endpoint(subnet, index)));
            assert_eq!(given.len() as u32, endpoints + 1);
            assert!(given.is_subset(&hosts), "{subnet} with {endpoints}");
        }
    }

    #[test]
    fn draws_spread_over_the_whole_pool_and_stay_in_it() {
        let pool = Ipv4Net::new(POOL, POOL_PREFIX).unwrap();
        let mut random = StdRng::seed_from_u64(2);
        let drawn: Vec<Ipv4Net> = (0..1000).map(|_| draw(&mut random, 4)).collect();
        assert!(drawn.iter().all(|subnet| pool.contains(subnet)));
        assert!(
            drawn
                .iter()
                .any(|subnet| subnet.network().octets()[1] == 224)
        );
        assert!(
            drawn
                .iter()
                .any(|subnet| subnet.network().octets()[1] == 239)
        );
    }
}
