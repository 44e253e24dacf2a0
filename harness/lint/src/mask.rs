//! Hiding what may be a credential in text that is shown.

use crate::configuration::{Configuration, Field};
use crate::url::{Fault, Reading};
use farcall_literal::Span;
use std::collections::{BTreeMap, BTreeSet};

/// Words of configurations that may be shown wherever they stand.
const HARMLESS: [&str; 9] = [
    "all",
    "balanced",
    "credential",
    "iceServers",
    "max-bundle",
    "password",
    "relay",
    "urls",
    "username",
];

/// What some write into URLs together with a secret.
const MAY_HOLD_SECRETS: [Fault; 3] = [Fault::User, Fault::UnknownQuery, Fault::UnknownTransport];

/// What of a text may not be shown: every literal and every comment, but for URLs without a secret
/// in them and user names that are no credential as well.
#[derive(Debug)]
pub(crate) struct Mask {
    /// Ends by beginnings. No two overlap.
    hidden: BTreeMap<usize, usize>,
    shown: BTreeMap<usize, usize>,
}

impl Mask {
    /// Hides literals and comments.
    pub fn new(literals: Vec<Span>) -> Self {
        let hidden = literals.into_iter().map(|span| (span.start, span.end));
        Self {
            hidden: hidden.collect(),
            shown: BTreeMap::new(),
        }
    }

    /// Shows the URLs and user names of a configuration, but for those that may be or hold credentials.
    pub fn show(&mut self, configuration: &Configuration) {
        let servers = || configuration.servers.iter();
        let secrets: BTreeSet<&str> = servers()
            .filter_map(|server| server.credential.text())
            .filter(|secret| !secret.is_empty())
            .collect();
        for server in servers() {
            if let Field::Text(name, span) = &server.username
                && !secrets.iter().any(|secret| name.expose().contains(secret))
            {
                self.shown.insert(span.start, span.end);
            }
            for written in &server.urls {
                if let Reading::Url(url) = &written.reading
                    && !url
                        .faults
                        .iter()
                        .any(|fault| MAY_HOLD_SECRETS.contains(fault))
                {
                    self.shown.insert(written.span.start, written.span.end);
                }
            }
        }
    }

    /// A part of the text with everything hidden that may not be shown. Each byte that is hidden
    /// becomes a `*`, so that all places stay where they are.
    pub fn apply(&self, text: &str, part: &Span) -> String {
        let before_end = self.hidden.range(..part.end).rev();
        let overlapping: Vec<Span> = before_end
            .take_while(|(_, end)| part.start < **end)
            .map(|(start, end)| *start..*end)
            .filter(|hidden| !self.may_show(text, hidden))
            .collect();
        let mut masked = String::with_capacity(part.len());
        let mut each = overlapping.into_iter().rev().peekable();
        for (at, character) in text.get(part.clone()).unwrap_or_default().char_indices() {
            let at = part.start + at;
            while each.next_if(|hidden| hidden.end <= at).is_some() {}
            if each.peek().is_some_and(|hidden| hidden.contains(&at)) {
                masked.extend(std::iter::repeat_n('*', character.len_utf8()));
            } else {
                masked.push(character);
            }
        }
        masked
    }

    fn may_show(&self, text: &str, hidden: &Span) -> bool {
        let literal = text.get(hidden.clone()).unwrap_or_default();
        let around = self.shown.range(..=hidden.start).next_back();
        HARMLESS.contains(&literal)
            || is_harmless_url(literal)
            || around.is_some_and(|(_, end)| hidden.end <= *end)
    }
}

/// Some people write user and password into the URL, or a token after the `?`.
fn is_harmless_url(text: &str) -> bool {
    let is_ice = ["stun:", "stuns:", "turn:", "turns:"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
    let query = match text.split_once('?') {
        None => true,
        Some((_, query)) => query
            .strip_prefix("transport=")
            .is_some_and(|transport| transport.len() <= 5 && plain(transport)),
    };
    is_ice && !text.contains('@') && query
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("turn:turn.example.net:443?transport=tcp", true)]
    #[case("turn:turn.example.net?transport=tls", true)]
    #[case("turn:me:hunter2@turn.example.net", false)]
    #[case("turn:turn.example.net?token=hunter2", false)]
    #[case("turn:turn.example.net?transport=hunter2", false)]
    #[case("https://example.net/hunter2", false)]
    fn a_url_is_shown_where_no_secret_can_be_in_it(#[case] text: &str, #[case] harmless: bool) {
        assert_eq!(is_harmless_url(text), harmless);
    }

    #[test]
    fn what_is_hidden_keeps_its_length() {
        let text = "ü = 'hünter2'; 'relay'";
        let mask = Mask::new(vec![6..14, 18..23]);
        let masked = mask.apply(text, &(0..text.len()));
        assert_eq!(masked, "ü = '********'; 'relay'");
        assert_eq!(mask.apply(text, &(12..15)), "**'");
    }
}
