//! `claim`: claims as headquarters holds them.

use records::both::said;
use records::claim::checks;
use records::claim::settle::{self, SettledLine};
use records::claim::view::{Claim, Line};
use records::kinds::claim::{CLAIM, LineVerdict, PaperSeen};
use records::kinds::number;
use records::kinds::voucher::Category;
use records::time::{Day, Zone};
use serde_json::{Value as Json, json};

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault, Lang};
use crate::cli::due;
use crate::cli::office::{self, amount, label, object, person, person_text, titles, word};
use crate::cli::table::table;
use crate::intake::desk::Desk;
use crate::money::claims::{Held, Known};
use crate::money::rows::linked;
use crate::store::StoreError;
use crate::store::marks::Mark;

/// What can be asked of claims.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Lists claims
    List(List),
    /// Shows one with its lines, its decisions, and what the rules say of it
    Show {
        /// Its number, code or id
        claim: String,
    },
    /// Shows each change of one
    History {
        /// Its number, code or id
        claim: String,
    },
}

/// Which claims.
#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Only those in this state
    #[arg(long)]
    state: Option<String>,
    /// Only one person's
    #[arg(long, value_name = "STAFF")]
    staff: Option<String>,
    /// Only what came to its state on that day or later
    #[arg(long, value_name = "DAY")]
    since: Option<Day>,
    /// Only what came to its state on that day or earlier
    #[arg(long, value_name = "DAY")]
    until: Option<Day>,
    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

pub(super) fn run(command: &Command, room: &Room) -> Result<Answer, Fault> {
    match command {
        Command::List(list) => claims(list, room),
        Command::Show { claim } => show(claim, room),
        Command::History { claim } => {
            crate::cli::history::run(&crate::cli::show::Args { record: claim.clone() }, room)
        }
    }
}

fn claims(list: &List, room: &Room) -> Result<Answer, Fault> {
    let machine = CLAIM.machine.into_iter().next();
    let state = list.state.as_deref().map(|name| {
        let known = machine.and_then(|machine| machine.state(name));
        known.ok_or_else(|| Fault::usage("hq.state.unknown").with("state", name))
    });
    let states: Vec<u8> = state.transpose()?.into_iter().collect();
    let mut desk = room.open()?;
    let staff = match &list.staff {
        None => None,
        Some(code) => {
            let people = desk.people()?;
            let found = people.by_code(code).map(|(id, _)| id);
            Some(found.ok_or_else(|| Fault::usage("hq.staff.unknown").with("staff", code))?)
        }
    };
    let wanted = |held: &Held| {
        let day = crate::money::waiting::since(&held.claim).map(|at| at.day(Zone::SHANGHAI));
        staff.is_none_or(|staff| held.claim.staff == staff)
            && list.since.is_none_or(|since| day.is_some_and(|day| day >= since))
            && list.until.is_none_or(|until| day.is_some_and(|day| day <= until))
    };
    let (today, n) = (office::today(room), list.limit.unwrap_or(usize::MAX));
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    desk.each_claim(&states, |desk, held| {
        if rows.len() < n && wanted(&held) {
            rows.push(due::told(desk, &held, today)?);
            lines.push(office::claim_row(desk, &held, room.lang)?);
        }
        Ok::<bool, StoreError>(rows.len() < n)
    })?;
    Ok(Answer::new(rows.into(), table(&titles(room.lang, office::CLAIM_COLUMNS), lines)))
}

/// Shows a claim whole; reviewer, auditor and manager see the same.
pub(super) fn show(name: &str, room: &Room) -> Result<Answer, Fault> {
    let today = office::today(room);
    let (known, mut desk) = office::look(room, |desk| desk.known(name, today))?;
    let json = whole(&mut desk, &known, room.lang)?;
    let text = text(&mut desk, &known, room.lang)?;
    Ok(Answer::new(json, text))
}

fn whole(desk: &mut Desk, known: &Known, lang: Lang) -> Result<Json, StoreError> {
    let Known { held, facts } = known;
    let claim = &held.claim;
    let settled = settle::settle(claim, facts);
    let mut json = object(due::told(desk, held, facts.today)?);
    let mut lines = Vec::new();
    for line in &claim.lines {
        let paid = settled.lines.iter().find(|settled| settled.n == line.n);
        lines.push(line_json(claim, line, paid));
    }
    json.insert("lines".to_owned(), lines.into());
    amount(&mut json, "rules_payable", Some(settled.payable));
    amount(&mut json, "rules_self_paid", Some(settled.self_paid));
    let mut approvals = Vec::new();
    for approval in &claim.approvals {
        approvals.push(json!({
            "step": approval.step,
            "by": person(desk, approval.by)?,
            "for": person(desk, approval.on_behalf_of)?,
            "at": office::at(approval.at),
            "revision": approval.rev,
            "vouchers": approval.vouchers,
            "acks": approval.acks,
            "note": said(&approval.note, lang.words()),
        }));
    }
    json.insert("approvals".to_owned(), approvals.into());
    json.insert("alerts".to_owned(), alerts(desk, claim, lang)?.into());
    let mut questions = Vec::new();
    for question in &claim.questions {
        questions.push(json!({
            "text": question.text,
            "answer": question.answer,
            "by": person(desk, question.by)?,
            "at": office::at(question.at),
        }));
    }
    json.insert("questions".to_owned(), questions.into());
    let paper = |paper: &records::claim::view::Paper| json!({"seen": word(&PaperSeen::CHOICES, paper.seen.0), "at": office::at(paper.at)});
    json.insert("papers".to_owned(), claim.papers.iter().map(paper).collect());
    let found = checks::check(claim, facts).into_iter().map(|problem| {
        let line = problem.facts.iter().find(|(name, _)| *name == "line").map(|(_, line)| line.clone());
        json!({
            "rule": problem.rule,
            "line": line.and_then(|line| line.parse::<u32>().ok()),
            "message": problem.text(lang.words()),
            "hint": problem.hint(lang.words()),
        })
    });
    json.insert("problems".to_owned(), found.collect());
    Ok(json.into())
}

fn alerts(desk: &mut Desk, claim: &Claim, lang: Lang) -> Result<Vec<Json>, StoreError> {
    let mut alerts = Vec::new();
    for id in desk.store.marked(&Mark::Claim(claim.id), number::ALERT)? {
        let Some(record) = desk.record(id)? else { continue };
        let finding = record.get::<records::kinds::alert::Finding>().unwrap_or_default();
        alerts.push(json!({
            "id": id.to_string(),
            "code": id.code(),
            "rule": finding.rule.map(|rule| rule.0),
            "line": finding.line.map(|line| line.0),
            "evidence": finding.evidence.map(|evidence| said(&evidence.0, lang.words())),
            "by": person(desk, linked(finding.by.as_ref()))?,
            "state": office::state_name(&record),
        }));
    }
    Ok(alerts)
}

/// Returns a line with what is paid of it: by the audit, else by the rules.
fn line_json(claim: &Claim, line: &Line, paid: Option<&SettledLine>) -> Json {
    let vouchers = line.vouchers.iter().map(|ticket| {
        let mut json = object(json!({
            "id": ticket.voucher.map(|id| id.to_string()),
            "code": ticket.voucher.map(|id| id.code()),
            "date": ticket.date.map(|date| date.to_string()),
            "key": ticket.key,
        }));
        amount(&mut json, "amount", Some(ticket.amount));
        Json::from(json)
    });
    let audited = claim.audit.get(&line.n);
    let mut json = object(json!({
        "line": line.n,
        "category": line.category.map(|category| word(&Category::CHOICES, category.0)),
        "date": line.date.map(|date| date.to_string()),
        "service_month": line.service_month.map(|month| month.to_string()),
        "from_to": line.from_to,
        "detail": line.detail,
        "note": line.note,
        "vouchers": vouchers.collect::<Vec<Json>>(),
        "verdict": audited.map(|audited| word(&LineVerdict::CHOICES, audited.verdict.0)),
        "reason": audited.map(|audited| audited.reason.clone()),
    }));
    amount(&mut json, "claimed", Some(line.claimed));
    amount(&mut json, "support", paid.map(|line| line.paid.support));
    amount(&mut json, "sup_cut", claim.cut_to(line.n, "sup_cut"));
    amount(&mut json, "gm_cut", claim.cut_to(line.n, "gm_cut"));
    let by_rules = paid.map(|line| (line.paid.payable, line.paid.self_paid));
    let counts = audited.map(|audited| (audited.payable, audited.self_paid)).or(by_rules);
    amount(&mut json, "payable", counts.map(|(payable, _)| payable));
    amount(&mut json, "self_paid", counts.map(|(_, self_paid)| self_paid));
    json.into()
}

fn text(desk: &mut Desk, known: &Known, lang: Lang) -> Result<String, StoreError> {
    let Known { held, facts } = known;
    let claim = &held.claim;
    let settled = settle::settle(claim, facts);
    let who = person_text(desk, Some(claim.staff))?;
    let half = claim.half.map(|half| half.to_string()).unwrap_or_default();
    let mut text =
        [held.no(), who, half, office::state_label(&held.record, lang).to_owned()].join("  ") + "\n";
    let lines = claim.lines.iter().map(|line| {
        let paid = settled.lines.iter().find(|settled| settled.n == line.n);
        let audited = claim.audit.get(&line.n);
        let payable = audited.map(|audited| audited.payable).or(paid.map(|line| line.paid.payable));
        vec![
            line.n.to_string(),
            line.category
                .map(|category| label(&Category::CHOICES, category.0, lang))
                .unwrap_or_default()
                .to_owned(),
            line.date.map(|date| date.to_string()).unwrap_or_default(),
            line.claimed.to_string(),
            line.vouchers.len().to_string(),
            payable.map(|payable| payable.to_string()).unwrap_or_default(),
            audited
                .map(|audited| label(&LineVerdict::CHOICES, audited.verdict.0, lang))
                .unwrap_or_default()
                .to_owned(),
        ]
    });
    let columns = ["line", "category", "date", "claimed", "vouchers", "payable", "verdict"];
    text.push_str(&table(&titles(lang, columns), lines.collect()));
    let mut decided = Vec::new();
    for approval in &claim.approvals {
        let mut who = person_text(desk, approval.by)?;
        if let Some(principal) = approval.on_behalf_of {
            who.push_str(&format!(" → {}", person_text(desk, Some(principal))?));
        }
        let step = CLAIM.machine.and_then(|machine| machine.step(&approval.step));
        let step = step.map_or(approval.step.as_str(), |(_, step)| lang.words().pick(step.zh, step.en));
        decided.push(vec![
            approval.at.minute(Zone::SHANGHAI),
            who,
            step.to_owned(),
            approval.vouchers.map(|n| n.to_string()).unwrap_or_default(),
            said(&approval.note, lang.words()),
        ]);
    }
    text.push_str(&table(&titles(lang, ["recorded", "who", "step", "vouchers", "notes"]), decided));
    for problem in checks::check(claim, facts) {
        text.push_str(&format!("{}  {}\n", problem.rule, problem.text(lang.words())));
    }
    Ok(text)
}
