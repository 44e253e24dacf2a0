//! Short words for what NATs do.

use farcall_scenario::Behaviour;

/// A mapping.
pub(super) fn mapping(behaviour: Option<Behaviour>) -> &'static str {
    behaviour.map_or("no translation", named)
}

/// A filtering.
pub(super) fn filtering(behaviour: Option<Behaviour>) -> &'static str {
    behaviour.map_or("no filter", named)
}

fn named(behaviour: Behaviour) -> &'static str {
    match behaviour {
        Behaviour::EndpointIndependent => "endpoint-independent",
        Behaviour::AddressDependent => "address-dependent",
        Behaviour::AddressAndPortDependent => "address-and-port-dependent",
    }
}
