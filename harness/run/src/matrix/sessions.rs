//! The allocations that a call of many leaves on the TURN servers, which have those of others at the same time.

use crate::collect::Moment;
use crate::recorder::{Position, Recorder};
use farcall_plan::Expectations;
use farcall_timeline::{Entry, Event, IceServerOutcome};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How long a TURN server may take to close the allocations that a call has released; coturn looks once a
/// second.
const CLOSE_DEADLINE: Duration = Duration::from_secs(4);

/// Waits until the servers have closed what the peers had allocated since `begin`, so that each session is of the
/// call after which it was closed. `is_gateway` tells whose counters, read after the call, are of this call. A
/// session that is not closed in time is for the verdict to miss.
pub(crate) async fn closed(
    recorder: &Recorder,
    begin: Position,
    expect: &Expectations,
    is_gateway: impl Fn(&str) -> bool,
) {
    let mut tally = Tally::new(expect);
    let mut counters_read = false;
    let search = |entry: &Entry| {
        counters_read |= is_after_call(&entry.event) && is_gateway(&entry.node);
        tally.take(entry);
        (counters_read && tally.is_even()).then_some(())
    };
    let _ = recorder.find(begin, CLOSE_DEADLINE, search).await;
}

/// Whether a transport address is one at which servers see a peer.
pub(crate) fn is_of_a_peer(expect: &Expectations, client: &str) -> bool {
    address_of(client).is_some_and(|address| {
        let mut known = expect.public_addresses.values().flatten();
        known.any(|public| address == *public)
    })
}

fn address_of(client: &str) -> Option<IpAddr> {
    client.parse::<SocketAddr>().ok().map(|client| client.ip())
}

fn is_after_call(event: &Event) -> bool {
    matches!(event, Event::Counters { moment, .. } if moment == Moment::AfterCall.name())
}

/// What was allocated and what was closed. Peers that servers see at the same addresses, behind one NAT, are counted
/// together; a peer may allocate over IPv4 and IPv6.
struct Tally<'a> {
    expect: &'a Expectations,
    outcomes: BTreeMap<(String, String), IceServerOutcome>,
    closed: BTreeMap<IpAddr, BTreeSet<(String, String)>>,
}

impl<'a> Tally<'a> {
    fn new(expect: &'a Expectations) -> Self {
        Self {
            expect,
            outcomes: BTreeMap::new(),
            closed: BTreeMap::new(),
        }
    }

    fn take(&mut self, entry: &Entry) {
        match &entry.event {
            Event::IceServer(report) if self.expect.public_addresses.contains_key(&entry.node) => {
                let of = (entry.node.clone(), report.url.clone());
                self.outcomes.insert(of, report.outcome);
            }
            Event::TurnSession(session) if session.complete => {
                if let Some(address) = session.client.as_deref().and_then(address_of) {
                    let session = (entry.node.clone(), session.session.clone());
                    self.closed.entry(address).or_default().insert(session);
                }
            }
            _ => {}
        }
    }

    /// Whether as many sessions are closed as were allocated, of which each URL has one for each of a peer's addresses.
    fn is_even(&self) -> bool {
        let mut allocated: BTreeMap<&[IpAddr], usize> = BTreeMap::new();
        for ((peer, _), outcome) in &self.outcomes {
            if *outcome == IceServerOutcome::Allocated
                && let Some(addresses) = self.expect.public_addresses.get(peer)
            {
                *allocated.entry(addresses).or_default() += 1;
            }
        }
        allocated.iter().all(|(addresses, allocated)| {
            let closed = addresses
                .iter()
                .filter_map(|address| self.closed.get(address));
            closed.map(BTreeSet::len).sum::<usize>() >= *allocated * addresses.len()
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use farcall_scenario::{IceConfiguration, Scenario};
    use farcall_timeline::{IceServerReport, IceTransport, TurnSession};

    const URLS: [&str; 2] = ["turn:a:443", "turn:b:443"];

    fn entry(node: &str, event: Event) -> Entry {
        Entry {
            at_ms: 0.0,
            node: node.to_owned(),
            event,
        }
    }

    fn allocated(peer: &str, url: &str) -> Entry {
        let report = IceServerReport {
            url: url.to_owned(),
            transport: IceTransport::Udp,
            outcome: IceServerOutcome::Allocated,
            after_ms: 1.0,
            relay_address: None,
            reason: String::new(),
            bytes_sent: 0,
            bytes_received: 0,
        };
        entry(peer, Event::IceServer(report))
    }

    fn closed(session: &str, client: IpAddr, complete: bool) -> Entry {
        let session = TurnSession {
            session: session.to_owned(),
            client: Some(SocketAddr::from((client, 4_000)).to_string()),
            username: None,
            bytes_received: 0,
            bytes_sent: 0,
            packets_received: 0,
            packets_sent: 0,
            complete,
        };
        entry("turn", Event::TurnSession(session))
    }

    fn expect(scenario: &str) -> Expectations {
        let scenario = Scenario::builtin(scenario).unwrap();
        farcall_plan::plan(&scenario, &IceConfiguration::production(), 1)
            .unwrap()
            .expect
    }

    #[test]
    fn every_allocation_of_both_peers_must_be_closed() {
        let expect = expect("home-to-home");
        let mut tally = Tally::new(&expect);
        assert!(tally.is_even());
        for url in URLS {
            tally.take(&allocated("alice", url));
        }
        let alice = expect.public_addresses["alice"][0];
        tally.take(&closed("1", alice, true));
        tally.take(&closed("1", alice, true));
        tally.take(&closed("2", alice, false));
        let bob = expect.public_addresses["bob"][0];
        tally.take(&closed("3", bob, true));
        assert!(!tally.is_even());
        tally.take(&closed("2", alice, true));
        assert!(tally.is_even());
    }

    #[test]
    fn peers_behind_one_nat_are_counted_together() {
        let expect = expect("same-network");
        let address = expect.public_addresses["alice"][0];
        assert_eq!(expect.public_addresses["bob"], [address]);
        let mut tally = Tally::new(&expect);
        tally.take(&allocated("alice", URLS[0]));
        tally.take(&allocated("bob", URLS[0]));
        tally.take(&closed("1", address, true));
        assert!(!tally.is_even());
        tally.take(&closed("2", address, true));
        assert!(tally.is_even());
    }
}
