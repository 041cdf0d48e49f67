//! The feeds: what devices still have to read, at positions without gaps.

use records::id::DocId;
use serde::{Deserialize, Serialize};
use sync_protocol::chain::Line;
use sync_protocol::cursor::Feed;
use sync_protocol::ruling::Ruling;

use crate::store::engine::values;
use crate::store::{Store, StoreError, bytes, read};

/// One thing in a feed; it names ops, it does not hold them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// A whole segment: every op of it may be read.
    Segment {
        /// Whose log.
        line: Line,
        /// Its first op.
        first: u64,
    },
    /// Some ops of a line, all within one segment or not.
    Ops {
        /// Whose log.
        line: Line,
        /// Their seqs, rising, at most 256.
        seqs: Vec<u64>,
    },
    /// A ruling alone: its ops are there already, or are the reader's own.
    Ruling(Ruling),
    /// A document that left the feed.
    Evict(DocId),
}

/// The key of a feed: branch and replica, 0 where it is not one's.
pub(super) fn key(branch: u32, feed: Feed) -> (u32, u32) {
    match feed {
        Feed::Company => (0, 0),
        Feed::Branch(number) => (number, 0),
        Feed::Replica(replica) => (branch, replica),
    }
}

impl Store {
    /// Appends to a feed; the position is the next one, and nobody else's: the feed's row is locked by the transaction.
    ///
    /// `branch` is the replica's own, for a replica's feed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn feed_append(&self, branch: u32, feed: Feed, entry: &Entry) -> Result<u64, StoreError> {
        let (branch, replica) = key(branch, feed);
        let position: u64 = self.db.only(
            "INSERT INTO feeds (branch, replica, last) VALUES (?1, ?2, 1)
             ON CONFLICT (branch, replica) DO UPDATE SET last = feeds.last + 1 RETURNING last",
            values![branch, replica],
        )?;
        self.db.run(
            "INSERT INTO feed VALUES (?1, ?2, ?3, ?4)",
            values![branch, replica, position, &bytes(entry)],
        )?;
        Ok(position)
    }

    /// Returns up to `limit` entries after a position.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn feed_after(
        &self,
        branch: u32,
        feed: Feed,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, Entry)>, StoreError> {
        let (branch, replica) = key(branch, feed);
        let sql = "SELECT position, entry FROM feed WHERE branch = ?1 AND replica = ?2 AND position > ?3
             ORDER BY position LIMIT ?4";
        // A position beyond every feed's end reads nothing.
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        self.db.all(sql, values![branch, replica, after, limit], |row| {
            Ok((row.get(0)?, read("feed", &row.get::<Vec<u8>>(1)?)?))
        })
    }

    /// Returns the last position of a feed; 0 where it is empty.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn feed_end(&self, branch: u32, feed: Feed) -> Result<u64, StoreError> {
        let (branch, replica) = key(branch, feed);
        let sql = "SELECT last FROM feeds WHERE branch = ?1 AND replica = ?2";
        Ok(self.db.one(sql, values![branch, replica], |row| row.get(0))?.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use records::id::{Epoch, Replica};

    #[test]
    fn positions_of_a_feed_have_no_gaps_even_where_a_job_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("hq.sqlite")).unwrap();
        let entry = Entry::Segment { line: (Replica(1), Epoch(2)), first: 1 };
        store.begin().unwrap();
        store.feed_append(3, Feed::Branch(3), &entry).unwrap();
        store.mark().unwrap();
        store.feed_append(3, Feed::Branch(3), &entry).unwrap();
        store.take_back().unwrap();
        store.feed_append(3, Feed::Branch(3), &entry).unwrap();
        store.feed_append(3, Feed::Replica(9), &entry).unwrap();
        store.commit().unwrap();
        let at =
            |feed| store.feed_after(3, feed, 0, 10).unwrap().iter().map(|(at, _)| *at).collect::<Vec<_>>();
        assert_eq!(at(Feed::Branch(3)), [1, 2]);
        assert_eq!(at(Feed::Replica(9)), [1]);
        assert!(at(Feed::Company).is_empty());
        assert_eq!(store.feed_end(3, Feed::Branch(3)).unwrap(), 2);
        assert!(store.feed_after(3, Feed::Branch(3), u64::MAX, 10).unwrap().is_empty());
    }
}
