//! The TURN server refuses the account. Servers do not say why; what the user name is made of can.

use crate::case::{Attempt, Case};
use crate::evidence;
use crate::model::{Evidence, Finding};
use crate::words::{and, code, count};
use farcall_timeline::Event;
use farcall_timeline::IceServerOutcome::Unauthorized;
use std::collections::BTreeSet;

/// Seconds since 1970 have ten digits until the year 2286; milliseconds have three more.
const FIRST_IN_MILLISECONDS: u64 = 100_000_000_000;

/// A number before the colon that is smaller is no time since 1970 of any account in use (it is before September 2001).
const FIRST_TIME_STAMP: u64 = 1_000_000_000;

pub(super) fn in_milliseconds(case: &Case<'_>) -> Option<Finding> {
    let refused = case.refusals(&[Unauthorized]);
    let mut stamps = stamps(case, &refused).into_iter();
    let stamp = stamps.find(|stamp| stamp.number >= FIRST_IN_MILLISECONDS)?;
    let number = stamp.number;
    let seconds = number / 1_000;
    let mut finding = refusal(
        case,
        &refused,
        "the time stamp in its user name is in milliseconds, and TURN servers count in seconds",
    );
    finding.evidence.push(stamp.seen(&format!(
        "which has {} digits; seconds since 1970 have ten",
        number.to_string().len()
    )));
    finding.next_step = format!(
        "Make the user name with seconds: {} begins with {seconds}, not {number}. In JavaScript that is {}. The credential \
         is the HMAC of the user name, so make it anew too.",
        code("TIMESTAMP:NAME"),
        code("Math.floor(Date.now() / 1000) + 3600")
    );
    Some(finding)
}

pub(super) fn expired(case: &Case<'_>) -> Option<Finding> {
    let refused = case.refusals(&[Unauthorized]);
    let (ago_s, seen) = by_user_name(case, &refused).or_else(|| by_lifetime(case, &refused))?;
    let ago = match ago_s {
        0..=119 => count(ago_s, "second"),
        120..=7_199 => count(ago_s / 60, "minute"),
        7_200..=172_799 => count(ago_s / 3_600, "hour"),
        _ => count(ago_s / 86_400, "day"),
    };
    let mut finding = refusal(
        case,
        &refused,
        &format!("it had expired {ago} before it was used"),
    );
    finding.evidence.push(seen);
    finding.next_step = format!(
        "Fetch new credentials shortly before each call, and again before an ICE restart or a new connection; give them a \
         lifetime longer than a call ({}). Check the clock of the machine that makes them.",
        code("TIMESTAMP = now + 3600")
    );
    Some(finding)
}

/// How long ago an account had expired by the number in its user name, and what was seen of that.
fn by_user_name(case: &Case<'_>, refused: &[Attempt<'_>]) -> Option<(u64, Evidence)> {
    let began_at_s = u64::try_from(case.began_at_s).ok()?;
    let mut stamps = stamps(case, refused).into_iter();
    let stamp = stamps.find(|stamp| (FIRST_TIME_STAMP..began_at_s).contains(&stamp.number))?;
    let seen = stamp.seen(&format!(
        "in seconds since 1970; the run began at {began_at_s}"
    ));
    Some((began_at_s - stamp.number, seen))
}

/// The same of credentials that the peers were given for the call.
fn by_lifetime(case: &Case<'_>, refused: &[Attempt<'_>]) -> Option<(u64, Evidence)> {
    let valid_s = case.run.declared.call.credentials_valid_s?;
    let peer = refused.first()?.peer;
    let mut events = case.run.of(peer).iter();
    let given_ms = events
        .find_map(|(at_ms, event)| matches!(event, Event::CallStarted { .. }).then_some(*at_ms))?;
    let mut events = case.run.of(peer).iter().rev();
    let used_ms = events.find_map(|(at_ms, event)| match event {
        Event::IceServer(report) if report.outcome == Unauthorized => Some(*at_ms),
        _ => None,
    })?;
    let age_s = (used_ms - given_ms) / 1e3;
    let over_s = age_s - f64::from(valid_s);
    let seen = format!(
        "they were valid for {valid_s} s from the beginning of the call, and used {age_s:.0} s after it"
    );
    (over_s >= 0.0).then(|| (over_s.round() as u64, evidence::credentials(peer, seen)))
}

pub(super) fn wrong(case: &Case<'_>) -> Option<Finding> {
    let refused = case.refusals(&[Unauthorized]);
    refused.first()?;
    let mut finding = refusal(case, &refused, "user name or credential is wrong");
    let hosts = hosts(&refused);
    finding.next_step = format!(
        "Put the account of {} right: {} and {} beside these {} must be those that the TURN server knows (coturn: {} or \
         the secret in {}, and the same realm).",
        and(&hosts),
        code("username"),
        code("credential"),
        code("urls"),
        code("user="),
        code("static-auth-secret")
    );
    Some(finding)
}

/// The number before the colon of a user name that was refused.
struct Stamp<'a> {
    number: u64,
    /// Who fetched it; `None`: it is the ICE configuration's.
    fetched_by: Option<&'a str>,
}

impl Stamp<'_> {
    fn seen(&self, what: &str) -> Evidence {
        let seen = format!("the user name begins with {}, {what}", self.number);
        match self.fetched_by {
            Some(peer) => evidence::credentials(peer, seen),
            None => evidence::configuration(seen),
        }
    }
}

/// Where a peer fetched credentials for the call, nobody used those of the ICE configuration.
fn stamps<'a>(case: &Case<'_>, refused: &[Attempt<'a>]) -> Vec<Stamp<'a>> {
    let stamp = |attempt: &Attempt<'a>| {
        let fetched = case.fetched_time_stamp(attempt.peer);
        Some(Stamp {
            number: fetched.or(attempt.server.time_stamp)?,
            fetched_by: fetched.map(|_| attempt.peer),
        })
    };
    refused.iter().filter_map(stamp).collect()
}

fn hosts(refused: &[Attempt<'_>]) -> BTreeSet<String> {
    refused
        .iter()
        .map(|attempt| attempt.url().host.clone())
        .collect()
}

fn refusal(case: &Case<'_>, refused: &[Attempt<'_>], why: &str) -> Finding {
    let hosts = hosts(refused);
    let mut seen: Vec<_> = refused.iter().map(evidence::attempt).collect();
    for host in &hosts {
        // coturn tells the first, its challenge, of every client; the second of a wrong account only.
        let lines = evidence::turn_lines(case, host, "check_stun_auth");
        seen.extend(lines.or_else(|| evidence::turn_log(case, host, refused.first()?.peer)));
    }
    Finding {
        summary: format!(
            "The TURN server {} answers and refuses the account (401): {why}.",
            and(&hosts)
        ),
        evidence: seen,
        ..Finding::default()
    }
}
