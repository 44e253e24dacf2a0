//! What the peers claim agrees with the TURN servers' own logs.

use super::claims::{Bytes, least_of, over_last_pair};
use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_timeline::{CandidateType, IceServerOutcome, TurnSession};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

/// One check for each TURN server.
///
/// Each URL that a peer calls `allocated` needs an allocation in the server's log, of a client at that
/// peer's public address. Each peer whose selected pair is relayed needs an allocation of its own
/// through which at least that much went: from the client, what arrived at the other peer (what was
/// lost before the server is no contradiction); to the client, what the peer received.
///
/// Peers behind one NAT share its address, so among them an allocation is told by its size alone. One
/// that the server had not closed in time could be anybody's, and its bytes say nothing.
pub(crate) fn servers_agree(case: &Case<'_>) -> Vec<Check> {
    let nodes = &case.declared.expect.turn_nodes;
    let mut distinct: Vec<&str> = nodes.values().map(String::as_str).collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct.into_iter().map(|node| check(case, node)).collect()
}

/// What the server's log must have of a peer whose selected pair is relayed.
struct Need<'a> {
    peer: &'a str,
    addresses: &'a [IpAddr],
    bytes: Bytes,
}

fn check(case: &Case<'_>, node: &str) -> Check {
    let name = format!("claims/turn/{node}");
    let allocated = allocated_urls(case, node);
    let needs = needs(case, node);
    let expected = expectation(case, &allocated, &needs);
    if allocated.is_empty() && needs.is_empty() {
        return Check::new(name, CheckVerdict::Skipped, expected, "nothing claimed");
    }

    let sessions: Vec<&TurnSession> = case.sessions(node).into_values().collect();
    let owners = allocated
        .iter()
        .map(|(peer, _)| case.public_addresses(peer))
        .collect::<Vec<_>>();
    let agrees = every_claim_is_logged(&owners, &sessions)
        && carries(&needs, &sessions, |session, bytes| {
            session.bytes_received >= bytes.sent
        })
        && carries(&needs, &sessions, |session, bytes| {
            session.bytes_sent >= bytes.received
        });
    let verdict = if agrees {
        CheckVerdict::Pass
    } else {
        CheckVerdict::Invalid
    };
    let observed = format!("{} allocations in the server's log", sessions.len());
    Check::new(name, verdict, expected, observed)
        .with_evidence(sessions.into_iter().map(describe))
        .with_evidence(allocated.into_iter().map(|(_, line)| line))
}

fn needs<'a>(case: &Case<'a>, node: &str) -> Vec<Need<'a>> {
    let peers = case.peers.iter().copied();
    peers
        .filter(|peer| relays_through(case, peer, node))
        .map(|peer| {
            let claimed = relayed_bytes(case, peer);
            Need {
                peer,
                addresses: case.public_addresses(peer),
                bytes: Bytes {
                    sent: least_of(claimed.sent),
                    received: least_of(claimed.received),
                },
            }
        })
        .collect()
}

fn expectation(case: &Case<'_>, allocated: &[(&str, String)], needs: &[Need<'_>]) -> String {
    let mut text = format!("at least {} allocations", allocated.len());
    for peer in &case.peers {
        let count = allocated.iter().filter(|(of, _)| of == peer).count();
        let addresses = case.public_addresses(peer).iter();
        let addresses: Vec<String> = addresses.map(ToString::to_string).collect();
        if count > 0 && !addresses.is_empty() {
            let addresses = addresses.join(" or ");
            text.push_str(&format!(", {count} of {peer} from {addresses}"));
        }
    }
    for Need { peer, bytes, .. } in needs {
        text.push_str(&format!(
            ", one of {peer} with {} bytes received and {} bytes sent",
            bytes.sent, bytes.received
        ));
    }
    text
}

/// The address of a session's client, if the log has told it.
fn client(session: &TurnSession) -> Option<IpAddr> {
    let client = session.client.as_deref()?;
    client.parse().ok().map(|client: SocketAddr| client.ip())
}

/// Whether there is a session for each claim, given by its owner's addresses. A session whose client is
/// not known can be anybody's.
fn every_claim_is_logged(owners: &[&[IpAddr]], sessions: &[&TurnSession]) -> bool {
    let anybodys = sessions
        .iter()
        .filter(|session| client(session).is_none())
        .count();
    let distinct: BTreeSet<_> = owners.iter().collect();
    let without: usize = distinct
        .into_iter()
        .map(|owner| {
            let claimed = owners.iter().filter(|other| *other == owner).count();
            let logged = sessions
                .iter()
                .filter(|session| client(session).is_some_and(|client| owner.contains(&client)))
                .count();
            claimed.saturating_sub(logged)
        })
        .sum();
    without <= anybodys
}

/// Whether each need can be met by a session of its own.
fn carries(
    needs: &[Need<'_>],
    sessions: &[&TurnSession],
    is_enough: fn(&TurnSession, &Bytes) -> bool,
) -> bool {
    let Some((need, others)) = needs.split_first() else {
        return true;
    };
    sessions.iter().enumerate().any(|(index, session)| {
        let is_own = client(session).is_none_or(|client| need.addresses.contains(&client));
        let mut left = sessions.to_vec();
        left.remove(index);
        is_own
            && (!session.complete || is_enough(session, &need.bytes))
            && carries(others, &left, is_enough)
    })
}

/// The URLs of this server that peers call allocated: the peer, and it all in words.
fn allocated_urls<'a>(case: &Case<'a>, node: &str) -> Vec<(&'a str, String)> {
    let mut lines = Vec::new();
    for peer in case.peers.iter().copied() {
        for report in case.servers(peer).values() {
            if report.outcome == IceServerOutcome::Allocated
                && node_of(case, &report.url) == Some(node)
            {
                let address = report
                    .relay_address
                    .as_deref()
                    .unwrap_or("an unknown address");
                let line = format!("{peer}: {} allocated {address}", report.url);
                lines.push((peer, line));
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
        "session {} of {}: {}{} bytes received, {} bytes sent",
        session.session,
        session.client.as_deref().unwrap_or("an unknown client"),
        if session.complete {
            ""
        } else {
            "not closed in time, at least "
        },
        session.bytes_received,
        session.bytes_sent
    )
}

#[cfg(test)]
mod tests {
    use super::{Need, carries, every_claim_is_logged};
    use crate::CheckVerdict::{Invalid, Pass, Skipped};
    use crate::checks::claims::Bytes;
    use crate::sample::{Sample, TCP_URL};
    use farcall_timeline::{Event, IceServerOutcome, TurnSession};
    use std::net::{IpAddr, Ipv4Addr};

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

    /// Changes one session of the sample.
    fn change_session(sample: &mut Sample, id: &str, change: impl Fn(&mut TurnSession)) {
        sample.change(|event| match event {
            Event::TurnSession(session) if session.session == id => change(session),
            _ => {}
        });
    }

    #[test]
    fn anothers_allocation_neither_counts_as_a_peers_own_nor_carries_its_media() {
        let mut sample = Sample::good();
        change_session(&mut sample, "001", |session| {
            session.client = Some("198.51.100.9:50001".into());
        });
        assert_eq!(sample.check(CHECK).verdict, Invalid);

        let mut sample = Sample::good();
        change_session(&mut sample, "001", |session| session.bytes_sent = 400);
        change_session(&mut sample, "002", |session| session.bytes_sent = 115_000);
        assert_eq!(sample.check(CHECK).verdict, Invalid);
    }

    #[test]
    fn peers_behind_one_gateway_share_their_allocations() {
        let mut sample = Sample::good();
        let addresses = &mut sample.declared.expect.public_addresses;
        addresses.insert("bob".into(), vec![Ipv4Addr::new(198, 51, 100, 2).into()]);
        for id in ["002", "003"] {
            change_session(&mut sample, id, |session| {
                session.client = Some("198.51.100.2:50009".into());
            });
        }
        change_session(&mut sample, "001", |session| session.bytes_sent = 400);
        assert_eq!(sample.check(CHECK).verdict, Invalid);
        change_session(&mut sample, "002", |session| session.bytes_sent = 115_000);
        assert_eq!(sample.check(CHECK).verdict, Pass);
    }

    #[test]
    fn an_allocation_that_was_not_closed_exists_but_its_bytes_are_not_compared() {
        let mut sample = Sample::good();
        change_session(&mut sample, "001", |session| {
            session.complete = false;
            session.client = None;
            session.bytes_received = 0;
            session.bytes_sent = 0;
        });
        let check = sample.check(CHECK);
        assert_eq!(check.verdict, Pass, "{check:?}");
        let line = "session 001 of an unknown client: not closed in time, \
                    at least 0 bytes received, 0 bytes sent";
        assert!(check.evidence.iter().any(|at| at == line), "{check:?}");
        sample.remove(
            |entry| matches!(&entry.event, Event::TurnSession(one) if one.session == "001"),
        );
        assert_eq!(sample.check(CHECK).verdict, Invalid);
    }

    fn session(client: Option<&str>, bytes_sent: u64) -> TurnSession {
        TurnSession {
            session: String::new(),
            client: client.map(Into::into),
            username: None,
            bytes_received: 0,
            bytes_sent,
            packets_received: 0,
            packets_sent: 0,
            complete: true,
        }
    }

    #[test]
    fn each_need_takes_a_session_of_its_own() {
        let addresses = [IpAddr::from([198, 51, 100, 2])];
        let met = |needs: &[u64], seen: &[u64]| {
            let need = |received: &u64| Need {
                peer: "alice",
                addresses: &addresses,
                bytes: Bytes {
                    sent: 0,
                    received: *received,
                },
            };
            let needs: Vec<Need<'_>> = needs.iter().map(need).collect();
            let seen = seen
                .iter()
                .map(|sent| session(Some("198.51.100.2:9"), *sent));
            let seen: Vec<TurnSession> = seen.collect();
            carries(
                &needs,
                &seen.iter().collect::<Vec<_>>(),
                |session, bytes| session.bytes_sent >= bytes.received,
            )
        };
        assert!(met(&[5, 9], &[9, 6, 1]));
        assert!(!met(&[5, 9], &[9, 4]));
        assert!(!met(&[0, 0], &[7]));
    }

    #[test]
    fn a_session_of_an_unknown_client_counts_for_one_claim_alone() {
        let addresses = [2, 9].map(|host| [IpAddr::from([198, 51, 100, host])]);
        let [alice, bob] = addresses.each_ref().map(|one| &one[..]);
        let (known, unknown) = (session(Some("198.51.100.2:9"), 0), session(None, 0));
        let sessions = [&known, &unknown];
        assert!(every_claim_is_logged(&[alice, bob], &sessions));
        assert!(every_claim_is_logged(&[alice, alice], &sessions));
        assert!(!every_claim_is_logged(&[bob, bob], &sessions));
        assert!(!every_claim_is_logged(&[alice, alice, bob], &sessions));
    }

    #[test]
    fn a_peer_is_known_by_its_address_of_either_family() {
        let both = [
            [198, 51, 100, 2].into(),
            IpAddr::from([0x2001, 0xdb8, 1, 1, 0, 0, 0, 0x10]),
        ];
        let (ipv4, ipv6) = (
            session(Some("198.51.100.2:9"), 0),
            session(Some("[2001:db8:1:1::10]:9"), 0),
        );
        assert!(every_claim_is_logged(&[&both, &both], &[&ipv4, &ipv6]));
        assert!(!every_claim_is_logged(
            &[&both[..1], &both[..1]],
            &[&ipv4, &ipv6]
        ));
    }
}
