//! The delay there and back.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use farcall_plan::ProbeProtocol;
use futures::future::join_all;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::ask::udp_socket;
use super::outcome::Outcome;
use super::patience::Patience;
use super::turn::Turn;
use super::wire::{Answer, AnswerFrom, Question, padded};

/// How many round trips are measured over UDP.
const PINGS: u32 = 20;

/// How many connections are opened over TCP.
const CONNECTIONS: u32 = 8;

/// The pause between two of them, at least and at most. Longer pauses show more of the jitter: packets that
/// follow each other closely do not overtake, and so share the delay of the slowest.
const SPACING_MS: (f64, f64) = (2.0, 10.0);

/// How much sooner than declared an answer may come, in milliseconds: clocks and timers are that exact.
const SOONER_MS: f64 = 1.0;

/// How much later than declared the fastest answer may come, in milliseconds and as a part of the declared
/// round trip; the larger of the two counts. A machine that is busy delays most answers, but hardly all.
const LATER: (f64, f64) = (5.0, 0.05);

/// The part of the declared jitter by which the fastest answer comes sooner than the declared mean. A machine
/// that is busy makes answers differ too, but none of them sooner.
const SOONER_THAN_MEAN: f64 = 0.1;

/// Jitter smaller than this is not told from the machine's own, in milliseconds.
const LEAST_JITTER_MS: f64 = 8.0;

/// What is declared, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Declared {
    pub(super) rtt_ms: f64,
    pub(super) jitter_ms: f64,
    pub(super) sending_ms: f64,
    pub(super) overtaking: bool,
}

/// Measures round trips to this port.
pub(super) async fn measure(
    declared: Declared,
    protocol: ProbeProtocol,
    to: SocketAddr,
    patience: Patience,
    turn: &Turn,
) -> Outcome {
    let (least, most) = SPACING_MS;
    let spacing_ms = (declared.jitter_ms / 5.0).clamp(least, most);
    let spacing = Duration::from_secs_f64(spacing_ms / 1_000.0);
    let measured = patience.insist(
        |outcome: &Outcome| outcome.holds,
        async || {
            let round_trips = match protocol {
                ProbeProtocol::Udp => over_udp(to, spacing, patience, turn).await,
                ProbeProtocol::Tcp => over_tcp(to, spacing, patience, turn).await,
            };
            match round_trips {
                Ok(round_trips) => judge(declared, round_trips),
                Err(error) => Outcome::impossible(error),
            }
        },
    );
    measured.await
}

fn judge(declared: Declared, mut round_trips_ms: Vec<f64>) -> Outcome {
    round_trips_ms.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (round_trips_ms.first(), round_trips_ms.last()) else {
        return Outcome::new("no answer", false);
    };
    let median = round_trips_ms[round_trips_ms.len() / 2];
    let Declared {
        rtt_ms,
        jitter_ms,
        sending_ms,
        overtaking,
    } = declared;
    // Whatever overtakes others has skipped the delay.
    let soonest = if overtaking { median } else { *least };
    let is_late_enough = soonest >= rtt_ms - jitter_ms - SOONER_MS;
    let is_soon_enough = *least <= rtt_ms + sending_ms + LATER.0.max(rtt_ms * LATER.1);
    let varies =
        jitter_ms < LEAST_JITTER_MS || *least <= rtt_ms + sending_ms - jitter_ms * SOONER_THAN_MEAN;
    let words = format!("{median:.1} ms ({least:.1} to {most:.1} ms)");
    Outcome::new(words, is_late_enough && is_soon_enough && varies)
}

/// The round trips of pings that were answered, in milliseconds.
async fn over_udp(
    to: SocketAddr,
    spacing: Duration,
    patience: Patience,
    turn: &Turn,
) -> io::Result<Vec<f64>> {
    let socket = udp_socket(to).await?;
    let mut sent = Vec::new();
    let mut answered = vec![None; PINGS as usize];
    let sending = turn.take().await;
    let start = Instant::now();
    for index in 0..PINGS {
        let question = Question::new(AnswerFrom::Same);
        let bytes = padded(&question, 0)?;
        sent.push((question.token, Instant::now()));
        socket.send_to(&bytes, to).await?;
        let next = start + spacing * (index + 1);
        listen(&socket, &sent, &mut answered, next).await?;
    }
    drop(sending);
    let deadline = Instant::now() + patience.attempt(1);
    listen(&socket, &sent, &mut answered, deadline).await?;
    Ok(answered.into_iter().flatten().map(in_ms).collect())
}

/// Takes answers until all have come or the deadline is there.
async fn listen(
    socket: &UdpSocket,
    sent: &[(u64, Instant)],
    answered: &mut [Option<Duration>],
    deadline: Instant,
) -> io::Result<()> {
    let mut buffer = [0; 1500];
    let is_last = sent.len() == answered.len();
    while !(is_last && answered.iter().all(Option::is_some)) {
        let Ok(received) = timeout_at(deadline, socket.recv(&mut buffer)).await else {
            return Ok(());
        };
        let now = Instant::now();
        let Ok(answer) = serde_json::from_slice::<Answer>(&buffer[..received?]) else {
            continue;
        };
        let mut tokens = sent.iter();
        if let Some(index) = tokens.position(|(token, _)| *token == answer.token) {
            // A copy of an answer is not the answer.
            answered[index].get_or_insert(now - sent[index].1);
        }
    }
    Ok(())
}

/// The times in which connections opened, in milliseconds: a SYN and its answer are a round trip.
async fn over_tcp(
    to: SocketAddr,
    spacing: Duration,
    patience: Patience,
    turn: &Turn,
) -> io::Result<Vec<f64>> {
    let _sending = turn.take().await;
    let start = Instant::now();
    let connecting = (0..CONNECTIONS).map(|index| async move {
        sleep_until(start + spacing * index).await;
        let begun = Instant::now();
        let connected = timeout(patience.attempt(1), TcpStream::connect(to)).await;
        connected.ok().map(|stream| stream.map(|_| begun.elapsed()))
    });
    let connected = join_all(connecting).await.into_iter().flatten();
    let round_trips: io::Result<Vec<Duration>> = connected.collect();
    Ok(round_trips?.into_iter().map(in_ms).collect())
}

fn in_ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use std::net::Ipv4Addr;

    use super::super::responder::Responder;
    use super::*;

    fn link(rtt_ms: f64, jitter_ms: f64) -> Declared {
        Declared {
            rtt_ms,
            jitter_ms,
            sending_ms: 0.0,
            overtaking: false,
        }
    }

    #[test]
    fn a_delay_that_is_missing_doubled_or_too_much_does_not_hold() {
        let holds = |rtt_ms: f64, measured: f64| judge(link(rtt_ms, 0.0), vec![measured]).holds;
        assert!(holds(40.0, 40.3));
        assert!(!holds(40.0, 0.3));
        assert!(!holds(40.0, 80.3));
        assert!(!holds(20.0, 40.3));
        assert!(!holds(0.0, 10.0));
        assert!(holds(0.0, 0.2));
        assert!(holds(600.0, 612.0));
    }

    #[test]
    fn a_busy_machine_delays_most_but_not_all() {
        let outcome = judge(link(40.0, 0.0), vec![90.0, 41.0, 95.0, 120.0, 130.0]);
        assert!(outcome.holds);
        assert_eq!(outcome.words, "95.0 ms (41.0 to 130.0 ms)");
    }

    #[test]
    fn jitter_that_is_declared_shows() {
        let holds = |round_trips: [f64; 5]| judge(link(90.0, 20.0), round_trips.into()).holds;
        assert!(holds([80.0, 84.0, 91.0, 95.0, 101.0]));
        assert!(!holds([90.1, 90.2, 90.3, 90.4, 115.0]));
        assert!(!holds([60.0, 84.0, 91.0, 95.0, 101.0]));
    }

    #[test]
    fn a_packet_that_overtakes_says_nothing_of_the_delay() {
        let overtaking = Declared {
            overtaking: true,
            ..link(40.0, 0.0)
        };
        assert!(judge(overtaking, vec![0.3, 40.2, 40.3]).holds);
        assert!(!judge(overtaking, vec![0.3, 0.3, 40.3]).holds);
        assert!(!judge(link(40.0, 0.0), vec![0.3, 40.2, 40.3]).holds);
    }

    #[test]
    fn nothing_is_no_round_trip() {
        assert_eq!(judge(link(0.0, 0.0), Vec::new()).words, "no answer");
    }

    #[tokio::test]
    async fn every_ping_and_every_connection_is_timed() {
        let addresses = [Ipv4Addr::new(127, 0, 5, 1), Ipv4Addr::new(127, 0, 5, 2)];
        let _responder = Responder::start_at(addresses, [20_027, 20_028])
            .await
            .unwrap();
        let to = SocketAddr::from((addresses[0], 20_027));
        let turn = Turn::default();
        let (spacing, patience) = (Duration::from_millis(1), Patience::new(Duration::ZERO));
        let udp = over_udp(to, spacing, patience, &turn).await.unwrap();
        assert_eq!(udp.len(), PINGS as usize);
        let tcp = over_tcp(to, spacing, patience, &turn).await.unwrap();
        assert_eq!(tcp.len(), CONNECTIONS as usize);
    }
}
