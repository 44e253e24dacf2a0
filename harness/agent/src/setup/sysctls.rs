//! The settings that the container was started with, beside those that the node needs.

use std::collections::BTreeMap;
use std::path::Path;

use super::SetupError;

/// Checks that every setting has its value. They are set from outside: inside, `/proc/sys` is
/// read-only.
pub(super) fn check(sysctls: &BTreeMap<String, String>, root: &Path) -> Result<(), SetupError> {
    for (name, wanted) in sysctls {
        let path = root.join(name.replace('.', "/"));
        let found = match std::fs::read_to_string(&path) {
            Ok(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
            Err(error) => format!("nothing ({error})"),
        };
        if found != wanted.split_whitespace().collect::<Vec<_>>().join(" ") {
            return Err(SetupError::Sysctl {
                name: name.clone(),
                wanted: wanted.clone(),
                found,
            });
        }
    }
    Ok(())
}

/// Checks that IPv6 is on at these interfaces, each of which has a setting of its own.
pub(super) fn check_ipv6(interfaces: &[String], root: &Path) -> Result<(), SetupError> {
    for interface in interfaces {
        let path = root.join(format!("net/ipv6/conf/{interface}/disable_ipv6"));
        let is_on = std::fs::read_to_string(&path).is_ok_and(|text| text.trim() == "0");
        if !is_on {
            return Err(SetupError::NoIpv6 {
                interface: interface.clone(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn an_interface_without_ipv6_is_named() {
        let root = std::env::temp_dir().join(format!("farcall-ipv6-{}", std::process::id()));
        for (interface, off) in [("eth0", "0\n"), ("eth1", "1\n")] {
            let directory = root.join("net/ipv6/conf").join(interface);
            std::fs::create_dir_all(&directory).unwrap();
            std::fs::write(directory.join("disable_ipv6"), off).unwrap();
        }
        let checked = ["eth0", "eth1", "eth2"]
            .map(|name| check_ipv6(&[name.to_owned()], &root).map_err(|error| error.to_string()));
        std::fs::remove_dir_all(&root).unwrap();
        let [on, off, missing] = checked;
        on.unwrap();
        assert!(off.unwrap_err().contains("eth1"));
        assert!(missing.unwrap_err().contains("eth2"));
    }

    #[test]
    fn a_setting_with_another_value_is_named() {
        let root = std::env::temp_dir().join(format!("farcall-sysctls-{}", std::process::id()));
        std::fs::create_dir_all(root.join("net/ipv4")).unwrap();
        std::fs::write(root.join("net/ipv4/ip_forward"), "1\n").unwrap();
        std::fs::write(root.join("net/ipv4/ports"), "1\t9\n").unwrap();
        let settings = |name: &str, value: &str| BTreeMap::from([(name.into(), value.into())]);
        let result = [
            check(&settings("net.ipv4.ip_forward", "1"), &root),
            check(&settings("net.ipv4.ports", "1 9"), &root),
            check(&settings("net.ipv4.ip_forward", "0"), &root),
            check(&settings("net.ipv4.missing", "0"), &root),
        ];
        std::fs::remove_dir_all(&root).unwrap();
        assert!(result[0].is_ok() && result[1].is_ok());
        let wrong = result[2].as_ref().unwrap_err().to_string();
        assert!(wrong.contains("net.ipv4.ip_forward"), "{wrong}");
        assert!(result[3].is_err());
    }
}
