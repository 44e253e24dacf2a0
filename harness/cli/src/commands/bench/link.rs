//! What emulated links do to packets, beside what they are declared to do.

mod figures;

use crate::exit::Failure;
use crate::progress::Progress;
use farcall_run::{Carried, Exchange, Exchanged, Harness, Traffic, TrafficError};
use farcall_scenario::{Direction, IceConfiguration, Loss, Scenario};
use figures::{Both, Delay, Lost, MEGABIT, Rate};
use tokio_util::sync::CancellationToken;

pub(super) use figures::Figures;

const DELAY_MS: f64 = 40.0;
const KBIT: u32 = 10_000;
const RANDOM: Loss = Loss::Random { percent: 2.0 };
/// 3 % in bursts of four on average.
const BURSTS: Loss = Loss::Bursts {
    good_to_bad_percent: 0.773,
    bad_to_good_percent: 25.0,
    good_loss_percent: 0.0,
    bad_loss_percent: 100.0,
};

/// The packets of the issue's figures: as many as a call's media has, or as many as the confidence needs.
const DELAY_PACKETS: (u32, u32) = (10_000, 2_000);
const LOSS_PACKETS: (u32, u32) = (100_000, 10_000);
const SMALL_BYTES: u16 = 200;

/// Packets of a call's size, IP header included, in bytes.
const LARGE_BYTES: u16 = 1_200;

/// How long a rate, a throughput and a load are measured, in seconds.
const RATE_S: u32 = 5;
const BULK_MS: u32 = 4_000;
const CALL_S: u32 = 10;

/// How much more than the declared rate is sent, in percent.
const OVERSPEED_PERCENT: u32 = 120;

/// What a call with video takes in each direction, in kbit/s.
const CALL_KBIT: u32 = 2_000;

/// Measures on a machine that does nothing else, or else measures that.
pub(super) async fn measure(
    harness: &Harness,
    stop: &CancellationToken,
    progress: &Progress,
) -> Result<Figures, Failure> {
    let ice = IceConfiguration::development();
    let exchange = async |scenario: Scenario, exchanges: &[Exchange]| {
        let done = harness.exchange(&scenario, &ice, exchanges, stop).await;
        done.map_err(|error| match error {
            TrafficError::Interrupted => Failure::Interrupted,
            error => Failure::infrastructure(error),
        })
    };

    progress.say("delay, loss and processor time of links");
    let delaying = format!("up = {{ delay_ms = {DELAY_MS:.1} }}, down = {{ delay_ms = {DELAY_MS:.1} }}");
    let losing = format!("up = {{ loss = {} }}, down = {{ loss = {} }}", toml(RANDOM), toml(BURSTS));
    let [by_delay, by_loss] = [packets_of(DELAY_PACKETS), packets_of(LOSS_PACKETS)];
    let call = (per_second(CALL_KBIT) * CALL_S, per_second(CALL_KBIT));
    let wanted = [
        alone("alice", by_delay(Direction::Out)),
        alone("alice", by_delay(Direction::In)),
        Exchange {
            peer: "alice".to_owned(),
            traffic: [Direction::Out, Direction::In].map(|direction| large(direction, call)).into(),
        },
        alone("bob", by_loss(Direction::Out)),
        alone("bob", by_loss(Direction::In)),
    ];
    let done = exchange(scenario(&delaying, &losing)?, &wanted).await?;
    let [delay_up, delay_down, call, loss_up, loss_down] = exactly(done)?;

    progress.say("rate and throughput of links");
    let limiting = format!("up = {{ rate_kbit = {KBIT} }}, down = {{ rate_kbit = {KBIT} }}");
    let too_fast = per_second(KBIT * OVERSPEED_PERCENT / 100);
    let by_rate = |direction| large(direction, (too_fast * RATE_S, too_fast));
    let bulk = |direction| Traffic::Bulk { direction, ms: BULK_MS };
    let wanted = [
        alone("alice", by_rate(Direction::Out)),
        alone("alice", by_rate(Direction::In)),
        alone("bob", bulk(Direction::Out)),
        alone("bob", bulk(Direction::In)),
    ];
    let done = exchange(scenario(&limiting, "up = {}, down = {}")?, &wanted).await?;
    let [rate_up, rate_down, bulk_up, bulk_down] = exactly(done)?;

    Ok(Figures {
        delay: Both {
            up: Delay::new(DELAY_MS, DELAY_PACKETS, only(&delay_up)?),
            down: Delay::new(DELAY_MS, DELAY_PACKETS, only(&delay_down)?),
        },
        loss: Both {
            up: Lost::new(RANDOM, LOSS_PACKETS.0, only(&loss_up)?),
            down: Lost::new(BURSTS, LOSS_PACKETS.0, only(&loss_down)?),
        },
        rate: Both {
            up: Rate::new(KBIT, only(&rate_up)?),
            down: Rate::new(KBIT, only(&rate_down)?),
        },
        throughput_mbit: Both {
            up: only(&bulk_up)?.kbit() / MEGABIT,
            down: only(&bulk_down)?.kbit() / MEGABIT,
        },
        call_kbit_each_way: CALL_KBIT,
        call_gateway_cpu_percent: 100.0 * call.gateway_cpu_ms / call.took_ms,
    })
}

/// A scenario whose two sites have these links, behind NATs that the datapath makes.
fn scenario(alice: &str, bob: &str) -> Result<Scenario, Failure> {
    let text = format!(
        r#"
        description = "Links to measure"
        sites.alice-site = {{ lan = "192.168.1.0/24", gateway = {{ nat = "full-cone" }}, link_override = {{ {alice} }} }}
        sites.bob-site = {{ lan = "192.168.1.0/24", gateway = {{ nat = "full-cone" }}, link_override = {{ {bob} }} }}
        peers = [{{ name = "alice", site = "alice-site" }}, {{ name = "bob", site = "bob-site" }}]
        [expect]
        connects = true
        within_ms = 10_000
        relayed = false
        "#
    );
    Scenario::parse("bench-links", &text).map_err(Failure::usage)
}

fn toml(loss: Loss) -> String {
    match loss {
        Loss::None => r#"{ kind = "none" }"#.to_owned(),
        Loss::Random { percent } => format!(r#"{{ kind = "random", percent = {percent:?} }}"#),
        Loss::Bursts {
            good_to_bad_percent,
            bad_to_good_percent,
            good_loss_percent,
            bad_loss_percent,
        } => format!(
            r#"{{ kind = "bursts", good_to_bad_percent = {good_to_bad_percent:?}, bad_to_good_percent = {bad_to_good_percent:?}, good_loss_percent = {good_loss_percent:?}, bad_loss_percent = {bad_loss_percent:?} }}"#
        ),
    }
}
