//! The connection to the Docker Engine, and what kind of engine answered.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::Duration;

use bollard::Docker;

use crate::cgroup;

/// The oldest Docker Engine API that farcall works with (Docker Engine 20.10).
pub const OLDEST_API: ApiVersion = ApiVersion {
    major: 1,
    minor: 41,
};

/// How long the engine may take to say which version it is.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);

/// Where Docker listens unless `DOCKER_HOST` says otherwise.
const LOCAL_SOCKET: &str = "unix:///var/run/docker.sock";

/// A Docker Engine that answered and is new enough.
#[derive(Debug, Clone)]
pub struct Engine {
    /// The client; cloning it is cheap and every clone uses the same engine.
    pub docker: Docker,
    /// What the engine said of itself.
    pub info: EngineInfo,
}

/// What a Docker Engine says of itself (`GET /version`, where nothing else is said).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// Version of the engine, such as `20.10.24`.
    pub version: String,
    /// Newest API version it speaks.
    pub api: ApiVersion,
    /// Release of the kernel that the containers run on.
    pub kernel: String,
    /// Operating system of the containers, `linux` on every engine that can raise a lab.
    pub os: String,
    /// Architecture in Go's words: `amd64`, `arm64`, ...
    pub arch: String,
    /// The control group that a lab's containers are to be in; `None`: where the engine puts them (`GET /info`).
    pub cgroup_parent: Option<&'static str>,
}

/// A version of the Docker Engine API; ordered as versions are (1.9 before 1.41).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion {
    /// The number before the dot.
    pub major: u16,
    /// The number after the dot.
    pub minor: u16,
}

/// Why there is no engine to work with. Each message ends with what to do.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nothing is at the address where Docker should listen.
    #[error(
        "failed to find Docker: nothing listens at {host}\n\
         hint: install Docker Engine {OLDEST_API_ENGINE} or newer and start it, or set DOCKER_HOST to where it listens"
    )]
    Missing {
        /// Address that was tried.
        host: String,
    },
    /// The socket exists, but this user may not use it.
    #[error(
        "failed to connect to Docker: this user is not permitted to use {host}\n\
         hint: add the user to the group `docker` (`sudo usermod -aG docker $USER`, then log in again), or use rootless Docker with DOCKER_HOST"
    )]
    Denied {
        /// Address that was tried.
        host: String,
    },
    /// Something is at the address, but it gave no answer in time, or closed the connection.
    #[error(
        "failed to get an answer from Docker at {host}: {reason}\n\
         hint: see whether the daemon is healthy (`docker version`, `systemctl status docker`), and restart it"
    )]
    Silent {
        /// Address that was tried.
        host: String,
        /// What happened instead of an answer.
        reason: String,
    },
    /// The engine does not speak [`OLDEST_API`].
    #[error(
        "failed to use Docker at {host}: engine {version} speaks API {api}, farcall needs {OLDEST_API} or newer\n\
         hint: upgrade to Docker Engine {OLDEST_API_ENGINE} or newer"
    )]
    TooOld {
        /// Address of the engine.
        host: String,
        /// Version of the engine.
        version: String,
        /// Newest API version it speaks, as it wrote it.
        api: String,
    },
    /// The address in `DOCKER_HOST` makes no sense.
    #[error(
        "failed to read the address of Docker, {host}: {source}\n\
         hint: unset DOCKER_HOST, or set it to unix:///PATH or tcp://HOST:PORT"
    )]
    Address {
        /// Address as it was given.
        host: String,
        /// What is wrong with it.
        source: bollard::errors::Error,
    },
}

/// The first Docker Engine that speaks [`OLDEST_API`].
const OLDEST_API_ENGINE: &str = "20.10";

impl Engine {
    /// Connects to the engine that `DOCKER_HOST` names, or to the local socket, and asks for its
    /// version.
    ///
    /// # Errors
    ///
    /// One [`EngineError`] for each way in which there can be no usable engine.
    pub async fn connect() -> Result<Self, EngineError> {
        let host = std::env::var("DOCKER_HOST").unwrap_or_else(|_| LOCAL_SOCKET.to_owned());
        Self::connect_to(&host).await
    }

    /// Connects to the engine at `host`, in the form of `DOCKER_HOST`.
    ///
    /// # Errors
    ///
    /// As [`Engine::connect`].
    pub async fn connect_to(host: &str) -> Result<Self, EngineError> {
        let docker = Docker::connect_with_host(host).map_err(|error| refusal(host, error))?;
        let said = tokio::time::timeout(ANSWER_DEADLINE, docker.version())
            .await
            .map_err(|_| EngineError::Silent {
                host: host.to_owned(),
                reason: format!("no answer within {} s", ANSWER_DEADLINE.as_secs()),
            })?
            .map_err(|error| refusal(host, error))?;

        let version = said.version.unwrap_or_default();
        let api_text = said.api_version.unwrap_or_default();
        let api = api_text.parse().ok().filter(|api| *api >= OLDEST_API);
        let Some(api) = api else {
            return Err(EngineError::TooOld {
                host: host.to_owned(),
                version,
                api: api_text,
            });
        };
        // An engine that does not say it is used as it is.
        let asked = tokio::time::timeout(ANSWER_DEADLINE, docker.info()).await;
        let system = asked.ok().and_then(Result::ok);
        Ok(Self {
            docker,
            info: EngineInfo {
                version,
                api,
                kernel: said.kernel_version.unwrap_or_default(),
                os: said.os.unwrap_or_default(),
                arch: said.arch.unwrap_or_default(),
                cgroup_parent: system.as_ref().and_then(cgroup::parent),
            },
        })
    }
}

/// Sorts a failure of the first contact into the kinds that a person can do something about.
fn refusal(host: &str, error: bollard::errors::Error) -> EngineError {
    use bollard::errors::Error;

    let host = host.to_owned();
    if matches!(
        error,
        Error::UnsupportedURISchemeError { .. }
            | Error::URLParseError { .. }
            | Error::InvalidURIError { .. }
            | Error::InvalidURIPartsError { .. }
    ) {
        return EngineError::Address {
            host,
            source: error,
        };
    }
    if matches!(error, Error::SocketNotFoundError(_)) {
        return EngineError::Missing { host };
    }
    let kind = match &error {
        // Transparent: it has the message of its cause, and hides it from `source`.
        Error::IOError { err } => Some(err.kind()),
        _ => io_kind(&error),
    };
    match kind {
        Some(io::ErrorKind::PermissionDenied) => EngineError::Denied { host },
        Some(io::ErrorKind::NotFound) => EngineError::Missing { host },
        _ => EngineError::Silent {
            host,
            reason: root_cause(&error),
        },
    }
}

/// The kind of the first I/O error among the causes of `error`.
fn io_kind(error: &(dyn StdError + 'static)) -> Option<io::ErrorKind> {
    causes(error).find_map(|cause| cause.downcast_ref::<io::Error>().map(io::Error::kind))
}

/// The innermost cause: the outer ones only say "client error".
fn root_cause(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&cause| cause.source())
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The text is not two numbers with a dot between them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("failed to read the API version {0:?}: expected MAJOR.MINOR")]
pub struct ApiVersionError(String);

impl FromStr for ApiVersion {
    type Err = ApiVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.split_once('.').and_then(|(major, minor)| {
            Some(Self {
                major: major.parse().ok()?,
                minor: minor.parse().ok()?,
            })
        });
        parsed.ok_or_else(|| ApiVersionError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use std::os::unix::net::UnixListener;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[test]
    fn api_versions_are_ordered_as_numbers() {
        let parse = |text: &str| text.parse::<ApiVersion>().unwrap();
        assert!(parse("1.9") < OLDEST_API);
        assert!(parse("1.40") < OLDEST_API);
        assert!(parse("1.41") >= OLDEST_API);
        assert!(parse("2.0") > parse("1.51"));
        assert_eq!(parse("1.44").to_string(), "1.44");
        for text in ["", "1", "1.", "one.two", "1.41.2"] {
            assert!(text.parse::<ApiVersion>().is_err(), "{text:?}");
        }
    }

    #[tokio::test]
    async fn no_socket_means_docker_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let host = format!("unix://{}/none.sock", dir.path().display());
        let error = Engine::connect_to(&host).await.unwrap_err();
        assert!(matches!(error, EngineError::Missing { .. }), "{error}");
        assert!(error.to_string().contains("hint: install Docker"));
    }

    #[tokio::test]
    async fn a_socket_that_nobody_listens_on_is_silent() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dead.sock");
        drop(UnixListener::bind(&path).unwrap());
        let host = format!("unix://{}", path.display());
        let error = Engine::connect_to(&host).await.unwrap_err();
        assert!(
            matches!(&error, EngineError::Silent { reason, .. } if reason.contains("refused")),
            "{error}"
        );
    }

    #[test]
    fn a_forbidden_socket_is_told_apart() {
        let source = bollard::errors::Error::IOError {
            err: io::Error::from(io::ErrorKind::PermissionDenied),
        };
        let error = refusal("unix:///var/run/docker.sock", source);
        assert!(matches!(error, EngineError::Denied { .. }), "{error}");
    }

    #[tokio::test]
    async fn an_address_of_no_known_kind_is_named() {
        let error = Engine::connect_to("carrier-pigeon://loft")
            .await
            .unwrap_err();
        assert!(matches!(error, EngineError::Address { .. }), "{error}");
    }

    #[tokio::test]
    async fn an_old_engine_is_refused_with_its_version() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("old.sock");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await.unwrap();
            let body = r#"{"Version":"18.09.1","ApiVersion":"1.39"}"#;
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length";
            let answer = format!("{head}: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let host = format!("unix://{}", path.display());
        let error = Engine::connect_to(&host).await.unwrap_err();
        assert!(matches!(error, EngineError::TooOld { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("18.09.1") && text.contains("1.39"), "{text}");
    }
}
