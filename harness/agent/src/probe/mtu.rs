//! The largest packet that crosses the link, and whether the sender of a larger one is told (RFC 1191).

use std::io;
use std::net::SocketAddr;

use farcall_scenario::Direction;
use nix::errno::Errno;
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, set_ip_mtu_discover};
use tokio::net::UdpSocket;

use super::ask::{inquire, udp_socket};
use super::patience::{Patience, Reading};
use super::wire::{Answer, AnswerFrom, Ask, Question, Told};

/// What became of a packet that must not be fragmented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrived,
    /// Its sender got "fragmentation needed".
    Refused,
    /// Its sender got nothing.
    Vanished,
}

/// Measures with packets of exactly the declared size, and of one byte more unless the node's own interface
/// takes no larger ones.
pub(super) async fn measure(
    direction: Direction,
    mtu: u16,
    larger: bool,
    to: SocketAddr,
    patience: Patience,
    declared: &str,
) -> String {
    let settled = patience.settle(declared, async |patience| {
        match fates(direction, mtu, larger, to, patience).await {
            Ok((exact, more)) => reading(mtu, exact, more),
            Err(error) => Reading::impossible(error),
        }
    });
    settled.await
}

/// What became of a packet of that size, and of a larger one.
async fn fates(
    direction: Direction,
    mtu: u16,
    larger: bool,
    to: SocketAddr,
    patience: Patience,
) -> io::Result<(Fate, Option<Fate>)> {
    let exact = fate(direction, mtu, to, patience).await?;
    let more = match larger {
        true => Some(fate(direction, mtu + 1, to, patience).await?),
        false => None,
    };
    Ok((exact, more))
}

fn reading(mtu: u16, exact: Fate, more: Option<Fate>) -> Reading {
    match (exact, more) {
        (Fate::Refused | Fate::Vanished, _) => Reading::Silence(format!("less than {mtu} bytes")),
        (Fate::Arrived, None) => Reading::Found(format!("{mtu} bytes")),
        (Fate::Arrived, Some(Fate::Arrived)) => Reading::Found(format!("more than {mtu} bytes")),
        (Fate::Arrived, Some(Fate::Refused)) => {
            Reading::Found(format!("{mtu} bytes, and who sends more is told"))
        }
        (Fate::Arrived, Some(Fate::Vanished)) => {
            Reading::Silence(format!("{mtu} bytes, and who sends more is not told"))
        }
    }
}

async fn fate(
    direction: Direction,
    ip_bytes: u16,
    to: SocketAddr,
    patience: Patience,
) -> io::Result<Fate> {
    let socket = udp_socket(to).await?;
    // Never fragmented, and sent whatever the kernel has learned of the way.
    set_ip_mtu_discover(&socket, Ipv4PathMtuDiscovery::PROBE)?;
    // Connected, the socket tells of ICMP errors.
    socket.connect(to).await?;
    match direction {
        Direction::Out => up(&socket, ip_bytes, to, patience).await,
        Direction::In => down(&socket, ip_bytes, to, patience).await,
    }
}

async fn up(
    socket: &UdpSocket,
    ip_bytes: u16,
    to: SocketAddr,
    patience: Patience,
) -> io::Result<Fate> {
    let question = Question::new(AnswerFrom::Same);
    match inquire(socket, to, &question, ip_bytes, patience).await {
        Ok(Some(_)) => Ok(Fate::Arrived),
        Ok(None) => Ok(Fate::Vanished),
        Err(error) if error.raw_os_error() == Some(Errno::EMSGSIZE as i32) => Ok(Fate::Refused),
        Err(error) => Err(error),
    }
}

async fn down(
    socket: &UdpSocket,
    ip_bytes: u16,
    to: SocketAddr,
    patience: Patience,
) -> io::Result<Fate> {
    let question = Question::to(Ask::Datagram { ip_bytes });
    if inquire(socket, to, &question, 0, patience).await?.is_some() {
        return Ok(Fate::Arrived);
    }
    let question = Question::to(Ask::PathMtu);
    let answer = inquire(socket, to, &question, 0, patience).await?;
    match answer {
        Some(Answer {
            told: Some(Told::PathMtu { bytes }),
            ..
        }) if bytes < u32::from(ip_bytes) => Ok(Fate::Refused),
        _ => Ok(Fate::Vanished),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use std::net::Ipv4Addr;
    use std::time::Duration;

    use farcall_plan::Fact;

    use super::super::responder::Responder;
    use super::*;

    #[test]
    fn what_is_as_declared_has_the_words_of_the_declaration() {
        let declared = |fragmentation_needed| {
            let fact = Fact::Mtu {
                direction: Direction::Out,
                mtu: 1_280,
                fragmentation_needed,
                port: 53,
            };
            fact.declared()
        };
        let words = |more| match reading(1_280, Fate::Arrived, more) {
            Reading::Found(words) | Reading::Silence(words) => words,
        };
        assert_eq!(words(None), declared(None));
        assert_eq!(words(Some(Fate::Refused)), declared(Some(true)));
        assert_eq!(words(Some(Fate::Vanished)), declared(Some(false)));
        assert_eq!(words(Some(Fate::Arrived)), "more than 1280 bytes");
    }

    #[tokio::test]
    async fn packets_have_the_size_that_is_asked_for() {
        let addresses = [Ipv4Addr::new(127, 0, 7, 1), Ipv4Addr::new(127, 0, 7, 2)];
        let _responder = Responder::start_at(addresses, [20_047, 20_048])
            .await
            .unwrap();
        let to = SocketAddr::from((addresses[0], 20_047));
        let patience = Patience::new(Duration::ZERO);
        for direction in [Direction::Out, Direction::In] {
            let fates = fates(direction, 1_280, true, to, patience).await;
            // The loopback's MTU is far larger.
            assert_eq!(fates.unwrap(), (Fate::Arrived, Some(Fate::Arrived)));
        }
    }
}
