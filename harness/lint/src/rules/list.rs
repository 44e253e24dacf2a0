//! What the entries are together: twice the same, many, in an order.

use crate::configuration::{Configuration, WrittenUrl};
use crate::finding::Draft;
use crate::rule::Rule;
use crate::url::{Scheme, Url};
use std::collections::HashMap;

/// From as many URLs on browsers warn.
const MANY_URLS: usize = 5;

pub(super) fn examine(configuration: &Configuration) -> Vec<Draft> {
    let mut drafts = duplicates(configuration);
    drafts.extend(many(configuration));
    drafts.extend(order(configuration));
    drafts
}

fn duplicates(configuration: &Configuration) -> Vec<Draft> {
    let mut known: HashMap<_, &WrittenUrl> = HashMap::new();
    let mut drafts = Vec::new();
    for (server, written, url) in configuration.urls() {
        let Some(identity) = url.identity() else {
            continue;
        };
        // STUN asks for no account.
        let username = server.username.text().filter(|_| url.is_turn());
        match known.get(&(identity, username)) {
            None => {
                known.insert((identity, username), written);
            }
            Some(first) => drafts.push(duplicate(written, url, first)),
        }
    }
    drafts
}

fn duplicate(written: &WrittenUrl, url: &Url, first: &WrittenUrl) -> Draft {
    let message = format!("`{url}` is the same as `{}`", first.path);
    let consequence = if url.is_turn() {
        "Gathering takes longer in every network, and each call holds two allocations, which count against the \
         user's quota, for one way"
    } else {
        "Gathering takes longer in every network, and finds nothing new"
    };
    Draft::new(Rule::DuplicateUrl, &written.path, &written.span, message)
        .so(consequence)
        .write("leave one of the two out")
}

fn many(configuration: &Configuration) -> Option<Draft> {
    let count = configuration
        .servers
        .iter()
        .map(|server| server.urls.len())
        .sum::<usize>();
    let message = format!("there are {count} STUN and TURN URLs");
    (count >= MANY_URLS).then(|| {
        Draft::new(Rule::ManyUrls, "iceServers", &configuration.span, message)
            .so(
                "Gathering slows down, the more so where some get no answer; Firefox warns of it from five on",
            )
            .write("one STUN URL and one TURN host by UDP, TCP and TLS are four; keep to these and one for the failure of that host")
    })
}

/// Nothing prefers what is listed first: the type of a candidate decides.
fn order(configuration: &Configuration) -> Option<Draft> {
    if configuration.policy() == Some("relay") {
        return None;
    }
    let is_stun = |url: &Url| matches!(url.scheme, Scheme::Stun | Scheme::Stuns);
    let mut urls = configuration.urls().skip_while(|(_, _, url)| is_stun(url));
    let (_, first, _) = urls.next()?;
    urls.any(|(_, _, url)| is_stun(url)).then(|| {
        let message = "TURN is listed before STUN, which changes nothing";
        Draft::new(Rule::OrderHasNoEffect, &first.path, &first.span, message)
            .so(
                "Which candidate wins follows from its type: direct before relayed, in every network and whatever the \
                 order of servers",
            )
            .write("leave the order as it is, or write `iceTransportPolicy: \"relay\"` if all calls are to be relayed")
    })
}
