//! `voucher`: receipts and invoices.

use records::kinds::number;
use records::kinds::voucher::VOUCHER;
use serde_json::{Value, json};

use crate::cli::args::Voucher;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::cli::sheet::{
    add_page, created_page, list_page, noticed_page, notices_json, notices_text, read_pairs, remove_page,
    show_page, step_page,
};
use crate::cli::{Streams, history, prompt};
use crate::notebook::add::Entry;
use crate::notebook::create::{Create, create};
use crate::notebook::find::Wanted;
use crate::notebook::pair::Pair;
use crate::notebook::refusal::NotebookError;
use crate::notebook::scan::{Scanned, scan};
use crate::notebook::set::{Set, set};
use crate::notebook::voucher;

const VOUCHERS: Wanted = Wanted::Kind(number::VOUCHER);

/// Runs a command on vouchers.
pub(crate) fn run(command: Voucher, desk: &Desk, streams: &mut Streams<'_>) -> Result<Page, Fault> {
    match command {
        Voucher::Add { category, amount, date, sheet, photo, qr, set } => {
            let mut pairs = read_pairs(&set)?;
            let named = [("category", category), ("amount", amount), ("date", date), ("qr_raw", qr)];
            pairs.extend(named.into_iter().filter_map(|(name, value)| Some(Pair::new(name, value?))));
            voucher::fill(&mut pairs);
            let mut store = desk.store()?;
            if desk.asks {
                prompt::fill(&mut store, &VOUCHER, &["category", "amount", "date"], &mut pairs, desk)?;
            }
            let sheets = sheet.into_iter().map(|sheet| entry("sheet", format!("sheet={sheet}")));
            let photos = photo.iter().map(|path| entry("photo", format!("file={}", path.display())));
            let entries = sheets.chain(photos).collect();
            let request = Create { kind: &VOUCHER, job: None, pairs, entries };
            let created = create(&mut store, &request, desk.clock.now())?;
            Ok(created_page(&created, desk))
        }
        Voucher::Scan { category } => run_scan(category.as_deref(), desk, streams),
        Voucher::Set { id, pairs } => {
            let request = Set { record: id, wanted: VOUCHERS, pairs: read_pairs(&pairs)? };
            let mut store = desk.store()?;
            let changed = set(&mut store, &request, desk.clock.now())?;
            let notices =
                voucher::notices(&store, changed.id, desk.clock.now()).map_err(NotebookError::from)?;
            Ok(noticed_page(&changed, &notices, desk))
        }
        Voucher::List { listed } => list_page(&["voucher"], &listed, desk),
        Voucher::Show { id } => show_page(&id, VOUCHERS, desk),
        Voucher::History { id } => history::run(&id, VOUCHERS, desk),
        Voucher::Attach { id, list, values } => add_page(id, VOUCHERS, list, values, desk),
        Voucher::Remove { id, list, values } => remove_page(id, VOUCHERS, list, values, desk),
        Voucher::Discard { id, reason } => step_page(&id, VOUCHERS, "discard", reason.as_deref(), desk),
    }
}

fn entry(list: &str, word: String) -> Entry {
    Entry { list: list.to_owned(), words: vec![word], files: Vec::new() }
}

/// Reads one QR text a line; each is a voucher or is told.
fn run_scan(category: Option<&str>, desk: &Desk, streams: &mut Streams<'_>) -> Result<Page, Fault> {
    let mut store = desk.store()?;
    let mut lines = Vec::new();
    let mut line = String::new();
    loop {
        line.clear();
        let read =
            std::io::BufRead::read_line(&mut std::io::Read::take(&mut *streams.input, 4096), &mut line);
        let n = read.map_err(|error| Fault::file(std::path::Path::new("-"), &error))?;
        if n == 0 {
            break;
        }
        if line.trim().is_empty() {
            continue;
        }
        let outcome = scan(&mut store, line.trim(), category, desk.clock.now()).map_err(Fault::from);
        lines.push((line.trim().to_owned(), outcome));
    }
    let refused = lines.iter().filter(|(_, outcome)| outcome.is_err()).count();
    let exit = if refused == 0 { Exit::Done } else { Exit::Refused };
    if desk.json {
        let answers = lines.iter().map(|(text, outcome)| match outcome {
            Ok(scanned) => scanned_json(text, scanned, desk),
            Err(fault) => {
                json!({"qr": text, "id": Value::Null, "added": false, "error": fault.sentence(desk.lang)})
            }
        });
        return Ok(Page::Json(answers.collect(), exit));
    }
    let text = lines.iter().map(|(text, outcome)| match outcome {
        Ok(scanned) => scanned_text(scanned, desk),
        Err(fault) => format!("{text}: {}\n", fault.sentence(desk.lang)),
    });
    Ok(Page::Text(text.collect(), exit))
}

fn scanned_json(text: &str, scanned: &Scanned, desk: &Desk) -> Value {
    json!({
        "qr": text,
        "id": scanned.id.to_string(),
        "code": scanned.id.code(),
        "added": scanned.added,
        "checksum": scanned.checksum,
        "amount": scanned.amount.map(|fen| fen.to_string()),
        "amount_fen": scanned.amount.map(|fen| fen.0),
        "qr_amount": scanned.qr_amount.to_string(),
        "qr_amount_fen": scanned.qr_amount.0,
        "tax": scanned.tax,
        "notices": notices_json(&scanned.notices, desk),
        "error": Value::Null,
    })
}

fn scanned_text(scanned: &Scanned, desk: &Desk) -> String {
    let key = if scanned.added { "text.scan.added" } else { "text.scan.already" };
    let facts = [
        ("code", scanned.id.code()),
        ("amount", scanned.amount.map_or_else(|| "?".to_owned(), |fen| fen.to_string())),
        ("checksum", desk.lang.say(&format!("text.scan.{}", scanned.checksum), &[])),
    ];
    let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
    desk.lang.say(key, &facts) + "\n" + &notices_text(&scanned.notices, desk)
}
