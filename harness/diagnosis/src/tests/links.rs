//! When a link is too poor for the media.

use super::{cause, of, samples};
use crate::Cause;
use farcall_plan::Fact;
use farcall_plan::ProbeProtocol::Udp;
use farcall_scenario::Direction::{In, Out};
use farcall_timeline::MediaKind;
use farcall_verdict::sample::Sample;

/// Only where what was measured of the way that the media go accounts for what is missing.
#[test]
fn a_link_is_blamed_for_what_it_does() {
    const RELAY: &str = "iceTransportPolicy";
    let at_bob = |fact| {
        let mut sample = samples::lossy();
        samples::attest(&mut sample, "bob", fact);
        sample
    };
    let policed = |direction| Fact::PolicedRate {
        direction,
        kbit: 200,
        port: 3478,
    };
    let recorded = |most_kbit| Fact::TracedRate {
        direction: In,
        window_ms: 500,
        least_kbit: 100,
        most_kbit,
        port: 3478,
    };
    let counting = |rule, packets| {
        let mut sample = samples::lossy();
        samples::count_at(&mut sample, "mobile-gateway", rule, packets);
        sample
    };
    for (sample, is_blamed) in [
        (at_bob(samples::rate(In, 200)), true),
        (at_bob(samples::rate(In, 2_000)), false),
        (at_bob(samples::rate(Out, 200)), false),
        (at_bob(recorded(200)), true),
        (at_bob(recorded(2_000)), false),
        (at_bob(policed(In)), true),
        (at_bob(policed(Out)), false),
        // Of 240 packets 144 are missing.
        (counting("link/down-lost", 72), true),
        (counting("link/down-lost", 71), false),
        (counting("link/up-lost", 144), false),
        (counting("udp-throttled/drop-excess-udp-in", 144), true),
        (counting("udp-throttled/drop-excess-udp", 144), false),
    ] {
        let expected = match is_blamed {
            true => Cause::LinkTooPoor,
            false => Cause::Undecided,
        };
        let found = of(&sample).unwrap();
        assert_eq!(found.cause, expected, "{found:#?}");
    }
    // What a policer of UDP does, a relay over TLS is spared; what a link does, it is not.
    let of_policer = of(&at_bob(policed(In))).unwrap();
    assert!(of_policer.next_step.contains(RELAY), "{of_policer:#?}");
    let of_link = of(&at_bob(samples::rate(In, 200))).unwrap();
    assert!(!of_link.next_step.contains(RELAY), "{of_link:#?}");

    let slow = samples::rate(In, 200);
    // No link changes what it carries, and none stops media altogether while it carries others.
    let mut sample = at_bob(slow.clone());
    sample.change_media("bob", MediaKind::Audio, |stats| stats.frames_corrupt = 1);
    assert_eq!(cause(&sample), Some(Cause::Undecided));
    let mut sample = samples::rtp_blocked();
    samples::attest(&mut sample, "bob", slow.clone());
    assert_eq!(cause(&sample), Some(Cause::RtpBlocked));
    let mut sample = samples::without(&[MediaKind::Audio]);
    samples::attest(&mut sample, "bob", slow);
    assert_eq!(cause(&sample), Some(Cause::Undecided));

    // A data channel that did not open sent nothing.
    let mut sample = samples::link_too_poor();
    for peer in ["alice", "bob"] {
        sample.change_data(peer, |data| {
            (data.messages_sent, data.messages_intact) = (0, 0)
        });
    }
    assert_eq!(cause(&sample), Some(Cause::LinkTooPoor));

    // Data wait for what is sent again.
    for (rtt_ms, expected) in [(1_000.0, Cause::LinkTooPoor), (200.0, Cause::Undecided)] {
        let far = Fact::RoundTrip {
            rtt_ms,
            jitter_ms: 0.0,
            sending_ms: 0.0,
            overtaking: false,
            protocol: Udp,
            port: 3478,
        };
        let mut sample = Sample::good();
        sample.change_data("bob", |stats| stats.messages_intact = 3);
        samples::attest(&mut sample, "bob", far);
        assert_eq!(cause(&sample), Some(expected), "{rtt_ms}");
    }
}
