//! One change to the database in the making: new ops, the documents they touch, and what follows for the views.

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::ops::RangeInclusive;

use records::id::{DocId, Epoch, OpId, Replica};
use sync_protocol::merge::{Document, FoldError, Judged, Lines};
use sync_protocol::op::Row;
use sync_protocol::ruling::{Ruling, Verdict};
use sync_protocol::stamp::Stamp;

use crate::store::Store;
use crate::store::database::{Change, Tree};
use crate::store::entry::{Entry, doc_key};
use crate::store::error::{Part, StoreError};
use crate::store::ruled::ruling_key;
use crate::store::state::{LineInfo, STATE_KEY, State, left_key, line_key};
use crate::store::{files, index};

/// A change in the making. Nothing of it is true before [`Store::commit`].
#[derive(Debug)]
pub struct Work {
    /// The values that change.
    pub change: Change,
    /// The state as it will be.
    pub state: State,
    /// Lines as they will be.
    pub lines: BTreeMap<(Replica, Epoch), LineInfo>,
    /// Rulings that come with this change.
    rulings: Vec<Ruling>,
    docs: BTreeMap<DocId, Touched>,
}

/// A document that a new op or ruling touches.
#[derive(Debug)]
struct Touched {
    before: Option<Entry>,
    entry: Entry,
    ops: Vec<Judged>,
}

impl Store {
    /// Begins a change.
    #[must_use]
    pub fn work(&self) -> Work {
        Work {
            change: Change::default(),
            state: self.state.clone(),
            lines: BTreeMap::new(),
            rulings: Vec::new(),
            docs: BTreeMap::new(),
        }
    }

    /// Finishes the views and commits.
    ///
    /// # Errors
    /// Those of the database; nothing is then changed.
    pub fn commit(&mut self, mut work: Work) -> Result<(), StoreError> {
        work.finish(self)?;
        self.state = work.state;
        if work.change.removes(Tree::Log) {
            self.recent.clear();
        }
        self.ruled.forget(&work.rulings);
        self.lines.borrow_mut().append(&mut work.lines);
        self.gather(work.change)
    }
}

impl Work {
    /// Takes an op into its document. An op that is known already changes nothing.
    ///
    /// # Errors
    /// Those of reading the document.
    pub fn add(&mut self, store: &Store, op: Judged, local: Option<&[u8; 16]>) -> Result<(), StoreError> {
        let doc = op.row.document(op.id);
        let touched = self.touch(store, doc, op.row.kind)?;
        if !touched.entry.add(op.id) {
            return Ok(());
        }
        let key = doc_key(doc);
        let postings = index::postings(&store.keys, &op.row, local);
        let (id, stamp, named) = (op.id, op.row.stamp, files::named(&op.row));
        touched.ops.push(op);
        self.note_files(store, id, (doc, stamp), &named)?;
        for prefix in postings {
            self.change.put(Tree::Index, &index::posting(prefix, key), Vec::new());
        }
        Ok(())
    }

    /// Takes an op out of its document; a document that loses its last op goes.
    ///
    /// # Errors
    /// Those of reading the document.
    pub fn remove(
        &mut self,
        store: &Store,
        id: OpId,
        row: &Row,
        local: Option<&[u8; 16]>,
    ) -> Result<(), StoreError> {
        self.quarantine(store, id, None)?;
        let doc = row.document(id);
        let touched = self.touch(store, doc, row.kind)?;
        if !touched.entry.remove(id) {
            return Ok(());
        }
        touched.ops.retain(|op| op.id != id);
        let left: BTreeSet<Vec<u8>> =
            touched.ops.iter().flat_map(|op| index::postings(&store.keys, &op.row, None)).collect();
        for prefix in index::postings(&store.keys, row, local) {
            if !left.contains(&prefix) {
                self.change.remove(Tree::Index, &index::posting(prefix, doc_key(doc)));
            }
        }
        self.state.ops = self.state.ops.saturating_sub(1);
        Ok(())
    }

    /// Lets a ruling count in this change, and folds again what it changes.
    ///
    /// # Errors
    /// Those of reading the documents.
    pub fn rule(&mut self, store: &Store, ruling: &Ruling) -> Result<(), StoreError> {
        let line = (ruling.replica, ruling.epoch);
        let last = ruling.first.saturating_add(u64::from(ruling.count)).saturating_sub(1);
        let known = store.line(line)?;
        let bytes = postcard::to_allocvec(ruling).unwrap_or_default();
        if store.get(Tree::Rulings, &ruling_key(ruling))?.as_ref() == Some(&bytes) {
            // The acknowledgement said it, and now the feed says it again.
            return Ok(());
        }
        self.change.put(Tree::Rulings, &ruling_key(ruling), bytes);
        self.line(store, line)?.rule(ruling.first, last);
        self.rulings.push(ruling.clone());
        let seqs = ruling.first..=last;
        let unmoved = Self::unmoved(store, ruling, seqs.clone(), &known)?;
        for seq in seqs.filter(|seq| !unmoved.contains(seq)) {
            let id = OpId { replica: line.0, epoch: line.1, seq };
            let Some(run) = store.run_of(id)? else { continue };
            let Some(row) = run.row(seq) else { continue };
            self.quarantine(store, id, ruling.of(seq, row.stamp).as_ref())?;
            let Some(entry) = store.entry(row.document(id))? else {
                continue;
            };
            // Ops of one line fold alike with and without a plain acceptance.
            let plain = ruling
                .of(seq, row.stamp)
                .is_some_and(|judged| judged.verdict == Verdict::Accepted && judged.effective == row.stamp);
            if !plain || known.is_ruled(seq) || entry.ops.len() > 1 {
                self.touch(store, entry.id, entry.kind)?;
            }
        }
        Ok(())
    }

    /// Returns the own ops on which a ruling says for the first time that they were taken as they are, on documents
    /// that bear their names and have ops of one line: so much shows without a look into the log.
    fn unmoved(
        store: &Store,
        ruling: &Ruling,
        seqs: RangeInclusive<u64>,
        known: &LineInfo,
    ) -> Result<BTreeSet<u64>, StoreError> {
        let mut unmoved = BTreeSet::new();
        if ruling.replica != store.replica() {
            return Ok(unmoved);
        }
        for seq in seqs {
            if unmoved.contains(&seq) {
                continue;
            }
            let entry = store.entry(DocId(OpId { replica: ruling.replica, epoch: ruling.epoch, seq }))?;
            // Where the latest stamp is not beyond the cap, none is.
            let plain = entry.filter(|entry| {
                entry.ops.len() == 1 && entry.updated.effective(ruling.cap_ms) == entry.updated
            });
            unmoved.extend(plain.into_iter().flat_map(|entry| entry.ops.into_values().flatten()));
        }
        unmoved.retain(|seq| {
            let judged = ruling.of(*seq, Stamp::default());
            judged.is_some_and(|judged| judged.verdict == Verdict::Accepted) && !known.is_ruled(*seq)
        });
        Ok(unmoved)
    }

    /// Makes the view of a document anew from its ops, under the names that this build reads in them.
    ///
    /// # Errors
    /// Those of reading the document.
    pub fn view_again(&mut self, store: &Store, entry: &Entry) -> Result<(), StoreError> {
        let key = doc_key(entry.id);
        let numbers: Vec<String> = self
            .touch(store, entry.id, entry.kind)?
            .ops
            .iter()
            .filter_map(|op| index::number(&op.row))
            .collect();
        for number in numbers {
            let prefix = index::number_prefix(&store.keys, &number);
            self.change.put(Tree::Index, &index::posting(prefix, key), Vec::new());
        }
        Ok(())
    }

    /// Takes a document out of the views; the own ops on it stay in the log.
    ///
    /// # Errors
    /// Those of reading the document.
    pub fn forget(&mut self, store: &Store, doc: DocId) -> Result<Option<Entry>, StoreError> {
        let Some(entry) = store.entry(doc)? else {
            return Ok(None);
        };
        let key = doc_key(doc);
        self.docs.remove(&doc);
        self.change.remove(Tree::Docs, &key);
        if entry.whole {
            self.state.documents = self.state.documents.saturating_sub(1);
            self.change.remove(Tree::Index, &index::by_kind(&store.keys, entry.kind, entry.created, key));
        }
        if entry.conflicts > 0 {
            self.state.conflicts = self.state.conflicts.saturating_sub(u64::from(entry.conflicts));
            self.change.remove(Tree::Index, &index::posting(index::conflict_prefix(), key));
        }
        if let Some(document) = store.document(doc)? {
            for posting in index::marked(&store.keys, &document, store.zone()) {
                self.change.remove(Tree::Index, &posting);
            }
        }
        for op in store.read_ops(entry.op_ids())? {
            for prefix in index::postings(&store.keys, &op.row, None) {
                self.change.remove(Tree::Index, &index::posting(prefix, key));
            }
        }
        // Nobody sends the own ops again, should it come back.
        let own: Vec<OpId> = entry.op_ids().filter(|id| id.replica == store.replica()).collect();
        self.change.put(Tree::Meta, &left_key(&key), postcard::to_allocvec(&own).unwrap_or_default());
        Ok(Some(entry))
    }

    /// Takes a document that left and now comes back for whole again: the own ops on it that stayed in the log.
    ///
    /// # Errors
    /// Those of reading them.
    pub fn welcome(&mut self, store: &Store, doc: DocId) -> Result<(), StoreError> {
        let key = left_key(&doc_key(doc));
        let Some(own) = self.value(store, Tree::Meta, &key)? else {
            return Ok(());
        };
        self.change.remove(Tree::Meta, &key);
        let own: Vec<OpId> = postcard::from_bytes(&own).map_err(|_| store.damaged(Part::Database))?;
        for op in store.read_ops(own.into_iter())? {
            self.add(store, op, None)?;
        }
        Ok(())
    }

    /// Returns the ops of a document, those of this change included, in no order.
    ///
    /// # Errors
    /// Those of reading the document.
    pub fn ops(&mut self, store: &Store, doc: DocId) -> Result<&[Judged], StoreError> {
        self.touch(store, doc, 0).map(|touched| touched.ops.as_slice())
    }

    /// Returns a value as it will be.
    ///
    /// # Errors
    /// Those of the database.
    pub fn value(&self, store: &Store, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.change.known(tree, key) {
            Some(value) => Ok(value.map(<[u8]>::to_vec)),
            None => store.get(tree, key),
        }
    }

    /// Returns a line as it will be, to be changed.
    ///
    /// # Errors
    /// Those of the database.
    pub fn line(&mut self, store: &Store, line: (Replica, Epoch)) -> Result<&mut LineInfo, StoreError> {
        match self.lines.entry(line) {
            btree_map::Entry::Occupied(known) => Ok(known.into_mut()),
            btree_map::Entry::Vacant(new) => Ok(new.insert(store.line(line)?)),
        }
    }

    /// Strikes the earlier own epochs of which HQ signed for every op.
    ///
    /// # Errors
    /// Those of the database.
    pub fn drop_finished(&mut self, store: &Store) -> Result<(), StoreError> {
        let mut unfinished = Vec::new();
        for epoch in std::mem::take(&mut self.state.unfinished) {
            let info = self.line(store, (store.replica(), epoch))?;
            if info.end.is_some_and(|end| info.held < end.0) {
                unfinished.push(epoch);
            }
        }
        self.state.unfinished = unfinished;
        Ok(())
    }

    fn touch(&mut self, store: &Store, doc: DocId, kind: u16) -> Result<&mut Touched, StoreError> {
        let Self { docs, rulings, .. } = self;
        match docs.entry(doc) {
            btree_map::Entry::Occupied(known) => Ok(known.into_mut()),
            btree_map::Entry::Vacant(new) => {
                let before = store.entry(doc)?;
                let ops = before.as_ref().map(|entry| store.read_ops(entry.op_ids())).transpose()?;
                let mut ops = ops.unwrap_or_default();
                for op in &mut ops {
                    judge(op, rulings);
                }
                let entry = before.clone().unwrap_or_else(|| Entry::new(doc, kind));
                Ok(new.insert(Touched { before, entry, ops }))
            }
        }
    }

    fn finish(&mut self, store: &Store) -> Result<(), StoreError> {
        for (doc, touched) in std::mem::take(&mut self.docs) {
            self.finish_document(store, doc, touched)?;
        }
        for (line, info) in &self.lines {
            let bytes = postcard::to_allocvec(info).unwrap_or_default();
            self.change.put(Tree::Meta, &line_key(line.0, line.1), bytes);
        }
        let state = postcard::to_allocvec(&self.state).unwrap_or_default();
        self.change.put(Tree::Meta, STATE_KEY, state);
        Ok(())
    }

    fn finish_document(&mut self, store: &Store, doc: DocId, touched: Touched) -> Result<(), StoreError> {
        let Touched { before, mut entry, ops } = touched;
        let lines = self.lines_of(store, &ops)?;
        match sync_protocol::merge::fold(&ops, &lines) {
            Ok(document) => {
                // It stays under those that it bore before: whoever finds it there compares.
                for posting in index::marked(&store.keys, &document, store.zone()) {
                    self.change.put(Tree::Index, &posting, Vec::new());
                }
                summarise(&mut entry, &document);
            }
            Err(FoldError::NoCreation | FoldError::Mixed) => {
                entry = Entry { ops: entry.ops, ..Entry::new(doc, entry.kind) };
            }
        }
        let key = doc_key(doc);
        let was = before.as_ref().filter(|before| before.whole);
        if entry.whole && was.is_none() {
            self.state.documents += 1;
            let posting = index::by_kind(&store.keys, entry.kind, entry.created, key);
            self.change.put(Tree::Index, &posting, Vec::new());
        }
        if let Some(was) = was.filter(|_| !entry.whole) {
            self.state.documents = self.state.documents.saturating_sub(1);
            self.change.remove(Tree::Index, &index::by_kind(&store.keys, was.kind, was.created, key));
        }
        let conflicts = before.as_ref().map_or(0, |before| before.conflicts);
        if conflicts != entry.conflicts {
            self.state.conflicts =
                (self.state.conflicts + u64::from(entry.conflicts)).saturating_sub(u64::from(conflicts));
            let posting = index::posting(index::conflict_prefix(), key);
            if entry.conflicts > 0 {
                self.change.put(Tree::Index, &posting, Vec::new());
            } else {
                self.change.remove(Tree::Index, &posting);
            }
        }
        if entry.ops.is_empty() {
            self.change.remove(Tree::Docs, &key);
        } else if before.as_ref() != Some(&entry) {
            self.change.put(Tree::Docs, &key, postcard::to_allocvec(&entry).unwrap_or_default());
        }
        Ok(())
    }

    /// Returns where every line that these ops name hangs, up to its root.
    fn lines_of(&self, store: &Store, ops: &[Judged]) -> Result<Lines, StoreError> {
        store.lines_of(ops, &self.lines)
    }
}

/// Notes in the entry what the fold came to.
pub fn summarise(entry: &mut Entry, document: &Document) {
    entry.whole = true;
    entry.kind = document.kind;
    entry.state = document.state;
    entry.created = document.created;
    entry.updated = document.updated;
    entry.newer = document.newer;
    entry.conflicts = u32::try_from(document.conflicts().len()).unwrap_or(u32::MAX);
    entry.digest = document.digest();
}

/// Lets rulings count for an op; the highest version does.
fn judge(op: &mut Judged, rulings: &[Ruling]) {
    let (id, stamp) = (op.id, op.row.stamp);
    let of_line = rulings.iter().filter(|ruling| (ruling.replica, ruling.epoch) == (id.replica, id.epoch));
    let news = of_line.filter_map(|ruling| ruling.of(id.seq, stamp));
    op.judgement = op.judgement.take().into_iter().chain(news).max_by_key(|known| known.version);
}

/// Reads rows as ops without a ruling.
#[must_use]
pub fn unjudged(id: OpId, row: Row) -> Judged {
    Judged { id, row, judgement: None }
}
