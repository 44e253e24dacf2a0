//! Single questions to a name server, over UDP, for probes that want to see its very answer.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use hickory_resolver::proto::op::{Message, Query};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::net::UdpSocket;

/// The port of name servers.
pub(crate) const PORT: u16 = 53;

/// A question for the IPv4 addresses of a name.
pub(crate) fn question(name: Name) -> Message {
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, RecordType::A));
    message
}

/// Asks once and waits for the answer for as long as the caller likes.
///
/// # Errors
///
/// When nothing can be sent, or an ICMP error comes back.
pub(crate) async fn ask(server: Ipv4Addr, question: &Message) -> std::io::Result<Message> {
    ask_at(SocketAddrV4::new(server, PORT), question).await
}

/// As [`ask`], of a name server at any port.
pub(crate) async fn ask_at(server: SocketAddrV4, question: &Message) -> std::io::Result<Message> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
    socket.connect(SocketAddr::V4(server)).await?;
    let bytes = question.to_vec().map_err(std::io::Error::other)?;
    socket.send(&bytes).await?;
    let mut buffer = [0; 4096];
    loop {
        let length = socket.recv(&mut buffer).await?;
        match Message::from_vec(&buffer[..length]) {
            Ok(answer) if answer.metadata.id == question.metadata.id => return Ok(answer),
            _ => {}
        }
    }
}

/// The IPv4 addresses in an answer, or the response code in words if there are none.
pub(crate) fn addresses(answer: &Message) -> Result<Vec<Ipv4Addr>, String> {
    let addresses = answer
        .answers
        .iter()
        .filter_map(|record| match record.data {
            RData::A(address) => Some(address.0),
            _ => None,
        })
        .collect::<Vec<_>>();
    if addresses.is_empty() {
        return Err(answer.metadata.response_code.to_string());
    }
    Ok(addresses)
}
