//! `policy explain`: one question to the rules, its answer, and every day or step that led to it.
//!
//! Source: docs/CLI.md, `policy explain`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::money::Fen;
use crate::policy::calendar::Calendar;
use crate::policy::cap::CapAccount;
use crate::policy::choices::AgeTo;
use crate::policy::count::{self, Mark, Trace};
use crate::policy::cycle::Cycle;
use crate::policy::dispatch::{self, Dispatch};
use crate::policy::line::{self, Line, LineError, Ticket, Verdict};
use crate::policy::sentence::Sentence;
use crate::policy::terms::Policy;
use crate::policy::{age, due};
use crate::time::Day;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Until when is audited what arrived on that day?
    Audit {
        /// The day on which paper and data were there.
        received: Day,
    },
    /// Until when does the manager decide?
    Manager {
        /// The day on which it was audited.
        audited: Day,
    },
    /// When does finance take it in, and until when does it pay?
    Finance {
        /// The day on which it was approved.
        approved: Day,
    },
    /// Until when may an expense be claimed?
    Age {
        /// The day of the expense.
        date: Day,
    },
    /// When does a mailing go, and what does it carry?
    Dispatch(Cycle),
    /// Is finance closed?
    Blackout {
        /// The day.
        date: Day,
    },
    /// What is paid of a line?
    Payable {
        /// The claimed amount.
        claimed: Fen,
        /// Its vouchers.
        vouchers: Vec<Fen>,
        /// The ceiling of its month and category, with what was paid under it.
        cap: Option<CapAccount>,
    },
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// For programs.
    pub json: Value,
    /// The answer for people.
    pub answer: Vec<Sentence>,
    /// Every day or step of it.
    pub steps: Vec<Sentence>,
    /// What to know about it: the version of the policy, tables that are missing.
    pub notes: Vec<Sentence>,
}

impl Explained {
    /// Returns the answer, its steps and its notes; `say` gives the sentence of a key with its facts filled in.
    pub fn text(&self, say: &impl Fn(&str, &[(&str, &str)]) -> String) -> String {
        let lines = |sentences: &[Sentence], indent: &str| {
            sentences.iter().map(|sentence| format!("{indent}{}\n", sentence.text(say))).collect::<String>()
        };
        lines(&self.answer, "") + &lines(&self.steps, "  ") + &lines(&self.notes, "")
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum ExplainError {
    /// The policy has no such mailing.
    #[error("the policy has no mailing {0}")]
    NoSuchMailing(Cycle),
    /// The amounts of a line.
    #[error(transparent)]
    Line(#[from] LineError),
}

impl ExplainError {
    /// Returns the rule that refuses the question; `None` where it has no answer at all.
    ///
    /// Source: docs/RULES.md B9.
    #[must_use]
    pub const fn rule(&self) -> Option<&'static str> {
        match self {
            Self::Line(LineError::NotPositive(_)) => Some("B9"),
            Self::NoSuchMailing(_) | Self::Line(LineError::Negative(_) | LineError::TooLarge) => None,
        }
    }

    /// Returns why there is no answer.
    #[must_use]
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::NoSuchMailing(cycle) => Sentence::new("no_such_mailing").with("batch", cycle),
            Self::Line(error) => error.sentence(),
        }
    }
}

/// Answers a question by that policy and calendar.
///
/// # Errors
/// [`ExplainError`] where the question has no answer.
///
/// ```
/// use records::policy::{calendar::Calendar, explain::{Question, explain}, terms::Policy};
/// let question = Question::Audit { received: "2026-02-13".parse()? };
/// let answer = explain(&question, &Policy::parse("")?, &Calendar::china())?;
/// assert_eq!(answer.json["due"], "2026-02-25");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn explain(question: &Question, policy: &Policy, calendar: &Calendar) -> Result<Explained, ExplainError> {
    let desk = Desk { policy, calendar };
    match question {
        Question::Audit { received } => {
            Ok(desk.step("audit", "received", *received, "P-21", &due::audit(*received, policy, calendar)))
        }
        Question::Manager { audited } => {
            Ok(desk.step("manager", "audited", *audited, "P-22", &due::manager(*audited, policy, calendar)))
        }
        Question::Finance { approved } => Ok(desk.finance(*approved)),
        Question::Age { date } => Ok(desk.age(*date)),
        Question::Dispatch(cycle) => desk.dispatch(*cycle).ok_or(ExplainError::NoSuchMailing(*cycle)),
        Question::Blackout { date } => Ok(desk.blackout(*date)),
        Question::Payable { claimed, vouchers, cap } => Ok(desk.payable(*claimed, vouchers, *cap)?),
    }
}

struct Desk<'a> {
    policy: &'a Policy,
    calendar: &'a Calendar,
}

impl Desk<'_> {
    /// A step with a number of working days, which begins on `from`.
    fn step(&self, id: &str, name: &'static str, from: Day, rule: &'static str, due: &due::Due) -> Explained {
        let answer = match due.day {
            Some(day) => Sentence::new(id).with("due", day),
            None => Sentence::new("no_limit"),
        };
        let members =
            [(name, from.to_string().into()), ("due", day(due.day)), ("ends_at", self.end(due.day))];
        self.of_days(rule, members, vec![answer.with("from", from).with("rule", rule)], &due.trace)
    }

    fn finance(&self, approved: Day) -> Explained {
        let payment = due::finance(approved, self.policy, self.calendar);
        let taken = Sentence::new("accepted").with("accepted", payment.accepted).with("rule", "P-24");
        let paid = match payment.due {
            Some(due) => Sentence::new("paid").with("due", due),
            None => Sentence::new("no_limit").with("from", payment.accepted),
        };
        let members = [
            ("approved", approved.to_string().into()),
            ("accepted", payment.accepted.to_string().into()),
            ("due", day(payment.due)),
            ("ends_at", self.end(payment.due)),
        ];
        let answer = vec![taken.with("from", approved), paid.with("rule", "P-23")];
        self.of_days("P-23", members, answer, &payment.trace)
    }

    fn age(&self, date: Day) -> Explained {
        let expiry = age::expiry(date, self.policy, self.calendar);
        let goes = dispatch::carrying(date, self.policy, self.calendar);
        let last = dispatch::last_for(date, self.policy, self.calendar);
        let members = [
            ("date", date.to_string().into()),
            ("last_day", expiry.last_day.to_string().into()),
            ("ends_at", self.end(Some(expiry.last_day))),
            ("goes_with", mailing(goes.as_ref())),
            ("last_with", mailing(last.as_ref())),
        ];
        let id = match self.policy.age.to {
            AgeTo::ClaimSubmitted => "age",
            AgeTo::BatchDispatched => "age_sent",
        };
        let about = Sentence::new(id).with("date", date).with("last_day", expiry.last_day);
        let mailings = [("goes_with", goes), ("last_with", last)].into_iter().filter_map(|(id, mailing)| {
            mailing.map(|m| Sentence::new(id).with("batch", m.cycle).with("due", m.due))
        });
        let answer = [about.with("rule", "P-17")].into_iter().chain(mailings).collect();
        self.of_days("P-17", members, answer, &expiry.trace)
    }

    fn dispatch(&self, cycle: Cycle) -> Option<Explained> {
        let mailing = dispatch::dispatch(cycle, self.policy, self.calendar)?;
        let members = [
            ("batch", cycle.to_string().into()),
            ("named", mailing.named.to_string().into()),
            ("due", mailing.due.to_string().into()),
            ("ends_at", self.end(Some(mailing.due))),
            ("early_ok", self.policy.cycle.early_ok.into()),
            ("half", mailing.half.map_or(Value::Null, |half| half.to_string().into())),
            ("from", mailing.from.to_string().into()),
            ("to", mailing.to.to_string().into()),
        ];
        let goes =
            Sentence::new("dispatch").with("batch", cycle).with("due", mailing.due).with("rule", "P-14");
        let carries = Sentence::new("carries").with("from", mailing.from).with("to", mailing.to);
        let early = if self.policy.cycle.early_ok { "early_ok" } else { "early_not_ok" };
        let answer = vec![goes, carries.with("rule", "P-15"), Sentence::new(early)];
        Some(self.of_days("P-14", members, answer, &mailing.trace))
    }

    fn blackout(&self, date: Day) -> Explained {
        let closure = due::blackout(date, self.policy, self.calendar);
        let members = [
            ("date", date.to_string().into()),
            ("closed", closure.closed.into()),
            ("closed_until", day(closure.closed_until)),
            ("opens", closure.opens.to_string().into()),
        ];
        let state = match closure.closed_until {
            Some(until) => Sentence::new("closed").with("until", until),
            None => Sentence::new("open"),
        };
        let opens = Sentence::new("opens").with("opens", closure.opens);
        let answer = vec![state.with("date", date).with("rule", "P-24"), opens];
        self.of_days("P-24", members, answer, &closure.trace)
    }

    fn payable(
        &self,
        claimed: Fen,
        vouchers: &[Fen],
        cap: Option<CapAccount>,
    ) -> Result<Explained, LineError> {
        let vouchers: Vec<Ticket> =
            vouchers.iter().map(|amount| Ticket { amount: *amount, counts: true }).collect();
        let line = Line {
            claimed,
            sup_cut: None,
            gm_cut: None,
            vouchers: &vouchers,
            needs_vouchers: true,
            verdict: Verdict::Ok,
            cap,
        };
        let paid = line::payable(&line, self.policy)?;
        let mut json = Map::new();
        for (name, amount) in [
            ("claimed", claimed),
            ("payable", paid.payable),
            ("self_paid", paid.self_paid),
            ("taken_off", paid.taken_off),
            ("support", paid.support),
        ] {
            json.insert(format!("{name}_fen"), amount.0.into());
            json.insert(name.to_owned(), amount.to_string().into());
        }
        json.insert("policy".to_owned(), self.policy.version.clone().into());
        json.insert("amounts".to_owned(), paid.steps.iter().map(amount_json).collect());
        let answer = Sentence::new("payable")
            .with("claimed", claimed)
            .with("payable", paid.payable)
            .with("self_paid", paid.self_paid);
        Ok(Explained {
            json: json.into(),
            answer: vec![answer],
            steps: paid.steps.iter().map(line::Step::sentence).collect(),
            notes: self.notes(&BTreeSet::new()),
        })
    }

    /// An answer that was found by looking at days.
    fn of_days<const N: usize>(
        &self,
        rule: &str,
        members: [(&'static str, Value); N],
        answer: Vec<Sentence>,
        trace: &Trace,
    ) -> Explained {
        let mut json: Map<String, Value> =
            members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        json.insert("rule".to_owned(), rule.into());
        json.insert("policy".to_owned(), self.policy.version.clone().into());
        json.insert("days".to_owned(), trace.steps.iter().map(day_json).collect());
        json.insert("missing_calendars".to_owned(), trace.missing.iter().copied().collect());
        Explained {
            json: json.into(),
            answer,
            steps: trace.steps.iter().map(count::Step::sentence).collect(),
            notes: self.notes(&trace.missing),
        }
    }

    fn notes(&self, missing: &BTreeSet<i32>) -> Vec<Sentence> {
        let policy = Sentence::new("version").with("version", &self.policy.version);
        let missing = missing.iter().map(|year| Sentence::new("missing").with("year", year));
        [policy].into_iter().chain(missing).collect()
    }

    fn end(&self, day: Option<Day>) -> Value {
        day.map(|day| due::end_of(day, self.policy.zone).rfc3339(self.policy.zone)).into()
    }
}

fn day(day: Option<Day>) -> Value {
    day.map(|day| day.to_string()).into()
}

fn mailing(mailing: Option<&Dispatch>) -> Value {
    mailing.map_or(Value::Null, |m| json!({"batch": m.cycle.to_string(), "due": m.due.to_string()}))
}

fn day_json(step: &count::Step) -> Value {
    let n = match step.mark {
        Mark::Counted(n) => Some(n),
        _ => None,
    };
    json!({"day": step.day.to_string(), "is": step.kind.name(), "mark": step.mark.name(), "n": n})
}

fn amount_json(step: &line::Step) -> Value {
    let rule = Some(step.rule).filter(|rule| !rule.is_empty());
    json!({
        "what": step.what.name(), "amount_fen": step.amount.0, "amount": step.amount.to_string(), "rule": rule,
    })
}
