//! Messages and configurations for the tests of this module.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use bytes::{BufMut, Bytes, BytesMut};
use farcall_scenario::{IceConfiguration, IceServer, IceUrl, Scheme, Secret};
use farcall_timeline::IceTransport;
use rtc::stun::attributes::{
    ATTR_DATA, ATTR_LIFETIME, ATTR_MESSAGE_INTEGRITY, ATTR_NONCE, ATTR_REALM,
    ATTR_XOR_RELAYED_ADDRESS,
};
use rtc::stun::error_code::{ErrorCode, ErrorCodeAttribute};
use rtc::stun::message::{
    BINDING_REQUEST, CLASS_ERROR_RESPONSE, CLASS_INDICATION, CLASS_REQUEST, CLASS_SUCCESS_RESPONSE,
    METHOD_ALLOCATE, METHOD_DATA, Message, MessageClass, MessageType, Setter, TransactionId,
};
use rtc::stun::xoraddr::XorMappedAddress;
use std::net::SocketAddr;

/// A configuration of one entry per URL, each with credentials. The URLs have a port.
pub(super) fn configuration(urls: &[&str]) -> IceConfiguration {
    IceConfiguration {
        name: "test".into(),
        ice_servers: urls
            .iter()
            .map(|url| IceServer {
                urls: vec![ice_url(url)],
                username: Some("farcall".into()),
                credential: Some(Secret::new("a-lab-credential")),
            })
            .collect(),
        ice_transport_policy: None,
    }
}

fn ice_url(text: &str) -> IceUrl {
    let (scheme, rest) = text.split_once(':').unwrap();
    let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, port) = authority.rsplit_once(':').unwrap();
    let (scheme, transport) = match (scheme, query) {
        ("stun", _) => (Scheme::Stun, IceTransport::Udp),
        ("turns", _) => (Scheme::Turns, IceTransport::Tls),
        (_, "transport=tcp") => (Scheme::Turn, IceTransport::Tcp),
        _ => (Scheme::Turn, IceTransport::Udp),
    };
    IceUrl {
        text: text.into(),
        scheme,
        host: host.into(),
        port: port.parse().unwrap(),
        transport,
    }
}

fn message(setters: &[Box<dyn Setter + '_>]) -> Bytes {
    let mut message = Message::new();
    message.build(setters).unwrap();
    Bytes::from(message.raw)
}

pub(super) fn binding_request() -> Bytes {
    message(&[Box::new(TransactionId::new()), Box::new(BINDING_REQUEST)])
}

pub(super) fn allocate_request(has_credentials: bool) -> Bytes {
    let mut request = Message::new();
    request
        .build(&[
            Box::new(TransactionId::new()),
            Box::new(MessageType::new(METHOD_ALLOCATE, CLASS_REQUEST)),
        ])
        .unwrap();
    if has_credentials {
        request.add(ATTR_MESSAGE_INTEGRITY, &[0; 20]);
    }
    Bytes::from(request.raw)
}

fn reply(request: &[u8], class: MessageClass) -> Message {
    let mut asked = Message::new();
    asked.unmarshal_binary(request).unwrap();
    let mut reply = Message::new();
    reply
        .build(&[
            Box::new(asked.transaction_id),
            Box::new(MessageType::new(asked.typ.method, class)),
        ])
        .unwrap();
    reply
}

/// A response without any attribute.
pub(super) fn response_to(request: &[u8], class: MessageClass) -> Bytes {
    Bytes::from(reply(request, class).raw)
}

pub(super) fn error_response(request: &[u8], code: u16) -> Bytes {
    let mut reply = reply(request, CLASS_ERROR_RESPONSE);
    let error = ErrorCodeAttribute {
        code: ErrorCode(code),
        reason: b"Phrase".to_vec(),
    };
    error.add_to(&mut reply).unwrap();
    Bytes::from(reply.raw)
}

/// The 401 with REALM and NONCE that every TURN server answers first.
pub(super) fn challenge(request: &[u8]) -> Bytes {
    let mut reply = Message::new();
    reply
        .unmarshal_binary(&error_response(request, 401))
        .unwrap();
    reply.add(ATTR_REALM, b"farcall");
    reply.add(ATTR_NONCE, b"nonce");
    Bytes::from(reply.raw)
}

pub(super) fn binding_success(request: &[u8], mapped: SocketAddr) -> Bytes {
    let mut reply = reply(request, CLASS_SUCCESS_RESPONSE);
    xor_address(mapped).add_to(&mut reply).unwrap();
    Bytes::from(reply.raw)
}

pub(super) fn allocate_success(request: &[u8], relay: SocketAddr, mapped: SocketAddr) -> Bytes {
    let mut reply = reply(request, CLASS_SUCCESS_RESPONSE);
    xor_address(relay)
        .add_to_as(&mut reply, ATTR_XOR_RELAYED_ADDRESS)
        .unwrap();
    xor_address(mapped).add_to(&mut reply).unwrap();
    reply.add(ATTR_LIFETIME, &600_u32.to_be_bytes());
    Bytes::from(reply.raw)
}

fn xor_address(address: SocketAddr) -> XorMappedAddress {
    XorMappedAddress {
        ip: address.ip(),
        port: address.port(),
    }
}

/// A datagram of a peer, as a TURN client sends it once a channel is bound.
pub(super) fn relayed_in_channel_data(payload: &[u8]) -> Bytes {
    let length = u16::try_from(payload.len()).unwrap();
    let header = channel_data(0x4000, length).slice(..4);
    Bytes::from([&header[..], payload].concat())
}

/// A datagram of a peer, as a TURN server hands it on before a channel is bound.
pub(super) fn relayed_in_indication(payload: &[u8]) -> Bytes {
    let mut indication = Message::new();
    indication
        .build(&[
            Box::new(TransactionId::new()),
            Box::new(MessageType::new(METHOD_DATA, CLASS_INDICATION)),
        ])
        .unwrap();
    indication.add(ATTR_DATA, payload);
    Bytes::from(indication.raw)
}

/// ChannelData as a datagram: without padding.
pub(super) fn channel_data(number: u16, length: u16) -> Bytes {
    let mut message = BytesMut::new();
    message.put_u16(number);
    message.put_u16(length);
    message.put_bytes(0xab, length.into());
    message.freeze()
}
