//! What a session says to the other peer, and what it makes of what the other says.

use super::State;
use crate::peer::call::Purpose;
use crate::peer::error::PeerError;
use farcall_protocol::{RemoteCandidate, Signal, SignalBody};
use std::cmp::Ordering;

/// How many candidates wait for their description at most: far more than a connection has.
const EARLY_CANDIDATES: usize = 256;

impl State {
    pub(super) async fn offer(&mut self, attempt: u32) -> Result<(), PeerError> {
        if let Some(call) = &self.call {
            self.offering = Some(attempt);
            let sdp = call.create_offer().await?;
            self.say(SignalBody::Offer { sdp, attempt });
        }
        Ok(())
    }

    pub(super) async fn signalled(&mut self, signal: Signal) -> Result<(), PeerError> {
        let is_current = signal.connection == self.speaker.connection;
        let from = signal.incarnation;
        match signal.body {
            SignalBody::Offer { sdp, attempt } => {
                self.offered(signal.connection, from, sdp, attempt).await
            }
            SignalBody::Answer { sdp, attempt } if is_current && self.offering == Some(attempt) => {
                self.offering = None;
                if let Some(call) = &self.call {
                    call.accept_answer(sdp).await?;
                }
                self.described(from).await
            }
            SignalBody::Candidate(candidate) => match self.remote {
                Some(remote) if remote == from => self.add(candidate).await,
                Some(remote) if remote > from => Ok(()),
                // Its description is on the way.
                _ => {
                    if self.early.len() < EARLY_CANDIDATES {
                        self.early.push((from, candidate));
                    }
                    Ok(())
                }
            },
            SignalBody::Taken(candidate) if is_current => {
                if let Some(call) = &self.call {
                    call.signalled(&candidate);
                }
                Ok(())
            }
            SignalBody::Restart { attempt } if is_current && self.setup.offerer => {
                if self.offering.is_none() && self.recovery.on_attempt_of_other(self.now(), attempt)
                {
                    self.tell_state();
                    return self.restart_ice(attempt).await;
                }
                Ok(())
            }
            // Of a connection that another has taken the place of, or that is not there yet, or to an offer in whose
            // place another was made.
            SignalBody::Answer { .. } | SignalBody::Taken(_) | SignalBody::Restart { .. } => Ok(()),
        }
    }

    async fn offered(
        &mut self,
        number: u32,
        from: u32,
        sdp: String,
        attempt: u32,
    ) -> Result<(), PeerError> {
        let gives_way = !self.setup.offerer;
        let is_glare = number == self.speaker.connection && self.offering.is_some();
        if number < self.speaker.connection || (is_glare && !gives_way) {
            return Ok(());
        }
        if attempt > 0 && !self.recovery.on_attempt_of_other(self.now(), attempt) {
            return Ok(());
        }
        self.tell_state();
        if number > self.speaker.connection || is_glare {
            self.attempt_ended("replaced");
            self.connect(number, Purpose::Answer, self.setup.policy)
                .await?;
        }
        let Some(call) = &self.call else {
            return Ok(());
        };
        let answer = call.accept_offer(sdp).await?;
        self.say(SignalBody::Answer {
            sdp: answer,
            attempt,
        });
        self.described(from).await
    }

    /// The description of this incarnation of the other peer is set.
    async fn described(&mut self, incarnation: u32) -> Result<(), PeerError> {
        self.remote = Some(incarnation);
        let early = std::mem::take(&mut self.early);
        for (from, candidate) in early {
            match from.cmp(&incarnation) {
                Ordering::Equal => self.add(candidate).await?,
                Ordering::Greater => self.early.push((from, candidate)),
                // Of one that is no more.
                Ordering::Less => {}
            }
        }
        Ok(())
    }

    async fn add(&mut self, candidate: RemoteCandidate) -> Result<(), PeerError> {
        if let Some(call) = &self.call {
            call.add_candidate(candidate.clone()).await?;
            self.say(SignalBody::Taken(candidate));
        }
        Ok(())
    }

    pub(super) fn say(&self, body: SignalBody) {
        self.speaker.say(body);
    }
}
