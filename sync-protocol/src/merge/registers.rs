//! Groups that hold one value: Once, Last, Contested, and classes of a newer version.
//!
//! A group's writes come in fold order, the last one apart, so that there always is one.

use crate::merge::past::History;
use crate::merge::{Put, Register};

/// The first by effective time stands, whatever was written in knowledge of it; the others are shown.
pub(crate) fn once(history: &History<'_>, before: &[Put<'_>], last: &Put<'_>) -> Register {
    let all = || before.iter().chain([last]);
    let first_known = |put: &&Put<'_>| !all().any(|other| history.covers(put.op, other.op));
    let value =
        all().filter(first_known).min_by_key(|put| (history.effective(put.op), put.op)).unwrap_or(last);
    register(history, value, all())
}

/// Of what nobody replaced, the latest by effective time stands.
pub(crate) fn last(history: &History<'_>, before: &[Put<'_>], last: &Put<'_>) -> Register {
    let heads = heads(history, before, last);
    let value = heads.iter().copied().max_by_key(|put| (history.effective(put.op), put.op)).unwrap_or(last);
    register(history, value, heads.into_iter())
}

/// Nothing stands until a person chose; meanwhile the value of the document's author is shown, else the earliest.
pub(crate) fn contested(history: &History<'_>, before: &[Put<'_>], last: &Put<'_>) -> Register {
    let heads = heads(history, before, last);
    let owner = history.document().0.replica;
    let key = |put: &&Put<'_>| (history.id(put.op).replica != owner, history.effective(put.op), put.op);
    let value = heads.iter().copied().min_by_key(key).unwrap_or(last);
    register(history, value, heads.into_iter())
}

/// A class of a newer version: every write is kept, the last one in fold order in front.
pub(crate) fn kept(history: &History<'_>, before: &[Put<'_>], last: &Put<'_>) -> Register {
    let mut others: Vec<_> = before.iter().map(|put| put.written(history)).collect();
    others.sort_unstable_by_key(|written| written.op);
    Register { value: last.written(history), others }
}

/// Returns the writes that no other write knew of, in fold order.
fn heads<'a, 'b>(history: &History<'_>, before: &'a [Put<'b>], last: &'a Put<'b>) -> Vec<&'a Put<'b>> {
    let mut heads: Vec<&Put<'_>> = Vec::with_capacity(1);
    for put in before.iter().chain([last]) {
        heads.retain(|head| !history.covers(put.op, head.op));
        heads.push(put);
    }
    heads
}

fn register<'a, 'b: 'a>(
    history: &History<'_>,
    value: &Put<'_>,
    all: impl Iterator<Item = &'a Put<'b>>,
) -> Register {
    let others = all.filter(|put| put.bytes != value.bytes).map(|put| put.written(history));
    let mut others: Vec<_> = others.collect();
    others.sort_unstable_by_key(|written| written.op);
    Register { value: value.written(history), others }
}
