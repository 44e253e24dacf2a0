//! The thread that moves packets.
//!
//! It is a thread of its own that waits in ppoll(2), since a link's delays are told in microseconds: tokio's
//! timers go by the millisecond, and its one thread has more to do.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::EventFd;
use nix::sys::prctl;
use nix::sys::time::TimeSpec;
use tun_rs::SyncDevice;

use super::devices::Devices;
use super::way::{Device, Way};

/// How many packets are read from one device before something else has its turn.
const BATCH: usize = 64;

/// More than any packet of a device has, whose MTU is at most that of Ethernet.
const LARGEST_PACKET_BYTES: usize = 2048;

/// By how much the kernel may delay this thread to save wake-ups, in nanoseconds; usually it is 50 us.
const TIMER_SLACK_NS: u64 = 1;

/// Moves packets until it is told to stop. `began` is the time that the way counts from.
pub(super) fn run(
    way: &Mutex<Way>,
    devices: &Devices,
    stop: &EventFd,
    began: Instant,
) -> io::Result<()> {
    prctl::set_timerslack(TIMER_SLACK_NS)?;
    let mut write = |device, packet: &[u8]| {
        let device = match device {
            Device::Up => &devices.up,
            Device::Down => &devices.down,
        };
        device.send(packet).map(drop)
    };
    let mut buffer = [0; LARGEST_PACKET_BYTES];
    loop {
        let due = {
            let mut way = lock(way);
            way.deliver(began.elapsed(), &mut write)?;
            way.next_due()
        };
        let [stopped, up, down] =
            wait([stop.as_fd(), devices.up.as_fd(), devices.down.as_fd()], {
                due.map(|due| due.saturating_sub(began.elapsed()))
            })?;
        if stopped {
            return Ok(());
        }
        let readable = [
            (up, Device::Up, &devices.up),
            (down, Device::Down, &devices.down),
        ];
        for (_, from, device) in readable
            .into_iter()
            .filter(|(is_readable, ..)| *is_readable)
        {
            let mut way = lock(way);
            for _ in 0..BATCH {
                let Some(length) = read(device, &mut buffer)? else {
                    break;
                };
                way.take(from, &mut buffer[..length], began.elapsed(), &mut write)?;
            }
        }
    }
}

/// Whoever panicked has reported it.
pub(super) fn lock(way: &Mutex<Way>) -> MutexGuard<'_, Way> {
    way.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until one of them can be read, at most so long; tells which.
fn wait<const N: usize>(
    files: [std::os::fd::BorrowedFd<'_>; N],
    timeout: Option<Duration>,
) -> io::Result<[bool; N]> {
    let mut polled = files.map(|file| PollFd::new(file, PollFlags::POLLIN));
    match ppoll(&mut polled, timeout.map(TimeSpec::from_duration), None) {
        Ok(_) => Ok(polled.map(|file| file.any().unwrap_or(true))),
        Err(Errno::EINTR) => Ok([false; N]),
        Err(error) => Err(error.into()),
    }
}

/// The next packet, if there is one.
fn read(device: &SyncDevice, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    match device.recv(buffer) {
        Ok(length) => Ok(Some(length)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
