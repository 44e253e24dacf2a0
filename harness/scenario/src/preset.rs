//! NAT, firewall and link presets by the names that people use, and the plain configuration that each
//! expands to. Nothing below this crate sees a preset's name.

mod firewall;
mod firewall_preset;
mod link;
mod link_expand;
mod link_preset;
mod nat;
mod trace;

pub use firewall::{
    Action, Blocking, Direction, Firewall, FirewallOverride, FirewallService, Protocol, Rule,
};
pub use firewall_preset::FirewallPreset;
pub use link::{JitterDistribution, Link, LinkDirection, Loss, Rate};
pub use link_expand::TraceNotLoaded;
pub use link_preset::LinkPreset;
pub use nat::{Contradiction, Nat, NatPreset};
pub use trace::TraceError;
