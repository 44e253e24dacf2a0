//! Audio, video and data arrive in both directions.

use super::connection::nothing_to_observe;
use super::flow::seen;
use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_scenario::MediaQuality;
use farcall_timeline::{DataStats, MediaKind, MediaStats};

/// How much of what the other peer sent must arrive intact, in percent.
///
/// The question is whether media flows, not how good it is. In a lab without loss practically
/// everything arrives but what is under way at the end; with the loss of a bad mobile network and the
/// video frames lost with each packet, three quarters do. A direction that is blocked, breaks or only
/// flickers stays below a half.
pub const MIN_ARRIVED_PERCENT: u64 = 50;

/// The same where the network carries less than is sent, for audio and video. In a policer's or slow
/// link's share of a call a quarter to a half of the video frames were seen; a stream that is blocked stays
/// at none.
pub const MIN_ARRIVED_DEGRADED_PERCENT: u64 = 10;

const KINDS: [MediaKind; 3] = [MediaKind::Audio, MediaKind::Video, MediaKind::Data];

/// One check for each direction and kind of media.
pub(crate) fn media(case: &Case<'_>) -> Vec<Check> {
    case.directions()
        .flat_map(|(from, to)| KINDS.map(|kind| check(case, from, to, kind)))
        .collect()
}

fn check(case: &Case<'_>, from: &str, to: &str, kind: MediaKind) -> Check {
    let name = format!("media/{kind}/{from}-to-{to}");
    if let Some(observed) = nothing_to_observe(case) {
        let expected = format!("{kind} of {from} arrives at {to}");
        return Check::new(name, CheckVerdict::Skipped, expected, observed);
    }
    let is_muted = case.declared.expect.muted.iter().any(|peer| peer == from);
    let arrival = match kind {
        MediaKind::Data => data_arrival(case.data(from), case.data(to)),
        _ if is_muted => muted_arrival(case.media(from, kind), case.media(to, kind)),
        _ => clip_arrival(case.media(from, kind), case.media(to, kind)),
    };
    let unit = if kind == MediaKind::Data {
        "messages"
    } else {
        "frames"
    };
    let quality = case.declared.expect.media;
    if kind == MediaKind::Data && quality == MediaQuality::Degraded {
        let expected = format!("{unit} of {from} may be late where media are degraded");
        return Check::new(name, CheckVerdict::Skipped, expected, arrival.observed);
    }
    let least = least_of(arrival.sent, quality);
    let expected = format!(
        "at least {least} of the {} {unit} that {from} sent arrive {}, no others",
        arrival.sent, arrival.quality
    );
    let never_opened =
        kind == MediaKind::Data && case.first_state(from, "data-channel", "open").is_none();
    let (verdict, observed) = if arrival.sent == 0 && never_opened {
        // Its handshake goes over the network too (RFC 8832, SCTP's in RFC 9260).
        (
            CheckVerdict::Fail,
            format!("the data channel of {from} did not open"),
        )
    } else if arrival.sent == 0 {
        // The harness's own peers are the source: without it, the network was not asked anything.
        (
            CheckVerdict::Invalid,
            format!("{from} reported nothing sent"),
        )
    } else if arrival.good >= least && arrival.bad == 0 {
        (CheckVerdict::Pass, arrival.observed)
    } else {
        (CheckVerdict::Fail, arrival.observed)
    };
    let check = Check::new(name, verdict, expected, observed).with_evidence(arrival.evidence);
    match verdict {
        CheckVerdict::Fail => check.with_evidence(seen(case, from, to, kind).in_words()),
        _ => check,
    }
}

/// The least number that must arrive; never none.
fn least_of(sent: u64, quality: MediaQuality) -> u64 {
    let percent = match quality {
        MediaQuality::Good => MIN_ARRIVED_PERCENT,
        MediaQuality::Degraded => MIN_ARRIVED_DEGRADED_PERCENT,
    };
    (sent * percent).div_ceil(100).max(1)
}

struct Arrival {
    sent: u64,
    good: u64,
    bad: u64,
    quality: &'static str,
    observed: String,
    evidence: Option<String>,
}

/// The frames of the clip count. Silence is told apart from loss: the network is not at fault.
fn clip_arrival(from: Option<&MediaStats>, to: Option<&MediaStats>) -> Arrival {
    let received = to.cloned().unwrap_or_default();
    Arrival {
        sent: from.map_or(0, |stats| stats.frames_sent),
        good: received.frames_intact,
        bad: received.frames_corrupt,
        quality: "intact",
        observed: frames(&received),
        evidence: to.map(packets),
    }
}

/// A muted peer's frames are silent, and none of the clip may come through.
fn muted_arrival(from: Option<&MediaStats>, to: Option<&MediaStats>) -> Arrival {
    let received = to.cloned().unwrap_or_default();
    Arrival {
        good: received.frames_silent,
        bad: received.frames_corrupt + received.frames_intact,
        quality: "silent, since it is muted",
        ..clip_arrival(from, to)
    }
}

fn data_arrival(from: Option<&DataStats>, to: Option<&DataStats>) -> Arrival {
    let received = to.cloned().unwrap_or_default();
    Arrival {
        sent: from.map_or(0, |stats| stats.messages_sent),
        good: received.messages_intact,
        bad: received.messages_corrupt,
        quality: "intact",
        observed: format!(
            "{} intact, {} corrupt, {} out of order",
            received.messages_intact, received.messages_corrupt, received.messages_out_of_order
        ),
        evidence: to.map(|stats| format!("{} bytes received", stats.bytes_received)),
    }
}

fn frames(stats: &MediaStats) -> String {
    format!(
        "{} intact, {} silent, {} corrupt, {} lost",
        stats.frames_intact, stats.frames_silent, stats.frames_corrupt, stats.frames_lost
    )
}

fn packets(stats: &MediaStats) -> String {
    let first = stats.first_frame_after_ms.map_or_else(
        || "never".to_owned(),
        |after_ms| format!("after {after_ms:.0} ms"),
    );
    format!(
        "{} packets and {} bytes received, {} packets lost, jitter {:.1} ms, first intact frame \
         {first}, longest gap {:.0} ms",
        stats.packets_received,
        stats.bytes_received,
        stats.packets_lost,
        stats.jitter_ms,
        stats.longest_gap_ms
    )
}

#[cfg(test)]
mod tests {
    use super::least_of;
    use crate::CheckVerdict::{Fail, Invalid, Pass, Skipped};
    use crate::sample::Sample;
    use farcall_scenario::MediaQuality;
    use farcall_timeline::MediaKind::{Audio, Video};

    const AUDIO: &str = "media/audio/alice-to-bob";
    const DATA: &str = "media/data/alice-to-bob";

    #[test]
    fn media_that_arrives_passes_in_both_directions() {
        let sample = Sample::good();
        for kind in ["audio", "video", "data"] {
            for direction in ["alice-to-bob", "bob-to-alice"] {
                let check = sample.check(&format!("media/{kind}/{direction}"));
                assert_eq!(check.verdict, Pass, "{check:?}");
            }
        }
        let check = sample.check(AUDIO);
        assert_eq!(
            check.expected,
            "at least 75 of the 150 frames that alice sent arrive intact, no others"
        );
        assert_eq!(check.observed, "149 intact, 0 silent, 0 corrupt, 1 lost");
    }

    #[test]
    fn degraded_media_are_a_tenth_of_audio_and_video_and_whatever_of_data() {
        let mut sample = Sample::good();
        sample.declared.expect.media = MediaQuality::Degraded;
        sample.change_media("bob", Audio, |stats| stats.frames_intact = 15);
        assert_eq!(sample.check(AUDIO).verdict, Pass);
        assert_eq!(sample.check(DATA).verdict, Skipped);
        sample.change_media("bob", Audio, |stats| stats.frames_intact = 14);
        assert_eq!(sample.check(AUDIO).verdict, Fail);
    }

    #[test]
    fn half_of_what_was_sent_is_enough_and_less_is_not() {
        let mut sample = Sample::good();
        sample.change_media("bob", Audio, |stats| stats.frames_intact = 75);
        assert_eq!(sample.check(AUDIO).verdict, Pass);
        sample.change_media("bob", Audio, |stats| stats.frames_intact = 74);
        assert_eq!(sample.check(AUDIO).verdict, Fail);
    }

    #[test]
    fn one_way_media_fails_in_that_direction_only() {
        let mut sample = Sample::good();
        sample.change_media("bob", Video, |stats| stats.frames_intact = 0);
        assert_eq!(sample.check("media/video/alice-to-bob").verdict, Fail);
        assert_eq!(sample.check("media/video/bob-to-alice").verdict, Pass);
    }

    #[test]
    fn a_corrupt_frame_fails() {
        let mut sample = Sample::good();
        sample.change_media("bob", Audio, |stats| stats.frames_corrupt = 1);
        assert_eq!(sample.check(AUDIO).verdict, Fail);
    }

    #[test]
    fn silence_instead_of_the_clip_fails_and_is_named() {
        let mut sample = Sample::good();
        sample.change_media("bob", Audio, |stats| {
            stats.frames_silent = stats.frames_intact;
            stats.frames_intact = 0;
        });
        let check = sample.check(AUDIO);
        assert_eq!(check.verdict, Fail);
        assert_eq!(check.observed, "0 intact, 149 silent, 0 corrupt, 1 lost");
    }

    #[test]
    fn a_muted_peer_must_be_silent() {
        let mut sample = Sample::good();
        sample.declared.expect.muted = vec!["alice".into()];
        assert_eq!(sample.check(AUDIO).verdict, Fail);
        sample.change_media("bob", Audio, |stats| {
            stats.frames_silent = stats.frames_intact;
            stats.frames_intact = 0;
        });
        assert_eq!(sample.check(AUDIO).verdict, Pass);
    }

    #[test]
    fn messages_must_arrive_uncorrupted() {
        let mut sample = Sample::good();
        sample.change_data("bob", |stats| stats.messages_intact = 3);
        assert_eq!(sample.check(DATA).verdict, Fail);
        let mut sample = Sample::good();
        sample.change_data("bob", |stats| stats.messages_corrupt = 1);
        assert_eq!(sample.check(DATA).verdict, Fail);
    }

    #[test]
    fn a_sender_that_sent_nothing_makes_it_invalid() {
        let mut sample = Sample::good();
        sample.change_media("alice", Audio, |stats| stats.frames_sent = 0);
        assert_eq!(sample.check(AUDIO).verdict, Invalid);
        sample.change_data("alice", |stats| stats.messages_sent = 0);
        sample.add_state(6_700.0, "alice", "data-channel", "open");
        assert_eq!(sample.check(DATA).verdict, Invalid);
    }

    #[test]
    fn a_data_channel_that_did_not_open_could_send_nothing() {
        let mut sample = Sample::good();
        sample.change_data("alice", |stats| stats.messages_sent = 0);
        let check = sample.check(DATA);
        assert_eq!(check.verdict, Fail);
        assert_eq!(check.observed, "the data channel of alice did not open");
    }

    #[test]
    fn a_receiver_without_reports_fails() {
        let mut sample = Sample::good();
        sample.change_media("bob", Audio, |stats| *stats = Default::default());
        let check = sample.check(AUDIO);
        assert_eq!(check.verdict, Fail);
    }

    #[test]
    fn without_a_connection_no_media_is_asked_for() {
        assert_eq!(Sample::not_connected().check(AUDIO).verdict, Skipped);
    }

    #[test]
    fn something_must_arrive_however_little_was_sent() {
        assert_eq!(least_of(1, MediaQuality::Good), 1);
        assert_eq!(least_of(3, MediaQuality::Good), 2);
        assert_eq!(least_of(0, MediaQuality::Good), 1);
    }
}
