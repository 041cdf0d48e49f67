//! Taking in an answer: rulings, then what the feeds bring, then how far that was; each step one transaction.
//!
//! The cursor moves last: an answer that was cut off half-way comes again and changes nothing twice.

use std::collections::BTreeMap;

use records::id::{DocId, OpId};
use sync_protocol::conversation::Answer;
use sync_protocol::merge::Judged;
use sync_protocol::message::{Compared, Extract, Held, Item, Notice};
use sync_protocol::op::Row;
use sync_protocol::proof::AnswerProof;
use sync_protocol::ruling::{Ruling, Verdict};
use sync_protocol::segment::{Body, Segment, SegmentError};

use crate::clock::Now;
use crate::store::Store;
use crate::store::database::Tree;
use crate::store::epoch::Opening;
use crate::store::error::StoreError;
use crate::store::leave::put_leaving;
use crate::store::offer::first_8;
use crate::store::run::{Run, RunKey};
use crate::store::signers::KeyRing;
use crate::store::state::{RECOUNT, setting_key};
use crate::store::work::Work;

/// What an answer changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// Ops that were not here before.
    pub received_ops: u64,
    /// Own ops newly ruled on, by verdict: `accepted`, `merged`, `duplicate`, `deferred`, `too_late`, `quarantined`, `newer`.
    pub verdicts: BTreeMap<&'static str, u64>,
    /// Own ops that went into quarantine.
    pub new_quarantine: u64,
    /// Documents that left the scope.
    pub evicted: u64,
    /// Things of a newer version, kept unread.
    pub newer: u64,
    /// Own epochs of which HQ holds another chain: its receipt was not taken.
    pub forked: Vec<records::id::Epoch>,
    /// Own epochs whose branch was written again under new names, or is offered from its beginning so that HQ finds the
    /// last op in common: another round has something to say.
    pub healed: Vec<records::id::Epoch>,
    /// HQ came back from a backup: what it signed for before counts no more.
    pub restored: bool,
    /// Own ops that were not here and came back from HQ.
    pub given_back: u64,
    /// Whether more is waiting.
    pub more: bool,
    /// What HQ said of the digest.
    pub digest: Compared,
}

impl Store {
    /// Takes in an answer whose signature was checked, and makes it durable before it returns.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] for a segment that is not its author's, [`StoreError::NoSpace`], [`StoreError::Damaged`].
    pub fn apply(&mut self, answer: &Answer, proof: &AnswerProof, now: Now) -> Result<Applied, StoreError> {
        let result = match self.apply_steps(answer, proof, now) {
            Err(StoreError::NoSpace { .. }) if self.give_up_reserve() => self.apply_steps(answer, proof, now),
            other => other,
        };
        // Half an answer may be seen already: nothing may be saved that builds on it before it is on the disk.
        if result.is_err() && self.checkpoint().is_err() {
            self.behind = true;
        }
        result
    }

    fn apply_steps(&mut self, answer: &Answer, proof: &AnswerProof, now: Now) -> Result<Applied, StoreError> {
        let mut applied = Applied { more: answer.end.more, digest: answer.ack.digest, ..Applied::default() };
        // First: what HQ gives back and rules on has the names that the own branch had.
        self.heal_forks(&answer.notices, now, &mut applied)?;
        for ruling in answer.ack.rulings.iter().chain(&answer.rulings) {
            self.apply_ruling(ruling, &mut applied)?;
        }
        let mut ring = KeyRing::new();
        let mut leaving: Vec<DocId> = Vec::new();
        for item in &answer.items {
            leaving.extend(self.apply_item(item, &mut ring, now, &mut applied)?);
        }
        if applied.given_back > 0 && self.is_behind_itself()? {
            self.opening = Opening::Elsewhere;
        }
        self.apply_end(answer, proof, leaving, &mut applied)?;
        self.evict(&mut applied)?;
        self.checkpoint()?;
        self.note_answer();
        self.trim(now)?;
        Ok(applied)
    }

    /// Takes in one thing from the feeds; returns the document where it says that one leaves.
    pub(in crate::store) fn apply_item(
        &mut self,
        item: &Item,
        ring: &mut KeyRing,
        now: Now,
        applied: &mut Applied,
    ) -> Result<Option<DocId>, StoreError> {
        match item {
            Item::Segment(segment) => self.apply_segment(segment, ring, now, applied)?,
            Item::Extract(extract) => self.apply_extract(extract, ring, now, applied)?,
            Item::Evict(doc) => return Ok(Some(*doc)),
            Item::Newer { .. } => {
                self.keep_item(item)?;
                applied.newer += 1;
            }
        }
        Ok(None)
    }

    pub(in crate::store) fn apply_ruling(
        &mut self,
        ruling: &Ruling,
        applied: &mut Applied,
    ) -> Result<(), StoreError> {
        let info = self.line((ruling.replica, ruling.epoch))?;
        if ruling.replica == self.replica() {
            let last = ruling.first.saturating_add(u64::from(ruling.count));
            for seq in (ruling.first..last).filter(|seq| !info.is_ruled(*seq)) {
                let verdict =
                    ruling.of(seq, sync_protocol::stamp::Stamp::default()).map(|judged| judged.verdict);
                let name = verdict.as_ref().map_or("newer", verdict_name);
                *applied.verdicts.entry(name).or_default() += 1;
            }
        }
        let before = self.state.quarantined;
        let mut work = self.work();
        work.rule(self, ruling)?;
        self.commit(work)?;
        applied.new_quarantine += self.state.quarantined.saturating_sub(before);
        Ok(())
    }

    fn apply_segment(
        &mut self,
        segment: &Segment,
        ring: &mut KeyRing,
        now: Now,
        applied: &mut Applied,
    ) -> Result<(), StoreError> {
        let foreign = |source| StoreError::Foreign { line: segment.line(), first: segment.first, source };
        let known = self.keys_of(segment.replica, ring)?;
        if !known.is_empty() && !known.iter().any(|key| segment.verify(key).is_ok()) {
            return Err(foreign(SegmentError::Signature));
        }
        let key = RunKey { line: segment.line(), last: segment.last(), first: segment.first };
        let run = Run::Segment(segment.clone());
        let decoded = Run::decode(&run.to_bytes(), key).ok_or_else(|| foreign(SegmentError::Malformed))?;
        let body = Body::from_bytes(&segment.body).ok();
        self.yield_to(segment.line(), &decoded.rows)?;
        let mut work = self.work();
        if let Some(body) = body.filter(|_| segment.first == 1) {
            work.line(self, segment.line())?.parent = body.parent;
        }
        self.apply_run(work, key, &run, decoded.rows, Some(now), applied)?;
        ring.remove(&segment.replica);
        Ok(())
    }

    fn apply_extract(
        &mut self,
        extract: &Extract,
        ring: &mut KeyRing,
        now: Now,
        applied: &mut Applied,
    ) -> Result<(), StoreError> {
        let line = (extract.replica, extract.epoch);
        let (Some(first), Some(last)) = (extract.seqs.first(), extract.seqs.last()) else {
            return Ok(());
        };
        let key = RunKey { line, last: *last, first: *first };
        let run = Run::Extract(extract.clone());
        let decoded = Run::decode(&run.to_bytes(), key).ok_or(StoreError::Foreign {
            line,
            first: *first,
            source: SegmentError::Malformed,
        })?;
        self.yield_to(line, &decoded.rows)?;
        let mut work = self.work();
        if let Some(parent) = extract.parent {
            work.line(self, line)?.parent = Some(parent);
        }
        self.apply_run(work, key, &run, decoded.rows, Some(now), applied)?;
        ring.remove(&extract.replica);
        Ok(())
    }

    /// Takes the ops of one run into their documents, and lets the clock follow their stamps where `now` is given; the run itself is kept where it brings anything.
    pub(in crate::store) fn apply_run(
        &mut self,
        mut work: Work,
        key: RunKey,
        run: &Run,
        rows: Vec<(u64, Row)>,
        now: Option<Now>,
        applied: &mut Applied,
    ) -> Result<(), StoreError> {
        let mut news = rows.is_empty();
        let first = OpId { replica: key.line.0, epoch: key.line.1, seq: key.first };
        if now.is_some() {
            self.stay(&mut work, key.line, &rows)?;
        }
        if rows.is_empty() {
            applied.newer += 1;
            work.keep_newer(self, first)?;
        } else if first.replica != self.replica() {
            work.read_newer(self, first)?;
        }
        for (seq, row) in rows {
            let id = OpId { replica: key.line.0, epoch: key.line.1, seq };
            if self.run_of(id)?.is_none() {
                news = true;
                applied.received_ops += 1;
                applied.given_back += u64::from(id.replica == self.replica());
                work.state.ops += 1;
            }
            if let Some(now) = now {
                let wall = u64::try_from(now.wall.0).unwrap_or(0);
                work.state.floor = work.state.floor.witness(row.stamp, wall);
            }
            let judgement = self.judgement(id, row.stamp)?;
            work.quarantine(self, id, judgement.as_ref())?;
            work.welcome(self, row.document(id))?;
            work.add(self, Judged { id, row, judgement }, None)?;
        }
        if news {
            self.put_run(&mut work, key, run)?;
        }
        self.commit(work)
    }

    /// Notes HQ's receipts, the cursor and the lease, together.
    fn apply_end(
        &mut self,
        answer: &Answer,
        proof: &AnswerProof,
        mut leaving: Vec<DocId>,
        applied: &mut Applied,
    ) -> Result<(), StoreError> {
        let mut work = self.work();
        if !leaving.is_empty() {
            // With the cursor, so that a kill before they are gone does not let them stay for ever.
            leaving.append(&mut self.leaving()?);
            put_leaving(&mut work, leaving);
        }
        if self.is_restored(answer.ack.incarnation) {
            applied.restored = true;
            self.forget_receipts(&mut work)?;
            self.begin_offer(&mut work, restored_from(&answer.notices))?;
        }
        for held in &answer.ack.held {
            self.apply_held(&mut work, held, applied)?;
        }
        self.keep_proof(&mut work, answer, proof)?;
        work.state.cursor.advance(&answer.end.next);
        work.state.lease = answer.ack.lease;
        work.state.level = !answer.end.more;
        work.state.answers = self.answers_noted()?.max(work.state.answers).saturating_add(1);
        work.drop_finished(self)?;
        let all_sent = match work.state.own {
            Some(own) => work.line(self, (self.replica(), own.epoch))?.held >= own.seq,
            None => true,
        };
        let alone = |notice: &Notice| !matches!(notice, Notice::Copied | Notice::Unconfirmed);
        work.state.copied = answer.notices.contains(&Notice::Copied);
        if !answer.notices.iter().all(alone) {
            work.state.numbers_suspended = true;
        } else if work.state.numbers_suspended
            && work.state.level
            && all_sent
            && work.state.unfinished.is_empty()
        {
            work.state.numbers_suspended = false;
            work.change.put(Tree::Meta, &setting_key(RECOUNT), vec![1]);
        }
        self.commit(work)
    }

    fn apply_held(&self, work: &mut Work, held: &Held, applied: &mut Applied) -> Result<(), StoreError> {
        if held.up_to == 0 {
            return Ok(());
        }
        match self.link_at(held.epoch, held.up_to)? {
            Some(link) if first_8(link) == held.link => {
                let info = work.line(self, (self.replica(), held.epoch))?;
                // Also where it is less than before: a disk of HQ's that forgot gets it again.
                info.held = held.up_to;
                info.backed_up = held.backed_up_to.min(held.up_to);
            }
            // HQ holds more than this home remembers: nothing here was refused or lost.
            None => {}
            Some(_) => applied.forked.push(held.epoch),
        }
        Ok(())
    }
}

/// Returns the order that HQ's backup holds everything below; 0 where it does not say.
fn restored_from(notices: &[Notice]) -> u64 {
    let order = |notice: &Notice| match notice {
        Notice::Restored { order } => Some(*order),
        _ => None,
    };
    notices.iter().find_map(order).unwrap_or(0)
}

fn verdict_name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted => "accepted",
        Verdict::Merged => "merged",
        Verdict::Duplicate => "duplicate",
        Verdict::Deferred { .. } => "deferred",
        Verdict::TooLate => "too_late",
        Verdict::Quarantined { .. } => "quarantined",
        Verdict::Newer { .. } => "newer",
    }
}

#[cfg(test)]
mod tests {
    use records::id::{Epoch, Replica};
    use sync_protocol::cursor::{Cursor, Feed};

    use super::*;
    use crate::store::testing::{NOW, answer, create, home, note, other};
    use crate::store::write::On;

    fn ruling(segment: &Segment, version: u8, exceptions: Vec<(u32, Verdict)>) -> Ruling {
        Ruling {
            replica: segment.replica,
            epoch: segment.epoch,
            first: segment.first,
            count: segment.count,
            order: segment.first,
            cap_ms: u64::MAX,
            version,
            exceptions,
        }
    }

    fn all(store: &Store) -> Vec<sync_protocol::merge::Document> {
        let mut all = Vec::new();
        store
            .each(None, &mut |document| {
                all.push(document);
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
        all
    }

    #[test]
    fn a_day_goes_over_and_both_ends_hold_the_same() {
        let ((_a, mut mine), (_b, mut theirs)) = (home(), other());
        for text in 0..300_u16 {
            let id = mine.save(vec![create(&text.to_le_bytes())], NOW).unwrap()[0];
            mine.save(vec![note(On::Document(DocId(id)), b"n")], NOW).unwrap();
        }
        assert_eq!(mine.hello(NOW).unwrap().heads.len(), 1);
        let segments = mine.unsent(usize::MAX, usize::MAX).unwrap();
        assert_eq!(segments.iter().map(|segment| segment.count).sum::<u32>(), 600);
        assert_eq!(segments.len(), 3);
        let rulings: Vec<Ruling> = segments.iter().map(|segment| ruling(segment, 0, vec![])).collect();
        let (ack, proof) = answer(&segments, vec![], rulings.clone(), 1);
        let applied = mine.apply(&ack, &proof, NOW).unwrap();
        assert_eq!(applied.verdicts.get("accepted"), Some(&600));
        assert_eq!(mine.counts().unwrap().unsent_ops, 0);
        assert!(mine.unsent(usize::MAX, usize::MAX).unwrap().is_empty());
        let items = segments.iter().cloned().map(Item::Segment).collect();
        let (page, proof) = answer(&[], items, rulings, 1);
        for received in [600, 0] {
            assert_eq!(theirs.apply(&page, &proof, NOW).unwrap().received_ops, received);
        }
        assert_eq!(all(&mine).len(), 300);
        assert_eq!(all(&mine), all(&theirs));
        assert!(!all(&theirs)[0].provisional);
        assert_eq!(mine.hello(NOW).unwrap().digest, theirs.hello(NOW).unwrap().digest);
        assert!(mine.hello(NOW).unwrap().digest.is_some());
        assert_eq!(theirs.hello(NOW).unwrap().cursor.position(Feed::Company), 1);
    }

    #[test]
    fn an_edit_after_a_pull_names_what_its_author_saw() {
        let ((_a, mut mine), (_b, mut theirs)) = (home(), other());
        let doc = DocId(mine.save(vec![create(b"x")], NOW).unwrap()[0]);
        let segments = mine.unsent(usize::MAX, usize::MAX).unwrap();
        let items = segments.iter().cloned().map(Item::Segment).collect();
        let (page, proof) = answer(&[], items, vec![], 1);
        theirs.apply(&page, &proof, NOW).unwrap();
        theirs.save(vec![note(On::Document(doc), b"1"), note(On::Document(doc), b"2")], NOW).unwrap();
        let ops = theirs.ops(doc).unwrap();
        assert_eq!(ops[1].row.seen, [doc.0]);
        assert!(ops[2].row.seen.is_empty(), "said once");
    }

    #[test]
    fn a_refused_op_is_listed_and_a_later_verdict_takes_it_off() {
        let (_a, mut mine) = home();
        let doc = DocId(mine.save(vec![create(b"x")], NOW).unwrap()[0]);
        let bad = mine.save(vec![note(On::Document(doc), b"1")], NOW).unwrap()[0];
        let segments = mine.unsent(usize::MAX, usize::MAX).unwrap();
        let refused = Verdict::Quarantined { code: 9, text: "x".into(), retryable: true };
        let verdicts = vec![ruling(&segments[0], 0, vec![(1, refused)])];
        let (page, proof) = answer(&segments, vec![], verdicts, 1);
        assert_eq!(mine.apply(&page, &proof, NOW).unwrap().new_quarantine, 1);
        assert_eq!(mine.quarantine().unwrap()[0].id, bad);
        assert_eq!(mine.document(doc).unwrap().unwrap().refused, [bad]);
        let (page, proof) = answer(&segments, vec![], vec![ruling(&segments[0], 1, vec![])], 2);
        mine.apply(&page, &proof, NOW).unwrap();
        assert!(mine.quarantine().unwrap().is_empty());
        assert!(mine.document(doc).unwrap().unwrap().refused.is_empty());
    }

    #[test]
    fn a_ruling_leaves_every_view_as_the_ops_make_it() {
        let ((_a, mut mine), (_b, mut theirs)) = (home(), other());
        let later = |ms: i64| Now { wall: records::time::Ts(NOW.wall.0 + ms), ..NOW };
        let id = |store: &mut Store, op, now| DocId(store.save(vec![op], now).unwrap()[0]);
        let [alone, shared, refused] = [(); 3].map(|()| id(&mut mine, create(b"x"), NOW));
        let creations = mine.unsent(usize::MAX, usize::MAX).unwrap().remove(0);
        let (page, proof) = answer(&[], vec![Item::Segment(creations)], vec![], 1);
        theirs.apply(&page, &proof, NOW).unwrap();
        // He wrote before, and HQ has mine before it has his.
        id(&mut theirs, note(On::Document(shared), b"his"), later(700));
        for doc in [alone, shared, refused] {
            id(&mut mine, note(On::Document(doc), b"mine"), later(800));
        }
        let his = theirs.unsent(usize::MAX, usize::MAX).unwrap().remove(0);
        let (page, proof) = answer(&[], vec![Item::Segment(his)], vec![], 2);
        mine.apply(&page, &proof, NOW).unwrap();
        let ahead = id(&mut mine, create(b"x"), later(2_000));
        let first = mine.unsent(usize::MAX, usize::MAX).unwrap().remove(0);
        id(&mut mine, note(On::Document(alone), b"more"), later(3_000));
        assert_eq!(mine.doctor().unwrap().faults, []);

        let cap_ms = u64::try_from(later(1_000).wall.0).unwrap();
        let no = Verdict::Quarantined { code: 9, text: "x".into(), retryable: true };
        let said = Ruling { cap_ms, ..ruling(&first, 0, vec![(2, no)]) };
        let behind =
            Ruling { first: said.first + u64::from(said.count), count: 1, ..ruling(&first, 0, vec![]) };
        let again = Ruling { version: 1, exceptions: vec![], ..said.clone() };
        for (at, news, refusals) in [(3, said, 1), (4, behind, 1), (5, again, 0)] {
            let (page, proof) = answer(&[], vec![], vec![news], at);
            for _ in 0..2 {
                mine.apply(&page, &proof, NOW).unwrap();
                assert_eq!(mine.doctor().unwrap().faults, [], "{at}");
            }
            assert_eq!(mine.quarantine().unwrap().len(), refusals);
            assert_eq!(mine.entry(ahead).unwrap().unwrap().updated.ms, cap_ms);
        }
        assert!(!mine.document(alone).unwrap().unwrap().provisional);
    }

    #[test]
    fn a_forged_segment_is_refused_whole() {
        let ((_a, mut mine), (_b, mut theirs)) = (home(), other());
        mine.save(vec![create(b"x")], NOW).unwrap();
        let mut forged = mine.unsent(usize::MAX, usize::MAX).unwrap().remove(0);
        forged.replica = Replica::HQ;
        let (page, proof) = answer(&[], vec![Item::Segment(forged)], vec![], 1);
        assert!(matches!(theirs.apply(&page, &proof, NOW), Err(StoreError::Foreign { .. })));
        assert_eq!(theirs.hello(NOW).unwrap().cursor, Cursor::default());
    }

    #[test]
    fn a_receipt_for_another_chain_moves_nothing() {
        let (_a, mut mine) = home();
        mine.save(vec![create(b"x")], NOW).unwrap();
        let mut segments = mine.unsent(usize::MAX, usize::MAX).unwrap();
        segments[0].link.0[0] ^= 1;
        let (page, proof) = answer(&segments, vec![], vec![], 1);
        let forked = mine.apply(&page, &proof, NOW).unwrap().forked;
        assert_eq!(forked, [segments[0].epoch]);
        assert_ne!(forked, [Epoch(0)]);
        assert_eq!(mine.counts().unwrap().unsent_ops, 1);
    }
}
