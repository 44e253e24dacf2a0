//! How long an idle UDP mapping lives (RFC 4787 section 4.3).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::ask::{ask, inquire, udp_socket};
use super::outcome::Outcome;
use super::patience::Patience;
use super::wire::{Answer, AnswerFrom, Ask, Question};

/// How long before and after its end a mapping is looked at: a tenth of its lifetime, within these bounds. The
/// kernel and farcall's own translation are exact to a second and better, so the margin is for a machine that
/// is busy.
const MARGIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(3));

/// How often the responder is asked to send to a mapping.
const CALLS: u32 = 3;

/// Whether something arrived by a mapping shortly before and shortly after its declared end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lived {
    before: bool,
    after: bool,
}

/// Measures with one mapping for either moment, as what arrives by a mapping may refresh it.
pub(super) async fn measure(timeout: Duration, to: SocketAddr, patience: Patience) -> Outcome {
    let margin = (timeout / 10).clamp(MARGIN.0, MARGIN.1);
    let lived = tokio::try_join!(
        is_alive(to, timeout.saturating_sub(margin), patience),
        is_alive(to, timeout + margin, patience),
    );
    match lived {
        Ok((before, after)) => judge(timeout, margin, Lived { before, after }),
        Err(error) => Outcome::impossible(error),
    }
}

fn judge(timeout: Duration, margin: Duration, lived: Lived) -> Outcome {
    let seconds = |time: Duration| time.as_secs_f64();
    match (lived.before, lived.after) {
        (true, false) => Outcome::new(
            format!(
                "more than {} s, less than {} s",
                seconds(timeout.saturating_sub(margin)),
                seconds(timeout + margin)
            ),
            true,
        ),
        (false, _) => {
            let before = seconds(timeout.saturating_sub(margin));
            Outcome::new(format!("less than {before} s"), false)
        }
        (true, true) => {
            let after = seconds(timeout + margin);
            Outcome::new(format!("more than {after} s"), false)
        }
    }
}

/// Opens a mapping, leaves it idle for that long, and has the responder send to it.
///
/// # Errors
/// When the kernel refuses, or the responder does not answer.
async fn is_alive(to: SocketAddr, idle: Duration, patience: Patience) -> io::Result<bool> {
    let unanswered = || io::Error::new(io::ErrorKind::TimedOut, "no answer");
    let socket = udp_socket(to).await?;
    let questions = [(to, Question::new(AnswerFrom::Same))];
    let mapped = ask(&socket, &questions, patience).await?;
    let mapped = mapped.into_iter().next().flatten();
    let mapped = mapped.ok_or_else(unanswered)?;
    sleep_until(Instant::now() + idle).await;

    // Asked by way of another mapping; the answer comes from where this one has sent to.
    let (control, token) = (udp_socket(to).await?, rand::random());
    let call = Question::to(Ask::Call { to: mapped, token });
    let calling = async {
        let mut called = false;
        for _ in 0..CALLS {
            called |= inquire(&control, to, &call, 0, patience).await?.is_some();
        }
        if called { Ok(()) } else { Err(unanswered()) }
    };
    let deadline = Instant::now() + patience.attempt(1) * CALLS;
    let ((), heard) = tokio::try_join!(calling, hears(&socket, token, deadline))?;
    Ok(heard)
}

async fn hears(socket: &UdpSocket, token: u64, deadline: Instant) -> io::Result<bool> {
    let mut buffer = [0; 1500];
    while let Ok(received) = timeout_at(deadline, socket.recv(&mut buffer)).await {
        let answer = serde_json::from_slice::<Answer>(&buffer[..received?]);
        if answer.is_ok_and(|answer| answer.token == token) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use std::net::Ipv4Addr;

    use super::super::responder::Responder;
    use super::*;

    #[test]
    fn a_mapping_lives_until_its_end_and_not_longer() {
        let judged = |before, after| {
            let lived = Lived { before, after };
            judge(Duration::from_secs(30), Duration::from_secs(3), lived)
        };
        let good = judged(true, false);
        assert!(good.holds);
        assert_eq!(good.words, "more than 27 s, less than 33 s");
        assert_eq!(judged(false, false), Outcome::new("less than 27 s", false));
        assert_eq!(judged(true, true), Outcome::new("more than 33 s", false));
    }

    #[tokio::test]
    async fn without_a_nat_whoever_was_asked_can_always_send() {
        let addresses = [Ipv4Addr::new(127, 0, 9, 1), Ipv4Addr::new(127, 0, 9, 2)];
        let _responder = Responder::start_at(addresses, [20_067, 20_068])
            .await
            .unwrap();
        let to = SocketAddr::from((addresses[0], 20_067));
        let patience = Patience::new(Duration::ZERO);
        assert!(is_alive(to, Duration::ZERO, patience).await.unwrap());
        let nobody = SocketAddr::from((addresses[0], 20_069));
        let error = is_alive(nobody, Duration::ZERO, patience)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
