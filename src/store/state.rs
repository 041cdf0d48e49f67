//! The small values that describe the rest: log ends, counts, what HQ holds.

use records::id::{Epoch, OpId, Replica};
use serde::{Deserialize, Serialize};
use sync_protocol::chain::{Link, Parent};
use sync_protocol::cursor::{Cursor, Incarnation};
use sync_protocol::stamp::Stamp;

use crate::store::journal::Position;

/// Where a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The epoch.
    pub epoch: Epoch,
    /// The last op.
    pub seq: u64,
    /// The link after it.
    pub link: Link,
}

impl End {
    /// Returns the end as the parent of a new epoch.
    #[must_use]
    pub fn as_parent(self) -> Parent {
        Parent { epoch: self.epoch, seq: self.seq, link: self.link }
    }
}

/// What the database says of itself; rewritten in every transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct State {
    /// The end of the own log that the database holds.
    pub own: Option<End>,
    /// The journal behind the frame of that end.
    pub journal: Position,
    /// Stamps below this were given or seen.
    pub floor: Stamp,
    /// Ops at the own log's end that still lie one by one.
    pub loose: u32,
    /// Ops held, own and others'.
    pub ops: u64,
    /// Whole documents.
    pub documents: u64,
    /// Open conflicts over all documents.
    pub conflicts: u64,
    /// Own ops in quarantine and ops that need a newer version.
    pub quarantined: u64,
    /// Earlier epochs of the own log with ops that HQ did not sign for.
    pub unfinished: Vec<Epoch>,
    /// An epoch was opened for another reason than a reboot, and HQ did not yet confirm the highest numbers.
    pub numbers_suspended: bool,
    /// HQ says that two homes write under this one's name.
    pub copied: bool,
    /// How far HQ's feeds are read; stored with what they brought.
    pub cursor: Cursor,
    /// What the next hello shows.
    pub lease: [u8; 8],
    /// Whether the last answer left nothing to pull.
    pub level: bool,
    /// Answers of HQ that were taken in.
    pub answers: u64,
}

/// What is known of one line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LineInfo {
    /// Where it hangs; `None` for a root, or where it is not known yet.
    pub parent: Option<Parent>,
    /// Of an own line that was closed: its end.
    pub end: Option<(u64, Link)>,
    /// HQ signed for every op up to this seq.
    pub held: u64,
    /// A backup of HQ holds every op up to this seq.
    pub backed_up: u64,
    /// Runs of ops with a ruling, as (first, last), rising and apart.
    pub ruled: Vec<(u64, u64)>,
    /// Some op of the line has two rulings: the higher version counts.
    pub revised: bool,
}

impl LineInfo {
    /// Notes that the ops `first ..= last` have a ruling.
    pub fn rule(&mut self, first: u64, last: u64) {
        let touches = |run: &(u64, u64)| run.0 <= last.saturating_add(1) && first <= run.1.saturating_add(1);
        self.revised |= self.ruled.iter().any(|run| run.0 <= last && first <= run.1);
        let (touching, mut apart): (Vec<_>, Vec<_>) = self.ruled.iter().copied().partition(touches);
        let whole = touching.iter().fold((first, last), |all, run| (all.0.min(run.0), all.1.max(run.1)));
        apart.push(whole);
        apart.sort_unstable();
        self.ruled = apart;
    }

    /// Returns whether the op has a ruling.
    #[must_use]
    pub fn is_ruled(&self, seq: u64) -> bool {
        self.ruled.iter().any(|run| run.0 <= seq && seq <= run.1)
    }
}

/// Keys of the meta tree.
pub const STATE_KEY: &[u8] = b"s";

/// Returns the key of a line's info.
#[must_use]
pub fn line_key(replica: Replica, epoch: Epoch) -> Vec<u8> {
    [&line_prefix(replica)[..], &epoch.0.to_be_bytes()].concat()
}

/// Returns what the keys of a replica's lines begin with.
#[must_use]
pub fn line_prefix(replica: Replica) -> Vec<u8> {
    [&b"l"[..], &replica.0.to_be_bytes()].concat()
}

/// What the keys of HQ's signatures begin with.
pub const PROOFS: &[u8] = b"p";

/// Returns the key of HQ's signature over an answer.
#[must_use]
pub fn proof_key(incarnation: Incarnation, signature: &[u8; 64]) -> Vec<u8> {
    let [a, b, c, d, e, f, g, h, ..] = sync_protocol::chain::sha256(&[signature]);
    [PROOFS, &incarnation.0.to_be_bytes(), &[a, b, c, d, e, f, g, h]].concat()
}

/// Key of how far a restored HQ was offered what it may have lost.
pub const OFFER_KEY: &[u8] = b"o";

/// Returns the key of something of a newer version that came and cannot be read.
#[must_use]
pub fn newer_key(bytes: &[u8]) -> Vec<u8> {
    let [a, b, c, d, e, f, g, h, ..] = sync_protocol::chain::sha256(&[bytes]);
    vec![b'z', a, b, c, d, e, f, g, h]
}

/// Key of the [`sync_protocol::tables::Tables`] of the build that made the views.
pub const TABLES_KEY: &[u8] = b"t";

/// What the keys of things of a newer version begin with, see [`newer_key`].
pub const NEWER_PREFIX: &[u8] = b"z";

/// Key of the name of what searching noted of the log, and of how many ops there were then.
pub const WORDS_KEY: &[u8] = b"w";

/// Key of the documents that leave the scope once the own ops on them are sent.
pub const LEAVING_KEY: &[u8] = b"e";

/// Key of the forked branches that were taken out of the log and are not written again yet: names of files.
pub const FORKS_KEY: &[u8] = b"u";

/// The setting that stands where sheets with numbers may have come back that the notes on given numbers do not know.
pub const RECOUNT: &str = "numbers.recount";

/// Returns the key that says that a document left the scope: its own ops here make no document any more.
#[must_use]
pub fn left_key(doc: &[u8; 16]) -> Vec<u8> {
    [b"v", &doc[..]].concat()
}

/// The beginning of the keys of ops that a colleague vouched for.
pub const VOUCHED_PREFIX: &[u8] = b"h";

/// Returns the key that says that an op came from a colleague and not from HQ yet.
#[must_use]
pub fn vouched_key(op: OpId) -> Vec<u8> {
    let OpId { replica, epoch, seq } = op;
    [VOUCHED_PREFIX, &replica.0.to_be_bytes(), &epoch.0.to_be_bytes(), &seq.to_be_bytes()].concat()
}

/// Returns the key of a setting.
#[must_use]
pub fn setting_key(name: &str) -> Vec<u8> {
    [b"x", name.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_rulings_join_in_any_order() {
        let mut info = LineInfo::default();
        for (first, last) in [(5, 6), (1, 2), (3, 4), (9, 9), (2, 5)] {
            info.rule(first, last);
        }
        assert_eq!(info.ruled, [(1, 6), (9, 9)]);
        assert!(info.is_ruled(6) && !info.is_ruled(7));
    }
}
