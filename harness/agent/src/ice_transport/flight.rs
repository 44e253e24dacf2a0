//! The last flight of a peer's DTLS handshake, which is repeated until the other peer shows that it has it.
//!
//! rtc-dtls 0.21.1 stops its retransmission timer at every handshake record that arrives and arms it again only
//! with a next flight (`handshaker.rs`, `wait`). A record that completes no flight - a repetition that crossed on
//! the way, or the first of two datagrams of which the second is lost - ends retransmission for good; once that has
//! befallen both peers, nothing moves any more. It does wherever a round trip takes longer than the timer's second,
//! and now and then where packets are lost. RFC 6347 section 4.2.4 has a peer repeat its flight until the next one
//! arrives, and browsers do.
//!
//! The datagrams go out again as they are. The other peer's replay window discards those that it has already
//! (RFC 6347 section 4.1.2.6), so a repetition that was not needed does no harm and stops no timer.

use super::hold::relayed_payload;
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// The initial value of the retransmission timer in RFC 6347 section 4.2.4.1.
const INTERVAL: Duration = Duration::from_secs(1);

/// What follows within this time is of the same flight: a flight is sent at once, and the next one at the
/// earliest a round trip later. On the shortest of ways the two may be taken for one, which costs some repetitions.
const OF_ONE_FLIGHT: Duration = Duration::from_millis(20);

/// Datagrams of a flight; with certificates of one key, webrtc-rs fits each into one.
const MAX_DATAGRAMS: usize = 8;

/// A handshake that has not ended after so many repetitions of one flight will not.
const MAX_REPETITIONS: u32 = 60;

/// A datagram and where it goes.
pub(super) type Addressed = (SocketAddr, Bytes);

/// The last flight that went out through a socket.
#[derive(Debug, Default)]
pub(super) struct LastFlight {
    state: Mutex<State>,
    sent: Notify,
}

#[derive(Debug, Default)]
struct State {
    datagrams: Vec<Addressed>,
    /// When the last of them went out first.
    last_sent: Option<Instant>,
    due: Option<Instant>,
    repetitions: u32,
    /// The other peer's handshake is complete, so everything has arrived there.
    is_over: bool,
}

/// What a datagram between peers is (RFC 7983 section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// A DTLS handshake or ChangeCipherSpec record.
    Handshake,
    /// What is sent only after the handshake: SRTP, SRTCP, or DTLS application data.
    Protected,
    Other,
}

impl LastFlight {
    /// A datagram went out to a peer, or to a TURN server for it.
    pub fn sent(&self, to: SocketAddr, datagram: &[u8], now: Instant) {
        if self.state().sent(to, datagram, now) {
            self.sent.notify_one();
        }
    }

    /// A datagram arrived from a peer, or from a TURN server.
    pub fn received(&self, datagram: &[u8]) {
        self.state().received(datagram);
    }

    /// Waits until the flight is due again. Ends with nothing once it has arrived.
    pub async fn due(&self) -> Vec<Addressed> {
        loop {
            let due = match &*self.state() {
                state if state.is_over => return Vec::new(),
                state => state.due,
            };
            match due {
                None => self.sent.notified().await,
                Some(due) => tokio::select! {
                    () = self.sent.notified() => {}
                    () = tokio::time::sleep_until(due.into()) => {
                        if let Some(flight) = self.state().repeat(Instant::now()) {
                            return flight;
                        }
                    }
                },
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether the datagram belongs to a flight.
    fn sent(&mut self, to: SocketAddr, datagram: &[u8], now: Instant) -> bool {
        if self.is_over || content(datagram) != Content::Handshake {
            return false;
        }
        let is_next = self
            .last_sent
            .is_none_or(|last| now.saturating_duration_since(last) > OF_ONE_FLIGHT);
        if is_next {
            self.datagrams.clear();
            self.repetitions = 0;
        }
        if self.datagrams.len() < MAX_DATAGRAMS {
            self.datagrams.push((to, Bytes::copy_from_slice(datagram)));
        }
        self.last_sent = Some(now);
        self.due = Some(now + INTERVAL);
        true
    }

    fn received(&mut self, datagram: &[u8]) {
        if !self.is_over && content(datagram) == Content::Protected {
            *self = Self {
                is_over: true,
                ..Self::default()
            };
        }
    }

    fn repeat(&mut self, now: Instant) -> Option<Vec<Addressed>> {
        let due = self.due?;
        if now < due {
            return None;
        }
        self.repetitions += 1;
        self.due = (self.repetitions < MAX_REPETITIONS).then(|| now + INTERVAL);
        Some(self.datagrams.clone())
    }
}

fn content(datagram: &[u8]) -> Content {
    match relayed_payload(datagram) {
        Some(payload) => direct_content(&payload),
        None => direct_content(datagram),
    }
}

fn direct_content(datagram: &[u8]) -> Content {
    match datagram {
        // ChangeCipherSpec and handshake; DTLS versions begin with 0xfe.
        [20 | 22, 0xfe, ..] => Content::Handshake,
        [23, 0xfe, ..] | [128..=191, ..] => Content::Protected,
        _ => Content::Other,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::super::testing::{relayed_in_channel_data, relayed_in_indication};
    use super::*;

    const FIRST: &[u8] = &[22, 0xfe, 0xfd, 0, 0, 1];
    const SECOND: &[u8] = &[20, 0xfe, 0xfd, 0, 0, 2];
    const NEXT: &[u8] = &[22, 0xfe, 0xfd, 0, 0, 3];
    const SRTP: &[u8] = &[0x80, 111, 0, 1];
    const APPLICATION_DATA: &[u8] = &[23, 0xfe, 0xfd, 0, 1];
    const STUN: &[u8] = &[0, 1, 0, 0];

    fn to() -> SocketAddr {
        SocketAddr::from(([203, 0, 113, 7], 4_000))
    }

    fn bytes(flight: &[Addressed]) -> Vec<&[u8]> {
        flight.iter().map(|(_, datagram)| &datagram[..]).collect()
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_flight_is_repeated_each_second_as_it_was() {
        let start = Instant::now();
        let mut state = State::default();
        state.sent(to(), FIRST, start);
        state.sent(to(), SECOND, start + ms(1));
        assert_eq!(state.repeat(start + ms(1_000)), None);
        for second in 1..=3 {
            let flight = state.repeat(start + ms(1_000 * second + second)).unwrap();
            assert_eq!(bytes(&flight), [FIRST, SECOND], "after {second} s");
            assert_eq!(flight[0].0, to());
        }
    }

    #[test]
    fn the_next_flight_takes_the_place_of_the_last() {
        let start = Instant::now();
        let mut state = State::default();
        state.sent(to(), FIRST, start);
        state.sent(to(), NEXT, start + ms(300));
        assert_eq!(state.repeat(start + ms(1_299)), None);
        let flight = state.repeat(start + ms(1_300)).unwrap();
        assert_eq!(bytes(&flight), [NEXT]);
    }

    #[test]
    fn what_only_a_complete_handshake_brings_ends_it() {
        let start = Instant::now();
        for protected in [SRTP, APPLICATION_DATA] {
            let mut state = State::default();
            state.sent(to(), FIRST, start);
            state.received(FIRST);
            state.received(STUN);
            assert!(state.repeat(start + ms(1_000)).is_some());
            state.received(protected);
            assert_eq!(state.repeat(start + ms(9_000)), None);
            assert!(!state.sent(to(), NEXT, start + ms(9_000)));
        }
    }

    #[test]
    fn a_handshake_without_end_is_given_up() {
        let start = Instant::now();
        let mut state = State::default();
        state.sent(to(), FIRST, start);
        let repetitions = (1..=100)
            .filter(|second| state.repeat(start + ms(1_000 * second)).is_some())
            .count();
        assert_eq!(repetitions, 60);
    }

    #[test]
    fn only_handshakes_are_kept() {
        let mut state = State::default();
        for other in [SRTP, APPLICATION_DATA, STUN, &[], &[22], &[21, 0xfe, 0xfd]] {
            assert!(!state.sent(to(), other, Instant::now()), "{other:?}");
        }
    }

    #[test]
    fn relayed_flights_are_known_in_either_wrapping() {
        for wrap in [relayed_in_channel_data, relayed_in_indication] {
            assert_eq!(content(&wrap(FIRST)), Content::Handshake);
            assert_eq!(content(&wrap(SRTP)), Content::Protected);
            assert_eq!(content(&wrap(STUN)), Content::Other);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_gets_the_flight_when_it_is_due() {
        let last = LastFlight::default();
        let sent = async {
            tokio::time::sleep(ms(10)).await;
            last.sent(to(), FIRST, tokio::time::Instant::now().into_std());
        };
        let (flight, ()) = tokio::join!(last.due(), sent);
        assert_eq!(bytes(&flight), [FIRST]);
        last.received(SRTP);
        assert_eq!(last.due().await, Vec::new());
    }
}
