//! The rules, by what they look at.

mod account;
mod entry;
mod list;
mod time_limited;
mod turn;
mod url;

use crate::configuration::Configuration;
use crate::finding::Draft;
use time::OffsetDateTime;

/// All that is to be said of a configuration, in the order of the file.
pub(crate) fn examine(configuration: &Configuration, now: OffsetDateTime) -> Vec<Draft> {
    let mut drafts = entry::examine(configuration);
    drafts.extend(url::examine(configuration));
    drafts.extend(account::examine(configuration));
    drafts.extend(time_limited::examine(configuration, now));
    drafts.extend(turn::examine(configuration));
    drafts.extend(list::examine(configuration));
    drafts.sort_by_key(|draft| (draft.span.start, draft.rule));
    drafts
}
