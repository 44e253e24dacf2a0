//! The way to a TURN server through an HTTP proxy: CONNECT (RFC 9110 section 9.3.6), as browsers use it for
//! TURN over TCP and TLS.

use super::connect::{Stream, at_exchange};
use super::outcome::Conclusion;
use bytes::Bytes;
use farcall_timeline::IceServerOutcome;
use http_body_util::Empty;
use hyper::client::conn::http1::Builder;
use hyper::header::{HOST, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use tokio_util::task::AbortOnDropHandle;

/// The longest head of an answer.
const HEAD_BYTES: usize = 16 * 1024;

/// Asks the proxy at the other end of this connection for a tunnel to `target`, a host with a port. The proxy
/// resolves the name.
pub(super) async fn tunnel(
    stream: impl Stream + 'static,
    proxy: SocketAddr,
    target: &str,
) -> Result<impl Stream + 'static, Conclusion> {
    let failed = |error: hyper::Error| at_proxy(proxy, &error);
    let request = connect_request(target)?;
    let mut builder = Builder::new();
    builder.max_header_size(HEAD_BYTES);
    let shaken = builder.handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(failed)?;
    let _driver = AbortOnDropHandle::new(tokio::spawn(async move {
        // How it ended is told by the answer.
        let _ = connection.with_upgrades().await;
    }));
    let response = sender.send_request(request).await.map_err(failed)?;
    if !response.status().is_success() {
        return Err(refused(proxy, target, response.status()));
    }
    let tunnel = hyper::upgrade::on(response).await.map_err(failed)?;
    Ok(TokioIo::new(tunnel))
}

fn connect_request(target: &str) -> Result<Request<Empty<Bytes>>, Conclusion> {
    let unusable = |error: String| {
        let reason = format!("{target} cannot be asked of an HTTP proxy: {error}");
        Conclusion::failure(IceServerOutcome::Refused, reason)
    };
    let uri = Uri::try_from(target).map_err(|error| unusable(error.to_string()))?;
    let host = HeaderValue::try_from(target).map_err(|error| unusable(error.to_string()))?;
    let mut request = Request::new(Empty::new());
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() = uri;
    request.headers_mut().insert(HOST, host);
    Ok(request)
}

/// What an answer other than 2xx means. 502 and 504 are about the server, all else about the proxy.
fn refused(proxy: SocketAddr, target: &str, status: StatusCode) -> Conclusion {
    match status {
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => Conclusion::failure(
            IceServerOutcome::NoAnswer,
            format!("the HTTP proxy {proxy} could not connect to {target}: {status}"),
        ),
        _ => Conclusion::failure(
            IceServerOutcome::Refused,
            format!("the HTTP proxy {proxy} refused CONNECT {target}: {status}"),
        ),
    }
}

/// What it means that there was no answer that could be read.
fn at_proxy(proxy: SocketAddr, error: &hyper::Error) -> Conclusion {
    if error.is_parse() {
        let reason = format!("the HTTP proxy {proxy} answered CONNECT with no HTTP: {error}");
        return Conclusion::failure(IceServerOutcome::Malformed, reason);
    }
    let source = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>());
    let how = match source {
        Some(broken) => at_exchange(broken).reason,
        None if error.is_incomplete_message() || error.is_canceled() || error.is_closed() => {
            "the connection was closed without an answer".to_owned()
        }
        None => error.to_string(),
    };
    let reason = format!("{how} when the HTTP proxy {proxy} was asked to CONNECT");
    Conclusion::failure(IceServerOutcome::Reset, reason)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    const TARGET: &str = "turn.example.net:443";

    fn proxy() -> SocketAddr {
        SocketAddr::from(([192, 168, 1, 1], 3128))
    }

    /// What comes of a proxy that reads a request and answers like this.
    async fn answered(answer: &str) -> (String, Result<String, Conclusion>) {
        let (client, mut server) = duplex(4096);
        let proxying = async move {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(server.read_u8().await.unwrap());
            }
            // A client that has seen enough may be gone.
            let _ = server.write_all(answer.as_bytes()).await;
            String::from_utf8(request).unwrap()
        };
        let asking = async {
            let mut stream = tunnel(client, proxy(), TARGET).await?;
            let mut first = String::new();
            stream.read_to_string(&mut first).await.unwrap();
            Ok(first)
        };
        tokio::join!(proxying, asking)
    }

    #[tokio::test]
    async fn the_proxy_is_asked_by_name_and_what_follows_its_answer_is_the_servers() {
        let (request, tunnelled) = answered("HTTP/1.1 200 OK\r\n\r\nfirst bytes").await;
        assert!(
            request.starts_with("CONNECT turn.example.net:443 HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(
            request.contains("host: turn.example.net:443\r\n"),
            "{request}"
        );
        assert_eq!(tunnelled.unwrap(), "first bytes");
    }

    #[tokio::test]
    async fn each_refusal_has_its_outcome() {
        for (status, outcome) in [
            ("403 Forbidden", IceServerOutcome::Refused),
            (
                "407 Proxy Authentication Required",
                IceServerOutcome::Refused,
            ),
            ("302 Found", IceServerOutcome::Refused),
            ("502 Bad Gateway", IceServerOutcome::NoAnswer),
            ("504 Gateway Timeout", IceServerOutcome::NoAnswer),
        ] {
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 3\r\n\r\nno\n");
            let conclusion = answered(&answer).await.1.unwrap_err();
            assert_eq!(conclusion.outcome, outcome, "{}", conclusion.reason);
            assert!(conclusion.reason.contains(status), "{}", conclusion.reason);
        }
    }

    #[tokio::test]
    async fn no_answer_and_no_http_are_told_apart() {
        let closed = answered("").await.1.unwrap_err();
        assert_eq!(closed.outcome, IceServerOutcome::Reset, "{}", closed.reason);
        let garbage = answered("SSH-2.0-OpenSSH_9.6\r\n").await.1.unwrap_err();
        assert_eq!(
            garbage.outcome,
            IceServerOutcome::Malformed,
            "{}",
            garbage.reason
        );
        for conclusion in [closed, garbage] {
            assert!(
                conclusion
                    .reason
                    .contains("the HTTP proxy 192.168.1.1:3128"),
                "{}",
                conclusion.reason
            );
        }
    }
}
