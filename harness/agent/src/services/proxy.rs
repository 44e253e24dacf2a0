//! An HTTP proxy that tunnels: CONNECT (RFC 9110 section 9.3.6) and nothing else.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::SocketAddrV4;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, HeaderValue};
use hyper::http::uri::Authority;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::http;
use super::onward::Onward;
use super::splice::splice_tcp;
use crate::counters::Tally;

/// A proxy.
pub(super) struct Proxy {
    /// The ports to which it connects.
    pub ports: Vec<u16>,
    pub onward: Onward,
    pub allow: Arc<Tally>,
    pub deny: Arc<Tally>,
}

impl Proxy {
    /// Handles a connection to its end.
    pub async fn handle(self: Arc<Self>, client: TcpStream) {
        let tunnel = Arc::new(Mutex::new(None));
        let service = service_fn(|request| {
            let (proxy, tunnel) = (self.clone(), tunnel.clone());
            Box::pin(async move {
                let response = match proxy.connect(&request).await {
                    Ok(server) => {
                        *tunnel.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
                        Response::new(Full::default())
                    }
                    Err(response) => response,
                };
                Ok::<_, Infallible>(response)
            })
        });
        let connection = http::server().serve_connection(TokioIo::new(client), service);
        // What cannot be read as HTTP is answered with 400, 408 or 431 by hyper.
        let Ok(parts) = connection.without_shutdown().await else {
            return;
        };
        let server = tunnel
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut server) = server else {
            return;
        };
        // The client need not wait for the answer.
        self.allow.add_bytes(parts.read_buf.len());
        if server.write_all(&parts.read_buf).await.is_ok() {
            splice_tcp(parts.io.into_inner(), server, &self.allow).await;
        }
    }

    /// The connection to where a request wants to go, or the answer that there is none.
    async fn connect<B>(&self, request: &Request<B>) -> Result<TcpStream, Response<Full<Bytes>>> {
        let (host, port) = self.target(request).inspect_err(|_| self.deny.count())?;
        let connected = async {
            let address = self.onward.resolve(&host).await?;
            let to = SocketAddrV4::new(address, port);
            self.onward.connect(to).await
        };
        let server = connected
            .await
            .map_err(|error| no_way(&format!("{host}:{port}"), &error))?;
        self.allow.count();
        Ok(server)
    }

    /// Where a request wants to go, if it may.
    fn target<B>(&self, request: &Request<B>) -> Result<(String, u16), Response<Full<Bytes>>> {
        if request.method() != Method::CONNECT {
            let mut response = refusal(
                StatusCode::METHOD_NOT_ALLOWED,
                "this proxy understands CONNECT only",
            );
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("CONNECT"));
            return Err(response);
        }
        let target = request.uri().authority().and_then(host_and_port);
        let Some((host, port)) = target else {
            let words = "CONNECT must name a host and a port (RFC 9110 section 9.3.6)";
            return Err(refusal(StatusCode::BAD_REQUEST, words));
        };
        if !self.ports.contains(&port) {
            let words = format!("this proxy does not connect to port {port}");
            return Err(refusal(StatusCode::FORBIDDEN, &words));
        }
        Ok((host, port))
    }
}

fn host_and_port(authority: &Authority) -> Option<(String, u16)> {
    let has_user = authority.as_str().contains('@');
    let port = authority.port_u16().filter(|port| *port != 0)?;
    let host = authority.host();
    (!has_user && !host.is_empty()).then(|| (host.to_owned(), port))
}

/// RFC 9110 sections 15.6.3 and 15.6.5.
fn no_way(target: &str, error: &io::Error) -> Response<Full<Bytes>> {
    let status = match error.kind() {
        ErrorKind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::BAD_GATEWAY,
    };
    refusal(status, &format!("failed to connect to {target}: {error}"))
}

fn refusal(status: StatusCode, words: &str) -> Response<Full<Bytes>> {
    http::answer(status, "text/plain; charset=utf-8", format!("{words}\n"))
}
