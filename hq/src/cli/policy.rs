//! `policy`: what the expense policy says, whether a policy file can be used, and the what-if calendar.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use records::money::Fen;
use records::policy::calendar::Calendar;
use records::policy::cap::CapAccount;
use records::policy::cycle::{Cycle, Month};
use records::policy::explain::{Question, explain};
use records::policy::file::PolicyError;
use records::policy::sentence::Sentence;
use records::policy::terms::Policy;
use records::policy::what_if::{Row, what_if};
use records::time::Day;
use serde_json::json;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault, Lang, REFUSED};
use crate::cli::table::table;
use crate::cli::terms;

/// What can be done with a policy.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Answers a question to the policy
    Explain {
        #[command(subcommand)]
        about: About,
        #[arg(long, global = true, value_name = "F.toml")]
        policy: Option<PathBuf>,
        #[arg(long, global = true, value_name = "F.json")]
        calendar: Option<PathBuf>,
    },
    /// Checks a policy file
    Check { file: PathBuf },
    /// Loads a version of the company's policy
    Load {
        file: PathBuf,
        #[arg(long, value_name = "DAY")]
        valid_from: Option<Day>,
    },
    /// Lists the versions of the policy
    List,
    /// Judges past claims by another policy, and writes nothing
    Try {
        file: PathBuf,
        #[arg(long, value_name = "DAY")]
        since: Option<Day>,
        #[arg(long, value_name = "DAY")]
        until: Option<Day>,
    },
    /// The what-if calendar
    WhatIf(WhatIf),
}

/// Over which months, and by which policy.
#[derive(Debug, clap::Args)]
pub(super) struct WhatIf {
    #[arg(long, value_name = "MONTH", requires = "to")]
    from: Option<Month>,
    #[arg(long, value_name = "MONTH", requires = "from")]
    to: Option<Month>,
    #[arg(long, value_name = "DAYS", default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=60))]
    transit_days: u8,
    #[arg(long, value_name = "F.toml")]
    policy: Option<PathBuf>,
    #[arg(long, value_name = "F.json")]
    calendar: Option<PathBuf>,
}

/// What is asked; the device takes the same.
#[derive(Debug, Subcommand)]
pub(super) enum About {
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

pub(super) fn run(command: Command, room: &Room) -> Result<Answer, Fault> {
    match command {
        Command::Explain { about, policy, calendar } => {
            let (policy, calendar) = in_force(policy.as_deref(), calendar.as_deref(), room)?;
            let explained = explain(&question(about), &policy, &calendar).map_err(|error| {
                let fault = match error.rule() {
                    Some(rule) => {
                        Fault { rule: rule.into(), ..Fault::new(REFUSED, "error.policy.not_positive") }
                    }
                    None => Fault::usage("error.policy.no_answer"),
                };
                fault.with("reason", said(&error.sentence(), room.lang))
            })?;
            let text = explained.text(&|key, facts| say(key, facts, room.lang));
            Ok(Answer::new(explained.json, text))
        }
        Command::Check { file } => check(&file, room.lang),
        Command::Load { file, valid_from } => terms::load(&file, valid_from, room),
        Command::List => terms::list(room),
        Command::Try { file, since, until } => terms::trial(&file, (since, until), room),
        Command::WhatIf(args) => months(&args, room.lang),
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

/// Reads a policy file and lists what it changes; one that cannot be used ends with its line and key.
fn check(file: &Path, lang: Lang) -> Result<Answer, Fault> {
    let text = std::fs::read_to_string(file).map_err(|error| Fault::file(file, &error))?;
    let read = Policy::parse(&text).and_then(|policy| Ok((policy, Policy::differences(&text)?)));
    let (policy, differences) = read.map_err(|error| policy_fault(file, &error, lang))?;
    let titles = ["key", "standard", "own"].map(|name| lang.say(&format!("hq.column.{name}"), &[]));
    let rows = differences.iter().map(|d| vec![d.key.clone(), d.standard.clone(), d.own.clone()]).collect();
    let facts =
        [("version".to_owned(), policy.version.clone()), ("n".to_owned(), differences.len().to_string())];
    let text = format!("{}\n{}", lang.say("hq.policy.checked", &facts), table(&titles, rows));
    let changed: Vec<_> =
        differences.iter().map(|d| json!({"key": d.key, "standard": d.standard, "own": d.own})).collect();
    Ok(Answer::new(json!({"version": policy.version, "differences": changed}), text))
}

/// Months that one table is made of, at most.
const MONTHS_MAX: i32 = 600;
/// Months where nobody says which: the last three years of the calendar.
const MONTHS: i32 = 36;

fn months(args: &WhatIf, lang: Lang) -> Result<Answer, Fault> {
    let policy = policy_of(args.policy.as_deref(), lang)?;
    let calendar = calendar_of(args.calendar.as_deref(), lang)?;
    let last = calendar.years().last().and_then(|year| Month::of(Day::from_ymd(year, 12, 1)?));
    let Some((from, to)) = args.from.zip(args.to).or_else(|| Some((last?.plus(1 - MONTHS), last?))) else {
        return Err(Fault::usage("error.usage.bad_month").with("argument", "--to").with("value", ""));
    };
    if to < from || to > from.plus(MONTHS_MAX - 1) {
        return Err(Fault::usage("hq.policy.months").with("from", from).with("to", to));
    }
    let rows = what_if(from, to, args.transit_days, &policy, &calendar);
    let facts =
        [("from", from.to_string()), ("to", to.to_string()), ("transit", args.transit_days.to_string())]
            .map(|(name, value)| (name.to_owned(), value));
    let titles = ["dispatch_day", "blackout_months", "mean_days", "max_days"]
        .map(|name| lang.say(&format!("hq.column.{name}"), &[]));
    let lines = rows.iter().map(|row| {
        let months = format!("{} / {}", row.blackout_months, row.months);
        vec![row.dispatch_day.to_string(), months, mean(row), row.max_days.to_string()]
    });
    let text = format!("{}\n{}", lang.say("hq.policy.what_if", &facts), table(&titles, lines.collect()));
    let json = rows.iter().map(|row| {
        json!({
            "dispatch_day": row.dispatch_day,
            "months": row.months,
            "blackout_months": row.blackout_months,
            "mean_days": mean(row),
            "max_days": row.max_days,
        })
    });
    Ok(Answer::new(json.collect(), text))
}

fn mean(row: &Row) -> String {
    format!("{}.{}", row.mean_tenths / 10, row.mean_tenths % 10)
}

/// Returns policy and calendar of the files; without one what the company has in force, else what is built in.
fn in_force(
    policy: Option<&Path>,
    calendar: Option<&Path>,
    room: &Room,
) -> Result<(Policy, Calendar), Fault> {
    let own = if room.data.is_made() { Some(room.open()?.terms()?) } else { None };
    let policy = match (policy, &own) {
        (None, Some(own)) => own.in_force.policy(terms::today(room)).clone(),
        (file, _) => policy_of(file, room.lang)?,
    };
    let built_in = own.map_or_else(Calendar::china, |own| Calendar::clone(&own.in_force.calendar));
    Ok((policy, calendar_on(built_in, calendar, room.lang)?))
}

/// Returns the policy of a file; the standard one without a file.
fn policy_of(file: Option<&Path>, lang: Lang) -> Result<Policy, Fault> {
    let Some(path) = file else {
        return Policy::parse("").map_err(|error| policy_fault(Path::new("-"), &error, lang));
    };
    let text = std::fs::read_to_string(path).map_err(|error| Fault::file(path, &error))?;
    Policy::parse(&text).map_err(|error| policy_fault(path, &error, lang))
}

/// Returns China's calendar, with the years of a file where there is one.
fn calendar_of(file: Option<&Path>, lang: Lang) -> Result<Calendar, Fault> {
    calendar_on(Calendar::china(), file, lang)
}

fn calendar_on(mut calendar: Calendar, file: Option<&Path>, lang: Lang) -> Result<Calendar, Fault> {
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|error| Fault::file(path, &error))?;
        calendar.load(&text).map_err(|error| calendar_fault(path, &error.sentence(), lang))?;
    }
    Ok(calendar)
}

/// A calendar file that cannot be used, with the place in it.
pub(super) fn calendar_fault(path: &Path, sentence: &Sentence, lang: Lang) -> Fault {
    Fault::usage("error.policy.calendar").with("file", path.display()).with("problem", said(sentence, lang))
}

/// A policy file that cannot be used, with line and key.
pub(crate) fn policy_fault(path: &Path, error: &PolicyError, lang: Lang) -> Fault {
    Fault::usage("error.policy.file")
        .with("file", path.display())
        .with("line", error.line)
        .with("key", &error.key)
        .with("problem", said(&error.problem.sentence(), lang))
}

/// Returns a sentence of the policy's own words.
pub(crate) fn said(sentence: &Sentence, lang: Lang) -> String {
    sentence.text(&|key, facts| say(key, facts, lang))
}

fn say(key: &str, facts: &[(&str, &str)], lang: Lang) -> String {
    let facts: Vec<(String, String)> =
        facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    lang.say(key, &facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn english() -> Lang {
        Lang::chosen(Some("en"))
    }

    fn file(folder: &tempfile::TempDir, text: &str) -> PathBuf {
        let path = folder.path().join("policy.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn a_policy_file_is_checked_and_its_differences_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(&folder, "version = \"2027/1\"\n[sla]\naudit_wd = 5\nmanager_wd = 1\n");
        let answer = check(&path, english()).unwrap();
        let expected = json!({"version": "2027/1", "differences": [
            {"key": "sla.audit_wd", "standard": "3", "own": "5"},
            {"key": "version", "standard": "2022-06/1", "own": "2027/1"},
        ]});
        assert_eq!(answer.json, expected);
        assert!(answer.text.contains("sla.audit_wd  3 "), "{}", answer.text);
    }

    #[test]
    fn a_wrong_policy_file_is_refused_with_line_and_key_in_each_language() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(&folder, "version = \"2027/1\"\n[sla]\naudit_wd = \"five\"\n");
        for (lang, said) in [
            ("en", "a whole number from 0 to 250"),
            ("zh-CN", "0 至 250 的整数"),
            ("zh-TW", "0 至 250 的整數"),
        ] {
            let lang = Lang::chosen(Some(lang));
            let fault = check(&path, lang).unwrap_err();
            let sentence = lang.say(&fault.key, &fault.facts);
            assert_eq!(fault.code, crate::cli::answer::USAGE);
            assert!(
                sentence.contains(said) && sentence.contains("sla.audit_wd") && sentence.contains('3'),
                "{sentence}"
            );
        }
    }

    #[test]
    fn the_what_if_calendar_covers_the_last_three_years_where_nobody_says_which() {
        let ask = |from: Option<&str>, to: Option<&str>| {
            let month = |text: Option<&str>| text.map(|text| text.parse().unwrap());
            let args =
                WhatIf { from: month(from), to: month(to), transit_days: 3, policy: None, calendar: None };
            months(&args, english())
        };
        let answer = ask(None, None).unwrap();
        assert_eq!(answer.json.as_array().unwrap().len(), 28);
        let first = json!({
            "dispatch_day": 1, "months": 36, "blackout_months": 5, "mean_days": "19.5", "max_days": 26,
        });
        assert_eq!(answer.json[0], first);
        assert!(answer.text.starts_with("2024-01 to 2026-12, 3 days in the mail"), "{}", answer.text);
        assert_eq!(ask(Some("2026-02"), Some("2026-01")).unwrap_err().key, "hq.policy.months");
        assert_eq!(ask(Some("1900-01"), Some("2026-01")).unwrap_err().key, "hq.policy.months");
    }
}
