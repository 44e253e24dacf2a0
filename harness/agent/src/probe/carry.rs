//! Traffic whose figures are wanted, where [`measure`](super::measure) judges.

use std::io;
use std::time::Duration;

use farcall_plan::{Node, PROBE_PORTS};
use farcall_protocol::{Carried, Traffic};
use farcall_scenario::Direction;

use super::arrivals::Window;
use super::bulk;
use super::internet::Internet;
use super::patience::Patience;
use super::traffic;
use super::train::Train;
use super::turn::Turn;

/// The traffic could not be exchanged.
#[derive(Debug, thiserror::Error)]
#[error(
    "failed to exchange {traffic:?} with the probe: {source}; look at the lab with `farcall attest`"
)]
pub(crate) struct CarryError {
    traffic: Traffic,
    source: io::Error,
}

/// Exchanges traffic with the responder. `round_trip` is the longest that an answer takes on the declared link.
///
/// # Errors
/// When the kernel refuses, or the responder does not answer.
pub(crate) async fn carry(
    node: &Node,
    traffic: Traffic,
    round_trip: Duration,
) -> Result<Carried, CarryError> {
    let to = Internet::of(node).responder(PROBE_PORTS[0]);
    let carried = async {
        match traffic {
            Traffic::Packets {
                direction,
                packets,
                ip_bytes,
                per_second,
            } => {
                let train = Train {
                    packets,
                    ip_bytes,
                    gap_ns: 1_000_000_000 / u64::from(per_second.max(1)),
                };
                let patience = Patience::new(round_trip);
                let arrived = traffic::send(
                    direction,
                    to,
                    train,
                    Window::default(),
                    patience,
                    &Turn::default(),
                )
                .await?;
                Ok(Carried {
                    packets: arrived.arrived,
                    bytes: u64::from(arrived.arrived.saturating_sub(1)) * u64::from(ip_bytes),
                    span_us: arrived.span_us,
                    delays: arrived.delays,
                })
            }
            Traffic::Bulk { direction, ms } => {
                let duration = Duration::from_millis(ms.into());
                match direction {
                    Direction::Out => bulk::up(to, duration).await,
                    Direction::In => bulk::down(to, duration).await,
                }
            }
        }
    };
    carried
        .await
        .map_err(|source| CarryError { traffic, source })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use std::net::{Ipv4Addr, SocketAddr};

    use super::super::responder::Responder;
    use super::*;

    #[tokio::test]
    async fn bulk_is_counted_either_way() {
        let addresses = [Ipv4Addr::new(127, 0, 9, 1), Ipv4Addr::new(127, 0, 9, 2)];
        let _responder = Responder::start_at(addresses, [20_047, 20_048])
            .await
            .unwrap();
        let to = SocketAddr::from((addresses[0], 20_047));
        let duration = Duration::from_millis(50);
        for carried in [
            bulk::up(to, duration).await.unwrap(),
            bulk::down(to, duration).await.unwrap(),
        ] {
            assert!(carried.bytes > 100_000, "{carried:?}");
            assert!(carried.span_us >= 50_000, "{carried:?}");
        }
    }
}
