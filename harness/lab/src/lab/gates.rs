//! One container at a time joins or leaves a network.
//!
//! Engines before 28.1 count a network's endpoints without regard to two that come or go at the same
//! moment (moby/moby#42119). A count that is too high is never put right while the engine runs, and
//! the network cannot be removed any more. Joining and leaving are a small part of starting and
//! removing a container; the rest goes on in parallel.

use bollard::Docker;
use bollard::query_parameters::EventsOptionsBuilder;
use futures::StreamExt;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio::task::JoinSet;

/// A gate for each network.
#[derive(Debug)]
pub(super) struct Gates(Vec<Arc<Mutex<()>>>);

impl Gates {
    /// Gates for this many networks.
    pub(super) fn new(networks: usize) -> Self {
        Self((0..networks).map(|_| Arc::default()).collect())
    }

    /// No gates: everyone may enter at any time.
    pub(super) fn open() -> Self {
        Self(Vec::new())
    }

    /// Waits until nobody else is at any of these networks, given by their indices.
    pub(super) async fn enter(&self, networks: impl IntoIterator<Item = usize>) -> Passage {
        let mut networks: Vec<usize> = networks.into_iter().collect();
        // All take them in the same order, so that no two wait for each other.
        networks.sort_unstable();
        networks.dedup();
        let mut held = Vec::with_capacity(networks.len());
        for gate in networks.into_iter().filter_map(|index| self.0.get(index)) {
            held.push(Arc::clone(gate).lock_owned().await);
        }
        Passage { _held: held }
    }
}

/// Keeps others from the networks until it is dropped.
#[derive(Debug)]
pub(super) struct Passage {
    _held: Vec<OwnedMutexGuard<()>>,
}

/// What containers do at a network, in the engine's words.
#[derive(Debug, Clone, Copy)]
pub(super) enum Move {
    /// They join it, while they are started.
    Join,
    /// They leave it, while they are removed.
    Leave,
}

/// Which containers have joined or left how many of their networks, as the engine announces it.
pub(super) struct Moves {
    counts: watch::Receiver<HashMap<String, usize>>,
    _listener: JoinSet<()>,
}

impl Moves {
    /// Begins to listen for containers that join or leave one of these networks.
    pub(super) fn listen(docker: &Docker, what: Move, networks: Vec<String>) -> Self {
        let event = match what {
            Move::Join => "connect",
            Move::Leave => "disconnect",
        };
        let filters = HashMap::from([
            ("type", vec!["network".to_owned()]),
            ("event", vec![event.to_owned()]),
            ("network", networks),
        ]);
        let options = EventsOptionsBuilder::default().filters(&filters).build();
        let docker = docker.clone();
        let (counter, counts) = watch::channel(HashMap::new());
        let mut listener = JoinSet::new();
        listener.spawn(async move {
            let mut events = Box::pin(docker.events(Some(options)));
            while let Some(Ok(event)) = events.next().await {
                let attributes = event.actor.and_then(|actor| actor.attributes);
                let container = attributes.and_then(|mut all| all.remove("container"));
                if let Some(container) = container {
                    counter.send_modify(|counts: &mut HashMap<String, usize>| {
                        *counts.entry(container).or_default() += 1;
                    });
                }
            }
        });
        Self {
            counts,
            _listener: listener,
        }
    }

    /// Does something to a container, by its id, that makes it join or leave this many networks,
    /// and lets the next one at them as soon as it has; at the latest when all is done, should the
    /// engine announce nothing.
    pub(super) async fn pass<T>(
        &self,
        passage: Passage,
        container: &str,
        networks: usize,
        action: impl Future<Output = T>,
    ) -> T {
        let mut counts = self.counts.clone();
        let passed = async {
            let enough = |counts: &HashMap<String, usize>| {
                counts
                    .get(container)
                    .is_some_and(|count| *count >= networks)
            };
            counts.wait_for(enough).await.is_ok()
        };
        tokio::pin!(action);
        tokio::select! {
            done = &mut action => done,
            true = passed => {
                drop(passage);
                action.await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn a_network_has_one_visitor_at_a_time() {
        let gates = Gates::new(3);
        let inside = gates.enter([1, 0]).await;
        assert!(gates.enter([0]).now_or_never().is_none());
        assert!(gates.enter([2, 1]).now_or_never().is_none());
        assert!(gates.enter([2]).now_or_never().is_some());
        drop(inside);
        assert!(gates.enter([0, 1, 2]).now_or_never().is_some());
        let open = Gates::open();
        let _inside = open.enter([0]).await;
        assert!(open.enter([0]).now_or_never().is_some());
    }
}
