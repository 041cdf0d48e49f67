//! A round: the items of a sheet's checklist, which of them are answered, and a fault that becomes a ticket.

use records::checklist;
use records::kinds::inspection::{Findings, INSPECTION};
use records::kinds::sheet::{Answers, PhotoKind, Photos};
use records::kinds::template::{ItemKind, Items};
use records::kinds::{number, sheet_machine};
use records::problems::Problem;
use records::schema::{Kind, Typed};
use records::value::text::Lang;
use records::value::{Text, Value};
use sync_protocol::merge::Document;

use crate::clock::Now;
use crate::notebook::add::{self, Entry};
use crate::notebook::find::{self, Wanted};
use crate::notebook::pair::Pair;
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::set::Changed;
use crate::notebook::{registers, rows, seal, typed};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::write::{NewOp, On};

const SHEETS: Wanted = Wanted::Kind(number::SHEET);

/// One item of a sheet's checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its key.
    pub key: String,
    /// The item.
    pub item: Items,
    /// What was answered.
    pub answer: Option<Answers>,
    /// Photos that name it.
    pub photos: usize,
    /// What is wrong with it.
    pub problem: Option<Problem>,
}

impl Asked {
    /// Returns how it is called.
    #[must_use]
    pub fn label(&self) -> &str {
        self.item.label.as_ref().map_or(self.key.as_str(), |label| label.0.as_str())
    }

    /// Returns whether somebody said something to it.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        match self.item.kind {
            Some(ItemKind::PHOTO | ItemKind::SIGN) => self.photos > 0,
            _ => self.answer.is_some(),
        }
    }
}

/// Returns the items that a sheet asks now, in order.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn asked(
    store: &Store,
    (document, kind): (&Document, &'static Kind),
    lang: Lang,
) -> Result<Vec<Asked>, StoreError> {
    let record = rows::record(kind, document);
    let (answers, photos): (Vec<Answers>, Vec<Photos>) = (record.all(), record.all());
    let template = seal::checklist(store, &record, lang)?;
    let about = |item: &Items, key: &str| {
        let of = |photo: &&Photos| {
            let signature = photo.kind == Some(PhotoKind::SIGNATURE);
            signature == (item.kind == Some(ItemKind::SIGN))
                && photo.item.as_ref().is_some_and(|item| item.0 == key)
        };
        let single = checklist::Template { items: vec![item.clone()] };
        Asked {
            key: key.to_owned(),
            item: item.clone(),
            answer: answers
                .iter()
                .find(|answer| answer.item.as_ref().is_some_and(|item| item.0 == key))
                .cloned(),
            photos: photos.iter().filter(of).count(),
            problem: checklist::check(&single, &answers, &photos).into_iter().next(),
        }
    };
    let shown = template.items.iter().filter(|item| checklist::shown(item, &answers));
    Ok(shown.filter_map(|item| Some(about(item, &item.key.as_ref()?.0))).collect())
}

/// Returns the place of the next item without an answer, looked for behind `after` and then from the first.
#[must_use]
pub fn next(items: &[Asked], after: Option<usize>) -> Option<usize> {
    let from = after.map_or(0, |at| at + 1);
    let open = |(at, item): (usize, &Asked)| (!item.is_answered()).then_some(at);
    let behind = items.iter().enumerate().skip(from).find_map(open);
    behind.or_else(|| items.iter().enumerate().find_map(open))
}

/// Notes that the fault at an item is to become a ticket; the last photo of the item goes with it.
///
/// On an inspection sheet it becomes a finding and faults raise tickets; on the others it is what is to be done next.
///
/// # Errors
/// W-03 where the sheet does not ask that item; W-06 where it is sealed; [`NotebookError::Store`].
pub fn raise(
    store: &mut Store,
    sheet: &str,
    key: &str,
    lang: Lang,
    now: Now,
) -> Result<Changed, NotebookError> {
    let (document, kind) = find::document(store, sheet, SHEETS)?;
    let items = asked(store, (&document, kind), lang)?;
    let missing = || Refusal::by("W-03").with("text", key);
    let item = items.iter().find(|item| item.key == key).ok_or_else(missing)?;
    let note = item.answer.as_ref().and_then(|answer| answer.note.clone()).map(|note| note.0);
    let (pairs, entries) = if kind.number == INSPECTION.number {
        let entry = finding(&document, kind, item, note.as_deref());
        (vec![Pair::new("faults_raise_ticket", "yes")], entry.into_iter().collect())
    } else {
        (next_action(&document, kind, item, note.as_deref()).into_iter().collect(), Vec::new())
    };
    let mut writes = registers::writes(store, kind, Some(&document), &pairs, store.zone())?;
    writes.extend(add::writes(store, kind, Some(&document), &entries, now)?);
    if writes.is_empty() {
        return Ok(Changed { id: document.id, op: None });
    }
    writes.sort_by_key(|write| write.tag);
    let on = On::Document(document.id);
    let op = NewOp { kind: kind.number, schema: kind.schema, on, writes, local: None };
    Ok(Changed { id: document.id, op: store.save(vec![op], now)?.first().copied() })
}

/// Writes a word beside the answer of an item; the empty one takes it away.
///
/// # Errors
/// W-06 where the sheet is sealed; [`NotebookError::Store`].
pub fn note(store: &mut Store, sheet: &str, key: &str, text: &str, now: Now) -> Result<(), NotebookError> {
    let (document, kind) = find::document(store, sheet, SHEETS)?;
    let answers: Vec<Answers> = rows::record(kind, &document).all();
    let Some(mut answer) =
        answers.into_iter().find(|answer| answer.item.as_ref().is_some_and(|item| item.0 == key))
    else {
        return Ok(());
    };
    let text = Some(cut(text.trim(), 500)).filter(|text| !text.is_empty()).map(Text);
    if answer.note == text {
        return Ok(());
    }
    answer.note = text;
    registers::may_write(kind, &Answers::GROUP, Some(&document))?;
    let write = add::write(&Answers::GROUP, Some(&document), vec![typed::row(&answer)]);
    let on = On::Document(document.id);
    let op = NewOp { kind: kind.number, schema: kind.schema, on, writes: vec![write], local: None };
    store.save(vec![op], now)?;
    Ok(())
}

/// A finding of that code that stands there already is enough.
fn finding(document: &Document, kind: &'static Kind, item: &Asked, note: Option<&str>) -> Option<Entry> {
    let record = rows::record(kind, document);
    let same = |row: &Findings| row.code.as_ref().is_some_and(|code| code.0 == cut(&item.key, 60));
    if record.all::<Findings>().iter().any(same) {
        return None;
    }
    let of = |photo: &Photos| photo.item.as_ref().is_some_and(|key| key.0 == item.key);
    let photo = record.all::<Photos>().into_iter().rev().find(of).and_then(|photo| photo.file);
    let word = |name: &str, value: &str| format!("{name}={value}");
    let mut words = vec![
        word("code", &cut(&item.key, 60)),
        word("item", &cut(item.label(), 200)),
        word("result", "fault"),
        word("fixed", "no"),
    ];
    words.extend(note.map(|note| word("problem", note)));
    words.extend(photo.map(|photo| word("photo", &records::hex::of(&photo.0))));
    Some(Entry { list: Findings::GROUP.name.to_owned(), words, files: Vec::new() })
}

fn next_action(document: &Document, kind: &'static Kind, item: &Asked, note: Option<&str>) -> Option<Pair> {
    let standing = match rows::value(kind, document, "next_action") {
        Some(Value::Text(text)) => text,
        _ => String::new(),
    };
    let line = note.map_or_else(|| item.label().to_owned(), |note| format!("{}: {note}", item.label()));
    if standing.lines().any(|known| known == line) {
        return None;
    }
    let text = if standing.is_empty() { line } else { format!("{standing}\n{line}") };
    Some(Pair::new("next_action", cut(&text, 1000)))
}

fn cut(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

/// Returns whether answers can still be written.
#[must_use]
pub fn is_open(document: &Document) -> bool {
    document.state == sheet_machine::DRAFT
}

#[cfg(test)]
mod tests {
    use records::kinds::repair::REPAIR;
    use records::kinds::sheet::Answer;

    use super::*;
    use crate::notebook::add::{Add, add};
    use crate::notebook::create::{Create, create};
    use crate::store::testing::{NOW, home};

    fn sheet(store: &mut Store, kind: &'static Kind) -> String {
        let request = Create { kind, job: None, pairs: Vec::new(), entries: Vec::new() };
        create(store, &request, NOW).unwrap().id.to_string()
    }

    fn answer(store: &mut Store, sheet: &str, words: &[&str]) {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let (record, list) = (sheet.to_owned(), "answer".to_owned());
        add(store, &Add { record, wanted: SHEETS, list, words, files: Vec::new() }, NOW).unwrap();
    }

    fn items(store: &Store, sheet: &str) -> Vec<Asked> {
        let (document, kind) = find::document(store, sheet, SHEETS).unwrap();
        asked(store, (&document, kind), Lang::En).unwrap()
    }

    #[test]
    fn the_next_item_is_the_first_open_one_behind_and_then_from_the_start() {
        let (_dir, mut store) = home();
        let sheet = sheet(&mut store, &INSPECTION);
        assert_eq!(next(&items(&store, &sheet), None), Some(0));
        answer(&mut store, &sheet, &["item=leaks", "answer=ok"]);
        let found = items(&store, &sheet);
        assert_eq!(found[1].answer.as_ref().unwrap().answer, Some(Answer::OK));
        assert_eq!(
            (next(&found, Some(1)), next(&found, Some(0)), next(&found, Some(5))),
            (Some(2), Some(2), Some(0))
        );
    }

    #[test]
    fn a_fault_becomes_one_finding_and_a_ticket_however_often_it_is_asked_for() {
        let (_dir, mut store) = home();
        let sheet = sheet(&mut store, &INSPECTION);
        answer(&mut store, &sheet, &["item=leaks", "answer=fault", "note=seal drips"]);
        for _ in 0..2 {
            raise(&mut store, &sheet, "leaks", Lang::En, NOW).unwrap();
        }
        let (document, kind) = find::document(&store, &sheet, SHEETS).unwrap();
        let findings: Vec<Findings> = rows::record(kind, &document).all();
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].problem.as_ref().unwrap().0, "seal drips");
        assert_eq!(rows::value(kind, &document, "faults_raise_ticket"), Some(Value::Bool(true)));
        assert!(raise(&mut store, &sheet, "nonsense", Lang::En, NOW).is_err());
    }

    #[test]
    fn on_a_repair_sheet_a_fault_is_what_is_to_be_done_next() {
        let (_dir, mut store) = home();
        let sheet = sheet(&mut store, &REPAIR);
        for key in ["test_run", "cleaned", "test_run"] {
            raise(&mut store, &sheet, key, Lang::En, NOW).unwrap();
        }
        let (document, kind) = find::document(&store, &sheet, SHEETS).unwrap();
        let text = rows::value(kind, &document, "next_action");
        assert_eq!(text, Some(Value::Text("Test run fine\nSite cleaned".to_owned())));
    }
}
