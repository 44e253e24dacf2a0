//! Packet captures, one a network.

use std::sync::Arc;
use std::time::Duration;

use farcall_plan::Interface;
use farcall_timeline::Level;
use futures::future::try_join_all;
use nix::sys::signal::Signal;
use tokio::process::Command;
use tokio::sync::Notify;

use crate::Outlet;
use crate::service::{Service, ServiceError};
use crate::setup::{self, SetupError};

/// How long tcpdump may take until it listens.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// How long tcpdump may take to write what it has.
const END_WITHIN: Duration = Duration::from_secs(5);

/// How many bytes of a packet are kept, at most. All, but of TCP that the kernel hands on in one piece of 64 KiB: with
/// its header a packet fills one block of the ring that the kernel shares with tcpdump.
const SNAPLEN: &str = "65000";

/// How large that ring is, in KiB: nine packets. tcpdump's own values make one of 4 MiB, for eight.
const RING_KIB: &str = "512";

/// What tcpdump writes when it has opened the interface.
const LISTENING: &str = "listening on ";

/// What records the packets of every interface. The files stay in the container, as
/// `capture/INTERFACE.pcap`.
#[derive(Default)]
pub(crate) struct Captures(Vec<Service>);

impl Captures {
    /// Starts to record.
    pub(crate) async fn start(
        interfaces: &[Interface],
        outlet: &Outlet,
    ) -> Result<Self, SetupError> {
        let directory = format!("{}/capture", setup::DIRECTORY);
        std::fs::create_dir_all(&directory).map_err(|source| SetupError::Write {
            path: directory.clone(),
            source,
        })?;
        let captures = interfaces
            .iter()
            .map(|interface| capture(&interface.name, &directory, outlet));
        Ok(Self(try_join_all(captures).await?))
    }

    /// Ends the recording; the files are whole then.
    pub(crate) async fn end(&self) -> Result<(), ServiceError> {
        let ended = self.0.iter();
        let ended = ended.map(|capture| capture.end(Signal::SIGINT, END_WITHIN));
        try_join_all(ended).await.map(drop)
    }
}

async fn capture(
    interface: &str,
    directory: &str,
    outlet: &Outlet,
) -> Result<Service, ServiceError> {
    let mut command = Command::new("tcpdump");
    // Each packet is written as it comes, so that one that came just before the end is not lost.
    command.args(["-U", "-n", "--immediate-mode", "-Z", "root"]);
    command.args(["-s", SNAPLEN, "-B", RING_KIB]);
    command.args(["-i", interface, "-w"]);
    command.arg(format!("{directory}/{interface}.pcap"));
    let listens = Arc::new(Notify::new());
    let listening = listens.clone();
    let service = Service::start("tcpdump", &mut command, outlet, move |line| {
        if line.contains(LISTENING) {
            listens.notify_one();
        }
        Level::Debug
    })?;
    let awaited = format!("its opening of {interface}");
    service
        .ready(&awaited, READY_WITHIN, listening.notified())
        .await?;
    service.guard(outlet);
    Ok(service)
}
