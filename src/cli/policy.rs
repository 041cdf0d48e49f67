//! `policy explain`: what the expense policy says of a day or an amount, with every day or step of it.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use records::money::Fen;
use records::policy::calendar::Calendar;
use records::policy::cap::CapAccount;
use records::policy::cycle::Cycle;
use records::policy::explain::{Question, explain};
use records::policy::in_force::InForce;
use records::policy::sentence::Sentence;
use records::policy::terms::Policy;
use records::time::{Day, Zone};

use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::cli::lang::Lang;
use crate::notebook::refusal::NotebookError;
use crate::notebook::terms::Terms;

/// What the expense policy says.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Explain {
        #[command(subcommand)]
        about: About,
        #[arg(long, global = true, value_name = "F.toml")]
        policy: Option<PathBuf>,
        #[arg(long, global = true, value_name = "F.json")]
        calendar: Option<PathBuf>,
    },
}

/// What is asked; headquarters takes the same.
#[derive(Debug, Subcommand)]
pub(crate) enum About {
    Audit {
        #[arg(long, value_name = "DAY")]
        received: Day,
    },
    Manager {
        #[arg(long, value_name = "DAY")]
        audited: Day,
    },
    Finance {
        #[arg(long, value_name = "DAY")]
        approved: Day,
    },
    Age {
        #[arg(long, value_name = "DAY")]
        date: Day,
    },
    Dispatch {
        batch: Cycle,
    },
    Payable {
        #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
        claimed: Fen,
        #[arg(long, value_name = "AMOUNTS", value_delimiter = ',', required = true)]
        #[arg(allow_negative_numbers = true)]
        vouchers: Vec<Fen>,
        #[arg(long, value_name = "AMOUNT")]
        cap: Option<Fen>,
        #[arg(long, value_name = "AMOUNT", requires = "cap")]
        used: Option<Fen>,
        #[arg(long, value_name = "AMOUNT", requires = "cap")]
        exception: Option<Fen>,
    },
    Blackout {
        #[arg(long, value_name = "DAY")]
        date: Day,
    },
}

/// Answers a question to the policy. A home that is there says which policy and calendar the company has; none is needed.
pub(crate) fn run(command: Command, desk: &Desk) -> Result<Page, Fault> {
    let Command::Explain { about, policy, calendar } = command;
    let own = own_terms(policy.is_none() || calendar.is_none(), desk)?;
    let day = asked_day(&about).unwrap_or_else(|| desk.clock.now().wall.day(Zone::SHANGHAI));
    let policy = match (policy, &own) {
        (None, Some(own)) => own.policy(day).clone(),
        (file, _) => policy_of(file.as_deref(), desk.lang)?,
    };
    let base = own.map_or_else(Calendar::china, |own| std::sync::Arc::unwrap_or_clone(own.calendar));
    let calendar = calendar_of(base, calendar.as_deref(), desk.lang)?;
    let explained = explain(&question(about), &policy, &calendar).map_err(|error| {
        let reason = said(&error.sentence(), desk.lang);
        match error.rule() {
            Some(rule) => Fault::new(Exit::Refused, "error.policy.not_positive").rule(rule),
            None => Fault::new(Exit::Usage, "error.policy.no_answer"),
        }
        .with("reason", &reason)
    })?;
    let text = |desk: &Desk| explained.text(&|key, facts| desk.lang.say(key, facts));
    Ok(desk.page(|| explained.json.clone(), text))
}

/// Returns what headquarters sent; `None` where no device lives here.
fn own_terms(wanted: bool, desk: &Desk) -> Result<Option<InForce>, Fault> {
    if !wanted {
        return Ok(None);
    }
    match desk.store() {
        Ok(store) => Ok(Some(Terms::read(&store).map_err(NotebookError::from)?.in_force)),
        Err(fault) if fault.key == "error.not_enrolled" => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Returns the day by which the version is chosen; `None` where the question names none.
fn asked_day(about: &About) -> Option<Day> {
    match about {
        About::Audit { received: day }
        | About::Manager { audited: day }
        | About::Finance { approved: day }
        | About::Age { date: day }
        | About::Blackout { date: day } => Some(*day),
        About::Dispatch { batch } => Some(batch.month.last()),
        About::Payable { .. } => None,
    }
}

fn question(about: About) -> Question {
    match about {
        About::Audit { received } => Question::Audit { received },
        About::Manager { audited } => Question::Manager { audited },
        About::Finance { approved } => Question::Finance { approved },
        About::Age { date } => Question::Age { date },
        About::Dispatch { batch } => Question::Dispatch(batch),
        About::Blackout { date } => Question::Blackout { date },
        About::Payable { claimed, vouchers, cap, used, exception } => {
            let [used, exceptions] = [used, exception].map(Option::unwrap_or_default);
            Question::Payable { claimed, vouchers, cap: cap.map(|cap| CapAccount { cap, exceptions, used }) }
        }
    }
}

/// Returns the policy of a file; the standard one without a file.
fn policy_of(file: Option<&Path>, lang: Lang) -> Result<Policy, Fault> {
    let Some(path) = file else {
        return Policy::parse("").map_err(|error| policy_fault(Path::new("-"), &error, lang));
    };
    let text = std::fs::read_to_string(path).map_err(|error| Fault::file(path, &error))?;
    Policy::parse(&text).map_err(|error| policy_fault(path, &error, lang))
}

/// Returns the calendar with the years of a file where there is one.
fn calendar_of(mut calendar: Calendar, file: Option<&Path>, lang: Lang) -> Result<Calendar, Fault> {
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|error| Fault::file(path, &error))?;
        calendar.load(&text).map_err(|error| {
            Fault::new(Exit::Usage, "error.policy.calendar")
                .with("file", &path.display())
                .with("problem", &said(&error.sentence(), lang))
        })?;
    }
    Ok(calendar)
}

fn policy_fault(path: &Path, error: &records::policy::file::PolicyError, lang: Lang) -> Fault {
    Fault::new(Exit::Usage, "error.policy.file")
        .with("file", &path.display())
        .with("line", &error.line)
        .with("key", &error.key)
        .with("problem", &said(&error.problem.sentence(), lang))
}

fn said(sentence: &Sentence, lang: Lang) -> String {
    sentence.text(&|key, facts| lang.say(key, facts))
}

/// One question of each sort.
#[cfg(test)]
pub(crate) const QUESTIONS: [&[&str]; 7] = [
    &["audit", "--received", "2026-12-21"],
    &["manager", "--audited", "2026-01-23"],
    &["finance", "--approved", "2026-01-29"],
    &["age", "--date", "2026-01-15"],
    &["dispatch", "2026-02-B"],
    &["blackout", "--date", "2026-05-09"],
    &["payable", "--claimed", "100.00", "--vouchers", "60.00,60.00", "--cap", "150.00", "--used", "80.00"],
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::Device;

    #[test]
    fn every_answer_is_said_in_each_language() {
        for lang in Lang::ALL {
            let device = Device { lang: lang.id(), ..Device::empty() };
            for question in QUESTIONS {
                let text = device.done(&[&["policy", "explain"][..], question].concat());
                assert!(!text.contains("text.policy") && !text.contains("%{"), "{text}");
            }
        }
    }

    #[test]
    fn the_answer_is_in_the_json_and_needs_no_home() {
        let device = Device::empty();
        let check = |n: usize, expected: serde_json::Value| {
            let answer = device.json(&[&["policy", "explain"][..], QUESTIONS[n]].concat());
            for (name, value) in expected.as_object().unwrap() {
                assert_eq!(&answer[name], value, "{answer:#}");
            }
        };
        check(0, serde_json::json!({"due": "2026-12-24", "missing_calendars": [2027]}));
        check(1, serde_json::json!({"due": "2026-01-26", "ends_at": "2026-01-27T00:00:00+08:00"}));
        check(2, serde_json::json!({"accepted": "2026-02-10", "due": "2026-02-26", "missing_calendars": []}));
        check(3, serde_json::json!({"last_day": "2026-02-24"}));
        check(4, serde_json::json!({"due": "2026-02-24", "half": "2026-02-H1", "to": "2026-02-15"}));
        check(5, serde_json::json!({"closed": true, "opens": "2026-05-11"}));
        check(6, serde_json::json!({"payable": "70.00", "self_paid": "30.00", "payable_fen": 7000}));
    }

    #[test]
    fn a_wrong_value_ends_with_how_it_is_written() {
        let device = Device::empty();
        let check = |question: &[&str], said: &str| {
            let ran = device.run(&[&["policy", "explain"][..], question].concat());
            assert_eq!(ran.exit, 2, "{}", ran.err);
            assert!(ran.err.contains(said) && ran.err.contains("\nhint: "), "{}", ran.err);
        };
        check(&["age", "--date", "31/02"], "\"31/02\" is not a day");
        check(&["payable", "--claimed", "12.345", "--vouchers", "1"], "more than two decimals");
        check(&["payable", "--claimed", "1", "--vouchers", "1,x"], "\"x\" is not an amount");
        check(&["payable", "--claimed", "1", "--vouchers", "1", "--used", "2"], "--cap");
        check(&["dispatch", "2026-02-C"], "\"2026-02-C\" is not a batch");
    }

    #[test]
    fn a_claimed_sum_that_is_not_above_zero_is_refused_by_its_rule() {
        let device = Device::empty();
        for claimed in ["-1", "0", "0.00"] {
            let ran = device.run(&["policy", "explain", "payable", "--claimed", claimed, "--vouchers", "1"]);
            assert_eq!(ran.exit, 1, "{}", ran.err);
            assert!(
                ran.err.contains("is not above zero. [B9]") && ran.err.contains("\nhint: "),
                "{}",
                ran.err
            );
        }
    }

    #[test]
    fn a_policy_and_a_calendar_of_ones_own_count() {
        let device = Device::empty();
        let file = |name: &str, text: &str| {
            let path = device.dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let policy = file("p.toml", "version = \"2027/1\"\nsla.audit_wd = 1\n");
        let calendar = file("c.json", r#"{"2027": {"holidays": ["2026-12-22", "2027-01-01"]}}"#);
        let question =
            [&["policy", "explain"][..], QUESTIONS[0], &["--policy", &policy, "--calendar", &calendar][..]];
        let answer = device.json(&question.concat());
        assert_eq!((&answer["due"], &answer["policy"]), (&"2026-12-23".into(), &"2027/1".into()));
        assert_eq!(answer["missing_calendars"], serde_json::json!([]));
        let wrong = file("w.toml", "version = \"2027/1\"\n[sla]\naudit = 1\n");
        let ran = device.run(&[&["policy", "explain"][..], QUESTIONS[0], &["--policy", &wrong][..]].concat());
        assert!(ran.exit == 2 && ran.err.contains("line 3, sla.audit: there is no such key"), "{}", ran.err);
        let wrong = file("w.json", "[1]");
        let ran =
            device.run(&[&["policy", "explain"][..], QUESTIONS[0], &["--calendar", &wrong][..]].concat());
        assert!(ran.exit == 2 && ran.err.contains("an object is expected"), "{}", ran.err);
    }

    #[test]
    fn every_sentence_of_the_rules_stands_in_the_table() {
        use records::policy::calendar::DayKind;
        use records::policy::calendar_file::CalendarError;
        use records::policy::count::{self, Mark};
        use records::policy::file::Problem;
        use records::policy::line::{self, LineError, What};
        let day: Day = "2026-01-30".parse().unwrap();
        let text = String::new;
        let problems = [
            Problem::Syntax(text()),
            Problem::UnknownKey { known: text() },
            Problem::NoVersion,
            Problem::NotATable,
            Problem::NotABool,
            Problem::NotAText { min: 1, max: 2 },
            Problem::NotANumber { min: 1, max: 2 },
            Problem::NotAWord { found: text(), allowed: text() },
            Problem::NotACurrency,
            Problem::NotAPattern,
            Problem::NotAZone,
            Problem::OneEnd,
            Problem::NeverOpen,
            Problem::BeforeItsEnd,
            Problem::HalfUnsent,
        ];
        let calendars = [
            CalendarError::Syntax { line: 1 },
            CalendarError::Shape { at: text(), expected: "" },
            CalendarError::NotADay { at: text(), found: text() },
            CalendarError::OtherYear { at: text(), day, year: 2027 },
            CalendarError::Both { day },
            CalendarError::TooLong,
        ];
        let amounts = [LineError::NotPositive(Fen(0)), LineError::Negative(Fen(-1)), LineError::TooLarge];
        let marks = [
            Mark::Start,
            Mark::Counted(1),
            Mark::Skipped,
            Mark::Closed,
            Mark::Paused,
            Mark::Accepted,
            Mark::Named,
            Mark::Moved,
        ];
        let kinds = [DayKind::Workday, DayKind::MakeUp, DayKind::Weekend, DayKind::Holiday];
        let steps = marks.iter().flat_map(|mark| kinds.map(|kind| count::Step { day, kind, mark: *mark }));
        let parts = [
            What::Claimed,
            What::SupCut,
            What::GmCut,
            What::Voucher,
            What::NotCounted,
            What::Support,
            What::Surplus,
            What::Shortage,
            What::Refused,
            What::Cap,
            What::Exceptions,
            What::Used,
            What::Room,
            What::SelfPaid,
            What::Payable,
        ]
        .map(|what| line::Step { what, amount: Fen(1), rule: "P-12" });
        let sentences: Vec<Sentence> = (problems.iter().map(Problem::sentence))
            .chain(calendars.iter().map(CalendarError::sentence))
            .chain(amounts.iter().map(LineError::sentence))
            .chain(steps.map(|step| step.sentence()))
            .chain(parts.iter().map(line::Step::sentence))
            .chain((0..7).map(|n| Sentence::new(format!("weekday.{n}"))))
            .collect();
        for lang in Lang::ALL {
            for sentence in &sentences {
                let text = said(sentence, lang);
                assert!(!text.contains("text.policy") && !text.contains("%{"), "{}: {text}", lang.id());
            }
        }
    }
}
