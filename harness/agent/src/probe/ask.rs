//! Asking the responder over UDP and TCP.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};

use super::patience::Patience;
use crate::dns::unspecified;
use super::wire::{Answer, Question, padded};

/// Unanswered questions are sent again so often in an attempt.
const SENDS: u32 = 3;

/// The longest line that the responder writes over TCP.
const LONGEST_LINE: u64 = 256;

/// A socket of its own, thus with a NAT mapping of its own.
pub(super) async fn udp_socket() -> io::Result<UdpSocket> {
    udp_socket_at(None).await
}

/// A socket of the family of this address, at any port.
pub(super) async fn udp_socket_towards(to: SocketAddr) -> io::Result<UdpSocket> {
    UdpSocket::bind((unspecified(to.ip()), 0)).await
}

/// A socket at this port, or at any.
pub(super) async fn udp_socket_at(port: Option<u16>) -> io::Result<UdpSocket> {
    UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port.unwrap_or(0))).await
}

/// The socket's transport address on the way to there.
pub(super) async fn local_address(socket: &UdpSocket, to: SocketAddr) -> io::Result<SocketAddr> {
    let way = udp_socket().await?;
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
    let datagrams = questions
        .iter()
        .map(|(to, question)| Ok((*to, question.token, padded(question, 0)?)))
        .collect::<io::Result<Vec<_>>>()?;
    let answers = exchange(socket, &datagrams, patience).await?;
    let observed = answers.into_iter().map(|answer| Some(answer?.observed));
    Ok(observed.collect())
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
    let answers = exchange(socket, &[datagram], patience).await?;
    Ok(answers.into_iter().next().flatten())
}

/// Sends datagrams until each has its answer or the time for an attempt is over.
async fn exchange(
    socket: &UdpSocket,
    datagrams: &[(SocketAddr, u64, Vec<u8>)],
    patience: Patience,
) -> io::Result<Vec<Option<Answer>>> {
    let mut answers = vec![None; datagrams.len()];
    let mut buffer = [0; 1500];
    let start = Instant::now();
    for send in 1..=SENDS {
        for ((to, _, bytes), answer) in datagrams.iter().zip(&answers) {
            if answer.is_none() {
                socket.send_to(bytes, to).await?;
            }
        }
        let deadline = start + patience.attempt(1) * send / SENDS;
        while answers.contains(&None) {
            let Ok(received) = timeout_at(deadline, socket.recv(&mut buffer)).await else {
                break;
            };
            let Ok(answer) = serde_json::from_slice::<Answer>(&buffer[..received?]) else {
                continue;
            };
            let mut tokens = datagrams.iter().map(|(_, token, _)| *token);
            if let Some(index) = tokens.position(|token| token == answer.token) {
                answers[index] = Some(answer);
            }
        }
    }
    Ok(answers)
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
