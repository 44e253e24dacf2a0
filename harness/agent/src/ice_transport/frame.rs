//! TURN messages on a stream: STUN messages as they are, ChannelData padded to four bytes
//! (RFC 8489 section 6.2.2, RFC 8656 section 12.5). There is no length prefix.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use rtc::stun::message::{MAGIC_COOKIE, MESSAGE_HEADER_SIZE};
use tokio_util::codec::{Decoder, Encoder};

const CHANNEL_DATA_HEADER_SIZE: usize = 4;

/// Why a stream cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    /// The stream itself failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The server sent something else than STUN and ChannelData.
    #[error("the server sent something that is not TURN: {0}")]
    NotTurn(String),
}

/// Splits a stream into datagrams and back. Padding is added outbound and stripped inbound.
#[derive(Debug, Default)]
pub(super) struct TurnCodec {
    /// A server cannot send ChannelData before it has answered a request. Without this rule the
    /// first letters of `HTTP/1.1` would pass for ChannelData of 21 kB.
    has_answered: bool,
}

/// The length of the message that begins with these bytes, without padding; `None` while the
/// bytes are too few to tell.
fn message_length(bytes: &[u8]) -> Result<Option<usize>, String> {
    let Some(&first) = bytes.first() else {
        return Ok(None);
    };
    match first >> 6 {
        0b00 => {
            if let Some(cookie) = bytes.get(4..8)
                && cookie != MAGIC_COOKIE.to_be_bytes()
            {
                return Err(shown(bytes));
            }
            let Some(length) = bytes.get(2..4) else {
                return Ok(None);
            };
            let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
            if length % 4 != 0 {
                return Err(shown(bytes));
            }
            Ok((bytes.len() >= MESSAGE_HEADER_SIZE).then_some(MESSAGE_HEADER_SIZE + length))
        }
        // RFC 8656 section 12: channel numbers are 0x4000 to 0x4FFF.
        0b01 if first < 0x50 => Ok(bytes.get(2..4).map(|length| {
            CHANNEL_DATA_HEADER_SIZE + usize::from(u16::from_be_bytes([length[0], length[1]]))
        })),
        _ => Err(shown(bytes)),
    }
}

/// The TURN message in a datagram, without the padding that may follow it (webrtc-rs pads ChannelData
/// over UDP too); `None` if it is something else.
pub(super) fn turn_message(datagram: Bytes) -> Option<Bytes> {
    let length = message_length(&datagram).ok().flatten()?;
    (length <= datagram.len()).then(|| datagram.slice(..length))
}

fn is_stun(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| first >> 6 == 0)
}

/// The beginning of what was received, for a person.
fn shown(bytes: &[u8]) -> String {
    let beginning = &bytes[..bytes.len().min(16)];
    format!("{:?}", beginning.escape_ascii().to_string())
}

impl Decoder for TurnCodec {
    type Item = Bytes;
    type Error = FrameError;

    fn decode(&mut self, source: &mut BytesMut) -> Result<Option<Bytes>, FrameError> {
        if !self.has_answered && !source.is_empty() && !is_stun(source) {
            return Err(FrameError::NotTurn(shown(source)));
        }
        let Some(length) = message_length(source).map_err(FrameError::NotTurn)? else {
            return Ok(None);
        };
        let padded = length.next_multiple_of(4);
        if source.len() < padded {
            source.reserve(padded - source.len());
            return Ok(None);
        }
        self.has_answered = true;
        let message = source.split_to(length).freeze();
        source.advance(padded - length);
        Ok(Some(message))
    }
}

impl Encoder<Bytes> for TurnCodec {
    type Error = FrameError;

    fn encode(&mut self, message: Bytes, target: &mut BytesMut) -> Result<(), FrameError> {
        let Some(message) = turn_message(message) else {
            return Err(FrameError::Io(std::io::ErrorKind::InvalidInput.into()));
        };
        let padded = message.len().next_multiple_of(4);
        target.reserve(padded);
        target.put_slice(&message);
        target.put_bytes(0, padded - message.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::super::testing::{allocate_request, channel_data};
    use super::*;

    fn encode(messages: &[Bytes]) -> BytesMut {
        let mut stream = BytesMut::new();
        for message in messages {
            TurnCodec::default()
                .encode(message.clone(), &mut stream)
                .unwrap();
        }
        stream
    }

    fn decode_all(codec: &mut TurnCodec, buffer: &mut BytesMut) -> Vec<Bytes> {
        std::iter::from_fn(|| codec.decode(buffer).unwrap()).collect()
    }

    #[test]
    fn messages_survive_a_stream_that_is_split_anywhere() {
        let mut messages = vec![allocate_request(false)];
        messages.extend((0..9).map(|length| channel_data(0x4000, length)));
        messages.push(allocate_request(true));
        messages.push(channel_data(0x4fff, 1200));
        let stream = encode(&messages);
        for first in 0..stream.len() {
            for second in [first, first.midpoint(stream.len()), stream.len()] {
                let mut codec = TurnCodec::default();
                let mut buffer = BytesMut::new();
                let mut decoded = Vec::new();
                for part in [&stream[..first], &stream[first..second], &stream[second..]] {
                    buffer.extend_from_slice(part);
                    decoded.extend(decode_all(&mut codec, &mut buffer));
                }
                assert_eq!(decoded, messages, "split at {first} and {second}");
                assert!(buffer.is_empty());
            }
        }
    }

    #[test]
    fn messages_survive_a_stream_that_comes_byte_by_byte() {
        let messages = [allocate_request(true), channel_data(0x4001, 5)];
        let mut codec = TurnCodec::default();
        let mut buffer = BytesMut::new();
        let mut decoded = Vec::new();
        for byte in encode(&messages) {
            buffer.put_u8(byte);
            decoded.extend(decode_all(&mut codec, &mut buffer));
        }
        assert_eq!(decoded, messages);
    }

    #[test]
    fn channel_data_is_padded_on_the_stream_and_not_twice() {
        for length in 0..9 {
            let bare = channel_data(0x4000, length);
            let mut padded = bare.to_vec();
            padded.resize(bare.len().next_multiple_of(4), 0);
            assert_eq!(encode(std::slice::from_ref(&bare)), &padded[..]);
            assert_eq!(encode(&[Bytes::from(padded.clone())]), &padded[..]);
        }
    }

    #[test]
    fn other_protocols_are_recognised_at_their_first_bytes() {
        let greetings: [&[u8]; 5] = [
            b"HTTP/1.1 400 Bad Request\r\n",
            b"SSH-2.0-OpenSSH_9.2\r\n",
            &[0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46, 0x00],
            b"220 mail.example ESMTP\r\n",
            &[0xff, 0xff],
        ];
        for greeting in greetings {
            let mut buffer = BytesMut::from(greeting);
            let result = TurnCodec::default().decode(&mut buffer);
            assert!(
                matches!(result, Err(FrameError::NotTurn(_))),
                "{greeting:?}"
            );
        }
    }

    #[test]
    fn what_is_not_turn_is_not_sent() {
        let mut stream = BytesMut::new();
        let datagram = Bytes::from_static(b"\x80rtp");
        assert_eq!(turn_message(datagram.clone()), None);
        let result = TurnCodec::default().encode(datagram, &mut stream);
        assert!(result.is_err());
        assert!(stream.is_empty());
    }
}
