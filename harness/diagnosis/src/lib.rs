//! Why a call fell short: a pure function of a run's timeline, of what it is judged against, and of its judgement.
//!
//! [`diagnose`] gives every run that did not pass one [`Cause`] out of a closed list, a sentence in plain words, what was
//! seen by whom, and what to do next, with the text to write where the configuration is at fault. A run that passes
//! because no call was possible in its network has one too: that is what a user of that network would meet.
//!
//! # Rules
//!
//! Each cause has a rule in a module of its own (`causes/`), which looks at a run and says what it found, or nothing. The
//! rules are asked in one order, from what makes all others meaningless to what is left when nothing else is found;
//! the first that finds something is the diagnosis. The list says for each why it stands before the next.
//!
//! A rule rests on what was seen, not on what a scenario says would be seen: what the peer's own transport came to,
//! what a gateway's rule counted, what a TURN server's log has, what was attested, states and statistics. Where what
//! was seen fits several causes and does not decide between them, the cause is [`Cause::Undecided`] and names them.
//!
//! # A new cause
//!
//! A variant of [`Cause`], a module with its rule, a line in the list, a page in `docs/causes/`, and a symptom that leads
//! to it in the index there. Tests hold that every cause has them, and a run that produces it.

mod case;
mod cause;
mod causes;
mod diagnose;
mod evidence;
mod model;
mod way_out;
mod words;

#[cfg(test)]
mod tests;

pub use cause::Cause;
pub use diagnose::diagnose;
pub use model::{Diagnosis, Evidence, Witness};
