//! When a WebRTC client tries a broken connection again, how often, and how: automatically, at most so many times,
//! after a pause, as an application's `handleConnectionFailure` does.
//!
//! [`Recovery`] is told what happens and when, and says what to do. It has no clock, no timer, no network and no
//! randomness of its own: whoever drives it feeds states of the *current* connection, calls
//! [`on_timer`](Recovery::on_timer) at [`deadline`](Recovery::deadline), and does what the [`Action`]s say. Time is
//! counted from any moment that the driver chooses.
//!
//! ```
//! use farcall_recovery::{Action, ConnectionState, Policy, Recovery, Strategy, Trigger};
//! use std::time::Duration;
//!
//! let mut recovery = Recovery::new(Policy::default());
//! let at = Duration::from_secs;
//! recovery.begin(at(0));
//! assert_eq!(recovery.on_state(at(1), ConnectionState::Connected), None);
//! let retry = recovery.on_state(at(60), ConnectionState::Failed);
//! let scheduled = Action::Schedule { number: 1, trigger: Trigger::Failed, at: at(62) };
//! assert_eq!(retry, Some(scheduled));
//! assert_eq!(recovery.deadline(), Some(at(62)));
//! let attempt = Action::Attempt { number: 1, trigger: Trigger::Failed, strategy: Strategy::Reset };
//! assert_eq!(recovery.on_timer(at(62)), Some(attempt));
//! assert_eq!(recovery.on_state(at(65), ConnectionState::Connected), Some(Action::Recovered { attempts: 1 }));
//! ```

mod policy;
mod recovery;

pub use policy::{Policy, Strategy};
pub use recovery::{Action, ClientState, ConnectionState, Recovery, Trigger};
