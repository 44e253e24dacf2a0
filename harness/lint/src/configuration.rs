//! A configuration as it was written: with its mistakes, and with the place of each part.

use crate::url::{self, Reading, Url};
use farcall_literal::{Entry, HOLE, Kind, Span, Value, Written};
use farcall_scenario::Secret;

/// An ICE configuration.
#[derive(Debug)]
pub(crate) struct Configuration {
    /// The function, method or variable that it stands in.
    pub name: Option<String>,
    /// The place of `iceServers`, or of the list.
    pub span: Span,
    pub servers: Vec<Server>,
    pub policy: Option<Field>,
    /// Places of entries that only the running program knows.
    pub computed: Vec<Span>,
}

/// An entry of `iceServers`.
#[derive(Debug)]
pub(crate) struct Server {
    /// Its path, such as `iceServers[2]`.
    pub path: String,
    pub span: Span,
    pub urls: Vec<WrittenUrl>,
    pub username: Field,
    pub credential: Field,
    /// What keeps it from being an entry, with its place.
    pub mistakes: Vec<(Mistake, Span)>,
}

/// A URL of an entry.
#[derive(Debug)]
pub(crate) struct WrittenUrl {
    /// Its path, such as `iceServers[2].urls[0]`.
    pub path: String,
    pub span: Span,
    pub reading: Reading,
}

/// A text of an entry. Its `Debug` shows none of it.
#[derive(Debug)]
pub(crate) enum Field {
    Missing,
    /// Known when the program runs.
    Computed(Span),
    Text(Secret, Span),
    /// Not a text.
    Other(Span),
}

/// What keeps something from being an entry of `iceServers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    NoObject,
    NoUrls,
    EmptyUrls,
    UrlsOfWrongType,
    /// `url`, which `urls` replaced.
    RetiredUrl,
    /// `password`, which is called `credential`.
    Password,
}

impl Configuration {
    /// What is written, with its mistakes.
    pub fn read(written: &Written) -> Self {
        let mut servers = Vec::new();
        let mut computed = Vec::new();
        for (index, value) in written.servers.members().into_iter().enumerate() {
            match value.kind {
                Kind::Computed => computed.push(value.span.clone()),
                _ => servers.push(Server::read(format!("iceServers[{index}]"), value)),
            }
        }
        Self {
            name: written.name.clone(),
            span: written.span.clone(),
            servers,
            policy: written.policy().map(Field::read),
            computed,
        }
    }

    /// Whether all URLs are known, so that what is not among them is missing.
    pub fn is_complete(&self) -> bool {
        let is_known = |url: &WrittenUrl| match &url.reading {
            Reading::Url(url) => url.port != 0 && url.transport != url::Transport::Computed,
            Reading::Broken(_) => true,
            Reading::Computed => false,
        };
        self.computed.is_empty()
            && self
                .servers
                .iter()
                .flat_map(|server| &server.urls)
                .all(is_known)
    }

    /// All URLs that mean something, with the entry that each belongs to.
    pub fn urls(&self) -> impl Iterator<Item = (&Server, &WrittenUrl, &Url)> {
        self.servers.iter().flat_map(|server| {
            let each = server.urls.iter();
            each.filter_map(move |written| Some((server, written, written.url()?)))
        })
    }

    /// Those of [`urls`](Self::urls) that are TURN.
    pub fn turn_urls(&self) -> impl Iterator<Item = (&Server, &WrittenUrl, &Url)> {
        self.urls().filter(|(_, _, url)| url.is_turn())
    }

    /// The policy, where it is written.
    pub fn policy(&self) -> Option<&str> {
        self.policy.as_ref().and_then(Field::text)
    }
}

impl WrittenUrl {
    fn url(&self) -> Option<&Url> {
        match &self.reading {
            Reading::Url(url) => Some(url),
            Reading::Broken(_) | Reading::Computed => None,
        }
    }
}

impl Server {
    fn read(path: String, value: &Value) -> Self {
        let mut server = Self {
            urls: Vec::new(),
            username: Field::of(value.get("username")),
            credential: Field::of(value.get("credential")),
            mistakes: Vec::new(),
            span: value.span.clone(),
            path,
        };
        if !matches!(value.kind, Kind::Table(_)) {
            let mistake = (Mistake::NoObject, value.span.clone());
            server.mistakes.push(mistake);
            return server;
        }
        server.read_urls(value);
        if let (Field::Missing, Some(password)) = (&server.credential, value.get("password")) {
            let mistake = (Mistake::Password, password.key_span.clone());
            server.mistakes.push(mistake);
            server.credential = Field::read(&password.value);
        }
        server
    }

    fn read_urls(&mut self, value: &Value) {
        let (entry, key) = match (value.get("urls"), value.get("url")) {
            (Some(entry), _) => (entry, "urls"),
            (None, Some(retired)) => {
                let mistake = (Mistake::RetiredUrl, retired.key_span.clone());
                self.mistakes.push(mistake);
                (retired, "url")
            }
            (None, None) => {
                self.mistakes.push((Mistake::NoUrls, self.span.clone()));
                return;
            }
        };
        let is_list = matches!(entry.value.kind, Kind::List(_));
        let members = entry.value.members();
        if members.is_empty() {
            let mistake = (Mistake::EmptyUrls, entry.value.span.clone());
            self.mistakes.push(mistake);
        }
        for (index, member) in members.into_iter().enumerate() {
            let reading = match &member.kind {
                Kind::Text(text) => url::read(text),
                Kind::Computed => Reading::Computed,
                _ => {
                    let mistake = (Mistake::UrlsOfWrongType, member.span.clone());
                    self.mistakes.push(mistake);
                    continue;
                }
            };
            self.urls.push(WrittenUrl {
                path: if is_list {
                    format!("{}.{key}[{index}]", self.path)
                } else {
                    format!("{}.{key}", self.path)
                },
                span: member.span.clone(),
                reading,
            });
        }
    }

    /// Whether any of its URLs is TURN.
    pub fn is_turn(&self) -> bool {
        let mut urls = self.urls.iter().filter_map(WrittenUrl::url);
        urls.any(Url::is_turn)
    }
}

impl Field {
    fn of(entry: Option<&Entry>) -> Self {
        entry.map_or(Self::Missing, |entry| Self::read(&entry.value))
    }

    fn read(value: &Value) -> Self {
        let span = value.span.clone();
        match &value.kind {
            Kind::Text(text) if text.contains(HOLE) => Self::Computed(span),
            Kind::Text(text) => Self::Text(Secret::new(text), span),
            Kind::Computed | Kind::Either(_) => Self::Computed(span),
            Kind::Null(_) => Self::Missing,
            Kind::List(_) | Kind::Table(_) | Kind::Number(_) | Kind::Bool(_) => Self::Other(span),
        }
    }

    /// The text, where there is one that is known.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text, _) => Some(text.expose()),
            Self::Missing | Self::Computed(_) | Self::Other(_) => None,
        }
    }

    /// Where it is written.
    pub fn span(&self) -> Option<&Span> {
        match self {
            Self::Missing => None,
            Self::Computed(span) | Self::Text(_, span) | Self::Other(span) => Some(span),
        }
    }
}
