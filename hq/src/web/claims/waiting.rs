//! What waits for this person's money desk, for the first page: how many, how many late, where.

use maud::html;
use pages::widgets::{self, Row, Tone};
use records::kinds::staff::Role;
use records::kinds::{alert_machine, case_machine, claim_machine as at, exception_machine, number};

use crate::cli::answer::Fault;
use crate::web::desk::{Desk, Place};
use crate::web::{approve, review};

/// Returns one row for each desk of this person at which something waits.
pub(in crate::web) fn rows(desk: &Desk<'_>) -> Result<Vec<Row>, Fault> {
    let mut rows = Vec::new();
    let mut add = |href: &str, key: &str, n: usize, late: usize| {
        if n > 0 {
            rows.push(row(desk, (href, key), n, late));
        }
    };
    let today = desk.today();
    if desk.opens(Place::Review) {
        add("/review", "money.today.review", review::mine(desk)?.0.len(), 0);
    }
    if desk.holds(&[Role::AUDITOR]) {
        let (waiting, ready) = desk.look(|office| {
            Ok((office.waiting(&[at::RECEIVED, at::INFO_REQUESTED], today)?, office.ready(today)?.len()))
        })?;
        let late = waiting.iter().filter(|waiting| waiting.is_late(today)).count();
        add("/audit", "money.today.audit", waiting.len(), late);
        add("/audit", "money.today.hand_over", ready, 0);
    }
    if desk.opens(Place::Approve) {
        let waiting = approve::mine(desk)?.0;
        let late = waiting.iter().filter(|waiting| waiting.is_late(today)).count();
        add("/approve", "money.today.approve", waiting.len(), late);
    }
    if desk.holds(&[Role::CS_MANAGER]) {
        let counted = desk.look(|office| {
            Ok([
                office.records(number::ALERT, &[alert_machine::OPEN])?.len(),
                office.records(number::CASE, &[case_machine::PROPOSED, case_machine::APPEALED])?.len(),
                office.records(number::EXCEPTION, &[exception_machine::OPEN])?.len(),
            ])
        })?;
        let lists = ["/approve/alerts", "/approve/cases", "/approve/exceptions"];
        let keys = ["money.today.alerts", "money.today.cases", "money.today.exceptions"];
        for ((href, key), n) in lists.into_iter().zip(keys).zip(counted) {
            add(href, key, n, 0);
        }
    }
    if desk.holds(&[Role::FINANCE]) {
        let waiting = desk.look(|office| Ok(office.waiting(&[at::TO_FINANCE, at::FIN_RECEIVED], today)?))?;
        let late = waiting.iter().filter(|waiting| waiting.is_late(today)).count();
        add("/pay", "money.today.pay", waiting.len(), late);
    }
    Ok(rows)
}

fn row(desk: &Desk<'_>, (href, key): (&str, &str), n: usize, late: usize) -> Row {
    Row {
        href: href.to_owned(),
        title: desk.say(key),
        below: html! { @if late > 0 { (widgets::badge(Tone::Bad, &desk.tell("money.today.late", &[("n", &late.to_string())]))) } },
        right: html! { strong.big { (n) } },
    }
}
