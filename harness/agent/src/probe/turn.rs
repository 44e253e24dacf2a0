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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn who_asks_first_sends_first_and_alone() {
        let (turn, sent) = (Turn::default(), RefCell::new(Vec::new()));
        let sending = (0..3).map(async |sender| {
            let _turn = turn.take().await;
            for _ in 0..2 {
                sent.borrow_mut().push(sender);
                tokio::task::yield_now().await;
            }
        });
        join_all(sending).await;
        assert_eq!(*sent.borrow(), [0, 0, 1, 1, 2, 2]);
    }
}
