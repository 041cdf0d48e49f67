//! Finding records by words, without a network: all words must be there, in whatever case or width.
//!
//! The log is walked once for ops whose bytes hold a word; only documents with all words are folded and asked again.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use records::id::{DocId, OpId};
use records::schema::Kind;
use records::value::text::Lang;
use records::value::{Target, Value};
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
        let fits = |kind: &&Kind| {
            list::fits(&request.filter, kind, &document) && holds(kind, &document, earlier, &words)
        };
        if let Some(kind) = kind.filter(fits) {
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
    let mut text = String::new();
    store.each_op(&mut |id, row| {
        if kind.is_some_and(|kind| kind.number != row.kind) {
            return;
        }
        text_of(id, row, words, &mut text);
        let found = bits(&text, words);
        if found > 0 || words.is_empty() {
            let hit = hits.entry(row.document(id)).or_default();
            hit.words |= found;
            hit.created = hit.created.or(row.doc.is_none().then_some(row.stamp));
        }
    })?;
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
            fold_into(chunk.valid(), text);
            text.push('\n');
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

fn holds(kind: &Kind, document: &Document, earlier: Option<DocId>, words: &[String]) -> bool {
    let mut text = plain(&document.id.code());
    if let Some(earlier) = earlier {
        // A printed paper still carries the code that it had before it was written again.
        text.push('\n');
        fold_into(&earlier.code(), &mut text);
    }
    for group in kind.groups {
        for value in rows::of(group, document).iter().flat_map(|row| row.values.iter().flatten()) {
            if let Value::Text(words) | Value::Ref(Target::Text(words)) = value {
                text.push('\n');
                fold_into(words, &mut text);
            }
        }
    }
    words.iter().all(|word| text.contains(word.as_str()))
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
