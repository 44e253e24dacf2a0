//! Whether the NAT keeps source ports (RFC 4787 section 4.2.1).

use std::io;
use std::net::SocketAddr;

use futures::future::try_join_all;

use super::ask::{ask, udp_socket};
use super::patience::{Patience, Reading};
use super::wire::{AnswerFrom, Question};

/// How many sockets are compared. A NAT with random ports keeps none of them by chance.
const SOCKETS: usize = 4;

/// Measures with fresh sockets.
pub(super) async fn measure(to: SocketAddr, patience: Patience, declared: &str) -> String {
    let settled = patience.settle(declared, async |patience| match ports(to, patience).await {
        Ok(ports) => reading(&ports),
        Err(error) => Reading::impossible(error),
    });
    settled.await
}

/// The local port of each socket and the one that the responder saw.
async fn ports(to: SocketAddr, patience: Patience) -> io::Result<Vec<(u16, Option<u16>)>> {
    let compared = (0..SOCKETS).map(|_| async {
        let socket = udp_socket(to).await?;
        let questions = [(to, Question::new(AnswerFrom::Same))];
        let observed = ask(&socket, &questions, patience).await?;
        let observed = observed.into_iter().next().flatten();
        let local = socket.local_addr()?.port();
        io::Result::Ok((local, observed.map(|address| address.port())))
    });
    try_join_all(compared).await
}

fn reading(ports: &[(u16, Option<u16>)]) -> Reading {
    if ports.iter().any(|(_, observed)| observed.is_none()) {
        return Reading::Silence("no answer".to_owned());
    }
    let kept = ports.iter().filter(|(local, seen)| *seen == Some(*local));
    let kept = kept.count();
    if kept == ports.len() {
        Reading::Found("preserved".to_owned())
    } else if kept == 0 {
        Reading::Found("not preserved".to_owned())
    } else {
        // Somebody else may have had one of them.
        Reading::Silence(format!("preserved for {kept} of {} sockets", ports.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_kept_all_or_none() {
        let found = |words: &str| Reading::Found(words.to_owned());
        let kept = [(40_000, Some(40_000)), (40_001, Some(40_001))];
        assert_eq!(reading(&kept), found("preserved"));
        let random = [(40_000, Some(1_234)), (40_001, Some(60_000))];
        assert_eq!(reading(&random), found("not preserved"));
    }

    #[test]
    fn a_single_port_that_is_another_is_looked_at_again() {
        let collided = reading(&[(40_000, Some(40_000)), (40_001, Some(5_661))]);
        let some = Reading::Silence("preserved for 1 of 2 sockets".to_owned());
        assert_eq!(collided, some);
        let unanswered = reading(&[(40_000, Some(40_000)), (40_001, None)]);
        assert_eq!(unanswered, Reading::Silence("no answer".to_owned()));
    }
}
