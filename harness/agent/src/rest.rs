//! Time-limited credentials for TURN servers, as an application's own server makes them (TURN REST API,
//! draft-uberti-behave-turn-rest-00 section 2.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use farcall_protocol::{PlainAccount, RestAuthority};
use farcall_scenario::TimeStampUnit;
use ring::hmac;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whom the credentials are for; servers do not look at it.
const USER: &str = "farcall";

/// The last time that coturn 4.6.1 can read, in seconds since 1970: it keeps the lowest 32 bits of a time stamp and
/// compares them as a signed number (`get_rest_api_timestamp` in `userdb.c`).
const LAST_TIME_S: u64 = 2_147_483_647;

/// By how much a time stamp in milliseconds is kept away from what coturn would accept, in seconds: a clock may be set
/// anew meanwhile.
const MARGIN_S: u64 = 600;

/// Credentials as they are given out.
pub(crate) struct Fetched {
    pub(crate) account: PlainAccount,
    /// The number that the user name begins with.
    pub(crate) time_stamp: u64,
}

/// The credentials that are given out at this time.
pub(crate) fn credentials(authority: &RestAuthority, now: SystemTime) -> Fetched {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let until = now + Duration::from_secs(authority.valid_s.into());
    let time_stamp = match authority.unit {
        // A second earlier, so that those of no validity are past at once.
        TimeStampUnit::Seconds => until.as_secs().saturating_sub(1),
        TimeStampUnit::Milliseconds => {
            let until_ms = until.as_secs() * 1_000 + u64::from(until.subsec_millis());
            refused_in_milliseconds(until_ms, now.as_secs())
        }
    };
    Fetched {
        account: of_time_stamp(&authority.secret.0, time_stamp),
        time_stamp,
    }
}

/// A time stamp in milliseconds that coturn refuses: the end of a validity, or as little later as it takes, up to five
/// days. What coturn would accept by chance has its lowest 32 bits between now and the last time that it can read
/// (docs/measured.md). What it refuses now it refuses at any later time too, until that last time, in January 2038.
fn refused_in_milliseconds(until_ms: u64, now_s: u64) -> u64 {
    let read_s = until_ms & u64::from(u32::MAX);
    let accepted_s = now_s.saturating_sub(MARGIN_S)..=LAST_TIME_S + MARGIN_S;
    if accepted_s.contains(&read_s) {
        until_ms + (accepted_s.end() + 1 - read_s)
    } else {
        until_ms
    }
}

/// The credentials whose user name begins with this number.
fn of_time_stamp(secret: &str, time_stamp: u64) -> PlainAccount {
    let username = format!("{time_stamp}:{USER}");
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    let password = STANDARD.encode(hmac::sign(&key, username.as_bytes()));
    PlainAccount { username, password }
}

#[cfg(test)]
mod tests {
    use super::*;
    use farcall_protocol::PlainSecret;

    const HOUR_S: u64 = 3_600;
    const DAY_MS: u64 = 86_400_000;

    /// Those that are given out so long after 1970.
    fn fetched(valid_s: u32, unit: TimeStampUnit, now: Duration) -> Fetched {
        let authority = RestAuthority {
            secret: PlainSecret("north".to_owned()),
            valid_s,
            unit,
        };
        credentials(&authority, UNIX_EPOCH + now)
    }

    /// What coturn 4.6.1 does with a time stamp.
    fn coturn_accepts(time_stamp: u64, now_s: u64) -> bool {
        let signed = |number: u64| number as u32 as i32;
        signed(time_stamp) >= signed(now_s)
    }

    #[test]
    fn the_password_is_the_signed_user_name() {
        // printf 1700000000:farcall | openssl dgst -sha1 -hmac north -binary | base64
        let account = of_time_stamp("north", 1_700_000_000);
        assert_eq!(account.username, "1700000000:farcall");
        assert_eq!(account.password, "1KEe0T4+h000vZB67l0OH+GHLZ0=");
    }

    #[test]
    fn they_last_for_so_many_seconds_and_not_at_all_for_none() {
        let now_s = 1_700_000_000;
        for (valid_s, until_s) in [(3_600, 1_700_003_599), (0, 1_699_999_999)] {
            let now = Duration::from_secs(now_s);
            let found = fetched(valid_s, TimeStampUnit::Seconds, now);
            assert_eq!(found.time_stamp, until_s);
            assert_eq!(found.account.username, format!("{until_s}:farcall"));
            assert_eq!(coturn_accepts(found.time_stamp, now_s), valid_s > 0);
        }
    }

    #[test]
    fn in_milliseconds_they_end_as_declared_or_when_coturn_refuses_them() {
        for (now_ms, until_ms) in [
            (1_700_000_000_123, 1_700_003_600_123),
            // The lowest 32 bits of 1788706395136 are 2000000000: a time in the year 2033.
            (1_788_702_795_136, 1_788_853_879_384),
        ] {
            let now = Duration::from_millis(now_ms);
            let found = fetched(3_600, TimeStampUnit::Milliseconds, now);
            assert_eq!(found.time_stamp, until_ms);
            assert_eq!(found.account.username, format!("{until_ms}:farcall"));
        }
    }

    #[test]
    fn in_milliseconds_they_are_refused_at_every_hour() {
        let hours = 100 * 24;
        for valid_s in [0, 6, 3_600, 86_400] {
            let mut changed = 0;
            for hour in 0..hours {
                let now = Duration::from_millis(1_790_000_000_000 + hour * HOUR_S * 1_000 + 789);
                let now_s = now.as_secs();
                let plain = now.as_millis() as u64 + u64::from(valid_s) * 1_000;
                let given = fetched(valid_s, TimeStampUnit::Milliseconds, now).time_stamp;
                // By a clock that is slow, and at any later time.
                for used_s in [now_s - MARGIN_S, now_s, now_s + HOUR_S, now_s + 864_000] {
                    assert!(!coturn_accepts(given, used_s), "{given} at {used_s}");
                }
                let mut near = [plain, plain - MARGIN_S, plain + MARGIN_S].into_iter();
                let is_near = near.any(|stamp| coturn_accepts(stamp, now_s));
                assert_eq!(given != plain, is_near, "{given} for {plain} at {now_s}");
                assert!((plain..plain + 5 * DAY_MS).contains(&given), "{given}");
                changed += u64::from(given != plain);
            }
            // Four days of every fifty.
            assert!((hours / 20..hours / 10).contains(&changed), "{changed}");
        }
    }
}
