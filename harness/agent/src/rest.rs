//! Time-limited credentials for TURN servers, as an application's own server makes them (TURN REST API,
//! draft-uberti-behave-turn-rest-00 section 2.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use farcall_protocol::{PlainAccount, RestAuthority};
use ring::hmac;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whom the credentials are for; servers do not look at it.
const USER: &str = "farcall";

/// The credentials that are given out at this time.
pub(crate) fn credentials(authority: &RestAuthority, now: SystemTime) -> PlainAccount {
    let lasts = Duration::from_secs(authority.valid_s.into());
    // A second earlier, so that those of no validity are past at once.
    let until = now.duration_since(UNIX_EPOCH).unwrap_or_default() + lasts;
    of_time(&authority.secret.0, until.as_secs().saturating_sub(1))
}

/// The credentials that are valid until a time, in seconds since 1970.
fn of_time(secret: &str, until_s: u64) -> PlainAccount {
    let username = format!("{until_s}:{USER}");
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    let password = STANDARD.encode(hmac::sign(&key, username.as_bytes()));
    PlainAccount { username, password }
}

#[cfg(test)]
mod tests {
    use super::*;
    use farcall_protocol::PlainSecret;

    #[test]
    fn the_password_is_the_signed_user_name() {
        // printf 1700000000:farcall | openssl dgst -sha1 -hmac north -binary | base64
        let account = of_time("north", 1_700_000_000);
        assert_eq!(account.username, "1700000000:farcall");
        assert_eq!(account.password, "1KEe0T4+h000vZB67l0OH+GHLZ0=");
    }

    #[test]
    fn they_last_for_so_many_seconds_and_not_at_all_for_none() {
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        for (valid_s, until) in [(3_600, "1700003599:"), (0, "1699999999:")] {
            let authority = RestAuthority {
                secret: PlainSecret("north".to_owned()),
                valid_s,
            };
            let account = credentials(&authority, now);
            assert!(account.username.starts_with(until), "{}", account.username);
        }
    }
}
