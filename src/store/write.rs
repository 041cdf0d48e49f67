//! Saving: build the ops, journal them with one sync, and only then change the database.

use records::id::{DocId, Epoch, OpId, Replica};
use sync_protocol::chain::{Link, Parent};
use sync_protocol::limits::{GROUPS_MAX, LIST_MAX, OP_BYTES_MAX};
use sync_protocol::op::{Row, Write};
use sync_protocol::stamp::Stamp;

use crate::clock::Now;
use crate::store::database::Tree;
use crate::store::epoch::{Head, Opening};
use crate::store::error::{Limited, StoreError};
use crate::store::journal::{Contents, Frame, Logged, Position};
use crate::store::state::{End, setting_key};
use crate::store::work::{Work, unjudged};
use crate::store::{CHECKPOINT_BYTES, CHECKPOINT_OPS, Store};

/// What an op is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// It creates a document, whose id is then the op's own.
    Create,
    /// A document that is here.
    Document(DocId),
    /// The document that the op of that index in the same save creates.
    CreatedBy(usize),
}

/// One intention, before it has a name, a stamp and a past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOp {
    /// The document's kind.
    pub kind: u16,
    /// The version of the kind's table.
    pub schema: u8,
    /// Its document.
    pub on: On,
    /// One write a group, by rising tag.
    pub writes: Vec<Write>,
    /// The import key, for [`Store::imported`]; it never leaves the device.
    pub local: Option<[u8; 16]>,
}

/// A save that is written again, and what its author had seen then, op by op; `None`: as much as is known now.
#[derive(Debug, Clone)]
pub(in crate::store) struct Again<'a> {
    /// As it was.
    pub(in crate::store) frame: &'a Frame,
    /// What each op said it had seen.
    pub(in crate::store) seen: Option<Vec<Vec<OpId>>>,
}

/// The line that the next op goes to.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Tip {
    epoch: Epoch,
    /// Stated with the epoch's first op.
    parent: Option<Parent>,
    first: u64,
    before: Link,
}

impl Tip {
    /// Returns the names of the ops that come next.
    pub(in crate::store) fn ids(&self, replica: Replica) -> impl Iterator<Item = OpId> + use<> {
        let epoch = self.epoch;
        (self.first..).map(move |seq| OpId { replica, epoch, seq })
    }
}

impl Store {
    /// Saves ops as one: all of them or none, under one stamp, and returns their names once they are on the disk.
    ///
    /// # Errors
    /// [`StoreError::NoDocument`], [`StoreError::Limit`], [`StoreError::Unordered`], [`StoreError::NoSpace`],
    /// [`StoreError::ReadOnly`]; nothing is then saved.
    pub fn save(&mut self, ops: Vec<NewOp>, now: Now) -> Result<Vec<OpId>, StoreError> {
        if ops.is_empty() {
            return Ok(Vec::new());
        }
        if self.behind {
            return Err(StoreError::ReadOnly);
        }
        if ops.iter().any(|op| op.on == On::Create) {
            crate::home::require_space(&self.home, crate::home::SAVE_BYTES_MIN)?;
        }
        let tip = self.tip(now)?;
        self.keep(ops, tip, now)
    }

    /// Saves ops that name each other as one, like [`Self::save`]: `make` is told the name of the first of them, the
    /// others' follow it.
    ///
    /// # Errors
    /// As of [`Self::save`].
    pub fn save_linked(
        &mut self,
        make: impl FnOnce(OpId) -> Vec<NewOp>,
        now: Now,
    ) -> Result<Vec<OpId>, StoreError> {
        if self.behind {
            return Err(StoreError::ReadOnly);
        }
        crate::home::require_space(&self.home, crate::home::SAVE_BYTES_MIN)?;
        let tip = self.tip(now)?;
        let first = OpId { replica: self.replica(), epoch: tip.epoch, seq: tip.first };
        self.keep(make(first), tip, now)
    }

    /// Journals ops and changes the database.
    fn keep(&mut self, ops: Vec<NewOp>, tip: Tip, now: Now) -> Result<Vec<OpId>, StoreError> {
        let stamp = self.state.floor.next(u64::try_from(now.wall.0).unwrap_or(0));
        let mut work = self.work();
        let mut frame = self.build(&mut work, ops, tip, stamp, now.test_clock, None)?;
        if let Some((name, value)) = self.clock_setting(frame.epoch, frame.first, now)? {
            work.change.put(Tree::Meta, &setting_key(&name), value.clone());
            frame.settings.push((name, value));
        }
        self.make_room(&frame)?;
        self.append(&frame)?;
        self.opening = Opening::Continues;
        if let Some(token) = &mut self.token {
            token.write(now.boot, frame.epoch, frame.last());
        }
        let ids = ids(self.replica(), &frame).collect();
        work.state.journal = self.journal.end();
        // From here on it is saved. What the database refuses now, the next opening takes from the journal.
        let indexed = self.log(&mut work, &frame).and_then(|()| self.commit(work));
        self.count_unsynced(&frame);
        let due = self.unsynced >= CHECKPOINT_OPS || self.unsynced_bytes >= CHECKPOINT_BYTES;
        if indexed.is_err() || due && self.checkpoint().is_err() {
            self.behind = true;
        }
        Ok(ids)
    }

    /// Puts a setting, small and of this device only, and returns once it is on the disk.
    ///
    /// # Errors
    /// [`StoreError::NoSpace`], [`StoreError::ReadOnly`].
    pub fn put_setting(&mut self, name: &str, value: Vec<u8>) -> Result<(), StoreError> {
        let own = self.state.own;
        let frame = Frame {
            epoch: own.map_or(Epoch(0), |own| own.epoch),
            parent: None,
            first: own.map_or(1, |own| own.seq + 1),
            before: own.map_or(Link::ROOT, |own| own.link),
            test_clock: false,
            ops: Vec::new(),
            settings: vec![(name.to_owned(), value)],
        };
        self.append(&frame)?;
        let mut work = self.work();
        // Where the database missed a save, the next opening has to begin there.
        let end = if self.behind { work.state.journal } else { self.journal.end() };
        self.take(&mut work, &frame, end)?;
        self.commit(work)
    }

    /// Brings the database up to the journal after an opening.
    pub(in crate::store) fn replay(
        &mut self,
        contents: Contents,
        head: Option<&Head>,
    ) -> Result<(), StoreError> {
        let mut work = self.work();
        let mut reached = true;
        for (frame, end) in contents.frames {
            let follows = frame.ops.is_empty() || self.follows(&work, &frame);
            // Behind a hole: until those saves are taken in elsewhere, the next opening has to meet them again.
            reached &= follows;
            let end = if reached { end } else { work.state.journal };
            if follows {
                let opens = head.filter(|head| frame.first == 1 && head.epoch == frame.epoch);
                work.state.numbers_suspended |= opens.is_some_and(|head| head.numbers_wait);
                self.count_unsynced(&frame);
                self.take(&mut work, &frame, end)?;
            }
        }
        if work.state != self.state {
            self.commit(work)?;
        }
        // Half of what a save waits for: each further command would replay it all again.
        let due = self.unsynced >= CHECKPOINT_OPS / 2 || self.unsynced_bytes >= CHECKPOINT_BYTES;
        if due && crate::home::require_space(&self.home, crate::home::SYNC_BYTES_MIN).is_ok() {
            self.checkpoint()
        } else {
            Ok(())
        }
    }

    fn count_unsynced(&mut self, frame: &Frame) {
        self.unsynced += u64::try_from(frame.ops.len()).unwrap_or(u64::MAX);
        self.unsynced_bytes += frame.bytes();
    }

    /// Takes a journaled save into a change.
    pub(in crate::store) fn take(
        &self,
        work: &mut Work,
        frame: &Frame,
        end: Position,
    ) -> Result<(), StoreError> {
        for (id, op) in ids(self.replica(), frame).zip(&frame.ops) {
            if let Ok(row) = Row::from_bytes(&op.row) {
                work.state.floor = work.state.floor.max(row.stamp);
                work.state.ops += 1;
                work.add(self, unjudged(id, row), op.local.as_ref())?;
            }
        }
        for (name, value) in &frame.settings {
            work.change.put(Tree::Meta, &setting_key(name), value.clone());
        }
        work.state.journal = end;
        if frame.ops.is_empty() { Ok(()) } else { self.log(work, frame) }
    }

    /// Returns the name under which this installation writes.
    pub(in crate::store) fn replica(&self) -> Replica {
        self.identity.enrolment.replica
    }

    /// Returns whether a save continues the own log as the change will have it.
    pub(in crate::store) fn follows(&self, work: &Work, frame: &Frame) -> bool {
        match (work.state.own, frame.parent) {
            (Some(own), _) if own.epoch == frame.epoch => {
                frame.first == own.seq + 1 && frame.before == own.link
            }
            (Some(own), Some(parent)) => frame.first == 1 && parent == own.as_parent(),
            (None, None) => frame.first == 1,
            _ => false,
        }
    }

    /// Returns where the next op goes, after opening an epoch where this opening needs one.
    pub(in crate::store) fn tip(&mut self, now: Now) -> Result<Tip, StoreError> {
        if let (Opening::Continues, Some(own)) = (self.opening, self.state.own) {
            return Ok(Tip { epoch: own.epoch, parent: None, first: own.seq + 1, before: own.link });
        }
        let parent = self.state.own.map(End::as_parent);
        let epoch = Epoch(u32::from_le_bytes(crate::keys::random()?));
        let head = Head {
            epoch,
            parent,
            boot: now.boot,
            fingerprint: crate::home::fingerprint(&self.home),
            numbers_wait: self.numbers_suspended(),
        };
        crate::store::epoch::write_head(&self.home, &head)?;
        Ok(Tip { epoch, parent, first: 1, before: parent.map_or(Link::ROOT, |parent| parent.link) })
    }

    /// Makes a save of ops; `again` is what they are written again from, if they are.
    pub(in crate::store) fn build(
        &self,
        work: &mut Work,
        ops: Vec<NewOp>,
        tip: Tip,
        stamp: Stamp,
        test_clock: bool,
        again: Option<&Again<'_>>,
    ) -> Result<Frame, StoreError> {
        let name = |at: usize| OpId {
            replica: self.replica(),
            epoch: tip.epoch,
            seq: tip.first.saturating_add(u64::try_from(at).unwrap_or(u64::MAX)),
        };
        work.state.floor = work.state.floor.max(stamp);
        work.state.numbers_suspended = self.numbers_suspended();
        work.line(self, (self.replica(), tip.epoch))?.parent = match tip.first {
            1 => tip.parent,
            _ => self.line((self.replica(), tip.epoch))?.parent,
        };
        let mut logged = Vec::with_capacity(ops.len());
        for (at, op) in ops.into_iter().enumerate() {
            let doc = match op.on {
                On::Create => None,
                On::Document(doc) => Some(doc),
                On::CreatedBy(earlier) if earlier < at => Some(DocId(name(earlier))),
                On::CreatedBy(_) => return Err(StoreError::Unordered),
            };
            let said = again.and_then(|again| again.seen.as_ref()?.get(at));
            let seen = match (doc, said) {
                (None, _) => Vec::new(),
                (Some(doc), None) => self.seen(work, doc, tip.epoch)?,
                (Some(doc), Some(_)) if work.ops(self, doc)?.is_empty() => {
                    return Err(StoreError::NoDocument(doc));
                }
                (Some(_), Some(said)) => said.clone(),
            };
            let row = Row {
                kind: op.kind,
                schema: schema_of(&op),
                doc,
                stamp,
                seen,
                forked_from: again.and_then(|again| ids(self.replica(), again.frame).nth(at)),
                writes: op.writes,
            };
            let bytes = checked(&row)?;
            work.state.ops += 1;
            work.add(self, unjudged(name(at), row), op.local.as_ref())?;
            logged.push(Logged { row: bytes, local: op.local });
        }
        let Tip { epoch, parent, first, before } = tip;
        Ok(Frame { epoch, parent, first, before, test_clock, ops: logged, settings: Vec::new() })
    }

    /// Returns what is known on a document outside the own line and was not yet said on it.
    fn seen(&self, work: &mut Work, doc: DocId, epoch: Epoch) -> Result<Vec<OpId>, StoreError> {
        let ops = work.ops(self, doc)?.to_vec();
        if ops.is_empty() {
            return Err(StoreError::NoDocument(doc));
        }
        let me = (self.replica(), epoch);
        if ops.iter().all(|op| (op.id.replica, op.id.epoch) == me) {
            return Ok(Vec::new());
        }
        let mut lines = self.lines_of(&ops, &work.lines)?;
        lines.append(&mut self.ancestors(me, &work.lines)?);
        Ok(sync_protocol::merge::past::seen(&ops, &lines, me))
    }

    pub(in crate::store) fn append(&mut self, frame: &Frame) -> Result<(), StoreError> {
        match self.journal.append(&self.keys, frame) {
            Err(StoreError::NoSpace { .. }) if self.give_up_reserve() => {
                self.journal.append(&self.keys, frame)
            }
            other => other,
        }
    }
}

pub(in crate::store) fn ids(replica: Replica, frame: &Frame) -> impl Iterator<Item = OpId> {
    let epoch = frame.epoch;
    (frame.first..=frame.last()).map(move |seq| OpId { replica, epoch, seq })
}

/// Returns the schema that an op needs to be read: the lowest that has its groups as they are, so that an older version
/// reads whatever did not change. What a newer version wrote keeps its own.
fn schema_of(op: &NewOp) -> u8 {
    let kind = records::kinds::by_number(op.kind).filter(|kind| op.schema <= kind.schema);
    let lowest = kind.map(|kind| kind.schema_of(op.writes.iter().map(|write| write.tag)));
    lowest.map_or(op.schema, |lowest| lowest.min(op.schema))
}

/// Returns the row's bytes where it keeps to the limits.
fn checked(row: &Row) -> Result<Vec<u8>, StoreError> {
    let over = |what, found: usize, max: usize| StoreError::Limit {
        what,
        found: u64::try_from(found).unwrap_or(u64::MAX),
        max: u64::try_from(max).unwrap_or(u64::MAX),
    };
    if row.writes.len() > GROUPS_MAX {
        return Err(over(Limited::Groups, row.writes.len(), GROUPS_MAX));
    }
    if row.seen.len() > LIST_MAX {
        return Err(over(Limited::Seen, row.seen.len(), LIST_MAX));
    }
    if !row.writes.windows(2).all(|pair| matches!(pair, [a, b] if a.tag < b.tag)) {
        return Err(StoreError::Unordered);
    }
    let bytes = row.to_bytes();
    if bytes.len() > OP_BYTES_MAX {
        Err(over(Limited::OpBytes, bytes.len(), OP_BYTES_MAX))
    } else {
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{NOW, create, home, note};

    #[test]
    fn what_was_saved_is_there_after_opening_again() {
        let (dir, mut store) = home();
        let sheet = store.save(vec![create(b"pump")], NOW).unwrap()[0];
        store.save(vec![note(On::Document(DocId(sheet)), b"noisy")], NOW).unwrap();
        let before = store.ops(DocId(sheet)).unwrap();
        assert_eq!(before.len(), 2);
        drop(store);
        let store = Store::open(dir.path(), NOW).unwrap();
        assert_eq!(store.ops(DocId(sheet)).unwrap(), before);
        let counts = store.counts().unwrap();
        assert_eq!((counts.ops, counts.unsent_ops, counts.documents), (2, 2, 1));
        assert_eq!(store.document(DocId(sheet)).unwrap().unwrap().ops.len(), 2);
    }

    #[test]
    fn one_save_has_one_stamp_and_may_build_on_itself() {
        let (_dir, mut store) = home();
        let ids = store.save(vec![create(b"pump"), note(On::CreatedBy(0), b"noisy")], NOW).unwrap();
        let ops = store.ops(DocId(ids[0])).unwrap();
        assert_eq!(ops.iter().map(|op| op.id).collect::<Vec<_>>(), ids);
        assert_eq!(ops[0].row.stamp, ops[1].row.stamp);
        let later = store.save(vec![create(b"fan")], NOW).unwrap();
        assert!(store.ops(DocId(later[0])).unwrap()[0].row.stamp > ops[1].row.stamp);
    }

    #[test]
    fn a_document_is_found_by_id_code_and_import_key() {
        let (_dir, mut store) = home();
        let local = Some([5; 16]);
        let ids = store.save(vec![NewOp { local, ..create(b"pump") }, create(b"fan")], NOW).unwrap();
        for id in ids.iter().copied().map(DocId) {
            assert_eq!(store.resolve(&id.to_string()).unwrap(), [id]);
            assert_eq!(store.resolve(&id.code()[..6].to_lowercase()).unwrap(), [id]);
        }
        assert_eq!(store.imported(&[5; 16]).unwrap(), Some(DocId(ids[0])));
        assert_eq!(store.imported(&[6; 16]).unwrap(), None);
        for unknown in ["9.9.9", "UUUU", "no such", ""] {
            assert_eq!(store.resolve(unknown).unwrap(), [], "{unknown}");
        }
    }

    #[test]
    fn a_refused_save_leaves_nothing() {
        let (_dir, mut store) = home();
        let unknown = DocId(OpId { replica: Replica(9), epoch: Epoch(9), seq: 9 });
        let refused = store.save(vec![create(b"pump"), note(On::Document(unknown), b"x")], NOW);
        assert!(matches!(refused, Err(StoreError::NoDocument(id)) if id == unknown));
        let long = vec![b'x'; OP_BYTES_MAX];
        let refused = store.save(vec![create(b"pump"), create(&long)], NOW);
        assert!(matches!(refused, Err(StoreError::Limit { what: Limited::OpBytes, .. })));
        let mut twice = create(b"pump");
        twice.writes.push(twice.writes[0].clone());
        assert!(matches!(store.save(vec![twice], NOW), Err(StoreError::Unordered)));
        assert_eq!(store.counts().unwrap(), crate::store::read::Counts::default());
    }
}
