//! Finding records by words, without a network: all words must be there, in whatever case or width.
//!
//! Chinese is also found by the initials of its pinyin, and a record by the names of the customer, the site and the
//! machine that it links to. The log is walked once for ops whose bytes hold a word; only documents with all words are folded and asked again.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use records::id::{DocId, OpId};
use records::kinds::number;
use records::schema::{Field, Kind};
use records::value::payload::rows_at;
use records::value::text::Lang;
use records::value::{Target, Type, Value};
use sync_protocol::merge::Document;
use sync_protocol::op::Row;
use sync_protocol::stamp::Stamp;
use unicode_normalization::UnicodeNormalization;

use crate::notebook::list::{self, Filter, Line};
use crate::notebook::refusal::NotebookError;
use crate::notebook::rows;
use crate::store::Store;

/// The letters of a document's code, in lower case.
const CODE_LETTERS: &str = "0123456789abcdefghjkmnpqrstvwxyz";

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
pub fn search(store: &Store, request: &Search, lang: Lang) -> Result<Vec<Line>, NotebookError> {
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
        let mut text = own_text(kind, &document, earlier, &words);
        if !all_in(&text, &words) {
            names.add(store, kind, &document, &words, &mut text)?;
        }
        if all_in(&text, &words) {
            lines.push(list::line(store, kind, &document, lang)?);
        }
    }
    Ok(lines)
}

/// What the log says of one document so far.
#[derive(Debug, Clone, Copy, Default)]
struct Hit {
    /// One bit a word that an op of it holds.
    words: u64,
    /// When it was made, where the op that made it was among those.
    created: Option<Stamp>,
}

/// Returns the documents of which ops hold all the words, newest first; a few too many, never one too few.
fn candidates(store: &Store, kind: Option<&Kind>, words: &[String]) -> Result<Vec<DocId>, NotebookError> {
    let mut hits: BTreeMap<DocId, Hit> = BTreeMap::new();
    let mut named: BTreeMap<DocId, u64> = BTreeMap::new();
    let mut links: Vec<(DocId, DocId)> = Vec::new();
    let mut text = String::new();
    store.each_op(&mut |id, row| {
        let wanted = kind.is_none_or(|kind| kind.number == row.kind);
        if !wanted && !NAMED.contains(&row.kind) {
            return;
        }
        text_of(id, row, words, &mut text);
        let found = bits(&text, words);
        if found > 0 && NAMED.contains(&row.kind) {
            *named.entry(row.document(id)).or_default() |= found;
        }
        if !wanted {
            return;
        }
        if found > 0 || words.is_empty() {
            let hit = hits.entry(row.document(id)).or_default();
            hit.words |= found;
            hit.created = hit.created.or(row.doc.is_none().then_some(row.stamp));
        }
        let document = row.document(id);
        linked(row, &mut |target| links.push((document, target)));
    })?;
    for (document, target) in links {
        if let Some(found) = named.get(&target) {
            hits.entry(document).or_default().words |= found;
        }
    }
    // More words than bits: the document itself is asked for the rest.
    let all = words.iter().zip(0..u64::BITS).fold(0, |all, (_, at)| all | 1 << at);
    let mut found = Vec::new();
    for (id, hit) in hits.into_iter().filter(|(_, hit)| hit.words == all) {
        let created = match hit.created {
            Some(created) => Some(created),
            None => store.entry(id)?.map(|entry| entry.created),
        };
        found.push((Reverse(created.unwrap_or_default()), id));
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

/// Puts the words that an op writes into `text`. Texts stand in the payloads as they are, whatever the group.
fn text_of(id: OpId, row: &Row, words: &[String], text: &mut String) {
    text.clear();
    for write in &row.writes {
        for chunk in write.bytes.utf8_chunks() {
            readings_into(chunk.valid(), words, text);
        }
    }
    let may_be_code = |word: &String| word.len() <= 8 && word.chars().all(|c| CODE_LETTERS.contains(c));
    if row.doc.is_none() && words.iter().any(may_be_code) {
        for id in [Some(id), row.forked_from].into_iter().flatten() {
            fold_into(&DocId(id).code(), text);
            text.push('\n');
        }
    }
}

fn bits(text: &str, words: &[String]) -> u64 {
    let held = words.iter().zip(0..u64::BITS).filter(|(word, _)| text.contains(word.as_str()));
    held.fold(0, |all, (_, at)| all | 1 << at)
}

/// The kinds whose names find what links to them.
const NAMED: [u16; 3] = [number::CUSTOMER, number::SITE, number::ASSET];

/// Tells the documents of [`NAMED`] kinds that an op links to.
fn linked(row: &Row, tell: &mut dyn FnMut(DocId)) {
    let Some(kind) = records::kinds::by_number(row.kind) else { return };
    for write in &row.writes {
        let links = |field: &Field| matches!(field.ty, Type::Ref(to) if NAMED.contains(&to));
        let group = kind.group(write.tag.number()).filter(|group| group.fields.iter().any(links));
        let rows = group.and_then(|group| rows_at(group, row.schema, &write.bytes).ok());
        for value in rows.iter().flatten().flatten().flatten() {
            if let Value::Ref(Target::Doc(id)) = value {
                tell(*id);
            }
        }
    }
}

/// The names of the documents that were linked to so far.
#[derive(Debug, Default)]
struct Names(BTreeMap<DocId, String>);

impl Names {
    /// Adds the names of what a document links to.
    fn add(
        &mut self,
        store: &Store,
        kind: &Kind,
        document: &Document,
        words: &[String],
        text: &mut String,
    ) -> Result<(), NotebookError> {
        for group in kind.groups {
            let all = rows::of(group, document);
            for value in all.iter().flat_map(|row| row.values.iter().flatten()) {
                let Value::Ref(Target::Doc(id)) = value else { continue };
                if !self.0.contains_key(id) {
                    let mut name = String::new();
                    if let Some(target) = store.document(*id)?.filter(|target| NAMED.contains(&target.kind)) {
                        let kind = records::kinds::by_number(target.kind);
                        name = kind.map(|kind| own_text(kind, &target, None, words)).unwrap_or_default();
                    }
                    self.0.insert(*id, name);
                }
                text.push('\n');
                text.push_str(self.0.get(id).map_or("", String::as_str));
            }
        }
        Ok(())
    }
}

fn all_in(text: &str, words: &[String]) -> bool {
    words.iter().all(|word| text.contains(word.as_str()))
}

/// Returns what a document says of itself, folded.
fn own_text(kind: &Kind, document: &Document, earlier: Option<DocId>, words: &[String]) -> String {
    let mut text = plain(&document.id.code());
    if let Some(earlier) = earlier {
        // A printed paper still carries the code that it had before it was written again.
        text.push('\n');
        fold_into(&earlier.code(), &mut text);
    }
    for group in kind.groups {
        for value in rows::of(group, document).iter().flat_map(|row| row.values.iter().flatten()) {
            if let Value::Text(said) | Value::Ref(Target::Text(said)) = value {
                text.push('\n');
                readings_into(said, words, &mut text);
            }
        }
    }
    text
}

/// Folds a text, and beside it the initials of its pinyin where a word may be some.
fn readings_into(said: &str, words: &[String], out: &mut String) {
    fold_into(said, out);
    out.push('\n');
    let letters = |word: &String| word.len() > 1 && word.bytes().all(|b| b.is_ascii_alphanumeric());
    if !said.is_ascii() && words.iter().any(letters) {
        out.push_str(&records::pinyin::initials(said));
        out.push('\n');
    }
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
    use crate::store::testing::{NOW, home};
    use records::kinds::repair::REPAIR;
    use records::time::Ts;

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

    fn found(store: &Store, words: &[&str]) -> Vec<DocId> {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let request = Search { words, kind: None, filter: Filter::default(), limit: 10 };
        search(store, &request, Lang::En).unwrap().into_iter().map(|line| line.id).collect()
    }

    #[test]
    fn all_words_must_stand_in_what_the_record_says_now() {
        let (_dir, mut store) = home();
        let pump = sheet(&mut store, &[("problem", "水泵漏水 leaks"), ("brand", "Ｇｒｕｎｄｆｏｓ")], 0);
        let fan = sheet(&mut store, &[("problem", "fan is loud"), ("brand", "Grundfos")], 1);
        assert_eq!(found(&store, &["GRUNDFOS"]), [fan, pump], "newest first");
        assert_eq!(found(&store, &["grundfos", "水泵"]), [pump]);
        assert_eq!(found(&store, &["grundfos", "valve"]), []);
        assert_eq!(found(&store, &[&fan.code().to_lowercase()[..5]]), [fan]);
        // The words may have come by different ops; what was overwritten does not count.
        let request = Set {
            record: fan.to_string(),
            wanted: crate::notebook::find::Wanted::Any,
            pairs: vec![Pair::new("problem", "hums")],
        };
        set(&mut store, &request, NOW).unwrap();
        assert_eq!(found(&store, &["hums", "grundfos"]), [fan]);
        assert_eq!(found(&store, &["loud"]), []);
    }

    #[test]
    fn chinese_is_found_by_its_initials_and_a_sheet_by_its_customers_name() {
        let (_dir, mut store) = home();
        let pump = sheet(&mut store, &[("problem", "水泵漏水 leaks")], 0);
        assert_eq!(found(&store, &["sbls"]), [pump]);
        assert_eq!(found(&store, &["SBL", "leaks"]), [pump]);
        assert_eq!(found(&store, &["sbx"]), []);
        let site = Create {
            kind: &records::kinds::site::SITE,
            job: None,
            pairs: vec![Pair::new("name", "杭州第一医院")],
            entries: Vec::new(),
        };
        let site = create(&mut store, &site, NOW).unwrap().id;
        let there = sheet(&mut store, &[("problem", "fan"), ("site", &site.to_string())], 2);
        assert_eq!(found(&store, &["第一医院", "fan"]), [there]);
        assert_eq!(found(&store, &["hzdy", "fan"]), [there]);
        let both = found(&store, &["第一医院"]);
        assert!(both.len() == 2 && both.contains(&site), "the site itself, and what links to it: {both:?}");
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
        let lines = search(&store, &request, Lang::En).unwrap();
        assert_eq!(lines.iter().map(|line| line.id).collect::<Vec<_>>(), [made[4], made[3]]);
    }
}
