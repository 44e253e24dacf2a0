//! Names resolve to the lab's own servers.

use super::near;
use crate::layout::Layout;
use crate::model::{Declaration, Fact};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Every peer resolves every name.
pub(super) fn declarations(
    layout: &Layout,
    names: &BTreeMap<String, Ipv4Addr>,
) -> Vec<Declaration> {
    let mut all = Vec::new();
    for peer in &layout.peers {
        for (name, address) in names {
            let (name, address) = (name.clone(), *address);
            all.push(near(&peer.name, Fact::Resolves { name, address }));
        }
    }
    all
}
