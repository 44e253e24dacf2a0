//! What TURN servers answer.

use super::{TLS_URL, attest, blocked, offering, with_https};
use farcall_plan::Fact;
use farcall_timeline::IceServerOutcome::{
    self, Allocated, NoAnswer, Refused, TlsFailed, Unauthorized,
};
use farcall_timeline::{Event, Level};
use farcall_verdict::sample::{Sample, TCP_URL, UDP_URL};
use std::net::Ipv4Addr;

/// A server that refuses the account, whose user name begins with this number.
fn unauthorized(time_stamp: Option<u64>) -> Sample {
    let reason = "the server answered 401 (Unauthorized)";
    let mut sample = offering(&[blocked(UDP_URL), (TCP_URL, Unauthorized, reason, None)]);
    for server in &mut sample.declared.call.ice_servers {
        server.time_stamp = time_stamp;
    }
    let message =
        "4: : ERROR: check_stun_auth: user [redacted] credentials are incorrect".to_owned();
    sample.add(
        4_020.0,
        "turn",
        Event::Log {
            level: Level::Error,
            target: "turnserver".to_owned(),
            message,
        },
    );
    with_https(sample)
}

/// A server that refuses credentials that the peers fetched for the call: their time stamp, and that of the
/// configuration's account in whose place they were.
pub(in crate::tests) fn fetched_and_refused(fetched: u64, configured: Option<u64>) -> Sample {
    let mut sample = unauthorized(configured);
    sample.change_of("turn", |event| {
        if let Event::Log { message, .. } = event
            && message.contains("check_stun_auth")
        {
            *message = format!(
                "4: : ERROR: check_stun_auth: Cannot find credentials of user <{fetched}:farcall>"
            );
        }
    });
    for peer in ["alice", "bob"] {
        let time_stamp = fetched;
        sample.add(4_000.0, peer, Event::CredentialsFetched { time_stamp });
    }
    sample.declared.call.credentials_valid_s = Some(3_600);
    sample
}

pub(in crate::tests) fn credentials_in_milliseconds() -> Sample {
    unauthorized(Some(1_767_326_645_000))
}

pub(in crate::tests) fn credentials_expired() -> Sample {
    unauthorized(Some(1_767_312_245))
}

pub(in crate::tests) fn credentials_wrong() -> Sample {
    unauthorized(None)
}

/// An account that has not expired is wrong for another reason.
pub(in crate::tests) fn credentials_in_time() -> Sample {
    unauthorized(Some(1_767_326_645))
}

pub(in crate::tests) fn answered(outcome: IceServerOutcome, reason: &str) -> Sample {
    with_https(offering(&[
        blocked(UDP_URL),
        (TCP_URL, outcome, reason, None),
    ]))
}

pub(in crate::tests) fn turn_quota() -> Sample {
    answered(
        IceServerOutcome::Quota,
        "the server answered 486 (Allocation Quota Reached)",
    )
}

pub(in crate::tests) fn peer_denied() -> Sample {
    let mut sample = relay_ports_blocked();
    for (at_ms, peer) in [(4_300.0, "alice"), (4_310.0, "bob")] {
        let message = format!("{TCP_URL} rejected CreatePermission: 403 Forbidden IP");
        let target = "farcall_agent::peer::call".to_owned();
        sample.add(
            at_ms,
            peer,
            Event::Log {
                level: Level::Warn,
                target,
                message,
            },
        );
    }
    sample
}

pub(in crate::tests) fn tls_failed(reason: &str) -> Sample {
    with_https(offering(&[
        blocked(UDP_URL),
        (TLS_URL, TlsFailed, reason, None),
    ]))
}

pub(in crate::tests) fn certificate_expired() -> Sample {
    tls_failed(
        "expired: invalid peer certificate: certificate expired: verification time 1767323045 (UNIX), but certificate is not valid after 1764547200",
    )
}

pub(in crate::tests) fn certificate_wrong_name() -> Sample {
    tls_failed(
        "wrong name: invalid peer certificate: certificate not valid for name \"turn.example.net\"; certificate is only valid for DnsName(\"relay.example.org\")",
    )
}

pub(in crate::tests) fn certificate_unknown_issuer() -> Sample {
    tls_failed(
        "unknown issuer: the certificate was issued by turn.example.net, which is not trusted",
    )
}

pub(in crate::tests) fn turn_server_down() -> Sample {
    answered(
        NoAnswer,
        "connected to 203.0.113.10:443, but no answer in 5000 ms",
    )
}

pub(in crate::tests) fn turn_listener_missing() -> Sample {
    answered(
        Refused,
        "the TCP connection to 203.0.113.10:443 was refused: Connection refused (os error 111)",
    )
}

pub(in crate::tests) fn relay_address_wrong() -> Sample {
    let mut sample = relay_ports_blocked();
    for peer in ["alice", "bob"] {
        let name = "turn.example.net".to_owned();
        let address = Ipv4Addr::new(203, 0, 113, 10);
        attest(&mut sample, peer, Fact::Resolves { name, address });
        for url in [UDP_URL, TCP_URL] {
            sample.change_server(peer, url, |report| {
                let relayed = report.relay_address.as_mut();
                relayed
                    .into_iter()
                    .for_each(|at| *at = "203.0.113.250:49152".to_owned());
            });
        }
    }
    sample
}

pub(in crate::tests) fn relay_ports_blocked() -> Sample {
    with_https(offering(&[
        blocked(UDP_URL),
        (TCP_URL, Allocated, "", None),
    ]))
}
