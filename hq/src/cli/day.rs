//! `fieldbook-hq` without a command: what waits in the office, and the command that shows it.

use records::kinds::{alert_machine, number};
use serde_json::json;

use crate::cli::answer::{Answer, Fault, Lang};
use crate::cli::office::{self, say};
use crate::cli::table::rows;
use crate::cli::{Room, due, help};
use crate::intake::desk::Desk;
use crate::money::refusal::MoneyError;

/// A device that was not heard of for so long may lie in a drawer, with work on it.
const SILENT_AFTER_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// What waits.
struct Waiting {
    /// Devices that take part.
    devices: usize,
    /// Those of them that were not heard of for a week.
    silent: usize,
    /// Devices whose work or key waits for an administrator.
    held_back: usize,
    /// People.
    staff: usize,
    /// Claims that somebody has to do something about.
    claims: usize,
    /// Those of them that are late.
    late: usize,
    /// Anomalies that nobody looked at.
    alerts: usize,
}

/// Says what waits; where there is no headquarters yet, how to begin.
pub(super) fn run(room: &Room) -> Result<Answer, Fault> {
    let looked = office::look(room, |desk| waiting(desk, room));
    let (waiting, _) = match looked {
        Err(fault) if fault.key == "hq.absent" && !room.json => {
            let help = help::command(room.lang).render_help().to_string();
            return Ok(Answer::new(serde_json::Value::Null, help));
        }
        looked => looked?,
    };
    let today = office::today(room);
    let next = steps(&waiting, room.lang);
    let json = json!({
        "day": today.to_string(),
        "staff": waiting.staff,
        "devices": waiting.devices,
        "silent": waiting.silent,
        "held_back": waiting.held_back,
        "claims": waiting.claims,
        "late": waiting.late,
        "alerts": waiting.alerts,
        "next": next.iter().map(|(command, text)| json!({"command": command, "text": text})).collect::<Vec<_>>(),
    });
    let line = |key: &str, facts: &[(&str, usize)]| {
        let facts: Vec<_> = facts.iter().map(|(name, n)| ((*name).to_owned(), n.to_string())).collect();
        vec![room.lang.say(&format!("hq.day.{key}"), &[]), room.lang.say(&format!("hq.day.{key}_n"), &facts)]
    };
    let Waiting { devices, silent, held_back, staff, claims, late, alerts } = waiting;
    let stands = vec![
        line("staff", &[("n", staff)]),
        line("devices", &[("n", devices), ("silent", silent), ("held_back", held_back)]),
        line("claims", &[("n", claims), ("late", late)]),
        line("alerts", &[("n", alerts)]),
    ];
    let weekday = say(room.lang, &format!("text.day.weekday_{}", today.weekday()), &[]);
    let next: Vec<Vec<String>> = next.into_iter().map(|(command, text)| vec![command, text]).collect();
    let heading = say(room.lang, "text.day.next", &[]);
    Ok(Answer::new(json, format!("{today} {weekday}\n{}\n{heading}\n{}", rows(stands), rows(next))))
}

fn waiting(desk: &mut Desk, room: &Room) -> Result<Waiting, MoneyError> {
    let now_ms = room.clock.now_ms();
    let (mut devices, mut silent, mut held_back) = (0, 0, 0);
    for device in desk.store.devices(None)? {
        let waits = !desk.store.held_back(device.replica)?.is_empty()
            || !desk.keys_waiting(device.replica)?.is_empty();
        held_back += usize::from(waits);
        if device.standing.takes_part() {
            let heard_ms = device.seen_ms.unwrap_or(device.issued_ms);
            devices += 1;
            silent += usize::from(now_ms.saturating_sub(heard_ms) > SILENT_AFTER_MS);
        }
    }
    let (claims, late) = due::counts(desk, office::today(room))?;
    let alerts = desk.records(number::ALERT, &[alert_machine::OPEN])?.len();
    let staff = desk.people()?.staff.len();
    Ok(Waiting { devices, silent, held_back, staff, claims, late, alerts })
}

/// Returns what to do next, the most pressing first, each with the sentence that says why.
fn steps(waiting: &Waiting, lang: Lang) -> Vec<(String, String)> {
    let mut next = Vec::new();
    let mut add = |command: &str, key: &str, n: usize| {
        let facts = [("n".to_owned(), n.to_string())];
        next.push((format!("fieldbook-hq {command}"), lang.say(&format!("hq.day.next_{key}"), &facts)));
    };
    if waiting.staff == 0 {
        add("org import FILE", "org", 0);
        add("staff import FILE", "staff", 0);
    } else if waiting.devices == 0 {
        add("device code --staff CODE", "device", 0);
    }
    if waiting.late > 0 {
        add("due --late", "late", waiting.late);
    }
    if waiting.alerts > 0 {
        add("alert list --state open", "alerts", waiting.alerts);
    }
    if waiting.held_back > 0 {
        add("device list", "held_back", waiting.held_back);
    } else if waiting.silent > 0 {
        add("device list", "silent", waiting.silent);
    }
    if waiting.claims > waiting.late {
        add("due", "claims", waiting.claims);
    }
    add("serve", "serve", 0);
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Waiting =
        Waiting { devices: 3, silent: 0, held_back: 0, staff: 9, claims: 0, late: 0, alerts: 0 };

    #[track_caller]
    fn check(waiting: &Waiting, expected: &[&str]) {
        for lang in ["zh-CN", "zh-TW", "en"].map(|name| Lang::chosen(Some(name))) {
            let steps = steps(waiting, lang);
            let commands: Vec<&str> =
                steps.iter().filter_map(|step| step.0.strip_prefix("fieldbook-hq ")).collect();
            assert_eq!(commands, expected);
            assert!(steps.iter().all(|step| !step.1.starts_with("hq.")), "{steps:?}");
            for step in &steps {
                help::command(lang).try_get_matches_from(step.0.split(' ')).expect("a command of ours");
            }
        }
    }

    #[test]
    fn what_is_late_comes_before_what_waits_and_a_new_headquarters_is_led() {
        check(&QUIET, &["serve"]);
        let all = Waiting { silent: 1, held_back: 1, claims: 4, late: 2, alerts: 1, ..QUIET };
        check(&all, &["due --late", "alert list --state open", "device list", "due", "serve"]);
        check(&Waiting { silent: 1, claims: 2, late: 2, ..QUIET }, &["due --late", "device list", "serve"]);
        check(&Waiting { staff: 0, devices: 0, ..QUIET }, &["org import FILE", "staff import FILE", "serve"]);
        check(&Waiting { devices: 0, ..QUIET }, &["device code --staff CODE", "serve"]);
    }
}
