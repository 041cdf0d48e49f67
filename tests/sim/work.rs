//! What people do on a device: the notebook's real use cases, on records that somebody made before.

use fieldbook::clock::Now;
use fieldbook::notebook::add::{self, Add};
use fieldbook::notebook::amend::{self, Amend};
use fieldbook::notebook::attach::Given;
use fieldbook::notebook::conflict::{self, Of, Take};
use fieldbook::notebook::create::{self, Create};
use fieldbook::notebook::find::Wanted;
use fieldbook::notebook::pair::Pair;
use fieldbook::notebook::refusal::NotebookError;
use fieldbook::notebook::seal::{self, Seal, Signed};
use fieldbook::notebook::set::{self, Changed, Set};
use fieldbook::notebook::state::Taken;
use fieldbook::notebook::step::{self, Step};
use fieldbook::store::Store;
use records::id::DocId;
use records::kinds::{repair, voucher};
use records::value::text::Lang;
use sync_protocol::limits::CHUNK_BYTES;
use sync_protocol::op::Row;

use crate::dice::Dice;

/// One thing that somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Sheet,
    ReadySheet,
    Voucher,
    Work,
    Hours,
    Note,
    Part,
    Tag,
    File,
    Seal,
    Void,
    Accept,
    Return,
    Amend,
    Settle,
    JobSheet,
    JobStep,
    /// A group that only a later version knows.
    Loaner,
    /// A field that only a later version knows.
    FaultText,
    /// A record of a kind that only a later version knows.
    Loan,
}

/// How often each is done.
pub(crate) const DEEDS: [(usize, Deed); 20] = [
    (6, Deed::Sheet),
    (6, Deed::ReadySheet),
    (3, Deed::Voucher),
    (8, Deed::Work),
    (6, Deed::Hours),
    (8, Deed::Note),
    (4, Deed::Part),
    (4, Deed::Tag),
    (4, Deed::File),
    (8, Deed::Seal),
    (2, Deed::Void),
    (16, Deed::Accept),
    (6, Deed::Return),
    (3, Deed::Amend),
    (4, Deed::Settle),
    (2, Deed::JobSheet),
    (8, Deed::JobStep),
    (8, Deed::Loaner),
    (8, Deed::FaultText),
    (4, Deed::Loan),
];

/// Returns what somebody does instead whose program does not know the later tables.
pub(crate) fn today(deed: Deed) -> Deed {
    match deed {
        Deed::Loaner | Deed::FaultText => Deed::Work,
        Deed::Loan => Deed::Sheet,
        deed => deed,
    }
}

/// Returns what a person writes so that it can be found again wherever it got to.
pub(crate) fn mark(number: u32) -> String {
    format!("~{number}~")
}

/// Returns what is in the file that a person attaches with a mark: of one piece or of two, and some files are the same.
pub(crate) fn content(mark: &str) -> Vec<u8> {
    let number: usize = mark.trim_matches('~').parse().expect("a mark");
    let (what, bytes) = match number % 9 {
        0 => ("the same".to_owned(), 700),
        1 => (format!("long {number}"), CHUNK_BYTES + 8 * number),
        _ => (format!("scan {number}"), 20 * number),
    };
    what.into_bytes().into_iter().cycle().take(bytes).collect()
}

/// Returns whether an op says what a person wrote.
pub(crate) fn says(row: &Row, number: u32) -> bool {
    let mark = mark(number);
    let has = |bytes: &[u8]| bytes.windows(mark.len()).any(|part| part == mark.as_bytes());
    row.writes.iter().any(|write| has(&write.bytes))
}

/// Does it on `record`, and returns the record that it made, if it made one.
///
/// # Errors
/// What the notebook refuses; nothing is then saved.
pub(crate) fn act(
    deed: Deed,
    store: &mut Store,
    record: &str,
    mark: &str,
    dice: &mut Dice,
    now: Now,
) -> Result<Option<DocId>, NotebookError> {
    let set = |pairs: Vec<Pair>| Set { record: record.to_owned(), wanted: Wanted::Any, pairs };
    let add = |list: &str, words: &[&str]| Add {
        record: record.to_owned(),
        wanted: Wanted::Any,
        list: list.to_owned(),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        files: Vec::new(),
    };
    let taken = |name, reason| Step {
        record,
        wanted: Wanted::Any,
        taken: Taken { step: name, reason, ..Taken::default() },
        pairs: Vec::new(),
        entries: Vec::new(),
    };
    let job = ["J1", "J2"][dice.below(2)];
    match deed {
        Deed::Sheet => made(create::create(store, &sheet(mark, false, None), now)),
        Deed::ReadySheet => made(create::create(store, &sheet(mark, true, None), now)),
        Deed::Voucher => {
            let amount = format!("amount={}.{:02}", 1 + dice.below(900), dice.below(100));
            let pairs =
                pairs(&[&format!("note={mark}"), "category=city_transport", &amount, "date=2026-09-21"]);
            let request = Create { kind: &voucher::VOUCHER, job: None, pairs, entries: Vec::new() };
            made(create::create(store, &request, now))
        }
        Deed::Amend => {
            let request = Amend { record: record.to_owned(), reason: mark.to_owned(), pairs: Vec::new() };
            made(amend::amend(store, &request, now))
        }
        Deed::Work => done(set::set(store, &set(pairs(&[&format!("work_done={mark}")])), now)),
        Deed::Loaner => done(set::set(store, &set(pairs(&[&format!("loaner={mark}")])), now)),
        Deed::FaultText => done(set::set(store, &set(pairs(&[&format!("fault_text={mark}")])), now)),
        Deed::Loan => {
            let kind = records::kinds::by_name("loan").expect("a kind of the later tables");
            let pairs = pairs(&[&format!("tool={mark}")]);
            made(create::create(store, &Create { kind, job: None, pairs, entries: Vec::new() }, now))
        }
        Deed::Hours => {
            let hours = format!("runhours={}", 100 + dice.below(50));
            done(set::set(store, &set(pairs(&[&hours])), now))
        }
        Deed::JobSheet => made(create::create(store, &sheet(mark, true, Some(job)), now)),
        Deed::JobStep => {
            let name = ["accept", "take", "depart", "arrive", "start", "finish"][dice.below(6)];
            done(step::step(store, &Step { record: job, ..taken(name, mark) }, now))
        }
        Deed::Note => done(add::add(store, &add("note", &[mark]), now)),
        Deed::Part => done(add::add(store, &add("part", &[mark, "1"]), now)),
        Deed::Tag => done(add::add(store, &add("tag", &[mark]), now)),
        Deed::File => {
            let given = Given::Bytes { name: "scan.pdf".to_owned(), bytes: content(mark) };
            let words = ["kind=doc", &format!("caption={mark}")];
            let request = Add { files: vec![("file".to_owned(), given)], ..add("photo", &words) };
            done(add::add(store, &request, now))
        }
        Deed::Seal => {
            let signed = Signed::Not("absent".to_owned());
            let request = Seal { record: record.to_owned(), signed, lang: Lang::En };
            seal::seal(store, &request, now).map(|_| None)
        }
        Deed::Void => done(step::step(store, &taken("void", mark), now)),
        Deed::Accept => done(step::step(store, &taken("accept", ""), now)),
        Deed::Return => done(step::step(store, &taken("return", mark), now)),
        Deed::Settle => {
            let open = conflict::open(store, Of::Record(record))?;
            let Some(open) = open.get(dice.below(open.len())) else { return Ok(None) };
            let value = &open.values[dice.below(open.values.len())];
            done(conflict::settle(store, record, &Take::Op(value.op), now))
        }
    }
}

fn done(changed: Result<Changed, NotebookError>) -> Result<Option<DocId>, NotebookError> {
    changed.map(|_| None)
}

/// Returns whether what this deed saves carries the mark.
pub(crate) fn marks(deed: Deed) -> bool {
    !matches!(deed, Deed::Hours | Deed::Seal | Deed::Accept | Deed::Settle | Deed::JobStep)
}

fn made(created: Result<create::Created, NotebookError>) -> Result<Option<DocId>, NotebookError> {
    created.map(|created| Some(created.id))
}

fn sheet(mark: &str, ready: bool, job: Option<&str>) -> Create {
    let problem = format!("problem={mark}");
    let mut all = vec![problem.as_str()];
    if ready {
        all.extend(["customer=Acme", "product=Pump", "result=done"]);
        all.extend(["arrived=2026-09-21 08:00", "left=2026-09-21 09:00"]);
    }
    // Looked up, for a later program has another table of it.
    let kind = records::kinds::by_number(repair::REPAIR.number).expect("the repair sheet");
    Create { kind, job: job.map(str::to_owned), pairs: pairs(&all), entries: Vec::new() }
}

fn pairs(texts: &[&str]) -> Vec<Pair> {
    texts.iter().filter_map(|text| Pair::parse(text)).collect()
}
