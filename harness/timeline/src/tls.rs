//! How TLS with an ICE server fails.

use crate::{IceServerOutcome, IceServerReport};

/// How a TLS handshake with a server failed: the first words of [`IceServerReport::reason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsFailure {
    /// Nobody whom the client trusts has issued the certificate; the reason names the issuer.
    UnknownIssuer,
    /// The certificate's time is over.
    Expired,
    /// The certificate's time has not begun.
    NotValidYet,
    /// The certificate is for another name.
    WrongName,
    /// Something else about the certificate.
    InvalidCertificate,
    /// What came back is not TLS.
    NotTls,
    /// The server ended the handshake by an alert.
    Rejected,
    /// Anything else.
    HandshakeFailed,
}

impl TlsFailure {
    const ALL: [Self; 8] = [
        Self::UnknownIssuer,
        Self::Expired,
        Self::NotValidYet,
        Self::WrongName,
        Self::InvalidCertificate,
        Self::NotTls,
        Self::Rejected,
        Self::HandshakeFailed,
    ];

    fn words(self) -> &'static str {
        match self {
            Self::UnknownIssuer => "unknown issuer",
            Self::Expired => "expired",
            Self::NotValidYet => "not valid yet",
            Self::WrongName => "wrong name",
            Self::InvalidCertificate => "invalid certificate",
            Self::NotTls => "not TLS",
            Self::Rejected => "rejected by the server",
            Self::HandshakeFailed => "handshake failed",
        }
    }
}

impl std::fmt::Display for TlsFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.words())
    }
}

impl IceServerReport {
    /// How TLS failed, and the detail of it, where it did.
    #[must_use]
    pub fn tls_failure(&self) -> Option<(TlsFailure, &str)> {
        if self.outcome != IceServerOutcome::TlsFailed {
            return None;
        }
        let (kind, detail) = self.reason.split_once(": ")?;
        let mut kinds = TlsFailure::ALL.into_iter();
        let kind = kinds.find(|known| known.words() == kind)?;
        Some((kind, detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IceTransport;

    #[test]
    fn a_reason_begins_with_the_kind_of_failure() {
        for kind in TlsFailure::ALL {
            let report = IceServerReport {
                url: "turns:turn.example.net".into(),
                transport: IceTransport::Tls,
                outcome: IceServerOutcome::TlsFailed,
                after_ms: 1.0,
                relay_address: None,
                reason: format!("{kind}: by whom: nobody"),
                bytes_sent: 0,
                bytes_received: 0,
            };
            assert_eq!(report.tls_failure(), Some((kind, "by whom: nobody")));
        }
    }
}
