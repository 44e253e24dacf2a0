//! Single questions to a name server, over UDP, for probes that want to see its very answer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hickory_resolver::proto::op::{Message, Query};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::net::UdpSocket;

/// The port of name servers.
pub(crate) const PORT: u16 = 53;

/// A question for the addresses of a name: A records or AAAA.
pub(crate) fn question(name: Name, record: RecordType) -> Message {
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, record));
    message
}

/// Asks once and waits for the answer for as long as the caller likes.
///
/// # Errors
///
/// When nothing can be sent, or an ICMP error comes back.
pub(crate) async fn ask(server: IpAddr, question: &Message) -> std::io::Result<Message> {
    ask_at(SocketAddr::new(server, PORT), question).await
}

/// As [`ask`], of a name server at any port.
pub(crate) async fn ask_at(server: SocketAddr, question: &Message) -> std::io::Result<Message> {
    let socket = UdpSocket::bind((unspecified(server.ip()), 0)).await?;
    socket.connect(server).await?;
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

/// The address of any interface, in the family of this one.
pub(crate) fn unspecified(family: IpAddr) -> IpAddr {
    match family {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// The addresses in an answer, or the response code in words if there are none.
pub(crate) fn addresses(answer: &Message) -> Result<Vec<IpAddr>, String> {
    let addresses = answer
        .answers
        .iter()
        .filter_map(|record| match record.data {
            RData::A(address) => Some(address.0.into()),
            RData::AAAA(address) => Some(address.0.into()),
            _ => None,
        })
        .collect::<Vec<_>>();
    if addresses.is_empty() {
        return Err(answer.metadata.response_code.to_string());
    }
    Ok(addresses)
}
