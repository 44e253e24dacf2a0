//! What a peer says of itself: bytes that must be found again elsewhere in the lab.

use crate::case::Case;
use farcall_timeline::{MediaKind, SelectedPair};

/// How much of what a peer claims must be found in the counters of a gateway or server, in percent.
///
/// Those count whole packets and so more than the payload that a peer claims. The tenth covers what
/// a peer handed to its TCP connection and hung up on, and what was under way when ICE changed pairs.
pub const CLAIM_PERCENT: u64 = 90;

/// Payload bytes in both directions, as a peer counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bytes {
    pub(super) sent: u64,
    pub(super) received: u64,
}

impl Bytes {
    /// The greater of each direction: the bytes to a server contain those of the media through it.
    pub(super) fn or_more(self, other: Self) -> Self {
        Self {
            sent: self.sent.max(other.sent),
            received: self.received.max(other.received),
        }
    }
}

/// The least that must be found again of what was claimed.
pub(super) fn least_of(claimed: u64) -> u64 {
    claimed.saturating_mul(CLAIM_PERCENT) / 100
}

/// What a peer says it exchanged with all its ICE servers.
pub(super) fn with_servers(case: &Case<'_>, peer: &str) -> Bytes {
    case.servers(peer)
        .values()
        .fold(Bytes::default(), |sum, report| Bytes {
            sent: sum.sent + report.bytes_sent,
            received: sum.received + report.bytes_received,
        })
}

/// The media and data that a peer says it exchanged since the pairs that the two use last were
/// selected. Before, they may have gone another way.
pub(super) fn over_last_pair(case: &Case<'_>, peer: &str) -> Bytes {
    let since_ms = last_change_ms(case);
    let audio = media(case, peer, MediaKind::Audio, since_ms);
    let video = media(case, peer, MediaKind::Video, since_ms);
    let data = case.data_reports(peer).map(|(at_ms, stats)| {
        (
            at_ms,
            Bytes {
                sent: stats.bytes_sent,
                received: stats.bytes_received,
            },
        )
    });
    let data = since(data, since_ms);
    Bytes {
        sent: audio.sent + video.sent + data.sent,
        received: audio.received + video.received + data.received,
    }
}

fn media(case: &Case<'_>, peer: &str, kind: MediaKind, since_ms: Option<f64>) -> Bytes {
    let reports = case.media_reports(peer, kind).map(|(at_ms, stats)| {
        (
            at_ms,
            Bytes {
                sent: stats.bytes_sent,
                received: stats.bytes_received,
            },
        )
    });
    since(reports, since_ms)
}

/// The last totals, less those of the first report after the given time.
fn since(reports: impl Iterator<Item = (f64, Bytes)>, since_ms: Option<f64>) -> Bytes {
    let reports: Vec<(f64, Bytes)> = reports.collect();
    let Some((_, last)) = reports.last() else {
        return Bytes::default();
    };
    let before = since_ms
        .and_then(|since_ms| reports.iter().find(|(at_ms, _)| *at_ms >= since_ms))
        .map_or_else(Bytes::default, |(_, bytes)| *bytes);
    Bytes {
        sent: last.sent.saturating_sub(before.sent),
        received: last.received.saturating_sub(before.received),
    }
}

/// When either peer last left a pair for another.
fn last_change_ms(case: &Case<'_>) -> Option<f64> {
    case.peers
        .iter()
        .filter_map(|peer| {
            let pairs: Vec<(f64, &SelectedPair)> = case.pairs(peer).collect();
            pairs
                .windows(2)
                .filter(|two| two[0].1 != two[1].1)
                .map(|two| two[1].0)
                .next_back()
        })
        .max_by(f64::total_cmp)
}
