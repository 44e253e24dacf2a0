//! What the STUN messages between a peer and one server say about the server (RFC 8489, RFC 8656).

use super::outcome::Conclusion;
use farcall_timeline::IceServerOutcome;
use rtc::stun::attributes::{
    ATTR_MESSAGE_INTEGRITY, ATTR_NONCE, ATTR_REALM, ATTR_XOR_RELAYED_ADDRESS,
    ATTR_XORMAPPED_ADDRESS, AttrType,
};
use rtc::stun::error_code::{CODE_STALE_NONCE, CODE_UNAUTHORIZED, ErrorCodeAttribute};
use rtc::stun::message::{
    CLASS_ERROR_RESPONSE, CLASS_INDICATION, CLASS_REQUEST, Getter, METHOD_ALLOCATE, METHOD_BINDING,
    Message, TransactionId, is_stun_message,
};
use rtc::stun::xoraddr::XorMappedAddress;
use rtc::turn::proto::chandata::ChannelData;
use std::collections::VecDeque;
use std::net::SocketAddr;

/// How many requests are remembered; a server has a handful in flight at a time.
const REMEMBERED: usize = 64;

/// What a message from the server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Nothing that decides: a challenge, an answer to something else, media.
    Nothing,
    /// The outcome.
    Concluded(Conclusion),
    /// A later request, such as CreatePermission, was rejected for good.
    Rejected {
        /// The request's STUN method.
        method: String,
        /// STUN error code.
        code: u16,
        /// The reason in words.
        reason: String,
    },
}

/// The Allocate and Binding requests to one server from one socket, and what came of them.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    requests: VecDeque<Request>,
    /// 438 (Stale Nonce) asks for another try, so it decides only if none is made.
    stale_nonce: Option<Conclusion>,
    is_decided: bool,
}

#[derive(Debug)]
struct Request {
    id: TransactionId,
    has_credentials: bool,
}

impl Transactions {
    /// Takes note of a datagram to the server.
    pub fn sent(&mut self, datagram: &[u8]) {
        let Some(message) = decode(datagram) else {
            return;
        };
        let opens = matches!(message.typ.method, METHOD_ALLOCATE | METHOD_BINDING);
        if message.typ.class != CLASS_REQUEST || !opens || self.knows(message.transaction_id) {
            return;
        }
        self.stale_nonce = None;
        if self.requests.len() == REMEMBERED {
            self.requests.pop_front();
        }
        self.requests.push_back(Request {
            id: message.transaction_id,
            has_credentials: message.contains(ATTR_MESSAGE_INTEGRITY),
        });
    }

    /// What a datagram from the server says.
    pub fn received(&mut self, datagram: &[u8]) -> Answer {
        // Media is the bulk of what comes, and says nothing about the server.
        if self.is_decided && ChannelData::is_channel_data(datagram) {
            return Answer::Nothing;
        }
        let Some(message) = decode(datagram) else {
            return self.decide(Conclusion::failure(
                IceServerOutcome::Malformed,
                "the server's answer is not a STUN message",
            ));
        };
        if matches!(message.typ.class, CLASS_REQUEST | CLASS_INDICATION) {
            return Answer::Nothing;
        }
        let is_error = message.typ.class == CLASS_ERROR_RESPONSE;
        let request = self
            .requests
            .iter()
            .find(|request| request.id == message.transaction_id);
        match request.map(|request| request.has_credentials) {
            Some(has_credentials) if is_error => self.refused(&message, has_credentials),
            Some(_) => self.granted(&message),
            None if is_error => rejected(&message),
            // An answer that nobody asked for decides nothing (RFC 8489 section 6.3.3).
            None => Answer::Nothing,
        }
    }

    /// What has been learnt when the deadline comes, if anything.
    pub fn at_deadline(&self) -> Option<Conclusion> {
        self.stale_nonce.clone()
    }

    /// Whether this socket sent the request with this transaction id.
    pub fn knows(&self, id: TransactionId) -> bool {
        self.requests.iter().any(|request| request.id == id)
    }

    /// How many different requests were sent.
    pub fn count(&self) -> usize {
        self.requests.len()
    }

    fn decide(&mut self, conclusion: Conclusion) -> Answer {
        if self.is_decided {
            return Answer::Nothing;
        }
        self.is_decided = true;
        Answer::Concluded(conclusion)
    }

    fn granted(&mut self, message: &Message) -> Answer {
        let mapped = address(message, ATTR_XORMAPPED_ADDRESS);
        let conclusion = if message.typ.method == METHOD_BINDING {
            if mapped.is_some() {
                Conclusion::success(IceServerOutcome::Reachable, None, mapped)
            } else {
                let reason = "the server's Binding response has no XOR-MAPPED-ADDRESS";
                Conclusion::failure(IceServerOutcome::Malformed, reason)
            }
        } else {
            match address(message, ATTR_XOR_RELAYED_ADDRESS) {
                Some(relay) => {
                    Conclusion::success(IceServerOutcome::Allocated, Some(relay), mapped)
                }
                None => {
                    let reason = "the server's Allocate response has no XOR-RELAYED-ADDRESS";
                    Conclusion::failure(IceServerOutcome::Malformed, reason)
                }
            }
        };
        self.decide(conclusion)
    }

    fn refused(&mut self, message: &Message, has_credentials: bool) -> Answer {
        let mut error = ErrorCodeAttribute::default();
        if error.get_from(message).is_err() {
            let reason = "the server's error response has no ERROR-CODE";
            return self.decide(Conclusion::failure(IceServerOutcome::Malformed, reason));
        }
        let conclusion = Conclusion::of_error_code(error.code, &phrase(&error));
        let is_challenge = error.code == CODE_UNAUTHORIZED && !has_credentials;
        if is_challenge && message.contains(ATTR_NONCE) && message.contains(ATTR_REALM) {
            return Answer::Nothing;
        }
        if is_challenge {
            let reason = format!("{} without REALM and NONCE", conclusion.reason);
            return self.decide(Conclusion::failure(IceServerOutcome::Malformed, reason));
        }
        if error.code == CODE_STALE_NONCE {
            let reason = format!("{}, and no further try was made", conclusion.reason);
            self.stale_nonce = Some(Conclusion {
                reason,
                ..conclusion
            });
            return Answer::Nothing;
        }
        self.decide(conclusion)
    }
}

/// The transaction id of a STUN message.
pub(super) fn transaction_id(datagram: &[u8]) -> Option<TransactionId> {
    if !is_stun_message(datagram) {
        return None;
    }
    let id = datagram.get(8..20)?;
    id.try_into().ok().map(TransactionId)
}

/// Whether a STUN message is a request: the two class bits are zero (RFC 8489 section 5).
pub(super) fn is_request(datagram: &[u8]) -> bool {
    is_stun_message(datagram) && datagram[0] & 0x01 == 0 && datagram[1] & 0x10 == 0
}

fn rejected(message: &Message) -> Answer {
    let mut error = ErrorCodeAttribute::default();
    // A stale nonce is part of the game: the client repeats the request with the new one.
    if error.get_from(message).is_err() || error.code == CODE_STALE_NONCE {
        return Answer::Nothing;
    }
    Answer::Rejected {
        method: message.typ.method.to_string(),
        code: error.code.0,
        reason: phrase(&error),
    }
}

/// The STUN message in a datagram.
pub(super) fn decode(datagram: &[u8]) -> Option<Message> {
    if !is_stun_message(datagram) {
        return None;
    }
    let mut message = Message::new();
    message.unmarshal_binary(datagram).ok()?;
    Some(message)
}

/// The transport address in an attribute that is encoded as XOR-MAPPED-ADDRESS is.
pub(super) fn address(message: &Message, attribute: AttrType) -> Option<SocketAddr> {
    let mut address = XorMappedAddress::default();
    address.get_from_as(message, attribute).ok()?;
    Some(SocketAddr::new(address.ip, address.port))
}

fn phrase(error: &ErrorCodeAttribute) -> String {
    String::from_utf8_lossy(&error.reason)
        .chars()
        .filter(|character| !character.is_control())
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::super::testing::{
        allocate_request, allocate_success, binding_request, binding_success, challenge,
        channel_data, error_response, response_to,
    };
    use super::*;
    use rtc::stun::message::{CLASS_SUCCESS_RESPONSE, METHOD_CREATE_PERMISSION, MessageType};

    fn conclusion(answer: Answer) -> Conclusion {
        match answer {
            Answer::Concluded(conclusion) => conclusion,
            other => panic!("no conclusion but {other:?}"),
        }
    }

    /// Transactions after the normal challenge, with the request that carries credentials.
    fn challenged() -> (Transactions, bytes::Bytes) {
        let mut transactions = Transactions::default();
        let first = allocate_request(false);
        transactions.sent(&first);
        assert_eq!(transactions.received(&challenge(&first)), Answer::Nothing);
        let second = allocate_request(true);
        transactions.sent(&second);
        (transactions, second)
    }

    #[test]
    fn an_allocation_has_its_relayed_and_mapped_address() {
        let (mut transactions, request) = challenged();
        let relay = "203.0.113.9:50000".parse().unwrap();
        let mapped = "198.51.100.7:4242".parse().unwrap();
        let answer = transactions.received(&allocate_success(&request, relay, mapped));
        let expected = Conclusion::success(IceServerOutcome::Allocated, Some(relay), Some(mapped));
        assert_eq!(conclusion(answer), expected);
    }

    #[test]
    fn a_401_to_credentials_is_unauthorized_and_the_first_is_the_challenge() {
        let (mut transactions, request) = challenged();
        let answer = transactions.received(&challenge(&request));
        assert_eq!(conclusion(answer).outcome, IceServerOutcome::Unauthorized);
    }

    #[test]
    fn a_challenge_without_realm_is_malformed() {
        let mut transactions = Transactions::default();
        let request = allocate_request(false);
        transactions.sent(&request);
        let answer = transactions.received(&error_response(&request, 401));
        assert_eq!(conclusion(answer).outcome, IceServerOutcome::Malformed);
    }

    #[test]
    fn error_codes_decide_whether_or_not_credentials_were_sent() {
        for (code, outcome) in [
            (486, IceServerOutcome::Quota),
            (403, IceServerOutcome::Forbidden),
            (508, IceServerOutcome::NoCapacity),
            (437, IceServerOutcome::ServerError),
        ] {
            for has_credentials in [false, true] {
                let mut transactions = Transactions::default();
                let request = allocate_request(has_credentials);
                transactions.sent(&request);
                let answer = transactions.received(&error_response(&request, code));
                assert_eq!(conclusion(answer).outcome, outcome);
            }
        }
    }

    #[test]
    fn a_stale_nonce_decides_only_if_no_further_try_is_made() {
        let (mut transactions, request) = challenged();
        let answer = transactions.received(&error_response(&request, 438));
        assert_eq!(answer, Answer::Nothing);
        let at_deadline = transactions.at_deadline().unwrap();
        assert_eq!(at_deadline.outcome, IceServerOutcome::ServerError);
        assert!(at_deadline.reason.contains("438"), "{at_deadline:?}");

        let retry = allocate_request(true);
        transactions.sent(&retry);
        assert_eq!(transactions.at_deadline(), None);
        let relay = "203.0.113.9:50000".parse().unwrap();
        let answer = transactions.received(&allocate_success(&retry, relay, relay));
        assert_eq!(conclusion(answer).outcome, IceServerOutcome::Allocated);
    }

    #[test]
    fn a_binding_response_makes_a_stun_server_reachable() {
        let mut transactions = Transactions::default();
        let request = binding_request();
        transactions.sent(&request);
        let mapped = "198.51.100.7:4242".parse().unwrap();
        let conclusion = conclusion(transactions.received(&binding_success(&request, mapped)));
        assert_eq!(conclusion.outcome, IceServerOutcome::Reachable);
        assert_eq!(conclusion.mapped_address, Some(mapped));
    }

    #[test]
    fn success_without_addresses_is_malformed() {
        for request in [binding_request(), allocate_request(true)] {
            let mut transactions = Transactions::default();
            transactions.sent(&request);
            let answer = transactions.received(&response_to(&request, CLASS_SUCCESS_RESPONSE));
            assert_eq!(conclusion(answer).outcome, IceServerOutcome::Malformed);
        }
    }

    #[test]
    fn what_is_not_stun_is_malformed_until_there_is_an_outcome() {
        for junk in [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &channel_data(0x4000, 8)] {
            let (mut transactions, _) = challenged();
            let answer = transactions.received(junk);
            assert_eq!(conclusion(answer).outcome, IceServerOutcome::Malformed);
            assert_eq!(transactions.received(junk), Answer::Nothing);
        }
    }

    #[test]
    fn a_stray_answer_decides_nothing() {
        let mut transactions = Transactions::default();
        transactions.sent(&allocate_request(true));
        let relay = "203.0.113.9:50000".parse().unwrap();
        let stray = allocate_success(&allocate_request(true), relay, relay);
        assert_eq!(transactions.received(&stray), Answer::Nothing);
    }

    #[test]
    fn a_rejected_permission_is_told_apart_from_the_outcome() {
        let (mut transactions, request) = challenged();
        let relay = "203.0.113.9:50000".parse().unwrap();
        transactions.received(&allocate_success(&request, relay, relay));
        let mut permission = Message::new();
        permission
            .build(&[
                Box::new(TransactionId::new()),
                Box::new(MessageType::new(METHOD_CREATE_PERMISSION, CLASS_REQUEST)),
            ])
            .unwrap();
        let answer = transactions.received(&error_response(&permission.raw, 403));
        assert!(
            matches!(answer, Answer::Rejected { code: 403, .. }),
            "{answer:?}"
        );
        let answer = transactions.received(&error_response(&permission.raw, 438));
        assert_eq!(answer, Answer::Nothing);
    }

    #[test]
    fn requests_are_told_from_responses() {
        let request = binding_request();
        assert!(is_request(&request));
        assert!(!is_request(&response_to(&request, CLASS_SUCCESS_RESPONSE)));
        assert!(!is_request(&error_response(&request, 400)));
        assert!(!is_request(&channel_data(0x4000, 30)));
    }
}
