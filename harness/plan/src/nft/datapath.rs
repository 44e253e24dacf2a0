//! What a datapath needs of the rules: packets to and from the outside that go by untracked, and a mark on those
//! from outside, by which the gateway routes them.

use super::ruleset::{Chain, Ruleset};
use crate::model::{DATAPATH_DEVICES, DATAPATH_MARK, Datapath};

/// Adds the chains of a datapath.
pub(super) fn chains(ruleset: Ruleset, datapath: &Datapath) -> Ruleset {
    let [up, _] = DATAPATH_DEVICES;
    let untracked = Chain::base(
        "datapath",
        "type filter hook prerouting priority raw; policy accept;",
    )
    .rule(
        &format!("iifname \"{}\"", datapath.outside),
        "datapath/from-outside",
        &format!("meta mark set {DATAPATH_MARK:#x} notrack"),
    )
    .rule(&format!("iifname \"{up}\""), "datapath/from-up", "notrack");
    let ruleset = ruleset.chain(untracked);
    match silence(datapath) {
        Some(chain) => ruleset.chain(chain),
        None => ruleset,
    }
}

/// Lets pass what is on its way between the outside and the devices, before all other rules: they are for what is on
/// its way between the devices and the inside.
pub(super) fn passes(chain: Chain, datapath: &Datapath) -> Chain {
    let [up, down] = DATAPATH_DEVICES;
    let outside = &datapath.outside;
    chain
        .rule(
            &format!("iifname \"{outside}\" oifname \"{down}\""),
            "datapath/to-down",
            "accept",
        )
        .rule(
            &format!("iifname \"{up}\" oifname \"{outside}\""),
            "datapath/to-outside",
            "accept",
        )
}

/// The kernel tells the sender of a packet that is too large for a device. Where the link does not tell,
/// neither does it.
fn silence(datapath: &Datapath) -> Option<Chain> {
    let link = datapath.link.as_ref()?;
    let mut chain = Chain::base(
        "link",
        "type filter hook output priority filter; policy accept;",
    );
    let sides = [
        (&link.up, &datapath.inside),
        (&link.down, &datapath.outside),
    ];
    let silent = sides
        .into_iter()
        .filter(|(direction, _)| !direction.fragmentation_needed)
        .map(|(_, towards)| towards)
        .collect::<Vec<_>>();
    for towards in &silent {
        chain = chain.rule(
            &format!(
                "oifname \"{towards}\" icmp type destination-unreachable icmp code frag-needed"
            ),
            "link/drop-fragmentation-needed",
            "drop",
        );
    }
    (!silent.is_empty()).then_some(chain)
}
