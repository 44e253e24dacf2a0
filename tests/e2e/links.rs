//! What no preset of a link has, on real containers: packets that arrive twice and out of order, and a recorded rate.

use crate::support::{call, call_with, configuration, out};
use farcall::plan::{Plan, Role, plan};
use farcall::scenario::{Link, LinkDirectionOverride, LinkOverride, Loss, Rate};
use farcall::timeline::Event;
use farcall::{RunOptions, Scenario, StoredRun, Verdict};

/// 4 Mbit/s on average: a tenth of a second of 6 Mbit/s and one of 2 Mbit/s, over and over.
fn recorded() -> Rate {
    let fast = (2..=100).step_by(2);
    let slow = (106..=200).step_by(6);
    Rate::Trace {
        delivery_ms: fast.chain(slow).collect(),
    }
}

/// A home whose link duplicates and reorders upwards, and is as fast as was recorded downwards, calls another.
fn scenario() -> Scenario {
    let mut scenario = Scenario::builtin("link-wifi").unwrap();
    // Two packets that follow each other closely are on their way at once.
    let line = LinkDirectionOverride {
        delay_ms: Some(40.0),
        jitter_ms: Some(0.0),
        loss: Some(Loss::None),
        queue_ms: Some(200),
        ..LinkDirectionOverride::default()
    };
    scenario.sites.get_mut("far").unwrap().link_override = Some(LinkOverride {
        up: LinkDirectionOverride {
            duplicate_percent: Some(10.0),
            reorder_percent: Some(10.0),
            ..line.clone()
        },
        down: LinkDirectionOverride {
            trace: Some("recorded.trace".into()),
            trace_rate: Some(recorded()),
            ..line
        },
    });
    scenario
}

/// Calls in a lab whose link is another one than declared.
async fn call_over(tamper: impl FnOnce(&mut Link)) -> StoredRun {
    let (scenario, ice) = (scenario(), configuration("production"));
    let mut raised = plan(&scenario, &ice, 1).unwrap();
    tamper(link(&mut raised));
    let options = RunOptions {
        out: out(),
        raise_instead: Some(raised),
        ..RunOptions::default()
    };
    call_with(&scenario, &ice, &options).await
}

fn link(plan: &mut Plan) -> &mut Link {
    let mut nodes = plan.nodes.iter_mut();
    let node = nodes.find(|node| node.name == "far-gateway").unwrap();
    let Role::Gateway(gateway) = &mut node.role else {
        panic!("far-gateway is no gateway");
    };
    gateway.datapath.as_mut().unwrap().link.as_mut().unwrap()
}

/// How many packets the link has counted during the call.
fn counted(run: &StoredRun, rule: &str) -> u64 {
    let read = |when: &str| {
        let mut entries = run.timeline.entries().iter();
        let rules = entries.find_map(|entry| match &entry.event {
            Event::Counters { moment, rules } if entry.node == "far-gateway" => {
                (moment == when).then_some(rules)
            }
            _ => None,
        });
        let mut rules = rules.unwrap_or_else(|| panic!("{when}: {run}")).iter();
        let counter = rules.find(|counter| counter.rule == rule);
        counter.unwrap_or_else(|| panic!("{rule}: {run}")).packets
    };
    read("after-call") - read("before-call")
}

/// What was measured of the recorded rate, and whether it holds.
fn rate_holds(run: &StoredRun) -> bool {
    let mut measured = run.result.attestation.iter();
    let rate = measured.find(|one| one.what.starts_with("recorded rate down"));
    rate.unwrap_or_else(|| panic!("{run}")).holds
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_call_outlives_copies_disorder_and_a_recorded_rate() {
    let run = call(&scenario(), &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Pass, "{run}");
    assert!(rate_holds(&run), "{run}");
    for rule in ["link/up-duplicated", "link/up-reordered"] {
        assert!(counted(&run, rule) > 0, "{rule}: {run}");
    }
    for rule in ["link/down-duplicated", "link/down-reordered"] {
        assert_eq!(counted(&run, rule), 0, "{rule}: {run}");
    }
    // Bob receives copies, and no frame twice.
    let [sent, received] = ["alice", "bob"].map(|peer| &run.result.peers[peer].media);
    for (sent, received) in [
        (&sent.audio, &received.audio),
        (&sent.video, &received.video),
    ] {
        let sent = &sent.as_ref().unwrap().sent;
        let received = &received.as_ref().unwrap().received;
        assert!(received.frames <= sent.frames, "{sent:?} {received:?}");
        assert!(received.frames_intact <= sent.frames, "{received:?}");
        assert_eq!(received.frames_corrupt, 0, "{received:?}");
    }
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_link_without_the_recorded_rate_is_found_out() {
    let run = call_over(|link| link.down.rate = Rate::Unlimited).await;
    assert_eq!(run.result.verdict, Verdict::Invalid, "{run}");
    assert!(!rate_holds(&run), "{run}");
    assert_eq!(run.result.phases.call_ms, None, "a call was placed");
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_link_that_keeps_packets_once_and_in_order_counts_none() {
    let run = call_over(|link| {
        link.up.duplicate_percent = 0.0;
        link.up.reorder_percent = 0.0;
    })
    .await;
    assert_eq!(run.result.verdict, Verdict::Pass, "{run}");
    for rule in ["link/up-duplicated", "link/up-reordered"] {
        assert_eq!(counted(&run, rule), 0, "{rule}: {run}");
    }
}
