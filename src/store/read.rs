//! Asking: documents, their ops, lists, names, counts.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use records::claim::traces::marks::Mark;
use records::id::{DocId, Epoch, OpId};
use records::time::Zone;
use sync_protocol::chain::Line;
use sync_protocol::merge::past::History;
use sync_protocol::merge::{Document, Judged, fold};

use crate::store::Store;
use crate::store::database::Tree;
use crate::store::entry::{DocKey, Entry, doc_key, doc_of_key};
use crate::store::error::{Part, StoreError};
use crate::store::index;
use crate::store::run::{Decoded, Run, RunKey};
use crate::store::state::{LineInfo, line_key, setting_key};

/// Documents that a text may name, at most.
const MATCHES_MAX: usize = 16;

/// How much is here and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Ops held, own and others'.
    pub ops: u64,
    /// Documents.
    pub documents: u64,
    /// Own ops that HQ did not sign for.
    pub unsent_ops: u64,
    /// When the oldest of them was saved, milliseconds UTC by the device's clock.
    pub oldest_unsent_ms: Option<u64>,
    /// Open conflicts.
    pub conflicts: u64,
    /// Own ops in quarantine, and ops that need a newer version.
    pub quarantined: u64,
}

/// An own epoch with ops that HQ did not sign for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Unheld {
    /// The epoch.
    pub(in crate::store) epoch: Epoch,
    /// HQ signed up to here.
    pub(in crate::store) held: u64,
    /// The last op.
    pub(in crate::store) last: u64,
}

impl Store {
    /// Returns a document as all its ops make it; `None` where it is not here.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn document(&self, id: DocId) -> Result<Option<Document>, StoreError> {
        match self.entry(id)? {
            Some(entry) if entry.whole => self.folded(&entry).map(Some),
            _ => Ok(None),
        }
    }

    /// Returns the document in short; also of one whose creation is not here yet.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn entry(&self, id: DocId) -> Result<Option<Entry>, StoreError> {
        self.entry_at(doc_key(id))
    }

    /// Returns the ops of a document in the order in which they count; empty where it is not here.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn ops(&self, id: DocId) -> Result<Vec<Judged>, StoreError> {
        let Some(entry) = self.entry(id)? else {
            return Ok(Vec::new());
        };
        let mut ops = self.read_ops(entry.op_ids())?;
        if entry.whole {
            let document = self.folded(&entry)?;
            ops.sort_by_key(|op| document.ops.iter().position(|id| *id == op.id));
        }
        Ok(ops)
    }

    /// Returns a document as the author of one of its ops saw it, and the ops that he had not seen then, himself left
    /// out; `None` where the op is not here, or he had seen nothing.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn as_seen_by(&self, id: DocId, op: OpId) -> Result<Option<(Document, BTreeSet<OpId>)>, StoreError> {
        let ops = self.ops(id)?;
        let lines = self.lines_of(&ops, &BTreeMap::new())?;
        let Ok(history) = History::of(&ops, &lines) else {
            return Ok(None);
        };
        let Some(this) = history.find(op) else {
            return Ok(None);
        };
        let seen = |other: &Judged| history.find(other.id).is_some_and(|other| history.covers(this, other));
        let unseen =
            ops.iter().filter(|other| other.id != op && !seen(other)).map(|other| other.id).collect();
        let past: Vec<Judged> = ops.iter().filter(|other| seen(other)).cloned().collect();
        Ok(fold(&past, &lines).ok().map(|document| (document, unseen)))
    }

    /// Returns the document that an import made of that key.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn imported(&self, key: &[u8; 16]) -> Result<Option<DocId>, StoreError> {
        let found = self.postings(&index::import_prefix(&self.keys, key), 1)?;
        Ok(found.first().map(|doc| doc_of_key(*doc)))
    }

    /// Returns the documents that were made here under an import key, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn all_imported(&self, key: &[u8; 16], limit: usize) -> Result<Vec<DocId>, StoreError> {
        let found = self.postings(&index::import_prefix(&self.keys, key), limit)?;
        Ok(found.into_iter().map(doc_of_key).collect())
    }

    /// Returns the documents listed under a mark; some may bear it no more.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn marked(&self, mark: &Mark) -> Result<Vec<DocId>, StoreError> {
        let found = self.postings(&index::mark_prefix(&self.keys, mark), usize::MAX)?;
        Ok(found.into_iter().map(doc_of_key).collect())
    }

    /// Returns where the days of this device begin.
    #[must_use]
    pub fn zone(&self) -> Zone {
        self.identity().enrolment.zone
    }

    /// Returns how far this home has read the feeds.
    #[must_use]
    pub fn cursor(&self) -> &sync_protocol::cursor::Cursor {
        &self.state.cursor
    }

    /// Walks the documents of a kind, newest first; of all kinds, kind by kind, for `None`. One is in memory at a time.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn each(
        &self,
        kind: Option<u16>,
        f: &mut dyn FnMut(Document) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.each_entry(kind, &mut |entry| Ok(f(self.folded(&entry)?)))
    }

    /// Walks the documents in short, in the order of [`Store::each`].
    ///
    /// # Errors
    /// [`StoreError::Damaged`], and whatever `f` returns.
    pub fn each_entry(
        &self,
        kind: Option<u16>,
        f: &mut dyn FnMut(Entry) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let prefix = index::kind_prefix(&self.keys, kind);
        self.keys_from(Tree::Index, &prefix, &mut |key| {
            if !key.starts_with(&prefix) {
                return Ok(false);
            }
            let entry = index::doc_of(key).map(|doc| self.entry_at(doc)).transpose()?.flatten();
            Ok(f(entry.ok_or_else(|| self.damaged(Part::Views))?)?.is_continue())
        })
    }

    /// Returns the documents that a text names: an id, the beginning of a code, or a number; at most 16.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn resolve(&self, text: &str) -> Result<Vec<DocId>, StoreError> {
        let text = text.trim();
        let mut ids = match text.parse::<DocId>() {
            Ok(id) => self.entry(id)?.map(|entry| entry.id).into_iter().collect(),
            Err(_) => self.numbered(text)?,
        };
        if ids.is_empty() {
            ids = self.coded(text, None)?;
        }
        // Printed before it was written again. Who has that name now comes first, and says that there is another.
        if ids.is_empty() { self.aliased(text) } else { Ok(ids) }
    }

    /// Returns the documents that had this id or code before they were written again; at most 16.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn aliased(&self, text: &str) -> Result<Vec<DocId>, StoreError> {
        let found = self.postings(&index::alias_prefix(&self.keys, text), MATCHES_MAX)?;
        Ok(found.into_iter().map(doc_of_key).collect())
    }

    /// Returns the documents with that number; at most 16.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn numbered(&self, text: &str) -> Result<Vec<DocId>, StoreError> {
        let mut ids = Vec::new();
        for doc in self.postings(&index::number_prefix(&self.keys, text), MATCHES_MAX)? {
            ids.extend(self.entry_at(doc)?.map(|entry| entry.id));
        }
        Ok(ids)
    }

    /// Returns the name that a document had before it was written again; `None` where it was not.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn earlier_name(&self, id: DocId) -> Result<Option<DocId>, StoreError> {
        let run = self.run_of(id.0)?;
        Ok(run.and_then(|run| run.row(id.0.seq)?.forked_from).map(DocId))
    }

    /// Returns the documents that share a name with this one: it had theirs before it was written again, or they its own.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn written_twice(&self, id: DocId) -> Result<Vec<DocId>, StoreError> {
        let mut twice = self.aliased(&id.to_string())?;
        if let Some(earlier) = self.earlier_name(id)?
            && self.entry(earlier)?.is_some()
        {
            twice.push(earlier);
        }
        Ok(twice)
    }

    /// Returns how much is here and how it stands, without a scan.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn counts(&self) -> Result<Counts, StoreError> {
        let mut counts = Counts {
            ops: self.state.ops,
            documents: self.state.documents,
            conflicts: self.state.conflicts,
            quarantined: self.state.quarantined,
            ..Counts::default()
        };
        for Unheld { epoch, held, last } in self.unheld()? {
            counts.unsent_ops += last - held;
            if counts.oldest_unsent_ms.is_none() {
                let id = OpId { replica: self.replica(), epoch, seq: held + 1 };
                counts.oldest_unsent_ms = Some(self.read_op(id)?.row.stamp.ms);
            }
        }
        Ok(counts)
    }

    /// Walks the documents with an open conflict, in no order.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn each_conflict(&self, f: &mut dyn FnMut(Document)) -> Result<(), StoreError> {
        for doc in self.postings(&index::conflict_prefix(), usize::MAX)? {
            if let Some(entry) = self.entry_at(doc)? {
                f(self.folded(&entry)?);
            }
        }
        Ok(())
    }

    /// Returns the own lines with ops that HQ did not sign for, each with the last seq for which it did.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn unsigned(&self) -> Result<Vec<(sync_protocol::chain::Line, u64)>, StoreError> {
        let unheld = self.unheld()?.into_iter();
        Ok(unheld.map(|unheld| ((self.replica(), unheld.epoch), unheld.held)).collect())
    }

    /// Returns the own epochs with ops that HQ did not sign for, oldest first.
    pub(in crate::store) fn unheld(&self) -> Result<Vec<Unheld>, StoreError> {
        let mut out = Vec::new();
        for epoch in &self.state.unfinished {
            let info = self.line((self.replica(), *epoch))?;
            out.push(Unheld { epoch: *epoch, held: info.held, last: info.end.map_or(0, |end| end.0) });
        }
        if let Some(own) = self.state.own {
            let held = self.line((self.replica(), own.epoch))?.held;
            out.push(Unheld { epoch: own.epoch, held, last: own.seq });
        }
        out.retain(|unheld| unheld.held < unheld.last);
        Ok(out)
    }

    /// Returns the hash over all documents, as HQ computes it for what this device may see.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    ///
    /// Source: docs/PROTOCOL.md, Anti-entropy.
    pub fn digest(&self) -> Result<[u8; 16], StoreError> {
        Ok(sync_protocol::digest::root(self.digests()?))
    }

    /// Returns whether HQ has ruled on every op of a document.
    pub(in crate::store) fn all_ruled(&self, entry: &Entry) -> Result<bool, StoreError> {
        for (line, seqs) in &entry.ops {
            let info = self.line(*line)?;
            if !seqs.iter().all(|seq| info.is_ruled(*seq)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns a setting.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(Tree::Meta, &setting_key(name))
    }

    /// Returns what is known of a line.
    pub(in crate::store) fn line(&self, line: Line) -> Result<LineInfo, StoreError> {
        if let Some(info) = self.lines.borrow().get(&line) {
            return Ok(info.clone());
        }
        let bytes = self.get(Tree::Meta, &line_key(line.0, line.1))?;
        let info: LineInfo = match bytes {
            Some(bytes) => postcard::from_bytes(&bytes).map_err(|_| self.damaged(Part::Database))?,
            None => LineInfo::default(),
        };
        self.remember(line, info.clone());
        Ok(info)
    }

    pub(in crate::store) fn entry_at(&self, key: DocKey) -> Result<Option<Entry>, StoreError> {
        let Some(bytes) = self.get(Tree::Docs, &key)? else {
            return Ok(None);
        };
        postcard::from_bytes(&bytes).map(Some).map_err(|_| self.damaged(Part::Views))
    }

    pub(in crate::store) fn folded(&self, entry: &Entry) -> Result<Document, StoreError> {
        let ops = self.read_ops(entry.op_ids())?;
        let lines = self.lines_of(&ops, &BTreeMap::new())?;
        fold(&ops, &lines).map_err(|_| self.damaged(Part::Views))
    }

    pub(in crate::store) fn read_ops(
        &self,
        ids: impl Iterator<Item = OpId>,
    ) -> Result<Vec<Judged>, StoreError> {
        ids.map(|id| self.read_op(id)).collect()
    }

    pub(in crate::store) fn read_op(&self, id: OpId) -> Result<Judged, StoreError> {
        let run = self.run_of(id)?.ok_or_else(|| self.damaged(Part::Log))?;
        let row = run.row(id.seq).cloned().ok_or_else(|| self.damaged(Part::Log))?;
        let judgement = self.judgement(id, row.stamp)?;
        Ok(Judged { id, row, judgement })
    }

    /// Returns the run that holds an op; `None` where the op is not here.
    pub(in crate::store) fn run_of(&self, id: OpId) -> Result<Option<Arc<Decoded>>, StoreError> {
        if let Some(run) = self.recent.find(id) {
            return Ok(Some(run));
        }
        let line = (id.replica, id.epoch);
        let from = RunKey { line, last: id.seq, first: 0 }.to_bytes();
        let mut found = None;
        self.keys_from(Tree::Log, &from, &mut |bytes| {
            let key = RunKey::from_bytes(bytes).filter(|key| key.line == line);
            let Some(key) = key else { return Ok(false) };
            if key.first <= id.seq {
                let run = self.run(key)?;
                if run.row(id.seq).is_some() {
                    found = Some((key, run));
                }
            }
            Ok(found.is_none())
        })?;
        Ok(found.map(|(key, run)| {
            self.recent.keep(key, Arc::clone(&run));
            run
        }))
    }

    pub(in crate::store) fn run(&self, key: RunKey) -> Result<Arc<Decoded>, StoreError> {
        let bytes = self.get(Tree::Log, &key.to_bytes())?;
        let run = bytes.and_then(|bytes| Run::decode(&bytes, key));
        run.map(Arc::new).ok_or_else(|| self.damaged(Part::Log))
    }

    pub(in crate::store) fn damaged(&self, part: Part) -> StoreError {
        StoreError::damaged(part, &self.home)
    }

    fn postings(&self, prefix: &[u8], max: usize) -> Result<Vec<DocKey>, StoreError> {
        let mut docs = Vec::new();
        self.keys_from(Tree::Index, prefix, &mut |key| {
            if !key.starts_with(prefix) || docs.len() >= max {
                return Ok(false);
            }
            docs.extend(index::doc_of(key));
            Ok(true)
        })?;
        Ok(docs)
    }

    /// Returns the documents of a kind, of all kinds for `None`, whose code begins with the text; at most 16.
    ///
    /// No index leads from a code: every document of the kind is looked at.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn coded(&self, text: &str, kind: Option<u16>) -> Result<Vec<DocId>, StoreError> {
        let text = text.to_ascii_uppercase();
        let is_code =
            !text.is_empty() && text.len() <= 8 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let mut ids = Vec::new();
        if !is_code {
            return Ok(ids);
        }
        let prefix = index::kind_prefix(&self.keys, kind);
        self.keys_from(Tree::Index, &prefix, &mut |key| {
            if !key.starts_with(&prefix) {
                return Ok(false);
            }
            let id = index::doc_of(key).map(doc_of_key).filter(|id| id.code().starts_with(&text));
            ids.extend(id);
            Ok(ids.len() < MATCHES_MAX)
        })?;
        Ok(ids)
    }
}
