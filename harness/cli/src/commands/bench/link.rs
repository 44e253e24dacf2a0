//! What emulated links do to packets, beside what they are declared to do.

mod figures;

use crate::exit::Failure;
use crate::progress::Progress;
use farcall_run::{Carried, Exchange, Exchanged, Harness, Traffic, TrafficError};
use farcall_scenario::{
    Direction, IceConfiguration, LinkDirectionOverride, LinkOverride, Loss, Scenario,
};
use figures::{Both, Delay, Lost, Rate};
use tokio_util::sync::CancellationToken;

pub(super) use figures::Figures;

/// What the links are declared to do.
const DELAY_MS: f64 = 40.0;
const KBIT: u32 = 10_000;
const RANDOM: Loss = Loss::Random { percent: 2.0 };
/// About 3 % in bursts of four packets on average.
const BURSTS: Loss = Loss::Bursts {
    good_to_bad_percent: 0.77,
    bad_to_good_percent: 25.0,
    good_loss_percent: 0.0,
    bad_loss_percent: 100.0,
};

/// Packets by which delay and loss are measured: how many, and how many of them in a second.
const DELAY_PACKETS: (u32, u32) = (10_000, 2_000);
const LOSS_PACKETS: (u32, u32) = (100_000, 10_000);
const SMALL_BYTES: u16 = 200;

/// Packets of video, IP header included, in bytes.
const LARGE_BYTES: u16 = 1_200;

/// For how long a rate, a throughput and a call's load are measured.
const RATE_S: u32 = 5;
const BULK_MS: u32 = 4_000;
const CALL_S: u32 = 10;

/// How fast packets are sent to measure a rate, in percent of it.
const OVERSPEED_PERCENT: u32 = 120;

/// What a call with video takes in each direction, in kbit/s.
const CALL_KBIT: u32 = 2_000;

const BOTH_WAYS: [Direction; 2] = [Direction::Out, Direction::In];

/// Raises two labs, one after the other, and measures what their links do.
pub(super) async fn measure(
    harness: &Harness,
    stop: &CancellationToken,
    progress: &Progress,
) -> Result<Figures, Failure> {
    let links = Links { harness, stop };
    progress.say("delay, loss and processor time of links");
    let [delay, losses, call] = links.delay_and_loss().await?;
    progress.say("rate and throughput of links");
    let [rate, bulk] = links.rate_and_throughput().await?;
    Ok(Figures {
        delay: Both::try_of(&delay, |_, one| Delay::new(DELAY_MS, DELAY_PACKETS, one))?,
        loss: Both::try_of(&losses, |direction, one| {
            let declared = match direction {
                Direction::Out => RANDOM,
                Direction::In => BURSTS,
            };
            Lost::new(declared, LOSS_PACKETS.0, one)
        })?,
        rate: Both::try_of(&rate, |_, one| Rate::new(KBIT, one))?,
        throughput_mbit: Both::try_of(&bulk, |_, one| figures::kbit(one) / 1_000.0)?,
        call_kbit_each_way: CALL_KBIT,
        call_gateway_cpu_percent: call
            .first()
            .map_or(f64::NAN, |call| 100.0 * call.gateway_cpu_ms / call.took_ms),
    })
}

struct Links<'a> {
    harness: &'a Harness,
    stop: &'a CancellationToken,
}

impl Links<'_> {
    /// Delay and loss, each both ways one after the other, and then a call's load.
    async fn delay_and_loss(&self) -> Result<[Vec<Exchanged>; 3], Failure> {
        let delayed = || LinkDirectionOverride {
            delay_ms: Some(DELAY_MS),
            ..LinkDirectionOverride::default()
        };
        let losing = |loss| LinkDirectionOverride {
            loss: Some(loss),
            ..LinkDirectionOverride::default()
        };
        let alice = LinkOverride {
            up: delayed(),
            down: delayed(),
        };
        let bob = LinkOverride {
            up: losing(RANDOM),
            down: losing(BURSTS),
        };
        let by_delay = |direction| packets(direction, SMALL_BYTES, DELAY_PACKETS);
        let by_loss = |direction| packets(direction, SMALL_BYTES, LOSS_PACKETS);
        let call = Exchange {
            peer: "alice".to_owned(),
            traffic: BOTH_WAYS.map(|way| video(way, CALL_KBIT, CALL_S)).into(),
        };
        let groups = [
            BOTH_WAYS.map(|way| alone("alice", by_delay(way))).into(),
            BOTH_WAYS.map(|way| alone("bob", by_loss(way))).into(),
            vec![call],
        ];
        self.exchange([("alice-site", alice), ("bob-site", bob)], groups)
            .await
    }

    /// A rate, and what comes through a link without one, each both ways one after the other.
    async fn rate_and_throughput(&self) -> Result<[Vec<Exchanged>; 2], Failure> {
        let limited = || LinkDirectionOverride {
            rate_kbit: Some(KBIT),
            ..LinkDirectionOverride::default()
        };
        let alice = LinkOverride {
            up: limited(),
            down: limited(),
        };
        let bob = LinkOverride {
            up: LinkDirectionOverride::default(),
            down: LinkDirectionOverride::default(),
        };
        let too_fast_kbit = KBIT * OVERSPEED_PERCENT / 100;
        let bulk = |direction| Traffic::Bulk {
            direction,
            ms: BULK_MS,
        };
        let groups = [
            BOTH_WAYS
                .map(|way| alone("alice", video(way, too_fast_kbit, RATE_S)))
                .into(),
            BOTH_WAYS.map(|way| alone("bob", bulk(way))).into(),
        ];
        self.exchange([("alice-site", alice), ("bob-site", bob)], groups)
            .await
    }

    /// Groups of exchanges over these sites' links, and what came of each.
    async fn exchange<const N: usize>(
        &self,
        overrides: [(&str, LinkOverride); 2],
        groups: [Vec<Exchange>; N],
    ) -> Result<[Vec<Exchanged>; N], Failure> {
        let mut scenario = Scenario::parse("bench-links", include_str!("link/links.toml"))
            .map_err(|problems| Failure::Usage(problems.into()))?;
        for (name, link) in overrides {
            if let Some(site) = scenario.sites.get_mut(name) {
                site.link_override = Some(link);
            }
        }
        let all = groups.concat();
        let ice = IceConfiguration::development();
        let exchanged = self.harness.exchange(&scenario, &ice, &all, self.stop);
        let exchanged = exchanged.await.map_err(|error| match error {
            TrafficError::Interrupted => Failure::Interrupted,
            error => Failure::infrastructure(error),
        })?;
        let mut exchanged = exchanged.into_iter();
        Ok(groups.map(|group| exchanged.by_ref().take(group.len()).collect()))
    }
}

fn alone(peer: &str, traffic: Traffic) -> Exchange {
    Exchange {
        peer: peer.to_owned(),
        traffic: vec![traffic],
    }
}

fn packets(direction: Direction, ip_bytes: u16, (packets, per_second): (u32, u32)) -> Traffic {
    Traffic::Packets {
        direction,
        packets,
        ip_bytes,
        per_second,
    }
}

fn video(direction: Direction, kbit: u32, seconds: u32) -> Traffic {
    let per_second = kbit * 1_000 / (u32::from(LARGE_BYTES) * 8);
    packets(direction, LARGE_BYTES, (per_second * seconds, per_second))
}

/// What was carried by an exchange of one traffic.
fn only(exchanged: &Exchanged) -> Option<&Carried> {
    exchanged.carried.first()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn the_scenario_is_a_lab_whose_gateways_have_datapaths() {
        let scenario = Scenario::parse("bench-links", include_str!("link/links.toml")).unwrap();
        let plan = farcall_plan::plan(&scenario, &IceConfiguration::development(), 1).unwrap();
        let datapaths = plan.nodes.iter().filter(|node| {
            matches!(&node.role, farcall_plan::Role::Gateway(gateway) if gateway.datapath.is_some())
        });
        assert_eq!(datapaths.count(), 2);
    }
}
