//! Sends trains over the link, either way, and learns what arrived.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use farcall_scenario::Direction;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::arrivals::{Arrivals, Summary, Window};
use super::ask::{inquire, udp_socket};
use super::patience::Patience;
use super::stamped::{note_arrivals, receive};
use super::train::{self, Train};
use super::turn::Turn;
use super::wire::{Answer, Ask, Question, Told, padded};

/// A train that lasts longer has its direction to itself: others that are as long would take their share of the link.
const LONG: Duration = Duration::from_secs(10);

/// How often what is lost on a bad link is asked again.
const ATTEMPTS: u32 = 10;

/// Sends a train in this direction, or has it sent, when it is its turn, and gives what arrived of it.
///
/// # Errors
/// When the kernel refuses, or the responder does not answer.
pub(super) async fn send(
    direction: Direction,
    to: SocketAddr,
    train: Train,
    window: Window,
    patience: Patience,
    turn: &Turn,
) -> io::Result<Summary> {
    let socket = udp_socket(to).await?;
    note_arrivals(&socket)?;
    match direction {
        Direction::Out => up(&socket, to, train, window, patience, turn).await,
        Direction::In => down(&socket, to, train, window, patience, turn).await,
    }
}

async fn up(
    socket: &UdpSocket,
    to: SocketAddr,
    train: Train,
    window: Window,
    patience: Patience,
    turn: &Turn,
) -> io::Result<Summary> {
    let token = rand::random();
    let sending = turn.take().await;
    train.send(socket, to, token).await;
    drop(sending);
    let mut first = None;
    for _ in 0..ATTEMPTS {
        let question = Question::to(Ask::Arrivals {
            train: token,
            window,
        });
        let answer = inquire(socket, to, &question, 0, patience).await?;
        if let Some(Answer {
            told: Some(Told::Arrivals(summary)),
            ..
        }) = answer
        {
            // On a link that keeps packets in order the question arrives after them. Elsewhere it may have overtaken
            // some, which are asked for again when they have had the time to arrive.
            if summary.arrived >= train.packets || first.is_some() {
                return Ok(summary);
            }
            first = Some(summary);
            tokio::time::sleep(patience.round_trip()).await;
        }
    }
    first.ok_or_else(unanswered)
}

async fn down(
    socket: &UdpSocket,
    to: SocketAddr,
    train: Train,
    window: Window,
    patience: Patience,
    turn: &Turn,
) -> io::Result<Summary> {
    let mut sending = Some(turn.take().await);
    let mut question = Question::to(Ask::Train(train));
    let mut arrivals = Arrivals::default();
    let mut buffer = [0; 1500];
    let mut asked = 0;
    let mut begun = false;
    let mut is_last_there = false;
    let mut deadline = Instant::now();
    // Beside what the train takes itself, each packet may wait as long as a round trip.
    let longest = train.duration() + patience.attempt(1);
    while !arrivals.has_all(train.packets) {
        let Ok(received) = timeout_at(deadline, receive(socket, &mut buffer)).await else {
            if begun {
                break;
            }
            if asked == ATTEMPTS {
                return Err(unanswered());
            }
            // Of a train that comes after all, when another one was asked for, nothing counts.
            asked += 1;
            question = Question::to(Ask::Train(train));
            socket.send_to(&padded(&question, 0)?, to).await?;
            if train.duration() < LONG {
                sending.take();
            }
            deadline = Instant::now() + patience.attempt(1);
            continue;
        };
        let received = received?;
        let Some(packet) = train::read(&buffer[..received.length]) else {
            continue;
        };
        if packet.token == question.token {
            if !begun {
                begun = true;
                deadline = Instant::now() + longest;
            }
            arrivals.push(packet.index, packet.sent, received.at);
            if train.packets.checked_sub(1) == Some(packet.index) && !is_last_there {
                is_last_there = true;
                // What it may have overtaken is under way.
                deadline = deadline.min(Instant::now() + patience.round_trip());
            }
        }
    }
    Ok(arrivals.summary(window))
}

fn unanswered() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no answer")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use std::net::Ipv4Addr;

    use super::super::responder::Responder;
    use super::*;

    #[tokio::test]
    async fn a_train_is_counted_either_way() {
        let addresses = [Ipv4Addr::new(127, 0, 6, 1), Ipv4Addr::new(127, 0, 6, 2)];
        let _responder = Responder::start_at(addresses, [20_037, 20_038])
            .await
            .unwrap();
        let to = SocketAddr::from((addresses[0], 20_037));
        let train = Train {
            packets: 100,
            ip_bytes: 500,
            gap_ns: 200_000,
        };
        let (patience, turn) = (Patience::new(Duration::ZERO), Turn::default());
        for direction in [Direction::Out, Direction::In] {
            let sent = send(direction, to, train, Window::default(), patience, &turn);
            let summary = sent.await.unwrap();
            assert_eq!(summary.arrived, 100);
            // 4000 bits in 0.2 ms; a machine that is busy makes it less.
            let kbit = summary.kbit(500).unwrap();
            assert!(kbit < 25_000.0, "{kbit}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_an_answer_there_is_nothing_to_count() {
        let nobody = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let to = nobody.local_addr().unwrap();
        let train = Train {
            packets: 1,
            ip_bytes: 100,
            gap_ns: 1,
        };
        let (patience, turn) = (Patience::new(Duration::ZERO), Turn::default());
        for direction in [Direction::Out, Direction::In] {
            let sent = send(direction, to, train, Window::default(), patience, &turn);
            assert_eq!(sent.await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
    }
}
