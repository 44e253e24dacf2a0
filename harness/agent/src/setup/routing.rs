//! The routing that brings packets to a datapath and from it.

use farcall_plan::{DATAPATH_DEVICES, DATAPATH_MARK, Datapath, Gateway, Node, Role};
use std::net::Ipv4Addr;

/// The tables of what goes out and of what comes in.
const OUTWARD: u32 = 101;
const INWARD: u32 = 102;

/// What brings up the devices and routes to them, for `ip -batch -`.
///
/// The rules' order is that of their preferences:
///
/// - What comes from outside goes to `down`, what is for the gateway's own address too: the translation knows
///   whose it is.
/// - So does what the kernel sends to the gateway's outside address. These are errors about translated packets that
///   it could not forward, which find their sender through the translation.
/// - What the inside sends to that address goes to `up`: it is for whoever inside has the port, if the translation
///   hairpins.
/// - What is for the gateway itself else is delivered, what is for the inside goes there.
/// - What comes from inside goes to `up`, and what the gateway's services send from its inside address does as well.
/// - Everything else goes as usual: what comes back from `up` to the outside, what comes back from `down` to the
///   inside.
pub(super) fn batch(datapath: &Datapath) -> String {
    let [up, down] = DATAPATH_DEVICES;
    let Datapath {
        inside,
        inside_address,
        ..
    } = datapath;
    let [to_itself, hairpin] = of_outside_address(datapath);
    let (gateway, network) = (inside_address.addr(), inside_address.trunc());
    [
        format!("link set dev {up} up"),
        format!("link set dev {down} up"),
        format!("route add default dev {up} table {OUTWARD}"),
        format!("route add default dev {down} src {gateway} table {INWARD}"),
        format!("rule add pref 10 fwmark {DATAPATH_MARK:#x} lookup {INWARD}"),
        format!("rule add {to_itself}"),
        format!("rule add {hairpin}"),
        // The kernel's own is the first of all.
        "rule add pref 30 lookup local".to_owned(),
        "rule delete pref 0".to_owned(),
        format!("rule add pref 40 to {network} lookup main"),
        format!("rule add pref 50 iif {inside} lookup {OUTWARD}"),
        format!("rule add pref 60 iif lo from {network} lookup {OUTWARD}"),
    ]
    .map(|line| line + "\n")
    .concat()
}

/// What changes with the gateway's outside address, for `ip -batch -`.
pub(crate) fn readdressing(node: &Node, outside_address: Ipv4Addr) -> String {
    let Role::Gateway(Gateway {
        datapath: Some(datapath),
        ..
    }) = &node.role
    else {
        return String::new();
    };
    let changed = Datapath {
        outside_address,
        ..datapath.clone()
    };
    let rules = of_outside_address(&changed).map(|rule| format!("rule add {rule}\n"));
    format!(
        "rule delete pref 20\nrule delete pref 21\n{}",
        rules.concat()
    )
}

fn of_outside_address(datapath: &Datapath) -> [String; 2] {
    let Datapath {
        inside,
        outside_address,
        ..
    } = datapath;
    [
        format!("pref 20 iif lo to {outside_address} lookup {INWARD}"),
        format!("pref 21 iif {inside} to {outside_address} lookup {OUTWARD}"),
    ]
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn what_is_from_outside_is_routed_before_the_gateway_s_own_addresses() {
        let datapath = Datapath {
            inside: "lan".to_owned(),
            inside_address: "192.168.1.1/24".parse().unwrap(),
            outside: "wan".to_owned(),
            outside_address: Ipv4Addr::new(203, 0, 113, 10),
            nat: None,
            link: None,
            seed: 0,
        };
        assert_eq!(
            batch(&datapath),
            "link set dev up up\n\
             link set dev down up\n\
             route add default dev up table 101\n\
             route add default dev down src 192.168.1.1 table 102\n\
             rule add pref 10 fwmark 0x66 lookup 102\n\
             rule add pref 20 iif lo to 203.0.113.10 lookup 102\n\
             rule add pref 21 iif lan to 203.0.113.10 lookup 101\n\
             rule add pref 30 lookup local\n\
             rule delete pref 0\n\
             rule add pref 40 to 192.168.1.0/24 lookup main\n\
             rule add pref 50 iif lan lookup 101\n\
             rule add pref 60 iif lo from 192.168.1.0/24 lookup 101\n"
        );
    }
}
