//! What was acknowledged to somebody, and what must have become of it.

use std::collections::BTreeSet;

use fieldbook::store::Store;
use fieldbook::store::files::Hash;
use records::id::{OpId, Replica};
use sync_protocol::chain::sha256;
use sync_protocol::op::Row;

use crate::work::{self, Deed};
use crate::world::World;

/// An op that was acknowledged to somebody.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) id: OpId,
    /// The first bytes of the chain value after it.
    pub(crate) link: [u8; 8],
    /// What a person wrote in this very op, where that can be found again.
    pub(crate) mark: Option<u32>,
    /// The op that was written again as this one.
    again_of: Option<OpId>,
    /// Nothing that this op was on is left, and nobody had received it.
    pub(crate) forgiven: bool,
}

/// A file that was kept on a device for headquarters.
#[derive(Debug, Clone)]
pub(crate) struct Attached {
    pub(crate) hash: Hash,
    pub(crate) replica: Replica,
    /// The homes that had it are lost, and headquarters had not received it.
    pub(crate) forgiven: bool,
}

/// Returns every name under which an op may be by now: its own, and those under which it was written again.
pub(crate) fn names(id: OpId, said: &[Said]) -> BTreeSet<OpId> {
    let mut names = BTreeSet::from([id]);
    // In the order in which they were written, so that one that was written again twice is followed.
    for later in said {
        if later.again_of.is_some_and(|old| names.contains(&old)) {
            names.insert(later.id);
        }
    }
    names
}

fn first_8_at(store: &Store, id: OpId) -> Option<[u8; 8]> {
    store.link_at(id.epoch, id.seq).expect("a log that reads").map(fieldbook::store::offer::first_8)
}

impl World {
    /// Notes what a deed just saved on a device; where it carries a mark, at least one op of the save says it.
    pub(crate) fn hear_saved(&mut self, at: usize, number: u32, deed: Deed, record: &str) {
        let new = self.unheard(at);
        let says = |row: &Row| work::marks(deed) && work::says(row, number);
        let told = !work::marks(deed) || new.iter().any(|(_, _, row)| says(row));
        assert!(told, "device {at}: {deed:?} on {record} was acknowledged and ~{number}~ is in no op");
        for (id, link, row) in new {
            let mark = says(&row).then_some(number);
            self.tell(format!("{at} saves {id} ({deed:?} on {record}, {mark:?})"));
            self.said.push(Said { id, link, mark, again_of: None, forgiven: false });
        }
        if deed == Deed::File {
            let hash = sha256(&[&work::content(&work::mark(number))]);
            self.files.push(Attached { hash, replica: self.devices[at].replica, forgiven: false });
        }
    }

    /// Notes what a device wrote again by itself: branches that were forked.
    ///
    /// To be called after each sync and before each deed, or what was written again would be taken for the deed's.
    pub(crate) fn hear_written_again(&mut self, at: usize) {
        let device = &mut self.devices[at];
        let mut again = Vec::new();
        device.takes_over();
        let store = device.store.as_ref().expect("an open home");
        let walked = store.each_op(&mut |id, row| {
            if id.replica == device.replica && row.forked_from.is_some() {
                again.extend(first_8_at(store, id).map(|link| (id, link, row.clone())));
            }
        });
        walked.expect("a log that reads");
        // What another home of this name wrote again and headquarters gave to this one was noted there.
        again.retain(|(id, link, _)| !self.said.iter().any(|one| one.id == *id && one.link == *link));
        for (id, link, row) in again {
            let known = self.devices[at].said.entry(id.epoch).or_default();
            *known = id.seq.max(*known);
            let of = self.said.iter().filter(|one| Some(one.id) == row.forked_from);
            let mark = of.filter_map(|one| one.mark).find(|mark| work::says(&row, *mark));
            let old = row.forked_from.map(|old| old.to_string()).unwrap_or_default();
            self.tell(format!("{at} writes {old} again as {id} ({mark:?})"));
            self.said.push(Said { id, link, mark, again_of: row.forked_from, forgiven: false });
        }
    }

    /// Returns the ops that a device saved since it was asked last, with the first bytes of the chain value after each.
    fn unheard(&mut self, at: usize) -> Vec<(OpId, [u8; 8], Row)> {
        let now = self.devices[at].now(self.now_ms);
        let device = &mut self.devices[at];
        let heads = device.store().hello(now).expect("a hello").heads;
        let mut new = BTreeSet::new();
        for head in heads {
            let known = device.said.entry(head.epoch).or_default();
            let name = |seq| OpId { replica: device.replica, epoch: head.epoch, seq };
            new.extend((*known + 1..=head.seq).map(name));
            *known = head.seq.max(*known);
        }
        let mut found = Vec::new();
        let store = device.store.as_ref().expect("an open home");
        let walked = store.each_op(&mut |id, row| {
            if new.remove(&id) {
                let link =
                    first_8_at(store, id).unwrap_or_else(|| panic!("device {at}: no chain value after {id}"));
                found.push((id, link, row.clone()));
            }
        });
        walked.expect("a log that reads");
        assert!(new.is_empty(), "device {at}: {new:?} was saved and is not there");
        found
    }

    /// Headquarters would miss what is neither in its backup nor in the journal of the device.
    pub(crate) fn check_trim(&mut self, at: usize) {
        if self.clocks_jumped {
            return;
        }
        let device = &mut self.devices[at];
        let journaled = device.journaled();
        let own = self.said.iter().filter(|said| {
            let up_to = device.said.get(&said.id.epoch).copied().unwrap_or(0);
            said.id.replica == device.replica && said.id.seq <= up_to && !said.forgiven
        });
        for said in own {
            let safe = self.in_backup.contains_key(&said.id);
            let kept = journaled.contains(&(said.id.epoch, said.id.seq));
            assert!(safe || kept, "device {at}: {} left the journal and is in no backup", said.id);
        }
    }

    /// Forgives what is on no living device and not at headquarters.
    pub(crate) fn forgive(&mut self) {
        let held = self.hq.borrow().run(crate::checks::links);
        let carried = self.on_their_way();
        for said in &mut self.said {
            let at_hq = held.get(&said.id).is_some_and(|link| *link == said.link);
            let somewhere = self.devices.iter().filter(|device| !device.dead).any(|device| {
                device.replica == said.id.replica
                    && device.said.get(&said.id.epoch).is_some_and(|seq| *seq >= said.id.seq)
            });
            said.forgiven |= !at_hq && !somewhere && !carried.contains(&said.id);
        }
        let files = self.hq.borrow().run(|desk| desk.files.clone());
        for file in &mut self.files {
            let own = self.devices.iter().filter(|device| !device.dead && device.replica == file.replica);
            let somewhere = own.into_iter().any(|device| device.has_file(&file.hash));
            file.forgiven |= files.length(&file.hash).is_none() && !somewhere;
        }
    }
}

/// An op that was written again twice is found under each of its names, and no other one is.
#[test]
fn an_op_that_was_written_again_twice_keeps_all_its_names() {
    use records::id::Epoch;

    let id = |epoch, seq| OpId { replica: Replica(7), epoch: Epoch(epoch), seq };
    let one = |id, again_of| Said { id, link: [0; 8], mark: None, again_of, forgiven: false };
    let said = [
        one(id(1, 4), None),
        one(id(1, 5), None),
        one(id(2, 1), Some(id(1, 4))),
        one(id(2, 2), Some(id(1, 5))),
        one(id(3, 1), Some(id(2, 1))),
    ];
    assert_eq!(names(id(1, 4), &said), [id(1, 4), id(2, 1), id(3, 1)].into());
    assert_eq!(names(id(2, 2), &said), [id(2, 2)].into());
}
