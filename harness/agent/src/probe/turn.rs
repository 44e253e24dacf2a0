//! Who sends when, of those that measure over one link.

use tokio::sync::{Mutex, MutexGuard};

/// A link keeps packets in order: what is sent after others disturbs none of them. So whoever measures a delay or a rate
/// sends in turn, in the order of asking for it, and listens at any time.
#[derive(Debug, Default)]
pub(crate) struct Turn(Mutex<()>);

impl Turn {
    /// Waits until those who came before have sent. The turn ends when what is returned goes.
    pub(super) async fn take(&self) -> MutexGuard<'_, ()> {
        self.0.lock().await
    }
}
