//! The ruleset of a gateway or carrier.

use super::UNSOLICITED;
use super::datapath;
use super::firewall::{INCOMING, OUTGOING, POLICING, SERVICES, firewall, polices, serves};
use super::ipv6::{ROUTED, black_hole, closed_input, resolver, routed, translated};
use super::node::isolation;
use super::ruleset::{Chain, Ruleset};
use crate::aspect::{FROM_INSIDE, TO_INSIDE};
use crate::ipv6::Ipv6Kind;
use crate::layout::Router;
use crate::model::{DATAPATH_DEVICES, Datapath};
use farcall_scenario::{Behaviour, Firewall, Nat};

/// The ruleset of a router. A carrier has no firewall; a site's gateway does, and resolves names. With a
/// datapath the rules between inside and outside are between inside and the datapath's devices.
pub(crate) fn gateway(
    router: &Router,
    site_firewall: Option<&Firewall>,
    datapath: Option<&Datapath>,
    ipv6: Option<Ipv6Kind>,
) -> String {
    let inside = router.inside.interface;
    // The translator's device also carries the same packets over IPv6.
    let family = match ipv6 {
        Some(Ipv6Kind::Only) => "meta nfproto ipv4 ",
        Some(Ipv6Kind::DualStack | Ipv6Kind::Broken) | None => "",
    };
    let mut ruleset = Ruleset::new(format!(
        "{}: between {} and {}",
        router.name, router.inside.network, router.outside.network
    ))
    .chain(
        Chain::base(
            "from-inside",
            "type filter hook prerouting priority raw; policy accept;",
        )
        .count(&format!("{family}iifname \"{inside}\""), FROM_INSIDE),
    );
    if let Some(site_firewall) = site_firewall {
        ruleset = firewall(ruleset, site_firewall, router);
    }
    if let Some(datapath) = datapath {
        ruleset = datapath::chains(ruleset, datapath);
    }
    if ipv6 == Some(Ipv6Kind::Broken) {
        ruleset = ruleset.chain(black_hole());
    }
    if ipv6 == Some(Ipv6Kind::DualStack) {
        ruleset = ruleset.chain(routed(router, site_firewall.map(|_| OUTGOING)));
    }
    ruleset = ruleset
        .chain(forward(router, site_firewall, datapath, ipv6))
        .chain(input(router, site_firewall, datapath, ipv6))
        .chain(isolation(ipv6.is_some()))
        .chain(
            Chain::base(
                "to-inside",
                "type filter hook postrouting priority filter; policy accept;",
            )
            .count(&format!("{family}oifname \"{inside}\""), TO_INSIDE),
        );
    match (router.nat, datapath) {
        (Some(nat), None) => ruleset.chain(translation(router, nat)).text(),
        _ => ruleset.text(),
    }
}

/// What goes through. Replies before rules: a rule is for the direction in which a connection was
/// opened. Packets that no connection explains would leave untranslated.
fn forward(
    router: &Router,
    firewall: Option<&Firewall>,
    datapath: Option<&Datapath>,
    ipv6: Option<Ipv6Kind>,
) -> Chain {
    let inside = router.inside.interface;
    let [up, down] = match datapath {
        Some(_) => DATAPATH_DEVICES,
        None => [router.outside.interface; 2],
    };
    let outwards = format!("iifname \"{inside}\" oifname \"{up}\"");
    let inwards = format!("iifname \"{down}\" oifname \"{inside}\"");
    let mut chain = Chain::base(
        "forward",
        "type filter hook forward priority filter; policy drop;",
    );
    if let Some(datapath) = datapath {
        chain = datapath::passes(chain, datapath);
    }
    match ipv6 {
        Some(Ipv6Kind::Only) => chain = translated(chain),
        Some(Ipv6Kind::DualStack) => chain = chain.jump("meta nfproto ipv6", ROUTED),
        Some(Ipv6Kind::Broken) | None => {}
    }
    if firewall.is_some_and(polices) {
        chain = chain.jump("", POLICING);
    }
    chain = chain
        .rule("ct state invalid", "state/drop-invalid", "drop")
        .rule("ct state related", "state/accept-related", "accept")
        .rule("ct direction reply", "state/accept-reply", "accept");
    chain = match firewall {
        Some(_) => chain.jump(&outwards, OUTGOING),
        None => chain.rule(&outwards, "forward/outgoing", "accept"),
    };
    // What comes out of the datapath has passed its filtering.
    let is_filtered_here = router.nat.is_some() && datapath.is_none();
    chain = match firewall {
        _ if is_filtered_here => chain.rule(&inwards, UNSOLICITED, "drop"),
        Some(_) => chain.jump(&inwards, INCOMING),
        None => chain.rule(&inwards, "forward/incoming", "accept"),
    };
    chain.rule("", "forward/drop-other", "drop")
}

/// The kernel's translation. Which NAT may use it, the choice of the datapath says.
fn translation(router: &Router, nat: Nat) -> Chain {
    let outside = format!("meta nfproto ipv4 oifname \"{}\"", router.outside.interface);
    let chain = Chain::base(
        "postrouting",
        "type nat hook postrouting priority srcnat; policy accept;",
    );
    match nat.mapping {
        // It keeps the source port as long as none collides, which is endpoint-independent.
        Behaviour::EndpointIndependent => chain.rule(&outside, "nat/masquerade", "masquerade"),
        // It chooses a port for each remote address and port.
        Behaviour::AddressDependent | Behaviour::AddressAndPortDependent => chain
            .rule(
                &format!("{outside} meta l4proto {{ tcp, udp }}"),
                "nat/masquerade",
                // Not 5353 of multicast DNS: rtc-ice drops whatever comes from there as an answer to a name's query.
                "masquerade to :5354-65535 fully-random",
            )
            .rule(&outside, "nat/masquerade-other", "masquerade fully-random"),
    }
}

/// What is for the router itself. Unsolicited packets are dropped before connection tracking keeps
/// them: an entry for one would push the next mapping of its port to another.
fn input(
    router: &Router,
    firewall: Option<&Firewall>,
    datapath: Option<&Datapath>,
    ipv6: Option<Ipv6Kind>,
) -> Chain {
    let inside = router.inside.interface;
    let mut chain = Chain::base(
        "input",
        "type filter hook input priority filter; policy drop;",
    )
    .rule("iifname \"lo\"", "input/accept-loopback", "accept");
    if ipv6.is_some() {
        chain = closed_input(chain);
    }
    chain = chain.rule(
        "ct state established,related",
        "input/accept-established",
        "accept",
    );
    if ipv6 == Some(Ipv6Kind::Only) {
        chain = resolver(chain);
    }
    if let Some(firewall) = firewall {
        for protocol in ["udp", "tcp"] {
            chain = chain.rule(
                &format!("iifname \"{inside}\" {protocol} dport 53"),
                &format!("resolver/accept-{protocol}"),
                "accept",
            );
        }
        if serves(firewall) {
            chain = chain.jump(&format!("iifname \"{inside}\""), SERVICES);
        }
    }
    if router.nat.is_some() && datapath.is_none() {
        let outside = format!("iifname \"{}\"", router.outside.interface);
        chain = chain.rule(&outside, UNSOLICITED, "drop");
    }
    chain.rule("", "input/drop-other", "drop")
}
