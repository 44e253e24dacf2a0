//! A datapath in words.

use crate::model::{DATAPATH_DEVICES, Datapath};
use farcall_scenario::{Link, LinkDirection, Loss, Nat, Rate};
use std::fmt::{Display, Formatter, Result};

impl Display for Datapath {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let [up, down] = DATAPATH_DEVICES;
        let Self {
            inside,
            outside,
            seed,
            ..
        } = self;
        writeln!(
            out,
            "  datapath {inside} > {up} > {outside} > {down} > {inside}, seed {seed:016x}"
        )?;
        if let Some(nat) = &self.nat {
            writeln!(
                out,
                "    as {}: {}",
                self.outside_address,
                nat_in_words(nat)
            )?;
        }
        if let Some(Link { up, down }) = &self.link {
            writeln!(out, "    up: {}", link_in_words(up))?;
            writeln!(out, "    down: {}", link_in_words(down))?;
        }
        Ok(())
    }
}

fn nat_in_words(nat: &Nat) -> String {
    let ports = if nat.port_preservation {
        "ports preserved"
    } else {
        "random ports"
    };
    let hairpinning = if nat.hairpinning {
        "hairpinning"
    } else {
        "no hairpinning"
    };
    format!(
        "{} mapping, {} filtering, {ports}, {hairpinning}, UDP {} s, TCP {} s",
        nat.mapping, nat.filtering, nat.udp_timeout_s, nat.tcp_timeout_s
    )
}

fn link_in_words(direction: &LinkDirection) -> String {
    let percent = |percent: f64, what: &str| (percent > 0.0).then(|| format!("{percent} % {what}"));
    let jitter_ms = direction.jitter_ms;
    let parts = [
        Some(format!("{} ms", direction.delay_ms)),
        (jitter_ms > 0.0).then(|| format!("jitter {jitter_ms} ms")),
        loss(direction.loss),
        percent(direction.duplicate_percent, "duplicated"),
        percent(direction.reorder_percent, "reordered"),
        rate(&direction.rate, direction.queue_ms),
        Some(format!("MTU {}", direction.mtu)),
        (!direction.fragmentation_needed).then(|| "larger packets vanish".to_owned()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(", ")
}

fn loss(loss: Loss) -> Option<String> {
    match loss {
        Loss::None => None,
        Loss::Random { percent } => Some(format!("{percent} % lost at random")),
        Loss::Bursts {
            good_to_bad_percent,
            bad_to_good_percent,
            good_loss_percent,
            bad_loss_percent,
        } => Some(format!(
            "lost in bursts (good to bad {good_to_bad_percent} %, bad to good {bad_to_good_percent} %, lost \
             {good_loss_percent} % and {bad_loss_percent} %)"
        )),
    }
}

fn rate(rate: &Rate, queue_ms: u32) -> Option<String> {
    let rate = match rate {
        Rate::Unlimited => return None,
        Rate::Constant { kbit } => format!("{kbit} kbit/s"),
        Rate::Trace { delivery_ms } => {
            let length_ms = delivery_ms.last().copied().unwrap_or_default();
            format!("a trace of {} packets in {length_ms} ms", delivery_ms.len())
        }
    };
    Some(format!("{rate} with a queue of {queue_ms} ms"))
}
