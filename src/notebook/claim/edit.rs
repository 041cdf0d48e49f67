//! Changing a claim that is open: its lines, the vouchers and sheets on them, and the reasons that rules ask for.

use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::claim::{CLAIM, LineSheets, Lines, Placed, Reasons, Trips};
use records::kinds::{number, voucher_machine};
use records::money::Fen;
use records::policy::cycle::Month;
use records::schema::Typed;
use records::value::{Count, Ref, Row, Target, Text};
use sync_protocol::merge::Document;

use crate::clock::Now;
use crate::notebook::add::{self, Add};
use crate::notebook::claim::draft::{self, Why, line_name, standing, stays_out};
use crate::notebook::claim::gather::gather;
use crate::notebook::claim::paper::{self, Paper};
use crate::notebook::claim::{CLAIMS, editable, mine, open, places};
use crate::notebook::find::{self, Wanted};
use crate::notebook::pair::{Pair, value};
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::set::Changed;
use crate::notebook::terms::Terms;
use crate::notebook::typed::{self, Writes};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::write::{NewOp, On};

/// Changes fields of a line, and returns the op once it is saved. Without a number it is the claim's only line.
///
/// # Errors
/// W-01, W-02, W-40 to W-42; W-48 where there is no such line.
pub fn set(
    store: &mut Store,
    record: &str,
    line: Option<u32>,
    pairs: &[Pair],
    now: Now,
) -> Result<Changed, NotebookError> {
    let (document, claim) = open(store, record)?;
    editable(store, &document)?;
    let n = one_line(&claim, line)?;
    let old = typed::standing::<Lines>(&document).into_iter().find(|(row, _)| row.line == Some(Count(n)));
    let (row, name) = old.ok_or_else(|| no_line(&claim, n))?;
    let changed = written(store, &row, pairs)?;
    if changed == row {
        return Ok(Changed { id: document.id, op: None });
    }
    let mut writes = Writes::default();
    writes.remove::<Lines>([name]);
    writes.add(&changed);
    // A line that became one of travel, or of another day, may need another trip summary.
    for trip in draft::trips(store, Some(&claim), std::iter::once(&changed), now)? {
        writes.add(&Trips { trip: Some(Ref(Target::Doc(trip))) });
    }
    save(store, &document, writes, Vec::new(), now)
}

/// Adds a line, a voucher, a sheet, a note or a tag, and returns the op once it is saved.
///
/// # Errors
/// W-01, W-02, W-40 to W-42; W-14 for a voucher that lacks something; W-48 where there is no such line, W-49 where a
/// voucher cannot stand on a claim.
pub fn add(
    store: &mut Store,
    record: &str,
    (list, words): (&str, &[String]),
    line: Option<u32>,
    now: Now,
) -> Result<Changed, NotebookError> {
    let (document, claim) = open(store, record)?;
    match list {
        "line" => {
            editable(store, &document)?;
            add_line(store, &document, &claim, words, now)
        }
        "voucher" => {
            editable(store, &document)?;
            add_voucher(store, (&document, &claim), words.first().map_or("", String::as_str), line, now)
        }
        "sheet" => {
            editable(store, &document)?;
            let n = one_line(&claim, line)?;
            let mut writes = Writes::default();
            for word in words {
                let (sheet, _) = find::document(store, word, Wanted::Kind(number::SHEET))?;
                writes.add(&LineSheets { line: Some(Count(n)), sheet: Some(Ref(Target::Doc(sheet.id))) });
            }
            save(store, &document, writes, Vec::new(), now)
        }
        "reason" => {
            editable(store, &document)?;
            let mut writes = Writes::default();
            for word in words {
                writes.add(&reason(word, now)?);
            }
            save(store, &document, writes, Vec::new(), now)
        }
        "note" | "tag" => {
            let (record, list, words) = (document.id.to_string(), list.to_owned(), words.to_vec());
            add::add(store, &Add { record, wanted: CLAIMS, list, words, files: Vec::new() }, now)
        }
        other => Err(Refusal::by("W-01")
            .case("list")
            .with("list", other)
            .with("kind", CLAIM.name)
            .with("lists", "line, voucher, sheet, reason, note, tag")
            .into()),
    }
}

/// Takes a line out, with what stands on it; returns the op once it is saved.
///
/// # Errors
/// W-40 to W-42; W-48 where there is no such line.
pub fn remove_line(store: &mut Store, record: &str, n: u32, now: Now) -> Result<Changed, NotebookError> {
    let (document, claim) = open(store, record)?;
    editable(store, &document)?;
    let mut writes = Writes::default();
    let vouchers = take_out(&document, &claim, n, &mut writes)?;
    let ops = taken_off(store, &vouchers)?;
    save(store, &document, writes, ops, now)
}

/// Takes a voucher off its line, and the line where it then claims nothing; returns the op once it is saved.
///
/// A line that claimed what its vouchers came to claims that much less; any other sum stays as a person wrote it.
///
/// # Errors
/// W-40 to W-42; W-50 where it does not stand on this claim.
pub fn remove_voucher(
    store: &mut Store,
    record: &str,
    voucher: &str,
    now: Now,
) -> Result<Changed, NotebookError> {
    let (document, claim) = open(store, record)?;
    editable(store, &document)?;
    let (paper, _) = find::document(store, voucher, Wanted::Kind(number::VOUCHER))?;
    let target = Some(Ref(Target::Doc(paper.id)));
    let placed = typed::standing::<Placed>(&document);
    let Some((row, name)) = placed.into_iter().find(|(row, _)| row.voucher == target) else {
        return Err(Refusal::by("W-50")
            .with("voucher", paper.id.code())
            .with("code", document.id.code())
            .into());
    };
    let mut writes = Writes::default();
    let line = row.line.unwrap_or_default();
    let old = standing(&document).into_iter().find(|at| at.line.line == Some(line));
    if let Some(old) = old.filter(|old| old.line.claimed == Some(old.support)) {
        let left = Fen(old.support.0.saturating_sub(row.amount.unwrap_or_default().0));
        if left == Fen(0) {
            take_out(&document, &claim, line.0, &mut writes)?;
        } else {
            writes.remove::<Placed>([name]);
            writes.remove::<Lines>(line_name(&document, line.0));
            writes.add(&Lines { claimed: Some(left), ..old.line });
        }
    } else {
        writes.remove::<Placed>([name]);
    }
    let ops = taken_off(store, &[paper.id])?;
    save(store, &document, writes, ops, now)
}

/// Reads a reason, written `R2=TEXT` or `R2:3=TEXT` with the number of a line.
///
/// # Errors
/// W-51.
pub fn reason(word: &str, now: Now) -> Result<Reasons, Refusal> {
    let wrong = || Refusal::by("W-51").with("value", word);
    let (place, text) = word.split_once('=').ok_or_else(wrong)?;
    let (rule, line) = match place.split_once(':') {
        Some((rule, line)) => (rule, Some(Count(line.trim().parse().map_err(|_| wrong())?))),
        None => (place, None),
    };
    let rule = rule.trim().to_ascii_uppercase();
    let known =
        records::rules::by_id(&rule).is_some_and(|rule| rule.weight == records::rules::Weight::Reason);
    let text = text.trim();
    if !known || text.is_empty() || text.chars().count() > 500 {
        return Err(wrong());
    }
    Ok(Reasons { rule: Some(Text(rule)), line, reason: Some(Text(text.to_owned())), at: Some(now.wall) })
}

fn one_line(claim: &Claim, line: Option<u32>) -> Result<u32, Refusal> {
    match (line, claim.lines.as_slice()) {
        (Some(n), _) if claim.line(n).is_some() => Ok(n),
        (None, [only]) => Ok(only.n),
        (Some(n), _) => Err(no_line(claim, n)),
        (None, _) => {
            Err(Refusal::by("W-48").case("which").with("code", claim.id.code()).with("lines", numbers(claim)))
        }
    }
}

/// Returns the refusal of a line that is not there (W-48).
#[must_use]
pub fn no_line(claim: &Claim, n: u32) -> Refusal {
    let refusal = Refusal::by("W-48").with("code", claim.id.code()).with("line", n.to_string());
    refusal.with("lines", numbers(claim))
}

fn numbers(claim: &Claim) -> String {
    if claim.lines.is_empty() {
        return "–".to_owned();
    }
    claim.lines.iter().map(|line| line.n.to_string()).collect::<Vec<_>>().join(", ")
}

/// Returns a line with other values; its number stays.
fn written(store: &Store, line: &Lines, pairs: &[Pair]) -> Result<Lines, NotebookError> {
    let zone = store.identity().enrolment.zone;
    let fields = Lines::GROUP.fields;
    let mut values: Row = typed::row(line);
    for pair in pairs {
        let place =
            fields.iter().zip(&mut values).find(|(field, _)| field.name == pair.name && field.name != "line");
        let Some((field, place)) = place else {
            let names: Vec<&str> =
                fields.iter().map(|field| field.name).filter(|name| *name != "line").collect();
            return Err(Refusal::by("W-01")
                .case("line")
                .with("field", pair.name.as_str())
                .with("fields", names.join(", "))
                .into());
        };
        let month = pair.value.trim();
        if field.name == "service_month" && !month.is_empty() && month.parse::<Month>().is_err() {
            let refusal = Refusal::by("W-02").case("month").with("field", field.name);
            return Err(refusal.with("value", month.chars().take(60).collect::<String>()).into());
        }
        *place = match value(field, &pair.value, zone)? {
            Some(value) => Some(find::link(store, field.ty, value)?),
            None => None,
        };
    }
    let bytes = records::value::encode(fields, &values);
    postcard::from_bytes(&bytes).map_err(|_| StoreError::Unordered.into())
}

fn add_line(
    store: &mut Store,
    document: &Document,
    claim: &Claim,
    words: &[String],
    now: Now,
) -> Result<Changed, NotebookError> {
    let mut pairs = Vec::new();
    for word in words {
        let pair = Pair::parse(word);
        pairs.push(pair.ok_or_else(|| Refusal::by("W-01").case("pair").with("value", word.as_str()))?);
    }
    let n = draft::ever(store, document)?.line.saturating_add(1);
    let line = written(store, &Lines { line: Some(Count(n)), ..Lines::default() }, &pairs)?;
    // A line that says neither would read as one that was taken out.
    if line.category.is_none() && line.claimed.is_none() {
        return Err(Refusal::by("W-02")
            .case("nothing")
            .label("list", Lines::GROUP.zh, Lines::GROUP.en)
            .into());
    }
    let mut writes = Writes::default();
    writes.add(&line);
    for trip in draft::trips(store, Some(claim), std::iter::once(&line), now)? {
        writes.add(&Trips { trip: Some(Ref(Target::Doc(trip))) });
    }
    save(store, document, writes, Vec::new(), now)
}

fn add_voucher(
    store: &mut Store,
    (document, claim): (&Document, &Claim),
    voucher: &str,
    line: Option<u32>,
    now: Now,
) -> Result<Changed, NotebookError> {
    let (found, _) = find::document(store, voucher, Wanted::Kind(number::VOUCHER))?;
    let code = found.id.code();
    let cannot = |case| Refusal::by("W-49").case(case).with("voucher", code.as_str());
    let (found, paper) = paper::read(store, found.id)?.ok_or_else(|| cannot("others"))?;
    if let Some((at, n)) = places(&mine(store)?).get(&paper.id) {
        return Err(cannot("placed").with("code", at.code()).with("line", n.to_string()).into());
    }
    if paper.state != voucher_machine::CAPTURED {
        return Err(cannot("state").into());
    }
    let today = now.wall.day(store.identity().enrolment.zone);
    match stays_out(&paper, Terms::read(store)?.in_force.policy(today)) {
        Some(Why::Unfinished(points)) => return Err(Refusal::unfinished(code, points).into()),
        Some(Why::Currency(currency)) => return Err(cannot("currency").with("currency", currency).into()),
        // A refund stands on the line that a person wrote for it.
        Some(Why::Refund(_)) if line.is_none() => return Err(cannot("refund").into()),
        _ => {}
    }
    let mut writes = Writes::default();
    match line {
        Some(n) => {
            writes.add(&paper.placed(one_line(claim, Some(n))?));
        }
        None => on_its_line(store, (document, claim), &paper, &mut writes, now)?,
    }
    let ops = vec![draft::step(store, &found, "place")?];
    save(store, document, writes, ops, now)
}

/// Puts a voucher where a draft would have put it.
fn on_its_line(
    store: &mut Store,
    (document, claim): (&Document, &Claim),
    paper: &Paper,
    writes: &mut Writes,
    now: Now,
) -> Result<(), NotebookError> {
    let next = draft::ever(store, document)?.line.saturating_add(1);
    let grown =
        gather(std::slice::from_ref(paper), &standing(document), &draft::days_of(store, paper.date)?, next);
    for (n, line) in &grown {
        writes.remove::<Lines>(line_name(document, *n));
        writes.add(&line.line);
        writes.add(&paper.placed(*n));
        for sheet in &line.sheets {
            writes.add(&LineSheets { line: Some(Count(*n)), sheet: Some(Ref(sheet.clone())) });
        }
    }
    let lines = grown.values().map(|grown| &grown.line);
    for trip in draft::trips(store, Some(claim), lines, now)? {
        writes.add(&Trips { trip: Some(Ref(Target::Doc(trip))) });
    }
    Ok(())
}

/// Takes a line out and returns the vouchers that stood on it.
fn take_out(
    document: &Document,
    claim: &Claim,
    n: u32,
    writes: &mut Writes,
) -> Result<Vec<DocId>, NotebookError> {
    let line = claim.line(n).ok_or_else(|| no_line(claim, n))?;
    writes.remove::<Lines>(line_name(document, n));
    let here = |line: Option<Count>| line == Some(Count(n));
    let placed = typed::standing::<Placed>(document).into_iter().filter(|(row, _)| here(row.line));
    writes.remove::<Placed>(placed.map(|(_, name)| name));
    let sheets = typed::standing::<LineSheets>(document).into_iter().filter(|(row, _)| here(row.line));
    writes.remove::<LineSheets>(sheets.map(|(_, name)| name));
    Ok(line.vouchers.iter().filter_map(|ticket| ticket.voucher).collect())
}

/// Returns the ops that free vouchers for another claim; those that are free already need none.
///
/// # Errors
/// What [`crate::notebook::state::decide`] refuses.
pub fn taken_off(store: &Store, vouchers: &[DocId]) -> Result<Vec<NewOp>, NotebookError> {
    let mut ops = Vec::new();
    for id in vouchers {
        let bound = [voucher_machine::PLACED, voucher_machine::SUBMITTED];
        let document = store.document(*id)?.filter(|document| bound.contains(&document.state));
        if let Some(document) = document {
            ops.push(draft::step(store, &document, "take_off")?);
        }
    }
    Ok(ops)
}

fn save(
    store: &mut Store,
    document: &Document,
    writes: Writes,
    more: Vec<NewOp>,
    now: Now,
) -> Result<Changed, NotebookError> {
    let mut ops = writes.into_ops(&CLAIM, On::Document(document.id));
    ops.extend(more);
    Ok(Changed { id: document.id, op: store.save(ops, now)?.first().copied() })
}
