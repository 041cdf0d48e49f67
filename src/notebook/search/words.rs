//! Which documents hold a word: pieces made of the log, so that a search reads them and not the log.
//!
//! A piece names the runs it was made of, the documents that their ops write to, and for each word that these say in
//! which of them it stands. Words are runs of letters and digits; Chinese has no blanks between words, so there each two
//! neighbours are one, and the initials of each two neighbours are another. A part of a word is looked for in all words.
//! What a piece tells may be too much, never too little: whoever asks folds the document and looks for himself.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use memchr::memmem;
use records::id::{DocId, OpId};
use records::kinds::number;
use records::schema::{Field, Group};
use records::value::payload::rows_at;
use records::value::{Target, Type, Value};
use serde::{Deserialize, Serialize};
use sync_protocol::op::{Row, Write};
use sync_protocol::stamp::Stamp;

use crate::notebook::search::cut::{Part, Word, each_pair, each_word};
use crate::notebook::search::fold_into;
use crate::store::pack;
use crate::store::walk::RunName;

/// The kinds whose names find what links to them.
pub(super) const NAMED: [u16; 3] = [number::CUSTOMER, number::SITE, number::ASSET];
/// About so long is a piece.
const PIECE_BYTES: usize = 512 * 1024;
/// What a document adds to a piece, about, and what each of its words.
const DOC_BYTES: usize = 24;
const POSTING_BYTES: usize = 2;
/// A longer text is not cut into words: its document is always among those that may hold a word.
const TEXT_BYTES_MAX: usize = 1024;
/// The word of such documents, which nobody types: it is no letter.
const LONG: &str = "+";
/// Plain bytes of a piece's head at most.
const HEAD_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Stands before and behind each word.
const BETWEEN: char = '\n';

/// What some runs of the log say.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    head: Head,
    /// For each word, and then for each target, the places of the documents, each as the way from the one before.
    lists: Cow<'a, [u8]>,
    /// Where each list begins.
    starts: Vec<usize>,
}

/// All but the lists, which deflate would find little in.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    /// The names of the runs, one behind the other.
    #[serde(with = "serde_bytes")]
    runs: Vec<u8>,
    /// The documents they write to, rising.
    docs: Vec<About>,
    /// The words, rising, [`BETWEEN`] before and behind each.
    words: String,
    /// The documents of [`NAMED`] kinds that are linked to, rising.
    targets: Vec<DocId>,
    /// Bytes of each list.
    sizes: Vec<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
struct About {
    id: DocId,
    kind: u16,
    /// When it was made; `None` where the op that made it is in no run of the piece.
    created: Option<Stamp>,
}

/// What is known of a document that may hold some of the words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    /// One bit a word.
    pub(super) words: u64,
    pub(super) kind: u16,
    /// When it was made, where that is known.
    pub(super) created: Option<Stamp>,
}

/// The documents that may hold some of the words.
pub(super) type Hits = BTreeMap<DocId, Hit>;

impl<'a> Piece<'a> {
    /// Returns the piece as it is kept.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let head = pack::pack(&postcard::to_allocvec(&self.head).unwrap_or_default());
        let length = u32::try_from(head.len()).unwrap_or(u32::MAX);
        [&length.to_le_bytes()[..], &head, &self.lists].concat()
    }

    /// Reads a piece; `None` where the bytes are none.
    pub(super) fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk()?;
        let (head, lists) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        let head = postcard::from_bytes(&pack::unpack(head, HEAD_BYTES_MAX)?).ok()?;
        Some(Self::new(head, Cow::Borrowed(lists)))
    }

    fn new(head: Head, lists: Cow<'a, [u8]>) -> Self {
        let sizes = head.sizes.iter().map(|size| usize::try_from(*size).unwrap_or(usize::MAX));
        let add = |start: &mut usize, size: usize| Some(std::mem::replace(start, start.saturating_add(size)));
        let starts = sizes.scan(0, add).collect();
        Self { head, lists, starts }
    }

    /// Tells the names of the runs it was made of.
    pub(super) fn runs(&self) -> impl Iterator<Item = RunName> + use<'_, 'a> {
        self.head.runs.as_chunks().0.iter().copied()
    }

    /// Adds what it knows of the words to what is found so far.
    pub(super) fn ask(&self, words: &[Word], hits: &mut Hits) {
        let mut bits = vec![0_u64; self.head.docs.len()];
        let long = self.holding_all(&[Part::Word(LONG.to_owned())]);
        for (word, at) in words.iter().zip(0..u64::BITS) {
            let parts = Some(self.holding_all(&word.parts));
            let initials = word.initials.as_ref().map(|pairs| self.holding_all(pairs));
            for held in [Some(&long), parts.as_ref(), initials.as_ref()].into_iter().flatten() {
                bits.iter_mut().zip(held).for_each(|(bits, held)| *bits |= u64::from(*held) << at);
            }
        }
        for (about, bits) in self.head.docs.iter().zip(bits) {
            if bits != 0 || words.is_empty() {
                found(about, bits, hits);
            }
        }
    }

    /// Adds the documents that link to ones whose names hold words.
    pub(super) fn follow(&self, named: &[(DocId, u64)], hits: &mut Hits) {
        let words = self.head.sizes.len().saturating_sub(self.head.targets.len());
        for (target, bits) in named {
            let Ok(at) = self.head.targets.binary_search(target) else { continue };
            let from = self.list(words + at).filter_map(|doc| self.head.docs.get(doc));
            from.for_each(|about| found(about, *bits, hits));
        }
    }

    /// Returns for each document whether it may hold all the parts.
    fn holding_all(&self, parts: &[Part]) -> Vec<bool> {
        let mut all = vec![true; self.head.docs.len()];
        for part in parts {
            if !all.contains(&true) {
                break;
            }
            let mut held = vec![false; self.head.docs.len()];
            for doc in self.places(part).into_iter().flat_map(|place| self.list(place)) {
                held.get_mut(doc).into_iter().for_each(|held| *held = true);
            }
            all.iter_mut().zip(held).for_each(|(all, held)| *all &= held);
        }
        all
    }

    /// Returns the places of the words that are the part, or hold it.
    fn places(&self, part: &Part) -> Vec<usize> {
        // A whole word stands there once, and is found with what stands before it.
        let (looked_for, most, before) = match part {
            Part::Word(word) => (&format!("{BETWEEN}{word}{BETWEEN}"), 1, 1),
            Part::Within(part) => (part, usize::MAX, 0),
        };
        let words = self.head.words.as_bytes();
        let (mut places, mut counted, mut place) = (Vec::new(), 0, 0);
        for at in memmem::find_iter(words, looked_for).take(most) {
            let until = at + before;
            let passed = words.get(counted..until).unwrap_or_default();
            place += passed.iter().filter(|byte| **byte == b'\n').count();
            counted = until;
            if places.last() != Some(&place) {
                places.push(place);
            }
        }
        // One stands before the first word.
        places.iter().filter_map(|place| place.checked_sub(1)).collect()
    }

    /// Tells the places of the documents on a list.
    fn list(&self, at: usize) -> impl Iterator<Item = usize> + use<> {
        let bytes = self.starts.get(at).and_then(|start| self.lists.get(*start..));
        let ways = bytes.and_then(|bytes| Some(postcard::take_from_bytes::<Vec<u32>>(bytes).ok()?.0));
        let add = |doc: &mut usize, way: u32| {
            *doc = doc.saturating_add(usize::try_from(way).unwrap_or(usize::MAX));
            Some(*doc)
        };
        ways.unwrap_or_default().into_iter().scan(0, add)
    }
}

fn found(about: &About, words: u64, hits: &mut Hits) {
    let hit = hits.entry(about.id).or_insert(Hit { words: 0, kind: about.kind, created: None });
    hit.words |= words;
    hit.created = hit.created.or(about.created);
}

/// A piece while it is made.
#[derive(Debug, Default)]
pub(super) struct Making {
    runs: Vec<u8>,
    /// About how long the piece will be.
    bytes: usize,
    /// The documents, each with its place in the order of arrival.
    docs: BTreeMap<DocId, (u32, u16, Option<Stamp>)>,
    words: BTreeMap<String, Vec<u32>>,
    links: BTreeMap<DocId, Vec<u32>>,
    folded: String,
}

impl Making {
    /// Returns whether the next run begins another piece.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= PIECE_BYTES
    }

    /// Returns whether ops of that run are in already.
    pub(super) fn has(&self, run: &RunName) -> bool {
        self.runs.ends_with(run)
    }

    /// Takes in an op of a run.
    pub(super) fn add(&mut self, run: &RunName, id: OpId, row: &Row) {
        if !self.has(run) {
            self.runs.extend_from_slice(run);
            self.bytes += run.len();
        }
        let document = row.document(id);
        let next = u32::try_from(self.docs.len()).unwrap_or(u32::MAX);
        let (doc, _, created) = self.docs.entry(document).or_insert((next, row.kind, None));
        if row.doc.is_none() {
            *created = Some(row.stamp);
        }
        let doc = *doc;
        if doc == next {
            self.bytes += DOC_BYTES;
            self.text(doc, &document.code());
        }
        if let Some(earlier) = row.forked_from {
            self.text(doc, &DocId(earlier).code());
        }
        let kind = records::kinds::by_number(row.kind);
        for write in &row.writes {
            let group = kind.and_then(|kind| kind.group(write.tag.number()));
            let read =
                |group: &'static Group| Some((group.fields, rows_at(group, row.schema, &write.bytes).ok()?));
            match group.and_then(read) {
                Some((fields, rows)) => {
                    let values = rows.iter().flat_map(|row| fields.iter().zip(row));
                    values.for_each(|(field, value)| self.value(doc, field, value.as_ref()));
                }
                None => self.bytes(doc, write),
            }
        }
    }

    fn value(&mut self, doc: u32, field: &Field, value: Option<&Value>) {
        match value {
            Some(Value::Text(said) | Value::Ref(Target::Text(said))) => self.text(doc, said),
            Some(Value::Ref(Target::Doc(target))) if links_named(field) => {
                self.bytes += POSTING_BYTES;
                note(self.links.entry(*target).or_default(), doc);
            }
            _ => {}
        }
    }

    /// Of what this build cannot read, everything that looks like a text.
    fn bytes(&mut self, doc: u32, write: &Write) {
        for chunk in write.bytes.utf8_chunks() {
            self.text(doc, chunk.valid());
        }
    }

    fn text(&mut self, doc: u32, said: &str) {
        let mut add = |word: &str| {
            self.bytes += POSTING_BYTES;
            match self.words.get_mut(word) {
                Some(docs) => note(docs, doc),
                None => {
                    self.bytes += word.len();
                    self.words.insert(word.to_owned(), vec![doc]);
                }
            }
        };
        if said.len() > TEXT_BYTES_MAX {
            return add(LONG);
        }
        self.folded.clear();
        fold_into(said, &mut self.folded);
        each_word(&self.folded, &mut add);
        if !said.is_ascii() {
            each_pair(&records::pinyin::initials(said), &mut add);
        }
    }

    /// Returns the piece.
    pub(super) fn finish(self) -> Piece<'static> {
        let mut ranks = vec![0_u32; self.docs.len()];
        for ((arrived, ..), rank) in self.docs.values().zip(0..) {
            usize::try_from(*arrived)
                .ok()
                .and_then(|at| ranks.get_mut(at))
                .into_iter()
                .for_each(|at| *at = rank);
        }
        let (mut sizes, mut lists) = (Vec::new(), Vec::new());
        for docs in self.words.values().chain(self.links.values()) {
            let rank = |doc: &u32| usize::try_from(*doc).ok().and_then(|at| ranks.get(at).copied());
            let ranked: BTreeSet<u32> = docs.iter().filter_map(rank).collect();
            let before = std::iter::once(&0).chain(&ranked);
            let ways: Vec<u32> = ranked.iter().zip(before).map(|(doc, before)| doc - before).collect();
            let list = postcard::to_allocvec(&ways).unwrap_or_default();
            sizes.push(u32::try_from(list.len()).unwrap_or(u32::MAX));
            lists.extend_from_slice(&list);
        }
        let words = self.words.keys().flat_map(|word| [word.as_str(), "\n"]);
        let about = |(id, (_, kind, created)): (&DocId, &(u32, u16, Option<Stamp>))| About {
            id: *id,
            kind: *kind,
            created: *created,
        };
        let head = Head {
            docs: self.docs.iter().map(about).collect(),
            words: std::iter::once("\n").chain(words).collect(),
            targets: self.links.into_keys().collect(),
            sizes,
            runs: self.runs,
        };
        Piece::new(head, Cow::Owned(lists))
    }
}

fn links_named(field: &Field) -> bool {
    matches!(field.ty, Type::Ref(to) if NAMED.contains(&to))
}

/// Notes a document at the end of a list, once.
fn note(docs: &mut Vec<u32>, doc: u32) {
    if docs.last() != Some(&doc) {
        docs.push(doc);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use records::id::{Epoch, Replica};

    use super::*;
    use crate::notebook::search::{Said, plain};

    fn doc(n: u32) -> DocId {
        DocId(OpId { replica: Replica(1), epoch: Epoch(1), seq: u64::from(n) })
    }

    fn piece(texts: &[String]) -> Vec<u8> {
        let mut making = Making::default();
        for (n, text) in (0..).zip(texts) {
            // The documents come in another order than their names have.
            let id = doc(100 + (n ^ 5));
            making.docs.insert(id, (n, 7, None));
            making.text(n, &id.code());
            making.text(n, text);
            making.links.entry(doc(n / 2)).or_default().push(n);
        }
        making.finish().to_bytes()
    }

    fn hits(piece: &Piece, words: &[String]) -> Hits {
        let words: Vec<Word> = words.iter().map(|word| Word::new(word)).collect();
        let mut hits = Hits::new();
        piece.ask(&words, &mut hits);
        hits
    }

    fn text(longest: usize) -> impl Strategy<Value = String> {
        let letters = prop::sample::select("ab1水泵漏𠀀-～ ＡÉ\n，oß~".chars().collect::<Vec<_>>());
        prop::collection::vec(letters, 0..longest).prop_map(String::from_iter)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_holds_a_word_is_told(
            texts in prop::collection::vec(text(12), 1..12),
            words in prop::collection::vec(text(4), 1..3),
        ) {
            let words: Vec<String> = words.iter().map(|word| plain(word)).collect();
            let piece = piece(&texts);
            let hits = hits(&Piece::from_bytes(&piece).unwrap(), &words);
            for (n, said) in (0..).zip(&texts) {
                let mut all = Said::default();
                all.add(said, &words);
                let told = hits.get(&doc(100 + (n ^ 5))).map_or(0, |hit| hit.words);
                for (at, word) in words.iter().enumerate() {
                    prop_assert!(told >> at & 1 == 1 || !all.holds(std::slice::from_ref(word)), "{said:?} {word:?}");
                }
            }
        }

        #[test]
        fn any_bytes_are_refused_or_asked(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0..200_usize) {
            let whole = piece(&["水泵 motor".to_owned(), "slow".to_owned()]);
            for bytes in [&bytes[..], &whole[..cut.min(whole.len())], &[&whole[..cut.min(whole.len())], &bytes].concat()] {
                if let Some(piece) = Piece::from_bytes(bytes) {
                    hits(&piece, &["mot".to_owned(), "水".to_owned()]);
                    piece.follow(&[(doc(1), 1)], &mut Hits::new());
                }
            }
        }
    }

    #[test]
    fn what_holds_no_part_of_a_word_is_not_told() {
        let texts = ["motor runs slow", "pump SP-6487", "水泵漏水", "fan, slow"].map(str::to_owned);
        let bytes = piece(&texts);
        let piece = Piece::from_bytes(&bytes).unwrap();
        let told = |word: &str| -> Vec<u32> {
            let hits = hits(&piece, &[plain(word)]);
            (0..4).filter(|n| hits.get(&doc(100 + (n ^ 5))).is_some_and(|hit| hit.words == 1)).collect()
        };
        assert_eq!(told("SLOW"), [0, 3]);
        assert_eq!(told("oto"), [0]);
        assert_eq!(told("sp-64"), [1]);
        assert_eq!(told("泵漏水"), [2]);
        assert_eq!(told("漏"), [2]);
        assert_eq!(told("bls"), [2]);
        assert_eq!(told("水漏"), [0; 0]);
        assert_eq!(told("sx"), [0; 0]);
        assert_eq!(told(", "), [0, 1, 2, 3], "nothing to go by");
        let code = doc(100 + (2 ^ 5)).code();
        assert_eq!(told(&code[2..7]), [2]);
        let mut hits = Hits::new();
        piece.follow(&[(doc(1), 4), (doc(9), 2)], &mut hits);
        let linked: Vec<(DocId, u64)> = hits.iter().map(|(id, hit)| (*id, hit.words)).collect();
        assert_eq!(linked, [(doc(100 + (3 ^ 5)), 4), (doc(100 + (2 ^ 5)), 4)]);
    }

    #[test]
    fn a_code_is_found_wherever_its_neighbours_end() {
        let none = vec![String::new(); 300];
        let bytes = piece(&none);
        let piece = Piece::from_bytes(&bytes).unwrap();
        for n in 0..300 {
            let code = doc(100 + (n ^ 5)).code();
            for part in [&code[..2], &code[6..], &code[..]] {
                assert!(
                    hits(&piece, &[part.to_lowercase()]).contains_key(&doc(100 + (n ^ 5))),
                    "{part} of {code}"
                );
            }
        }
    }

    #[test]
    fn a_long_text_is_not_cut_but_its_document_always_told() {
        let texts = ["水泵".repeat(200), "pump".to_owned()];
        let bytes = piece(&texts);
        assert!(bytes.len() < 300, "{}", bytes.len());
        let piece = Piece::from_bytes(&bytes).unwrap();
        let told: Vec<DocId> = hits(&piece, &["zzz".to_owned()]).into_keys().collect();
        assert_eq!(told, [doc(100 + 5)]);
    }

    #[test]
    fn a_piece_is_full_by_its_words_or_by_its_documents() {
        let mut making = Making::default();
        let (mut run, mut ops) = ([0; 24], 0_u64);
        while !making.is_full() {
            ops += 1;
            run[16..].copy_from_slice(&ops.to_be_bytes());
            let row = Row {
                kind: 999,
                schema: 1,
                doc: None,
                stamp: Stamp::default(),
                seen: Vec::new(),
                forked_from: None,
                writes: Vec::new(),
            };
            making.add(&run, doc(u32::try_from(ops).unwrap()).0, &row);
        }
        let bytes = making.finish().to_bytes();
        assert!(bytes.len() < PIECE_BYTES && (5_000..20_000).contains(&ops), "{ops} {}", bytes.len());
    }

    /// What another build notes would lead this one astray: whoever changes how a text is cut, folded or kept raises
    /// `SCHEMA` in `src/store/words.rs`, and this.
    #[test]
    fn what_is_noted_of_a_text_is_what_the_schema_says() {
        let texts = ["Ｍotor SP-6487, 水泵漏水 (ß) É".to_owned(), "重庆 行 E01".to_owned()];
        let bytes = piece(&texts);
        let piece = Piece::from_bytes(&bytes).unwrap();
        let head = postcard::to_allocvec(&piece.head).unwrap();
        let hash = sync_protocol::chain::sha256(&[&head, &piece.lists]);
        assert_eq!(hash[..8], [117, 12, 74, 240, 30, 90, 217, 121], "{}", piece.head.words);
    }
}
