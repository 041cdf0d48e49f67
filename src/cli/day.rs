//! `fieldbook` without a command: the day, and what to do next with the command that does it.

use records::id::DocId;
use records::time::Zone;
use serde_json::{Value, json};

use crate::cli::desk::{Desk, Page};
use crate::cli::fault::Fault;
use crate::cli::lang::Lang;
use crate::cli::table::{Column, Tone, pairs, table};
use crate::cli::{money, record, status};
use crate::notebook::day::advice::Advice;
use crate::notebook::day::{Today, Visit, today};
use crate::sync::standing::Apart;

/// So many open sheets are listed for a person; `--json` has all.
const DRAFTS_SHOWN_MAX: usize = 5;
/// So much is advised at a time: what comes after it can wait.
const ADVICE_SHOWN_MAX: usize = 5;

/// Says what the day brings.
pub(crate) fn run(desk: &Desk) -> Result<Page, Fault> {
    let today = today(&desk.store()?, desk.lang.of_labels(), desk.clock.now())?;
    Ok(desk.page(|| answer(&today, desk), |desk| text(&today, desk)))
}

/// Returns the day as an answer: the keys of `status`, and its own.
fn answer(today: &Today, desk: &Desk) -> Value {
    let zone = today.status.zone;
    let mut answer = status::answer(&today.status);
    let drafts = today.drafts.iter().map(|line| Value::from(record::line_json(line, zone)));
    let next = today.next.iter().flat_map(|advice| steps(advice, desk.lang));
    let own = [
        ("day", json!(today.day.to_string())),
        ("jobs", today.jobs.iter().map(|job| visit_json(job, zone)).collect()),
        ("jobs_later", json!(today.later)),
        ("drafts", drafts.collect()),
        ("reviews", json!(today.reviews.len())),
        ("next", next.map(|(command, text)| json!({"command": command, "text": text})).collect()),
    ];
    if let Some(answer) = answer.as_object_mut() {
        answer.extend(own.map(|(name, value)| (name.to_owned(), value)));
    }
    answer
}

fn visit_json(job: &Visit, zone: Zone) -> Value {
    let instant = |at: Option<records::time::Ts>| at.map(|at| at.rfc3339(zone));
    json!({
        "id": job.id.to_string(),
        "code": job.id.code(),
        "number": job.number,
        "state": job.state.name,
        "customer": job.customer,
        "title": job.title,
        "planned_from": instant(job.from),
        "planned_to": instant(job.to),
        "step": job.step,
    })
}

fn text(today: &Today, desk: &Desk) -> String {
    let heading = |key: &str| format!("\n{}\n", desk.style.paint(Tone::Heading, &desk.lang.say(key, &[])));
    let mut text = head(today, desk) + &heading("text.day.jobs") + &jobs(today, desk);
    if !today.drafts.is_empty() {
        text.push_str(&(heading("text.day.drafts") + &drafts(today, desk)));
    }
    let due = money::text(&today.status.money, desk);
    if !due.is_empty() {
        text.push_str(&(heading("text.day.due") + &due));
    }
    let steps = today.next.iter().take(ADVICE_SHOWN_MAX).flat_map(|advice| steps(advice, desk.lang));
    let steps: Vec<(String, String)> = steps.collect();
    text + &heading("text.day.next") + &pairs(desk.style, &steps)
}

/// Who, which day, and what only this device has; what is well and was not asked for is left to `status`.
fn head(today: &Today, desk: &Desk) -> String {
    let say = |key: &str| desk.lang.say(key, &[]);
    let stands = &today.status;
    let weekday = say(&format!("text.day.weekday_{}", today.day.weekday()));
    let who = format!("{} ({}), {}", stands.staff_name, stands.staff_code, stands.unit_name);
    let title = format!("{} {weekday}  {who}", today.day);
    let mut rows = vec![
        (say("text.status.here_only"), status::here_only(stands, desk)),
        (say("text.status.last_sync"), status::last_sync(stands, desk)),
    ];
    let bad = |n: u64| desk.style.paint(Tone::Bad, &n.to_string());
    if stands.files.waiting + stands.files.missing > 0 {
        rows.push((say("text.status.files"), status::files(stands, desk)));
    }
    if stands.counts.conflicts > 0 {
        rows.push((say("text.status.conflicts"), bad(stands.counts.conflicts)));
    }
    if stands.counts.quarantined > 0 {
        rows.push((say("text.status.quarantine"), bad(stands.counts.quarantined)));
    }
    if status::is_short_of_room(stands) {
        rows.push((say("text.status.free"), status::free(stands, desk)));
    }
    format!("{}\n{}", desk.style.paint(Tone::Heading, &title), pairs(desk.style, &rows))
}

fn jobs(today: &Today, desk: &Desk) -> String {
    let say = |key: &str, n: usize| desk.lang.say(key, &[("n", &n.to_string())]);
    let columns = ["column.at", "column.number", "column.customer", "column.title", "column.state"];
    let columns = columns.map(|key| Column::left(say(key, 0)));
    let rows: Vec<Vec<String>> = today.jobs.iter().map(|job| cells(job, today, desk)).collect();
    let mut text = table(desk.style, &columns, &rows);
    if rows.is_empty() {
        text.push_str(&(say("text.day.no_jobs", 0) + "\n"));
    }
    if today.later > 0 {
        text.push_str(&(say("text.day.jobs_later", today.later) + "\n"));
    }
    text
}

fn cells(job: &Visit, today: &Today, desk: &Desk) -> Vec<String> {
    let zone = today.status.zone;
    let minute = job.from.map(|from| from.minute(zone)).unwrap_or_default();
    // Today's hour stands alone; an earlier day is named, as somebody waits.
    let at = match minute.split_once(' ') {
        Some((day, hour)) if *day == today.day.to_string() => hour.to_owned(),
        _ => minute,
    };
    let state = desk.lang.label(job.state.zh, job.state.en).to_owned();
    vec![at, job.name(), job.customer.clone(), job.title.clone(), state]
}

fn drafts(today: &Today, desk: &Desk) -> String {
    let shown = today.drafts.iter().take(DRAFTS_SHOWN_MAX).cloned().collect::<Vec<_>>();
    let mut text = record::lines_text(&shown, desk, today.status.zone);
    let more = today.drafts.len().saturating_sub(DRAFTS_SHOWN_MAX);
    if more > 0 {
        text.push_str(&(desk.lang.say("text.day.more", &[("n", &more.to_string())]) + "\n"));
    }
    text
}

/// Returns the commands of an advice, each with the sentence that says why.
fn steps(advice: &Advice, lang: Lang) -> Vec<(String, String)> {
    let one = |command: String, key: &str, facts: &[(&str, &str)]| {
        vec![(format!("fieldbook {command}"), lang.say(&format!("text.day.next_{key}"), facts))]
    };
    match advice {
        Advice::Administrator(Apart::Unconfirmed) => one("status".to_owned(), "unconfirmed", &[]),
        Advice::Administrator(Apart::Revoked) => one("status".to_owned(), "revoked", &[]),
        Advice::FirstSync => one("sync".to_owned(), "first_sync", &[]),
        Advice::Quarantine(n) => one("quarantine list".to_owned(), "quarantine", &[("n", &n.to_string())]),
        Advice::Conflicts(n) => one("conflict list".to_owned(), "conflicts", &[("n", &n.to_string())]),
        Advice::Returned { claim, name } => {
            one(format!("claim check {}", word(name, *claim)), "returned", &[("name", name)])
        }
        Advice::Trip(half) => one(format!("trip show {half}"), "trip", &[("half", half)]),
        Advice::Expiring { half, last_day, n } => {
            let facts = [("n", &*n.to_string()), ("day", &*last_day.to_string())];
            one(format!("claim draft {half}"), "expiring", &facts)
        }
        Advice::SendOld(age) => one("sync".to_owned(), "send_old", &[("age", &status::duration(*age, lang))]),
        Advice::Job { job, name, step } => {
            let sheet = if *step == "arrive" { " --sheet" } else { "" };
            let command = format!("job {step} {}{sheet}", word(name, *job));
            one(command, &format!("job_{step}"), &[("name", name)])
        }
        Advice::Seal { sheet } => one(format!("sheet seal {}", sheet.code()), "seal", &[]),
        Advice::Claim { half, due } => {
            one(format!("claim draft {half}"), "claim", &[("day", &due.to_string())])
        }
        Advice::Review(n) => one("review list".to_owned(), "review", &[("n", &n.to_string())]),
        Advice::Send => one("sync".to_owned(), "send", &[]),
        Advice::Begin => {
            let sheet = one("sheet new repair".to_owned(), "sheet", &[]);
            sheet.into_iter().chain(one("voucher add".to_owned(), "voucher", &[])).collect()
        }
    }
}

/// Returns a name as one types it: the code where a shell would read the number as something else.
fn word(name: &str, id: DocId) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(is_plain) {
        name.to_owned()
    } else {
        id.code()
    }
}

#[cfg(test)]
mod tests {
    use records::id::{Epoch, OpId, Replica};
    use records::policy::cycle::HalfMonth;
    use records::time::Day;

    use super::*;

    fn every_advice() -> Vec<Advice> {
        let id = DocId(OpId { replica: Replica(7), epoch: Epoch(1), seq: 1 });
        let half = HalfMonth::of(Day(20_000)).unwrap();
        let name = "CL 1".to_owned();
        let mut all = vec![
            Advice::Administrator(Apart::Unconfirmed),
            Advice::Administrator(Apart::Revoked),
            Advice::FirstSync,
            Advice::Quarantine(1),
            Advice::Conflicts(1),
            Advice::Returned { claim: id, name: name.clone() },
            Advice::Trip(half.to_string()),
            Advice::Expiring { half, last_day: Day(20_000), n: 1 },
            Advice::SendOld(200_000_000),
            Advice::Seal { sheet: id },
            Advice::Claim { half, due: Day(20_000) },
            Advice::Review(1),
            Advice::Send,
            Advice::Begin,
        ];
        let steps = ["accept", "take", "arrive", "start", "resume", "finish"];
        all.extend(steps.map(|step| Advice::Job { job: id, name: name.clone(), step }));
        all
    }

    #[test]
    fn every_advice_has_its_sentence_in_each_language_and_a_command_of_ours() {
        for lang in Lang::ALL {
            for (command, text) in every_advice().iter().flat_map(|advice| steps(advice, lang)) {
                assert!(!text.starts_with("text."), "{text}");
                let words: Vec<&str> = command.split(' ').collect();
                // Where a terminal asks for the rest, the words alone are not enough.
                let read = crate::cli::help::command(lang).try_get_matches_from(&words);
                let kind = read.err().map(|error| error.kind());
                let asked = kind.is_none() || kind == Some(clap::error::ErrorKind::MissingRequiredArgument);
                assert!(asked, "{command}: {kind:?}");
            }
        }
    }

    #[test]
    fn a_number_that_a_shell_reads_otherwise_is_typed_as_its_code() {
        let id = DocId(OpId { replica: Replica(7), epoch: Epoch(1), seq: 1 });
        assert_eq!(word("HZ01-2026-1", id), "HZ01-2026-1");
        for number in ["", "CL 1", "-r", "$(x)", "工单"] {
            assert_eq!(word(number, id), id.code(), "{number}");
        }
    }
}
