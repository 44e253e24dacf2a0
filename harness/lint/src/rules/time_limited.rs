//! Accounts of which the user name says when they end (draft-uberti-behave-turn-rest-00).

use crate::configuration::{Configuration, Server};
use crate::finding::Draft;
use crate::rule::{Rule, Severity};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use farcall_literal::Span;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

/// An account that ends sooner may end before the call that it is used for.
const SESSION: Duration = Duration::HOUR;

/// From this on a number of seconds is in the year 5138: milliseconds are meant.
const FIRST_MILLISECONDS: u64 = 100_000_000_000;

/// Up to this, in 1973, a number is an id and no time.
const LAST_ID: u64 = 99_999_999;

/// An HMAC-SHA1.
const HMAC_BYTES: usize = 20;

pub(super) fn examine(configuration: &Configuration, now: OffsetDateTime) -> Vec<Draft> {
    let servers = configuration
        .servers
        .iter()
        .filter(|server| server.is_turn());
    let limited = servers.filter_map(|server| Some((server, stamp(server.username.text()?)?)));
    limited
        .flat_map(|(server, stamp)| ending(server, stamp, now).into_iter().chain(form(server)))
        .collect()
}

/// The time in a user name `<time>:id`, in whatever unit. A number alone may well be an id.
pub(super) fn stamp(username: &str) -> Option<u64> {
    let (time, _) = username.split_once(':')?;
    let is_number = time.bytes().all(|byte| byte.is_ascii_digit());
    let stamp: u64 = time.parse().ok().filter(|_| is_number)?;
    (stamp > LAST_ID).then_some(stamp)
}

fn draft(server: &Server, span: &Span, message: String) -> Draft {
    Draft::new(Rule::TimeLimitedAccount, &server.path, span, message)
        .seen_in(&["mobile-hotspot", "corporate-firewall"])
}

fn ending(server: &Server, stamp: u64, now: OffsetDateTime) -> Option<Draft> {
    let span = server.username.span()?;
    if stamp >= FIRST_MILLISECONDS {
        let message = "the time in the user name is in milliseconds, not seconds".to_owned();
        return Some(
            draft(server, span, message)
                .so(
                    "Servers read another time: coturn keeps 32 bits of it, so the account is refused (401) on some \
                     days and never ends on others; where it is refused there is no relay, in any network",
                )
                .write("divide by 1000: in JavaScript `Math.floor(Date.now() / 1000) + 86400`"),
        );
    }
    let end = i64::try_from(stamp).ok();
    let end = end.and_then(|end| OffsetDateTime::from_unix_timestamp(end).ok())?;
    if end < now {
        return Some(
            draft(
                server,
                span,
                format!("this account ended at {}", shown(end)),
            )
            .so("The server answers 401: there is no relay, in any network, wherever one is needed")
            .write(
                "get a new one for each session; an account that ends does not belong in a file",
            ),
        );
    }
    let left = end - now;
    (left < SESSION).then(|| {
        let message = format!(
            "this account ends in {} min, at {}",
            left.whole_minutes(),
            shown(end)
        );
        draft(server, span, message)
            .severity(Severity::Warning)
            .so(
                "A call that lasts longer keeps its relay, but a restart of ICE or a new connection after it gets \
                 401, so a call that breaks does not come back",
            )
            .write("let it end after the longest session, for example a day (86400 s) from now")
    })
}

fn form(server: &Server) -> Option<Draft> {
    let credential = server.credential.text().filter(|text| !text.is_empty())?;
    let is_hmac = STANDARD
        .decode(credential)
        .is_ok_and(|bytes| bytes.len() == HMAC_BYTES);
    let message =
        "the credential of a time-limited user name is 28 characters of base64, which this is not";
    (!is_hmac).then(|| {
        let span = server.credential.span().unwrap_or(&server.span);
        draft(server, span, message.to_owned())
            .severity(Severity::Warning)
            .so(
                "A server with a shared secret computes an HMAC-SHA1 of the user name and answers 401 to anything \
                 else: there is no relay, in any network",
            )
            .write("write base64 of HMAC-SHA1(secret, user name), not hexadecimal and not the secret itself")
    })
}

fn shown(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    // Whatever cannot be written as a date is told in seconds.
    time.format(&format)
        .unwrap_or_else(|_| format!("{} s", time.unix_timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("1767225600:alice", Some(1_767_225_600))]
    #[case("1767225600000:alice", Some(1_767_225_600_000))]
    #[case("100000000:a", Some(100_000_000))]
    #[case("99999999:a", None)]
    #[case("1767225600", None)]
    #[case("alice:1767225600", None)]
    #[case("+1767225600:a", None)]
    #[case("99999999999999999999999:a", None)]
    #[case("alice", None)]
    #[case("", None)]
    fn a_user_name_that_begins_with_a_time_is_told_from_others(
        #[case] username: &str,
        #[case] expected: Option<u64>,
    ) {
        assert_eq!(stamp(username), expected);
    }
}
