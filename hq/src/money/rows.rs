//! Typed rows on their way into an op, and documents on their way to the rules.

use records::id::{DocId, OpId};
use records::record::Record;
use records::schema::{Class, Typed};
use records::time::Ts;
use records::value::{Ref, Target, Text};
use sync_protocol::merge::Document;
use sync_protocol::op::Write;

use crate::intake::desk::Desk;
use crate::money::refusal::{MoneyError, Refusal};
use crate::reading;
use crate::store::StoreError;

/// Rows of one list in one op: an op holds 16 KiB.
pub const ROWS_MAX: usize = 64;

/// Returns the write that fills a register with the first of `rows`, or adds all of them to a list.
#[must_use]
pub fn put<G: Typed>(rows: &[G]) -> Write {
    let none: [(OpId, u32); 0] = [];
    // Serialising plain data into a growing vector has no way to fail.
    let bytes = match G::GROUP.class {
        Class::Ledger => postcard::to_allocvec(rows),
        Class::Set => postcard::to_allocvec(&(rows, none.as_slice())),
        Class::Once | Class::Last | Class::Contested | Class::Decision => {
            rows.first().map_or(Ok(Vec::new()), postcard::to_allocvec)
        }
    };
    Write { tag: G::GROUP.tag(), bytes: bytes.unwrap_or_default() }
}

/// Returns a text as a field takes it: cut to its longest, without blanks around it.
#[must_use]
pub fn text<const MAX: u16>(text: &str) -> Option<Text<MAX>> {
    let cut: String = text.trim().chars().take(MAX.into()).collect();
    (!cut.is_empty()).then_some(Text(cut))
}

/// Returns a reference to a document.
#[must_use]
pub const fn link<const KIND: u16>(doc: DocId) -> Option<Ref<KIND>> {
    Some(Ref(Target::Doc(doc)))
}

/// Returns the document that a reference points at; `None` for typed text.
#[must_use]
pub fn linked<const KIND: u16>(reference: Option<&Ref<KIND>>) -> Option<DocId> {
    match reference {
        Some(Ref(Target::Doc(doc))) => Some(*doc),
        Some(Ref(Target::Text(_))) | None => None,
    }
}

/// Returns an instant of HQ's clock.
#[must_use]
pub fn instant(now_ms: u64) -> Ts {
    Ts(i64::try_from(now_ms).unwrap_or(i64::MAX))
}

impl Desk {
    /// Returns a document that HQ holds.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn document(&mut self, id: DocId) -> Result<Option<Document>, StoreError> {
        let home = self.home(id.0.replica)?.unwrap_or(0);
        self.store.document(home, id)
    }

    /// Returns a document of a kind as the rules look at it.
    ///
    /// # Errors
    /// [`StoreError`]; `None` where HQ holds none.
    pub fn record(&mut self, id: DocId) -> Result<Option<Record>, StoreError> {
        Ok(self.document(id)?.as_ref().and_then(reading::record))
    }

    /// Returns the one document of a kind that a text names: an id, the beginning of a code, or a number.
    ///
    /// # Errors
    /// W-03 where there is none, W-04 where there are several.
    pub fn named_record(&mut self, kind: u16, name: &str) -> Result<Record, MoneyError> {
        let mut found: Vec<Record> = Vec::new();
        for id in self.store.find(name)? {
            let record = self.record(id)?.filter(|record| record.kind.number == kind);
            found.extend(record.filter(|record| found.iter().all(|other| other.id != record.id)));
        }
        match found.as_slice() {
            [_] => found.pop().ok_or_else(|| Refusal::by("H-01").with("text", name).into()),
            [] => Err(Refusal::by("H-01").with("text", name).into()),
            _ => {
                let codes: Vec<String> = found.iter().map(|record| record.id.code()).collect();
                Err(Refusal::by("H-02").with("text", name).with("codes", codes.join(", ")).into())
            }
        }
    }

    /// Returns the documents of a kind in one of some states, by branch and id; no states: all of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn records(&mut self, kind: u16, states: &[u8]) -> Result<Vec<Record>, StoreError> {
        let ids = self.store.in_state(kind, states)?;
        let mut records = Vec::with_capacity(ids.len());
        for id in ids {
            records.extend(self.record(id)?);
        }
        Ok(records)
    }
}
