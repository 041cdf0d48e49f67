//! Asking for an exception: for a line that is too old, a ceiling, a missing sheet.

use records::claim::guard::case::guard_case;
use records::claim::guard::{Actor, Given};
use records::id::DocId;
use records::kinds::approval::Approvals;
use records::kinds::case::CASE;
use records::kinds::exception::{Ask, EXCEPTION, ExceptionKind};
use records::kinds::number;
use records::money::Fen;
use records::policy::cap;
use records::policy::cycle::Month;
use records::value::{Count, Digest, Ref, Target, Text};
use sync_protocol::merge::fingerprint::content_digest;

use crate::clock::Now;
use crate::notebook::claim::{edit, open, paper};
use crate::notebook::find::{self, Wanted};
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::rows;
use crate::notebook::set::Changed;
use crate::notebook::state::{self, Taken};
use crate::notebook::terms::Terms;
use crate::notebook::typed::{self, Writes};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::write::On;

/// What a claimant asks for.
pub const ASKED: [ExceptionKind; 4] =
    [ExceptionKind::LATE_LINE, ExceptionKind::CAP, ExceptionKind::MISSING_SHEET, ExceptionKind::OTHER];

/// A request for an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The claim; for a line that is too old also a voucher that stands on none.
    pub record: String,
    /// From what.
    pub kind: ExceptionKind,
    /// Which line; `None`: the whole claim.
    pub line: Option<u32>,
    /// By how much a ceiling is to be raised.
    pub amount: Option<Fen>,
    /// The ceiling's month; `None`: that of the line.
    pub month: Option<Month>,
    /// Why.
    pub reason: String,
}

/// Asks for an exception and returns the request once it is saved.
///
/// # Errors
/// W-41, W-48, W-49; W-58 where the request does not say what its kind needs.
pub fn ask(store: &mut Store, request: &Request, now: Now) -> Result<DocId, NotebookError> {
    if request.reason.trim().is_empty() {
        return Err(Refusal::by("W-58").case("reason").into());
    }
    let (document, _) = find::document(store, &request.record, Wanted::Any)?;
    let mut row = match document.kind {
        number::VOUCHER => for_voucher(store, request, document.id)?,
        _ => for_claim(store, request, now)?,
    };
    row.kind_of = Some(request.kind);
    row.reason = Some(Text(request.reason.trim().chars().take(1000).collect()));
    row.asked_by = Some(Ref(Target::Doc(store.identity().enrolment.staff)));
    let mut writes = Writes::default();
    writes.single(typed::register(&row));
    let ids = store.save(writes.into_ops(&EXCEPTION, On::Create), now)?;
    Ok(DocId(ids.first().copied().ok_or(StoreError::Unordered)?))
}

fn for_voucher(store: &Store, request: &Request, voucher: DocId) -> Result<Ask, NotebookError> {
    if request.kind != ExceptionKind::LATE_LINE {
        return Err(Refusal::by("W-58").case("voucher").into());
    }
    let others = || Refusal::by("W-49").case("others").with("voucher", voucher.code());
    let (_, paper) = paper::read(store, voucher)?.ok_or_else(others)?;
    Ok(Ask { voucher: Some(Ref(Target::Doc(voucher))), category: paper.category, ..Ask::default() })
}

fn for_claim(store: &Store, request: &Request, now: Now) -> Result<Ask, NotebookError> {
    let (document, claim) = open(store, &request.record)?;
    if claim.staff != store.identity().enrolment.staff {
        return Err(Refusal::by("W-41").with("code", document.id.code()).into());
    }
    let line = match request.line {
        Some(n) => Some(claim.line(n).ok_or_else(|| edit::no_line(&claim, n))?),
        None => None,
    };
    let mut ask = Ask {
        claim: Some(Ref(Target::Doc(claim.id))),
        line: line.map(|line| Count(line.n)),
        category: line.and_then(|line| line.category),
        ..Ask::default()
    };
    if request.kind == ExceptionKind::CAP {
        let today = now.wall.day(store.identity().enrolment.zone);
        let caps = &Terms::read(store)?.in_force.policy(today).caps.clone();
        let of_line = line.and_then(|line| cap::month(line.category?, line.date?, line.service_month, caps));
        let month = request.month.or(of_line);
        let amount = request.amount.filter(|amount| amount.0 > 0);
        if ask.category.is_none() || month.is_none() || amount.is_none() {
            return Err(Refusal::by("W-58").case("amount").into());
        }
        ask.month = month.map(|month| Text(month.to_string()));
        ask.amount = amount;
    }
    Ok(ask)
}

/// Appeals against a disciplinary case, and returns the op once it is saved.
///
/// # Errors
/// What [`state::decide`] and the rules of cases refuse.
pub fn appeal(store: &mut Store, record: &str, reason: &str, now: Now) -> Result<Changed, NotebookError> {
    let (document, _) = find::document(store, record, Wanted::Kind(number::CASE))?;
    let taken = Taken { step: "appeal", reason, ..Taken::default() };
    let mut writes = Writes::default();
    writes.single(state::decide(store, &CASE, &document, &taken)?);
    let enrolment = &store.identity().enrolment;
    let today = now.wall.day(enrolment.zone);
    let facts = Terms::read(store)?.facts(None, today, today);
    let actor = Actor::new(enrolment.staff, enrolment.roles.iter().copied());
    let given = Given { reason: reason.to_owned(), ..Given::default() };
    if let Err(problem) = guard_case(&rows::record(&CASE, &document), "appeal", &actor, &given, &facts) {
        let points = vec![problem];
        return Err(Refusal { points, ..Refusal::by("W-57").with("code", document.id.code()) }.into());
    }
    writes.add(&Approvals {
        step: Some(Text("appeal".to_owned())),
        by: Some(Ref(Target::Doc(enrolment.staff))),
        content: Some(Digest(content_digest(&[&document]).to_vec())),
        note: Some(Text(reason.trim().chars().take(1000).collect())),
        at: Some(now.wall),
        ..Approvals::default()
    });
    let ids = store.save(writes.into_ops(&CASE, On::Document(document.id)), now)?;
    Ok(Changed { id: document.id, op: ids.last().copied() })
}
