//! Tests of the observer, on a clock of their own.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::attempt::{FarEnd, Phase};
use super::observer::{Observer, SocketId, Use};
use super::outcome::Conclusion;
use super::server::Server;
use super::status::{Observation, ServerStatus};
use super::testing::{
    allocate_request, allocate_success, binding_request, binding_success, challenge, configuration,
    error_response,
};
use farcall_timeline::IceServerOutcome;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// An observer of one or more URLs, and what it has told.
struct Watched {
    observer: Observer,
    told: UnboundedReceiver<Observation>,
    began: Instant,
}

impl Watched {
    fn new(urls: &[&str]) -> Self {
        let servers = Server::with_implied(Server::all(&configuration(urls)).unwrap());
        let (sender, told) = unbounded_channel();
        let observer = Observer::new(&servers, sender, |_| Ok(()));
        let began = Instant::now();
        observer.begin(began);
        Self {
            observer,
            told,
            began,
        }
    }

    fn at(&self, after_ms: u64) -> Instant {
        self.began + Duration::from_millis(after_ms)
    }

    /// The next outcome that was told.
    fn outcome(&mut self) -> Option<ServerStatus> {
        match self.told.try_recv().ok()? {
            Observation::Outcome(status) => Some(status),
            other => panic!("no outcome but {other:?}"),
        }
    }

    /// An Allocate that comes to a success after so many milliseconds.
    fn allocate(&self, of: Use, relay: SocketAddr, after_ms: u64) {
        let first = allocate_request(false);
        self.observer.sent(of, &first);
        let answer = challenge(&first);
        self.observer.received(of, &answer, self.at(after_ms / 2));
        let second = allocate_request(true);
        self.observer.sent(of, &second);
        let answer = allocate_success(&second, relay, relay);
        self.observer.received(of, &answer, self.at(after_ms));
    }
}

fn of(server: usize, socket: SocketId) -> Use {
    Use { server, socket }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn refused() -> Conclusion {
    Conclusion::failure(IceServerOutcome::Refused, "refused")
}

#[test]
fn an_allocation_is_told_once_with_its_time_address_and_traffic() {
    let mut watched = Watched::new(&["turn:a.example:443?transport=tcp"]);
    let socket = watched.observer.socket_opened();
    let relay = address("203.0.113.9:50000");
    watched.allocate(of(0, socket), relay, 30);
    let status = watched.outcome().unwrap();
    assert_eq!(status.report.outcome, IceServerOutcome::Allocated);
    assert!((status.report.after_ms - 30.0).abs() < 0.001);
    assert_eq!(
        status.report.relay_address.as_deref(),
        Some("203.0.113.9:50000")
    );
    assert_eq!(status.report.reason, "");
    assert_eq!((status.packets_sent, status.packets_received), (2, 2));
    assert_eq!(watched.observer.server_of_address(relay), Some(0));

    watched.observer.finish(watched.at(5_000));
    assert_eq!(watched.outcome(), None);
}

#[test]
fn a_stun_server_is_reachable_and_its_mapped_address_leads_back() {
    let mut watched = Watched::new(&["turn:a.example:3478", "stun:a.example:3478"]);
    let socket = watched.observer.socket_opened();
    let request = binding_request();
    watched.observer.sent(of(1, socket), &request);
    let mapped = address("198.51.100.7:4242");
    let answer = binding_success(&request, mapped);
    watched
        .observer
        .received(of(1, socket), &answer, watched.at(12));
    let status = watched.outcome().unwrap();
    assert_eq!(status.report.url, "stun:a.example:3478");
    assert_eq!(status.report.outcome, IceServerOutcome::Reachable);
    assert_eq!(watched.observer.server_of_address(mapped), Some(1));
}

#[test]
fn a_url_fails_when_it_has_failed_from_every_socket() {
    let mut watched = Watched::new(&["turn:a.example:3478"]);
    let first = watched.observer.socket_opened();
    let second = watched.observer.socket_opened();
    watched.observer.attempt_began(of(0, first));
    watched
        .observer
        .ended(of(0, first), refused(), watched.at(1));
    assert_eq!(watched.outcome(), None);

    let request = allocate_request(true);
    watched.observer.sent(of(0, second), &request);
    let answer = error_response(&request, 486);
    watched
        .observer
        .received(of(0, second), &answer, watched.at(7));
    let status = watched.outcome().unwrap();
    assert_eq!(
        status.report.outcome,
        IceServerOutcome::Quota,
        "the server's word counts most"
    );
    assert_eq!(watched.outcome(), None);
}

#[test]
fn one_success_is_enough() {
    let mut watched = Watched::new(&["turn:a.example:3478"]);
    let first = watched.observer.socket_opened();
    let second = watched.observer.socket_opened();
    watched
        .observer
        .ended(of(0, first), refused(), watched.at(1));
    watched.allocate(of(0, second), address("203.0.113.9:50000"), 9);
    assert_eq!(
        watched.outcome().unwrap().report.outcome,
        IceServerOutcome::Allocated
    );
}

#[test]
fn the_deadline_says_how_far_each_url_came() {
    let far = FarEnd::Server(address("203.0.113.5:443"));
    let proxy = FarEnd::Proxy(address("192.168.1.1:3128"));
    let local = address("192.168.1.2:40000");
    let open = |far, is_stream| Phase::Open {
        local,
        far,
        is_stream,
    };
    for (phase, outcome, words) in [
        (Phase::Resolving, IceServerOutcome::DnsFailed, "name server"),
        (
            Phase::Connecting { far },
            IceServerOutcome::NoAnswer,
            "TCP connection to 203.0.113.5:443 timed out",
        ),
        (
            Phase::Connecting { far: proxy },
            IceServerOutcome::NoAnswer,
            "TCP connection to the HTTP proxy 192.168.1.1:3128 timed out",
        ),
        (
            Phase::Tunnelling { local, far: proxy },
            IceServerOutcome::NoAnswer,
            "connected to the HTTP proxy 192.168.1.1:3128, but no answer to CONNECT in 5000 ms",
        ),
        (
            Phase::Handshaking { local, far },
            IceServerOutcome::NoAnswer,
            "no TLS handshake",
        ),
        (
            open(proxy, true),
            IceServerOutcome::NoAnswer,
            "connected through the HTTP proxy 192.168.1.1:3128, but no answer in 5000 ms",
        ),
        (
            open(far, true),
            IceServerOutcome::NoAnswer,
            "connected to 203.0.113.5:443, but no answer in 5000 ms",
        ),
        (
            open(far, false),
            IceServerOutcome::NoAnswer,
            "no answer from 203.0.113.5:443 in 5000 ms",
        ),
    ] {
        let mut watched = Watched::new(&["turn:a.example:443"]);
        let socket = watched.observer.socket_opened();
        let given_up = watched.observer.attempt_began(of(0, socket));
        watched.observer.reached(of(0, socket), phase);
        watched
            .observer
            .sent(of(0, socket), &allocate_request(false));
        watched.observer.finish(watched.at(5_000));
        let report = watched.outcome().unwrap().report;
        assert_eq!(report.outcome, outcome, "{phase:?}");
        assert!(
            report.reason.contains(words),
            "{phase:?}: {}",
            report.reason
        );
        assert!(given_up.is_cancelled());
    }
}

#[test]
fn a_stale_nonce_without_another_try_is_told_at_the_deadline() {
    let mut watched = Watched::new(&["turn:a.example:443"]);
    let socket = watched.observer.socket_opened();
    let request = allocate_request(true);
    watched.observer.sent(of(0, socket), &request);
    let answer = error_response(&request, 438);
    watched
        .observer
        .received(of(0, socket), &answer, watched.at(5));
    assert_eq!(watched.outcome(), None);
    watched.observer.finish(watched.at(5_000));
    let report = watched.outcome().unwrap().report;
    assert_eq!(report.outcome, IceServerOutcome::ServerError);
    assert!(report.reason.contains("438"), "{}", report.reason);
}

#[test]
fn a_server_that_nothing_was_sent_to_is_not_used() {
    let mut watched = Watched::new(&["turn:a.example:443"]);
    watched.observer.finish(watched.at(5_000));
    assert_eq!(
        watched.outcome().unwrap().report.outcome,
        IceServerOutcome::NotUsed
    );
}

#[test]
fn an_answer_after_the_deadline_changes_nothing() {
    let mut watched = Watched::new(&["turn:a.example:443"]);
    let socket = watched.observer.socket_opened();
    let far = FarEnd::Server(address("203.0.113.5:443"));
    let phase = Phase::Connecting { far };
    watched.observer.reached(of(0, socket), phase);
    watched.observer.finish(watched.at(100));
    watched.allocate(of(0, socket), address("203.0.113.9:50000"), 200);
    assert_eq!(
        watched.outcome().unwrap().report.outcome,
        IceServerOutcome::NoAnswer
    );
    assert_eq!(watched.outcome(), None);
}

#[test]
fn the_loss_of_an_allocated_server_is_told_and_that_of_another_is_not() {
    let mut watched = Watched::new(&["turn:a.example:443", "turn:b.example:443"]);
    let socket = watched.observer.socket_opened();
    watched.allocate(of(0, socket), address("203.0.113.9:50000"), 9);
    watched
        .observer
        .ended(of(1, socket), refused(), watched.at(10));
    watched.told.try_recv().unwrap();
    watched.told.try_recv().unwrap();

    let reset = Conclusion::failure(IceServerOutcome::Reset, "the connection was reset");
    watched
        .observer
        .ended(of(0, socket), reset.clone(), watched.at(700));
    watched
        .observer
        .ended(of(1, socket), reset, watched.at(700));
    let lost = watched.told.try_recv().unwrap();
    assert!(
        matches!(&lost, Observation::Lost { url, after_ms, .. }
            if url == "turn:a.example:443" && (after_ms - 700.0).abs() < 0.001),
        "{lost:?}"
    );
    assert!(watched.told.try_recv().is_err());
}

#[test]
fn a_closed_socket_no_longer_counts_but_its_traffic_does() {
    let mut watched = Watched::new(&["turn:a.example:443"]);
    let first = watched.observer.socket_opened();
    watched
        .observer
        .sent(of(0, first), &allocate_request(false));
    watched.observer.socket_closed(first);
    let second = watched.observer.socket_opened();
    watched.observer.attempt_began(of(0, second));
    watched
        .observer
        .ended(of(0, second), refused(), watched.at(50));
    let status = watched.outcome().unwrap();
    assert_eq!(status.report.outcome, IceServerOutcome::Refused);
    assert_eq!(status.packets_sent, 1);
}

#[tokio::test]
async fn all_decided_is_noticed() {
    let watched = Watched::new(&["turn:a.example:443"]);
    let socket = watched.observer.socket_opened();
    let waiting = tokio::time::timeout(Duration::ZERO, watched.observer.decided());
    assert!(waiting.await.is_err());
    watched.allocate(of(0, socket), address("203.0.113.9:50000"), 9);
    let decided = tokio::time::timeout(Duration::from_secs(5), watched.observer.decided());
    assert!(decided.await.is_ok());
}

#[test]
fn an_implied_stun_server_finds_an_address_and_counts_for_nothing_else() {
    let mut watched = Watched::new(&["turn:a.example:3478"]);
    let socket = watched.observer.socket_opened();
    let (turn, implied) = (of(0, socket), of(1, socket));
    let mapped = address("198.51.100.7:40000");
    let request = binding_request();
    watched.observer.sent(implied, &request);
    let answer = binding_success(&request, mapped);
    watched.observer.received(implied, &answer, watched.at(3));
    assert_eq!(watched.observer.server_of_address(mapped), Some(1));
    assert_eq!(watched.outcome(), None);
    assert_eq!(watched.observer.statuses(), []);

    watched.allocate(turn, address("203.0.113.9:50000"), 9);
    let status = watched.outcome().unwrap();
    assert_eq!(status.report.outcome, IceServerOutcome::Allocated);
    assert_eq!((status.packets_sent, status.packets_received), (2, 2));
    let unasked = error_response(&binding_request(), 400);
    watched.observer.received(implied, &unasked, watched.at(20));
    watched.observer.ended(implied, refused(), watched.at(21));
    watched.observer.finish(watched.at(5_000));
    assert_eq!(watched.outcome(), None);
    assert_eq!(watched.observer.statuses().len(), 1);
}

#[test]
fn an_implied_stun_server_is_given_up_only_with_the_url_that_implies_it() {
    for (is_allocated, is_given_up) in [(true, false), (false, true)] {
        let watched = Watched::new(&["turn:a.example:3478"]);
        let socket = watched.observer.socket_opened();
        let given_up = watched.observer.attempt_began(of(1, socket));
        if is_allocated {
            watched.allocate(of(0, socket), address("203.0.113.9:50000"), 9);
        }
        watched.observer.finish(watched.at(5_000));
        assert_eq!(given_up.is_cancelled(), is_given_up);
    }
}

#[tokio::test]
async fn an_implied_stun_server_is_not_waited_for() {
    let watched = Watched::new(&["turn:a.example:3478"]);
    let socket = watched.observer.socket_opened();
    watched.observer.sent(of(1, socket), &binding_request());
    watched.allocate(of(0, socket), address("203.0.113.9:50000"), 9);
    let decided = tokio::time::timeout(Duration::from_secs(5), watched.observer.decided());
    assert!(decided.await.is_ok());
}
