//! What becomes of a connection to a port on the internet.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, SocketAddrV4};

use farcall_plan::{PROBE_SERVER_NAME, Passage, Payload, ProbeProtocol};
use nix::errno::Errno;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::ask::{ask, udp_socket};
use super::patience::{Patience, Reading};
use super::tls;
use super::tunnel::tunnel;
use super::wire::{Answer, AnswerFrom, Question};

/// The longest first line of an answer.
const LONGEST_LINE: u64 = 256;

/// The most round trips that an answer takes: to open the connection, to have a proxy open another, and for a
/// TLS handshake.
const ROUND_TRIPS: u32 = 4;

/// A connection to somebody on the internet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub protocol: ProbeProtocol,
    pub to: SocketAddr,
    pub payload: Payload,
    /// The server name in a TLS handshake.
    pub server_name: Option<&'a str>,
    /// The HTTP proxy through which it goes.
    pub proxy: Option<SocketAddrV4>,
}

/// Measures what becomes of plain bytes to somebody on the internet.
pub(super) async fn measure_plain(
    protocol: ProbeProtocol,
    to: SocketAddr,
    patience: Patience,
    declared: &str,
) -> String {
    let attempt = Attempt {
        protocol,
        to,
        payload: Payload::Plain,
        server_name: None,
        proxy: None,
    };
    measure(attempt, patience, declared).await
}

/// Measures a passage.
pub(super) async fn measure(attempt: Attempt<'_>, patience: Patience, declared: &str) -> String {
    let to = attempt.to;
    let settled = patience.settle(declared, async |patience| {
        let became = match attempt.protocol {
            ProbeProtocol::Udp => over_udp(to, patience).await,
            ProbeProtocol::Tcp => {
                let within = patience.attempt(ROUND_TRIPS);
                let became = timeout(within, over_tcp(to, attempt)).await;
                became.unwrap_or(Ok(Became::Known(Passage::Dropped)))
            }
        };
        match became {
            // Only here nothing came back.
            Ok(Became::Known(Passage::Dropped)) => Reading::Silence(Passage::Dropped.to_string()),
            Ok(Became::Known(passage)) => Reading::Found(passage.to_string()),
            Ok(Became::InterceptedBy(issuer)) => Reading::Found(Passage::intercepted_by(&issuer)),
            Err(error) => Reading::impossible(error),
        }
    });
    settled.await
}

/// What became of an attempt.
#[derive(Debug, PartialEq, Eq)]
enum Became {
    Known(Passage),
    /// This authority vouches for who answered.
    InterceptedBy(String),
}

async fn over_udp(to: SocketAddr, patience: Patience) -> io::Result<Became> {
    let asked = async {
        let socket = udp_socket(to).await?;
        // Connected, the socket tells of ICMP errors.
        socket.connect(to).await?;
        let questions = [(to, Question::new(AnswerFrom::Same))];
        ask(&socket, &questions, patience).await
    };
    match asked.await {
        Ok(observed) if observed.contains(&None) => Ok(Became::Known(Passage::Dropped)),
        Ok(_) => Ok(Became::Known(Passage::Passes)),
        Err(error) => at_opening(error),
    }
}

async fn over_tcp(to: SocketAddr, attempt: Attempt<'_>) -> io::Result<Became> {
    let hop = attempt.proxy.map_or(to, SocketAddr::V4);
    let stream = match TcpStream::connect(hop).await {
        Ok(stream) => stream,
        Err(error) => return at_opening(error),
    };
    match attempt.proxy {
        None => speak(stream, attempt).await,
        Some(_) => match tunnel(stream, to).await? {
            Some(tunnel) => speak(tunnel, attempt).await,
            None => Ok(Became::Known(Passage::Refused)),
        },
    }
}

/// Sends what the attempt begins with, and sees what comes back.
async fn speak(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    attempt: Attempt<'_>,
) -> io::Result<Became> {
    let answered = match attempt.payload {
        Payload::Plain => ask_over_http(&mut stream).await.map(tls::Answer::NotTls),
        Payload::Tls => tls::answer(&mut stream, attempt.server_name).await,
    };
    match answered {
        Ok(tls::Answer::NotTls(bytes)) => by_first_bytes(&bytes),
        Ok(tls::Answer::IssuedBy(issuer)) => Ok(Became::InterceptedBy(issuer)),
        Err(error) => match error.kind() {
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
                Ok(Became::Known(Passage::Reset))
            }
            _ => Err(error),
        },
    }
}

/// Sends an HTTP request, which a captive portal redirects, and gives the first line of what comes back.
async fn ask_over_http(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<Vec<u8>> {
    let request =
        format!("GET / HTTP/1.1\r\nHost: {PROBE_SERVER_NAME}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut line = Vec::new();
    let mut reader = BufReader::new(stream).take(LONGEST_LINE);
    reader.read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(line)
}

/// The responder tells what it saw; others speak HTTP.
fn by_first_bytes(bytes: &[u8]) -> io::Result<Became> {
    if serde_json::from_slice::<Answer>(bytes).is_ok() {
        return Ok(Became::Known(Passage::Passes));
    }
    let is_redirect = bytes.starts_with(b"HTTP/1.1 3") || bytes.starts_with(b"HTTP/1.0 3");
    if is_redirect {
        return Ok(Became::Known(Passage::Redirected));
    }
    let shown = bytes[..bytes.len().min(32)].escape_ascii();
    Err(io::Error::new(
        ErrorKind::InvalidData,
        format!("somebody else answered: {shown}"),
    ))
}

/// What an error means before anything was said. EACCES is Linux's word for an administrative prohibition that
/// comes back over IPv6 (RFC 4443 section 3.1); of the node's own rules it is EPERM.
fn at_opening(error: io::Error) -> io::Result<Became> {
    if error.raw_os_error() == Some(Errno::EACCES as i32) {
        return Ok(Became::Known(Passage::Refused));
    }
    match error.kind() {
        ErrorKind::ConnectionRefused
        | ErrorKind::ConnectionReset
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable => Ok(Became::Known(Passage::Refused)),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use tokio::io::duplex;

    /// What becomes of an attempt to which this is answered; nothing: the connection is closed.
    async fn answered(payload: Payload, answer: &[u8]) -> io::Result<Became> {
        let (client, mut server) = duplex(64 * 1024);
        server.write_all(answer).await.unwrap();
        let question = tokio::spawn(async move {
            let mut question = vec![0; 3];
            server.read_exact(&mut question).await.unwrap();
            drop(server);
            question
        });
        let attempt = Attempt {
            protocol: ProbeProtocol::Tcp,
            to: SocketAddr::from(([203, 0, 113, 2], 80)),
            payload,
            server_name: None,
            proxy: None,
        };
        let became = speak(client, attempt).await;
        let expected: &[u8] = match payload {
            Payload::Plain => b"GET",
            Payload::Tls => &[22, 3, 1],
        };
        assert_eq!(question.await.unwrap(), expected);
        became
    }

    #[tokio::test]
    async fn the_responder_is_known_by_its_answer_whatever_it_was_asked() {
        let answer = br#"{"token":0,"observed":"203.0.113.10:4711"}"#;
        for payload in [Payload::Plain, Payload::Tls] {
            let became = answered(payload, answer).await.unwrap();
            assert_eq!(became, Became::Known(Passage::Passes));
        }
    }

    #[tokio::test]
    async fn a_redirect_is_a_portals() {
        let answer = b"HTTP/1.1 302 Found\r\nlocation: http://10.30.0.1/login\r\n\r\n";
        let became = answered(Payload::Plain, answer).await.unwrap();
        assert_eq!(became, Became::Known(Passage::Redirected));
    }

    #[tokio::test]
    async fn a_connection_that_ends_without_an_answer_is_reset() {
        for payload in [Payload::Plain, Payload::Tls] {
            let became = answered(payload, b"").await.unwrap();
            assert_eq!(became, Became::Known(Passage::Reset));
        }
    }

    #[tokio::test]
    async fn what_somebody_else_says_is_shown() {
        let error = answered(Payload::Plain, b"SSH-2.0-OpenSSH\r\n")
            .await
            .unwrap_err();
        assert!(error.to_string().contains("SSH-2.0"), "{error}");
    }

    #[test]
    fn refusals_are_told_from_faults_of_the_node() {
        for kind in [
            ErrorKind::ConnectionRefused,
            ErrorKind::ConnectionReset,
            ErrorKind::HostUnreachable,
        ] {
            let became = at_opening(kind.into()).unwrap();
            assert_eq!(became, Became::Known(Passage::Refused));
        }
        let by_raw = |errno: Errno| at_opening(io::Error::from_raw_os_error(errno as i32));
        assert_eq!(
            by_raw(Errno::EACCES).unwrap(),
            Became::Known(Passage::Refused)
        );
        assert!(by_raw(Errno::EPERM).is_err());
    }
}
