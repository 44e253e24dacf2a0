//! Looking at what a TCP connection begins with.

use super::ruleset::Chain;
use crate::model::Payload;

/// A chain that judges new TCP connections by their first payload from the client: whether it begins
/// a TLS handshake (RFC 8446 section 5.1: content type 22, major version 3) or not.
///
/// The handshake of TCP passes, since it has no payload. The first segment with payload decides:
/// if it is what the port is for, the connection is marked and all later segments pass; else it is
/// reset. A first segment of a single byte cannot be told and is reset too; no TLS implementation
/// sends one. Replies are not looked at, so let them pass before. `pass` and `reset` are the counters.
pub(super) fn inspection(name: &str, expected: Payload, pass: &str, reset: &str) -> Chain {
    let comparison = match expected {
        Payload::Tls => "==",
        Payload::Plain => "!=",
    };
    Chain::regular(name)
        .rule("ct mark 0x16", pass, "accept")
        .rule(
            &format!("@ih,0,16 {comparison} 0x1603 ct mark set 0x16"),
            pass,
            "accept",
        )
        // Matches if there is a byte at all.
        .rule("@ih,0,8 0x00-0xff", reset, "reject with tcp reset")
        .rule("", pass, "accept")
}
