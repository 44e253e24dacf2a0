//! User names and credentials: there, short enough, and nobody else's.

use super::time_limited;
use crate::configuration::{Configuration, Field, Server};
use crate::finding::Draft;
use crate::rule::{Rule, Severity};
use crate::url::Host;
use farcall_literal::Span;
use std::collections::BTreeSet;

/// The longest user name that browsers take, in bytes of UTF-8; RFC 8489 section 14.3 has fewer than that.
const LONGEST_USERNAME_BYTES: usize = 509;

/// An account that is published.
struct Published {
    /// The host, where it is the host that is known.
    host: Option<&'static str>,
    /// User name and credential, where it is they that are known.
    account: Option<(&'static str, &'static str)>,
    severity: Severity,
    says: &'static str,
}

/// Those that are copied most.
const PUBLISHED: [Published; 5] = [
    Published {
        host: Some("numb.viagenie.ca"),
        account: None,
        severity: Severity::Error,
        says: "numb.viagenie.ca was shut down",
    },
    Published {
        host: None,
        account: Some(("openrelayproject", "openrelayproject")),
        severity: Severity::Warning,
        says: "this is the published account of the Open Relay Project",
    },
    Published {
        host: Some("relay.backups.cz"),
        account: Some(("webrtc", "webrtc")),
        severity: Severity::Warning,
        says: "this account of relay.backups.cz stands in lists of free TURN servers",
    },
    Published {
        host: Some("turn.anyfirewall.com"),
        account: Some(("webrtc", "webrtc")),
        severity: Severity::Warning,
        says: "this account of turn.anyfirewall.com stands in lists of free TURN servers",
    },
    Published {
        host: Some("turn.bistri.com"),
        account: Some(("homeo", "homeo")),
        severity: Severity::Warning,
        says: "this account of turn.bistri.com stands in lists of free TURN servers",
    },
];

pub(super) fn examine(configuration: &Configuration) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut told = BTreeSet::new();
    let mut told_public = BTreeSet::new();
    for server in configuration
        .servers
        .iter()
        .filter(|server| server.is_turn())
    {
        drafts.extend(incomplete(server));
        if let Some(published) = published(server) {
            // Who has copied one has copied it more than once.
            if told_public.insert(published.says) {
                drafts.push(public(server, published));
            }
        } else if let Some(account) = long_lived(server)
            && told.insert(account)
        {
            drafts.push(static_account(server));
        }
    }
    drafts
}

fn incomplete(server: &Server) -> Vec<Draft> {
    let draft = |span: &Span, message: String| {
        Draft::new(Rule::IncompleteAccount, &server.path, span, message)
            .so("`new RTCPeerConnection` throws an InvalidAccessError: there is no call, in any network")
    };
    let mut drafts = Vec::new();
    for (key, field) in [
        ("username", &server.username),
        ("credential", &server.credential),
    ] {
        let span = field.span().unwrap_or(&server.span);
        let found = match field {
            Field::Missing => format!("the TURN entry has no `{key}`"),
            Field::Other(_) => format!("`{key}` is not a text"),
            Field::Text(text, _) if text.expose().is_empty() => format!("`{key}` is empty"),
            Field::Text(text, _)
                if key == "username" && text.expose().len() > LONGEST_USERNAME_BYTES =>
            {
                let length = text.expose().len();
                let draft = draft(span, format!("`username` has {length} bytes"));
                drafts.push(draft.write(format!(
                    "write one of at most {LONGEST_USERNAME_BYTES} bytes of UTF-8"
                )));
                continue;
            }
            Field::Text(..) | Field::Computed(_) => continue,
        };
        let draft = draft(span, found);
        drafts.push(draft.write(format!(
            "write the server's `{key}` beside `urls`; TURN without an account is an open relay"
        )));
    }
    drafts
}

fn published(server: &Server) -> Option<&'static Published> {
    let account = server.username.text().zip(server.credential.text());
    let has_host = |known: &str| {
        let mut hosts = server
            .urls
            .iter()
            .filter_map(|written| match &written.reading {
                crate::url::Reading::Url(url) => Some(&url.host),
                _ => None,
            });
        hosts.any(|host| matches!(host, Host::Name(name) if name == known))
    };
    PUBLISHED.iter().find(|published| {
        published.host.is_none_or(has_host)
            && published.account.is_none_or(|known| account == Some(known))
    })
}

fn public(server: &Server, published: &Published) -> Draft {
    let span = server.username.span().unwrap_or(&server.span);
    let consequence = match published.severity {
        Severity::Error => {
            "No answer comes from it in any network: wherever a relay is needed, there is none by this entry"
        }
        _ => {
            "Everybody shares its limits, and it is changed or closed without notice: then there is no relay, for a \
             phone behind its carrier's NAT and for an office behind its firewall"
        }
    };
    Draft::new(Rule::PublicAccount, &server.path, span, published.says)
        .severity(published.severity)
        .so(consequence)
        .write("use a TURN server of your own, or a provider's, with an account of your own")
        .seen_in(&["mobile-hotspot", "corporate-firewall"])
}

/// An account that is written down whole and does not expire.
fn long_lived(server: &Server) -> Option<(&str, &str)> {
    let account = server.username.text().zip(server.credential.text());
    account.filter(|(username, credential)| {
        let is_written = !username.is_empty() && !credential.is_empty();
        is_written && time_limited::stamp(username).is_none()
    })
}

fn static_account(server: &Server) -> Draft {
    let span = server.username.span().unwrap_or(&server.span);
    Draft::new(
        Rule::LongLivedAccount,
        &server.path,
        span,
        "this account does not expire, and whoever opens the page can read it",
    )
    .so(
        "Strangers relay through the server at your expense, and when its quota is used up your own calls get \
         no relay in the networks that need one",
    )
    .write(
        "have your application's server hand out a user name `<unix seconds>:<id>` and its HMAC for each session \
         (coturn: `use-auth-secret`)",
    )
}
