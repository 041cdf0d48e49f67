//! What a form of the audit's page does, and what comes next.

use pages::reply::Reply;
use pages::visit;
use records::kinds::case::CaseKind;
use records::kinds::claim::{CutReason, LineVerdict};
use records::kinds::claim_machine as at;
use records::kinds::voucher_machine::RejectReason;
use records::money::Fen;

use crate::cli::answer::Fault;
use crate::intake;
use crate::money::actor::Actor;
use crate::money::audit::{Ruling, verdict_for};
use crate::money::cases::Proposal;
use crate::money::decide::Taken;
use crate::money::refusal::MoneyError;
use crate::web::audit::claim::{END, address, leaf, look};
use crate::web::desk::Desk;

/// Does what a form of this page says, and goes on to what comes next.
pub(in crate::web::audit) fn act(desk: &Desk<'_>, name: &str, what: &str) -> Result<Reply, Fault> {
    let done = match what {
        "ok" => accept(desk, name),
        "cut" => cut(desk, name),
        "reject" => reject(desk, name),
        "done" => end(desk, name),
        "alarm" => alarmed(desk, name),
        "ask" | "answer" => asked(desk, name, what),
        "copy" | "lose" => paper(desk, name, what),
        "propose-reject" => propose(desk, name),
        "case" => propose_case(desk, name),
        _ => return Err(Fault::usage("console.fault.no_page")),
    };
    match done {
        Ok(reply) => Ok(reply),
        Err(fault) => Ok(desk.refused(&leaf(desk, name)?, &fault)),
    }
}

/// Returns the way to the group after the one that the form was sent from.
fn on(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let looked = look(desk, name)?;
    let at = desk.visit.form.get("at").and_then(|at| at.parse::<usize>().ok());
    let next = at.map_or(usize::MAX, |at| at.saturating_add(1));
    let next = if next < looked.groups.len() { next.to_string() } else { END.to_owned() };
    Ok(Reply::go(&format!("{}?at={next}", address(&looked.story))))
}

fn stay(name: &str, done: &str) -> Reply {
    Reply::go(&format!("/audit/{}?done={done}", visit::part(name)))
}

fn accept(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let lines: Vec<u32> = desk.visit.form.all("line").filter_map(|line| line.parse().ok()).collect();
    let claim = name.to_owned();
    desk.act(move |office, actor, now_ms| office.accept_lines(&claim, &lines, actor, now_ms))?;
    on(desk, name)
}

/// Returns the reason that was chosen with what was noted beside it.
fn noted(desk: &Desk<'_>, word: &str) -> String {
    let note = desk.visit.form.get("note").unwrap_or_default();
    if note.is_empty() { word.to_owned() } else { format!("{word}: {note}") }
}

fn line_of(desk: &Desk<'_>) -> u32 {
    desk.visit.form.get("line").and_then(|line| line.parse().ok()).unwrap_or_default()
}

fn cut(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let typed = desk.visit.form.get("payable").unwrap_or_default();
    let payable: Fen = typed.parse().map_err(|_| Fault::usage("console.fault.amount").with("text", typed))?;
    let word = desk.visit.form.get("reason").unwrap_or_default();
    let chosen = CutReason::CHOICES.options.iter().find(|(known, ..)| *known == word);
    let (_, zh, en) = chosen.ok_or_else(|| Fault::usage("console.fault.reason"))?;
    // The claimant reads it as a sentence, in the auditor's words.
    let reason = noted(desk, desk.lang.words().pick(zh, en));
    let (claim, line) = (name.to_owned(), line_of(desk));
    desk.act(move |office, actor, now_ms| {
        let ruling = Ruling {
            line,
            verdict: LineVerdict::ADJUSTED,
            payable: Some(payable),
            reject: &[],
            reason: &reason,
        };
        office.rule_line(&claim, &ruling, actor, now_ms)
    })?;
    on(desk, name)
}

fn reject(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let word = desk.visit.form.get("reason").unwrap_or_default();
    let chosen = RejectReason::CHOICES.index(word).map(RejectReason);
    let chosen = chosen.ok_or_else(|| Fault::usage("console.fault.reason"))?;
    let said = noted(desk, word);
    let (claim, line, voucher) =
        (name.to_owned(), line_of(desk), desk.visit.form.get("voucher").map(str::to_owned));
    desk.act(move |office, actor, now_ms| {
        let reject = rejected(office, (&claim, line), voucher, &said)?;
        let ruling =
            Ruling { line, verdict: verdict_for(chosen), payable: None, reject: &reject, reason: &said };
        office.rule_line(&claim, &ruling, actor, now_ms)
    })?;
    on(desk, name)
}

/// Returns the vouchers that are meant: the chosen one, else all of the line that were not rejected before.
fn rejected(
    office: &mut intake::desk::Desk,
    (claim, line): (&str, u32),
    voucher: Option<String>,
    reason: &str,
) -> Result<Vec<(String, String)>, MoneyError> {
    if let Some(voucher) = voucher {
        return Ok(vec![(voucher, reason.to_owned())]);
    }
    let held = office.claim(claim)?;
    let mut reject = Vec::new();
    for id in
        held.claim.line(line).into_iter().flat_map(|line| &line.vouchers).filter_map(|ticket| ticket.voucher)
    {
        let submitted = records::kinds::voucher_machine::SUBMITTED;
        if office.record(id)?.is_some_and(|voucher| voucher.state == submitted) {
            reject.push((id.to_string(), reason.to_owned()));
        }
    }
    Ok(reject)
}

fn end(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let acks: Vec<String> = desk.visit.form.all("ack").map(str::to_owned).collect();
    let claim = name.to_owned();
    desk.act(move |office, actor, now_ms| office.end_audit(&claim, &acks, actor, now_ms))?;
    let today = desk.today();
    let waiting = desk.look(|office| Ok(office.waiting(&[at::RECEIVED], today)?))?;
    // The next one that waits opens itself.
    match waiting.first() {
        Some(next) => Ok(stay(&next.held.record.id.to_string(), "audited")),
        None => Ok(Reply::go("/audit?done=audited")),
    }
}

fn words(desk: &Desk<'_>, field: &str) -> String {
    desk.visit.form.get(field).unwrap_or_default().to_owned()
}

fn alarmed(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let (claim, text) = (name.to_owned(), words(desk, "text"));
    desk.act(move |office, actor, now_ms| office.alarm(&claim, &text, actor, now_ms))?;
    Ok(stay(name, "alarm"))
}

fn asked(desk: &Desk<'_>, name: &str, step: &str) -> Result<Reply, Fault> {
    let (claim, text, taken) = (name.to_owned(), words(desk, "text"), step.to_owned());
    desk.act(move |office, actor, now_ms| office.ask(&claim, &taken, &text, actor, now_ms))?;
    Ok(stay(name, step))
}

fn paper(desk: &Desk<'_>, name: &str, what: &str) -> Result<Reply, Fault> {
    let (claim, reason, copy) = (name.to_owned(), words(desk, "reason"), what == "copy");
    desk.act(move |office, actor, now_ms| match copy {
        true => office.found(&claim, true, actor, now_ms),
        false => office.lose(&claim, &reason, actor, now_ms),
    })?;
    Ok(stay(name, "decided"))
}

fn propose(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let said = noted(desk, &words(desk, "reason"));
    let claim = name.to_owned();
    desk.act(move |office, actor, now_ms| {
        step(office, &claim, &Taken::step("propose_reject", &said), actor, now_ms)
    })?;
    Ok(Reply::go("/audit?done=reject_proposed"))
}

fn step(
    office: &mut intake::desk::Desk,
    claim: &str,
    taken: &Taken<'_>,
    actor: &Actor,
    now_ms: u64,
) -> Result<(), MoneyError> {
    office.step_claim(claim, taken, actor, now_ms).map(drop)
}

fn propose_case(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let kind = CaseKind::CHOICES.index(&words(desk, "kind")).map(CaseKind);
    let kind = kind
        .filter(|kind| *kind != CaseKind::AUDIT_LATE)
        .ok_or_else(|| Fault::usage("console.fault.reason"))?;
    let (claim, line, evidence) = (name.to_owned(), line_of(desk), words(desk, "evidence"));
    desk.act(move |office, actor, now_ms| {
        let line = Some(line).filter(|line| *line > 0);
        office.propose(&Proposal { kind, claim: &claim, line, evidence: &evidence }, actor, now_ms)
    })?;
    Ok(stay(name, "case_proposed"))
}
