//! The media of a call: a clip in real Opus and VP8, paced as live media, and a data channel; and
//! on the receiving side the proof of what came through.
//!
//! The cores ([`Source`], [`Pace`], [`StreamReceiver`], [`MessageReceiver`]) are pure; [`Senders`],
//! [`Receivers`] and [`DataLink`] connect them to a peer connection:
//!
//! ```text
//! let media = media::media_engine()?;                        // with_media_engine(...)
//! let receivers = Receivers::new(Instant::now())?;           // on_track: receivers.receive(track)
//! let data = DataLink::new(Role::Offerer);                   // on_data_channel: data.run(channel)
//! let mut senders = add_tracks(&connection, &MediaOptions::default()).await?;
//! // ... connected:
//! senders.start(Instant::now()).await?;
//! // ... about once a second:
//! let audio = senders.stats(MediaKind::Audio, receivers.stats(MediaKind::Audio, Instant::now()));
//! // ... at the end:
//! senders.stop().await;
//! data.stop();
//! let audio = senders.stats(MediaKind::Audio, receivers.finish(MediaKind::Audio));
//! ```

mod assembly;
mod clip;
mod codec;
mod data;
mod data_link;
mod jitter;
#[cfg(test)]
mod loopback_tests;
mod pace;
mod receiver;
mod receivers;
mod reorder;
mod senders;
mod sequence;
mod source;

pub use clip::{Clip, ClipError, Content, Frame};
pub use codec::{Codec, media_engine};
pub use data::{MessageReceiver, Role, message};
pub use data_link::{DATA_CHANNEL_LABEL, DataLink};
pub use pace::Pace;
pub use receiver::StreamReceiver;
pub use receivers::Receivers;
pub use senders::{MediaError, MediaOptions, Senders, add_tracks};
pub use source::{Feed, Source};

/// Locks a counter. A task that panicked while it held the lock left numbers that are still true.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
