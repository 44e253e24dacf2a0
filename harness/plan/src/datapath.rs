//! Who translates: the kernel, or the gateway's own process ([`Datapath`]).
//!
//! The kernel does it where it expresses the behaviour whatever the traffic is:
//!
//! - `masquerade fully-random`: a mapping of its own, with a random port, for each remote address and port, and
//!   replies from there only. That is address-and-port-dependent mapping and filtering, without port preservation
//!   and without hairpinning.
//! - `masquerade`: endpoint-independent mapping with port preservation, address-and-port-dependent filtering and
//!   no hairpinning, as long as no two hosts use one source port. So it is right behind a single host only. With two,
//!   the second gets another port for the remote endpoints that both talk to, and keeps its port for all others
//!   (RFC 4787 REQ-3 c).
//!
//! It has no other filtering than address-and-port-dependent, no address-dependent mapping and no hairpinning.
//! What it could translate takes the datapath all the same where there is a link: the link would lie either
//! between hosts and their NAT, or in front of the connection tracking that undoes the translation, which would
//! see each packet twice.

use crate::layout::{Layout, within};
use crate::model::{DATAPATH_DEVICES, Datapath, Gateway, Interface, NAT64_DEVICE, Node, Role};
use farcall_scenario::{Action, Behaviour, Firewall, Link, Nat};
use sha2::{Digest, Sha256};

/// The datapath of router `index` of a site, if it has one.
pub(crate) fn datapath(layout: &Layout, site: usize, index: usize, seed: u64) -> Option<Datapath> {
    let router = &layout.sites[site].routers[index];
    if !needs_user_space(router.nat, router.link.as_ref(), hosts(layout, site, index)) {
        return None;
    }
    Some(Datapath {
        inside: router.inside.interface.to_owned(),
        inside_address: within(router.inside.address, router.inside.subnet),
        outside: router.outside.interface.to_owned(),
        outside_address: router.outside.address,
        nat: router.nat,
        link: router.link.clone(),
        seed: seed_for(seed, &router.name),
    })
}

fn needs_user_space(nat: Option<Nat>, link: Option<&Link>, hosts: usize) -> bool {
    link.is_some() || nat.is_some_and(|nat| !masquerades(nat, hosts))
}

/// Whether the kernel's `masquerade` behaves like this.
fn masquerades(nat: Nat, hosts: usize) -> bool {
    use Behaviour::{AddressAndPortDependent, EndpointIndependent};
    if nat.filtering != AddressAndPortDependent || nat.hairpinning {
        return false;
    }
    match nat.mapping {
        EndpointIndependent => nat.port_preservation && hosts <= 1,
        AddressAndPortDependent => !nat.port_preservation,
        Behaviour::AddressDependent => false,
    }
}

/// How many hosts a router translates for. Behind another translation there is one; what a gateway itself
/// sends for its services is one more.
fn hosts(layout: &Layout, site: usize, index: usize) -> usize {
    let routers = &layout.sites[site].routers;
    if routers[..index].iter().any(|router| router.nat.is_some()) {
        return 1;
    }
    let peers = layout
        .peers
        .iter()
        .filter(|peer| peer.is_ever_at(site))
        .count();
    peers + usize::from(has_services(&layout.sites[site].firewall))
}

fn has_services(firewall: &Firewall) -> bool {
    let terminates = |action: &Action| {
        matches!(
            action,
            Action::AcceptTlsFor(_) | Action::InterceptTls | Action::RedirectToPortal
        )
    };
    firewall.service.is_some() || firewall.rules.iter().any(|rule| terminates(&rule.action))
}

/// The devices of a node's translator and datapath, which are in no network. Those of the datapath have no address.
pub(crate) fn devices(node: &Node) -> Vec<Interface> {
    let Role::Gateway(Gateway {
        nat64, datapath, ..
    }) = &node.role
    else {
        return Vec::new();
    };
    let device = |name: &str, of: &str, addresses| Interface {
        name: name.to_owned(),
        network: of.to_owned(),
        addresses,
        addresses_v6: Vec::new(),
    };
    let nat64 = nat64
        .iter()
        .map(|nat64| device(NAT64_DEVICE, "the translator", vec![nat64.device_address]));
    let datapath = datapath
        .iter()
        .flat_map(|_| DATAPATH_DEVICES.map(|name| device(name, "the datapath", Vec::new())));
    nat64.chain(datapath).collect()
}

/// The seed for what has this name, out of the seed of the whole: the first eight bytes, the highest first, of the
/// SHA-256 of the seed's eight bytes, likewise, and the name. So each gateway of a lab, and in it the translation
/// and each direction of the link, has random numbers of its own, which change with no other.
#[must_use]
pub fn seed_for(seed: u64, name: &str) -> u64 {
    let digest = Sha256::new()
        .chain_update(seed.to_be_bytes())
        .chain_update(name)
        .finalize();
    digest
        .iter()
        .take(8)
        .fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use farcall_scenario::{LinkPreset, NatPreset};
    use rstest::rstest;

    #[rstest]
    #[case::no_port_of_one_host_collides(NatPreset::HomeRouter, 1, false)]
    #[case::ports_of_two_hosts_can_collide(NatPreset::HomeRouter, 2, true)]
    #[case::random_ports_collide_with_nobody_s(NatPreset::Symmetric, 2, false)]
    #[case::the_kernel_filters_by_address_and_port_only(NatPreset::FullCone, 1, true)]
    #[case::the_kernel_filters_by_address_and_port_only(NatPreset::RestrictedCone, 1, true)]
    #[case::the_kernel_does_not_hairpin(NatPreset::PortRestricted, 1, true)]
    #[case::the_kernel_has_no_random_cone(NatPreset::CarrierGrade, 1, true)]
    #[case::nothing_is_translated(NatPreset::None, 2, false)]
    fn the_kernel_translates_where_it_expresses_the_behaviour(
        #[case] preset: NatPreset,
        #[case] hosts: usize,
        #[case] user_space: bool,
    ) {
        let nat = preset.expand(None).unwrap();
        assert_eq!(needs_user_space(nat, None, hosts), user_space);
        let link = LinkPreset::Lte.expand();
        assert!(needs_user_space(nat, link.as_ref(), hosts));
    }

    #[test]
    fn seeds_are_stable_and_differ_by_name_and_seed() {
        assert_eq!(seed_for(0, "home-gateway"), seed_for(0, "home-gateway"));
        assert_ne!(seed_for(0, "home-gateway"), seed_for(0, "office-gateway"));
        assert_ne!(seed_for(0, "home-gateway"), seed_for(1, "home-gateway"));
        assert_eq!(seed_for(1, ""), 0xcd26_6215_4e6d_76b2);
    }
}
