//! The translator of a site without IPv4: tayga, between the site's IPv6 and a TUN device behind which everything is
//! IPv4.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use farcall_plan::{NAT64_DEVICE, Nat64};
use farcall_timeline::Level;
use tokio::process::Command;

use crate::Outlet;
use crate::service::Service;
use crate::setup::{self, SetupError};
use crate::tool;

/// How long tayga may take until it serves its device. It takes some milliseconds.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// Makes tayga's device, so that it can have addresses and routes.
pub(crate) async fn make_device(nat64: &Nat64) -> Result<(), SetupError> {
    let path = configuration();
    setup::write(&path, &nat64.configuration)?;
    tool::run(&["tayga", "--mktun", "--config", &path], "").await?;
    Ok(())
}

/// What brings the device up and routes to it, for `ip -batch -`.
pub(crate) fn batch(nat64: &Nat64) -> String {
    let mut lines = format!(
        "link set dev {NAT64_DEVICE} up\n\
         address add {} dev {NAT64_DEVICE}\n",
        nat64.device_address
    );
    for network in &nat64.routed {
        let _ = writeln!(lines, "route add {network} dev {NAT64_DEVICE}");
    }
    lines
}

/// Starts tayga and waits until it serves the device.
pub(crate) async fn start(outlet: &Outlet) -> Result<Service, SetupError> {
    let mut command = Command::new("tayga");
    command.args(["--nodetach", "--config", &configuration()]);
    let service = Service::start("tayga", &mut command, outlet, level)?;
    let awaited = format!("a carrier on {NAT64_DEVICE}");
    service.ready(&awaited, READY_WITHIN, served()).await?;
    service.guard(outlet);
    Ok(service)
}

fn configuration() -> String {
    format!("{}/tayga.conf", setup::DIRECTORY)
}

/// A TUN device has a carrier while a process has it open.
async fn served() {
    let path = format!("/sys/class/net/{NAT64_DEVICE}/carrier");
    while fs::read_to_string(&path).is_ok_and(|carrier| carrier.trim() != "1") {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn level(line: &str) -> Level {
    if line.contains("Unable") || line.contains("error") {
        Level::Warn
    } else {
        Level::Debug
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn the_prefix_leads_to_the_device() {
        let nat64 = Nat64 {
            configuration: String::new(),
            device_address: "192.168.1.1/24".parse().unwrap(),
            routed: vec!["2001:db8:64:ff9b::/96".parse().unwrap()],
        };
        assert_eq!(
            batch(&nat64),
            "link set dev nat64 up\n\
             address add 192.168.1.1/24 dev nat64\n\
             route add 2001:db8:64:ff9b::/96 dev nat64\n"
        );
    }
}
