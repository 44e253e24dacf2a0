//! Through an HTTP proxy (CONNECT, RFC 9110 section 9.3.6).

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1::handshake;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::task::AbortOnDropHandle;

/// Asks the proxy at the other end for a connection to this address; `None` if it refuses.
///
/// # Errors
///
/// When the connection breaks, or the answer is neither success nor 403.
pub(super) async fn tunnel(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    to: SocketAddr,
) -> io::Result<Option<impl AsyncRead + AsyncWrite + Unpin>> {
    let request = Request::connect(to.to_string())
        .header(HOST, to.to_string())
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let shaken = handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(io::Error::other)?;
    let _driver = AbortOnDropHandle::new(tokio::spawn(async move {
        // How it ended is told by the answer.
        let _ = connection.with_upgrades().await;
    }));
    let response = sender.send_request(request).await;
    let response = response.map_err(io::Error::other)?;
    match response.status() {
        StatusCode::FORBIDDEN => Ok(None),
        status if status.is_success() => {
            let upgraded = hyper::upgrade::on(response).await;
            Ok(Some(TokioIo::new(upgraded.map_err(io::Error::other)?)))
        }
        status => Err(io::Error::other(format!("the proxy answered {status}"))),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    /// What comes of a proxy that answers like this: the first bytes behind it, or `None`.
    async fn answered(answer: &'static str) -> io::Result<Option<String>> {
        let (client, mut server) = duplex(4096);
        let proxy = tokio::spawn(async move {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(server.read_u8().await.unwrap());
            }
            server.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(request).unwrap()
        });
        let tunnelled = tunnel(client, SocketAddr::from(([203, 0, 113, 2], 443))).await;
        let request = proxy.await.unwrap();
        assert!(
            request.starts_with("CONNECT 203.0.113.2:443 HTTP/1.1\r\n"),
            "{request}"
        );
        let Some(mut stream) = tunnelled? else {
            return Ok(None);
        };
        let mut behind = String::new();
        stream.read_to_string(&mut behind).await?;
        Ok(Some(behind))
    }

    #[tokio::test]
    async fn what_follows_success_is_the_servers() {
        let behind = answered("HTTP/1.1 200 OK\r\n\r\nhello").await.unwrap();
        assert_eq!(behind.as_deref(), Some("hello"));
    }

    #[tokio::test]
    async fn a_refusal_is_told_from_a_fault() {
        let refused = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(answered(refused).await.unwrap(), None);
        let fault = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n";
        let error = answered(fault).await.unwrap_err();
        assert!(error.to_string().contains("502"), "{error}");
    }
}
