//! What the agent may still do once the node is set up.

use caps::{CapSet, Capability, CapsHashSet};
use farcall_plan::{Node, Role};

use super::SetupError;

/// Capabilities are each thread's own, and new threads inherit those of their maker. The agent gives
/// them up while it is the only thread, and checks that it was.
///
/// A peer that moves to another network keeps one out of effect until it does: see [`raise_privileges`].
pub(super) fn keep_only_what(node: &Node) -> Result<(), SetupError> {
    let failed =
        |tried: &'static str| move |reason: String| SetupError::Privileges { tried, reason };
    let wanted: CapsHashSet = match &node.role {
        // Reads counters and connections during the call.
        Role::Gateway(_) => return Ok(()),
        Role::Peer { .. } if node.standby().is_some() => [Capability::CAP_NET_ADMIN].into(),
        Role::Peer { .. } | Role::Probe => CapsHashSet::new(),
        // They listen below 1024, anew after a fault.
        Role::TurnServer(_) | Role::Signalling(_) => [Capability::CAP_NET_BIND_SERVICE].into(),
    };
    // From here on no program gains what its starter lacks, root's programs included.
    nix::sys::prctl::set_no_new_privs()
        .map_err(|error| failed("set no_new_privs")(error.to_string()))?;
    limit(&wanted).map_err(|error| failed("give up capabilities")(error.to_string()))?;
    if matches!(node.role, Role::Peer { .. }) {
        let cleared = caps::clear(None, CapSet::Effective);
        cleared.map_err(|error| failed("put capabilities out of effect")(error.to_string()))?;
    }
    let kept = kept_by_any_thread().map_err(failed("read what was kept"))?;
    let too_many = kept.difference(&wanted).copied().collect::<CapsHashSet>();
    if too_many.is_empty() {
        return Ok(());
    }
    Err(failed("give up capabilities on all threads")(format!(
        "some thread still has {too_many:?}; set-up must come before other threads start"
    )))
}

/// Puts into effect what was kept, until this is dropped.
pub(crate) fn raise_privileges() -> Result<Raised, SetupError> {
    let raised = caps::raise(None, CapSet::Effective, Capability::CAP_NET_ADMIN);
    raised.map_err(|error| SetupError::Privileges {
        tried: "put CAP_NET_ADMIN into effect",
        reason: error.to_string(),
    })?;
    Ok(Raised(()))
}

/// Capabilities in effect.
pub(crate) struct Raised(());

impl Drop for Raised {
    fn drop(&mut self) {
        // What is in effect can be put out of effect.
        let _ = caps::clear(None, CapSet::Effective);
    }
}

fn limit(wanted: &CapsHashSet) -> Result<(), caps::errors::CapsError> {
    let held = caps::read(None, CapSet::Permitted)?;
    let rest = held.intersection(wanted).copied().collect::<CapsHashSet>();
    caps::clear(None, CapSet::Ambient)?;
    // Without this capability the bounding set stays, which no_new_privs makes powerless.
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP)? {
        for capability in caps::read(None, CapSet::Bounding)?.difference(wanted) {
            caps::drop(None, CapSet::Bounding, *capability)?;
        }
    }
    for set in [CapSet::Effective, CapSet::Permitted, CapSet::Inheritable] {
        let kept = caps::read(None, set)?;
        caps::set(None, set, &kept.intersection(&rest).copied().collect())?;
    }
    Ok(())
}

fn kept_by_any_thread() -> Result<CapsHashSet, String> {
    let mut kept = CapsHashSet::new();
    for thread in std::fs::read_dir("/proc/self/task").map_err(|error| error.to_string())? {
        let thread = thread.map_err(|error| error.to_string())?;
        let id = thread.file_name().to_string_lossy().parse::<i32>();
        let id = id.map_err(|error| error.to_string())?;
        for set in [CapSet::Effective, CapSet::Permitted, CapSet::Inheritable] {
            kept.extend(caps::read(Some(id), set).map_err(|error| error.to_string())?);
        }
    }
    Ok(kept)
}
