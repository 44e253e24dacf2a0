//! The ruleset of a gateway or carrier.

use super::UNSOLICITED;
use super::firewall::{OUTGOING, outgoing};
use super::node::isolation;
use super::ruleset::{Chain, Ruleset};
use crate::aspect::{FROM_INSIDE, TO_INSIDE};
use crate::layout::Router;
use crate::passage::is_open;
use farcall_scenario::{Behaviour, Firewall, Nat};

/// The ruleset of a router. A carrier has no firewall; a site's gateway does, and resolves names.
pub(crate) fn gateway(router: &Router, firewall: Option<&Firewall>) -> String {
    let inside = router.inside.interface;
    let mut ruleset = Ruleset::new(format!(
        "{}: between {} and {}",
        router.name, router.inside.network, router.outside.network
    ))
    .chain(
        Chain::base(
            "from-inside",
            "type filter hook prerouting priority raw; policy accept;",
        )
        .count(&format!("iifname \"{inside}\""), FROM_INSIDE),
    );
    if let Some(firewall) = firewall {
        ruleset = outgoing(ruleset, firewall);
    }
    ruleset = ruleset
        .chain(forward(router, firewall))
        .chain(input(router, firewall.is_some()))
        .chain(isolation())
        .chain(
            Chain::base(
                "to-inside",
                "type filter hook postrouting priority filter; policy accept;",
            )
            .count(&format!("oifname \"{inside}\""), TO_INSIDE),
        );
    if let Some(nat) = router.nat {
        ruleset = ruleset.chain(translation(router, nat));
    }
    ruleset.text()
}

/// What goes through. Replies before rules: a rule is for the direction in which a connection was
/// opened. Packets that no connection explains would leave untranslated.
fn forward(router: &Router, firewall: Option<&Firewall>) -> Chain {
    let (inside, outside) = (router.inside.interface, router.outside.interface);
    let outwards = format!("iifname \"{inside}\" oifname \"{outside}\"");
    let inwards = format!("iifname \"{outside}\" oifname \"{inside}\"");
    let chain = Chain::base(
        "forward",
        "type filter hook forward priority filter; policy drop;",
    )
    .rule("ct state invalid", "state/drop-invalid", "drop")
    .rule("ct state related", "state/accept-related", "accept")
    .rule("ct direction reply", "state/accept-reply", "accept");
    let chain = match firewall {
        Some(_) => chain.jump(&outwards, OUTGOING),
        None => chain.rule(&outwards, "forward/outgoing", "accept"),
    };
    let chain = match (router.nat, firewall.is_none_or(is_open)) {
        (Some(_), _) => chain.rule(&inwards, UNSOLICITED, "drop"),
        (None, false) => chain.rule(&inwards, "firewall/drop-unsolicited", "drop"),
        (None, true) => chain.rule(&inwards, "forward/incoming", "accept"),
    };
    chain.rule("", "forward/drop-other", "drop")
}

fn translation(router: &Router, nat: Nat) -> Chain {
    let outside = router.outside.interface;
    Chain::base(
        "postrouting",
        "type nat hook postrouting priority srcnat; policy accept;",
    )
    .rule(
        &format!("meta nfproto ipv4 oifname \"{outside}\""),
        "nat/masquerade",
        masquerade(nat.mapping),
    )
}

/// What is for the router itself. Unsolicited packets are dropped before connection tracking keeps
/// them: an entry for one would push the next mapping of its port to another.
fn input(router: &Router, resolves: bool) -> Chain {
    let inside = router.inside.interface;
    let mut chain = Chain::base(
        "input",
        "type filter hook input priority filter; policy drop;",
    )
    .rule("iifname \"lo\"", "input/accept-loopback", "accept")
    .rule(
        "ct state established,related",
        "input/accept-established",
        "accept",
    );
    if resolves {
        for protocol in ["udp", "tcp"] {
            chain = chain.rule(
                &format!("iifname \"{inside}\" {protocol} dport 53"),
                &format!("resolver/accept-{protocol}"),
                "accept",
            );
        }
    }
    if router.nat.is_some() {
        let outside = format!("iifname \"{}\"", router.outside.interface);
        chain = chain.rule(&outside, UNSOLICITED, "drop");
    }
    chain.rule("", "input/drop-other", "drop")
}

/// `masquerade` keeps the source port as long as none collides, which is endpoint-independent.
/// `fully-random` chooses a port for each remote address and port; the kernel has nothing in between,
/// so [`farcall_scenario::NatPreset::expand`] refuses it.
fn masquerade(mapping: Behaviour) -> &'static str {
    match mapping {
        Behaviour::EndpointIndependent => "masquerade",
        Behaviour::AddressDependent | Behaviour::AddressAndPortDependent => {
            "masquerade fully-random"
        }
    }
}
