//! How far a device has read HQ's feeds.

use serde::{Deserialize, Serialize};

/// Names one HQ database history; a restore from a backup draws a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Incarnation(pub u32);

/// One of HQ's feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Feed {
    /// Master data, for all.
    Company,
    /// A branch, for its supervisors; by HQ's number of the branch, from 1.
    Branch(u32),
    /// What concerns one replica: own documents, jobs, rulings. HQ keeps it under the replica's name.
    Replica(u32),
}

impl Feed {
    /// The asker's own feed: between the two ends nobody asks for another's, and HQ itself, which is 0, has none.
    pub const OWN: Self = Self::Replica(0);

    /// Returns the name under which its reader knows the feed.
    #[must_use]
    pub fn told(self) -> Self {
        match self {
            Self::Company | Self::Branch(_) => self,
            Self::Replica(_) => Self::OWN,
        }
    }
}

/// Positions read, sorted by feed; a feed not listed is at 0. Stored in one transaction with what it covers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cursor {
    /// Whose feeds.
    pub incarnation: Incarnation,
    /// The last position read of each.
    pub positions: Vec<(Feed, u64)>,
}

impl Cursor {
    /// Moves on to what an answer said: feeds that it does not list stay, another incarnation begins anew.
    pub fn advance(&mut self, next: &Self) {
        if self.incarnation != next.incarnation {
            self.clone_from(next);
            return;
        }
        for (feed, position) in &next.positions {
            match self.positions.binary_search_by_key(feed, |(feed, _)| *feed) {
                Ok(at) => self.positions.get_mut(at).into_iter().for_each(|known| known.1 = *position),
                Err(at) => self.positions.insert(at, (*feed, *position)),
            }
        }
    }

    /// Returns the last position read of a feed.
    #[must_use]
    pub fn position(&self, feed: Feed) -> u64 {
        self.positions.iter().find(|(known, _)| *known == feed).map_or(0, |(_, position)| *position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_that_did_not_move_stays_and_a_restored_hq_begins_anew() {
        let at = |incarnation, positions: &[(Feed, u64)]| Cursor {
            incarnation: Incarnation(incarnation),
            positions: positions.to_vec(),
        };
        let mut cursor = at(7, &[(Feed::Company, 3), (Feed::OWN, 5)]);
        cursor.advance(&at(7, &[(Feed::Branch(2), 1), (Feed::OWN, 6)]));
        assert_eq!(cursor, at(7, &[(Feed::Company, 3), (Feed::Branch(2), 1), (Feed::OWN, 6)]));
        cursor.advance(&at(8, &[(Feed::Company, 1)]));
        assert_eq!(cursor, at(8, &[(Feed::Company, 1)]));
    }
}
