//! `status`: one honest answer.

use serde_json::{Value, json};

use crate::cli::desk::{Desk, Page};
use crate::cli::fault::Fault;
use crate::cli::lang::Lang;
use crate::cli::table::{Tone, pairs};
use crate::notebook::day::advice::LOUD_AFTER_MS;
use crate::notebook::status::{Status, status};
use crate::store::files::FileCounts;
use crate::sync::standing::Apart;

/// Says how things stand.
pub(crate) fn run(desk: &Desk) -> Result<Page, Fault> {
    let status = status(&desk.store()?, desk.clock.now())?;
    Ok(desk.page(|| answer(&status), |desk| text(&status, desk)))
}

/// Returns how things stand as an answer.
pub(crate) fn answer(status: &Status) -> Value {
    let counts = &status.counts;
    let instant = |ts: records::time::Ts| ts.rfc3339(status.zone);
    let oldest = counts.oldest_unsent_ms.and_then(|ms| i64::try_from(ms).ok()).map(records::time::Ts);
    let (pin_set, unlocked_until) = crate::cli::pin::standing_json(status.pin, status.zone);
    json!({
        "staff": {"code": status.staff_code, "name": status.staff_name},
        "unit": status.unit_name,
        "company": status.company,
        "replica": status.replica.0,
        "device": status.device,
        "key": status.key,
        "address": status.address,
        "documents": counts.documents,
        "ops": counts.ops,
        "unsent_ops": counts.unsent_ops,
        "oldest_unsent": oldest.map(instant),
        "unsent_age_ms": status.unsent_age_ms,
        "last_sync": status.last_sync.map(instant),
        "conflicts": counts.conflicts,
        "quarantined": counts.quarantined,
        "differing": status.differing,
        "standing": standing(status.apart),
        "files": {
            "here_only": status.files.waiting,
            "here_only_bytes": status.files.waiting_bytes,
            "missing": status.files.missing,
            "to_fetch": status.files.to_fetch,
        },
        "pin_set": pin_set,
        "unlocked_until": unlocked_until,
        "free_bytes": status.free_bytes,
        "copied": status.copied,
        "numbers_suspended": status.numbers_suspended,
        "next_sheet_no": status.next_sheet_no,
        "claim_lease": status.claim_lease.map(|(next, epoch)| json!({"next": next, "epoch": epoch})),
        "money": crate::cli::money::answer(&status.money),
    })
}

/// Below this much room no new photo is taken.
const LITTLE_ROOM_BYTES: u64 = 64 * 1024 * 1024;

fn text(status: &Status, desk: &Desk) -> String {
    let say = |key: &str, facts: &[(&str, &str)]| desk.lang.say(key, facts);
    let paint = |tone, text: String| desk.style.paint(tone, &text);
    let counts = &status.counts;
    let number = |n: u64, loud: Tone| paint(if n == 0 { Tone::Good } else { loud }, n.to_string());
    let mut rows = vec![
        (say("text.status.who", &[]), format!("{} ({})", status.staff_name, status.staff_code)),
        (say("text.status.unit", &[]), format!("{} / {}", status.company, status.unit_name)),
        (say("text.status.device", &[]), format!("{} (#{})", status.device, status.replica.0)),
        (say("text.status.here_only", &[]), here_only(status, desk)),
        (say("text.status.last_sync", &[]), last_sync(status, desk)),
        (say("text.status.records", &[]), counts.documents.to_string()),
        (say("text.status.conflicts", &[]), number(counts.conflicts, Tone::Bad)),
        (say("text.status.quarantine", &[]), number(counts.quarantined, Tone::Bad)),
        (say("text.status.files", &[]), files(status, desk)),
        (say("text.status.pin_row", &[]), crate::cli::pin::standing_text(status.pin, status.zone, desk)),
        (say("text.status.free", &[]), free(status, desk)),
        (say("text.status.next_sheet_no", &[]), next_number(status, desk.lang)),
    ];
    if status.apart.is_some() {
        let key = format!("text.status.standing_{}", standing(status.apart));
        rows.push((say("text.status.standing", &[]), paint(Tone::Bad, say(&key, &[]))));
        rows.push((say("text.status.key", &[]), status.key.clone()));
    }
    if status.differing > 0 {
        rows.push((say("text.status.differing", &[]), number(status.differing, Tone::Bad)));
    }
    let mut text = pairs(desk.style, &rows) + &crate::cli::money::text(&status.money, desk);
    if status.copied {
        text.push_str(&(paint(Tone::Warning, say("text.notice.copied", &[])) + "\n"));
    }
    text
}

/// Says how many files only this device has, and how many nobody has.
pub(crate) fn files(status: &Status, desk: &Desk) -> String {
    let say = |key: &str, n: u64, size: &str| desk.lang.say(key, &[("n", &n.to_string()), ("size", size)]);
    let FileCounts { waiting, waiting_bytes, missing, to_fetch } = status.files;
    let mut parts = Vec::new();
    if missing > 0 {
        parts.push(desk.style.paint(Tone::Bad, &say("text.status.files_missing", missing, "")));
    }
    if waiting > 0 {
        let text = say("text.status.files_here", waiting, &bytes(waiting_bytes));
        parts.push(desk.style.paint(Tone::Warning, &text));
    }
    if to_fetch > 0 {
        parts.push(say("text.status.files_to_fetch", to_fetch, ""));
    }
    match parts.as_slice() {
        [] => desk.style.paint(Tone::Good, &say("text.status.files_none", 0, "")),
        _ => parts.join("; "),
    }
}

/// Returns the word for how the device stands with HQ.
fn standing(apart: Option<Apart>) -> &'static str {
    match apart {
        None => "takes_part",
        Some(Apart::Revoked) => "revoked",
        Some(Apart::Unconfirmed) => "unconfirmed",
    }
}

/// Says how much only this device has, and how old the oldest of it is.
pub(crate) fn here_only(status: &Status, desk: &Desk) -> String {
    let Some(age) = status.unsent_age_ms else {
        return desk.style.paint(Tone::Good, &desk.lang.say("text.status.all_at_hq", &[]));
    };
    let n = status.counts.unsent_ops.to_string();
    let text = desk.lang.say("text.status.unsent", &[("n", &n), ("age", &duration(age, desk.lang))]);
    desk.style.paint(if age > LOUD_AFTER_MS { Tone::Bad } else { Tone::Warning }, &text)
}

/// Returns a length of time in its largest whole unit.
pub(crate) fn duration(ms: i64, lang: Lang) -> String {
    let minutes = ms / 60_000;
    let (key, n) = match minutes {
        0 => ("text.time.now", 0),
        1..60 => ("text.time.minutes", minutes),
        60..2880 => ("text.time.hours", minutes / 60),
        _ => ("text.time.days", minutes / 1440),
    };
    lang.say(key, &[("n", &n.to_string())])
}

/// Says when the device last synced.
pub(crate) fn last_sync(status: &Status, desk: &Desk) -> String {
    match status.last_sync {
        Some(at) => at.minute(status.zone),
        None => desk.lang.say("text.status.never", &[]),
    }
}

/// Says how much room the disk has.
pub(crate) fn free(status: &Status, desk: &Desk) -> String {
    let Some(free) = status.free_bytes else {
        return desk.lang.say("text.status.unknown", &[]);
    };
    desk.style.paint(if is_short_of_room(status) { Tone::Bad } else { Tone::Good }, &bytes(free))
}

/// Returns whether so little room is left that no new photo is taken.
pub(crate) fn is_short_of_room(status: &Status) -> bool {
    status.free_bytes.is_some_and(|free| free < LITTLE_ROOM_BYTES)
}

/// Returns a number of bytes in its largest unit, with one decimal.
pub(crate) fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut tenths = n.saturating_mul(10);
    let mut unit = "B";
    for next in UNITS {
        if tenths < 10_240 {
            break;
        }
        (tenths, unit) = (tenths / 1024, next);
    }
    if unit == "B" { format!("{n} B") } else { format!("{}.{} {unit}", tenths / 10, tenths % 10) }
}

fn next_number(status: &Status, lang: Lang) -> String {
    match status.next_sheet_no {
        Some(n) => format!("{n:03}"),
        None if status.numbers_suspended => lang.say("text.status.numbers_wait", &[]),
        None => lang.say("text.status.numbers_used_up", &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ages_read_in_their_largest_unit() {
        let check = |n, expected: &str| assert_eq!(bytes(n), expected);
        check(0, "0 B");
        check(1023, "1023 B");
        check(1024, "1.0 KiB");
        check(1_572_864, "1.5 MiB");
        check(u64::MAX, "1677721.5 TiB");
        assert_eq!(duration(59_000, Lang::En), Lang::En.say("text.time.now", &[]));
        assert!(duration(3 * 86_400_000, Lang::En).starts_with('3'));
    }
}
