//! A peer's signalling: a WebSocket over TLS that is opened again whenever it breaks.

use super::exchange::Exchange;
use super::frame::{Frame, MESSAGE_BYTES};
use crate::Outlet;
use crate::ice_transport::{TlsStream, TlsWay};
use backon::{BackoffBuilder, ExponentialBuilder};
use farcall_protocol::{Signal, SignallingAccess};
use farcall_timeline::{Event, SignallingEvent};
use futures::{SinkExt, StreamExt};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use tokio_util::task::AbortOnDropHandle;

/// How long a connection may take to open: six round trips of the slowest link, with a segment lost.
const OPENS_WITHIN: Duration = Duration::from_secs(8);

/// How often the server is asked for a sign of life (RFC 6455 section 5.5.2).
const PING_EVERY: Duration = Duration::from_secs(1);

/// After which silence the connection is given up. Browsers have no such limit and applications set their own;
/// this is above the round trip of the slowest link with its queue full.
const SILENCE: Duration = Duration::from_secs(4);

/// The pauses between attempts to open it.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(1));

/// Why a connection is given up whose network is gone.
const MOVED: &str = "the network changed";

/// A peer's signalling, until this is dropped.
pub(crate) struct SignallingClient {
    said: UnboundedSender<Signal>,
    moved: Arc<Notify>,
    _task: AbortOnDropHandle<()>,
}

impl SignallingClient {
    /// Begins to connect, and hands on what the other peer says.
    pub fn start(
        way: TlsWay,
        access: &SignallingAccess,
        outlet: &Outlet,
        hear: impl FnMut(Signal) + Send + Sync + 'static,
    ) -> Self {
        let (said, to_say) = unbounded_channel();
        let moved = Arc::new(Notify::new());
        let talk = Talk {
            way,
            access: access.clone(),
            outlet: outlet.clone(),
            exchange: Exchange::default(),
            to_say,
            moved: moved.clone(),
            hear,
        };
        Self {
            said,
            moved,
            _task: AbortOnDropHandle::new(tokio::spawn(talk.run())),
        }
    }

    /// Says something to the other peer, as soon as there is a way.
    pub fn say(&self, signal: Signal) {
        // The task lives as long as this.
        let _ = self.said.send(signal);
    }
}

impl SignallingClient {
    /// The network is another one: the connection is opened again at once, as browsers give up those of a network
    /// that is gone.
    pub fn moved(&self) {
        self.moved.notify_one();
    }
}

struct Talk<H> {
    way: TlsWay,
    access: SignallingAccess,
    outlet: Outlet,
    exchange: Exchange,
    to_say: UnboundedReceiver<Signal>,
    moved: Arc<Notify>,
    hear: H,
}

impl<H: FnMut(Signal) + Send + Sync> Talk<H> {
    async fn run(mut self) {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(PAUSES.0)
            .with_max_delay(PAUSES.1)
            .without_max_times();
        let mut until_next = pauses.build();
        loop {
            let begun = Instant::now();
            let opened = tokio::select! {
                opened = self.open() => opened,
                () = self.moved.notified() => Err(MOVED.to_owned()),
            };
            match opened {
                Ok(socket) => {
                    let after_ms = begun.elapsed().as_secs_f64() * 1e3;
                    let url = self.access.url();
                    self.tell(SignallingEvent::Open { url, after_ms });
                    let reason = self.converse(socket).await;
                    self.tell(SignallingEvent::Closed { reason });
                    until_next = pauses.build();
                }
                Err(reason) => {
                    let url = self.access.url();
                    self.tell(SignallingEvent::Failed { url, reason });
                }
            }
            let pause = until_next.next().unwrap_or(PAUSES.1);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.moved.notified() => {}
            }
        }
    }

    /// A connection on which the room was joined.
    async fn open(&self) -> Result<WebSocketStream<TlsStream>, String> {
        let SignallingAccess { host, port, .. } = &self.access;
        let open = async {
            let stream = self.way.open(host, *port).await?;
            let limits = WebSocketConfig::default().max_message_size(Some(MESSAGE_BYTES));
            let opened = client_async_with_config(self.access.url(), stream, Some(limits)).await;
            let (mut socket, _) = opened.map_err(|error| match error {
                Error::Http(answer) => format!("the server answered {}", answer.status()),
                other => other.to_string(),
            })?;
            let join = Frame::Join {
                room: self.access.room.clone(),
                peer: self.access.peer.clone(),
            };
            send(&mut socket, &join).await?;
            Ok(socket)
        };
        let late = format!("no connection within {} s", OPENS_WITHIN.as_secs());
        timeout(OPENS_WITHIN, open).await.unwrap_or(Err(late))
    }

    /// Carries what is said until the connection breaks; tells why it did.
    async fn converse(&mut self, mut socket: WebSocketStream<TlsStream>) -> String {
        let mut ping = interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last_heard = Instant::now();
        loop {
            let done = tokio::select! {
                came = socket.next() => {
                    last_heard = Instant::now();
                    match came {
                        Some(Ok(Message::Text(text))) => self.take(&text, &mut socket).await,
                        Some(Ok(Message::Close(_))) | None => Err("the server closed it".to_owned()),
                        Some(Ok(_)) => Ok(()),
                        Some(Err(error)) => Err(error.to_string()),
                    }
                }
                () = self.moved.notified() => Err(MOVED.to_owned()),
                // Kept as long as this task lives.
                Some(signal) = self.to_say.recv() => {
                    let number = self.exchange.say(signal.clone());
                    send(&mut socket, &Frame::Signal { number, signal }).await
                }
                _ = ping.tick() => {
                    if last_heard.elapsed() > SILENCE {
                        Err(format!("nothing came for {} s", SILENCE.as_secs()))
                    } else {
                        send_message(&mut socket, Message::Ping(Vec::new().into())).await
                    }
                }
            };
            if let Err(reason) = done {
                return reason;
            }
        }
    }

    async fn take(
        &mut self,
        text: &str,
        socket: &mut WebSocketStream<TlsStream>,
    ) -> Result<(), String> {
        let frame = serde_json::from_str(text)
            .map_err(|error| format!("the server said what is no signalling: {error}"))?;
        match frame {
            Frame::Present => {
                for (number, signal) in self.exchange.kept() {
                    let signal = signal.clone();
                    send(socket, &Frame::Signal { number, signal }).await?;
                }
                Ok(())
            }
            Frame::Signal { number, signal } => {
                if self.exchange.arrives(number) {
                    (self.hear)(signal);
                }
                let number = self.exchange.arrived();
                send(socket, &Frame::Received { number }).await
            }
            Frame::Received { number } => {
                self.exchange.taken(number);
                Ok(())
            }
            Frame::Join { .. } => Err("the server said `join`, which only clients do".to_owned()),
        }
    }

    fn tell(&self, event: SignallingEvent) {
        self.outlet.event(Event::Signalling(event));
    }
}

async fn send(socket: &mut WebSocketStream<TlsStream>, frame: &Frame) -> Result<(), String> {
    let text = frame.text().map_err(|error| error.to_string())?;
    send_message(socket, Message::Text(text.into())).await
}

/// Where nothing gets through, what is sent waits in the kernel until it has no more room.
async fn send_message(
    socket: &mut WebSocketStream<TlsStream>,
    message: Message,
) -> Result<(), String> {
    match timeout(SILENCE, socket.send(message)).await {
        Ok(sent) => sent.map_err(|error| error.to_string()),
        Err(_) => Err(format!("nothing could be sent for {} s", SILENCE.as_secs())),
    }
}
