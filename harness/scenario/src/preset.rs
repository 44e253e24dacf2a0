//! NAT and firewall presets by the names that people use, and the plain configuration that each
//! expands to. Nothing below this crate sees a preset's name.

mod firewall;
mod nat;

pub use firewall::{Action, Firewall, FirewallPreset, Protocol, Rule};
pub use nat::{Contradiction, Nat, NatPreset};
