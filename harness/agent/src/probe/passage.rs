//! What becomes of a connection to a port on the internet.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use farcall_plan::{PROBE_ADDRESSES, Passage, Payload, ProbeProtocol};
use tokio::net::TcpStream;

use super::ask::{FirstBytes, ask, send_first, udp_socket};
use super::finding::{Finding, Reading, settle};
use super::tls::client_hello;
use super::wire::{AnswerFrom, Question};

/// Measures a passage.
pub(super) async fn measure(
    protocol: ProbeProtocol,
    port: u16,
    payload: Payload,
    declared: Passage,
) -> Finding {
    let to = SocketAddr::from((PROBE_ADDRESSES[0], port));
    let measured = settle(&declared, async || match protocol {
        ProbeProtocol::Udp => over_udp(to).await,
        ProbeProtocol::Tcp => over_tcp(to, payload).await,
    })
    .await;
    let protocol = match protocol {
        ProbeProtocol::Udp => "udp",
        ProbeProtocol::Tcp => "tcp",
    };
    let payload = match payload {
        Payload::Plain => "",
        Payload::Tls => " with TLS",
    };
    Finding::new(
        format!("{protocol} {port} to the internet{payload}"),
        words(declared),
        measured.words(|passage| words(*passage).to_owned()),
    )
}

fn words(passage: Passage) -> &'static str {
    match passage {
        Passage::Passes => "passes",
        Passage::Dropped => "dropped",
        Passage::Refused => "refused",
        Passage::Reset => "reset",
    }
}

async fn over_udp(to: SocketAddr) -> Reading<Passage> {
    let asked = async {
        let socket = udp_socket().await?;
        // Connected, the socket tells of ICMP errors.
        socket.connect(to).await?;
        ask(&socket, &[(to, Question::new(AnswerFrom::Same))]).await
    };
    match asked.await {
        Ok(observed) if observed.contains(&None) => Reading::Silence(Passage::Dropped),
        Ok(_) => Reading::Found(Passage::Passes),
        Err(error) => refusal(&error),
    }
}

async fn over_tcp(to: SocketAddr, payload: Payload) -> Reading<Passage> {
    let payload = match payload {
        Payload::Plain => Ok(b"farcall probe\r\n".to_vec()),
        Payload::Tls => client_hello(),
    };
    match payload {
        Ok(payload) => classify(&send_first(TcpStream::connect(to), &payload).await),
        Err(reason) => Reading::Impossible(reason),
    }
}

fn classify(first: &FirstBytes) -> Reading<Passage> {
    match first {
        FirstBytes::Nothing => Reading::Silence(Passage::Dropped),
        FirstBytes::Answer(_) => Reading::Found(Passage::Passes),
        FirstBytes::NotOpened(error) => refusal(error),
        FirstBytes::Broken(error) => match error.kind() {
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
                Reading::Found(Passage::Reset)
            }
            _ => Reading::Impossible(error.to_string()),
        },
    }
}

fn refusal(error: &io::Error) -> Reading<Passage> {
    match error.kind() {
        ErrorKind::ConnectionRefused
        | ErrorKind::ConnectionReset
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable => Reading::Found(Passage::Refused),
        _ => Reading::Impossible(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_of_a_connection_is_told_apart() {
        let broken = |kind: ErrorKind| classify(&FirstBytes::Broken(kind.into()));
        let not_opened = |kind: ErrorKind| classify(&FirstBytes::NotOpened(kind.into()));
        let reset = Reading::Found(Passage::Reset);
        let refused = Reading::Found(Passage::Refused);
        assert_eq!(
            classify(&FirstBytes::Nothing),
            Reading::Silence(Passage::Dropped)
        );
        assert_eq!(
            classify(&FirstBytes::Answer(vec![1])),
            Reading::Found(Passage::Passes)
        );
        assert_eq!(broken(ErrorKind::ConnectionReset), reset);
        assert_eq!(broken(ErrorKind::UnexpectedEof), reset);
        assert_eq!(not_opened(ErrorKind::ConnectionRefused), refused);
        assert_eq!(not_opened(ErrorKind::HostUnreachable), refused);
        assert!(matches!(
            not_opened(ErrorKind::PermissionDenied),
            Reading::Impossible(_)
        ));
    }
}
