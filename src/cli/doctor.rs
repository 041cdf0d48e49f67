//! `doctor` and `rebuild`: what is whole in a home, and making its database anew.

use records::id::Epoch;
use serde_json::{Value, json};

use crate::cli::against;
use crate::cli::args::Doctor;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::cli::lang::Lang;
use crate::cli::pin;
use crate::cli::progress::Progress;
use crate::cli::refused::part_label;
use crate::cli::table::{Tone, pairs};
use crate::notebook::refusal::NotebookError;
use crate::store::doctor::{Fault as Found, Findings, SetAside};
use crate::store::error::StoreError;
use crate::store::look::{Look, Why};
use crate::store::rebuild::Rebuilt;
use crate::vault::Standing;

/// So many findings are printed for a person; `--json` lists all.
const SHOWN_MAX: usize = 20;

/// Examines the home; ends with [`Exit::Damaged`] where something is wrong.
pub(crate) fn run(args: &Doctor, desk: &Desk) -> Result<Page, Fault> {
    let mut store = match desk.store() {
        Err(fault) if fault.exit == Exit::Damaged => return closed(desk),
        opened => opened?,
    };
    let against = against::look(&mut store, args.against_hq, desk)?;
    let bar = Progress::waiting("text.progress.doctor", desk);
    let findings = match store.doctor() {
        Err(StoreError::Damaged { .. }) => {
            drop((bar, store));
            return closed(desk);
        }
        findings => findings.map_err(NotebookError::from)?,
    };
    drop(bar);
    let standing = crate::vault::standing(&desk.home, desk.clock.now()).map_err(NotebookError::from)?;
    let exit = if findings.faults.is_empty() { Exit::Done } else { Exit::Damaged };
    Ok(match desk.json {
        true => {
            let against_hq = against::answer(&against, &store);
            Page::Json(answer(&findings, &against_hq, standing, desk.lang), exit)
        }
        false => {
            let about_pin = pin::standing_text(standing, store.zone(), desk) + "\n";
            Page::Text(text(&findings, desk) + &about_pin + &against::text(&against, desk), exit)
        }
    })
}

/// Says what is safe in a home that does not open.
fn closed(desk: &Desk) -> Result<Page, Fault> {
    let findings = desk.examine_closed()?;
    let standing = crate::vault::standing(&desk.home, desk.clock.now()).map_err(NotebookError::from)?;
    Ok(match desk.json {
        true => Page::Json(answer(&findings, &Value::Null, standing, desk.lang), Exit::Damaged),
        false => Page::Text(text(&findings, desk), Exit::Damaged),
    })
}

fn answer(findings: &Findings, against_hq: &Value, pin: Standing, lang: Lang) -> Value {
    let counts = &findings.counts;
    let faults: Vec<String> = findings.faults.iter().map(|found| sentence(found, lang)).collect();
    json!({
        "ops": counts.ops,
        "documents": counts.documents,
        "views_ok": findings.views_ok(),
        "digest": records::hex::of(&findings.digest),
        "unsent_ops": counts.unsent_ops,
        "conflicts": counts.conflicts,
        "quarantined": counts.quarantined,
        "safe": {
            "in_journal": findings.safe.in_journal,
            "in_log": findings.safe.in_log,
            "in_either": findings.safe.in_either,
        },
        "set_aside": findings.set_aside.iter().map(set_aside).collect::<Vec<_>>(),
        "pin_set": pin != Standing::NoPin,
        "faults": faults,
        "against_hq": against_hq,
    })
}

fn set_aside(branch: &SetAside) -> Value {
    json!({"file": branch.path.display().to_string(), "ops": branch.ops.len()})
}

fn sentence(found: &Found, lang: Lang) -> String {
    let part = |part| {
        let (zh, en) = part_label(part);
        lang.label(zh, en)
    };
    match found {
        Found::CopyLost(lost) => lang.say("text.doctor.copy_lost", &[("part", part(*lost))]),
        Found::JournalGap { file, offset, bytes } => journal_gap(*file, *offset, *bytes, lang),
        Found::ChainBroken(op) => lang.say("text.doctor.chain_broken", &[("op", &op.to_string())]),
        Found::OpDiffers(op) => lang.say("text.doctor.op_differs", &[("op", &op.to_string())]),
        Found::OpsLost(epoch, first, last) => ops_lost(*epoch, *first, *last, lang),
        Found::JournalCut(cut) => why(Why::JournalCut(*cut), lang),
        Found::Unreadable(lost) => lang.say("text.doctor.unreadable", &[("part", part(*lost))]),
        Found::ViewDiffers(id) => lang.say("text.doctor.view_differs", &[("code", &id.code())]),
        Found::CountsDiffer => lang.say("text.doctor.counts_differ", &[]),
        Found::FileMissing(hash) => {
            lang.say("text.doctor.file_missing", &[("hash", &records::hex::of(hash))])
        }
        Found::BlobDamaged(hash) => {
            lang.say("text.doctor.blob_damaged", &[("hash", &records::hex::of(hash))])
        }
        Found::AnswersLost(n) => lang.say("text.doctor.answers_lost", &[("n", &n.to_string())]),
        Found::OnlyAside { path, ops } => {
            let facts = [("file", path.display().to_string()), ("n", ops.to_string())];
            let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
            lang.say("text.doctor.only_aside", &facts)
        }
        Found::AsideDamaged(path) => {
            lang.say("text.doctor.aside_damaged", &[("file", &path.display().to_string())])
        }
        Found::ValueOutside => lang.say("text.doctor.value_outside", &[]),
    }
}

fn text(findings: &Findings, desk: &Desk) -> String {
    let say = |key: &str| desk.lang.say(key, &[]);
    let counts = &findings.counts;
    let safe = &findings.safe;
    let rows = [
        (say("text.status.records"), counts.documents.to_string()),
        (say("text.doctor.ops"), counts.ops.to_string()),
        (say("text.doctor.safe"), format!("{} / {} / {}", safe.in_journal, safe.in_log, safe.in_either)),
        (say("text.doctor.unsent"), counts.unsent_ops.to_string()),
        (say("text.status.conflicts"), counts.conflicts.to_string()),
        (say("text.status.quarantine"), counts.quarantined.to_string()),
        (say("text.sync.digest"), records::hex::of(&findings.digest)),
    ];
    let mut text = pairs(desk.style, &rows);
    for branch in &findings.set_aside {
        let facts = [("file", branch.path.display().to_string()), ("n", branch.ops.len().to_string())];
        let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
        text.push_str(&(desk.lang.say("text.doctor.set_aside", &facts) + "\n"));
    }
    if findings.faults.is_empty() {
        text.push_str(&(desk.style.paint(Tone::Good, &say("text.doctor.well")) + "\n"));
        return text;
    }
    for found in findings.faults.iter().take(SHOWN_MAX) {
        text.push_str(&(desk.style.paint(Tone::Bad, &sentence(found, desk.lang)) + "\n"));
    }
    let n = findings.faults.len().to_string();
    text.push_str(&(desk.lang.say("text.doctor.repair", &[("n", &n)]) + "\n"));
    text
}

/// Makes the database anew from everything that reads.
pub(crate) fn rebuild(desk: &Desk) -> Result<Page, Fault> {
    let bar = Progress::waiting("text.progress.rebuild", desk);
    let rebuilt = desk.rebuild()?;
    drop(bar);
    Ok(desk.page(|| rebuilt_json(&rebuilt, desk.lang), |desk| rebuilt_text(&rebuilt, desk)))
}

fn rebuilt_json(rebuilt: &Rebuilt, lang: Lang) -> Value {
    json!({
        "ops": rebuilt.ops,
        "documents": rebuilt.documents,
        "from_journal": rebuilt.from_journal,
        "unreadable": rebuilt.unreadable,
        "set_aside": rebuilt.set_aside.as_ref().map(|path| path.display().to_string()),
        "look": rebuilt.look.iter().map(|look| look_json(look, lang)).collect::<Vec<_>>(),
    })
}

fn look_json(look: &Look, lang: Lang) -> Value {
    json!({
        "id": look.doc.map(|doc| doc.to_string()),
        "code": look.doc.map(|doc| doc.code()),
        "why": why(look.why, lang),
    })
}

/// Returns why something needs a look.
fn why(why: Why, lang: Lang) -> String {
    let n = |key: &str, n: u64| lang.say(key, &[("n", &n.to_string())]);
    match why {
        Why::Gone => lang.say("text.look.gone", &[]),
        Why::OpsMissing(ops) => n("text.look.ops_missing", ops),
        Why::NotWhole => lang.say("text.look.not_whole", &[]),
        Why::FileDamaged(hash) => lang.say("text.look.file_damaged", &[("hash", &records::hex::of(&hash))]),
        Why::OpsLost { epoch, first, last } => ops_lost(epoch, first, last, lang),
        Why::JournalGap(gap) => journal_gap(gap.at.file, gap.at.offset, gap.bytes, lang),
        Why::JournalCut(cut) => n("text.doctor.journal_cut", cut.was.at.file),
    }
}

fn ops_lost(epoch: Epoch, first: u64, last: u64, lang: Lang) -> String {
    let facts = [("epoch", epoch.0.to_string()), ("first", first.to_string()), ("last", last.to_string())];
    lang.say("text.doctor.ops_lost", &facts.each_ref().map(|(name, value)| (*name, value.as_str())))
}

fn journal_gap(file: u64, offset: u64, bytes: u64, lang: Lang) -> String {
    let facts = [("file", file.to_string()), ("offset", offset.to_string()), ("bytes", bytes.to_string())];
    lang.say("text.doctor.journal_gap", &facts.each_ref().map(|(name, value)| (*name, value.as_str())))
}

fn rebuilt_text(rebuilt: &Rebuilt, desk: &Desk) -> String {
    let numbers = [
        ("ops", rebuilt.ops.to_string()),
        ("documents", rebuilt.documents.to_string()),
        ("from_journal", rebuilt.from_journal.to_string()),
        ("unreadable", rebuilt.unreadable.to_string()),
    ];
    let facts = numbers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut text = desk.lang.say("text.rebuilt", &facts) + "\n";
    if let Some(path) = &rebuilt.set_aside {
        let path = path.display().to_string();
        text.push_str(&(desk.lang.say("text.rebuilt.set_aside", &[("path", &path)]) + "\n"));
    }
    if !rebuilt.look.is_empty() {
        let n = rebuilt.look.len().to_string();
        text.push_str(
            &(desk.style.paint(Tone::Bad, &desk.lang.say("text.rebuilt.look", &[("n", &n)])) + "\n"),
        );
    }
    for look in rebuilt.look.iter().take(SHOWN_MAX) {
        let code = look.doc.map(|doc| doc.code() + ": ").unwrap_or_default();
        text.push_str(&format!("  {code}{}\n", why(look.why, desk.lang)));
    }
    text
}
