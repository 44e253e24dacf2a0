//! The way of packets, without I/O: translated and emulated, from device to device.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use farcall_link::{Emulator, Stats};
use farcall_nat::{Translator, Verdict};
use farcall_plan::{Datapath, seed_for};
use farcall_scenario::{LinkDirection, Nat};
use farcall_timeline::{Crossed, Crossing, RuleCounter};

use super::ttl;

/// One of the two devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Device {
    /// What comes from it is on its way out.
    Up,
    /// What comes from it is on its way in.
    Down,
}

/// Writes a packet to a device.
pub(super) trait Write {
    /// Writes it whole.
    fn write(&mut self, device: Device, packet: &[u8]) -> io::Result<()>;
}

impl<W: FnMut(Device, &[u8]) -> io::Result<()>> Write for W {
    fn write(&mut self, device: Device, packet: &[u8]) -> io::Result<()> {
        self(device, packet)
    }
}

type Emulated = Emulator<Box<[u8]>>;

/// Both directions. Times are since the way began.
#[derive(Debug)]
pub(super) struct Way {
    translator: Option<Translator>,
    link: Option<Link>,
}

#[derive(Debug)]
struct Link {
    up: Emulated,
    down: Emulated,
}

impl Way {
    /// A way on which there is no packet.
    pub(super) fn new(datapath: &Datapath) -> Self {
        let seed = |name| seed_for(datapath.seed, name);
        let emulator = |direction: &LinkDirection, name| Emulator::new(direction, seed(name));
        let translator = |nat: Nat, external: Ipv4Addr| Translator::new(nat, external, seed("nat"));
        Self {
            translator: datapath
                .nat
                .map(|nat| translator(nat, datapath.outside_address)),
            link: datapath.link.as_ref().map(|link| Link {
                up: emulator(&link.up, "up"),
                down: emulator(&link.down, "down"),
            }),
        }
    }

    /// Takes a packet that has come from a device.
    pub(super) fn take(
        &mut self,
        device: Device,
        packet: &mut [u8],
        now: Duration,
        out: &mut impl Write,
    ) -> io::Result<()> {
        ttl::give_back(packet);
        match device {
            Device::Up => self.outward(packet, now, out),
            Device::Down => match &mut self.link {
                Some(link) => {
                    link.down.push((&*packet).into(), now);
                    Ok(())
                }
                None => inward(&mut self.translator, packet, now, out),
            },
        }
    }

    fn outward(
        &mut self,
        packet: &mut [u8],
        now: Duration,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let translated = self
            .translator
            .as_mut()
            .map(|nat| nat.outbound(packet, now));
        match (translated, &mut self.link) {
            (Some(Verdict::Drop(_)), _) => Ok(()),
            // It has not been on the link.
            (Some(Verdict::Hairpin), _) => out.write(Device::Down, packet),
            (Some(Verdict::Forward) | None, None) => out.write(Device::Up, packet),
            (Some(Verdict::Forward) | None, Some(link)) => {
                link.up.push((&*packet).into(), now);
                Ok(())
            }
        }
    }

    /// Delivers what has crossed the link by now.
    pub(super) fn deliver(&mut self, now: Duration, out: &mut impl Write) -> io::Result<()> {
        let Some(link) = &mut self.link else {
            return Ok(());
        };
        while let Some(packet) = link.up.pop(now) {
            out.write(Device::Up, &packet)?;
        }
        while let Some(mut packet) = link.down.pop(now) {
            inward(&mut self.translator, &mut packet, now, out)?;
        }
        Ok(())
    }

    /// When the next packet will have crossed the link.
    pub(super) fn next_due(&self) -> Option<Duration> {
        let link = self.link.as_ref()?;
        let due = [link.up.next_due(), link.down.next_due()];
        due.into_iter().flatten().min()
    }

    /// What has been counted, under the names that nftables counters have.
    pub(super) fn counters(&self) -> Vec<RuleCounter> {
        let translated = self.translator.iter().flat_map(|nat| {
            let counters = nat.counters().iter();
            counters
                .map(|(name, counted)| counter(name.to_owned(), counted.packets, counted.bytes))
                .collect::<Vec<_>>()
        });
        let link = self.link.iter();
        let emulated = link.flat_map(|link| {
            [("up", link.up.stats()), ("down", link.down.stats())]
                .into_iter()
                .flat_map(|(direction, stats)| link_counters(direction, stats))
        });
        translated.chain(emulated).collect()
    }

    /// From now on the link is another one. Nothing where there is no link.
    pub(super) fn change_link(&mut self, changed: &farcall_scenario::Link, seed: u64) {
        if let Some(link) = &mut self.link {
            link.up.change(&changed.up, seed_for(seed, "up"));
            link.down.change(&changed.down, seed_for(seed, "down"));
        }
    }

    /// Whether the link is this one now.
    pub(super) fn has_link(&self, wanted: &farcall_scenario::Link) -> bool {
        let is_it = |link: &Link| {
            *link.up.direction() == wanted.up && *link.down.direction() == wanted.down
        };
        self.link.as_ref().is_some_and(is_it)
    }

    /// What has crossed the link since its conditions are what they are; `None` where there is no link.
    pub(super) fn crossed(&self) -> Option<Crossed> {
        self.link.as_ref().map(|link| Crossed {
            up: crossing(&link.up),
            down: crossing(&link.down),
        })
    }

    /// From now on the link delays, loses and limits nothing. Nothing where there is no link.
    pub(super) fn ease_link(&mut self) {
        let wire = farcall_scenario::Link {
            up: LinkDirection::default(),
            down: LinkDirection::default(),
        };
        self.change_link(&wire, 0);
    }

    /// From now on this is the address that the translation gives. Nothing where nothing is translated.
    pub(super) fn readdress(&mut self, external: Ipv4Addr) {
        if let Some(translator) = &mut self.translator {
            translator.readdress(external);
        }
    }

    /// The mappings of the translation that live now, one a line.
    pub(super) fn mappings(&self, now: Duration) -> String {
        let mappings = self.translator.iter().flat_map(|nat| nat.mappings(now));
        mappings.map(|mapping| format!("{mapping}\n")).collect()
    }

    /// Forgets all mappings, as a gateway does that restarts.
    pub(super) fn forget(&mut self) {
        if let Some(translator) = &mut self.translator {
            translator.forget();
        }
    }
}

fn inward(
    translator: &mut Option<Translator>,
    packet: &mut [u8],
    now: Duration,
    out: &mut impl Write,
) -> io::Result<()> {
    match translator.as_mut().map(|nat| nat.inbound(packet, now)) {
        Some(Verdict::Drop(_)) => Ok(()),
        Some(Verdict::Forward | Verdict::Hairpin) | None => out.write(Device::Down, packet),
    }
}

fn crossing(direction: &Emulated) -> Crossing {
    let crossing = direction.crossing();
    Crossing {
        packets: crossing.packets,
        shortest_ms: crossing.shortest.map(|took| took.as_secs_f64() * 1e3),
    }
}

fn link_counters(direction: &str, stats: Stats) -> [RuleCounter; 6] {
    let count = |what: &str, packets| counter(format!("link/{direction}-{what}"), packets, 0);
    [
        RuleCounter {
            bytes: stats.passed_bytes,
            ..count("passed", stats.passed)
        },
        count("lost", stats.lost),
        count("queue-dropped", stats.queue_dropped),
        count("overflowed", stats.overflowed),
        count("duplicated", stats.duplicated),
        count("reordered", stats.reordered),
    ]
}

fn counter(rule: String, packets: u64, bytes: u64) -> RuleCounter {
    RuleCounter {
        rule,
        packets,
        bytes,
    }
}
