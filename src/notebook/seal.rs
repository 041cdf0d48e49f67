//! Sealing a sheet: the customer's signature, the open points, the number, and the decision, saved as one.

use records::checklist::Template;
use records::id::DocId;
use records::kinds::customer::{CUSTOMER, Contacts};
use records::kinds::template::SheetType;
use records::kinds::{number, sheet};
use records::number::{Block, Letter, SheetNo, suspended};
use records::problems::{Problem, before_seal};
use records::record::Record;
use records::schema::{Kind, Typed};
use records::time::Day;
use records::value::text::Lang;
use records::value::{Row, Target, Value, encode};
use sync_protocol::merge::Document;
use sync_protocol::merge::fingerprint::content_digest;
use sync_protocol::op::Write;

use crate::clock::Now;
use crate::notebook::find::{self, Wanted};
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::state::{self, Taken};
use crate::notebook::{attach, rows, visits};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::state::RECOUNT;
use crate::store::write::{NewOp, On};

/// How the customer answered for the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    /// He signed.
    By {
        /// His name.
        name: String,
        /// What he is there.
        role: Option<String>,
        /// The picture of his signature.
        picture: attach::Given,
    },
    /// He did not, for this reason.
    Not(String),
    /// What stands in the sheet already.
    AsWritten,
}

/// What to seal.
#[derive(Debug, Clone)]
pub struct Seal {
    /// The sheet.
    pub record: String,
    /// How the customer answered for it.
    pub signed: Signed,
    /// In which language the items of a built-in checklist are named.
    pub lang: Lang,
}

/// What was sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The sheet.
    pub id: DocId,
    /// Its number; `T*` and its code while the device may not give numbers.
    pub number: String,
}

/// Seals a sheet and returns its number once it is saved.
///
/// # Errors
/// W-14 with the open points, and what [`state::decide`] refuses; nothing is then sealed.
pub fn seal(store: &mut Store, request: &Seal, now: Now) -> Result<Sealed, NotebookError> {
    let (document, kind) = find::document(store, &request.record, Wanted::Kind(number::SHEET))?;
    let decision = state::decide(store, kind, &document, &Taken { step: "seal", ..Taken::default() })?;
    let mut writes = vec![decision];
    writes.extend(signature(store, &document, &request.signed, now)?);
    let points = open_points(store, kind, &document, &writes, request.lang)?;
    if !points.is_empty() {
        return Err(Refusal::unfinished(document.id.code(), points).into());
    }
    let number = match rows::value(kind, &document, "sheet_no") {
        Some(Value::Text(number)) => number,
        _ => {
            let number = give_number(store, kind, document.id, now)?;
            let group = sheet::SheetNo::GROUP;
            let bytes = encode(group.fields, &[Some(Value::Text(number.clone()))]);
            writes.push(Write { tag: group.tag(), bytes });
            number
        }
    };
    writes.sort_by_key(|write| write.tag);
    let on = On::Document(document.id);
    let mut ops = vec![NewOp { kind: kind.number, schema: kind.schema, on, writes, local: None }];
    ops.extend(amended(store, kind, &document)?);
    store.save(ops, now)?;
    Ok(Sealed { id: document.id, number })
}

/// Returns what stands between the sheet, with these writes, and its seal.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn open_points(
    store: &Store,
    kind: &'static Kind,
    document: &Document,
    writes: &[Write],
    lang: Lang,
) -> Result<Vec<Problem>, NotebookError> {
    let mut record = rows::record(kind, document);
    for write in writes.iter().filter(|write| write.tag != records::decision::DECISION_TAG) {
        record.write(write.tag, &write.bytes).map_err(|_| StoreError::Unordered)?;
    }
    let template = checklist(store, &record, lang)?;
    let problems = before_seal(&record, &template, store.identity().enrolment.zone);
    Ok(problems.into_iter().filter(Problem::blocks).collect())
}

/// Returns the sheet's checklist: the linked one where it is here, else the generic one of its type.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn checklist(store: &Store, record: &Record, lang: Lang) -> Result<Template, StoreError> {
    if let Some(Value::Ref(Target::Doc(id))) = record.value("checklist_tpl")
        && let Some(document) = store.document(*id)?
        && let Some(kind) = records::kinds::by_number(document.kind)
    {
        return Ok(Template::of(&rows::record(kind, &document)));
    }
    let sheet = match record.kind.number {
        number::INSTALL => SheetType::INSTALL,
        number::REPAIR => SheetType::REPAIR,
        _ => SheetType::INSPECTION,
    };
    Ok(Template::built_in(sheet, lang))
}

/// Returns who most likely signs, and what he is there: whoever signed the machine's last sheet, else the first of the
/// customer's contacts. `None` where nobody is known.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn signer(
    store: &Store,
    kind: &'static Kind,
    document: &Document,
) -> Result<Option<(String, String)>, NotebookError> {
    let text = |text: Option<String>| text.unwrap_or_default();
    for machine in visits::machines(document, kind) {
        for (sheet, kind) in visits::of_asset(store, machine, SHEETS_MAX)? {
            let sign = rows::record(kind, &sheet).get::<sheet::CustomerSign>().unwrap_or_default();
            if let Some(name) = sign.signer_name {
                return Ok(Some((name.0, text(sign.signer_role.map(|role| role.0)))));
            }
        }
    }
    let Some(Value::Ref(Target::Doc(customer))) = rows::value(kind, document, "customer") else {
        return Ok(None);
    };
    let customer = store.document(customer)?;
    let contacts = customer.map(|customer| rows::record(&CUSTOMER, &customer).all::<Contacts>());
    let first = contacts.into_iter().flatten().find(|contact| contact.name.is_some());
    Ok(first.map(|first| (text(first.name.map(|name| name.0)), text(first.role.map(|role| role.0)))))
}

/// Sheets of a machine that are looked through for a signer.
const SHEETS_MAX: usize = 5;

fn signature(
    store: &Store,
    document: &Document,
    signed: &Signed,
    now: Now,
) -> Result<Option<Write>, NotebookError> {
    let group = sheet::CustomerSign::GROUP;
    let fields = group.fields;
    let mut row: Row = vec![None; fields.len()];
    let mut put = |name: &str, value: Option<Value>| {
        if let Some((_, place)) = fields.iter().zip(&mut row).find(|(field, _)| field.name == name) {
            *place = value;
        }
    };
    let typed = |name: &str, text: &str| match fields.iter().find(|field| field.name == name) {
        Some(field) => crate::notebook::pair::value(field, text, store.identity().enrolment.zone),
        None => Ok(None),
    };
    match signed {
        Signed::AsWritten => return Ok(None),
        Signed::Not(reason) => put("no_sign_reason", typed("no_sign_reason", reason)?),
        Signed::By { name, role, picture } => {
            put("signer_name", typed("signer_name", name)?);
            put("signer_role", typed("signer_role", role.as_deref().unwrap_or_default())?);
            put("png", Some(Value::File(attach::document(store, picture)?.hash.0)));
            put("at", Some(Value::Int(now.wall.0)));
            put("sheet_hash", Some(Value::File(content_digest(&[document]).to_vec())));
        }
    }
    Ok(Some(Write { tag: group.tag(), bytes: encode(fields, &row) }))
}

/// Returns the next number of the device's block. It is noted as given before the sheet is saved: a hole in the
/// numbers harms nobody, a number given twice does.
fn give_number(store: &mut Store, kind: &Kind, id: DocId, now: Now) -> Result<String, NotebookError> {
    let enrolment = &store.identity().enrolment;
    let day = now.wall.day(enrolment.zone);
    let block = Block { first: enrolment.sheet_block.0, last: enrolment.sheet_block.1 };
    let (center, staff) = (enrolment.center_code.clone(), enrolment.staff_code.clone());
    let Some(letter) = Letter::of(kind.number).filter(|_| !store.numbers_suspended()) else {
        return Ok(suspended(&id));
    };
    let setting = given_setting(day);
    let used = given(store, &setting, day)?;
    let number =
        block.after(used).and_then(|n| Some((n, SheetNo::new(letter, &center, &staff, day, n).ok()?)));
    let Some((n, number)) = number else {
        return Ok(suspended(&id));
    };
    store.put_setting(&setting, n.to_le_bytes().to_vec())?;
    if recount(store)? {
        store.put_setting(RECOUNT, vec![0])?;
    }
    Ok(number.to_string())
}

/// Returns the number that the next seal would give; `None` where the block is used up or numbers wait.
///
/// Of a home that has not sealed a sheet this month it is the first of its block.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn next_number(store: &Store, now: Now) -> Result<Option<u32>, StoreError> {
    let enrolment = &store.identity().enrolment;
    let block = Block { first: enrolment.sheet_block.0, last: enrolment.sheet_block.1 };
    let day = now.wall.day(enrolment.zone);
    let setting = given_setting(day);
    let used = if recount(store)? { given(store, &setting, day)? } else { noted(store, &setting)? };
    Ok(block.after(used).filter(|_| !store.numbers_suspended()))
}

/// Returns whether sheets may have come back whose numbers are not noted as given here.
fn recount(store: &Store) -> Result<bool, StoreError> {
    Ok(store.setting(RECOUNT)?.is_some_and(|asked| asked == [1]))
}

fn noted(store: &Store, setting: &str) -> Result<Option<u32>, StoreError> {
    let bytes = store.setting(setting)?;
    Ok(bytes.and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes))
}

fn given_setting(day: Day) -> String {
    let (year, month, _) = day.ymd().unwrap_or_default();
    format!("sheet_no.{year:04}-{month:02}")
}

/// Returns the highest number given this month. A setting may be lost with the database, or be older than sheets that
/// came back from HQ: then the sheets tell.
fn given(store: &Store, setting: &str, day: Day) -> Result<Option<u32>, StoreError> {
    let mut highest = noted(store, setting)?;
    if highest.is_some() && !recount(store)? {
        return Ok(highest);
    }
    let month = day.ymd().map(|(year, month, _)| (year, month));
    for kind in [number::INSTALL, number::REPAIR, number::INSPECTION] {
        let Some(kind) = records::kinds::by_number(kind) else {
            continue;
        };
        let own = store.identity().enrolment.replica;
        store.each(Some(kind.number), &mut |document| {
            let Some(Value::Text(text)) = rows::value(kind, &document, "sheet_no") else {
                return std::ops::ControlFlow::Continue(());
            };
            let number = text.parse::<SheetNo>().ok().filter(|number| {
                document.id.0.replica == own
                    && month == Some((2000 + i32::from(number.year), number.month.into()))
            });
            highest = highest.max(number.map(|number| number.n));
            std::ops::ControlFlow::Continue(())
        })?;
    }
    Ok(highest)
}

/// The seal of a correcting sheet closes the one it corrects, where that one still lets it.
fn amended(store: &Store, kind: &'static Kind, document: &Document) -> Result<Option<NewOp>, NotebookError> {
    let Some(Value::Ref(Target::Doc(original))) = rows::value(kind, document, "amend_of") else {
        return Ok(None);
    };
    let Some(original) = store.document(original)? else {
        return Ok(None);
    };
    let reason = match rows::value(kind, document, "amend_reason") {
        Some(Value::Text(reason)) => reason,
        _ => String::new(),
    };
    let taken = Taken { step: "amend", reason: &reason, ..Taken::default() };
    match state::decide(store, kind, &original, &taken) {
        Ok(decision) => Ok(Some(NewOp {
            kind: kind.number,
            schema: kind.schema,
            on: On::Document(original.id),
            writes: vec![decision],
            local: None,
        })),
        // Somebody was first, at HQ or on another device: the correction is sealed all the same.
        Err(NotebookError::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
