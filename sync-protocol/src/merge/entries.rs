//! Groups that hold many rows: ledgers, which only grow, and sets.

use std::collections::{BTreeMap, BTreeSet};

use records::schema::Group;

use crate::merge::past::History;
use crate::merge::split::{self, Rows};
use crate::merge::{Entry, Known, Put};

/// Returns every entry ever made, in fold order; one that reverses another is an entry like the others.
pub(crate) fn ledger(history: &History<'_>, known: Option<Known>, run: &[Put<'_>]) -> Vec<Entry> {
    run.iter().flat_map(|put| rows(history, put, split_by(known, put, split::ledger).as_ref())).collect()
}

/// Returns the elements that stand: added, and not taken away by somebody who had seen that.
///
/// Of a keyed set the later of two concurrent additions stands, by effective time, then op id.
pub(crate) fn set(history: &History<'_>, known: Option<Known>, run: &[Put<'_>]) -> Vec<Entry> {
    let mut removed = BTreeSet::new();
    let mut added: Vec<(usize, Entry)> = Vec::new();
    for put in run {
        let change = split_by(known, put, split::set);
        let seen = |id| history.find(id).is_some_and(|add| history.covers(put.op, add));
        let gone = change.iter().flat_map(|change| change.removed.iter().copied());
        removed.extend(gone.filter(|(id, _)| seen(*id)));
        added.extend(rows(history, put, change.as_ref()).into_iter().map(|entry| (put.op, entry)));
    }
    let keyed = known.and_then(|known| Some((known.group, known.group.key?)));
    let key = |entry: &Entry| {
        let (group, at) = keyed.filter(|_| entry.schema.is_some())?;
        split::field(group, &entry.bytes, at).map(<[u8]>::to_vec)
    };
    let mut by_key: BTreeMap<Vec<u8>, Vec<(usize, Entry)>> = BTreeMap::new();
    let mut standing = Vec::new();
    let stays = |entry: &Entry| !removed.contains(&(entry.op, entry.index));
    for (op, entry) in added {
        if let Some(key) = key(&entry) {
            let heads = by_key.entry(key).or_default();
            heads.retain(|(head, _)| *head != op && !history.covers(op, *head));
            heads.push((op, entry));
        } else if stays(&entry) {
            standing.push(entry);
        }
    }
    let latest = |heads: Vec<(usize, Entry)>| {
        let heads = heads.into_iter().filter(|(_, entry)| stays(entry));
        heads.max_by_key(|(op, _)| (history.effective(*op), *op)).map(|(_, entry)| entry)
    };
    standing.extend(by_key.into_values().filter_map(latest));
    standing.sort_unstable_by_key(|entry| (entry.op, entry.index));
    standing
}

/// Splits a payload. Rows of a newer schema may be longer than this build knows, and then split into wrong ones:
/// they are not tried.
fn split_by<'a>(
    known: Option<Known>,
    put: &Put<'a>,
    split: impl Fn(&Group, u8, &'a [u8]) -> Option<Rows<'a>>,
) -> Option<Rows<'a>> {
    let Known { group, schema } = known?;
    if put.schema > schema { None } else { split(group, put.schema, put.bytes) }
}

/// What this build cannot read counts as one row.
fn rows(history: &History<'_>, put: &Put<'_>, rows: Option<&Rows<'_>>) -> Vec<Entry> {
    let op = history.id(put.op);
    let entry = |index, schema, bytes: &[u8]| Entry { op, index, schema, bytes: bytes.to_vec() };
    match rows {
        Some(rows) => (0..).zip(&rows.rows).map(|(index, row)| entry(index, Some(put.schema), row)).collect(),
        None => vec![entry(0, None, put.bytes)],
    }
}
