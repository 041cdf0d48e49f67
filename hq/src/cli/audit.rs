//! `audit`: the auditor's desk.

use records::kinds::claim::LineVerdict;
use records::kinds::claim_machine as at;
use records::money::Fen;
use serde_json::{Value as Json, json};

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault};
use crate::cli::claim;
use crate::cli::due;
use crate::cli::office::{self, Acts, AtMost, amount, label, object, say, word};
use crate::money::audit::{Handed, RuledLine, Ruling};
use crate::money::decide::Taken;

/// What an auditor can do.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Lists what waits for the auditor, what is overdue first
    List(AtMost),
    /// Shows a claim with its lines and what the rules say of it
    Show {
        /// Its number, code or id
        claim: String,
    },
    /// Gives a line its verdict
    Line(Line),
    /// Asks the branch
    Ask {
        /// Its number, code or id
        claim: String,
        /// The question
        text: String,
        #[command(flatten)]
        acts: Acts,
    },
    /// Writes down what the branch answered
    Answer {
        /// Its number, code or id
        claim: String,
        /// The answer
        text: String,
        #[command(flatten)]
        acts: Acts,
    },
    /// Proposes to reject a claim; the manager confirms
    Reject {
        /// Its number, code or id
        claim: String,
        /// Why: duplicate, fake, invalid, missing_paper, not_business; words may follow after a colon
        #[arg(long, value_name = "CODE")]
        reason: String,
        #[command(flatten)]
        acts: Acts,
    },
    /// Ends the audit of a claim; a line without a verdict gets that of the rules
    Done {
        /// Its number, code or id
        claim: String,
        /// The rule of an anomaly that is acknowledged; once for each
        #[arg(long = "ack", value_name = "RULE")]
        acks: Vec<String>,
        #[command(flatten)]
        acts: Acts,
    },
    /// Hands approved claims to finance
    #[command(name = "hand-over")]
    HandOver {
        /// Their numbers, codes or ids
        #[arg(required_unless_present = "ready")]
        claims: Vec<String>,
        /// All that are approved
        #[arg(long, conflicts_with = "claims")]
        ready: bool,
        #[command(flatten)]
        acts: Acts,
    },
    /// Raises an alarm about a claim, for the manager
    Alarm {
        /// Its number, code or id
        claim: String,
        /// What is wrong
        text: String,
        #[command(flatten)]
        acts: Acts,
    },
}

/// What is said of a line.
#[derive(Debug, clap::Args)]
pub(super) struct Line {
    /// The claim's number, code or id
    claim: String,
    /// Which line, from 1
    #[arg(long, value_name = "N")]
    line: u32,
    /// ok, short_voucher, over_cap, expired, late_batch, invalid, fake_invoice, false_claim, duplicate, non_compliant, adjusted, void
    #[arg(long, value_parser = office::verdict)]
    verdict: LineVerdict,
    /// Less than the rules leave
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    payable: Option<Fen>,
    /// A voucher that is not taken, with the reason; once for each
    #[arg(long = "reject-voucher", value_name = "CODE=REASON", value_parser = pair)]
    reject: Vec<(String, String)>,
    /// Why
    #[arg(long, default_value = "")]
    reason: String,
    #[command(flatten)]
    acts: Acts,
}

/// Reads `NAME=WORDS`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (name, words) = text.split_once('=').ok_or_else(|| text.to_owned())?;
    let (name, words) = (name.trim(), words.trim());
    if name.is_empty() || words.is_empty() { Err(text.to_owned()) } else { Ok((name.into(), words.into())) }
}

pub(super) fn run(command: &Command, room: &Room) -> Result<Answer, Fault> {
    match command {
        Command::List(at_most) => due::waiting(
            &[at::RECEIVED, at::INFO_REQUESTED, at::MGR_APPROVED, at::VP_APPROVED],
            *at_most,
            room,
        ),
        Command::Show { claim } => claim::show(claim, room),
        Command::Line(args) => line(args, room),
        Command::Ask { claim, text, acts } => words(claim, ("ask", text), acts, room),
        Command::Answer { claim, text, acts } => words(claim, ("answer", text), acts, room),
        Command::Reject { claim, reason, acts } => {
            step(claim, &Taken::step("propose_reject", reason), acts, room)
        }
        Command::Done { claim, acks, acts } => done(claim, acks, acts, room),
        Command::HandOver { claims, ready: _, acts } => hand_over(claims, acts, room),
        Command::Alarm { claim, text, acts } => alarm(claim, text, acts, room),
    }
}

/// Takes a step on a claim and says where it is now.
pub(super) fn step(claim: &str, taken: &Taken<'_>, acts: &Acts, room: &Room) -> Result<Answer, Fault> {
    let (held, mut desk) =
        office::act(room, acts, |desk, actor, now| desk.step_claim(claim, taken, actor, now))?;
    let (json, text) = office::told(&mut desk, &held, room.lang)?;
    Ok(Answer::new(json, text))
}

fn words(claim: &str, (step, text): (&str, &str), acts: &Acts, room: &Room) -> Result<Answer, Fault> {
    let (held, mut desk) =
        office::act(room, acts, |desk, actor, now| desk.ask(claim, step, text, actor, now))?;
    let (json, text) = office::told(&mut desk, &held, room.lang)?;
    Ok(Answer::new(json, text))
}

fn line(args: &Line, room: &Room) -> Result<Answer, Fault> {
    let ruling = Ruling {
        line: args.line,
        verdict: args.verdict,
        payable: args.payable,
        reject: &args.reject,
        reason: &args.reason,
    };
    let (ruled, _) =
        office::act(room, &args.acts, |desk, actor, now| desk.rule_line(&args.claim, &ruling, actor, now))?;
    let RuledLine { held, before, after, rejected } = ruled;
    let mut json = object(json!({
        "id": held.record.id.to_string(),
        "claim_no": held.claim.no,
        "line": args.line,
        "verdict": word(&LineVerdict::CHOICES, after.verdict.0),
        "reason": after.reason,
        "rejected_vouchers": rejected,
    }));
    amount(&mut json, "payable_before", Some(before.paid.payable));
    amount(&mut json, "payable", Some(after.payable));
    amount(&mut json, "self_paid", Some(after.self_paid));
    let facts = [
        ("no", held.no()),
        ("line", args.line.to_string()),
        ("verdict", label(&LineVerdict::CHOICES, after.verdict.0, room.lang).to_owned()),
        ("before", before.paid.payable.to_string()),
        ("after", after.payable.to_string()),
    ];
    Ok(Answer::new(json.into(), say(room.lang, "hq.audit.line", &facts)))
}

fn done(claim: &str, acks: &[String], acts: &Acts, room: &Room) -> Result<Answer, Fault> {
    let (done, mut desk) =
        office::act(room, acts, |desk, actor, now| desk.end_audit(claim, acks, actor, now))?;
    let (json, mut text) = office::told(&mut desk, &done.held, room.lang)?;
    let mut json = object(json);
    let verdict = |n: &u32| done.held.claim.audit.get(n).map(|line| (*n, line));
    let by_rules: Vec<_> = done.by_rules.iter().filter_map(verdict).collect();
    let rows = by_rules.iter().map(|(n, line)| {
        let mut json = object(json!({"line": n, "verdict": word(&LineVerdict::CHOICES, line.verdict.0)}));
        amount(&mut json, "payable", Some(line.payable));
        Json::from(json)
    });
    json.insert("by_rules".to_owned(), rows.collect());
    for (n, line) in &by_rules {
        let facts = [
            ("line", n.to_string()),
            ("verdict", label(&LineVerdict::CHOICES, line.verdict.0, room.lang).to_owned()),
            ("payable", line.payable.to_string()),
        ];
        text.push_str(&format!("\n{}", say(room.lang, "hq.audit.by_rules", &facts)));
    }
    Ok(Answer::new(json.into(), text))
}

fn hand_over(claims: &[String], acts: &Acts, room: &Room) -> Result<Answer, Fault> {
    let today = office::today(room);
    let (handed, mut desk) = office::act(room, acts, |desk, actor, now| {
        let ready = if claims.is_empty() { desk.ready(today)? } else { claims.to_vec() };
        desk.hand_over(&ready, actor, now)
    })?;
    let (mut rows, mut text) = (Vec::new(), String::new());
    for Handed { held, opens } in &handed {
        let (json, said) = office::told(&mut desk, held, room.lang)?;
        let mut json = object(json);
        json.insert("opens".to_owned(), opens.map(|day| day.to_string()).into());
        rows.push(Json::from(json));
        text.push_str(&said);
        if let Some(opens) = opens {
            text.push_str(&say(room.lang, "hq.audit.opens", &[("day", opens.to_string())]));
        }
        text.push('\n');
    }
    let text = if handed.is_empty() { say(room.lang, "hq.audit.none_ready", &[]) } else { text };
    Ok(Answer::new(rows.into(), text))
}

fn alarm(claim: &str, words: &str, acts: &Acts, room: &Room) -> Result<Answer, Fault> {
    let (alert, _) = office::act(room, acts, |desk, actor, now| desk.alarm(claim, words, actor, now))?;
    let json = json!({"id": alert.to_string(), "code": alert.code()});
    Ok(Answer::new(json, say(room.lang, "hq.audit.alarm", &[("code", alert.code())])))
}
