//! Pairs of keys and values packed by neighbourhood: many small ones would each cost sled more than they hold.
//!
//! A block holds the pairs up to its bound, sorted; the last one has none. What neighbours have in common is said once:
//! the beginning of their keys, and of the document ids at their ends.
//!
//! Source: docs/STORAGE.md, Blocks.

use serde::{Deserialize, Serialize};

/// Plain bytes of a block: a change writes the whole of it anew, a smaller one pays more for its seal and its key.
const BLOCK_BYTES: usize = 1024;
/// Bytes at a key's end that repeat apart from its beginning: a document's id.
const TAIL_BYTES: usize = 16;
/// Bytes of a pair beside what it holds: five lengths.
const PAIR_BYTES: usize = 5;
const BOUNDED: u8 = 0;
const LAST: u8 = 1;

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// One pair as it is written behind another.
#[derive(Serialize, Deserialize)]
struct Coded<'a> {
    head_shared: u8,
    #[serde(with = "serde_bytes")]
    head: &'a [u8],
    tail_shared: u8,
    #[serde(with = "serde_bytes")]
    tail: &'a [u8],
    #[serde(with = "serde_bytes")]
    value: &'a [u8],
}

/// Returns the name of the block with that bound, the greatest key that it may hold.
#[must_use]
pub fn bounded(key: &[u8]) -> Vec<u8> {
    [&[BOUNDED][..], key].concat()
}

/// Returns the name of the block without a bound.
#[must_use]
pub fn last() -> Vec<u8> {
    vec![LAST]
}

/// Returns whether the block of that name is the one for `key`, or comes behind it.
#[must_use]
pub fn reaches(name: &[u8], key: &[u8]) -> bool {
    match name.split_first() {
        Some((&BOUNDED, bound)) => bound >= key,
        _ => true,
    }
}

/// Returns the bytes of a block.
#[must_use]
pub fn encode(pairs: &[Pair]) -> Vec<u8> {
    let mut out = Vec::with_capacity(BLOCK_BYTES);
    let mut before = (&[][..], &[][..]);
    for (key, value) in pairs {
        let (head, tail) = split(key);
        let (same_head, same_tail) = (shared(before.0, head), shared(before.1, tail));
        let coded = Coded {
            head_shared: same_head,
            head: head.get(usize::from(same_head)..).unwrap_or_default(),
            tail_shared: same_tail,
            tail: tail.get(usize::from(same_tail)..).unwrap_or_default(),
            value,
        };
        out.extend_from_slice(&postcard::to_allocvec(&coded).unwrap_or_default());
        before = (head, tail);
    }
    out
}

/// Reads a block's bytes; `None` where they are none.
#[must_use]
pub fn decode(mut bytes: &[u8]) -> Option<Vec<Pair>> {
    let mut pairs: Vec<Pair> = Vec::new();
    while !bytes.is_empty() {
        let (coded, rest) = postcard::take_from_bytes::<Coded<'_>>(bytes).ok()?;
        let before = pairs.last().map_or(&[][..], |(key, _)| key);
        let (head, tail) = split(before);
        let parts = [
            head.get(..usize::from(coded.head_shared))?,
            coded.head,
            tail.get(..usize::from(coded.tail_shared))?,
            coded.tail,
        ];
        let key = parts.concat();
        if pairs.last().is_some_and(|(before, _)| *before >= key) {
            return None;
        }
        pairs.push((key, coded.value.to_vec()));
        bytes = rest;
    }
    Some(pairs)
}

/// Puts a value, or takes one out.
pub fn set(pairs: &mut Vec<Pair>, key: &[u8], value: Option<&[u8]>) {
    match (pairs.binary_search_by(|(known, _)| known.as_slice().cmp(key)), value) {
        (Ok(at), Some(value)) => pairs.get_mut(at).into_iter().for_each(|pair| pair.1 = value.to_vec()),
        (Ok(at), None) => drop(pairs.remove(at)),
        (Err(at), Some(value)) => pairs.insert(at, (key.to_vec(), value.to_vec())),
        (Err(_), None) => {}
    }
}

/// Returns the value of a key.
#[must_use]
pub fn get<'a>(pairs: &'a [Pair], key: &[u8]) -> Option<&'a [u8]> {
    let at = pairs.binary_search_by(|(known, _)| known.as_slice().cmp(key)).ok()?;
    pairs.get(at).map(|(_, value)| value.as_slice())
}

/// Cuts pairs into blocks that are about equally full; none comes out of none.
#[must_use]
pub fn cut(pairs: &[Pair]) -> Vec<&[Pair]> {
    let bytes = encode(pairs).len();
    let each = bytes.div_ceil(bytes.div_ceil(BLOCK_BYTES).max(1));
    let mut out = Vec::new();
    let (mut start, mut taken) = (0, 0);
    let mut before: &[u8] = &[];
    for (at, (key, value)) in pairs.iter().enumerate() {
        let ((head_before, tail_before), (head, tail)) = (split(before), split(key));
        let same = usize::from(shared(head_before, head)) + usize::from(shared(tail_before, tail));
        let more = PAIR_BYTES + key.len() - same + value.len();
        if at > start && taken + more > each {
            out.push(pairs.get(start..at).unwrap_or_default());
            (start, taken) = (at, 0);
        }
        taken += more;
        before = key;
    }
    out.extend(pairs.get(start..).filter(|rest| !rest.is_empty()));
    out
}

fn split(key: &[u8]) -> (&[u8], &[u8]) {
    key.split_at(key.len().saturating_sub(TAIL_BYTES))
}

fn shared(a: &[u8], b: &[u8]) -> u8 {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    u8::try_from(same).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn pairs() -> impl Strategy<Value = Vec<Pair>> {
        let key = prop::collection::vec(prop::sample::select(vec![0_u8, 1, 7, 255]), 0..40);
        let value = prop::collection::vec(any::<u8>(), 0..90);
        prop::collection::btree_map(key, value, 0..60).prop_map(|map| map.into_iter().collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn pairs_come_back_whole_and_in_pieces(pairs in pairs()) {
            prop_assert_eq!(decode(&encode(&pairs)), Some(pairs.clone()));
            let blocks = cut(&pairs);
            prop_assert_eq!(blocks.concat(), pairs.clone());
            for block in blocks {
                prop_assert!(block.len() == 1 || encode(block).len() <= BLOCK_BYTES + 128);
                prop_assert_eq!(decode(&encode(block)), Some(block.to_vec()));
            }
        }

        #[test]
        fn what_is_set_is_found(pairs in pairs(), news in pairs()) {
            let mut block = pairs.clone();
            let mut expected: BTreeMap<Vec<u8>, Vec<u8>> = pairs.iter().cloned().collect();
            for (at, (key, value)) in news.iter().enumerate() {
                let value = (at % 3 != 0).then_some(value);
                set(&mut block, key, value.map(Vec::as_slice));
                match value {
                    Some(value) => drop(expected.insert(key.clone(), value.clone())),
                    None => drop(expected.remove(key)),
                }
                prop_assert_eq!(get(&block, key), value.map(Vec::as_slice));
            }
            prop_assert_eq!(block, expected.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_refused_or_a_block(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(pairs) = decode(&bytes) {
                prop_assert!(pairs.windows(2).all(|pair| pair[0].0 < pair[1].0));
            }
        }
    }

    #[test]
    fn postings_of_one_log_cost_little_more_than_what_they_differ_in() {
        let posting = |n: u64| {
            let hash = &sync_protocol::chain::sha256(&[&n.to_le_bytes()])[..8];
            [b"n", hash, &[9; 8], &n.to_be_bytes()].concat()
        };
        let mut keys: Vec<Vec<u8>> = (0..64).map(posting).collect();
        keys.sort();
        let pairs: Vec<Pair> = keys.into_iter().map(|key| (key, Vec::new())).collect();
        let bytes = encode(&pairs).len();
        assert!(bytes < 64 * 16, "{bytes}");
        assert_eq!(cut(&pairs).len(), 1);
    }

    #[test]
    fn a_block_reaches_up_to_its_bound() {
        assert!(bounded(b"ab") < bounded(b"abc") && bounded(&[255; 9]) < last());
        assert!(reaches(&bounded(b"ab"), b"ab") && reaches(&bounded(b"ab"), b"aa"));
        assert!(!reaches(&bounded(b"ab"), b"ab\0") && reaches(&last(), &[255; 99]));
    }
}
