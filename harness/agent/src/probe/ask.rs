//! Asking the responder over UDP and TCP.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::patience::Patience;
use super::wire::{Answer, Question, padded};
use crate::dns::unspecified;

/// Unanswered questions are sent again so often in an attempt.
const SENDS: u32 = 3;

/// How much later an answer may come than that to a question which was asked after it: the responder and the way keep the
/// order, but who reads here is one of several sockets.
pub(super) const OUT_OF_ORDER: Duration = Duration::from_millis(100);

/// A socket of its own in the family of this address, thus with a NAT mapping of its own.
pub(super) async fn udp_socket(to: SocketAddr) -> io::Result<UdpSocket> {
    udp_socket_at(to, None).await
}

/// As [`udp_socket`], at this port, or at any.
pub(super) async fn udp_socket_at(to: SocketAddr, port: Option<u16>) -> io::Result<UdpSocket> {
    UdpSocket::bind((unspecified(to.ip()), port.unwrap_or(0))).await
}

/// The socket's transport address on the way to there.
pub(super) async fn local_address(socket: &UdpSocket, to: SocketAddr) -> io::Result<SocketAddr> {
    let way = udp_socket(to).await?;
    way.connect(to).await?;
    Ok(SocketAddr::new(
        way.local_addr()?.ip(),
        socket.local_addr()?.port(),
    ))
}

/// Sends each question to its destination and gives the addresses that the responder saw, `None`
/// where no answer came in time.
///
/// # Errors
///
/// When the kernel refuses to send or, on a connected socket, an ICMP error comes back.
pub(super) async fn ask(
    socket: &UdpSocket,
    questions: &[(SocketAddr, Question)],
    patience: Patience,
) -> io::Result<Vec<Option<SocketAddr>>> {
    observed(socket, questions, Order::Any, patience).await
}

/// As [`ask`], of one destination, which answers in order: once the last question is answered, the others have been, or
/// never will be.
///
/// # Errors
///
/// As of [`ask`].
pub(super) async fn ask_in_order<const N: usize>(
    socket: &UdpSocket,
    to: SocketAddr,
    questions: [Question; N],
    patience: Patience,
) -> io::Result<Vec<Option<SocketAddr>>> {
    let questions = questions.map(|question| (to, question));
    observed(socket, &questions, Order::AsAsked, patience).await
}

/// Sends a question in an IP packet of at least so many bytes, and gives the answer if one came in time.
///
/// # Errors
///
/// As of [`ask`].
pub(super) async fn inquire(
    socket: &UdpSocket,
    to: SocketAddr,
    question: &Question,
    ip_bytes: u16,
    patience: Patience,
) -> io::Result<Option<Answer>> {
    let datagram = (to, question.token, padded(question, ip_bytes)?);
    let answers = exchange(socket, &[datagram], Order::Any, patience).await?;
    Ok(answers.into_iter().next().flatten())
}

/// In which order answers come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Any,
    AsAsked,
}

async fn observed(
    socket: &UdpSocket,
    questions: &[(SocketAddr, Question)],
    order: Order,
    patience: Patience,
) -> io::Result<Vec<Option<SocketAddr>>> {
    let datagrams = questions
        .iter()
        .map(|(to, question)| Ok((*to, question.token, padded(question, 0)?)))
        .collect::<io::Result<Vec<_>>>()?;
    let answers = exchange(socket, &datagrams, order, patience).await?;
    let observed = answers.into_iter().map(|answer| Some(answer?.observed));
    Ok(observed.collect())
}

/// Sends datagrams until each has its answer, or nothing more is to be expected, or the time for an attempt is over.
async fn exchange(
    socket: &UdpSocket,
    datagrams: &[(SocketAddr, u64, Vec<u8>)],
    order: Order,
    patience: Patience,
) -> io::Result<Vec<Option<Answer>>> {
    let mut answers = vec![None; datagrams.len()];
    let mut buffer = [0; 1500];
    let start = Instant::now();
    let mut end = start + patience.attempt(1);
    for send in 1..=SENDS {
        for ((to, _, bytes), answer) in datagrams.iter().zip(&answers) {
            if answer.is_none() {
                socket.send_to(bytes, to).await?;
            }
        }
        let next = start + patience.attempt(1) * send / SENDS;
        while answers.contains(&None) {
            let Ok(received) = timeout_at(next.min(end), socket.recv(&mut buffer)).await else {
                break;
            };
            let Ok(answer) = serde_json::from_slice::<Answer>(&buffer[..received?]) else {
                continue;
            };
            let mut tokens = datagrams.iter().map(|(_, token, _)| *token);
            if let Some(index) = tokens.position(|token| token == answer.token) {
                let is_last = index + 1 == answers.len() && answers[index].is_none();
                if is_last && order == Order::AsAsked {
                    end = end.min(Instant::now() + OUT_OF_ORDER);
                }
                answers[index] = Some(answer);
            }
        }
        if Instant::now() >= end {
            break;
        }
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::super::wire::AnswerFrom;
    use super::*;

    /// Which of three questions are answered by somebody who answers these, and whether that took less than an attempt.
    async fn answered(places: &[usize]) -> (Vec<bool>, bool) {
        let responder = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let to = responder.local_addr().unwrap();
        let questions = [(); 3].map(|()| Question::new(AnswerFrom::Same));
        let tokens = [0, 1, 2].map(|index: usize| questions[index].token);
        let places = places.to_vec();
        tokio::spawn(async move {
            let mut buffer = [0; 1500];
            loop {
                let (length, from) = responder.recv_from(&mut buffer).await.unwrap();
                let question: Question = serde_json::from_slice(&buffer[..length]).unwrap();
                if places.iter().any(|place| tokens[*place] == question.token) {
                    let answer = Answer {
                        token: question.token,
                        observed: from,
                        told: None,
                    };
                    let answer = padded(&answer, 0).unwrap();
                    responder.send_to(&answer, from).await.unwrap();
                }
            }
        });
        let socket = udp_socket(to).await.unwrap();
        // Far more than this machine takes, however busy it is.
        let patience = Patience::new(Duration::from_secs(2));
        let began = Instant::now();
        let observed = ask_in_order(&socket, to, questions, patience).await;
        let observed = observed.unwrap().iter().map(Option::is_some).collect();
        (observed, began.elapsed() < patience.attempt(1))
    }

    #[tokio::test]
    async fn silence_is_believed_once_a_later_question_is_answered() {
        assert_eq!(answered(&[0, 2]).await, (vec![true, false, true], true));
        let (observed, is_soon) = answered(&[0, 1]).await;
        assert_eq!((observed, is_soon), (vec![true, true, false], false));
    }
}
