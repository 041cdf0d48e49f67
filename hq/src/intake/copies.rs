//! Devices that were put back to an earlier state, and devices of which there are two: both get what they lack.
//!
//! A new line that hangs behind what HQ holds was *rewound*: the device gets its own ops back.
//! When a line grows that such a newcomer does not descend from, two homes are at work: the device was *copied*.
//!
//! Source: docs/PROTOCOL.md, Copies, rewinds and forks.

use std::collections::{BTreeMap, BTreeSet};

use records::id::{Epoch, Replica};
use sync_protocol::chain::{Line, Parent};
use sync_protocol::conversation::RequestHash;
use sync_protocol::cursor::{Cursor, Feed};
use sync_protocol::message::{Clocks, Notice};
use sync_protocol::sign::PublicKey;

use crate::intake::desk::Desk;
use crate::intake::segments::Job;
use crate::store::StoreError;
use crate::store::devices::Device;
use crate::store::documents::Indexed;
use crate::store::feeds::Entry;
use crate::store::log::Held;

/// Entries of a feed looked at in one go.
const ENTRIES: u32 = 256;

/// The lines of one replica.
struct Tree(BTreeMap<Epoch, Held>);

/// A line that is not on the way of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Apart {
    line: Epoch,
    /// The first above it that is not on the way either.
    newcomer: Epoch,
    /// The part of the way that stands beside that; `None`: the other one itself, which grew beyond where it hangs.
    beside: Option<Epoch>,
}

/// What is kept where a device showed an earlier state of itself: the lease that its later state will show if there are
/// two of them, and how far it had read its own feed.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
struct Parted {
    lease: [u8; 8],
    heard: u64,
}

/// Some ops of an epoch: the first and the last.
type Stretch = (Epoch, u64, u64);

impl Tree {
    fn parent(&self, epoch: Epoch) -> Option<Parent> {
        self.0.get(&epoch).and_then(|held| held.parent)
    }

    /// Returns the way from a line up to its root: each epoch and up to where it belongs to the line.
    fn way(&self, epoch: Epoch) -> BTreeMap<Epoch, u64> {
        let mut way = BTreeMap::new();
        let mut at = Some((epoch, self.0.get(&epoch).map_or(0, |held| held.last)));
        while let Some((epoch, up_to)) = at.filter(|(epoch, _)| !way.contains_key(epoch)) {
            way.insert(epoch, up_to);
            at = self.parent(epoch).map(|parent| (parent.epoch, parent.seq));
        }
        way
    }

    /// Returns what stands beside a line that hangs at `parent`: what its author did not know when it began.
    fn beside(&self, line: Epoch, parent: Option<&Parent>) -> Vec<Stretch> {
        let Some(parent) = parent else {
            return self.all_of(self.0.keys().copied().filter(|epoch| *epoch != line));
        };
        let hangs =
            |held: &Held| held.parent.is_some_and(|at| at.epoch == parent.epoch && at.seq >= parent.seq);
        let mut beside: BTreeSet<Epoch> = self
            .0
            .iter()
            .filter(|(epoch, held)| **epoch != line && hangs(held))
            .map(|(epoch, _)| *epoch)
            .collect();
        loop {
            let under = |held: &Held| held.parent.is_some_and(|at| beside.contains(&at.epoch));
            let more: Vec<Epoch> = self
                .0
                .iter()
                .filter(|(epoch, held)| **epoch != line && !beside.contains(epoch) && under(held))
                .map(|(epoch, _)| *epoch)
                .collect();
            if more.is_empty() {
                break;
            }
            beside.extend(more);
        }
        let last = self.0.get(&parent.epoch).map_or(0, |held| held.last);
        let tail = (last > parent.seq).then_some((parent.epoch, parent.seq.saturating_add(1), last));
        tail.into_iter().chain(self.all_of(beside)).collect()
    }

    /// Returns everything that does not belong to each of the lines that nothing hangs from: what one of two homes has
    /// and the other may lack.
    fn parted(&self) -> Vec<Stretch> {
        let parents: BTreeSet<Epoch> =
            self.0.values().filter_map(|held| held.parent).map(|parent| parent.epoch).collect();
        // An epoch that grew beyond where another hangs is an end as well.
        let grown = |epoch: &Epoch, held: &Held| {
            self.0
                .values()
                .filter_map(|other| other.parent)
                .any(|at| at.epoch == *epoch && at.seq < held.last)
        };
        let ends = self.0.iter().filter(|(epoch, held)| !parents.contains(epoch) || grown(epoch, held));
        let mut common: Option<BTreeMap<Epoch, u64>> = None;
        for way in ends.map(|(epoch, _)| self.way(*epoch)) {
            common = Some(match common {
                None => way,
                Some(common) => common
                    .into_iter()
                    .filter_map(|(epoch, up_to)| Some((epoch, up_to.min(*way.get(&epoch)?))))
                    .collect(),
            });
        }
        let common = common.unwrap_or_default();
        let rest = self.0.iter().map(|(epoch, held)| {
            (*epoch, common.get(epoch).map_or(1, |up_to| up_to.saturating_add(1)), held.last)
        });
        rest.filter(|(_, first, last)| first <= last).collect()
    }

    /// Returns each line that is not on the way of `line`.
    fn apart(&self, line: Epoch) -> Vec<Apart> {
        let way = self.way(line);
        let below: BTreeMap<Option<Epoch>, Epoch> =
            way.keys().map(|epoch| (self.parent(*epoch).map(|parent| parent.epoch), *epoch)).collect();
        let mut apart = Vec::new();
        for epoch in self.0.keys().filter(|epoch| !way.contains_key(epoch)) {
            let mut root = *epoch;
            let mut met = BTreeSet::from([root]);
            let joins = loop {
                match self.parent(root).map(|parent| parent.epoch) {
                    Some(above) if !way.contains_key(&above) && met.insert(above) => root = above,
                    joins => break joins,
                }
            };
            let beside = if joins == Some(line) { None } else { below.get(&joins).copied() };
            apart.push(Apart { line: *epoch, newcomer: root, beside });
        }
        apart
    }

    fn all_of(&self, epochs: impl IntoIterator<Item = Epoch>) -> Vec<Stretch> {
        let whole = |epoch: Epoch| Some((epoch, 1, self.0.get(&epoch)?.last));
        epochs.into_iter().filter_map(whole).collect()
    }
}

/// The boot, the time since, and the hash of the last request that was heard of a device.
type Heard = (u32, u64, [u8; 32]);

fn heard_key(replica: Replica) -> String {
    format!("heard {}", replica.0)
}

fn parted_key(replica: Replica) -> String {
    format!("parted {}", replica.0)
}

fn settled_key(replica: Replica) -> String {
    format!("copies settled {}", replica.0)
}

impl Desk {
    /// The lines of one replica that one key signed: a second device of its code wrote with another one.
    fn tree(&self, branch: u32, replica: Replica, key: Option<PublicKey>) -> Result<Tree, StoreError> {
        let mut lines = BTreeMap::new();
        for (epoch, held) in self.store.lines(branch, replica)? {
            if self.store.epoch_key(replica, epoch)? == key {
                lines.insert(epoch, held);
            }
        }
        Ok(Tree(lines))
    }

    /// A new line arrives: where it hangs behind what HQ holds, its device gets back what it did not know.
    pub(super) fn notice_rewind(
        &mut self,
        job: &mut Job,
        branch: u32,
        line: Line,
        parent: Option<&Parent>,
    ) -> Result<(), StoreError> {
        let key = self.store.epoch_key(line.0, line.1)?;
        let beside = self.tree(branch, line.0, key)?.beside(line.1, parent);
        let Some((epoch, first, _)) = beside.first() else {
            return Ok(());
        };
        job.notices.push(Notice::Rewound { epoch: *epoch, seq: first.saturating_sub(1) });
        self.unaware.insert(line.0);
        for (epoch, first, last) in &beside {
            self.give_back(branch, (line.0, *epoch), *first, *last)?;
        }
        Ok(())
    }

    /// A line grows: does it descend from all that came after it began?
    pub(super) fn notice_copy(&mut self, branch: u32, line: Line) -> Result<(), StoreError> {
        let key = self.store.epoch_key(line.0, line.1)?;
        let tree = self.tree(branch, line.0, key)?;
        let apart = tree.apart(line.1);
        let settled = if apart.is_empty() { None } else { self.store.setting(&settled_key(line.0))? };
        let settled = settled.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes);
        for Apart { line: other, newcomer, beside } in apart {
            let arrival = |epoch| self.store.line_arrivals(branch, (line.0, epoch));
            let first = |arrivals: Option<(u64, u64)>| arrivals.map(|(first, _)| first);
            let later = match beside {
                None => true,
                Some(beside) => first(arrival(newcomer)?) > first(arrival(beside)?),
            };
            // What stood still since a person settled it says nothing of today.
            let alive = arrival(other)?.is_some_and(|(_, last)| last >= settled);
            if later
                && alive
                && let Some(mut device) = self.store.device(line.0)?
            {
                if !device.copied {
                    self.copied(&mut device, key)?;
                    self.store.device_put(&device)?;
                }
                return Ok(());
            }
        }
        Ok(())
    }

    /// A document has a number. Where its device went on without knowing what it wrote before, and another document has
    /// that number, two homes gave it, even where only one of them is heard any more.
    pub(super) fn notice_twin(&mut self, indexed: &Indexed) -> Result<(), StoreError> {
        let document = &indexed.document;
        let replica = document.id.0.replica;
        let Some(number) = indexed.number.as_deref().filter(|_| self.unaware.contains(&replica)) else {
            return Ok(());
        };
        let twin = self.store.is_numbered_beside(document.kind, number, document.id)?;
        if twin
            && let Some(mut device) = self.store.device(replica)?
            && !device.copied
        {
            let key = self.store.epoch_key(replica, document.id.0.epoch)?;
            self.copied(&mut device, key)?;
            self.store.device_put(&device)?;
        }
        Ok(())
    }

    /// Notes that two homes write under one name and key; each gets what the other wrote, and from now on hears of it.
    ///
    /// # Errors
    /// [`StoreError`].
    fn copied(&mut self, device: &mut Device, key: Option<PublicKey>) -> Result<(), StoreError> {
        device.copied = true;
        for (epoch, first, last) in self.tree(device.branch, device.replica, key)?.parted() {
            self.give_back(device.branch, (device.replica, epoch), first, last)?;
        }
        Ok(())
    }

    /// A person has seen to it that one of two homes has a name of its own, or is gone: from now on only what both write
    /// anew says otherwise.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn settle_copies(&mut self, device: &mut Device) -> Result<(), StoreError> {
        device.copied = false;
        self.unaware.remove(&device.replica);
        let order = self.store.count_up("order", 0)?;
        self.store.set(&settled_key(device.replica), &order.to_le_bytes())?;
        self.store.set(&parted_key(device.replica), &[])
    }

    /// Returns whether a request was held up on the line: the same boot was heard at a later time since its start
    /// already, or the very same request was, so that its lease says nothing of copies.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn is_late(
        &mut self,
        replica: Replica,
        clocks: Clocks,
        request: RequestHash,
    ) -> Result<bool, StoreError> {
        let key = heard_key(replica);
        let heard = self.store.setting(&key)?;
        let heard: Option<Heard> = heard.and_then(|bytes| postcard::from_bytes(&bytes).ok());
        if heard.is_some_and(|(_, _, hash)| hash == request.0) {
            return Ok(true);
        }
        // A platform that names no boot cannot be asked.
        let same_boot = heard.filter(|(boot, ..)| *boot == clocks.boot && *boot != 0);
        if same_boot.is_some_and(|(_, at_ms, _)| clocks.monotonic_ms < at_ms) {
            return Ok(true);
        }
        let bytes = postcard::to_allocvec(&(clocks.boot, clocks.monotonic_ms, request.0)).unwrap_or_default();
        self.store.set(&key, &bytes)?;
        Ok(false)
    }

    /// Hears the lease that a device shows. An old one whose successor was used comes from an earlier state of the
    /// device: it gets back what it wrote since. When that successor is shown as well, there are two of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hear_lease(
        &mut self,
        device: &mut Device,
        shown: [u8; 8],
        cursor: &Cursor,
    ) -> Result<Option<Notice>, StoreError> {
        let key = parted_key(device.replica);
        let parted: Option<Parted> =
            self.store.setting(&key)?.and_then(|bytes| postcard::from_bytes(&bytes).ok());
        if let Some(parted) = parted.filter(|parted| parted.lease == shown && !device.copied) {
            self.copied(device, None)?;
            // Where one line hangs at the end of the other the tree shows no parting, and yet the other home, which
            // has gone on unheard, holds nothing of what came meanwhile.
            self.give_back_after(device, parted.heard)?;
        }
        let known = shown == device.lease || shown == device.lease_before;
        // A home that was copied before anybody heard of it shows no lease, and has read nothing.
        let new = shown == [0; 8] && *cursor == Cursor::default();
        // A restored HQ has older leases than its devices.
        let comparable = new || shown != [0; 8] && cursor.incarnation == self.incarnation;
        if known || device.lease == [0; 8] || device.copied || !comparable {
            return Ok(None);
        }
        let parted = Parted { lease: device.lease, heard: cursor.position(Feed::OWN) };
        self.store.set(&key, &postcard::to_allocvec(&parted).unwrap_or_default())?;
        self.give_back_after(device, parted.heard)
    }

    /// Gives a device what it wrote after a position of its own feed: each push left a ruling there.
    fn give_back_after(&mut self, device: &Device, mut at: u64) -> Result<Option<Notice>, StoreError> {
        let feed = Feed::Replica(device.replica.0);
        let end = self.store.feed_end(device.branch, feed)?;
        let mut told = None;
        while at < end {
            let entries = self.store.feed_after(device.branch, feed, at, ENTRIES)?;
            let Some((last, _)) = entries.last() else { break };
            at = *last;
            for (_, entry) in entries.into_iter().filter(|(position, _)| *position <= end) {
                let Entry::Ruling(ruling) = entry else { continue };
                let line = (ruling.replica, ruling.epoch);
                let last = ruling.first.saturating_add(u64::from(ruling.count)).saturating_sub(1);
                self.give_back(device.branch, line, ruling.first, last)?;
                let seq = ruling.first.saturating_sub(1);
                told.get_or_insert(Notice::Rewound { epoch: ruling.epoch, seq });
            }
        }
        Ok(told)
    }
}

#[cfg(test)]
mod tests {
    use sync_protocol::chain::Link;

    use super::*;

    /// Epoch, where it hangs, last seq.
    type Told = (u32, Option<(u32, u64)>, u64);

    fn tree(lines: &[Told]) -> Tree {
        let held = |parent: Option<(u32, u64)>, last| Held {
            parent: parent.map(|(epoch, seq)| Parent { epoch: Epoch(epoch), seq, link: Link::ROOT }),
            last,
            link: Link::ROOT,
            count: last,
        };
        Tree(lines.iter().map(|(epoch, parent, last)| (Epoch(*epoch), held(*parent, *last))).collect())
    }

    fn at(epoch: u32, seq: u64) -> Parent {
        Parent { epoch: Epoch(epoch), seq, link: Link::ROOT }
    }

    #[test]
    fn a_boot_stands_beside_nothing_and_a_device_put_back_beside_all_that_it_forgot() {
        let boots = tree(&[(1, None, 5), (2, Some((1, 5)), 3)]);
        assert_eq!(boots.beside(Epoch(3), Some(&at(2, 3))), []);
        assert_eq!(boots.beside(Epoch(3), Some(&at(2, 1))), [(Epoch(2), 2, 3)]);
        assert_eq!(boots.beside(Epoch(3), Some(&at(1, 5))), [(Epoch(2), 1, 3)]);
        assert_eq!(boots.beside(Epoch(3), Some(&at(1, 4))), [(Epoch(1), 5, 5), (Epoch(2), 1, 3)]);
        assert_eq!(boots.beside(Epoch(3), None), [(Epoch(1), 1, 5), (Epoch(2), 1, 3)]);
        // Put back once, and then booted: what is beside it came back already.
        let again = tree(&[(1, None, 5), (2, Some((1, 5)), 3), (3, Some((1, 4)), 2)]);
        assert_eq!(again.beside(Epoch(4), Some(&at(3, 2))), []);
    }

    #[test]
    fn what_only_one_of_two_homes_has_is_all_behind_where_they_parted() {
        assert_eq!(tree(&[(1, None, 5), (2, Some((1, 5)), 3)]).parted(), []);
        let one = tree(&[(1, None, 5), (2, Some((1, 3)), 3)]);
        assert_eq!(one.parted(), [(Epoch(1), 4, 5), (Epoch(2), 1, 3)]);
        let two = tree(&[(1, None, 5), (2, Some((1, 5)), 3), (3, Some((1, 5)), 4), (4, Some((3, 4)), 1)]);
        assert_eq!(two.parted(), [(Epoch(2), 1, 3), (Epoch(3), 1, 4), (Epoch(4), 1, 1)]);
        let roots = tree(&[(1, None, 5), (2, None, 3)]);
        assert_eq!(roots.parted(), [(Epoch(1), 1, 5), (Epoch(2), 1, 3)]);
    }

    #[test]
    fn whoever_grows_is_held_against_the_newcomers_that_he_does_not_descend_from() {
        let lines = tree(&[(1, None, 5), (2, Some((1, 5)), 3), (3, Some((1, 4)), 2), (4, Some((3, 2)), 1)]);
        let others = |line, newcomer, beside: Option<u32>| Apart {
            line: Epoch(line),
            newcomer: Epoch(newcomer),
            beside: beside.map(Epoch),
        };
        assert_eq!(lines.apart(Epoch(1)), [others(2, 2, None), others(3, 3, None), others(4, 3, None)]);
        assert_eq!(lines.apart(Epoch(2)), [others(3, 3, Some(2)), others(4, 3, Some(2))]);
        assert_eq!(lines.apart(Epoch(4)), [others(2, 2, Some(3))]);
        let roots = tree(&[(1, None, 5), (2, None, 3)]);
        assert_eq!(roots.apart(Epoch(1)), [others(2, 2, Some(1))]);
    }
}
