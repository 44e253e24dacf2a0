//! ICE configurations as they are written: in JSON, with comments or without, or as the literals of a JavaScript or
//! TypeScript program, followed through constants, spreads and templates. Both become one kind of tree in which everything
//! has its place. What is in it is for others to judge.

mod json;
mod read;
mod script;
mod tree;

pub use read::{Document, Language, SyntaxError, Written, read};
pub use tree::{Entry, HOLE, Kind, Span, Value};
