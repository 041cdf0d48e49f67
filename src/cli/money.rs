//! What `status` says of a person's money.

use std::fmt::Write;

use records::money::Fen;
use records::time::Day;
use serde_json::{Value, json};

use crate::cli::desk::Desk;
use crate::cli::table::Tone;
use crate::notebook::claim::reminders::{Expiring, OnItsWay, Reminders};

/// Days before the last one at which a reminder grows louder.
///
/// Source: docs/RULES.md P-17.
const LEVELS: [i32; 3] = [1, 3, 7];

fn level(days_left: i32) -> i32 {
    LEVELS.into_iter().find(|level| days_left <= *level).unwrap_or(days_left)
}

/// Returns the reminders as they stand in an answer.
pub(crate) fn answer(reminders: &Reminders) -> Value {
    let next = reminders.next.as_ref().map(|next| {
        json!({
            "batch": next.mailing.cycle.to_string(),
            "due": next.mailing.due.to_string(),
            "days_left": next.days_left,
            "vouchers": next.vouchers,
            "soon": next.soon,
        })
    });
    json!({
        "claims": reminders.claims.iter().map(claim_json).collect::<Vec<_>>(),
        "expiring": reminders.expiring.iter().map(expiring_json).collect::<Vec<_>>(),
        "expired": reminders.expired,
        "next": next,
        "trips": reminders.trips.iter().map(|(id, half, state)| {
            json!({"id": id.to_string(), "code": id.code(), "half": half, "state": state.name})
        }).collect::<Vec<_>>(),
        "cases": reminders.cases.iter().map(|(id, until)| {
            json!({"id": id.to_string(), "code": id.code(), "appeal_until": day(*until)})
        }).collect::<Vec<_>>(),
        "coming_fen": reminders.coming.0,
        "coming": reminders.coming.to_string(),
        "paid_fen": reminders.paid.0,
        "paid": reminders.paid.to_string(),
    })
}

fn day(day: Option<Day>) -> Option<String> {
    day.map(|day| day.to_string())
}

fn claim_json(claim: &OnItsWay) -> Value {
    let clock = claim
        .clock
        .as_ref()
        .map(|clock| json!({"what": clock.what.name(), "due": day(clock.due), "paused": clock.paused}));
    json!({
        "id": claim.id.to_string(),
        "code": claim.id.code(),
        "number": claim.number,
        "half": claim.half.map(|half| half.to_string()),
        "state": claim.state.name,
        "since": day(claim.since),
        "claimed_fen": claim.claimed.0,
        "claimed": claim.claimed.to_string(),
        "payable_fen": claim.payable.0,
        "payable": claim.payable.to_string(),
        "clock": clock,
        "paid_by": day(claim.paid_by),
        "paid_on": day(claim.paid_on),
    })
}

fn expiring_json(voucher: &Expiring) -> Value {
    let last = voucher.last_with.as_ref();
    json!({
        "voucher": voucher.voucher.to_string(),
        "code": voucher.voucher.code(),
        "amount_fen": voucher.amount.0,
        "amount": voucher.amount.to_string(),
        "date": voucher.date.to_string(),
        "last_day": voucher.last_day.to_string(),
        "days_left": voucher.days_left,
        "level": level(voucher.days_left),
        "last_with": last.map(|last| json!({"batch": last.cycle.to_string(), "due": last.due.to_string()})),
    })
}

/// Returns the reminders for a person, the loudest first; empty where there is nothing to say.
pub(crate) fn text(reminders: &Reminders, desk: &Desk) -> String {
    let mut text = String::new();
    let mut tell = |tone: Tone, key: &str, facts: &[(&str, &str)]| {
        let _ = writeln!(text, "{}", desk.style.paint(tone, &desk.lang.say(key, facts)));
    };
    for claim in reminders.claims.iter().filter(|claim| claim.state.name == "returned") {
        tell(Tone::Bad, "text.money.returned", &[("code", &named(claim)), ("since", &said(claim.since))]);
    }
    for (id, half, _) in &reminders.trips {
        tell(Tone::Bad, "text.money.trip", &[("half", half), ("code", &id.code())]);
    }
    for (id, until) in &reminders.cases {
        tell(Tone::Bad, "text.money.case", &[("code", &id.code()), ("day", &said(*until))]);
    }
    for voucher in &reminders.expiring {
        let tone = if level(voucher.days_left) <= 1 { Tone::Bad } else { Tone::Warning };
        let last = voucher.last_with.as_ref().map(|last| last.cycle.to_string()).unwrap_or_default();
        let facts = [
            ("code", voucher.voucher.code()),
            ("amount", voucher.amount.to_string()),
            ("day", voucher.last_day.to_string()),
            ("n", voucher.days_left.to_string()),
            ("batch", last),
        ];
        tell(tone, "text.money.expiring", &facts.each_ref().map(|(name, value)| (*name, value.as_str())));
    }
    if reminders.expired > 0 {
        tell(Tone::Bad, "text.money.expired", &[("n", &reminders.expired.to_string())]);
    }
    if let Some(next) = &reminders.next {
        let tone = if next.soon { Tone::Warning } else { Tone::Good };
        let facts = [
            ("batch", next.mailing.cycle.to_string()),
            ("day", next.mailing.due.to_string()),
            ("n", next.days_left.to_string()),
            ("vouchers", next.vouchers.to_string()),
        ];
        tell(tone, "text.money.next", &facts.each_ref().map(|(name, value)| (*name, value.as_str())));
    }
    for claim in reminders.claims.iter().filter(|claim| claim.state.name != "returned") {
        let due = claim.clock.as_ref().and_then(|clock| clock.due);
        let facts = [
            ("code", named(claim)),
            ("state", desk.lang.label(claim.state.zh, claim.state.en).to_owned()),
            ("since", said(claim.since)),
            ("payable", claim.payable.to_string()),
            ("due", said(due)),
            ("day", said(claim.paid_on.or(claim.paid_by))),
        ];
        let key = if claim.paid_on.is_some() { "text.money.claim_paid" } else { "text.money.claim" };
        tell(Tone::Good, key, &facts.each_ref().map(|(name, value)| (*name, value.as_str())));
    }
    if reminders.coming > Fen(0) || reminders.paid > Fen(0) {
        let facts = [("coming", reminders.coming.to_string()), ("paid", reminders.paid.to_string())];
        tell(Tone::Good, "text.money.sums", &facts.each_ref().map(|(name, value)| (*name, value.as_str())));
    }
    text
}

fn named(claim: &OnItsWay) -> String {
    claim.number.clone().unwrap_or_else(|| claim.id.code())
}

fn said(day: Option<Day>) -> String {
    day.map_or_else(|| "–".to_owned(), |day| day.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reminder_grows_louder_at_seven_three_and_one_days() {
        let levels: Vec<i32> = (0..=8).map(level).collect();
        assert_eq!(levels, [1, 1, 3, 3, 7, 7, 7, 7, 8]);
    }
}
