//! What a URL of the configuration comes to, and which of several results is the best.

use farcall_timeline::IceServerOutcome;
use rtc::stun::error_code::{
    CODE_ALLOC_QUOTA_REACHED, CODE_FORBIDDEN, CODE_INSUFFICIENT_CAPACITY, CODE_UNAUTHORIZED,
    CODE_WRONG_CREDENTIALS, ErrorCode,
};
use std::net::SocketAddr;

/// The end of one attempt to use a URL from one local socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conclusion {
    pub outcome: IceServerOutcome,
    /// The reason in words; empty on success.
    pub reason: String,
    /// The relayed transport address (XOR-RELAYED-ADDRESS).
    pub relay_address: Option<SocketAddr>,
    /// This peer's address as the server sees it (XOR-MAPPED-ADDRESS).
    pub mapped_address: Option<SocketAddr>,
}

impl Conclusion {
    /// A success with the addresses that the server reported.
    pub fn success(
        outcome: IceServerOutcome,
        relay_address: Option<SocketAddr>,
        mapped_address: Option<SocketAddr>,
    ) -> Self {
        Self {
            outcome,
            reason: String::new(),
            relay_address,
            mapped_address,
        }
    }

    /// A failure.
    pub fn failure(outcome: IceServerOutcome, reason: impl Into<String>) -> Self {
        Self {
            outcome,
            reason: reason.into(),
            relay_address: None,
            mapped_address: None,
        }
    }

    /// What an error response to a request with credentials means.
    pub fn of_error_code(code: ErrorCode, phrase: &str) -> Self {
        let outcome = match code {
            CODE_UNAUTHORIZED | CODE_WRONG_CREDENTIALS => IceServerOutcome::Unauthorized,
            CODE_FORBIDDEN => IceServerOutcome::Forbidden,
            CODE_ALLOC_QUOTA_REACHED => IceServerOutcome::Quota,
            CODE_INSUFFICIENT_CAPACITY => IceServerOutcome::NoCapacity,
            _ => IceServerOutcome::ServerError,
        };
        Self::failure(
            outcome,
            format!("the server answered {} ({phrase})", code.0),
        )
    }

    /// Of two conclusions about one URL, how far each got: the higher says more about the server.
    pub fn rank(&self) -> u8 {
        match self.outcome {
            IceServerOutcome::Allocated | IceServerOutcome::Reachable => 8,
            IceServerOutcome::Unauthorized
            | IceServerOutcome::Quota
            | IceServerOutcome::Forbidden
            | IceServerOutcome::NoCapacity
            | IceServerOutcome::ServerError => 7,
            IceServerOutcome::Malformed => 6,
            IceServerOutcome::TlsFailed => 5,
            IceServerOutcome::Reset => 4,
            IceServerOutcome::Refused => 3,
            IceServerOutcome::NoAnswer => 2,
            IceServerOutcome::DnsFailed => 1,
            IceServerOutcome::NotUsed => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_have_the_outcomes_of_rfc_8656() {
        for (code, outcome) in [
            (401, IceServerOutcome::Unauthorized),
            (441, IceServerOutcome::Unauthorized),
            (403, IceServerOutcome::Forbidden),
            (486, IceServerOutcome::Quota),
            (508, IceServerOutcome::NoCapacity),
            (437, IceServerOutcome::ServerError),
            (300, IceServerOutcome::ServerError),
        ] {
            let conclusion = Conclusion::of_error_code(ErrorCode(code), "Phrase");
            assert_eq!(conclusion.outcome, outcome);
            assert_eq!(
                conclusion.reason,
                format!("the server answered {code} (Phrase)")
            );
        }
    }
}
