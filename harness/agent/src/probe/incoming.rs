//! What becomes of a TCP connection from the internet to the node.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use farcall_plan::Passage;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::patience::{Patience, Reading};
use super::wire::{Answer, Ask, Question, Told};
use crate::dns::unspecified;

/// The longest answer, in bytes.
const LONGEST_ANSWER: u64 = 1024;

/// The most round trips that an answer takes beside the connection that is asked for: to open the one over which is
/// asked, and to ask.
const ROUND_TRIPS: u32 = 2;

/// Listens at a port, and has the responder open a connection to it.
pub(super) async fn measure(
    port: u16,
    to: SocketAddr,
    patience: Patience,
    declared: &str,
) -> String {
    // The kernel answers for it; nobody needs to take what comes.
    let _listener = match TcpListener::bind((unspecified(to.ip()), port)).await {
        Ok(listener) => listener,
        Err(error) => return format!("could not be measured: tcp {port}: {error}"),
    };
    let settled = patience.settle(declared, async |patience| {
        match ask(port, to, patience).await {
            Ok(Some(Passage::Dropped)) => Reading::Silence(Passage::Dropped.to_string()),
            Ok(Some(passage)) => Reading::Found(passage.to_string()),
            Ok(None) => Reading::Silence("no answer".to_owned()),
            Err(error) => Reading::impossible(error),
        }
    });
    settled.await
}

/// `None` if the responder does not answer.
async fn ask(port: u16, to: SocketAddr, patience: Patience) -> io::Result<Option<Passage>> {
    let within = patience.attempt(1);
    let question = Question::to(Ask::Connect {
        port,
        within_ms: u32::try_from(within.as_millis()).unwrap_or(u32::MAX),
    });
    let question = serde_json::to_vec(&question)?;
    let asked = async {
        let mut stream = TcpStream::connect(to).await?;
        stream.write_all(&question).await?;
        let mut line = Vec::new();
        let mut reader = BufReader::new(stream).take(LONGEST_ANSWER);
        reader.read_until(b'\n', &mut line).await?;
        io::Result::Ok(line)
    };
    let Ok(line) = timeout(within + patience.attempt(ROUND_TRIPS), asked).await else {
        return Ok(None);
    };
    match serde_json::from_slice::<Answer>(&line?)?.told {
        Some(Told::Connection { passage }) => Ok(Some(passage)),
        _ => Err(io::Error::new(
            ErrorKind::InvalidData,
            "an answer to another question",
        )),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::super::responder::Responder;
    use super::*;

    #[tokio::test]
    async fn a_connection_comes_in_where_somebody_listens_and_is_refused_elsewhere() {
        let addresses = [Ipv4Addr::new(127, 0, 10, 1), Ipv4Addr::new(127, 0, 10, 2)];
        let _responder = Responder::start_at(addresses, [20_067, 20_068])
            .await
            .unwrap();
        let to = SocketAddr::from((addresses[0], 20_067));
        let patience = Patience::new(Duration::ZERO);
        assert_eq!(measure(20_069, to, patience, "passes").await, "passes");
        let nobody_listens = ask(20_069, to, patience).await.unwrap();
        assert_eq!(nobody_listens, Some(Passage::Refused));
    }

    #[tokio::test]
    async fn what_cannot_be_asked_is_no_passage() {
        let patience = Patience::new(Duration::ZERO);
        let nobody = SocketAddr::from((Ipv4Addr::new(127, 0, 10, 3), 20_067));
        let words = measure(20_070, nobody, patience, "passes").await;
        assert!(words.starts_with("could not be measured"), "{words}");
    }
}
