//! Whether a TURN server's listener answers: a STUN Binding request over its own transport
//! (RFC 8489 section 6.2).

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use farcall_plan::{Listener, Passage};
use farcall_timeline::IceTransport;
use rtc::stun::message::{
    BINDING_REQUEST, BINDING_SUCCESS, MESSAGE_HEADER_SIZE, Message, TransactionId,
};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::ask::udp_socket;
use super::patience::{Patience, Reading};
use crate::ice_transport::{tls_connector, tls_refusal};

/// The time for one attempt; a TLS handshake takes some milliseconds of both processors.
const ATTEMPT: Duration = Duration::from_secs(1);

/// Asks a listener.
pub(super) async fn measure(
    host: &str,
    address: IpAddr,
    listener: Listener,
    ca_pem: &str,
    declared: &str,
) -> String {
    let read = |answer: io::Result<()>| match answer {
        Ok(()) => Reading::Found("answers".to_owned()),
        // Not final where an answer is declared: it may be starting.
        Err(error) if is_refusal(&error) => Reading::Silence("refuses".to_owned()),
        Err(error) => Reading::Silence(error.to_string()),
    };
    settled(host, address, listener, ca_pem, declared, read).await
}

/// What becomes of a question to a listener that answers whoever reaches it.
pub(super) async fn passage(
    host: &str,
    address: IpAddr,
    listener: Listener,
    ca_pem: &str,
    declared: &str,
) -> String {
    let read = |answer: io::Result<()>| match answer {
        Ok(()) => Reading::Found(Passage::Passes.to_string()),
        Err(error) => match error.kind() {
            ErrorKind::TimedOut => Reading::Silence(Passage::Dropped.to_string()),
            ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable => Reading::Found(Passage::Refused.to_string()),
            _ => Reading::impossible(error),
        },
    };
    settled(host, address, listener, ca_pem, declared, read).await
}

/// Asks a listener until what is read of its answers is final. No link delays that: servers and probe are both on the
/// internet, and a peer asks while links are eased.
async fn settled(
    host: &str,
    address: IpAddr,
    listener: Listener,
    ca_pem: &str,
    declared: &str,
    read: impl Fn(io::Result<()>) -> Reading,
) -> String {
    let Listener { port, transport } = listener;
    let at = SocketAddr::from((address, port));
    let patience = Patience::new(Duration::ZERO);
    let settled = patience.settle(declared, async |_| {
        read(listener_answers(host, at, transport, ca_pem).await)
    });
    settled.await
}

/// What a TLS client says of a listener's certificate: the kind of its complaint, and of an unknown issuer its name.
pub(super) async fn certificate(
    host: &str,
    at: SocketAddr,
    ca_pem: &str,
    declared: &str,
) -> String {
    let settled = Patience::new(Duration::ZERO).settle(declared, async |_| {
        match timeout(ATTEMPT, complaint(host, at, ca_pem)).await {
            Ok(Ok(words)) => Reading::Found(words),
            Ok(Err(error)) => Reading::Silence(error.to_string()),
            Err(_) => Reading::Silence("no answer".to_owned()),
        }
    });
    settled.await
}

async fn complaint(host: &str, at: SocketAddr, ca_pem: &str) -> io::Result<String> {
    let connector = tls_connector(ca_pem.as_bytes()).map_err(io::Error::other)?;
    let Some(reason) = tls_refusal(&connector, connect(at).await?, host).await else {
        return Ok("taken".to_owned());
    };
    Ok(match reason.split_once(": ") {
        Some((kind, _)) if kind != "unknown issuer" => kind.to_owned(),
        _ => reason,
    })
}

/// What becomes of a datagram to a port at which nobody listens.
pub(super) async fn closed_port(at: SocketAddr, declared: &str) -> String {
    let settled = Patience::new(Duration::ZERO).settle(declared, async |_| {
        match timeout(ATTEMPT, over_udp(at)).await {
            Ok(Ok(())) => Reading::Found("answers".to_owned()),
            Ok(Err(error)) if is_refusal(&error) => Reading::Found("refuses".to_owned()),
            Ok(Err(error)) => Reading::impossible(error),
            Err(_) => Reading::Silence("no answer".to_owned()),
        }
    });
    settled.await
}

/// Whether the error is an answer to what is sent where nobody listens. Whoever accepts a connection
/// and closes it in order is a listener.
fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
    )
}

/// Asks once.
///
/// # Errors
///
/// What came instead of an answer; `TimedOut` if nothing did.
pub(crate) async fn listener_answers(
    host: &str,
    at: SocketAddr,
    transport: IceTransport,
    ca_pem: &str,
) -> io::Result<()> {
    let asked = async {
        match transport {
            IceTransport::Udp => over_udp(at).await,
            IceTransport::Tcp => over_stream(connect(at).await?).await,
            IceTransport::Tls => {
                let connector = tls_connector(ca_pem.as_bytes()).map_err(io::Error::other)?;
                let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
                let stream = connector.connect(name, connect(at).await?).await;
                over_stream(stream.map_err(in_words("TLS handshake"))?).await
            }
        }
    };
    let answered = timeout(ATTEMPT, asked).await;
    answered.unwrap_or_else(|_| Err(io::Error::new(ErrorKind::TimedOut, "no answer")))
}

fn in_words(what: &str) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{what}: {error}"))
}

async fn connect(at: SocketAddr) -> io::Result<TcpStream> {
    TcpStream::connect(at).await.map_err(in_words("connect"))
}

async fn over_udp(at: SocketAddr) -> io::Result<()> {
    let request = request()?;
    let socket = udp_socket(at).await.map_err(in_words("bind"))?;
    socket.connect(at).await.map_err(in_words("connect"))?;
    let mut buffer = [0; 1500];
    loop {
        socket.send(&request.raw).await.map_err(in_words("send"))?;
        // A datagram may be lost; the caller's deadline ends this.
        if let Ok(received) = timeout(ATTEMPT / 8, socket.recv(&mut buffer)).await {
            let length = received.map_err(in_words("receive"))?;
            return check(&request, &buffer[..length]);
        }
    }
}

async fn over_stream(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let request = request()?;
    let broken = in_words("connection");
    stream.write_all(&request.raw).await.map_err(&broken)?;
    let mut answer = vec![0; MESSAGE_HEADER_SIZE];
    stream.read_exact(&mut answer).await.map_err(&broken)?;
    let length = usize::from(u16::from_be_bytes([answer[2], answer[3]]));
    answer.resize(MESSAGE_HEADER_SIZE + length, 0);
    let attributes = &mut answer[MESSAGE_HEADER_SIZE..];
    stream.read_exact(attributes).await.map_err(&broken)?;
    check(&request, &answer)
}

fn request() -> io::Result<Message> {
    let mut request = Message::new();
    request
        .build(&[Box::new(TransactionId::new()), Box::new(BINDING_REQUEST)])
        .map_err(io::Error::other)?;
    Ok(request)
}

fn check(request: &Message, answer: &[u8]) -> io::Result<()> {
    let mut message = Message::new();
    let unfit = match message.unmarshal_binary(answer) {
        Err(error) => format!("no STUN: {error}"),
        Ok(()) if message.transaction_id != request.transaction_id => {
            "an answer to another question".to_owned()
        }
        Ok(()) if message.typ != BINDING_SUCCESS => message.typ.to_string(),
        Ok(()) => return Ok(()),
    };
    Err(io::Error::new(ErrorKind::InvalidData, unfit))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use rtc::stun::message::BINDING_ERROR;
    use tokio::net::{TcpListener, UdpSocket};

    fn answer(request: &[u8], success: bool) -> Vec<u8> {
        let mut asked = Message::new();
        asked.unmarshal_binary(request).unwrap();
        let kind = if success {
            BINDING_SUCCESS
        } else {
            BINDING_ERROR
        };
        let mut answer = Message::new();
        answer
            .build(&[Box::new(asked.transaction_id), Box::new(kind)])
            .unwrap();
        answer.raw
    }

    #[tokio::test]
    async fn only_a_binding_success_is_an_answer() {
        let request = request().unwrap();
        assert_eq!(check(&request, &answer(&request.raw, true)).ok(), Some(()));
        assert!(check(&request, &answer(&request.raw, false)).is_err());
        let other = super::request().unwrap();
        assert!(check(&request, &answer(&other.raw, true)).is_err());
        assert!(check(&request, b"HTTP/1.1 400 Bad Request").is_err());
    }

    #[tokio::test]
    async fn a_listener_answers_over_udp_and_tcp() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let udp = socket.local_addr().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tcp = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 1500];
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            let answer = answer(&buffer[..length], true);
            socket.send_to(&answer, from).await.unwrap();
        });
        tokio::spawn(async move {
            let mut buffer = [0; 1500];
            let (mut stream, _) = listener.accept().await.unwrap();
            let length = stream.read(&mut buffer).await.unwrap();
            let answer = answer(&buffer[..length], true);
            stream.write_all(&answer).await.unwrap();
        });
        let over = |at, transport| listener_answers("turn.example", at, transport, "");
        over(udp, IceTransport::Udp).await.unwrap();
        over(tcp, IceTransport::Tcp).await.unwrap();
        let closed = over(tcp, IceTransport::Tls).await.unwrap_err();
        assert!(closed.to_string().contains("connect"), "{closed}");
    }

    /// What is measured where a refusal is declared.
    async fn refusal(at: SocketAddr, transport: IceTransport) -> String {
        let port = at.port();
        let listener = Listener { port, transport };
        measure(
            "turn.example",
            [127, 0, 0, 1].into(),
            listener,
            "",
            "refuses",
        )
        .await
    }

    #[tokio::test]
    async fn a_closed_port_refuses_over_every_transport() {
        // Each port is taken by the other protocol alone, so that nobody else comes to listen there.
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (udp, tcp) = (socket.local_addr().unwrap(), listener.local_addr().unwrap());
        assert_eq!(refusal(tcp, IceTransport::Udp).await, "refuses");
        assert_eq!(refusal(udp, IceTransport::Tcp).await, "refuses");
        assert_eq!(refusal(udp, IceTransport::Tls).await, "refuses");
    }

    #[tokio::test]
    async fn a_connection_that_is_reset_at_its_first_bytes_is_refused_and_one_that_ends_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        for (transport, linger, expected) in [
            (IceTransport::Tcp, true, true),
            (IceTransport::Tls, true, true),
            (IceTransport::Tcp, false, false),
        ] {
            let asked = listener_answers("turn.example", at, transport, "");
            let answering = async {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut buffer = [0; 1500];
                // Bytes that are left unread would turn an orderly end into a reset.
                assert_ne!(stream.read(&mut buffer).await.unwrap(), 0);
                if linger {
                    stream.set_zero_linger().unwrap();
                }
            };
            let (asked, ()) = tokio::join!(asked, answering);
            let error = asked.unwrap_err();
            assert_eq!(is_refusal(&error), expected, "{transport}: {error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_a_refusal_and_silence_are_passages() {
        let became = async |at: SocketAddr, declared: &str| {
            let (port, transport) = (at.port(), IceTransport::Udp);
            let listener = Listener { port, transport };
            passage("turn.example", at.ip(), listener, "", declared).await
        };
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = silent.local_addr().unwrap();
        assert_eq!(became(at, "passes").await, "dropped");
        let tcp_alone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let refused = became(tcp_alone.local_addr().unwrap(), "dropped").await;
        assert_eq!(refused, "refused");
        tokio::spawn(async move {
            let mut buffer = [0; 1500];
            loop {
                let (length, from) = silent.recv_from(&mut buffer).await.unwrap();
                let answer = answer(&buffer[..length], true);
                silent.send_to(&answer, from).await.unwrap();
            }
        });
        assert_eq!(became(at, "passes").await, "passes");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_and_silence_are_no_refusals() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = silent.local_addr().unwrap();
        assert_eq!(refusal(at, IceTransport::Udp).await, "no answer");
        tokio::spawn(async move {
            let mut buffer = [0; 1500];
            loop {
                let (length, from) = silent.recv_from(&mut buffer).await.unwrap();
                let answer = answer(&buffer[..length], true);
                silent.send_to(&answer, from).await.unwrap();
            }
        });
        assert_eq!(refusal(at, IceTransport::Udp).await, "answers");
    }
}
