//! What the peers claim agrees with the TURN servers' own logs.

use super::claims::{Bytes, least_of, over_last_pair};
use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_timeline::{CandidateType, IceServerOutcome, TurnSession};

/// One check for each TURN server.
///
/// Each URL that a peer calls `allocated` needs an allocation in the server's log. Each peer whose
/// selected pair is relayed needs an allocation of its own through which at least that much went: from
/// the client, what arrived at the other peer (what was lost before the server is no contradiction);
/// to the client, what the peer received.
pub(crate) fn servers_agree(case: &Case<'_>) -> Vec<Check> {
    let nodes = &case.declared.expect.turn_nodes;
    let mut distinct: Vec<&str> = nodes.values().map(String::as_str).collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct.into_iter().map(|node| check(case, node)).collect()
}

fn check(case: &Case<'_>, node: &str) -> Check {
    let name = format!("claims/turn/{node}");
    let allocated = allocated_urls(case, node);
    let relayed: Vec<(&str, Bytes)> = case
        .peers
        .iter()
        .filter(|peer| relays_through(case, peer, node))
        .map(|peer| (*peer, relayed_bytes(case, peer)))
        .collect();
    let expected = expectation(allocated.len(), &relayed);
    if allocated.is_empty() && relayed.is_empty() {
        return Check::new(name, CheckVerdict::Skipped, expected, "nothing claimed");
    }

    let sessions: Vec<&TurnSession> = case.sessions(node).into_values().collect();
    let carried = |needed: Vec<u64>, seen: fn(&TurnSession) -> u64| {
        covers(
            needed,
            sessions.iter().map(|session| seen(session)).collect(),
        )
    };
    let needs = |pick: fn(&Bytes) -> u64| {
        relayed
            .iter()
            .map(|(_, bytes)| least_of(pick(bytes)))
            .collect::<Vec<u64>>()
    };
    let agrees = sessions.len() >= allocated.len()
        && carried(needs(|bytes| bytes.sent), |session| session.bytes_received)
        && carried(needs(|bytes| bytes.received), |session| session.bytes_sent);
    let verdict = if agrees {
        CheckVerdict::Pass
    } else {
        CheckVerdict::Invalid
    };
    let observed = format!("{} allocations in the server's log", sessions.len());
    Check::new(name, verdict, expected, observed)
        .with_evidence(sessions.into_iter().map(describe))
        .with_evidence(allocated)
}

fn expectation(allocated: usize, relayed: &[(&str, Bytes)]) -> String {
    let mut text = format!("at least {allocated} allocations");
    for (peer, bytes) in relayed {
        text.push_str(&format!(
            ", one of {peer} with {} bytes received and {} bytes sent",
            least_of(bytes.sent),
            least_of(bytes.received)
        ));
    }
    text
}

/// Whether each need can be met by a session of its own: the greatest by the greatest, and so on.
fn covers(mut needed: Vec<u64>, mut seen: Vec<u64>) -> bool {
    needed.sort_unstable_by(|left, right| right.cmp(left));
    seen.sort_unstable_by(|left, right| right.cmp(left));
    needed.len() <= seen.len() && needed.iter().zip(&seen).all(|(need, have)| have >= need)
}

/// The URLs of this server that peers call allocated, in words.
fn allocated_urls(case: &Case<'_>, node: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for peer in &case.peers {
        for report in case.servers(peer).values() {
            if report.outcome == IceServerOutcome::Allocated
                && node_of(case, &report.url) == Some(node)
            {
                let address = report
                    .relay_address
                    .as_deref()
                    .unwrap_or("an unknown address");
                lines.push(format!("{peer}: {} allocated {address}", report.url));
            }
        }
    }
    lines
}

fn relays_through(case: &Case<'_>, peer: &str, node: &str) -> bool {
    case.pair(peer).is_some_and(|pair| {
        let url = pair.local.url.as_deref();
        pair.local.candidate_type == CandidateType::Relay
            && url.and_then(|url| node_of(case, url)) == Some(node)
    })
}

fn relayed_bytes(case: &Case<'_>, peer: &str) -> Bytes {
    Bytes {
        sent: case
            .other(peer)
            .map_or(0, |other| over_last_pair(case, other).received),
        received: over_last_pair(case, peer).received,
    }
}

/// The server of a URL: the one whose host name stands between the scheme and the port or query.
fn node_of<'a>(case: &Case<'a>, url: &str) -> Option<&'a str> {
    let (_, rest) = url.split_once(':')?;
    let nodes = &case.declared.expect.turn_nodes;
    nodes.iter().find_map(|(host, node)| {
        let after = rest.strip_prefix(host.as_str())?;
        let ends = after.is_empty() || after.starts_with([':', '?']);
        ends.then_some(node.as_str())
    })
}

fn describe(session: &TurnSession) -> String {
    format!(
        "session {} of {}: {} bytes received, {} bytes sent",
        session.session,
        session.client.as_deref().unwrap_or("an unknown client"),
        session.bytes_received,
        session.bytes_sent
    )
}

#[cfg(test)]
mod tests {
    use super::covers;
    use crate::CheckVerdict::{Invalid, Pass, Skipped};
    use crate::sample::{Sample, TCP_URL};
    use farcall_timeline::{Event, IceServerOutcome};

    const CHECK: &str = "claims/turn/turn";

    #[test]
    fn a_relayed_call_that_the_server_logged_passes() {
        let check = Sample::good().check(CHECK);
        assert_eq!(check.verdict, Pass, "{check:?}");
        assert_eq!(check.observed, "3 allocations in the server's log");
    }

    #[test]
    fn an_allocation_that_the_server_does_not_know_is_invalid() {
        let mut sample = Sample::good();
        sample.remove(
            |entry| matches!(&entry.event, Event::TurnSession(one) if one.session == "003"),
        );
        assert_eq!(sample.check(CHECK).verdict, Invalid);
    }

    #[test]
    fn media_that_the_server_never_carried_is_invalid() {
        for direction in ["received", "sent"] {
            let mut sample = Sample::good();
            sample.change(|event| {
                if let Event::TurnSession(session) = event {
                    match direction {
                        "received" => session.bytes_received = 900,
                        _ => session.bytes_sent = 900,
                    }
                }
            });
            assert_eq!(sample.check(CHECK).verdict, Invalid, "{direction}");
        }
    }

    #[test]
    fn media_before_a_change_of_pairs_need_not_be_in_the_log() {
        let mut sample = Sample::good();
        sample.change_relayed_late("alice");
        sample.change(|event| {
            if let Event::TurnSession(session) = event {
                session.bytes_received = session.bytes_received * 3 / 4;
                session.bytes_sent = session.bytes_sent * 3 / 4;
            }
        });
        assert_eq!(sample.check(CHECK).verdict, Pass);
    }

    #[test]
    fn without_allocations_nothing_is_claimed() {
        let mut sample = Sample::not_connected();
        sample.change(|event| {
            if let Event::IceServer(report) = event
                && report.outcome == IceServerOutcome::Allocated
            {
                report.outcome = IceServerOutcome::Unauthorized;
            }
        });
        assert_eq!(sample.check(CHECK).verdict, Skipped);
    }

    #[test]
    fn a_host_name_that_only_begins_alike_is_another_server() {
        let mut sample = Sample::good();
        let nodes = &mut sample.declared.expect.turn_nodes;
        nodes.insert("turn.example".into(), "other".into());
        assert_eq!(sample.check("claims/turn/other").verdict, Skipped);
        assert!(
            sample
                .check(CHECK)
                .evidence
                .iter()
                .any(|line| line.contains(TCP_URL))
        );
    }

    #[test]
    fn each_need_takes_a_session_of_its_own() {
        assert!(covers(vec![5, 9], vec![9, 6, 1]));
        assert!(!covers(vec![5, 9], vec![9, 4]));
        assert!(!covers(vec![0, 0], vec![7]));
    }
}
