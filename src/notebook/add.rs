//! Adding an entry to one of a record's lists: a part, a photo, a note, an answer.

use std::collections::BTreeMap;
use std::path::Path;

use records::duplicate::PictureHash;
use records::kinds::number;
use records::kinds::sheet::PhotoKind;
use records::kinds::voucher::Look;
use records::schema::{Class, Field, Group, Kind, SetChange, Typed};
use records::value::payload::{encode_rows, encode_set};
use records::value::{FileHash, Row, Type, Value};
use sync_protocol::merge::Document;
use sync_protocol::op::Write;

use crate::clock::Now;
use crate::notebook::attach::{self, Attached, Given};
use crate::notebook::find::{self, Wanted};
use crate::notebook::pair::{Pair, value};
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::registers::may_write;
use crate::notebook::rows;
use crate::notebook::set::Changed;
use crate::store::Store;
use crate::store::write::{NewOp, On};

/// What to add.
#[derive(Debug, Clone)]
pub struct Add {
    /// The record.
    pub record: String,
    /// Which kinds the command is about.
    pub wanted: Wanted,
    /// The list's name.
    pub list: String,
    /// `name=value`, or values alone in the order of the list's fields.
    pub words: Vec<String>,
    /// Files that are no words: for which field, and the file.
    pub files: Vec<(String, Given)>,
}

/// Adds an entry and returns the op once it is saved. Files that it names are kept first.
///
/// # Errors
/// W-01 no such list or field, W-02 bad value, W-06 closed record; [`NotebookError::File`], [`NotebookError::Store`].
pub fn add(store: &mut Store, request: &Add, now: Now) -> Result<Changed, NotebookError> {
    let Add { record, wanted, list, words, files } = request.clone();
    add_all(store, (&record, wanted), &[Entry { list, words, files }], now)
}

/// Adds several entries with one op and returns it once it is saved.
///
/// # Errors
/// As [`add`].
pub fn add_all(
    store: &mut Store,
    (record, wanted): (&str, Wanted),
    entries: &[Entry],
    now: Now,
) -> Result<Changed, NotebookError> {
    let (document, kind) = find::document(store, record, wanted)?;
    let writes = writes(store, kind, Some(&document), entries, now)?;
    let on = On::Document(document.id);
    let op = NewOp { kind: kind.number, schema: kind.schema, on, writes, local: None };
    Ok(Changed { id: document.id, op: store.save(vec![op], now)?.first().copied() })
}

/// One entry for one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The list's name.
    pub list: String,
    /// `name=value`, or values alone in the order of the list's fields.
    pub words: Vec<String>,
    /// Files that are no words: for which field, and the file.
    pub files: Vec<(String, Given)>,
}

/// Returns the writes that add entries, one a list, by rising tag.
///
/// # Errors
/// As [`add`].
pub fn writes(
    store: &Store,
    kind: &'static Kind,
    document: Option<&Document>,
    entries: &[Entry],
    now: Now,
) -> Result<Vec<Write>, NotebookError> {
    let mut lists: BTreeMap<u16, (&'static Group, Vec<Row>)> = BTreeMap::new();
    let mut seen = None;
    for entry in entries {
        let group = list(kind, &entry.list)?;
        may_write(kind, group, document)?;
        let (row, attached) = row(store, group, entry, now)?;
        seen = seen.or(attached.and_then(|attached| attached.look));
        lists.entry(group.tag().0).or_insert_with(|| (group, Vec::new())).1.push(row);
    }
    let mut writes: Vec<Write> =
        lists.into_values().map(|(group, rows)| write(group, document, rows)).collect();
    writes.extend(seen.and_then(|seen| look(kind, document, seen)));
    writes.sort_by_key(|write| write.tag);
    Ok(writes)
}

/// Returns the write of what a voucher's photo looks like; the first photo's counts.
fn look(kind: &Kind, document: Option<&Document>, seen: PictureHash) -> Option<Write> {
    let group = &Look::GROUP;
    let known = document.is_some_and(|document| !rows::of(group, document).is_empty());
    if kind.number != number::VOUCHER || known {
        return None;
    }
    let row = [Some(Value::File(seen.digest().0))];
    Some(Write { tag: group.tag(), bytes: records::value::encode(group.fields, &row) })
}

/// Returns the list of that name.
///
/// # Errors
/// W-01, with the lists that there are.
pub fn list(kind: &'static Kind, name: &str) -> Result<&'static Group, Refusal> {
    let lists =
        || kind.groups.iter().copied().filter(|group| matches!(group.class, Class::Ledger | Class::Set));
    lists().find(|group| group.name == name).ok_or_else(|| {
        let names: Vec<&str> = lists().map(|group| group.name).collect();
        Refusal::by("W-01")
            .case("list")
            .with("list", name)
            .with("kind", kind.name)
            .with("lists", names.join(", "))
    })
}

/// Gives the words that name no field to the fields in order.
///
/// # Errors
/// W-01 where there are more words than fields.
pub fn pairs(group: &Group, words: &[String]) -> Result<Vec<Pair>, Refusal> {
    let named = |word: &str| {
        Pair::parse(word).filter(|pair| group.fields.iter().any(|field| field.name == pair.name))
    };
    let mut pairs: Vec<Pair> = words.iter().filter_map(|word| named(word)).collect();
    let taken: Vec<String> = pairs.iter().map(|pair| pair.name.clone()).collect();
    let mut free = group.fields.iter().filter(|field| !taken.iter().any(|name| name == field.name));
    for word in words.iter().filter(|word| named(word).is_none()) {
        let field = free.next().ok_or_else(|| {
            let fields: Vec<&str> = group.fields.iter().map(|field| field.name).collect();
            Refusal::by("W-01").case("words").with("value", word.as_str()).with("fields", fields.join(", "))
        })?;
        pairs.push(Pair::new(field.name, word.as_str()));
    }
    Ok(pairs)
}

/// Returns the row of an entry, and the first file that it names.
fn row(
    store: &Store,
    group: &Group,
    entry: &Entry,
    now: Now,
) -> Result<(Row, Option<Attached>), NotebookError> {
    let zone = store.identity().enrolment.zone;
    let pairs = &pairs(group, &entry.words)?;
    let mut row: Row = vec![None; group.fields.len()];
    let mut attached = None;
    for (name, given) in &entry.files {
        let found = group.fields.iter().zip(&mut row).find(|(field, _)| field.name == *name);
        let Some((field, place)) = found.filter(|(field, _)| field.ty == Type::File) else { continue };
        let kept = keep(store, group, field, given, pairs)?;
        *place = Some(Value::File(kept.hash.0.clone()));
        attached.get_or_insert(kept);
    }
    for pair in pairs {
        let found = group.fields.iter().zip(&mut row).find(|(field, _)| field.name == pair.name);
        let Some((field, place)) = found else { continue };
        *place = match field.ty {
            Type::File => {
                let kept = named(store, group, field, &pair.value, pairs)?;
                let hash = kept.hash.0.clone();
                attached.get_or_insert(kept);
                Some(Value::File(hash))
            }
            _ => match value(field, &pair.value, zone)? {
                Some(value) => Some(find::link(store, field.ty, value)?),
                None => None,
            },
        };
    }
    describe(group, attached.as_ref(), &mut row, now);
    if row.iter().all(Option::is_none) {
        return Err(Refusal::by("W-02").case("nothing").label("list", group.zh, group.en).into());
    }
    Ok((row, attached))
}

/// Keeps the file that a pair names: by its path, or by its content where it is elsewhere.
fn named(
    store: &Store,
    group: &Group,
    field: &Field,
    text: &str,
    pairs: &[Pair],
) -> Result<Attached, NotebookError> {
    let path = Path::new(text);
    let zone = store.identity().enrolment.zone;
    match Value::parse(Type::File, text, zone) {
        Ok(Value::File(hash)) if !path.exists() => Ok(Attached::elsewhere(hash)),
        _ => keep(store, group, field, &Given::Path(path.to_path_buf()), pairs),
    }
}

/// Keeps a file. What papers and the law ask for stays byte for byte, any other picture is a photo.
fn keep(
    store: &Store,
    group: &Group,
    field: &Field,
    given: &Given,
    pairs: &[Pair],
) -> Result<Attached, NotebookError> {
    let zone = store.identity().enrolment.zone;
    let kind = group.fields.iter().find(|field| field.ty == Type::Choice(&PhotoKind::CHOICES));
    let kind = kind.and_then(|kind| Some((kind, pairs.iter().find(|pair| pair.name == kind.name)?)));
    let kind = kind.map(|(kind, pair)| value(kind, &pair.value, zone)).transpose()?.flatten();
    let exact = [PhotoKind::INVOICE_FILE, PhotoKind::SIGNATURE, PhotoKind::DOC, PhotoKind::VOICE];
    let photo = matches!(field.name, "file" | "photo");
    match kind {
        Some(Value::Choice(kind)) if exact.contains(&PhotoKind(kind)) => attach::document(store, given),
        _ if photo => attach::photo(store, given),
        _ => attach::document(store, given),
    }
}

/// Fills in what the device knows of an entry by itself: when it was made, and a file's size, format and thumbnail.
fn describe(group: &Group, attached: Option<&Attached>, row: &mut Row, now: Now) {
    let int = |n: usize| i64::try_from(n).ok().map(Value::Int);
    let file = |hash: &FileHash| Value::File(hash.0.clone());
    for (field, place) in group.fields.iter().zip(row.iter_mut()).filter(|(_, place)| place.is_none()) {
        let known = attached.filter(|attached| attached.bytes.is_some());
        *place = match (field.name, field.ty) {
            ("taken_at", Type::Ts) => Some(Value::Int(now.wall.0)),
            ("size", Type::Count) => known.and_then(|file| i64::try_from(file.bytes?).ok()).map(Value::Int),
            ("mime", Type::Text(_)) => {
                known.and_then(|file| file.mime).map(|mime| Value::Text(mime.to_owned()))
            }
            ("width", Type::Count) => known.and_then(|file| int(file.pixels?.0)),
            ("height", Type::Count) => known.and_then(|file| int(file.pixels?.1)),
            ("thumb", Type::File) => known.and_then(|known| known.thumb.as_ref()).map(file),
            ("original", Type::File) => known.and_then(|known| known.original.as_ref()).map(file),
            ("original_kept", Type::Bool) => {
                known.and_then(|known| known.original.as_ref()).map(|_| Value::Bool(true))
            }
            _ => None,
        };
    }
}

/// Returns the write that adds rows. An element whose key stands there already gives way to the new one.
#[must_use]
pub fn write(group: &Group, document: Option<&Document>, rows: Vec<Row>) -> Write {
    let bytes = match group.class {
        Class::Set => {
            let old = document.map(|document| rows::of(group, document)).unwrap_or_default();
            let replaced = |old: &rows::Standing| {
                let same = |row: &Row| group.key.is_some_and(|key| row.get(key) == old.values.get(key));
                rows.iter().any(same)
            };
            let remove = old.into_iter().filter(replaced).map(|old| (old.op, old.index)).collect();
            encode_set(group.fields, &SetChange { add: rows, remove })
        }
        _ => encode_rows(group.fields, &rows),
    };
    Write { tag: group.tag(), bytes }
}
