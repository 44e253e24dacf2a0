//! Asking the responder over UDP and TCP.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};

use super::patience::Patience;
use super::wire::{Answer, Question};

/// Unanswered questions are sent again so often in an attempt.
const SENDS: u32 = 3;

/// The longest line that the responder writes over TCP.
const LONGEST_LINE: u64 = 256;

/// A socket of its own, thus with a NAT mapping of its own.
pub(super) async fn udp_socket() -> io::Result<UdpSocket> {
    UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await
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
    let mut observed = vec![None; questions.len()];
    let mut buffer = [0; 1500];
    let start = Instant::now();
    for send in 1..=SENDS {
        for ((destination, question), observed) in questions.iter().zip(&observed) {
            if observed.is_none() {
                let bytes = serde_json::to_vec(question)?;
                socket.send_to(&bytes, destination).await?;
            }
        }
        let deadline = start + patience.attempt(1) * send / SENDS;
        while observed.contains(&None) {
            let Ok(received) = timeout_at(deadline, socket.recv(&mut buffer)).await else {
                break;
            };
            let Ok(answer) = serde_json::from_slice::<Answer>(&buffer[..received?]) else {
                continue;
            };
            let mut tokens = questions.iter().map(|(_, question)| question.token);
            if let Some(index) = tokens.position(|token| token == answer.token) {
                observed[index] = Some(answer.observed);
            }
        }
    }
    Ok(observed)
}

/// What came of the first bytes on a TCP connection.
#[derive(Debug)]
pub(super) enum FirstBytes {
    /// The connection did not open, or nothing came back, in time.
    Nothing,
    /// The connection did not open: an error came back.
    NotOpened(io::Error),
    /// It opened and then broke or was closed.
    Broken(io::Error),
    /// This came back.
    Answer(Vec<u8>),
}

/// Opens a connection, sends the payload and waits for the first line or bytes.
pub(super) async fn send_first(
    connect: impl Future<Output = io::Result<TcpStream>>,
    payload: &[u8],
    patience: Patience,
) -> FirstBytes {
    // The handshake is a round trip, and question and answer are another.
    let deadline = Instant::now() + patience.attempt(2);
    let mut stream = match timeout_at(deadline, connect).await {
        Err(_) => return FirstBytes::Nothing,
        Ok(Err(error)) => return FirstBytes::NotOpened(error),
        Ok(Ok(stream)) => stream,
    };
    let exchange = async {
        stream.write_all(payload).await?;
        let mut line = Vec::new();
        let mut reader = BufReader::new(&mut stream).take(LONGEST_LINE);
        reader.read_until(b'\n', &mut line).await?;
        Ok(line)
    };
    match timeout_at(deadline, exchange).await {
        Err(_) => FirstBytes::Nothing,
        Ok(Err(error)) => FirstBytes::Broken(error),
        Ok(Ok(line)) if line.is_empty() => FirstBytes::Broken(io::ErrorKind::UnexpectedEof.into()),
        Ok(Ok(line)) => FirstBytes::Answer(line),
    }
}
