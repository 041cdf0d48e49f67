//! Sixteen bytes that say what a document holds: for comparing two ends, and for proving what an approver saw.

use std::collections::BTreeMap;

use records::id::OpId;
use records::schema::Tag;

use crate::chain::sha256;
use crate::merge::{Document, Standing};

impl Document {
    /// Returns what two ends compare: the first 16 bytes of SHA-256 over what stands.
    ///
    /// The ops that it is made of, in the order of the fold; by group tag the winning op ids and their bytes as received,
    /// groups of newer versions included; then the standing decisions in fold order; then the values that lost, are open
    /// or came after the seal, by op id. What only one end can know (whether a verdict is still out) is not in it.
    ///
    /// Source: docs/PROTOCOL.md, Anti-entropy.
    #[must_use]
    pub fn digest(&self) -> [u8; 16] {
        let mut out = Bytes::new();
        out.op(self.id.0);
        out.number(self.kind.into());
        // One that left no trace, as a later one wrote over it, is missing all the same.
        out.number(u64::try_from(self.ops.len()).unwrap_or(u64::MAX));
        for op in &self.ops {
            out.op(*op);
        }
        for (tag, values) in self.winners() {
            out.group(tag, &values);
        }
        let standing =
            |standing| matches!(standing, Standing::Stands | Standing::Stale | Standing::Contested);
        let decisions = self.decisions.iter().filter(|ruled| standing(ruled.standing));
        for ruled in decisions {
            out.op(ruled.op);
        }
        let others = |(tag, register): (&Tag, &crate::merge::Register)| {
            let tag = *tag;
            register.others.clone().into_iter().map(move |written| (written.op, tag, written.bytes))
        };
        let late = self.late.iter().map(|(tag, written)| (written.op, *tag, written.bytes.clone()));
        let mut open: Vec<_> = self.registers.iter().flat_map(others).chain(late).collect();
        open.sort_unstable();
        for (op, tag, bytes) in open {
            out.group(tag, &[(op, 0, &bytes)]);
        }
        out.hash()
    }

    fn winners(&self) -> BTreeMap<Tag, Vec<Value<'_>>> {
        let mut all = BTreeMap::new();
        for (tag, register) in &self.registers {
            all.insert(*tag, vec![(register.value.op, 0, register.value.bytes.as_slice())]);
        }
        for (tag, entries) in self.ledgers.iter().chain(&self.sets) {
            let entries = entries.iter().map(|entry| (entry.op, entry.index, entry.bytes.as_slice()));
            all.insert(*tag, entries.collect());
        }
        all
    }

    /// Returns the values of the content groups, all heads where open.
    fn content(&self) -> Vec<(Tag, Vec<Value<'_>>)> {
        let groups = records::kinds::by_number(self.kind).map(|kind| kind.groups).unwrap_or_default();
        let mut winners = self.winners();
        let mut out = Vec::new();
        for group in groups.iter().filter(|group| group.content) {
            let Some(mut values) = winners.remove(&group.tag()) else {
                continue;
            };
            let others = self.registers.get(&group.tag()).map(|register| register.others.as_slice());
            values
                .extend(others.unwrap_or_default().iter().map(|other| (other.op, 0, other.bytes.as_slice())));
            values.sort_unstable();
            out.push((group.tag(), values));
        }
        out.sort_unstable_by_key(|(tag, _)| *tag);
        out
    }
}

/// Returns what a decision's author saw: the first 16 bytes of SHA-256 over the content groups' bytes as received,
/// by document, group and op id, of the document and those it lists as content.
///
/// Source: docs/PROTOCOL.md, Merge classes.
#[must_use]
pub fn content_digest(documents: &[&Document]) -> [u8; 16] {
    let mut documents = documents.to_vec();
    documents.sort_unstable_by_key(|document| document.id);
    documents.dedup_by_key(|document| document.id);
    let mut out = Bytes::new();
    for document in documents {
        out.op(document.id.0);
        for (tag, values) in document.content() {
            out.group(tag, &values);
        }
    }
    out.hash()
}

/// Whose write, its place there, and the bytes.
type Value<'a> = (OpId, u32, &'a [u8]);

/// What is hashed: every part has a fixed width or its length in front, numbers little-endian.
struct Bytes(Vec<u8>);

/// Room for what is hashed of a full sheet.
const ROOM_BYTES: usize = 2048;

impl Bytes {
    fn new() -> Self {
        Self(Vec::with_capacity(ROOM_BYTES))
    }

    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn op(&mut self, op: OpId) {
        self.0.extend_from_slice(&op.replica.0.to_le_bytes());
        self.0.extend_from_slice(&op.epoch.0.to_le_bytes());
        self.number(op.seq);
    }

    fn group(&mut self, tag: Tag, values: &[Value<'_>]) {
        self.0.extend_from_slice(&tag.0.to_le_bytes());
        self.number(u64::try_from(values.len()).unwrap_or(u64::MAX));
        for (op, index, bytes) in values {
            self.op(*op);
            self.0.extend_from_slice(&index.to_le_bytes());
            self.number(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            self.0.extend_from_slice(bytes);
        }
    }

    fn hash(&self) -> [u8; 16] {
        crate::digest::first_16(sha256(&[&self.0]))
    }
}
