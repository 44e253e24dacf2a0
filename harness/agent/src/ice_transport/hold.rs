//! What is relayed to the other peer, as opposed to what is said to the TURN server itself.
//!
//! A connectivity check through a relay can be faster than the candidate that signalling carries. The
//! other peer then takes the relayed address for a peer-reflexive one, whose priority is that of the
//! check (RFC 8445 section 7.3.1.3) and above any server-reflexive one's. libwebrtc corrects this when
//! the candidate arrives; rtc-ice 0.21.1 does not, and nominates the relay although a direct path works
//! (seen on a busy machine between two home networks). So checks are held back until the candidate has
//! arrived; ICE repeats them.

use rtc::stun::attributes::ATTR_DATA;
use rtc::stun::message::{CLASS_INDICATION, METHOD_DATA, METHOD_SEND, Message, MessageType};
use rtc::turn::proto::chandata::ChannelData;

/// Whether the datagram carries something to the other peer: ChannelData or a Send indication
/// (RFC 8656 sections 11 and 12).
pub(super) fn is_relayed(datagram: &[u8]) -> bool {
    let send_indication = MessageType::new(METHOD_SEND, CLASS_INDICATION).value();
    ChannelData::is_channel_data(datagram) || datagram.starts_with(&send_indication.to_be_bytes())
}

/// What ChannelData, a Send or a Data indication carries to or from the other peer; `None` for anything else.
pub(super) fn relayed_payload(datagram: &[u8]) -> Option<Vec<u8>> {
    let is_indication = [METHOD_SEND, METHOD_DATA].into_iter().any(|method| {
        let indication = MessageType::new(method, CLASS_INDICATION).value();
        datagram.starts_with(&indication.to_be_bytes())
    });
    if is_indication {
        let mut message = Message::new();
        message.unmarshal_binary(datagram).ok()?;
        return message.get(ATTR_DATA).ok();
    }
    if !ChannelData::is_channel_data(datagram) {
        return None;
    }
    let mut channel_data = ChannelData {
        raw: datagram.to_vec(),
        ..ChannelData::default()
    };
    channel_data.decode().ok()?;
    Some(channel_data.data)
}

#[cfg(test)]
mod tests {
    use super::is_relayed;

    #[test]
    fn channel_data_and_send_indications_are_relayed_and_requests_are_not() {
        assert!(is_relayed(&[0x40, 0x00, 0x00, 0x04, 1, 2, 3, 4]));
        assert!(is_relayed(&[0x00, 0x16, 0x00, 0x00]));
        assert!(!is_relayed(&[0x00, 0x03, 0x00, 0x00]), "Allocate");
        assert!(!is_relayed(&[0x00, 0x08, 0x00, 0x00]), "CreatePermission");
        assert!(!is_relayed(&[]));
    }
}
