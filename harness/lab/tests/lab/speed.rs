#![expect(clippy::unwrap_used, reason = "x")]
use crate::support::*;
use farcall_lab::{Lab, LabOptions, floor, images};
use farcall_scenario::{IceConfiguration, Scenario};
use std::time::Instant;
use tokio::sync::mpsc::unbounded_channel;
#[tokio::test(flavor = "multi_thread")]
#[ignore]
async fn speed() {
    let engine = engine().await;
    let image = images::agent_image(
        &engine,
        &std::path::Path::new(&std::env::var("FARCALL").unwrap()),
        &|_| {},
    )
    .await
    .unwrap();
    let plan = farcall_plan::plan(
        &Scenario::builtin("corporate-firewall").unwrap(),
        &IceConfiguration::production(),
        1,
    )
    .unwrap();
    for capture in [false, false, false] {
        let f = floor::measure(&engine, &plan, &image).await.unwrap();
        let (events, mut u) = unbounded_channel();
        let t = Instant::now();
        let lab = Lab::raise(
            &engine,
            &image,
            &plan,
            LabOptions {
                capture,
                ..LabOptions::new()
            },
            events,
        )
        .await
        .unwrap();
        let raise = t.elapsed().as_millis();
        let t = Instant::now();
        let mut ready = vec![];
        while let Ok(e) = u.try_recv() {
            if let farcall_timeline::Event::NodeReady { after_ms } = e.event {
                ready.push(format!("{} {:.0} ({after_ms:.0})", e.node, e.at_ms));
            }
        }
        lab.remove().await.unwrap();
        println!(
            "capture {capture} floor {:.0} {:.0}  lab {} {} ratio {:.2} {:.2}",
            f.raise_ms,
            f.remove_ms,
            raise,
            t.elapsed().as_millis(),
            raise as f64 / f.raise_ms,
            t.elapsed().as_millis() as f64 / f.remove_ms
        );
        println!("   {}", ready.join(", "));
    }
}
