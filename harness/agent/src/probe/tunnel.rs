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
