//! Answering a captive portal's login page, as a person with a browser does.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue, LOCATION};
use hyper::{HeaderMap, Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::net::{SocketAddr, SocketAddrV4};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

/// How long the portal may take for one page.
const PAGE_WITHIN: Duration = Duration::from_secs(3);

/// The longest page.
const PAGE_BYTES: usize = 64 * 1024;

/// The host that a browser asks for to find out whether it is behind a portal; any name would do.
const CHECKED_HOST: &str = "connectivitycheck.example";

/// What the form is answered with.
const FORM: &str = "accept=yes";

/// The login did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// No page came.
    #[error("failed to get {url} from the captive portal {portal}: {reason}")]
    NoPage {
        /// What was asked for.
        url: String,
        /// Of whom.
        portal: SocketAddrV4,
        /// Why none came.
        reason: String,
    },
    /// Another page than expected came.
    #[error(
        "failed to log in at the captive portal {portal}: {url} was answered with {found}, not with {awaited}"
    )]
    OtherPage {
        /// What was asked for.
        url: String,
        /// Of whom.
        portal: SocketAddrV4,
        /// What came.
        found: String,
        /// What should have come.
        awaited: &'static str,
    },
}

/// Asks for a page, is redirected to the portal's login page, sends its form, and asks for the first page
/// again, which must not be redirected any more.
///
/// All over one connection, which the portal goes on to answer when its rules let this peer no longer come to
/// it.
///
/// # Errors
///
/// When one of these steps comes out otherwise.
pub(super) async fn log_in(portal: SocketAddrV4) -> Result<(), LoginError> {
    let checked = format!("http://{CHECKED_HOST}/");
    let mut browser = Browser::open(portal, &checked).await?;
    let first = browser.get(&checked).await?;
    let Some(login) = first.location().filter(|_| first.status.is_redirection()) else {
        return Err(first.other_than("a redirect to a login page"));
    };
    let page = browser.get(&login).await?.ok("a login page")?;
    let Some(form) = page.form_action() else {
        return Err(page.other_than("a form"));
    };
    browser.post(&form, FORM).await?.ok("200")?;
    let last = browser.get(&checked).await?;
    if last.status.is_redirection() {
        return Err(last.other_than("a page, once logged in"));
    }
    Ok(())
}

/// A connection to the portal, whatever host is asked for.
struct Browser {
    portal: SocketAddrV4,
    sender: SendRequest<Full<Bytes>>,
    _driver: AbortOnDropHandle<()>,
}

impl Browser {
    async fn open(portal: SocketAddrV4, url: &str) -> Result<Self, LoginError> {
        let opening = async {
            let stream = TcpStream::connect(SocketAddr::V4(portal)).await?;
            let (sender, connection) = handshake(TokioIo::new(stream)).await?;
            let driver = AbortOnDropHandle::new(tokio::spawn(async move {
                // How it ended is told by the answer that did not come.
                let _ = connection.await;
            }));
            Ok((sender, driver))
        };
        let (sender, driver) = within(portal, url, opening).await?;
        Ok(Self {
            portal,
            sender,
            _driver: driver,
        })
    }

    async fn get(&mut self, url: &str) -> Result<Page, LoginError> {
        self.fetch(Method::GET, url, "").await
    }

    async fn post(&mut self, url: &str, form: &'static str) -> Result<Page, LoginError> {
        self.fetch(Method::POST, url, form).await
    }

    async fn fetch(
        &mut self,
        method: Method,
        url: &str,
        form: &'static str,
    ) -> Result<Page, LoginError> {
        let exchange = async {
            let request = request(method, url, form)?;
            self.sender.ready().await?;
            let (head, body) = self.sender.send_request(request).await?.into_parts();
            let body = Limited::new(body, PAGE_BYTES).collect().await?.to_bytes();
            Ok((head, body))
        };
        let (head, body) = within(self.portal, url, exchange).await?;
        Ok(Page {
            portal: self.portal,
            url: url.to_owned(),
            status: head.status,
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}

async fn within<T>(
    portal: SocketAddrV4,
    url: &str,
    step: impl Future<Output = Result<T, Box<dyn Error + Send + Sync>>>,
) -> Result<T, LoginError> {
    let failed = |reason: String| LoginError::NoPage {
        url: url.to_owned(),
        portal,
        reason,
    };
    timeout(PAGE_WITHIN, step)
        .await
        .map_err(|_| failed(format!("no answer in {} s", PAGE_WITHIN.as_secs())))?
        .map_err(|error| failed(in_words(error.as_ref())))
}

/// An error with what caused it, which hyper leaves to the reader.
fn in_words(error: &(dyn Error + Send + Sync)) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn request(
    method: Method,
    url: &str,
    form: &'static str,
) -> Result<Request<Full<Bytes>>, Box<dyn Error + Send + Sync>> {
    let url = Uri::try_from(url)?;
    let host = url.authority().ok_or("the URL has no host")?;
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::new(Full::new(Bytes::from_static(form.as_bytes())));
    *request.method_mut() = method;
    *request.uri_mut() = path.parse()?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::try_from(host.as_str())?);
    if !form.is_empty() {
        let urlencoded = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, urlencoded);
    }
    Ok(request)
}

/// What came back.
struct Page {
    portal: SocketAddrV4,
    url: String,
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Page {
    fn ok(self, awaited: &'static str) -> Result<Self, LoginError> {
        if self.status == StatusCode::OK {
            return Ok(self);
        }
        Err(self.other_than(awaited))
    }

    fn other_than(&self, awaited: &'static str) -> LoginError {
        LoginError::OtherPage {
            url: self.url.clone(),
            portal: self.portal,
            found: self.status.to_string(),
            awaited,
        }
    }

    fn location(&self) -> Option<String> {
        let location = self.headers.get(LOCATION)?.to_str().ok()?;
        Some(self.relative(location))
    }

    /// Where the page's first form is sent.
    fn form_action(&self) -> Option<String> {
        let (_, form) = self.body.split_once("<form")?;
        let (_, action) = form.split_once("action=\"")?;
        let (action, _) = action.split_once('"')?;
        Some(self.relative(action))
    }

    /// A reference on this page as a URL: absolute, or a path on its host (RFC 3986 section 4.2).
    fn relative(&self, reference: &str) -> String {
        if reference.contains("://") {
            return reference.to_owned();
        }
        let start = self.url.find("://").map_or(0, |at| at + 3);
        let end = self.url[start..]
            .find('/')
            .map_or(self.url.len(), |at| start + at);
        format!("{}{reference}", &self.url[..end])
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use std::net::Ipv4Addr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// What comes of a portal that gives these answers and then closes the connection.
    async fn with_answers(answers: &[&str]) -> Result<(), LoginError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let SocketAddr::V4(portal) = listener.local_addr().unwrap() else {
            panic!("no IPv4 address");
        };
        let serving = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            for answer in answers {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await.unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            drop(stream);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            done = log_in(portal) => done,
            () = serving => unreachable!(),
        }
    }

    const REDIRECT: &str =
        "HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/login\r\nContent-Length: 0\r\n\r\n";
    const FORM: &str = "HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n<form action=\"/go\"></form>";
    const NO_FORM: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";

    #[tokio::test]
    async fn each_step_must_come_out_as_with_a_portal() {
        assert!(
            with_answers(&[REDIRECT, FORM, NO_FORM, NO_FORM])
                .await
                .is_ok()
        );
        for (answers, words) in [
            (&[NO_FORM][..], "not with a redirect"),
            (
                &[REDIRECT, FORBIDDEN],
                "http://10.0.0.1/login was answered with 403",
            ),
            (&[REDIRECT, NO_FORM], "not with a form"),
            (
                &[REDIRECT, FORM, FORBIDDEN],
                "http://10.0.0.1/go was answered with 403",
            ),
            (&[REDIRECT, FORM, NO_FORM, REDIRECT], "once logged in"),
            (&["SSH-2.0\r\n"], "failed to get"),
            (&[], "failed to get"),
        ] {
            let error = with_answers(answers).await.unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
