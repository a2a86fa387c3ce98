//! The first frame of a stream between members, either way: it shows that its sender knows the project, and shows
//! nothing to who does not. Whether they may come in is decided later, by the link.

use codesync_base::ProjectId;
use codesync_net::Peer;

const CONTEXT: &str = "codesync 2026 knock";

/// What `from` sends to `to`. The keys of the connection are in it, so it is of no use on any other.
pub(super) fn knock(project: &ProjectId, from: &Peer, to: &Peer) -> Vec<u8> {
    blake3::derive_key(CONTEXT, &[&project.0[..], &from.0, &to.0].concat()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_each_pair_and_each_project_has_its_own() {
        let (a, b, c) = (Peer([1; 32]), Peer([2; 32]), Peer([3; 32]));
        let (one, other) = (ProjectId([1; 16]), ProjectId([2; 16]));
        let all = [knock(&one, &a, &b), knock(&one, &b, &a), knock(&one, &a, &c), knock(&other, &a, &b)];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert_eq!(knock(&one, &a, &b), all[0]);
    }
}
