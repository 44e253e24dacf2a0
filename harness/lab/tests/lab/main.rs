//! Labs in a real Docker Engine, with a stand-in for the agent: what these tests are about is how
//! containers are raised, talked to and removed, whatever runs in them.

mod conversation;
mod exec;
mod failure;
mod isolation;
mod reaping;
mod removal;
mod support;
