//! Measures, from inside the lab, every fact that the plan declares.

use crate::faults::{Place, begin, end};
use crate::login::log_in;
use crate::recorder::Recorder;
use farcall_lab::{Lab, NodeError};
use farcall_plan::{Declaration, Elsewhere, Fact, FaultAction, Plan};
use farcall_protocol::{Command, Reply};
use farcall_scenario::Direction;
use farcall_timeline::{Event, Measured};
use futures::future::{join, join_all, try_join_all};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long a single measurement may take beside what it takes by its nature. Each has a budget of its own
/// far below this; the deadline only guards against an agent that no longer answers.
const MEASUREMENT_DEADLINE: Duration = Duration::from_secs(20);

/// How many of the longest round trips a single measurement may need.
const ROUND_TRIPS: u32 = 20;

/// How many trains that take long a node may have to send before one is sent, that one included: for what is lost, what
/// is duplicated and what overtakes, either way.
const LONG_TRAINS: u32 = 6;

/// How many windows of a recorded rate may be looked at, to say that it is another one.
const WINDOWS: u32 = 12;

/// When a fact is measured: those of one stage all at once, and one stage after the other, so that none
/// changes what another measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// What nothing in the lab hears of, beside all other stages.
    Aside,
    /// What takes a few packets, while links are eased: NATs, firewalls and servers are the same behind a wire, and are
    /// asked there without the round trips of the link.
    Behaviour,
    /// What the link does to packets, as it will in the call.
    Links,
    /// What fills the link for as long as a window of a recorded rate.
    Recordings,
    /// Trains of packets are more than a policer lets pass.
    Policers,
    /// What takes seconds to minutes: thousands of packets that leave the link half empty, and waiting.
    Deep,
}

/// Logs in who is behind a portal, measures all that the plan declares before a call, and records each
/// finding as it comes. `true` when all hold.
///
/// # Errors
/// When a portal or a node could not do it; what the others found is recorded all the same.
pub(crate) async fn attest(
    lab: &Lab,
    declared: &Plan,
    recorder: &Recorder,
) -> Result<bool, NodeError> {
    log_in(lab, &declared.call).await?;
    let record = |_, finding: Measured| recorder.record(Event::Attested(finding));
    let mut all_hold = measure_all(lab, &declared.attestation, record).await?;
    for elsewhere in &declared.attestation_elsewhere {
        all_hold &= attest_elsewhere(lab, elsewhere, recorder).await?;
    }
    Ok(all_hold)
}

/// Lets a peer that will move go there, measures what it finds, and brings it back.
async fn attest_elsewhere(
    lab: &Lab,
    elsewhere: &Elsewhere,
    recorder: &Recorder,
) -> Result<bool, NodeError> {
    let Elsewhere {
        peer,
        from,
        to,
        attestation,
    } = elsewhere;
    let there = FaultAction::Move {
        from: from.clone(),
        to: to.clone(),
    };
    let place = [Place {
        lab,
        node: peer.clone(),
        action: &there,
    }];
    begin(&place, None).await?;
    let record = |_, finding: Measured| recorder.record(Event::Attested(finding));
    let all_hold = measure_all(lab, attestation, record).await?;
    end(&place, None).await?;
    Ok(all_hold)
}

/// Measures these declarations, stage by stage, and hands on each finding with its declaration's place as it
/// comes. `true` when all hold.
///
/// # Errors
/// As of [`attest`].
pub(crate) async fn measure_all(
    lab: &Lab,
    declarations: &[Declaration],
    on_finding: impl Fn(usize, Measured),
) -> Result<bool, NodeError> {
    let measured = async |of: Stage| measure_stage(lab, declarations, of, &on_finding).await;
    let in_order = async {
        let mut all = Vec::new();
        for of in [
            Stage::Behaviour,
            Stage::Links,
            Stage::Recordings,
            Stage::Policers,
            Stage::Deep,
        ] {
            all.push(measured(of).await);
        }
        all
    };
    let (mut all, aside) = join(in_order, measured(Stage::Aside)).await;
    all.push(aside);
    all_of(all)
}

/// Measures the declarations of this stage at the same time, to the end also where one cannot be measured.
async fn measure_stage(
    lab: &Lab,
    declarations: &[Declaration],
    of: Stage,
    on_finding: &impl Fn(usize, Measured),
) -> Result<bool, NodeError> {
    let all = declarations.iter().enumerate();
    let mut now: Vec<_> = all.filter(|(_, one)| stage(&one.fact) == of).collect();
    now.sort_by_key(|(_, one)| turn(&one.fact));
    let is_eased = of == Stage::Behaviour;
    let links = now.iter().filter_map(|(_, one)| one.link_at.as_ref());
    let links: BTreeSet<&String> = links.filter(|_| is_eased).collect();
    ease(lab, &links, true).await?;
    let findings = now.into_iter().map(async |(index, declaration)| {
        let finding = measure(lab, declaration, is_eased).await?;
        let holds = finding.holds;
        on_finding(index, finding);
        Ok(holds)
    });
    let findings = join_all(findings).await;
    ease(lab, &links, false).await?;
    all_of(findings)
}

/// Whether all hold; the first error if there is one.
fn all_of(holds: Vec<Result<bool, NodeError>>) -> Result<bool, NodeError> {
    let holds: Result<Vec<bool>, NodeError> = holds.into_iter().collect();
    Ok(holds?.into_iter().all(|holds| holds))
}

/// Has packets cross the links of these gateways as they would a wire, or as planned.
async fn ease(lab: &Lab, gateways: &BTreeSet<&String>, eased: bool) -> Result<(), NodeError> {
    let all = gateways.iter().map(async |gateway| {
        let gateway = lab.node(gateway)?;
        let ease = Command::EaseLink { eased };
        match gateway.request(ease, MEASUREMENT_DEADLINE).await? {
            Reply::Done => Ok(()),
            other => Err(gateway.unexpected(&other)),
        }
    });
    try_join_all(all).await.map(drop)
}

/// `is_eased`: no link is in effect.
async fn measure(
    lab: &Lab,
    declaration: &Declaration,
    is_eased: bool,
) -> Result<Measured, NodeError> {
    let fact = &declaration.fact;
    let node = lab.node(&declaration.node)?;
    let round_trip_ms = match is_eased {
        true => 0,
        false => declaration.round_trip_ms,
    };
    let command = Command::Measure {
        fact: fact.clone(),
        round_trip_ms,
    };
    let round_trip = Duration::from_millis(round_trip_ms.into());
    let deadline = MEASUREMENT_DEADLINE + round_trip * ROUND_TRIPS + by_nature(fact);
    match node.request(command, deadline).await? {
        Reply::Measured(measured) => Ok(measured),
        other => Err(node.unexpected(&other)),
    }
}

fn stage(fact: &Fact) -> Stage {
    match fact {
        Fact::NoEmbeddedResolver => Stage::Aside,
        Fact::RoundTrip { .. } | Fact::Rate { .. } => Stage::Links,
        Fact::TracedRate { .. } => Stage::Recordings,
        Fact::PolicedRate { .. } => Stage::Policers,
        Fact::FateRatio { .. } | Fact::NatUdpTimeout { .. } => Stage::Deep,
        _ => Stage::Behaviour,
    }
}

/// In which order a node sends what it measures of its link: first what must find it empty, and last what fills its own
/// way out, behind the small question for what fills the way in.
fn turn(fact: &Fact) -> u8 {
    match fact {
        Fact::Rate {
            direction: Direction::In,
            ..
        }
        | Fact::TracedRate {
            direction: Direction::In,
            ..
        } => 1,
        Fact::Rate {
            direction: Direction::Out,
            ..
        }
        | Fact::TracedRate {
            direction: Direction::Out,
            ..
        } => 2,
        _ => 0,
    }
}

/// How long a measurement takes because of what it measures.
fn by_nature(fact: &Fact) -> Duration {
    let seconds = match fact {
        Fact::NatUdpTimeout { timeout_s, .. } => *timeout_s,
        Fact::FateRatio {
            packets,
            per_second,
            ..
        } => LONG_TRAINS * packets / (*per_second).max(1),
        // In either direction.
        Fact::TracedRate { window_ms, .. } => 2 * WINDOWS * window_ms.div_ceil(1_000),
        _ => 0,
    };
    Duration::from_secs(seconds.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use farcall_plan::ProbeProtocol;

    #[test]
    fn what_fills_the_link_is_measured_when_nothing_else_is() {
        let round_trip = Fact::RoundTrip {
            rtt_ms: 0.0,
            jitter_ms: 0.0,
            sending_ms: 0.0,
            overtaking: false,
            protocol: ProbeProtocol::Udp,
            port: 53,
        };
        let rate = |direction| Fact::Rate {
            direction,
            kbit: None,
            queue_ms: 200,
            jitter_ms: 0.0,
            port: 53,
        };
        let traced = |direction| Fact::TracedRate {
            direction,
            window_ms: 500,
            least_kbit: 3_000,
            most_kbit: 5_000,
            port: 53,
        };
        for direction in [Direction::Out, Direction::In] {
            let (recorded, steady) = (traced(direction), rate(direction));
            // It fills the link for longer than others of its node have patience.
            assert!(stage(&recorded) > stage(&steady));
            assert_eq!(turn(&recorded), turn(&steady));
        }
        let lifetime = Fact::NatUdpTimeout {
            timeout_s: 30,
            port: 53,
        };
        let [up, down] = [Direction::Out, Direction::In].map(rate);
        // Nothing that is measured of the link is measured while it is eased.
        let mtu = Fact::Mtu {
            direction: Direction::Out,
            mtu: 1_500,
            fragmentation_needed: None,
            port: 53,
        };
        assert_eq!(stage(&mtu), Stage::Behaviour);
        for of_link in [&round_trip, &up, &down] {
            assert!(stage(of_link) > Stage::Behaviour);
        }
        assert!(turn(&round_trip) < turn(&down) && turn(&down) < turn(&up));
        assert!(stage(&up) < stage(&lifetime));
        assert_eq!(by_nature(&lifetime), Duration::from_secs(30));
    }
}
