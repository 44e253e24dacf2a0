//! The way of packets between inside and outside through this process ([`farcall_plan::Datapath`]).

mod devices;
mod pump;
mod ttl;
mod way;
#[cfg(test)]
mod way_tests;

use std::io;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use farcall_timeline::{Crossed, Event, RuleCounter};
use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::Outlet;
use way::Way;

pub(crate) use devices::Devices;

/// A thread that moves packets. It ends when this goes.
pub(crate) struct Datapath {
    planned: farcall_plan::Datapath,
    way: Arc<Mutex<Way>>,
    began: Instant,
    stop: Arc<EventFd>,
    thread: Option<JoinHandle<()>>,
}

impl Datapath {
    /// Begins to move packets. When that fails later on, the host is told: what crosses a gateway that moves
    /// nothing proves nothing.
    pub(crate) fn start(
        planned: &farcall_plan::Datapath,
        devices: Devices,
        outlet: &Outlet,
    ) -> io::Result<Self> {
        let way = Arc::new(Mutex::new(Way::new(planned)));
        let stop = Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC)?);
        let began = Instant::now();
        let (shared, told, outlet) = (way.clone(), stop.clone(), outlet.clone());
        let thread = thread::Builder::new()
            .name("datapath".to_owned())
            .spawn(move || {
                if let Err(error) = pump::run(&shared, &devices, &told, began) {
                    outlet.event(Event::HarnessFault {
                        message: format!(
                            "failed to move packets between the gateway's devices: {error}; \
                             please report this as a bug"
                        ),
                    });
                }
            })?;
        Ok(Self {
            planned: planned.clone(),
            way,
            began,
            stop,
            thread: Some(thread),
        })
    }

    /// What translation, link and devices have counted.
    pub(crate) fn counters(&self) -> Vec<RuleCounter> {
        let mut counters = pump::lock(&self.way).counters();
        counters.extend(devices::overruns());
        counters
    }

    /// The mappings that live now, one a line; nothing where nothing is translated.
    pub(crate) fn mappings(&self) -> String {
        pump::lock(&self.way).mappings(self.began.elapsed())
    }

    /// From now on the link is another one.
    pub(crate) fn change_link(&self, link: &farcall_scenario::Link, seed: u64) {
        pump::lock(&self.way).change_link(link, seed);
    }

    /// Whether the link is this one now.
    pub(crate) fn has_link(&self, link: &farcall_scenario::Link) -> bool {
        pump::lock(&self.way).has_link(link)
    }

    /// What has crossed the link since its conditions are what they are; `None` where there is no link.
    pub(crate) fn crossed(&self) -> Option<Crossed> {
        pump::lock(&self.way).crossed()
    }

    /// From now on the link is the planned one.
    pub(crate) fn restore_link(&self) {
        if let Some(link) = &self.planned.link {
            self.change_link(link, self.planned.seed);
        }
    }

    /// From now on packets cross the link as they would cross a wire. Its MTU, which is the devices', stays.
    pub(crate) fn ease_link(&self) {
        pump::lock(&self.way).ease_link();
    }

    /// From now on this is the address that the translation gives.
    pub(crate) fn readdress(&self, external: std::net::Ipv4Addr) {
        pump::lock(&self.way).readdress(external);
    }

    /// Forgets all mappings, as a gateway does that restarts. Returns whether none is left.
    pub(crate) fn forget(&self) -> bool {
        let mut way = pump::lock(&self.way);
        way.forget();
        // Nothing crosses it before the lock goes.
        way.mappings(self.began.elapsed()).is_empty()
    }
}

impl Drop for Datapath {
    fn drop(&mut self) {
        let told = self.stop.write(1);
        if let (Ok(_), Some(thread)) = (told, self.thread.take()) {
            // A panic has been reported.
            let _ = thread.join();
        }
    }
}
