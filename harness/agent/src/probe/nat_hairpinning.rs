//! Whether two sockets of the node reach each other by their mapped addresses (RFC 4787 section 6).

use std::io;
use std::net::SocketAddr;

use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::ask::{OUT_OF_ORDER, ask, udp_socket};
use super::internet::Internet;
use super::patience::{Patience, Reading};
use super::wire::{Answer, AnswerFrom, Question, padded};

/// How often what one socket sends to the other is sent.
const SENDS: u32 = 3;

/// Measures with two fresh sockets.
pub(super) async fn measure(
    internet: Internet,
    port: u16,
    patience: Patience,
    declared: &str,
) -> String {
    let to = internet.responder(port);
    let settled = patience.settle(declared, async || {
        match hairpin(internet, to, patience).await {
            Ok(reading) => reading,
            Err(error) => Reading::impossible(error),
        }
    });
    settled.await
}

async fn hairpin(internet: Internet, to: SocketAddr, patience: Patience) -> io::Result<Reading> {
    let (sender, receiver) = (udp_socket(to).await?, udp_socket(to).await?);
    let mapped = async |socket: &UdpSocket| {
        let questions = [(to, Question::new(AnswerFrom::Same))];
        let observed = ask(socket, &questions, patience).await?;
        io::Result::Ok(observed.into_iter().next().flatten())
    };
    let (sender_at, receiver_at) = tokio::try_join!(mapped(&sender), mapped(&receiver))?;
    let (Some(sender_at), Some(receiver_at)) = (sender_at, receiver_at) else {
        return Ok(Reading::Silence("no answer".to_owned()));
    };
    let [sender_at, receiver_at] = [sender_at, receiver_at].map(|at| internet.reach(at));
    let token: [u8; 8] = rand::random();
    // What goes beyond the NAT takes longer than what returns at it: once this is answered, the token has come.
    let question = Question::new(AnswerFrom::Same);
    let barrier = padded(&question, 0)?;
    let start = Instant::now();
    let mut end = start + patience.attempt(1);
    let mut buffer = [0; 1500];
    for send in 1..=SENDS {
        // Whatever the filter: the receiver has sent to where the packet comes from.
        receiver.send_to(b"open", sender_at).await?;
        sender.send_to(&token, receiver_at).await?;
        receiver.send_to(&barrier, to).await?;
        let next = start + patience.attempt(1) * send / SENDS;
        while let Ok(received) = timeout_at(next.min(end), receiver.recv_from(&mut buffer)).await {
            let (length, from) = received?;
            if buffer[..length] == token {
                return Ok(arrived(from, sender_at));
            }
            let answer = serde_json::from_slice::<Answer>(&buffer[..length]);
            if answer.is_ok_and(|answer| answer.token == question.token) {
                end = end.min(Instant::now() + OUT_OF_ORDER);
            }
        }
        if Instant::now() >= end {
            break;
        }
    }
    Ok(Reading::Silence("does not hairpin".to_owned()))
}

/// RFC 4787 REQ-9 a: the source is the sender's external address and port.
fn arrived(from: SocketAddr, mapped: SocketAddr) -> Reading {
    Reading::Found(if from == mapped {
        "hairpins".to_owned()
    } else {
        format!("hairpins, but from {from}, not from the mapped address {mapped}")
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::super::responder::Responder;
    use super::*;

    #[tokio::test]
    async fn sockets_without_a_nat_reach_each_other() {
        let addresses = [Ipv4Addr::new(127, 0, 8, 1), Ipv4Addr::new(127, 0, 8, 2)];
        let _responder = Responder::start_at(addresses, [20_057, 20_058])
            .await
            .unwrap();
        let patience = Patience::new(Duration::ZERO);
        let reading = hairpin(Internet::default(), (addresses[0], 20_057).into(), patience).await;
        assert_eq!(reading.unwrap(), Reading::Found("hairpins".to_owned()));
        let nobody = hairpin(Internet::default(), (addresses[0], 20_059).into(), patience).await;
        assert_eq!(nobody.unwrap(), Reading::Silence("no answer".to_owned()));
    }

    #[test]
    fn the_source_must_be_the_mapped_address() {
        let mapped = "203.0.113.10:40000".parse().unwrap();
        assert_eq!(
            arrived(mapped, mapped),
            Reading::Found("hairpins".to_owned())
        );
        let internal = arrived("192.168.1.10:40000".parse().unwrap(), mapped);
        assert_ne!(internal, Reading::Found("hairpins".to_owned()));
    }
}
