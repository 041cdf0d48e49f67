//! Groups that hold many rows: ledgers, which only grow, and sets.

use std::collections::{BTreeMap, BTreeSet};

use records::schema::Group;

use crate::merge::past::History;
use crate::merge::payload::{self, Rows};
use crate::merge::{Entry, Put};

/// Returns every entry ever made, in fold order; one that reverses another is an entry like the others.
pub(crate) fn ledger(history: &History<'_>, group: Option<&Group>, run: &[Put<'_>]) -> Vec<Entry> {
    let split = |bytes| group.and_then(|group| payload::ledger(group, bytes)).unwrap_or_else(|| whole(bytes));
    run.iter().flat_map(|put| rows(history, put, &split(put.bytes))).collect()
}

/// Returns the elements that stand: added, and not taken away by somebody who had seen that.
///
/// Of a keyed set the later of two concurrent additions stands, by effective time, then op id.
pub(crate) fn set(history: &History<'_>, group: Option<&Group>, run: &[Put<'_>]) -> Vec<Entry> {
    let split = |bytes| group.and_then(|group| payload::set(group, bytes)).unwrap_or_else(|| whole(bytes));
    let mut removed = BTreeSet::new();
    let mut added: Vec<(usize, Entry)> = Vec::new();
    for put in run {
        let change = split(put.bytes);
        let seen = |id| history.find(id).is_some_and(|add| history.covers(put.op, add));
        removed.extend(change.removed.iter().copied().filter(|(id, _)| seen(*id)));
        added.extend(rows(history, put, &change).into_iter().map(|entry| (put.op, entry)));
    }
    let keyed = group.and_then(|group| Some((group, group.key?)));
    let key = |entry: &Entry| {
        keyed.and_then(|(group, at)| payload::field(group, &entry.bytes, at)).map(<[u8]>::to_vec)
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

fn rows(history: &History<'_>, put: &Put<'_>, rows: &Rows<'_>) -> Vec<Entry> {
    let op = history.id(put.op);
    let entry = |(index, bytes): (u32, &&[u8])| Entry { op, index, bytes: bytes.to_vec() };
    (0..).zip(&rows.rows).map(entry).collect()
}

/// What this build cannot read counts as one row.
fn whole(bytes: &[u8]) -> Rows<'_> {
    Rows { rows: vec![bytes], removed: Vec::new() }
}
