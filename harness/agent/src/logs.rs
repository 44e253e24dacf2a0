//! The agent's own `tracing` output, and that of its libraries, as log events.

use std::fmt::{Debug, Write as _};

use farcall_timeline::Level;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Context;

use crate::Outlet;

/// A subscriber that reports farcall's own lines from `info` on and those of libraries from `warn`
/// on.
pub(crate) fn subscriber(outlet: Outlet) -> impl Subscriber + Send + Sync {
    use tracing_subscriber::layer::SubscriberExt as _;
    let wanted = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("farcall", LevelFilter::INFO);
    tracing_subscriber::registry().with(LogLayer(outlet).with_filter(wanted))
}

struct LogLayer(Outlet);

impl<S: Subscriber> Layer<S> for LogLayer {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        let metadata = event.metadata();
        // What comes from the `log` crate has its target in a field.
        let target = line.log_target.as_deref().unwrap_or(metadata.target());
        let message = format!("{}{}", line.message, line.fields);
        self.0.log(level(metadata), target, &message);
    }
}

fn level(metadata: &Metadata<'_>) -> Level {
    match *metadata.level() {
        tracing::Level::ERROR => Level::Error,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::INFO => Level::Info,
        tracing::Level::DEBUG | tracing::Level::TRACE => Level::Debug,
    }
}

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
    log_target: Option<String>,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "log.target" => self.log_target = Some(value.to_owned()),
            name if name.starts_with("log.") => {}
            _ => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a `String` does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name if name.starts_with("log.") => Ok(()),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use farcall_protocol::Message;
    use farcall_timeline::Event as Said;

    #[test]
    fn lines_carry_level_target_and_fields() {
        let (outlet, mut said) = Outlet::new();
        tracing::subscriber::with_default(subscriber(outlet), || {
            tracing::info!(target: "farcall_agent::peer", "ICE gathering state: complete");
            tracing::debug!(target: "farcall_agent::peer", "not wanted");
            tracing::info!(target: "rtc_ice", "not wanted either");
            tracing::warn!(target: "rtc_ice", pair = 3, "pair failed");
        });
        let lines = said
            .so_far()
            .into_iter()
            .map(|message| match message {
                Message::Event {
                    event:
                        Said::Log {
                            level,
                            target,
                            message,
                        },
                    ..
                } => format!("{level:?} {target}: {message}"),
                other => format!("{other:?}"),
            })
            .collect::<Vec<_>>();
        assert_eq!(
            lines,
            [
                "Info farcall_agent::peer: ICE gathering state: complete",
                "Warn rtc_ice: pair failed pair=3",
            ]
        );
    }
}
