//! A client that takes an allocation and keeps it, as others do who use the same server (RFC 8656 section 7).

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use farcall_protocol::PlainAccount;
use rtc::stun::attributes::{ATTR_NONCE, ATTR_REALM, ATTR_REQUESTED_TRANSPORT, ATTR_USERNAME};
use rtc::stun::crypto::default_provider;
use rtc::stun::error_code::ErrorCodeAttribute;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{
    CLASS_REQUEST, CLASS_SUCCESS_RESPONSE, Getter, MESSAGE_HEADER_SIZE, METHOD_ALLOCATE, Message,
    MessageType, Setter, TransactionId,
};
use rtc::stun::textattrs::TextAttribute;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long the server may take for an answer; it is on the same node.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// REQUESTED-TRANSPORT: UDP's protocol number and three reserved bytes (RFC 8656 section 18.8).
const UDP: [u8; 4] = [17, 0, 0, 0];

/// An allocation. It is the server's as soon as this is dropped.
#[derive(Debug)]
pub(super) struct Allocation(#[expect(dead_code, reason = "held, not used")] TcpStream);

/// What the server answers.
#[derive(Debug)]
pub(super) enum Answer {
    /// It has allocated.
    Allocated(Allocation),
    /// It refuses, with this STUN error code.
    Refused(u16),
}

/// A connection on which the server has asked who its client is (RFC 8489 section 9.2.4).
pub(super) struct Challenged {
    stream: TcpStream,
    realm: String,
    nonce: String,
}

/// Asks for an allocation over a plain TCP connection to any of the server's ports for TCP or TLS.
///
/// # Errors
/// When the server cannot be reached, or what it says is no STUN.
pub(super) async fn allocate(at: SocketAddr, account: &PlainAccount) -> io::Result<Answer> {
    challenge(at).await?.allocate(account).await
}

/// As [`allocate`], to the point where the account is asked for.
pub(super) async fn challenge(at: SocketAddr) -> io::Result<Challenged> {
    in_time(async {
        let mut stream = TcpStream::connect(at).await?;
        let challenge = exchange(&mut stream, &request(&[])?).await?;
        Ok(Challenged {
            realm: text(&challenge, ATTR_REALM)?,
            nonce: text(&challenge, ATTR_NONCE)?,
            stream,
        })
    })
    .await
}

impl Challenged {
    /// Asks for the allocation once more, with this account.
    pub(super) async fn allocate(self, account: &PlainAccount) -> io::Result<Answer> {
        let Self {
            mut stream,
            realm,
            nonce,
        } = self;
        let PlainAccount { username, password } = account;
        let provider = default_provider().map_err(io::Error::other)?;
        let integrity = MessageIntegrity::new_long_term_integrity_with_provider(
            username.clone(),
            realm.clone(),
            password.clone(),
            provider.crypto(),
        );
        let authorized = request(&[
            Box::new(TextAttribute::new(ATTR_USERNAME, username.clone())),
            Box::new(TextAttribute::new(ATTR_REALM, realm)),
            Box::new(TextAttribute::new(ATTR_NONCE, nonce)),
            Box::new(integrity.map_err(io::Error::other)?),
        ])?;
        let answer = in_time(exchange(&mut stream, &authorized)).await?;
        if answer.typ.class == CLASS_SUCCESS_RESPONSE {
            return Ok(Answer::Allocated(Allocation(stream)));
        }
        let mut error = ErrorCodeAttribute::default();
        error.get_from(&answer).map_err(io::Error::other)?;
        Ok(Answer::Refused(error.code.0))
    }
}

async fn in_time<T>(asked: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let answered = timeout(ANSWER_WITHIN, asked).await;
    answered.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

fn request(attributes: &[Box<dyn Setter + '_>]) -> io::Result<Message> {
    let mut request = Message::new();
    let head: [Box<dyn Setter>; 2] = [
        Box::new(TransactionId::new()),
        Box::new(MessageType::new(METHOD_ALLOCATE, CLASS_REQUEST)),
    ];
    request.build(&head).map_err(io::Error::other)?;
    request.add(ATTR_REQUESTED_TRANSPORT, &UDP);
    for attribute in attributes {
        attribute.add_to(&mut request).map_err(io::Error::other)?;
    }
    Ok(request)
}

fn text(message: &Message, of: rtc::stun::attributes::AttrType) -> io::Result<String> {
    let attribute = TextAttribute::get_from_as(message, of).map_err(io::Error::other)?;
    Ok(attribute.text)
}

async fn exchange(stream: &mut TcpStream, request: &Message) -> io::Result<Message> {
    stream.write_all(&request.raw).await?;
    let mut answer = vec![0; MESSAGE_HEADER_SIZE];
    stream.read_exact(&mut answer).await?;
    let length = usize::from(u16::from_be_bytes([answer[2], answer[3]]));
    answer.resize(MESSAGE_HEADER_SIZE + length, 0);
    stream
        .read_exact(&mut answer[MESSAGE_HEADER_SIZE..])
        .await?;
    let mut message = Message::new();
    message
        .unmarshal_binary(&answer)
        .map_err(io::Error::other)?;
    Ok(message)
}
