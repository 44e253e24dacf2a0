//! What cannot be an entry, and what cannot be examined.

use crate::configuration::{Configuration, Field, Mistake, Server};
use crate::finding::Draft;
use crate::rule::Rule;
use crate::url::Reading;
use farcall_literal::Span;

const REFUSED: &str =
    "`new RTCPeerConnection` throws a TypeError: there is no call, in any network";

pub(super) fn examine(configuration: &Configuration) -> Vec<Draft> {
    let servers = || configuration.servers.iter();
    let mut drafts: Vec<Draft> = servers()
        .flat_map(|server| server.mistakes.iter().map(move |mistake| (server, mistake)))
        .map(|(server, (mistake, span))| malformed(server, *mistake, span))
        .collect();
    drafts.extend(policy(configuration));
    drafts.extend(configuration.computed.iter().map(|span| {
        not_examined(
            "iceServers",
            span,
            "entries that are computed when the program runs are not examined",
        )
    }));
    drafts.extend(servers().flat_map(computed_urls));
    drafts.extend(servers().filter_map(computed_account));
    drafts
}

fn malformed(server: &Server, mistake: Mistake, span: &Span) -> Draft {
    let draft = |message: &str| {
        Draft::new(Rule::MalformedConfiguration, &server.path, span, message).so(REFUSED)
    };
    match mistake {
        Mistake::NoObject => draft("an entry is an object with `urls`")
            .write("write `{ urls: \"turn:turn.example.net\", username: \"...\", credential: \"...\" }`"),
        Mistake::NoUrls => draft("the entry has no `urls`")
            .write("write `urls: \"turn:turn.example.net\"`, or leave the entry out"),
        Mistake::EmptyUrls => draft("there is no URL in `urls`")
            .so("Browsers refuse it or see no server in it")
            .write("write at least one URL, or leave the entry out"),
        Mistake::UrlsOfWrongType => draft("`urls` is a text or a list of texts")
            .write("write `urls: [\"turn:turn.example.net\"]`"),
        Mistake::RetiredUrl => draft("`url` was replaced by `urls`").write("rename `url` to `urls`"),
        Mistake::Password => draft("`password` is called `credential`")
            .so(
                "The browser sees no credential, and `new RTCPeerConnection` throws an InvalidAccessError: there \
                 is no call, in any network",
            )
            .write("rename `password` to `credential`"),
    }
}

fn policy(configuration: &Configuration) -> Option<Draft> {
    let policy = configuration.policy.as_ref()?;
    let is_known = match policy {
        Field::Text(..) => matches!(policy.text(), Some("all" | "relay")),
        Field::Missing | Field::Computed(_) => true,
        Field::Other(_) => false,
    };
    let span = policy.span().filter(|_| !is_known)?;
    let message = "`iceTransportPolicy` is neither `all` nor `relay`";
    let rule = Rule::MalformedConfiguration;
    let draft = Draft::new(rule, "iceTransportPolicy", span, message).so(REFUSED);
    Some(draft.write("leave it out for `all`, or write `relay` to use TURN alone"))
}

fn not_examined(entry: &str, span: &Span, message: &str) -> Draft {
    Draft::new(Rule::NotExamined, entry, span, message)
        .so("Nothing is said of what is in them, nor of what is missing beside them")
        .write("to have all of it examined, save what it comes to as JSON and name that file")
}

fn computed_urls(server: &Server) -> impl Iterator<Item = Draft> {
    let computed = |reading: &Reading| match reading {
        Reading::Computed => true,
        // The port, the transport, or what they depend on.
        Reading::Url(url) => url.faults.is_empty() && url.identity().is_none(),
        Reading::Broken(_) => false,
    };
    let urls = server.urls.iter().filter(move |url| computed(&url.reading));
    urls.map(|url| {
        let message = "of this URL nothing is examined that is computed when the program runs";
        not_examined(&url.path, &url.span, message)
            .so("Nothing is said of its host, nor of what else is in the computed part")
    })
}

fn computed_account(server: &Server) -> Option<Draft> {
    let computed = |field: &Field| match field {
        Field::Computed(span) => Some(span.clone()),
        _ => None,
    };
    let span = computed(&server.username).or_else(|| computed(&server.credential))?;
    let message = "this account is computed when the program runs and not examined";
    let draft = not_examined(&server.path, &span, message);
    let draft = draft.so("Nothing is said of its length and form, nor of when it ends");
    server.is_turn().then_some(draft)
}
