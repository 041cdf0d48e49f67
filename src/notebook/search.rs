//! Finding records by words, without a network: all words must be there, in whatever case or width.
//!
//! Chinese is also found by the initials of its pinyin, and a record by the names of the customer, the site and the
//! machine that it links to. Which documents may hold the words is told by [`words`]; only those are folded and asked
//! themselves.

mod cut;
mod words;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use records::id::DocId;
use records::schema::Kind;
use records::value::text::Lang;
use records::value::{Target, Value};
use sync_protocol::merge::Document;
use unicode_normalization::UnicodeNormalization;

use crate::notebook::list::{self, Filter, Line};
use crate::notebook::refusal::NotebookError;
use crate::notebook::rows;
use crate::notebook::search::cut::{Word, may_be_initials};
use crate::notebook::search::words::{Hit, Hits, Making, NAMED, Piece};
use crate::store::Store;
use crate::store::walk::RunName;
use crate::store::words::Words;

/// What came since the last search is read from the log each time, until it is so many ops.
const NEWS_OPS: u32 = 256;
/// A piece below this length is small.
const SMALL_BYTES: usize = 64 * 1024;
/// Small pieces that may lie beside each other.
const SMALL_MAX: usize = 8;

/// What to look for.
#[derive(Debug, Clone)]
pub struct Search {
    /// All of these.
    pub words: Vec<String>,
    /// Only in this kind.
    pub kind: Option<&'static Kind>,
    /// In this state and of this time; its kinds and limit are not asked.
    pub filter: Filter,
    /// So many at most.
    pub limit: usize,
}

/// Returns the records that hold all the words, newest first.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn search(store: &mut Store, request: &Search, lang: Lang) -> Result<Vec<Line>, NotebookError> {
    let words: Vec<String> = request.words.iter().map(|word| plain(word)).collect();
    let mut names = Names::default();
    let mut lines = Vec::new();
    for id in candidates(store, request.kind, &words)? {
        if lines.len() >= request.limit {
            break;
        }
        let Some(document) = store.document(id)? else {
            continue;
        };
        let kind = records::kinds::by_number(document.kind);
        let earlier = store.earlier_name(id)?;
        let Some(kind) = kind.filter(|kind| list::fits(&request.filter, kind, &document)) else { continue };
        let mut said = own_text(kind, &document, earlier, &words);
        if !said.holds(&words) {
            names.add(store, kind, &document, &words, &mut said)?;
        }
        if said.holds(&words) {
            lines.push(list::line(store, kind, &document, lang)?);
        }
    }
    Ok(lines)
}

/// Returns the documents of which ops hold all the words, newest first; a few too many, never one too few.
///
/// Where much came since the last search, what the log says is noted for the next one.
fn candidates(store: &mut Store, kind: Option<&Kind>, words: &[String]) -> Result<Vec<DocId>, NotebookError> {
    let words: Vec<Word> = words.iter().map(|word| Word::new(word)).collect();
    let mut hits = Hits::new();
    let noted = store.words();
    let pieces = pieces(store, &noted)?;
    pieces.iter().for_each(|piece| piece.ask(&words, &mut hits));
    let is_named =
        |(id, hit): (&DocId, &Hit)| (NAMED.contains(&hit.kind) && hit.words > 0).then_some((*id, hit.words));
    let named: Vec<(DocId, u64)> = hits.iter().filter_map(is_named).collect();
    pieces.iter().for_each(|piece| piece.follow(&named, &mut hits));
    // More words than bits: the document itself is asked for the rest.
    let all = words.iter().zip(0..u64::BITS).fold(0, |all, (_, at)| all | 1 << at);
    let fits = |hit: &Hit| hit.words == all && kind.is_none_or(|kind| kind.number == hit.kind);
    let mut found = Vec::new();
    for (id, hit) in hits.into_iter().filter(|(_, hit)| fits(hit)) {
        let created = match hit.created {
            Some(created) => Some(created),
            None => store.entry(id)?.map(|entry| entry.created),
        };
        found.push((Reverse(created.unwrap_or_default()), id));
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

/// Returns what the whole log says, in pieces: those that earlier searches noted, and what came since.
fn pieces<'a>(store: &mut Store, noted: &'a Words) -> Result<Vec<Piece<'a>>, NotebookError> {
    // Many small ones take longer to read than a large one: their runs are read again then.
    let small = |bytes: &[u8]| bytes.len() < SMALL_BYTES;
    let mut kept = noted.pieces();
    let too_many = kept.iter().filter(|bytes| small(bytes)).count() > SMALL_MAX;
    kept.retain(|bytes| !(too_many && small(bytes)));
    let mut pieces: Vec<Piece<'a>> = kept.iter().map_while(|bytes| Piece::from_bytes(bytes)).collect();
    if noted.whole && !too_many && pieces.len() == kept.len() {
        return Ok(pieces);
    }
    kept.truncate(pieces.len());
    let known: BTreeSet<RunName> = pieces.iter().flat_map(Piece::runs).collect();
    let (mut making, mut news, mut ops) = (Making::default(), Vec::new(), 0);
    store.each_op_of(&|run| !known.contains(run), &mut |run, id, row| {
        if making.is_full() && !making.has(run) {
            news.push(std::mem::take(&mut making).finish());
        }
        making.add(run, id, row);
        ops += 1;
    })?;
    if ops > 0 {
        news.push(making.finish());
    }
    if ops >= NEWS_OPS || too_many {
        let bytes: Vec<Vec<u8>> = news.iter().map(Piece::to_bytes).collect();
        let all: Vec<&[u8]> = kept.into_iter().chain(bytes.iter().map(Vec::as_slice)).collect();
        // What cannot be kept is read from the log again by the next search.
        drop(store.keep_words(&all));
    }
    pieces.append(&mut news);
    Ok(pieces)
}

/// The names of the documents that were linked to so far.
#[derive(Debug, Default)]
struct Names(BTreeMap<DocId, Said>);

impl Names {
    /// Adds the names of what a document links to.
    fn add(
        &mut self,
        store: &Store,
        kind: &Kind,
        document: &Document,
        words: &[String],
        said: &mut Said,
    ) -> Result<(), NotebookError> {
        for group in kind.groups {
            let all = rows::of(group, document);
            for value in all.iter().flat_map(|row| row.values.iter().flatten()) {
                let Value::Ref(Target::Doc(id)) = value else { continue };
                if !self.0.contains_key(id) {
                    let mut name = Said::default();
                    if let Some(target) = store.document(*id)?.filter(|target| NAMED.contains(&target.kind)) {
                        let kind = records::kinds::by_number(target.kind);
                        name = kind.map(|kind| own_text(kind, &target, None, words)).unwrap_or_default();
                    }
                    self.0.insert(*id, name);
                }
                if let Some(name) = self.0.get(id) {
                    said.text.push_str(&name.text);
                    said.initials.push_str(&name.initials);
                }
            }
        }
        Ok(())
    }
}

/// What a document says, and how its Chinese begins.
#[derive(Debug, Default)]
struct Said {
    /// Its texts, folded, a line each.
    text: String,
    /// The initials of those that are Chinese, a line each, where a word may be some.
    initials: String,
}

impl Said {
    fn add(&mut self, said: &str, words: &[String]) {
        fold_into(said, &mut self.text);
        self.text.push('\n');
        if !said.is_ascii() && words.iter().any(|word| may_be_initials(word)) {
            self.initials.push_str(&records::pinyin::initials(said));
            self.initials.push('\n');
        }
    }

    fn holds(&self, words: &[String]) -> bool {
        let in_initials = |word: &str| may_be_initials(word) && self.initials.contains(word);
        words.iter().all(|word| self.text.contains(word.as_str()) || in_initials(word))
    }
}

/// Returns what a document says of itself.
fn own_text(kind: &Kind, document: &Document, earlier: Option<DocId>, words: &[String]) -> Said {
    let mut all = Said::default();
    // A printed paper still carries the code that it had before it was written again.
    for id in [Some(document.id), earlier].into_iter().flatten() {
        all.add(&id.code(), words);
    }
    for group in kind.groups {
        for value in rows::of(group, document).iter().flat_map(|row| row.values.iter().flatten()) {
            if let Value::Text(said) | Value::Ref(Target::Text(said)) = value {
                all.add(said, words);
            }
        }
    }
    all
}

/// Wide and narrow, upper and lower case read alike.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    fold_into(text, &mut plain);
    plain
}

/// Letter by letter, so that a part of a text folds as it does within the whole.
fn fold_into(text: &str, out: &mut String) {
    if text.is_ascii() {
        let from = out.len();
        out.push_str(text);
        if let Some(added) = out.get_mut(from..) {
            added.make_ascii_lowercase();
        }
        return;
    }
    for letter in text.chars() {
        match letter {
            '\u{4e00}'..='\u{9fff}' => out.push(letter),
            _ if letter.is_ascii() => out.push(letter.to_ascii_lowercase()),
            _ => out.extend(std::iter::once(letter).nfkc().flat_map(char::to_lowercase)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Now;
    use crate::notebook::create::{Create, create};
    use crate::notebook::pair::Pair;
    use crate::notebook::set::{Set, set};
    use crate::store::testing::{NOW, answer, home, other};
    use records::kinds::repair::REPAIR;
    use records::time::Ts;
    use sync_protocol::message::Item;

    #[test]
    fn width_and_case_do_not_matter() {
        assert_eq!(plain("ＡＢＣ－１２３ Pump"), plain("abc-123 PUMP"));
        assert_eq!(plain("水泵"), "水泵");
        assert_eq!(plain("ÉCLAIR"), "éclair");
    }

    fn sheet(store: &mut Store, pairs: &[(&str, &str)], second: i64) -> DocId {
        let pairs = pairs.iter().map(|(name, value)| Pair::new(*name, *value)).collect();
        let request = Create { kind: &REPAIR, job: None, pairs, entries: Vec::new() };
        let now = Now { wall: Ts(NOW.wall.0 + 1000 * second), ..NOW };
        create(store, &request, now).unwrap().id
    }

    /// Of the words that must not be found each has a letter that no code has, I, L, O or U: codes are random.
    fn found(store: &mut Store, words: &[&str]) -> Vec<DocId> {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let request = Search { words, kind: None, filter: Filter::default(), limit: 10 };
        search(store, &request, Lang::En).unwrap().into_iter().map(|line| line.id).collect()
    }

    #[test]
    fn all_words_must_stand_in_what_the_record_says_now() {
        let (_dir, mut store) = home();
        let pump = sheet(&mut store, &[("problem", "水泵漏水 leaks"), ("brand", "Ｇｒｕｎｄｆｏｓ")], 0);
        let fan = sheet(&mut store, &[("problem", "fan is loud"), ("brand", "Grundfos")], 1);
        assert_eq!(found(&mut store, &["GRUNDFOS"]), [fan, pump], "newest first");
        assert_eq!(found(&mut store, &["grundfos", "水泵"]), [pump]);
        assert_eq!(found(&mut store, &["grundfos", "valve"]), []);
        assert_eq!(found(&mut store, &[&fan.code().to_lowercase()[..5]]), [fan]);
        // The words may have come by different ops; what was overwritten does not count.
        let request = Set {
            record: fan.to_string(),
            wanted: crate::notebook::find::Wanted::Any,
            pairs: vec![Pair::new("problem", "hums")],
        };
        set(&mut store, &request, NOW).unwrap();
        assert_eq!(found(&mut store, &["hums", "grundfos"]), [fan]);
        assert_eq!(found(&mut store, &["loud"]), []);
    }

    #[test]
    fn chinese_is_found_by_its_initials_and_a_sheet_by_its_customers_name() {
        let (_dir, mut store) = home();
        let pump = sheet(&mut store, &[("problem", "水泵漏水 leaks")], 0);
        assert_eq!(found(&mut store, &["sbls"]), [pump]);
        assert_eq!(found(&mut store, &["SBL", "leaks"]), [pump]);
        assert_eq!(found(&mut store, &["sbo"]), []);
        let site = Create {
            kind: &records::kinds::site::SITE,
            job: None,
            pairs: vec![Pair::new("name", "杭州第一医院")],
            entries: Vec::new(),
        };
        let site = create(&mut store, &site, NOW).unwrap().id;
        let there = sheet(&mut store, &[("problem", "loud"), ("site", &site.to_string())], 2);
        assert_eq!(found(&mut store, &["第一医院", "loud"]), [there]);
        assert_eq!(found(&mut store, &["hzdy", "loud"]), [there]);
        let both = found(&mut store, &["第一医院"]);
        assert!(both.len() == 2 && both.contains(&site), "the site itself, and what links to it: {both:?}");
    }

    #[test]
    fn what_earlier_searches_noted_is_found_beside_what_came_since() {
        let (dir, mut store) = home();
        let mut made = Vec::new();
        let mut save = |store: &mut Store, count: i64| {
            for n in 0..count {
                let text = format!("水泵 no{n} of {count}");
                made.push(sheet(store, &[("problem", &text)], i64::try_from(made.len()).unwrap()));
            }
            made.clone()
        };
        save(&mut store, 20);
        assert_eq!(found(&mut store, &["no3", "sb"]).len(), 1);
        assert_eq!(store.words().pieces().len(), 0, "so few are read each time");
        for (round, kept) in [(1, 1), (2, 2), (3, 3)] {
            let made = save(&mut store, 260 + round);
            assert_eq!(found(&mut store, &["no259"]).len(), usize::try_from(round).unwrap());
            assert_eq!(store.words().pieces().len(), kept);
            drop(store);
            store = Store::open(dir.path(), NOW).unwrap();
            let last = *made.last().unwrap();
            assert_eq!(found(&mut store, &[&format!("no{}", 259 + round), "水泵"]), [last]);
        }
        // One that does not read: it and what follows it are made anew.
        let noted = store.words();
        store.keep_words(&[noted.pieces()[0], b"no piece", noted.pieces()[2]]).unwrap();
        assert_eq!(found(&mut store, &["no259"]).len(), 3);
        assert_eq!(store.words().pieces().len(), 2);
        // More than may lie beside each other become one.
        let (noted, nothing) = (store.words(), Making::default().finish().to_bytes());
        store.keep_words(&[noted.pieces(), vec![&nothing[..]; SMALL_MAX]].concat()).unwrap();
        let made = save(&mut store, 1);
        assert_eq!(found(&mut store, &["no0"])[..1], made[made.len() - 1..]);
        assert_eq!(store.words().pieces().len(), 1);
        assert_eq!(found(&mut store, &["no259"]).len(), 3);
        let set = Set {
            record: made[0].to_string(),
            wanted: crate::notebook::find::Wanted::Any,
            pairs: vec![Pair::new("problem", "valve")],
        };
        crate::notebook::set::set(&mut store, &set, NOW).unwrap();
        assert_eq!(found(&mut store, &["valve"]), [made[0]]);
        assert_eq!(found(&mut store, &["no0", "of 20"]), []);
    }

    /// Asks for words, and compares with what every document says.
    fn finds_all(store: &mut Store, when: &str) {
        for words in [&["no7"][..], &["sb", "no3"], &["水泵", "of"], &["no299"], &["again"]] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let mut walked = BTreeSet::new();
            let each = store.each(None, &mut |document| {
                let kind = records::kinds::by_number(document.kind);
                let said = kind.map(|kind| own_text(kind, &document, None, &words));
                walked.extend(said.filter(|said| said.holds(&words)).map(|_| document.id));
                std::ops::ControlFlow::Continue(())
            });
            each.unwrap();
            let request =
                Search { words: words.clone(), kind: None, filter: Filter::default(), limit: usize::MAX };
            let found = search(store, &request, Lang::En).unwrap().into_iter().map(|line| line.id).collect();
            assert_eq!(walked, found, "{words:?} {when}");
        }
    }

    #[test]
    fn whatever_came_left_and_came_back_a_search_finds_what_the_documents_say() {
        let ((_a, mut mine), (dir, mut theirs)) = (home(), other());
        let made: Vec<DocId> =
            (0..300).map(|n| sheet(&mut mine, &[("problem", &format!("水泵 no{n} of 300"))], n)).collect();
        let mut order = 0;
        let mut hears = |theirs: &mut Store, items: Vec<Item>| {
            order += 1;
            let (page, proof) = answer(&[], items, vec![], order);
            theirs.apply(&page, &proof, NOW).unwrap();
        };
        let all = |mine: &mut Store| -> Vec<Item> {
            mine.unsent(usize::MAX, usize::MAX).unwrap().into_iter().map(Item::Segment).collect()
        };
        hears(&mut theirs, all(&mut mine));
        finds_all(&mut theirs, "after a sync");
        assert!(theirs.words().whole);
        for n in 0..70 {
            sheet(&mut theirs, &[("problem", "mine, no3, again 水泵")], 400 + n);
        }
        finds_all(&mut theirs, "beside own work");
        hears(&mut theirs, vec![Item::Evict(made[7]), Item::Evict(made[299])]);
        assert!(theirs.words().pieces().is_empty());
        finds_all(&mut theirs, "after some left");
        assert!(theirs.words().whole);
        let again = Set {
            record: made[7].to_string(),
            wanted: crate::notebook::find::Wanted::Any,
            pairs: vec![Pair::new("problem", "again no7")],
        };
        set(&mut mine, &again, NOW).unwrap();
        hears(&mut theirs, all(&mut mine));
        finds_all(&mut theirs, "after they came back");
        drop(theirs);
        Store::rebuild(dir.path(), NOW).unwrap();
        finds_all(&mut Store::open(dir.path(), NOW).unwrap(), "after a rebuild");
    }

    #[test]
    fn a_limit_takes_the_newest() {
        let (_dir, mut store) = home();
        let made: Vec<DocId> = (0..5).map(|n| sheet(&mut store, &[("problem", "pump")], n)).collect();
        let request = Search {
            words: vec!["pump".to_owned()],
            kind: Some(&REPAIR),
            filter: Filter::default(),
            limit: 2,
        };
        let lines = search(&mut store, &request, Lang::En).unwrap();
        assert_eq!(lines.iter().map(|line| line.id).collect::<Vec<_>>(), [made[4], made[3]]);
    }
}
