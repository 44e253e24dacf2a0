//! A captive portal: everybody is sent to its login page until they have answered it (RFC 8952 section 1).

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use farcall_plan::LOGGED_IN_SET;
use farcall_timeline::Event;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, HOST, HeaderValue, LOCATION};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::StartHandshake;

use super::authority::{CertificateError, self_signed};
use super::hello::{self, Beginning};
use super::http;
use super::splice::reset;
use crate::Outlet;
use crate::counters::Tally;
use crate::tool::{self, ToolError};

/// Whom its certificate names, whatever name is asked for.
const COMMON_NAME: &str = "Captive Portal";
const CERTIFICATE_NAME: &str = "portal.local";

/// How long a whole connection may take.
const WITHIN: Duration = Duration::from_secs(30);

/// The longest answer to the login page.
const FORM_BYTES: usize = 4096;

/// Where the login page is.
const LOGIN_PATH: &str = "/login";

const LOGIN_PAGE: &str = "<!DOCTYPE html>\n<title>Welcome</title>\n<h1>Welcome to this network</h1>\n\
    <form method=\"post\" action=\"/login\"><button name=\"accept\" value=\"yes\">Accept the terms and \
    connect</button></form>\n";

const WELCOME_PAGE: &str =
    "<!DOCTYPE html>\n<title>Connected</title>\n<h1>You are connected</h1>\n";

/// Lets an address through from now on.
pub(super) trait LetThrough: Send + Sync + 'static {
    /// Does it.
    fn let_through(&self, address: Ipv4Addr) -> impl Future<Output = Result<(), ToolError>> + Send;
}

impl<F, R> LetThrough for F
where
    F: Fn(Ipv4Addr) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), ToolError>> + Send,
{
    fn let_through(&self, address: Ipv4Addr) -> impl Future<Output = Result<(), ToolError>> + Send {
        self(address)
    }
}

/// Puts an address into the rules' set of those logged in.
pub(super) async fn into_rules(address: Ipv4Addr) -> Result<(), ToolError> {
    let element = format!("{{ {address} }}");
    let command = [
        "nft",
        "add",
        "element",
        "inet",
        "farcall",
        LOGGED_IN_SET,
        &element,
    ];
    tool::run(&command, "").await.map(drop)
}

/// A captive portal.
pub(super) struct Portal<L> {
    address: SocketAddrV4,
    tls: Arc<ServerConfig>,
    logged_in: Mutex<BTreeSet<Ipv4Addr>>,
    let_through: L,
    redirect: Arc<Tally>,
    login: Arc<Tally>,
    outlet: Outlet,
}

impl<L: LetThrough> Portal<L> {
    /// A portal that speaks HTTP at this address.
    pub fn new(
        address: SocketAddrV4,
        let_through: L,
        redirect: Arc<Tally>,
        login: Arc<Tally>,
        outlet: &Outlet,
    ) -> Result<Self, CertificateError> {
        Ok(Self {
            address,
            tls: self_signed(COMMON_NAME, CERTIFICATE_NAME)?,
            logged_in: Mutex::default(),
            let_through,
            redirect,
            login,
            outlet: outlet.clone(),
        })
    }

    /// Handles a connection to its end.
    pub async fn handle(self: Arc<Self>, stream: TcpStream, client: Ipv4Addr) {
        // A client that is too slow is let go.
        let _ = timeout(WITHIN, self.speak_http(stream, client)).await;
    }

    /// As [`handle`](Self::handle), inside TLS. What is no TLS is reset.
    pub async fn handle_tls(self: Arc<Self>, mut stream: TcpStream, client: Ipv4Addr) {
        let hello = match hello::read(&mut stream).await {
            Beginning::Tls(hello) => hello,
            Beginning::Other => return reset(stream),
            Beginning::Nothing => return,
        };
        // Hardly a client gets further than to the certificate.
        self.redirect.count();
        let whole = async {
            let accepting = StartHandshake::from_parts(hello.accepted, stream);
            if let Ok(stream) = accepting.into_stream(self.tls.clone()).await {
                self.speak_http(stream, client).await;
            }
        };
        let _ = timeout(WITHIN, whole).await;
    }

    async fn speak_http(
        self: &Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        client: Ipv4Addr,
    ) {
        let service = service_fn(|request| {
            let portal = self.clone();
            async move { Ok::<_, Infallible>(portal.answer(request, client).await) }
        });
        // A request that cannot be read, or a client that is gone, ends the connection.
        let _ = http::server()
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    async fn answer(&self, request: Request<Incoming>, client: Ipv4Addr) -> Response<Full<Bytes>> {
        if self.is_asked_by_name(&request) && request.uri().path() == LOGIN_PATH {
            return match *request.method() {
                Method::GET | Method::HEAD => page(StatusCode::OK, LOGIN_PAGE),
                Method::POST => self.log_in(request, client).await,
                _ => page(StatusCode::METHOD_NOT_ALLOWED, ""),
            };
        }
        if self.knows(client) {
            return page(StatusCode::OK, WELCOME_PAGE);
        }
        self.redirect.count();
        self.redirection()
    }

    async fn log_in(&self, request: Request<Incoming>, client: Ipv4Addr) -> Response<Full<Bytes>> {
        let form = Limited::new(request.into_body(), FORM_BYTES)
            .collect()
            .await;
        if form.is_err() {
            return page(StatusCode::BAD_REQUEST, "");
        }
        if let Err(error) = self.let_through.let_through(client).await {
            self.outlet.event(Event::HarnessFault {
                message: format!("failed to log {client} in at the captive portal: {error}"),
            });
            return page(StatusCode::INTERNAL_SERVER_ERROR, "");
        }
        self.login.count();
        let mut logged_in = self
            .logged_in
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        logged_in.insert(client);
        page(StatusCode::OK, WELCOME_PAGE)
    }

    /// Whether a request is meant for the portal itself, not for a host whose traffic is brought here.
    fn is_asked_by_name(&self, request: &Request<Incoming>) -> bool {
        let host = request.headers().get(HOST);
        let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
        host == self.authority() || host == self.address.to_string()
    }

    fn knows(&self, client: Ipv4Addr) -> bool {
        let logged_in = self
            .logged_in
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        logged_in.contains(&client)
    }

    fn redirection(&self) -> Response<Full<Bytes>> {
        let mut response = page(StatusCode::FOUND, "");
        let location = format!("http://{}{LOGIN_PATH}", self.authority());
        // An address and a port are always a valid value.
        if let Ok(location) = HeaderValue::try_from(location) {
            response.headers_mut().insert(LOCATION, location);
        }
        response
    }

    /// As it stands in a URL: without HTTP's own port.
    fn authority(&self) -> String {
        match self.address.port() {
            80 => self.address.ip().to_string(),
            _ => self.address.to_string(),
        }
    }
}

/// What depends on whether somebody has logged in must not be cached (RFC 8952 section 2.1).
fn page(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    let mut response = http::answer(status, "text/html; charset=utf-8", body);
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::super::authority::Authority;
    use super::super::testing::{Running, connect, count, serve, soon, tally, tls_connect};
    use super::*;
    use std::io::ErrorKind;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    type Addresses = Arc<Mutex<Vec<Ipv4Addr>>>;

    struct Portalled {
        at: SocketAddrV4,
        tls: SocketAddrV4,
        let_through: Addresses,
        redirect: Arc<Tally>,
        login: Arc<Tally>,
        _running: [Running; 2],
    }

    async fn portal() -> Portalled {
        // The portal must know its address before it listens.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = super::super::testing::v4(listener.local_addr().unwrap());
        let (outlet, _said) = Outlet::new();
        let (redirect, login) = (tally(), tally());
        let let_through = Addresses::default();
        let through = let_through.clone();
        let record = move |address| {
            through.lock().unwrap().push(address);
            std::future::ready(Ok(()))
        };
        let portal = Portal::new(at, record, redirect.clone(), login.clone(), &outlet);
        let portal = Arc::new(portal.unwrap());
        let plain = portal.clone();
        let serving = tokio::spawn(async move {
            while let Ok((stream, client)) = listener.accept().await {
                let client = *super::super::testing::v4(client).ip();
                tokio::spawn(plain.clone().handle(stream, client));
            }
        });
        let (tls, running) =
            serve(move |stream, client| portal.clone().handle_tls(stream, *client.ip())).await;
        Portalled {
            at,
            tls,
            let_through,
            redirect,
            login,
            _running: [Running::new(serving), running],
        }
    }

    async fn ask(portal: &Portalled, method: &str, host: &str, path: &str) -> String {
        let mut client = connect(portal.at).await;
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        soon(client.read_to_string(&mut answer)).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn every_request_is_redirected_to_the_login_page_until_it_is_answered() {
        let portal = portal().await;
        let host = portal.at.to_string();
        for (asked, path) in [
            ("www.example.com", "/"),
            // The login page of somebody else.
            ("www.example.com", "/login"),
            (host.as_str(), "/"),
        ] {
            let answer = ask(&portal, "GET", asked, path).await;
            assert!(answer.starts_with("HTTP/1.1 302 Found\r\n"), "{answer}");
            let location = format!("location: http://{host}/login\r\n");
            assert!(answer.contains(&location), "{answer}");
        }
        let page = ask(&portal, "GET", &host, "/login").await;
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
        assert!(
            page.contains("<form method=\"post\" action=\"/login\">"),
            "{page}"
        );
        assert!(portal.let_through.lock().unwrap().is_empty());

        let answer = ask(&portal, "POST", &host, "/login").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert_eq!(*portal.let_through.lock().unwrap(), [Ipv4Addr::LOCALHOST]);
        let answer = ask(&portal, "GET", "www.example.com", "/").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert_eq!((count(&portal.redirect), count(&portal.login)), (3, 1));
    }

    #[tokio::test]
    async fn a_person_with_a_browser_logs_in() {
        let portal = portal().await;
        let (outlet, _said) = Outlet::new();
        let identity = crate::peer::PeerIdentity {
            local_ips: Vec::new(),
            ca_pem: String::new(),
            muted: true,
        };
        let peer = crate::peer::Peer::new(identity, outlet);
        peer.log_in(portal.at).await.unwrap();
        assert_eq!(*portal.let_through.lock().unwrap(), [Ipv4Addr::LOCALHOST]);
        // Who is logged in already is not redirected, and has no portal to log in at.
        let error = peer.log_in(portal.at).await.unwrap_err().to_string();
        assert!(error.contains("a redirect to a login page"), "{error}");
    }

    #[tokio::test]
    async fn its_certificate_is_trusted_by_nobody() {
        let portal = portal().await;
        let lab = Authority::new("Lab").unwrap();
        let error = tls_connect(portal.tls, "turn.example.net", &lab)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
        assert_eq!(count(&portal.redirect), 1);
    }

    #[tokio::test]
    async fn what_is_no_tls_is_reset_at_the_port_for_tls() {
        let portal = portal().await;
        let mut client = connect(portal.tls).await;
        client.write_all(b"farcall probe\r\n").await.unwrap();
        let end = soon(client.read_u8()).await.unwrap_err().kind();
        assert_eq!(end, ErrorKind::ConnectionReset);
    }
}
