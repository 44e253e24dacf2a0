//! A link that is other than declared.

use super::{attested, datapath, found_out, link, linked, translated};
use crate::support::configuration;
use farcall::scenario::{
    Link, LinkDirection, LinkDirectionOverride, LinkOverride, LinkPreset, Loss, NatOverride,
    NatPreset, Rate,
};

#[tokio::test]
async fn a_link_without_delay_is_found_out() {
    let lab = attested(linked(LinkPreset::Transatlantic), false, |plan| {
        let wire = LinkDirection::default();
        *link(plan) = Link {
            up: wire.clone(),
            down: wire,
        };
    });
    found_out(&lab.await, &["round trip"]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_delay_that_is_there_twice_is_found_out() {
    let lab = attested(linked(LinkPreset::Dsl), false, |plan| {
        // As when a round trip is taken for one way.
        link(plan).up.delay_ms *= 2.0;
        link(plan).down.delay_ms *= 2.0;
    });
    found_out(&lab.await, &["round trip"]);
}

#[tokio::test]
async fn a_link_without_its_jitter_is_found_out() {
    let lab = attested(linked(LinkPreset::SatelliteLeo), false, |plan| {
        link(plan).up.jitter_ms = 0.0;
        link(plan).down.jitter_ms = 0.0;
    });
    found_out(&lab.await, &["round trip"]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_delay_where_none_is_declared_is_found_out() {
    let scenario = translated(NatPreset::FullCone, NatOverride::default());
    let lab = attested(scenario, false, |plan| {
        let line = LinkDirection {
            delay_ms: 10.0,
            ..LinkDirection::default()
        };
        datapath(plan, "alice-home-gateway").link = Some(Link {
            up: line.clone(),
            down: line,
        });
    });
    found_out(&lab.await, &["round trip"]);
}

#[tokio::test]
async fn other_rates_are_found_out_either_way() {
    let lab = attested(linked(LinkPreset::Dsl), false, |plan| {
        let kbit = |kbit| Rate::Constant { kbit };
        link(plan).up.rate = kbit(1_200);
        link(plan).down.rate = kbit(4_000);
    });
    found_out(&lab.await, &["rate up", "rate down"]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_limit_that_is_missing_and_one_too_many_are_found_out() {
    let lab = attested(linked(LinkPreset::Dsl), false, |plan| {
        link(plan).up.rate = Rate::Unlimited;
    });
    found_out(&lab.await, &["rate up"]);
    let lab = attested(linked(LinkPreset::Transatlantic), false, |plan| {
        link(plan).down.rate = Rate::Constant { kbit: 5_000 };
    });
    found_out(&lab.await, &["rate down"]);
}

#[tokio::test]
async fn a_larger_mtu_and_a_smaller_one_are_found_out() {
    let lab = attested(linked(LinkPreset::Vpn1280), false, |plan| {
        link(plan).up.mtu = 1_500;
        link(plan).down.mtu = 1_279;
    });
    // A packet of 1280 bytes has a part that is too large.
    found_out(&lab.await, &["MTU up", "MTU down"]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_link_that_tells_of_what_is_too_large_is_told_from_one_that_does_not() {
    let silent = linked(LinkPreset::Vpn1280);
    let mut telling = linked(LinkPreset::Vpn1280);
    let tells = LinkDirectionOverride {
        fragmentation_needed: Some(true),
        ..LinkDirectionOverride::default()
    };
    telling.sites.get_mut("east").unwrap().link_override = Some(LinkOverride {
        up: tells.clone(),
        down: tells,
    });
    // Rules keep those of a silent link from being told.
    let planned = |scenario| farcall::plan::plan(scenario, &configuration("production"), 1);
    let raised = [planned(&telling).unwrap(), planned(&silent).unwrap()];
    for (declared, raised) in [silent, telling].into_iter().zip(raised) {
        let lab = attested(declared, false, |plan| *plan = raised);
        found_out(&lab.await, &["MTU up", "MTU down"]);
    }
}

#[tokio::test]
async fn loss_that_is_missing_and_loss_too_much_are_found_out() {
    let lab = attested(linked(LinkPreset::SatelliteLeo), true, |plan| {
        link(plan).up.loss = Loss::None;
        link(plan).down.loss = Loss::Random { percent: 2.0 };
    });
    found_out(&lab.await, &["loss up", "loss down"]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn packets_that_are_not_duplicated_and_too_many_that_overtake_are_found_out() {
    let mut scenario = linked(LinkPreset::Transatlantic);
    let up = LinkDirectionOverride {
        duplicate_percent: Some(2.0),
        reorder_percent: Some(2.0),
        ..LinkDirectionOverride::default()
    };
    scenario.sites.get_mut("east").unwrap().link_override = Some(LinkOverride {
        up,
        ..LinkOverride::default()
    });
    let lab = attested(scenario, true, |plan| {
        link(plan).up.duplicate_percent = 0.0;
        link(plan).up.reorder_percent = 5.0;
    });
    found_out(&lab.await, &["duplicates up", "overtaking up"]);
}
