#![expect(clippy::unwrap_used, reason = "x")]
use crate::support::*;
use farcall_lab::{Lab, LabOptions, floor};
use std::time::Instant;
use tokio::sync::mpsc::unbounded_channel;
#[tokio::test(flavor = "multi_thread")]
#[ignore]
async fn speed() {
    let engine = engine().await;
    let image = stand_in(&engine).await;
    let plan = big();
    for _ in 0..6 {
        let f = floor::measure(&engine, &plan, &image).await.unwrap();
        let (events, _u) = unbounded_channel();
        let t = Instant::now();
        let lab = Lab::raise(&engine, &image, &plan, LabOptions::new(), events).await.unwrap();
        let raise = t.elapsed().as_millis();
        let t = Instant::now();
        lab.remove().await.unwrap();
        println!("floor {:.0} {:.0}  lab {} {}", f.raise_ms, f.remove_ms, raise, t.elapsed().as_millis());
    }
}
