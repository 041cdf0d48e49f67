//! Beginning work on the spot: the steps of a job up to the site, and the sheet that it asks for.

use records::id::DocId;
use records::kinds::job::JOB;
use records::kinds::repair::REPAIR;
use records::kinds::template::SheetType;
use records::kinds::{job_machine as at, number, sheet_machine};
use records::schema::Kind;
use records::value::{Target, Value};
use sync_protocol::merge::Document;

use crate::clock::Now;
use crate::notebook::add::Entry;
use crate::notebook::create::{Create, create};
use crate::notebook::find::{self, Wanted};
use crate::notebook::pair::Pair;
use crate::notebook::refusal::NotebookError;
use crate::notebook::set::Changed;
use crate::notebook::state::{self, Taken};
use crate::notebook::step::{Step, step};
use crate::notebook::{rows, visits};
use crate::store::Store;

const JOBS: Wanted = Wanted::Kind(number::JOB);

/// The sheet that was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Its id.
    pub id: DocId,
    /// Its kind.
    pub kind: &'static Kind,
}

/// Notes the arrival; `fix` is where the device is.
///
/// # Errors
/// What [`step`] refuses.
pub fn arrive(store: &mut Store, job: &str, fix: Option<&str>, now: Now) -> Result<Changed, NotebookError> {
    let taken = Taken { step: "arrive", ..Taken::default() };
    let request = Step { record: job, wanted: JOBS, taken, pairs: Vec::new(), entries: place("arrive", fix) };
    step(store, &request, now)
}

/// Returns the entry that says where the device was at a step.
#[must_use]
pub fn place(step: &str, fix: Option<&str>) -> Vec<Entry> {
    let entry = |fix| Entry {
        list: "fix".to_owned(),
        words: vec![format!("step={step}"), format!("fix={fix}")],
        files: Vec::new(),
    };
    fix.map(entry).into_iter().collect()
}

/// Takes the steps that lead to the site from wherever the job is, and opens its sheet.
///
/// Whoever taps twice gets the same sheet.
///
/// # Errors
/// What [`step`] and [`create`] refuse.
pub fn begin(store: &mut Store, job: &str, fix: Option<&str>, now: Now) -> Result<Opened, NotebookError> {
    loop {
        let (document, _) = find::document(store, job, JOBS)?;
        let name = match document.state {
            at::ON_SITE | at::WORKING | at::PAUSED => break,
            at::OFFERED => "accept",
            at::HANDED_OVER => "take",
            // From where there is no way to the site, the machine says so.
            _ => {
                arrive(store, job, fix, now)?;
                break;
            }
        };
        let taken = Taken { step: name, ..Taken::default() };
        let request = Step { record: job, wanted: JOBS, taken, pairs: Vec::new(), entries: Vec::new() };
        step(store, &request, now)?;
    }
    open_sheet(store, job, fix, now)
}

/// Returns the sheet that one writes for a job: the draft that there is, else a new one.
///
/// # Errors
/// What [`create`] refuses.
pub fn open_sheet(
    store: &mut Store,
    job: &str,
    fix: Option<&str>,
    now: Now,
) -> Result<Opened, NotebookError> {
    let (document, _) = find::document(store, job, JOBS)?;
    for (sheet, kind) in visits::of_job(store, document.id)? {
        if sheet.state == sheet_machine::DRAFT && state::is_mine(store, kind, &sheet)? {
            return Ok(Opened { id: sheet.id, kind });
        }
    }
    let kind = asked(&document);
    let mut pairs = vec![arrived(store, now)];
    pairs.extend(fix.map(|fix| Pair::new("fix", fix)));
    let request = Create { kind, job: Some(document.id.to_string()), pairs, entries: Vec::new() };
    Ok(Opened { id: create(store, &request, now)?.id, kind })
}

/// Returns the kind of sheet that a job asks for; a repair where it does not say.
#[must_use]
pub fn asked(job: &Document) -> &'static Kind {
    let word = match rows::value(&JOB, job, "type") {
        Some(Value::Choice(index)) => SheetType::CHOICES.option(index).map(|option| option.0),
        _ => None,
    };
    word.and_then(records::kinds::by_name).unwrap_or(&REPAIR)
}

fn arrived(store: &Store, now: Now) -> Pair {
    Pair::new("arrived", now.wall.rfc3339(store.identity().enrolment.zone))
}

/// Opens a sheet for work that nobody ordered: at a machine, by its number, its code or what sticks on it.
///
/// A machine that is known here brings its site, its customer and its model. Any other text stands on the sheet as it
/// was typed; the empty one leaves the machine open.
///
/// # Errors
/// What [`create`] refuses.
pub fn unplanned(
    store: &mut Store,
    kind: &'static Kind,
    machine: &str,
    now: Now,
) -> Result<Opened, NotebookError> {
    let mut pairs = vec![arrived(store, now)];
    let mut words = Vec::new();
    match machine.trim() {
        "" => {}
        text => match find::machine(store, text)? {
            Some((document, asset)) => {
                words.push(document.id.to_string());
                pairs.extend(known(store, &document, asset)?);
            }
            None => words.push(text.to_owned()),
        },
    }
    let entry = |word| Entry { list: "asset".to_owned(), words: vec![word], files: Vec::new() };
    let request = Create { kind, job: None, pairs, entries: words.into_iter().map(entry).collect() };
    Ok(Opened { id: create(store, &request, now)?.id, kind })
}

/// Returns what a sheet takes over from a machine.
fn known(store: &Store, machine: &Document, kind: &'static Kind) -> Result<Vec<Pair>, NotebookError> {
    let mut pairs = Vec::new();
    if let Some(Value::Text(model)) = rows::value(kind, machine, "model") {
        pairs.push(Pair::new("product", model));
    }
    let Some(Value::Ref(site)) = rows::value(kind, machine, "site") else {
        return Ok(pairs);
    };
    match site {
        Target::Text(text) => pairs.push(Pair::new("site", text)),
        Target::Doc(id) => {
            pairs.push(Pair::new("site", id.to_string()));
            let site = store.document(id)?;
            let customer =
                site.and_then(|site| rows::value(records::kinds::by_number(site.kind)?, &site, "customer"));
            match customer {
                Some(Value::Ref(Target::Doc(id))) => pairs.push(Pair::new("customer", id.to_string())),
                Some(Value::Ref(Target::Text(text))) => pairs.push(Pair::new("customer", text)),
                _ => {}
            }
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use records::kinds::asset::ASSET;
    use records::kinds::inspection::INSPECTION;
    use records::kinds::staff::Role;
    use records::schema::Typed;
    use sync_protocol::enrolment::Enrolment;

    use super::*;
    use crate::store::testing::{NOW, enrolment};
    use crate::store::write::{NewOp, On};

    fn home() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let enrolment = Enrolment { roles: vec![Role::ENGINEER], ..enrolment() };
        let store = Store::create(dir.path(), &enrolment, NOW).unwrap();
        (dir, store)
    }

    fn job(store: &mut Store, pairs: &[(&str, &str)]) -> String {
        let pairs = pairs.iter().map(|(name, value)| Pair::new(*name, *value)).collect();
        let request = Create { kind: &JOB, job: None, pairs, entries: Vec::new() };
        create(store, &request, NOW).unwrap().id.to_string()
    }

    #[test]
    fn one_tap_accepts_arrives_and_opens_the_sheet_and_a_second_one_finds_it() {
        let (_dir, mut store) = home();
        let job = job(&mut store, &[("type", "inspection"), ("customer", "示例公司")]);
        let opened = begin(&mut store, &job, Some("30.1,120.2,5"), NOW).unwrap();
        assert_eq!(opened.kind.number, INSPECTION.number);
        assert_eq!(begin(&mut store, &job, None, NOW).unwrap(), opened);
        let (document, _) = find::document(&store, &job, JOBS).unwrap();
        assert_eq!(document.state, at::ON_SITE);
        let sheet = store.document(opened.id).unwrap().unwrap();
        let text = rows::value(opened.kind, &sheet, "customer");
        assert_eq!(text, Some(Value::Ref(Target::Text("示例公司".to_owned()))));
        assert!(rows::value(opened.kind, &sheet, "arrived").is_some());
    }

    #[test]
    fn a_job_that_was_refused_opens_no_sheet() {
        let (_dir, mut store) = home();
        let job = job(&mut store, &[]);
        let taken = Taken { step: "refuse", reason: "ill", ..Taken::default() };
        let request = Step { record: &job, wanted: JOBS, taken, pairs: Vec::new(), entries: Vec::new() };
        step(&mut store, &request, NOW).unwrap();
        let refused = begin(&mut store, &job, None, NOW).unwrap_err();
        assert!(matches!(refused, NotebookError::Refused(refusal) if refusal.rule == "W-07"));
    }

    #[test]
    fn a_scanned_machine_brings_its_model_and_an_unknown_one_its_number() {
        let (_dir, mut store) = home();
        let pairs = vec![Pair::new("serial", "SN-7"), Pair::new("model", "CR-5"), Pair::new("site", "库房")];
        let codes = Entry { list: "barcode".to_owned(), words: vec!["690123".to_owned()], files: Vec::new() };
        let request = Create { kind: &ASSET, job: None, pairs, entries: vec![codes] };
        let machine = create(&mut store, &request, NOW).unwrap().id;
        for scanned in ["SN-7", " 690123 "] {
            let opened = unplanned(&mut store, &REPAIR, scanned, NOW).unwrap();
            let sheet = store.document(opened.id).unwrap().unwrap();
            assert_eq!(visits::machines(&sheet, &REPAIR), [machine], "{scanned}");
            assert_eq!(rows::value(&REPAIR, &sheet, "product"), Some(Value::Text("CR-5".to_owned())));
        }
        let unknown = unplanned(&mut store, &REPAIR, "SN-8", NOW).unwrap();
        let sheet = store.document(unknown.id).unwrap().unwrap();
        let row = rows::of(&records::kinds::sheet::Assets::GROUP, &sheet);
        assert_eq!(row[0].values, [Some(Value::Ref(Target::Text("SN-8".to_owned())))]);
        assert_eq!(visits::of_asset(&store, machine, 9).unwrap().len(), 2);
    }

    #[test]
    fn a_home_without_the_role_of_an_engineer_is_told_so() {
        let dir = tempfile::tempdir().unwrap();
        let enrolment = Enrolment { roles: vec![Role::FINANCE], ..enrolment() };
        let mut store = Store::create(dir.path(), &enrolment, NOW).unwrap();
        let job = NewOp { kind: JOB.number, schema: 1, on: On::Create, writes: Vec::new(), local: None };
        let job = DocId(store.save(vec![job], NOW).unwrap()[0]).to_string();
        let refused = begin(&mut store, &job, None, NOW).unwrap_err();
        assert!(matches!(refused, NotebookError::Refused(refusal) if refusal.rule == "W-08"));
    }
}
