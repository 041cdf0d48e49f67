//! Adding an entry to one of a record's lists: a part, a photo, a note, an answer.

use std::collections::BTreeMap;
use std::path::Path;

use records::schema::{Class, Group, Kind, SetChange};
use records::value::payload::{encode_rows, encode_set};
use records::value::{Row, Type, Value};
use sync_protocol::merge::Document;
use sync_protocol::op::Write;

use crate::clock::Now;
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
}

/// Adds an entry and returns the op once it is saved. Files that it names are kept first.
///
/// # Errors
/// W-01 no such list or field, W-02 bad value, W-06 closed record; [`NotebookError::File`], [`NotebookError::Store`].
pub fn add(store: &mut Store, request: &Add, now: Now) -> Result<Changed, NotebookError> {
    let (document, kind) = find::document(store, &request.record, request.wanted)?;
    let entry = Entry { list: request.list.clone(), words: request.words.clone() };
    let writes = writes(store, kind, Some(&document), &[entry], now)?;
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
    for entry in entries {
        let group = list(kind, &entry.list)?;
        may_write(kind, group, document)?;
        let row = row(store, group, &pairs(group, &entry.words)?, now)?;
        lists.entry(group.tag().0).or_insert_with(|| (group, Vec::new())).1.push(row);
    }
    Ok(lists.into_values().map(|(group, rows)| write(group, document, rows)).collect())
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

fn row(store: &Store, group: &Group, pairs: &[Pair], now: Now) -> Result<Row, NotebookError> {
    let zone = store.identity().enrolment.zone;
    let mut row: Row = vec![None; group.fields.len()];
    for pair in pairs {
        let found = group.fields.iter().zip(&mut row).find(|(field, _)| field.name == pair.name);
        let Some((field, place)) = found else { continue };
        *place = match field.ty {
            Type::File => Some(Value::File(file(store, &pair.value)?)),
            _ => match value(field, &pair.value, zone)? {
                Some(value) => Some(find::link(store, field.ty, value)?),
                None => None,
            },
        };
    }
    describe(group, pairs, &mut row, now);
    if row.iter().all(Option::is_none) {
        return Err(Refusal::by("W-02").case("nothing").label("list", group.zh, group.en).into());
    }
    Ok(row)
}

/// Fills in what the device knows of an entry by itself: when it was made, and a file's size and format.
fn describe(group: &Group, pairs: &[Pair], row: &mut Row, now: Now) {
    let path = group.fields.iter().find(|field| field.ty == Type::File).and_then(|field| {
        pairs.iter().find(|pair| pair.name == field.name).map(|pair| Path::new(&pair.value))
    });
    for (field, place) in group.fields.iter().zip(row.iter_mut()).filter(|(_, place)| place.is_none()) {
        *place = match (field.name, field.ty) {
            ("taken_at", Type::Ts) => Some(Value::Int(now.wall.0)),
            ("size", Type::Count) => path
                .and_then(|path| std::fs::metadata(path).ok())
                .and_then(|meta| i64::try_from(meta.len()).ok())
                .map(Value::Int),
            ("mime", Type::Text(_)) => path.and_then(mime).map(|mime| Value::Text(mime.to_owned())),
            _ => None,
        };
    }
}

fn mime(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => Some("image/jpeg"),
        "png" => Some("image/png"),
        "webp" => Some("image/webp"),
        "heic" => Some("image/heic"),
        "pdf" => Some("application/pdf"),
        "ofd" => Some("application/ofd"),
        "xml" => Some("application/xml"),
        "m4a" => Some("audio/mp4"),
        _ => None,
    }
}

/// Keeps a file and returns its hash; a hash written out stands for a file that is not here.
///
/// # Errors
/// [`NotebookError::File`]; [`NotebookError::Store`] where it is too large or there is no room.
pub fn file(store: &Store, text: &str) -> Result<Vec<u8>, NotebookError> {
    let path = Path::new(text);
    let hash = Value::parse(Type::File, text, store.identity().enrolment.zone);
    if !path.exists()
        && let Ok(Value::File(hash)) = hash
    {
        return Ok(hash);
    }
    let failed = |source| NotebookError::File { path: path.to_path_buf(), source };
    let mut reader = std::fs::File::open(path).map_err(failed)?;
    Ok(crate::blobs::Blobs::of(store).put(&mut reader)?.hash.0)
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
