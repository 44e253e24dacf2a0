//! What the kernel can do, tried in a container: nftables as the gateways use it, and TUN.

use bollard::models::{DeviceMapping, HostConfig};

use super::{Finding, probe};
use crate::engine::Engine;
use crate::images::BaseImage;

/// One ability of the kernel, and rules that load only where it is there.
struct Feature {
    name: &'static str,
    rules: &'static str,
}

const FEATURES: [Feature; 8] = [
    Feature {
        name: "connection tracking",
        rules: "add chain ip t c { type filter hook forward priority 0; policy drop; }
                add rule ip t c ct state established,related accept",
    },
    Feature {
        name: "address translation",
        rules: "add chain ip t pre { type nat hook prerouting priority -100; }
                add chain ip t post { type nat hook postrouting priority 100; }
                add rule ip t pre udp dport 1000 dnat to 192.0.2.1:1000
                add rule ip t post ip daddr 192.0.2.2 snat to 192.0.2.3
                add rule ip t post masquerade",
    },
    Feature {
        name: "masquerade with random ports",
        rules: "add chain ip t post { type nat hook postrouting priority 100; }
                add rule ip t post meta l4proto { tcp, udp } masquerade to :5354-65535 fully-random",
    },
    Feature {
        name: "translation through maps",
        rules: "add map ip t m { type inet_service : ipv4_addr . inet_service; flags timeout; timeout 60s; }
                add chain ip t post { type nat hook postrouting priority 100; }
                add chain ip t pre { type nat hook prerouting priority -100; }
                add rule ip t post ip protocol udp update @m { udp sport : ip saddr . udp sport }
                add rule ip t pre ip protocol udp dnat ip to udp dport map @m",
    },
    Feature {
        name: "dynamic sets",
        rules: "add set ip t s { type ipv4_addr . inet_service; flags dynamic,timeout; timeout 60s; }
                add chain ip t c { type filter hook forward priority 0; }
                add rule ip t c ip protocol udp update @s { ip daddr . udp dport }",
    },
    Feature {
        name: "payload of a stream (@ih)",
        rules: "add chain ip t c { type filter hook forward priority 0; }
                add rule ip t c meta l4proto tcp @ih,0,16 0x1603 accept",
    },
    Feature {
        name: "reject with reset",
        rules: "add chain ip t c { type filter hook forward priority 0; }
                add rule ip t c meta l4proto tcp reject with tcp reset
                add rule ip t c reject with icmp type admin-prohibited",
    },
    Feature {
        name: "named counters",
        rules: "add counter ip t n
                add chain ip t c { type filter hook forward priority 0; }
                add rule ip t c counter name n drop",
    },
];

/// The file whose presence says that timeouts of connection tracking can be set per container.
const UDP_TIMEOUT_FILE: &str = "/proc/sys/net/netfilter/nf_conntrack_udp_timeout";
const UDP_TIMEOUT: &str = "timeouts of connection tracking per container";

const TUN_DEVICE: &str = "/dev/net/tun";

/// Loads a small ruleset for each feature.
pub(super) async fn features(engine: &Engine, image: &BaseImage) -> Finding {
    let host = HostConfig::default();
    match probe::run(&engine.docker, image, features_script(), host).await {
        Ok(output) => judge_features(&output),
        Err(error) => Finding::failure("kernel", &error, "see `docker info`"),
    }
}

/// Each feature in a table of its own; one line of output for each that is there.
fn features_script() -> String {
    let mut script = String::new();
    for Feature { name, rules } in &FEATURES {
        script.push_str(&format!(
            "nft -f - <<'RULES' && echo 'has {name}'\nadd table ip t\n{rules}\nRULES\n\
             nft delete table ip t\n"
        ));
    }
    script.push_str(&format!(
        "test -e {UDP_TIMEOUT_FILE} && echo 'has {UDP_TIMEOUT}'\n"
    ));
    script
}

fn judge_features(output: &str) -> Finding {
    let has = |name: &str| output.lines().any(|line| line == format!("has {name}"));
    let names = FEATURES.iter().map(|feature| feature.name);
    let names: Vec<_> = names.chain([UDP_TIMEOUT]).collect();
    let missing: Vec<_> = names.iter().copied().filter(|name| !has(name)).collect();
    if missing.is_empty() {
        let found = format!(
            "nftables has all {} features that gateways use",
            names.len()
        );
        return Finding::ok("kernel", found);
    }
    let complaint = output.lines().find(|line| line.contains("rror:"));
    Finding::problem(
        "kernel",
        format!(
            "missing: {} ({})",
            missing.join(", "),
            complaint.unwrap_or("no message")
        ),
        "load the modules nf_tables, nft_chain_nat, nft_ct, nft_masq, nft_nat, nft_reject_inet and nf_conntrack (`modprobe`), \
         or use a kernel 5.16 or newer that has them",
    )
}

/// Makes a TUN interface, by which gateways delay and lose packets.
pub(super) async fn tun(engine: &Engine, image: &BaseImage) -> Finding {
    let device = DeviceMapping {
        path_on_host: Some(TUN_DEVICE.to_owned()),
        path_in_container: Some(TUN_DEVICE.to_owned()),
        cgroup_permissions: Some("rwm".to_owned()),
    };
    let host = HostConfig {
        devices: Some(vec![device]),
        ..HostConfig::default()
    };
    let script = "ip tuntap add dev try0 mode tun && echo 'has tun'".to_owned();
    let found = match probe::run(&engine.docker, image, script, host).await {
        Ok(output) if output.contains("has tun") => {
            return Finding::ok("tun", format!("{TUN_DEVICE} works in a container"));
        }
        Ok(output) => output.trim().to_owned(),
        Err(error) => error.to_string(),
    };
    let advice =
        "load the module (`sudo modprobe tun`); without it links cannot be delayed or lossy";
    Finding::warning("tun", found, advice)
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    fn all_present() -> String {
        let names = FEATURES.iter().map(|feature| feature.name);
        let lines = names
            .chain([UDP_TIMEOUT])
            .map(|name| format!("has {name}\n"));
        lines.collect()
    }

    #[test]
    fn all_features_are_well() {
        assert_eq!(judge_features(&all_present()).status, Status::Ok);
    }

    #[test]
    fn a_missing_feature_is_named_with_the_complaint() {
        let output = all_present().replace(
            "has named counters\n",
            "/dev/stdin:2:1-20: Error: Could not process rule: No such file or directory\n",
        );
        let finding = judge_features(&output);
        assert_eq!(finding.status, Status::Problem);
        assert!(
            finding
                .found
                .starts_with("missing: named counters (/dev/stdin:2")
        );
    }

    #[test]
    fn the_script_has_every_feature() {
        let script = features_script();
        for Feature { name, rules } in &FEATURES {
            assert!(script.contains(name) && script.contains(rules));
            assert!(!name.contains('\''));
        }
    }
}
