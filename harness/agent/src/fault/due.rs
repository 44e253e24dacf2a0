//! The moment at which something is due.

use std::time::Duration;

use crate::Outlet;

/// A moment on the node's own clock; what is asked for ahead of it can be made ready until then.
pub(crate) struct Due<'a> {
    outlet: &'a Outlet,
    at_ns: Option<u64>,
}

impl<'a> Due<'a> {
    /// At this time of the node's clock; `None`, and a time that has passed: now.
    pub(crate) fn at(at_ns: Option<u64>, outlet: &'a Outlet) -> Self {
        Self { outlet, at_ns }
    }

    /// Waits until it has come.
    pub(crate) async fn come(&self) {
        tokio::time::sleep(self.left()).await;
    }

    /// How long it is until then.
    pub(crate) fn left(&self) -> Duration {
        let at_ns = self.at_ns.unwrap_or_default();
        Duration::from_nanos(at_ns.saturating_sub(self.now_ns()))
    }

    /// Now, on the node's clock.
    pub(crate) fn now_ns(&self) -> u64 {
        self.outlet.now_ns()
    }
}
