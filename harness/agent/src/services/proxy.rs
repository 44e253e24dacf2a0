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
                    Err(refusal) => refusal.into_response(),
                };
                Ok::<_, Infallible>(response)
            })
        });
        let connection = http::server()
            .keep_alive(false)
            .serve_connection(TokioIo::new(client), service);
        // What cannot be read as HTTP is answered with 400, 408 or 431 by hyper.
        let Ok(parts) = connection.without_shutdown().await else {
            return;
        };
        let server = tunnel.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut server) = server else {
            return;
        };
        // The client need not wait for the answer.
        self.allow.add_bytes(parts.read_buf.len());
        if server.write_all(&parts.read_buf).await.is_ok() {
            splice_tcp(parts.io.into_inner(), server, &self.allow).await;
        }
    }

    /// The connection to where a request wants to go.
    async fn connect<B>(&self, request: &Request<B>) -> Result<TcpStream, Refusal> {
        let (host, port) = self.target(request).inspect_err(|_| self.deny.count())?;
        let connected = async {
            let address = self.onward.resolve(&host).await?;
            let to = SocketAddrV4::new(address, port);
            self.onward.connect(to).await
        };
        let server = connected
            .await
            .map_err(|error| Refusal::no_way(&format!("{host}:{port}"), &error))?;
        self.allow.count();
        Ok(server)
    }

    /// Where a request wants to go, if it may.
    fn target<B>(&self, request: &Request<B>) -> Result<(String, u16), Refusal> {
        if request.method() != Method::CONNECT {
            let words = "this proxy understands CONNECT only";
            return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, words));
        }
        let target = request.uri().authority().and_then(host_and_port);
        let Some((host, port)) = target else {
            let words = "CONNECT must name a host and a port (RFC 9110 section 9.3.6)";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, words));
        };
        if !self.ports.contains(&port) {
            let words = format!("this proxy does not connect to port {port}");
            return Err(Refusal::new(StatusCode::FORBIDDEN, words));
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

/// Why there is no tunnel.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    words: String,
}

impl Refusal {
    fn new(status: StatusCode, words: impl Into<String>) -> Self {
        Self {
            status,
            words: words.into(),
        }
    }

    /// RFC 9110 sections 15.6.3 and 15.6.5.
    fn no_way(target: &str, error: &io::Error) -> Self {
        let status = match error.kind() {
            ErrorKind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::BAD_GATEWAY,
        };
        Self::new(status, format!("failed to connect to {target}: {error}"))
    }

    fn into_response(self) -> Response<Full<Bytes>> {
        let body = format!("{}\n", self.words);
        let mut response = http::answer(self.status, "text/plain; charset=utf-8", body);
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            let headers = response.headers_mut();
            headers.insert(ALLOW, HeaderValue::from_static("CONNECT"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::super::testing::{
        Running, closed_port, connect, count, echo, echoed, onward, serve, soon, tally,
    };
    use super::*;
    use tokio::io::AsyncReadExt;

    struct Proxying {
        at: SocketAddrV4,
        allow: Arc<Tally>,
        deny: Arc<Tally>,
        _running: Running,
    }

    /// A proxy that connects to this port.
    async fn proxy(port: u16) -> Proxying {
        let (allow, deny) = (tally(), tally());
        let proxy = Arc::new(Proxy {
            ports: vec![port],
            onward: onward(),
            allow: allow.clone(),
            deny: deny.clone(),
        });
        let (at, running) = serve(move |stream, _| proxy.clone().handle(stream)).await;
        Proxying {
            at,
            allow,
            deny,
            _running: running,
        }
    }

    /// The first line of the answer to a request, and the connection after the answer's head.
    async fn ask(proxy: &Proxying, request: &str) -> (String, TcpStream) {
        let mut client = connect(proxy.at).await;
        client.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(soon(client.read_u8()).await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        (head.lines().next().unwrap().to_owned(), client)
    }

    fn connect_to(target: impl std::fmt::Display) -> String {
        format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n")
    }

    #[tokio::test]
    async fn a_tunnel_carries_both_ways_and_ends_one_way_at_a_time() {
        let (server, _running) = echo().await;
        let proxy = proxy(server.port()).await;
        let (status, mut client) = ask(&proxy, &connect_to(server)).await;
        assert_eq!(status, "HTTP/1.1 200 OK");
        assert_eq!(echoed(&mut client, "a datagram").await, "a datagram");
        client.write_all(b"the last").await.unwrap();
        client.shutdown().await.unwrap();
        let mut rest = String::new();
        soon(client.read_to_string(&mut rest)).await.unwrap();
        assert_eq!(rest, "the last");
        assert_eq!((count(&proxy.allow), count(&proxy.deny)), (1, 0));
        assert_eq!(proxy.allow.read().bytes, 36);
    }

    #[tokio::test]
    async fn what_a_client_sends_before_the_answer_is_not_lost() {
        let (server, _running) = echo().await;
        let proxy = proxy(server.port()).await;
        let request = format!("{}at once", connect_to(server));
        let (_, mut client) = ask(&proxy, &request).await;
        let mut answer = [0; 7];
        soon(client.read_exact(&mut answer)).await.unwrap();
        assert_eq!(&answer, b"at once");
    }

    #[tokio::test]
    async fn what_it_does_not_do_it_refuses_and_counts() {
        let proxy = proxy(443).await;
        for (request, status) in [
            (connect_to("turn.example.net:25"), "403 Forbidden"),
            (
                "GET http://turn.example.net/ HTTP/1.1\r\nHost: turn.example.net\r\n\r\n"
                    .to_owned(),
                "405 Method Not Allowed",
            ),
            (connect_to("turn.example.net"), "400 Bad Request"),
            (connect_to("user@turn.example.net:443"), "400 Bad Request"),
        ] {
            let (answered, _) = ask(&proxy, &request).await;
            assert_eq!(answered, format!("HTTP/1.1 {status}"), "{request}");
        }
        assert_eq!((count(&proxy.allow), count(&proxy.deny)), (0, 4));
    }

    #[tokio::test]
    async fn what_is_no_http_or_too_much_of_it_is_refused() {
        let proxy = proxy(443).await;
        let (answered, _) = ask(&proxy, "\u{3}\0\0 no HTTP\r\n\r\n").await;
        assert_eq!(answered, "HTTP/1.1 400 Bad Request");
        let long = format!(
            "CONNECT a:443 HTTP/1.1\r\nX: {}\r\n\r\n",
            "x".repeat(17_000)
        );
        let (answered, _) = ask(&proxy, &long).await;
        assert_eq!(answered, "HTTP/1.1 431 Request Header Fields Too Large");
    }

    #[tokio::test]
    async fn servers_that_refuse_or_have_no_address_are_bad_gateways() {
        let closed = closed_port();
        let proxy = proxy(closed.port()).await;
        for target in [
            closed.to_string(),
            format!("turn.example.net:{}", closed.port()),
        ] {
            let (answered, _) = ask(&proxy, &connect_to(target)).await;
            assert_eq!(answered, "HTTP/1.1 502 Bad Gateway");
        }
        assert_eq!((count(&proxy.allow), count(&proxy.deny)), (0, 0));
    }

    #[test]
    fn silence_of_a_server_is_a_gateway_timeout() {
        let answer = Refusal::no_way("turn.example.net:443", &ErrorKind::TimedOut.into());
        assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_finish_its_request_is_let_go() {
        let proxy = proxy(443).await;
        let mut client = connect(proxy.at).await;
        client.write_all(b"CONNECT turn.ex").await.unwrap();
        let mut rest = Vec::new();
        soon(client.read_to_end(&mut rest)).await.unwrap();
    }
}
