//! Postings: keys without values that lead from a kind, a number or an import key to documents.
//!
//! What they are made of cannot be read from them: words are passed through a keyed hash, times are shifted.

use records::claim::traces::marks::{self, Mark};
use records::id::{DocId, Epoch, OpId, Replica};
use records::time::Zone;
use records::value::Value;
use sync_protocol::merge::Document;
use sync_protocol::op::Row;
use sync_protocol::stamp::Stamp;

use crate::keys::Keys;
use crate::store::entry::{DocKey, doc_key};

const BY_KIND: u8 = b'k';
const BY_NUMBER: u8 = b'n';
const BY_IMPORT: u8 = b'i';
const BY_ALIAS: u8 = b'a';
const QUARANTINE: u8 = b'q';
const CONFLICT: u8 = b'c';
const BY_MARK: u8 = b'm';

/// Returns what all postings of a kind begin with; of every kind for `None`.
#[must_use]
pub fn kind_prefix(keys: &Keys, kind: Option<u16>) -> Vec<u8> {
    let Some(kind) = kind else { return vec![BY_KIND] };
    let [a, b, c, ..] = keys.opaque(&[b"kind", &kind.to_be_bytes()[..]].concat());
    vec![BY_KIND, a, b, c]
}

/// Returns the posting of a document under its kind, newest first.
#[must_use]
pub fn by_kind(keys: &Keys, kind: u16, created: Stamp, doc: DocKey) -> Vec<u8> {
    let mut key = kind_prefix(keys, Some(kind));
    // Shifted by a secret below 2^46: the order stays, the day does not show.
    let [a, b, c, d, e, f, ..] = keys.opaque(b"time");
    let shift = u64::from_be_bytes([0, 0, a & 0x3f, b, c, d, e, f]);
    let [_, ms @ ..] = (!created.ms.saturating_add(shift)).to_be_bytes();
    key.extend_from_slice(&ms);
    key.extend_from_slice(&(!created.counter).to_be_bytes());
    key.extend_from_slice(&doc);
    key
}

/// Returns what the postings of a number begin with; case and outer blanks do not count.
#[must_use]
pub fn number_prefix(keys: &Keys, text: &str) -> Vec<u8> {
    let text = text.trim().to_lowercase();
    let mut key = vec![BY_NUMBER];
    key.extend_from_slice(&keys.opaque(&[b"number", text.as_bytes()].concat()));
    key
}

/// Returns what the posting of an import key begins with.
#[must_use]
pub fn import_prefix(keys: &Keys, local: &[u8; 16]) -> Vec<u8> {
    let mut key = vec![BY_IMPORT];
    key.extend_from_slice(&keys.opaque(&[&b"import"[..], local].concat()));
    key
}

/// Returns what the postings of an earlier name begin with: an id or a code that a document had before it was
/// written again.
#[must_use]
pub fn alias_prefix(keys: &Keys, text: &str) -> Vec<u8> {
    let text = text.trim().to_lowercase();
    let mut key = vec![BY_ALIAS];
    key.extend_from_slice(&keys.opaque(&[b"alias", text.as_bytes()].concat()));
    key
}

/// Returns what the postings of a mark begin with, by which the rules on anomalies find a record.
#[must_use]
pub fn mark_prefix(keys: &Keys, mark: &Mark) -> Vec<u8> {
    let mut key = vec![BY_MARK];
    key.extend_from_slice(&keys.opaque(&[&b"mark"[..], &mark.to_bytes()].concat()));
    key
}

/// Returns the postings of a folded document under its marks.
#[must_use]
pub fn marked(keys: &Keys, document: &Document, zone: Zone) -> Vec<Vec<u8>> {
    let kind = records::kinds::by_number(document.kind).filter(|kind| marks::has(kind.number));
    let marks = kind.map(|kind| marks::of(&document.record(kind), zone)).unwrap_or_default();
    marks.iter().map(|mark| posting(mark_prefix(keys, mark), doc_key(document.id))).collect()
}

/// Returns what the postings that an op makes for its document begin with; `local` is its import key.
#[must_use]
pub fn postings(keys: &Keys, row: &Row, local: Option<&[u8; 16]>) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    all.extend(number(row).map(|number| number_prefix(keys, &number)));
    all.extend(local.map(|local| import_prefix(keys, local)));
    if let (None, Some(old)) = (row.doc, row.forked_from.map(DocId)) {
        all.extend([alias_prefix(keys, &old.to_string()), alias_prefix(keys, &old.code())]);
    }
    all
}

/// What the posting of an op says that this build cannot read; that of a refused one is empty.
pub const UNREAD: &[u8] = &[1];

/// Returns what the postings of quarantined ops begin with.
#[must_use]
pub fn quarantine_prefix() -> Vec<u8> {
    vec![QUARANTINE]
}

/// Returns the posting of a quarantined op.
#[must_use]
pub fn quarantined(op: OpId) -> Vec<u8> {
    let mut key = vec![QUARANTINE];
    key.extend_from_slice(&op.replica.0.to_be_bytes());
    key.extend_from_slice(&op.epoch.0.to_be_bytes());
    key.extend_from_slice(&op.seq.to_be_bytes());
    key
}

/// Returns the op at the end of a quarantined op's posting.
#[must_use]
pub fn op_of(rest: &[u8]) -> Option<OpId> {
    let (replica, rest) = rest.split_first_chunk::<4>()?;
    let (epoch, rest) = rest.split_first_chunk::<4>()?;
    let seq = u64::from_be_bytes(rest.try_into().ok()?);
    let (replica, epoch) = (Replica(u32::from_be_bytes(*replica)), Epoch(u32::from_be_bytes(*epoch)));
    Some(OpId { replica, epoch, seq })
}

/// Returns what the postings of documents with an open conflict begin with.
#[must_use]
pub fn conflict_prefix() -> Vec<u8> {
    vec![CONFLICT]
}

/// Returns the posting of a document, under any prefix.
#[must_use]
pub fn posting(mut prefix: Vec<u8>, doc: DocKey) -> Vec<u8> {
    prefix.extend_from_slice(&doc);
    prefix
}

/// Returns the document at the end of a posting.
#[must_use]
pub fn doc_of(posting: &[u8]) -> Option<DocKey> {
    posting.last_chunk::<16>().copied()
}

/// Returns the name by which people call the document, where the op gives it one.
///
/// A name once given stays one: printed papers carry it.
#[must_use]
pub fn number(row: &Row) -> Option<String> {
    let (group, at) = records::kinds::by_number(row.kind).and_then(|kind| kind.field(kind.key?))?;
    let (values, _) = records::value::payload::row_at(group, row.schema, row.write(group.tag())?).ok()?;
    let text = match values.into_iter().nth(at)?? {
        Value::Text(text) => text,
        Value::Int(int) => int.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.trim().is_empty())
}
