//! How the NAT between the node and the internet filters (RFC 4787 section 5).

use std::io;
use std::net::SocketAddr;

use farcall_scenario::Behaviour;

use super::ask::{ask_in_order, local_address, udp_socket_at};
use super::patience::{Patience, Reading};
use super::wire::{AnswerFrom, Question};

/// Which answers came back.
#[derive(Debug, Clone, Copy)]
struct Arrived {
    from_other_port: bool,
    from_other_address: bool,
    /// Whether the responder saw another address than the node has.
    translated: bool,
}

/// Measures the filtering.
pub(super) async fn measure(
    to: SocketAddr,
    source_port: Option<u16>,
    patience: Patience,
    declared: &str,
) -> String {
    let settled = patience.settle(declared, async |patience| {
        match arrivals(to, source_port, patience).await {
            Ok(Some(arrived)) => {
                let filtering = classify(arrived);
                let words = filtering.map_or("no filter".to_owned(), |words| words.to_string());
                if arrived.from_other_port && arrived.from_other_address {
                    Reading::Found(words)
                } else {
                    Reading::Silence(words)
                }
            }
            Ok(None) => Reading::Silence("no answer".to_owned()),
            Err(error) => Reading::impossible(error),
        }
    });
    settled.await
}

fn classify(arrived: Arrived) -> Option<Behaviour> {
    match (arrived.from_other_address, arrived.from_other_port) {
        (true, true) if !arrived.translated => None,
        (true, true) => Some(Behaviour::EndpointIndependent),
        (false, true) => Some(Behaviour::AddressDependent),
        (_, false) => Some(Behaviour::AddressAndPortDependent),
    }
}

/// `None` if not even the address that was asked answers.
async fn arrivals(
    to: SocketAddr,
    source_port: Option<u16>,
    patience: Patience,
) -> io::Result<Option<Arrived>> {
    let socket = udp_socket_at(to, source_port).await?;
    let here = local_address(&socket, to).await?;
    let questions = [
        AnswerFrom::OtherPort,
        AnswerFrom::OtherAddress,
        AnswerFrom::Same,
    ];
    let questions = questions.map(Question::new);
    let observed = ask_in_order(&socket, to, questions, patience).await?;
    let [other_port, other_address, Some(same)] = observed[..] else {
        return Ok(None);
    };
    Ok(Some(Arrived {
        from_other_port: other_port.is_some(),
        from_other_address: other_address.is_some(),
        translated: same != here,
    }))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::super::responder::Responder;
    use super::*;

    #[test]
    fn filters_are_classified_as_rfc_4787_does() {
        let of = |from_other_port, from_other_address| {
            classify(Arrived {
                from_other_port,
                from_other_address,
                translated: true,
            })
        };
        assert_eq!(of(true, true), Some(Behaviour::EndpointIndependent));
        assert_eq!(of(true, false), Some(Behaviour::AddressDependent));
        assert_eq!(of(false, false), Some(Behaviour::AddressAndPortDependent));
        assert_eq!(of(false, true), Some(Behaviour::AddressAndPortDependent));
    }

    #[tokio::test]
    async fn without_a_nat_nothing_is_filtered() {
        let addresses = [Ipv4Addr::new(127, 0, 4, 1), Ipv4Addr::new(127, 0, 4, 2)];
        let _responder = Responder::start_at(addresses, [20_017, 20_018])
            .await
            .unwrap();
        let patience = Patience::new(Duration::ZERO);
        let arrived = arrivals((addresses[0], 20_017).into(), None, patience);
        let arrived = arrived.await.unwrap();
        assert_eq!(classify(arrived.unwrap()), None);
        // Nobody answers there.
        let nobody = arrivals((addresses[0], 20_019).into(), None, patience);
        let nobody = nobody.await.unwrap();
        assert!(nobody.is_none());
    }
}
