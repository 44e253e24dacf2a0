//! What becomes of a connection to a port on the internet.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use farcall_plan::{PROBE_ADDRESSES, Passage, Payload, ProbeProtocol};
use tokio::net::TcpStream;

use super::ask::{FirstBytes, ask, send_first, udp_socket};
use super::patience::{Patience, Reading};
use super::tls::client_hello;
use super::wire::{AnswerFrom, Question};

/// Measures a passage.
pub(super) async fn measure(
    protocol: ProbeProtocol,
    port: u16,
    payload: Payload,
    patience: Patience,
    declared: &str,
) -> String {
    let to = SocketAddr::from((PROBE_ADDRESSES[0], port));
    let settled = patience.settle(declared, async || {
        let became = match protocol {
            ProbeProtocol::Udp => over_udp(to, patience).await,
            ProbeProtocol::Tcp => over_tcp(to, payload, patience).await,
        };
        match became {
            // Only here nothing came back.
            Ok(Passage::Dropped) => Reading::Silence(Passage::Dropped.to_string()),
            Ok(passage) => Reading::Found(passage.to_string()),
            Err(error) => Reading::impossible(error),
        }
    });
    settled.await
}

async fn over_udp(to: SocketAddr, patience: Patience) -> io::Result<Passage> {
    let asked = async {
        let socket = udp_socket().await?;
        // Connected, the socket tells of ICMP errors.
        socket.connect(to).await?;
        let questions = [(to, Question::new(AnswerFrom::Same))];
        ask(&socket, &questions, patience).await
    };
    match asked.await {
        Ok(observed) if observed.contains(&None) => Ok(Passage::Dropped),
        Ok(_) => Ok(Passage::Passes),
        Err(error) => refusal(error),
    }
}

async fn over_tcp(to: SocketAddr, payload: Payload, patience: Patience) -> io::Result<Passage> {
    let payload = match payload {
        Payload::Plain => b"farcall probe\r\n".to_vec(),
        Payload::Tls => client_hello()?,
    };
    classify(send_first(TcpStream::connect(to), &payload, patience).await)
}

fn classify(first: FirstBytes) -> io::Result<Passage> {
    match first {
        FirstBytes::Nothing => Ok(Passage::Dropped),
        FirstBytes::Answer(_) => Ok(Passage::Passes),
        FirstBytes::NotOpened(error) => refusal(error),
        FirstBytes::Broken(error) => match error.kind() {
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
                Ok(Passage::Reset)
            }
            _ => Err(error),
        },
    }
}

fn refusal(error: io::Error) -> io::Result<Passage> {
    match error.kind() {
        ErrorKind::ConnectionRefused
        | ErrorKind::ConnectionReset
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable => Ok(Passage::Refused),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_of_a_connection_is_told_apart() {
        let broken = |kind: ErrorKind| classify(FirstBytes::Broken(kind.into())).ok();
        let not_opened = |kind: ErrorKind| classify(FirstBytes::NotOpened(kind.into())).ok();
        let nothing = classify(FirstBytes::Nothing).ok();
        let answer = classify(FirstBytes::Answer(vec![1])).ok();
        assert_eq!(nothing, Some(Passage::Dropped));
        assert_eq!(answer, Some(Passage::Passes));
        assert_eq!(broken(ErrorKind::ConnectionReset), Some(Passage::Reset));
        assert_eq!(broken(ErrorKind::UnexpectedEof), Some(Passage::Reset));
        let refused = Some(Passage::Refused);
        assert_eq!(not_opened(ErrorKind::ConnectionRefused), refused);
        assert_eq!(not_opened(ErrorKind::HostUnreachable), refused);
        assert_eq!(not_opened(ErrorKind::PermissionDenied), None);
    }
}
