//! No peer received more than the other sent.

use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_timeline::MediaKind;

/// One check for each direction.
pub(crate) fn peers_agree(case: &Case<'_>) -> Vec<Check> {
    case.directions()
        .map(|(from, to)| check(case, from, to))
        .collect()
}

fn check(case: &Case<'_>, from: &str, to: &str) -> Check {
    let counts = [MediaKind::Audio, MediaKind::Video, MediaKind::Data].map(|kind| {
        let (sent, received) = counts(case, from, to, kind);
        (kind, sent, received)
    });
    let more: Vec<String> = counts
        .iter()
        .filter(|(_, sent, received)| received > sent)
        .map(|(kind, sent, received)| format!("{kind}: {received} received of {sent} sent"))
        .collect();
    let (verdict, observed) = if counts
        .iter()
        .all(|(_, sent, received)| sent + received == 0)
    {
        (CheckVerdict::Skipped, "nothing claimed".to_owned())
    } else if more.is_empty() {
        (CheckVerdict::Pass, "no more received than sent".to_owned())
    } else {
        (CheckVerdict::Invalid, more.join(", "))
    };
    Check::new(
        format!("claims/peers/{from}-to-{to}"),
        verdict,
        format!("{to} receives no frame or message that {from} did not send"),
        observed,
    )
}

fn counts(case: &Case<'_>, from: &str, to: &str, kind: MediaKind) -> (u64, u64) {
    if kind == MediaKind::Data {
        return (
            case.data(from).map_or(0, |stats| stats.messages_sent),
            case.data(to).map_or(0, |stats| stats.messages_intact),
        );
    }
    (
        case.media(from, kind).map_or(0, |stats| stats.frames_sent),
        case.media(to, kind)
            .map_or(0, |stats| stats.frames_intact + stats.frames_silent),
    )
}

#[cfg(test)]
mod tests {
    use crate::CheckVerdict::{Invalid, Pass, Skipped};
    use crate::sample::Sample;
    use farcall_timeline::MediaKind::Video;

    const CHECK: &str = "claims/peers/bob-to-alice";

    #[test]
    fn peers_that_agree_pass() {
        assert_eq!(Sample::good().check(CHECK).verdict, Pass);
    }

    #[test]
    fn frames_that_nobody_sent_are_invalid() {
        let mut sample = Sample::good();
        sample.change_media("alice", Video, |stats| stats.frames_intact = 91);
        let check = sample.check(CHECK);
        assert_eq!(check.verdict, Invalid);
        assert_eq!(check.observed, "video: 91 received of 90 sent");
    }

    #[test]
    fn messages_that_nobody_sent_are_invalid() {
        let mut sample = Sample::good();
        sample.change_data("alice", |stats| stats.messages_intact = 31);
        assert_eq!(sample.check(CHECK).verdict, Invalid);
    }

    #[test]
    fn without_a_call_nothing_is_claimed() {
        assert_eq!(Sample::not_connected().check(CHECK).verdict, Skipped);
    }
}
