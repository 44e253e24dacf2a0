//! What is found in configurations, and how it is told.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod broken;
mod documentation;
mod formats;
mod rules;
mod scenarios;
mod scripts;
mod secrets;
mod shown;
mod support;
