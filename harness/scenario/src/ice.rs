//! ICE configurations as an application already has them (W3C `RTCConfiguration`): JSON, or the literals of a program.

mod check;
mod read;
mod url;
mod written;

pub use url::IceUrlError;

use crate::document::SyntaxError;
use crate::file;
use crate::problem::{InputError, Problems};
use crate::read::{Source, unplaced};
use crate::{IceTransportPolicy, Secret};
use farcall_timeline::IceTransport;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// An application's ICE configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IceConfiguration {
    /// What it is called in results: `production`, or a file's name without its extension.
    pub name: String,
    /// The servers in order.
    pub ice_servers: Vec<IceServer>,
    /// `iceTransportPolicy`, where it is set.
    pub ice_transport_policy: Option<IceTransportPolicy>,
}

/// An entry of `iceServers` (W3C `RTCIceServer`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IceServer {
    /// Its URLs in order.
    pub urls: Vec<IceUrl>,
    /// The user name, for TURN.
    pub username: Option<String>,
    /// The password, for TURN.
    pub credential: Option<Secret>,
}

/// A STUN or TURN URL (RFC 7064, RFC 7065).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IceUrl {
    /// As it was written.
    pub text: String,
    /// Its scheme.
    pub scheme: Scheme,
    /// Its host: a name, in lower case and without the root's dot, an IPv4 literal, or an IPv6 literal in brackets, as
    /// short as RFC 5952 has it.
    pub host: String,
    /// Its port, or the scheme's default: 3478, and 5349 for `turns`.
    pub port: u16,
    /// The transport it names: `turn` without `transport` is UDP, `turns` without it is TLS.
    pub transport: IceTransport,
}

/// A URL's scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// `stun:`
    Stun,
    /// `turn:`
    Turn,
    /// `turns:`
    Turns,
}

/// The configurations that ship, by name.
const SHIPPED: [(&str, &str); 5] = [
    ("production", include_str!("../../../ice/production.json")),
    ("development", include_str!("../../../ice/development.json")),
    ("libwebrtc", include_str!("../../../ice/libwebrtc.json")),
    ("udp-only", include_str!("../../../ice/udp-only.json")),
    ("with-tls", include_str!("../../../ice/with-tls.json")),
];

impl IceConfiguration {
    /// The configuration of the production guide, `ice/production.json`.
    #[must_use]
    pub fn production() -> Self {
        shipped("production")
    }

    /// The configuration with STUN servers alone, `ice/development.json`.
    #[must_use]
    pub fn development() -> Self {
        shipped("development")
    }

    /// The configuration for the networks of libwebrtc's tests, `ice/libwebrtc.json`: as there STUN, and TURN
    /// over UDP; TURN over TCP and TLS beside it, for the networks that have no UDP.
    #[must_use]
    pub fn libwebrtc() -> Self {
        shipped("libwebrtc")
    }

    /// TURN over UDP alone, `ice/udp-only.json`.
    #[must_use]
    pub fn udp_only() -> Self {
        shipped("udp-only")
    }

    /// STUN, and TURN over UDP, TCP and TLS on one server, `ice/with-tls.json`: what the production guide lacks.
    #[must_use]
    pub fn with_tls() -> Self {
        shipped("with-tls")
    }

    /// A configuration that ships as it is written, by name: `production`, `with-tls`.
    #[must_use]
    pub fn shipped_json(name: &str) -> Option<&'static str> {
        let mut shipped = SHIPPED.iter();
        shipped.find_map(|(one, json)| (*one == name).then_some(*json))
    }

    /// Reads an `RTCConfiguration`, or its `iceServers` alone: JSON, in which comments and trailing commas may stand, or
    /// the one that is written in a JavaScript or TypeScript program. `name` is for messages, and says by its extension
    /// which of them it is, as [`farcall_literal::read`] has it.
    ///
    /// `iceTransportPolicy` is honoured. `bundlePolicy`, `rtcpMuxPolicy`, `iceCandidatePoolSize`,
    /// `peerIdentity`, `certificates` and an entry's `credentialType` are checked and have no effect.
    ///
    /// # Errors
    /// With everything that is wrong, each at its place in the text: also what the program computes when it runs, and
    /// each configuration where there are several. No error shows a credential.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        Self::parse_one(name, text, None)
    }

    /// As [`parse`](Self::parse), of a text with several configurations: the one that stands in the function, method,
    /// variable or under the key `chosen`.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and when there is none of that name or several.
    pub fn parse_one(name: &str, text: &str, chosen: Option<&str>) -> Result<Self, Problems> {
        let source = Source {
            kind: "ICE configuration",
            table_name: "an object",
            name,
            text,
        };
        // A text that is not in its language is not quoted: no credential can be told from the rest.
        let document = farcall_literal::read(name, text).map_err(|error| {
            let error = SyntaxError {
                message: error.to_string(),
                hint: "the text is not shown here, for it may hold credentials",
                span: error.span,
            };
            source.syntax(vec![error], false)
        })?;
        let value = written::value(&source, &document, chosen)?;
        let shown = || read::without_credentials(text, &document.literals, &value);
        source.read(&value, shown, |read: &mut Self| {
            name.clone_into(&mut read.name);
            check::check(read)
        })
    }

    /// Reads a file. The configuration is called as the file without directories and extension; errors name the whole
    /// path.
    ///
    /// # Errors
    /// When the file cannot be read, or as [`parse`](Self::parse).
    pub fn load(path: &Path) -> Result<Self, InputError> {
        let mut configuration = Self::load_one(path, None)?;
        if let Some(stem) = path.file_stem() {
            configuration.name = stem.to_string_lossy().into_owned();
        }
        Ok(configuration)
    }

    /// Reads the configuration of that name out of a file that has several. It is called as it is there.
    ///
    /// # Errors
    /// When the file cannot be read, or as [`parse_one`](Self::parse_one).
    pub fn load_named(path: &Path, chosen: &str) -> Result<Self, InputError> {
        let mut configuration = Self::load_one(path, Some(chosen))?;
        chosen.clone_into(&mut configuration.name);
        Ok(configuration)
    }

    fn load_one(path: &Path, chosen: Option<&str>) -> Result<Self, InputError> {
        let text = file::read(path)?;
        Ok(Self::parse_one(&path.display().to_string(), &text, chosen)?)
    }

    /// Checks a configuration that was made in code as one that was read is checked.
    ///
    /// # Errors
    /// With everything that is wrong, each by its path of keys.
    pub fn validate(&self) -> Result<(), Problems> {
        unplaced(
            format!("ICE configuration {}", self.name),
            check::check(self),
        )
    }

    /// All URLs with the entry that each belongs to, in order.
    pub fn urls(&self) -> impl Iterator<Item = (&IceServer, &IceUrl)> {
        self.ice_servers
            .iter()
            .flat_map(|server| server.urls.iter().map(move |url| (server, url)))
    }
}

#[expect(
    clippy::expect_used,
    reason = "the text is compiled in, and a test reads it"
)]
fn shipped(name: &str) -> IceConfiguration {
    let json = IceConfiguration::shipped_json(name).expect("it is among those that ship");
    IceConfiguration::parse(name, json).expect("a configuration that is compiled in can be read")
}
