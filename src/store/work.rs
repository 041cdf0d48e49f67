//! One change to the database in the making: new ops, the documents they touch, and what follows for the views.

use std::collections::{BTreeMap, BTreeSet};

use records::id::{DocId, Epoch, OpId, Replica};
use sync_protocol::merge::{Document, FoldError, Judged, Lines};
use sync_protocol::op::Row;

use crate::store::Store;
use crate::store::database::{Change, Tree};
use crate::store::entry::{Entry, doc_key};
use crate::store::error::{Part, StoreError};
use crate::store::index;
use crate::store::state::{LineInfo, STATE_KEY, State, line_key};

/// A change in the making. Nothing of it is true before [`Store::commit`].
#[derive(Debug)]
pub struct Work {
    /// The values that change.
    pub change: Change,
    /// The state as it will be.
    pub state: State,
    /// Lines as they will be.
    pub lines: BTreeMap<(Replica, Epoch), LineInfo>,
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
            docs: BTreeMap::new(),
        }
    }

    /// Finishes the views and commits.
    ///
    /// # Errors
    /// Those of the database; nothing is then changed.
    pub fn commit(&mut self, mut work: Work) -> Result<(), StoreError> {
        work.finish(self)?;
        self.database.commit(&self.keys, &work.change)?;
        self.state = work.state;
        self.recent.clear();
        let mut lines = self.lines.borrow_mut();
        lines.append(&mut work.lines);
        Ok(())
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
        let number = index::number(&op.row);
        touched.ops.push(op);
        self.state.ops += 1;
        if let Some(number) = number {
            let prefix = index::number_prefix(&store.keys, &number);
            self.change
                .put(Tree::Index, &index::posting(prefix, key), Vec::new());
        }
        if let Some(local) = local {
            let prefix = index::import_prefix(&store.keys, local);
            self.change
                .put(Tree::Index, &index::posting(prefix, key), Vec::new());
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

    /// Returns a line as it will be, to be changed.
    ///
    /// # Errors
    /// Those of the database.
    pub fn line(&mut self, store: &Store, line: (Replica, Epoch)) -> Result<&mut LineInfo, StoreError> {
        if !self.lines.contains_key(&line) {
            let info = store.line(line)?;
            self.lines.insert(line, info);
        }
        Ok(self.lines.entry(line).or_default())
    }

    fn touch(&mut self, store: &Store, doc: DocId, kind: u16) -> Result<&mut Touched, StoreError> {
        if !self.docs.contains_key(&doc) {
            let before = store.entry(doc)?;
            let ops = match &before {
                Some(entry) => store.read_ops(entry.op_ids())?,
                None => Vec::new(),
            };
            let entry = before.clone().unwrap_or_else(|| Entry::new(doc, kind));
            self.docs.insert(doc, Touched { before, entry, ops });
        }
        self.docs
            .get_mut(&doc)
            .ok_or_else(|| StoreError::damaged(Part::Views, &store.home))
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
        let Touched {
            before,
            mut entry,
            ops,
        } = touched;
        let lines = self.lines_of(store, &ops)?;
        match sync_protocol::merge::fold(&ops, &lines) {
            Ok(document) => summarise(&mut entry, &document),
            Err(FoldError::NoCreation | FoldError::Mixed) => entry.whole = false,
        }
        let key = doc_key(doc);
        if entry.whole && before.as_ref().is_none_or(|before| !before.whole) {
            self.state.documents += 1;
            let posting = index::by_kind(&store.keys, entry.kind, entry.created, key);
            self.change.put(Tree::Index, &posting, Vec::new());
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
        if before.as_ref() != Some(&entry) {
            self.change.put(
                Tree::Docs,
                &key,
                postcard::to_allocvec(&entry).unwrap_or_default(),
            );
        }
        Ok(())
    }

    /// Returns where every line that these ops name hangs, up to its root.
    fn lines_of(&self, store: &Store, ops: &[Judged]) -> Result<Lines, StoreError> {
        store.lines_of(ops, &self.lines)
    }
}

impl Store {
    /// Returns where every line that these ops name hangs, up to its root; `changed` lines count first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn lines_of(
        &self,
        ops: &[Judged],
        changed: &BTreeMap<(Replica, Epoch), LineInfo>,
    ) -> Result<Lines, StoreError> {
        let named = |id: &OpId| (id.replica, id.epoch);
        let mut todo: BTreeSet<_> = ops
            .iter()
            .flat_map(|op| op.row.seen.iter().chain([&op.id]).map(named))
            .collect();
        let mut lines = Lines::new();
        while let Some(line) = todo.pop_first() {
            let parent = match changed.get(&line) {
                Some(info) => info.parent,
                None => self.line(line)?.parent,
            };
            if let Some(parent) = parent
                && lines.insert(line, (parent.epoch, parent.seq)).is_none()
            {
                todo.insert((line.0, parent.epoch));
            }
        }
        Ok(lines)
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
}

/// Reads rows as ops without a ruling.
#[must_use]
pub fn unjudged(id: OpId, row: Row) -> Judged {
    Judged {
        id,
        row,
        judgement: None,
    }
}
