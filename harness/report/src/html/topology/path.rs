//! The nodes through which media went.

use crate::StoredRun;
use crate::place::server_of;
use farcall_plan::TopologySite;
use farcall_timeline::CandidateType;

/// The way of the selected pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// From one peer to the other.
    pub(super) nodes: Vec<String>,
}

/// `None` where no pair was selected.
pub(super) fn path_of(run: &StoredRun) -> Option<Path> {
    let sites = &run.topology.sites;
    let peers: Vec<(&str, &TopologySite)> = sites
        .iter()
        .flat_map(|site| {
            site.peers
                .iter()
                .map(move |peer| (peer.name.as_str(), site))
        })
        .collect();
    let [(one, its), (other, others)] = peers.as_slice() else {
        return None;
    };
    let pair_of = |peer: &str| run.result.peers.get(peer)?.selected_pair.as_ref();
    if pair_of(one).is_none() && pair_of(other).is_none() {
        return None;
    }
    let relay_of = |peer: &str| {
        let local = &pair_of(peer)?.local;
        let is_relayed = local.candidate_type == CandidateType::Relay;
        let url = local.url.as_deref().filter(|_| is_relayed)?;
        server_of(run, url)
    };
    let (near, far) = (relay_of(one), relay_of(other));
    let is_within_a_site = near.is_none() && far.is_none() && its.name == others.name;
    let mut nodes = vec![(*one).to_owned()];
    if !is_within_a_site {
        nodes.extend(its.routers.iter().map(|router| router.name.clone()));
        nodes.extend([near, far].into_iter().flatten().map(str::to_owned));
        let back = others.routers.iter().rev();
        nodes.extend(back.map(|router| router.name.clone()));
    }
    nodes.push((*other).to_owned());
    nodes.dedup();
    Some(Path { nodes })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::stored::tests::{about, stored};
    use farcall_timeline::Event;
    use farcall_verdict::sample::Sample;

    fn path(sample: &Sample) -> Option<Vec<String>> {
        let out = tempfile::tempdir().unwrap();
        path_of(&stored(&out, &about(), sample)).map(|path| path.nodes)
    }

    #[test]
    fn a_relayed_pair_goes_by_its_server() {
        let nodes = path(&Sample::good()).unwrap();
        assert_eq!(
            nodes,
            [
                "alice",
                "office-gateway",
                "turn",
                "mobile-carrier-gateway",
                "mobile-gateway",
                "bob"
            ]
        );
    }

    #[test]
    fn a_direct_pair_goes_by_gateways_alone() {
        let mut sample = Sample::good();
        sample.change(|event| {
            if let Event::SelectedPair(pair) = event {
                pair.local.candidate_type = CandidateType::Host;
            }
        });
        let nodes = path(&sample).unwrap();
        assert!(!nodes.contains(&"turn".to_owned()), "{nodes:?}");
    }

    #[test]
    fn without_a_pair_there_is_no_way() {
        assert_eq!(path(&Sample::not_connected()), None);
    }
}
