//! How media flowed, second by second: what the totals of two reports in a row tell.

use crate::StoredRun;
use farcall_timeline::{Event, MediaKind};
use std::collections::BTreeMap;

/// One direction of one kind of media at one peer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Flow {
    /// The peer that reports.
    pub(crate) peer: String,
    pub(crate) kind: MediaKind,
    pub(crate) direction: Direction,
    pub(crate) points: Vec<FlowPoint>,
}

/// As seen from the peer that reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Direction {
    Sent,
    Received,
}

/// What flowed from the report before to this one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FlowPoint {
    pub(crate) at_ms: f64,
    pub(crate) kbit_per_s: f64,
    /// Of the packets that were expected, how many did not come, in percent; of RTP that was received alone.
    pub(crate) loss_percent: Option<f64>,
    /// In milliseconds (RFC 3550); likewise.
    pub(crate) jitter_ms: Option<f64>,
}

/// Totals at a report.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    at_ms: f64,
    bytes: u64,
    packets: u64,
    lost: i64,
}

/// Every flow that has at least two reports, by peer, kind and direction.
pub(crate) fn flows(run: &StoredRun) -> Vec<Flow> {
    let mut flows: BTreeMap<(&str, MediaKind, Direction), (Totals, Vec<FlowPoint>)> =
        BTreeMap::new();
    for entry in run.timeline.entries() {
        let at_ms = entry.at_ms;
        let totals = |bytes, packets, lost| Totals {
            at_ms,
            bytes,
            packets,
            lost,
        };
        let (kind, sent, received, jitter_ms) = match &entry.event {
            Event::Media { kind, stats } => (
                *kind,
                totals(stats.bytes_sent, stats.packets_sent, 0),
                totals(
                    stats.bytes_received,
                    stats.packets_received,
                    stats.packets_lost,
                ),
                Some(stats.jitter_ms),
            ),
            Event::Data { stats } => (
                MediaKind::Data,
                totals(stats.bytes_sent, 0, 0),
                totals(stats.bytes_received, 0, 0),
                None,
            ),
            _ => continue,
        };
        for (direction, now) in [(Direction::Sent, sent), (Direction::Received, received)] {
            let key = (entry.node.as_str(), kind, direction);
            let jitter_ms = jitter_ms.filter(|_| direction == Direction::Received);
            match flows.get_mut(&key) {
                Some((before, points)) => {
                    points.extend(point(*before, now, jitter_ms));
                    *before = now;
                }
                None => {
                    flows.insert(key, (now, Vec::new()));
                }
            }
        }
    }
    let flows = flows
        .into_iter()
        .filter(|(_, (_, points))| !points.is_empty());
    flows
        .map(|((peer, kind, direction), (_, points))| Flow {
            peer: peer.to_owned(),
            kind,
            direction,
            points,
        })
        .collect()
}

/// `None` where no time has passed. Totals that shrink are those of a new connection, which began at zero.
fn point(before: Totals, now: Totals, jitter_ms: Option<f64>) -> Option<FlowPoint> {
    let ms = now.at_ms - before.at_ms;
    if ms <= 0.0 {
        return None;
    }
    let before = match now.bytes < before.bytes || now.packets < before.packets {
        true => Totals::default(),
        false => before,
    };
    let received = now.packets - before.packets;
    let lost = u64::try_from(now.lost - before.lost).unwrap_or(0);
    let expected = received + lost;
    Some(FlowPoint {
        at_ms: now.at_ms,
        kbit_per_s: number(now.bytes - before.bytes) * 8.0 / ms,
        loss_percent: jitter_ms
            .filter(|_| expected > 0)
            .map(|_| 100.0 * number(lost) / number(expected)),
        jitter_ms,
    })
}

/// Exact below 2^32, which a report's share of bytes does not reach.
fn number(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(at_ms: f64, bytes: u64, packets: u64, lost: i64) -> Totals {
        Totals {
            at_ms,
            bytes,
            packets,
            lost,
        }
    }

    #[test]
    fn a_point_is_what_came_since_the_one_before() {
        let (before, now) = (totals(1_000.0, 1_000, 10, 0), totals(2_000.0, 2_000, 19, 1));
        assert_eq!(
            point(before, now, Some(3.0)),
            Some(FlowPoint {
                at_ms: 2_000.0,
                kbit_per_s: 8.0,
                loss_percent: Some(10.0),
                jitter_ms: Some(3.0),
            })
        );
    }

    #[test]
    fn a_new_connection_counts_from_zero() {
        let (before, now) = (totals(1_000.0, 9_000, 90, 5), totals(2_000.0, 500, 5, 0));
        let found = point(before, now, None);
        assert_eq!(found.map(|point| point.kbit_per_s), Some(4.0));
    }

    #[test]
    fn two_reports_at_the_same_time_tell_nothing() {
        assert_eq!(
            point(totals(1.0, 0, 0, 0), totals(1.0, 9, 9, 0), None),
            None
        );
    }
}
