//! Making a record.

use records::id::DocId;
use records::kinds::{job, number, sheet};
use records::problems::Problem;
use records::record::Record;
use records::schema::{Kind, Typed};
use records::value::{Row, Target, Value};
use sync_protocol::op::Write;

use crate::clock::Now;
use crate::notebook::add::{self, Entry};
use crate::notebook::find::{self, Wanted};
use crate::notebook::pair::Pair;
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::notebook::{registers, rows, twins, voucher};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::write::{NewOp, On};

/// What to make.
#[derive(Debug, Clone)]
pub struct Create {
    /// Of which kind.
    pub kind: &'static Kind,
    /// The job that a sheet is for: its customer, site, asset and checklist are taken over.
    pub job: Option<String>,
    /// What is known of it already.
    pub pairs: Vec<Pair>,
    /// Entries of its lists.
    pub entries: Vec<Entry>,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Its id.
    pub id: DocId,
    /// What a person should look at, though it does not stand in the way.
    pub notices: Vec<Problem>,
}

/// Makes a record and returns its id once it is saved.
///
/// # Errors
/// What [`registers::writes`] and [`add::writes`] refuse, W-14 for a voucher that lacks something, W-28 for a QR
/// text that is no invoice's, W-29 for an invoice that is here already; [`NotebookError::Store`].
pub fn create(store: &mut Store, request: &Create, now: Now) -> Result<Created, NotebookError> {
    let Prepared { writes, notices, local } = prepare(store, request, now)?;
    let kind = request.kind;
    let op = NewOp { kind: kind.number, schema: kind.schema, on: On::Create, writes, local };
    let ids = store.save(vec![op], now)?;
    // One op was given, so one name came back.
    let id = ids.first().copied().ok_or(StoreError::Unordered)?;
    Ok(Created { id: DocId(id), notices })
}

struct Prepared {
    writes: Vec<Write>,
    notices: Vec<Problem>,
    local: Option<[u8; 16]>,
}

fn prepare(store: &Store, request: &Create, now: Now) -> Result<Prepared, NotebookError> {
    let zone = store.identity().enrolment.zone;
    let kind = request.kind;
    if kind.number == number::VOUCHER {
        voucher::check_text(&request.pairs)?;
    }
    let mut writes = match &request.job {
        Some(job) => from_job(store, kind, job)?,
        None => Vec::new(),
    };
    for write in registers::writes(store, kind, None, &request.pairs, zone)? {
        put(&mut writes, write);
    }
    for write in add::writes(store, kind, None, &request.entries, now)? {
        put(&mut writes, write);
    }
    writes.sort_by_key(|write| write.tag);
    let (notices, local) = match kind.number {
        number::VOUCHER => check(store, kind, &writes, now)?,
        _ => (Vec::new(), None),
    };
    Ok(Prepared { writes, notices, local })
}

/// What is typed goes over what the job says.
fn put(writes: &mut Vec<Write>, write: Write) {
    writes.retain(|old| old.tag != write.tag);
    writes.push(write);
}

/// What a person should look at on a new voucher, and the key that finds its invoice again.
type Checked = (Vec<Problem>, Option<[u8; 16]>);

fn check(store: &Store, kind: &'static Kind, writes: &[Write], now: Now) -> Result<Checked, NotebookError> {
    // The record has no name before it is saved; no rule looks at it.
    let id =
        DocId(records::id::OpId { replica: records::id::Replica::HQ, epoch: records::id::Epoch(0), seq: 1 });
    let mut record = Record::new(id, kind);
    let fits = writes.iter().try_for_each(|write| record.write(write.tag, &write.bytes));
    fits.map_err(|_| StoreError::Unordered)?;
    let mut notices = voucher::check(&record, kind.name)?;
    let invoice = voucher::invoice(&record);
    if let Some(invoice) = &invoice
        && let Some(id) = voucher::captured(store, invoice)?
    {
        return Err(Refusal::by("W-29").with("code", id.code()).into());
    }
    let enrolment = &store.identity().enrolment;
    let today = now.wall.day(enrolment.zone);
    notices.extend(twins::notices(store, &record, Some(enrolment.staff), today)?);
    Ok((notices, invoice.as_ref().map(voucher::invoice_key)))
}

/// Returns what a sheet takes over from its job.
fn from_job(store: &Store, kind: &'static Kind, text: &str) -> Result<Vec<Write>, NotebookError> {
    let (job, job_kind) = find::document(store, text, Wanted::Kind(number::JOB))?;
    let value = |name| rows::value(job_kind, &job, name);
    let order: Row = vec![Some(Value::Ref(Target::Doc(job.id))), value("ticket")];
    let place: Row = vec![value("customer"), value("site")];
    let mut writes = Vec::new();
    let mut register = |group: &records::schema::Group, row: &Row| {
        if row.iter().any(Option::is_some) {
            writes.push(Write { tag: group.tag(), bytes: records::value::encode(group.fields, row) });
        }
    };
    register(&sheet::Order::GROUP, &order);
    register(&sheet::Place::GROUP, &place);
    register(&sheet::Checklist::GROUP, &vec![value("checklist_tpl")]);
    if let Some(asset) = value("asset") {
        writes.push(add::write(&sheet::Assets::GROUP, None, vec![vec![Some(asset)]]));
    }
    debug_assert!(job_kind.number == job::JOB.number);
    writes.retain(|write| kind.group(write.tag.number()).is_some_and(|group| group.tag() == write.tag));
    Ok(writes)
}
