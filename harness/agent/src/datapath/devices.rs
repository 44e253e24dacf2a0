//! The two TUN devices.

use std::io;

use farcall_plan::{DATAPATH_DEVICES, Datapath};
use farcall_timeline::RuleCounter;
use tun_rs::{DeviceBuilder, Layer, SyncDevice};

/// The MTU without a link: that of Ethernet.
const MTU: u16 = 1500;

/// How many packets wait in a device while this process does something else: at 400 Mbit/s and 1500 bytes,
/// 60 ms. Those after them are lost, and counted: see [`overruns`].
const QUEUE_PACKETS: u32 = 2000;

/// Both devices, open. They go when this does.
pub(crate) struct Devices {
    pub(super) up: SyncDevice,
    pub(super) down: SyncDevice,
}

impl Devices {
    /// Makes the devices. Each has the MTU of its direction of the link, so that the kernel fragments what is
    /// larger, or tells its sender.
    pub(crate) fn open(datapath: &Datapath) -> io::Result<Self> {
        let link = datapath.link.as_ref();
        let [up, down] = DATAPATH_DEVICES;
        Ok(Self {
            up: device(up, link.map_or(MTU, |link| link.up.mtu))?,
            down: device(down, link.map_or(MTU, |link| link.down.mtu))?,
        })
    }
}

/// What the devices dropped because this process read them too slowly: such a link was worse than declared.
pub(super) fn overruns() -> Vec<RuleCounter> {
    let overrun = |device| {
        let path = format!("/sys/class/net/{device}/statistics/tx_dropped");
        let packets = std::fs::read_to_string(path).ok()?.trim().parse().ok()?;
        Some(RuleCounter {
            rule: format!("datapath/{device}-overrun"),
            packets,
            bytes: 0,
        })
    };
    DATAPATH_DEVICES.into_iter().filter_map(overrun).collect()
}

fn device(name: &str, mtu: u16) -> io::Result<SyncDevice> {
    let device = DeviceBuilder::new()
        .name(name)
        .layer(Layer::L3)
        .mtu(mtu)
        .with(|linux| {
            linux.tx_queue_len(QUEUE_PACKETS);
        })
        .inherit_enable_state()
        .build_sync()?;
    device.set_nonblocking(true)?;
    Ok(device)
}
