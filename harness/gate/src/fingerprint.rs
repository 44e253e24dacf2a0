//! What tells whether two gates were asked the same.

use farcall_scenario::{Baseline, IceConfiguration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A file by name and hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// What it is called.
    pub name: String,
    /// SHA-256 of what counts of it, in hexadecimal.
    pub sha256: String,
}

/// Of a baseline's text.
#[must_use]
pub fn fingerprint_of_baseline(baseline: &Baseline) -> Fingerprint {
    Fingerprint {
        name: baseline.file.clone(),
        sha256: sha256(baseline.text.as_bytes()),
    }
}

/// Of an ICE configuration's URLs, policy, and which of them have an account. Accounts themselves are left out: a hash
/// would let a password be guessed at, and each shard may have got time-limited ones of its own.
#[must_use]
pub fn fingerprint_of_ice(ice: &IceConfiguration) -> Fingerprint {
    let mut text = String::new();
    for server in &ice.ice_servers {
        let has_account = server.username.is_some() && server.credential.is_some();
        for url in &server.urls {
            text.push_str(&format!("{} {has_account}\n", url.text));
        }
    }
    text.push_str(&format!("{:?}\n", ice.ice_transport_policy));
    Fingerprint {
        name: ice.name.clone(),
        sha256: sha256(text.as_bytes()),
    }
}

fn sha256(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    fn ice(json: &str) -> String {
        fingerprint_of_ice(&IceConfiguration::parse("ice", json).unwrap()).sha256
    }

    #[test]
    fn another_url_or_policy_is_another_configuration_and_another_account_is_not() {
        let one = r#"[{"urls": "turn:a.example", "username": "1:a", "credential": "x"}]"#;
        let account = r#"[{"urls": "turn:a.example", "username": "2:a", "credential": "y"}]"#;
        let url = r#"[{"urls": "turn:b.example", "username": "1:a", "credential": "x"}]"#;
        let policy = format!(r#"{{"iceServers": {one}, "iceTransportPolicy": "relay"}}"#);
        assert_eq!(ice(one), ice(account));
        assert_ne!(ice(one), ice(url));
        assert_ne!(ice(one), ice(&policy));
    }
}
