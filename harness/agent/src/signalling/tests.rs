//! Clients and a server on the loopback, with TLS.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;
use crate::Outlet;
use crate::ice_transport::{TlsStream, TlsWay};
use crate::outlet::Said;
use farcall_protocol::{CertificatePem, Message, Signal, SignalBody, SignallingAccess};
use farcall_timeline::{Event, SignallingEvent};
use frame::Frame;
use futures::{SinkExt, StreamExt};
use rcgen::{CertificateParams, KeyPair};
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use tokio_tungstenite::{WebSocketStream, client_async};

const HOST: &str = "127.0.0.1";
const SOON: Duration = Duration::from_secs(20);

/// A certificate for the loopback, which is its own authority.
fn certificate() -> CertificatePem {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
    CertificatePem {
        chain: params.self_signed(&key).unwrap().pem(),
        key: key.serialize_pem(),
    }
}

fn free() -> SocketAddr {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.local_addr().unwrap()
}

struct Lab {
    server: SignallingServer,
    way: TlsWay,
    port: u16,
    _said: Said,
}

impl Lab {
    async fn new() -> Self {
        let (outlet, said) = Outlet::new();
        let certificate = certificate();
        let at = free();
        Self {
            server: SignallingServer::start(at, &certificate, &outlet)
                .await
                .unwrap(),
            way: TlsWay::new(&[at.ip()], &certificate.chain, None).unwrap(),
            port: at.port(),
            _said: said,
        }
    }

    fn peer(&self, room: &str, name: &str) -> Peer {
        let (outlet, said) = Outlet::new();
        let (hear, heard) = unbounded_channel();
        let access = SignallingAccess {
            host: HOST.to_owned(),
            port: self.port,
            room: room.to_owned(),
            peer: name.to_owned(),
        };
        let client = SignallingClient::start(self.way.clone(), &access, &outlet, move |signal| {
            let _ = hear.send(signal);
        });
        Peer {
            client,
            heard,
            said,
        }
    }

    /// A connection without a client's manners.
    async fn raw(&self) -> WebSocketStream<TlsStream> {
        let stream = self.way.open(HOST, self.port).await.unwrap();
        let url = format!("wss://{HOST}:{}/", self.port);
        client_async(url, stream).await.unwrap().0
    }
}

struct Peer {
    client: SignallingClient,
    heard: UnboundedReceiver<Signal>,
    said: Said,
}

impl Peer {
    fn say(&self, numbers: impl IntoIterator<Item = u32>) {
        for number in numbers {
            self.client.voice().send(signal(number)).unwrap();
        }
    }

    async fn hears(&mut self, numbers: impl IntoIterator<Item = u32>) {
        for number in numbers {
            let heard = timeout(SOON, self.heard.recv()).await.unwrap();
            assert_eq!(heard, Some(signal(number)));
        }
    }

    /// Waits for what its signalling tells.
    async fn tells(&mut self, wanted: impl Fn(&SignallingEvent) -> bool) -> SignallingEvent {
        let search = async {
            loop {
                if let Some(Message::Event {
                    event: Event::Signalling(step),
                    ..
                }) = self.said.next().await
                    && wanted(&step)
                {
                    return step;
                }
            }
        };
        timeout(SOON, search).await.unwrap()
    }
}

fn signal(number: u32) -> Signal {
    Signal {
        connection: number,
        incarnation: 1,
        body: SignalBody::Restart { attempt: number },
    }
}

fn is_open(step: &SignallingEvent) -> bool {
    matches!(step, SignallingEvent::Open { .. })
}

#[tokio::test]
async fn what_one_says_the_other_hears_even_if_it_comes_later() {
    let lab = Lab::new().await;
    let mut alice = lab.peer("call", "alice");
    alice.say(1..=3);
    alice.tells(is_open).await;
    let mut bob = lab.peer("call", "bob");
    bob.hears(1..=3).await;
    bob.say(1..=2);
    alice.hears(1..=2).await;
    alice.say([4]);
    bob.hears([4]).await;
}

#[tokio::test]
async fn rooms_hear_nothing_of_each_other() {
    let lab = Lab::new().await;
    let (alice, mut bob) = (lab.peer("one", "alice"), lab.peer("one", "bob"));
    let (carol, mut dave) = (lab.peer("two", "carol"), lab.peer("two", "dave"));
    alice.say(1..=2);
    carol.say(11..=12);
    bob.hears(1..=2).await;
    dave.hears(11..=12).await;
}

#[tokio::test]
async fn nothing_is_lost_or_said_twice_when_the_server_starts_anew() {
    let lab = Lab::new().await;
    let (mut alice, mut bob) = (lab.peer("call", "alice"), lab.peer("call", "bob"));
    for round in 0..3 {
        let numbers = round * 10..round * 10 + 10;
        alice.say(numbers.clone());
        bob.say(numbers.clone());
        alice.tells(is_open).await;
        bob.tells(is_open).await;
        lab.server.stop().await;
        let broke = |step: &SignallingEvent| matches!(step, SignallingEvent::Closed { .. });
        alice.tells(broke).await;
        bob.tells(broke).await;
        lab.server.start_again().await.unwrap();
        alice.hears(numbers.clone()).await;
        bob.hears(numbers).await;
    }
}

#[tokio::test]
async fn a_server_that_is_gone_is_told_and_tried_again() {
    let lab = Lab::new().await;
    lab.server.refuses().await.unwrap_err();
    lab.server.stop().await;
    lab.server.refuses().await.unwrap();
    let mut alice = lab.peer("call", "alice");
    let failed = |step: &SignallingEvent| matches!(step, SignallingEvent::Failed { .. });
    let step = alice.tells(failed).await;
    let SignallingEvent::Failed { url, reason } = step else {
        panic!("{step:?}");
    };
    assert_eq!(url, format!("wss://{HOST}:{}/", lab.port));
    assert!(reason.contains("refused"), "{reason}");
    lab.server.start_again().await.unwrap();
    alice.tells(is_open).await;
}

#[tokio::test]
async fn a_certificate_of_somebody_else_is_not_accepted() {
    let mut lab = Lab::new().await;
    lab.way = TlsWay::new(&[Ipv4Addr::LOCALHOST.into()], &certificate().chain, None).unwrap();
    let mut alice = lab.peer("call", "alice");
    let failed = |step: &SignallingEvent| matches!(step, SignallingEvent::Failed { .. });
    let SignallingEvent::Failed { reason, .. } = alice.tells(failed).await else {
        panic!("it opened");
    };
    assert!(reason.contains("issuer"), "{reason}");
}

#[tokio::test]
async fn who_comes_by_another_connection_is_reached_by_that_one() {
    let lab = Lab::new().await;
    let join = Frame::Join {
        room: "call".to_owned(),
        peer: "bob".to_owned(),
    };
    let join = || tokio_tungstenite::tungstenite::Message::text(join.text().unwrap());
    let (mut first, mut second) = (lab.raw().await, lab.raw().await);
    first.send(join()).await.unwrap();
    let mut alice = lab.peer("call", "alice");
    alice.tells(is_open).await;
    second.send(join()).await.unwrap();
    // The first is closed, after what it was told before.
    while let Some(Ok(message)) = timeout(SOON, first.next()).await.unwrap() {
        if message.is_close() {
            break;
        }
    }
    alice.say([1]);
    let heard = loop {
        let message = timeout(SOON, second.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        let frame: Frame = serde_json::from_str(message.to_text().unwrap()).unwrap();
        if frame != Frame::Present {
            break frame;
        }
    };
    assert_eq!(
        heard,
        Frame::Signal {
            number: 1,
            signal: signal(1)
        }
    );
}

#[tokio::test]
async fn who_does_not_speak_the_protocol_is_not_listened_to() {
    let lab = Lab::new().await;
    for first in ["hello", "{\"say\":\"present\"}"] {
        let mut stranger = lab.raw().await;
        let text = tokio_tungstenite::tungstenite::Message::text(first);
        stranger.send(text).await.unwrap();
        let answer = timeout(SOON, stranger.next()).await.unwrap();
        assert!(
            !matches!(answer, Some(Ok(ref message)) if message.is_text()),
            "{answer:?}"
        );
    }
}
