//! Small parts of sentences.

use farcall_timeline::IceTransport;
use std::fmt::Display;

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn and<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    joined(items, "and")
}

/// `a`, `a or b`, `a, b or c`.
pub(crate) fn or<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    joined(items, "or")
}

fn joined<T: Display>(items: impl IntoIterator<Item = T>, word: &str) -> String {
    let words: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match words.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}

/// A text as it would be written in a configuration.
pub(crate) fn code(text: impl Display) -> String {
    format!("`{text}`")
}

/// `1 packet`, `14 packets`.
pub(crate) fn count(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// A transport as people write it.
pub(crate) fn transport(transport: IceTransport) -> &'static str {
    match transport {
        IceTransport::Udp => "UDP",
        IceTransport::Tcp => "TCP",
        IceTransport::Tls => "TLS",
    }
}

/// A time of the run in seconds.
pub(crate) fn seconds(ms: f64) -> String {
    format!("{:.1} s", ms / 1e3)
}
