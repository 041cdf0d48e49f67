//! Writing on a sheet: fields, answers, photos, entries of its lists.

use pages::reply::Reply;
use pages::visit::part;

use crate::cli::fault::{Exit, Fault};
use crate::notebook::add::{self, Add, Entry};
use crate::notebook::attach::Given;
use crate::notebook::remove::{Remove, remove as take_out};
use crate::notebook::round;
use crate::notebook::set::{Set, set as write};
use crate::web::desk::Desk;
use crate::web::sheets::read::{self, ANY};
use crate::web::sheets::{form, view};

/// Returns the sheet again with what stands against the form.
fn again(desk: &Desk<'_>, id: &str, fault: &Fault, open: &str) -> Result<Reply, Fault> {
    let sheet = read::sheet(desk, id)?;
    desk.refused(&view::leaf(desk, &sheet, Some(open))?, fault)
}

/// Changes the fields of a topic.
pub(super) fn set(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let topic = desk.visit.form.get("topic").unwrap_or_default();
    let request = Set { record: id.to_owned(), wanted: ANY, pairs: form::changed(&desk.visit.form) };
    match desk.with(|store| write(store, &request, desk.now())) {
        Ok(_) => Ok(Reply::go(&format!("/sheets/{}?done=saved#t-{}", part(id), part(topic)))),
        Err(fault) => again(desk, id, &fault, topic),
    }
}

/// Answers an item of the checklist and goes on to the next open one.
///
/// A button says `answer=WORD KEY`; a value or a text comes in a form of its own with `item`.
pub(super) fn answer(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let form = &desk.visit.form;
    let (key, words) = match form.get("answer").and_then(|sent| sent.split_once(' ')) {
        Some((word, key)) => (key.to_owned(), vec![format!("answer={word}")]),
        None => (form.get("item").unwrap_or_default().to_owned(), said(desk)),
    };
    let before = read::sheet(desk, id)?;
    let Some(at) = before.items.iter().position(|item| item.key == key) else {
        return Err(Fault::new(Exit::Usage, "web.fault.no_page"));
    };
    let note = before.items.get(at).and_then(|item| item.answer.as_ref()?.note.clone());
    let fault = words.iter().any(|word| word == "answer=fault");
    let mut words = words;
    words.push(format!("item={key}"));
    if let Some(note) = note.filter(|_| !words.iter().any(|word| word.starts_with("note="))) {
        words.push(format!("note={}", note.0));
    }
    let request =
        Add { record: id.to_owned(), wanted: ANY, list: "answer".to_owned(), words, files: Vec::new() };
    if let Err(fault) = desk.with(|store| add::add(store, &request, desk.now())) {
        return again(desk, id, &fault, "items");
    }
    let back = if form.get("back") == Some("round") { "/round" } else { "" };
    if fault && !back.is_empty() {
        return Ok(Reply::go(&format!("/sheets/{}/fault?item={}", part(id), part(&key))));
    }
    let after = read::sheet(desk, id)?;
    let place =
        round::next(&after.items, Some(at)).map_or("#end".to_owned(), |next| format!("#item-{}", next + 1));
    Ok(Reply::go(&format!("/sheets/{}{back}{place}", part(id))))
}

/// What a form of one item says beside its key.
fn said(desk: &Desk<'_>) -> Vec<String> {
    let form = &desk.visit.form;
    let joined: Vec<&str> = form.all("option").collect();
    let mut words = Vec::new();
    if !joined.is_empty() {
        words.push(format!("text={}", joined.join(";")));
    }
    let bare = |value: &str| !value.chars().any(char::is_alphabetic) && !value.contains(['%', '°', '℃']);
    if let Some(value) = form.get("value") {
        let unit = form.get("unit").filter(|_| bare(value)).unwrap_or_default();
        words.push(format!("value={}", format!("{value} {unit}").trim()));
    }
    for name in ["text", "note"] {
        words.extend(form.get(name).map(|value| format!("{name}={value}")));
    }
    words
}

/// Adds photos, several at once.
pub(super) fn photos(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let form = &desk.visit.form;
    let item = form.get("item");
    let mut words: Vec<String> = item.iter().map(|item| format!("item={item}")).collect();
    for name in ["kind", "caption"] {
        words.extend(form.get(name).map(|value| format!("{name}={value}")));
    }
    let entries: Vec<Entry> = desk
        .visit
        .uploads("photo")
        .map(|upload| Entry {
            list: "photo".to_owned(),
            words: words.clone(),
            files: vec![(
                "file".to_owned(),
                Given::Bytes { name: upload.name.clone(), bytes: upload.bytes.clone() },
            )],
        })
        .collect();
    if entries.is_empty() {
        return again(desk, id, &Fault::new(Exit::Usage, "web.fault.no_photo"), "photos");
    }
    match desk.with(|store| add::add_all(store, (id, ANY), &entries, desk.now())) {
        Err(fault) => again(desk, id, &fault, "photos"),
        Ok(_) => Ok(Reply::go(&match (form.get("back"), item) {
            (Some("fault"), Some(item)) => format!("/sheets/{}/fault?item={}", part(id), part(item)),
            _ => format!("/sheets/{}?done=photos#photos", part(id)),
        })),
    }
}

/// Adds an entry to a list.
pub(super) fn add(desk: &Desk<'_>, id: &str, list: &str) -> Result<Reply, Fault> {
    let filled = desk.visit.form.under("set.").into_iter().filter(|(_, value)| !value.is_empty());
    let words = filled.map(|(name, value)| format!("{name}={value}")).collect();
    let files = desk.visit.files.iter().filter_map(|upload| {
        let field = upload.field.strip_prefix("file.")?.to_owned();
        Some((field, Given::Bytes { name: upload.name.clone(), bytes: upload.bytes.clone() }))
    });
    let files = files.collect();
    let request = Add { record: id.to_owned(), wanted: ANY, list: list.to_owned(), words, files };
    match desk.with(|store| add::add(store, &request, desk.now())) {
        Ok(_) => Ok(Reply::go(&format!("/sheets/{}?done=saved#l-{}", part(id), part(list)))),
        Err(fault) => again(desk, id, &fault, list),
    }
}

/// Takes an entry out of a list.
pub(super) fn remove(desk: &Desk<'_>, id: &str, list: &str) -> Result<Reply, Fault> {
    let words = desk.visit.form.all("word").map(str::to_owned).collect();
    let request = Remove { record: id.to_owned(), wanted: ANY, list: list.to_owned(), words };
    match desk.with(|store| take_out(store, &request, desk.now())) {
        Ok(_) => Ok(Reply::go(&format!("/sheets/{}?done=removed#l-{}", part(id), part(list)))),
        Err(fault) => again(desk, id, &fault, list),
    }
}
