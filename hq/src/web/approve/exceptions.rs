//! Requests for exceptions: what is asked, by whom, why, and the manager's word.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit;
use pages::widgets;
use records::kinds::exception::{Ask, EXCEPTION, ExceptionKind};
use records::kinds::exception_machine as at;
use records::kinds::number;
use records::record::Record;

use crate::cli::answer::Fault;
use crate::cli::office::label;
use crate::money::decide::Taken;
use crate::money::rows::linked;
use crate::web::approve::{listed, step_form};
use crate::web::claims::paged;
use crate::web::claims::parts::{self, Names};
use crate::web::desk::{Desk, Leaf};

/// Returns the requests that are open; `?all=1` all of them.
pub(super) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    Ok(desk.page(&leaf(desk)?))
}

/// A request, and what people call its claim and its batch.
type Told = (Record, Ask, Vec<String>);

fn leaf(desk: &Desk<'_>) -> Result<Leaf, Fault> {
    let states: &[u8] = if desk.visit.query.get("all").is_some() { &[] } else { &[at::OPEN] };
    let (asks, names) = desk.look(|office| {
        let mut asks: Vec<Told> = Vec::new();
        for record in office.records(number::EXCEPTION, states)? {
            let ask = record.get::<Ask>().unwrap_or_default();
            let about = [linked(ask.claim.as_ref()), linked(ask.batch.as_ref())];
            let titles = about.into_iter().flatten().map(|id| office.title_of(id));
            let titles = titles.collect::<Result<Vec<String>, _>>()?;
            asks.push((record, ask, titles));
        }
        Ok((asks, Names::read(office)?))
    })?;
    Ok(listed(
        desk,
        "/approve/exceptions",
        &html! {
            p { a href="/approve/exceptions?all=1" { (desk.say("money.all")) } }
            @if asks.is_empty() { p.none { (desk.say("money.exceptions.none")) } }
            ul.findings { @for told in paged::part(desk, &asks) { (item(desk, told, &names)) } }
            (paged::more(desk, "/approve/exceptions", asks.len()))
        },
    ))
}

fn item(desk: &Desk<'_>, (record, ask, titles): &Told, names: &Names) -> Markup {
    let kind = ask.kind_of.map_or("", |kind| label(&ExceptionKind::CHOICES, kind.0, desk.lang));
    let id = visit::part(&record.id.to_string());
    let caused = names.of(linked(ask.caused_by.as_ref()));
    let machine = EXCEPTION.machine.map_or(&[][..], |machine| machine.steps);
    let open = machine.iter().filter(|step| step.from.contains(&record.state) && desk.holds(step.who));
    html! {
        li {
            strong { (kind) } " " (parts::state(desk, record)) " · " (record.id.code()) " · "
            (widgets::short(&names.of(linked(ask.asked_by.as_ref()))))
            @for title in titles { " · " (widgets::short(title)) }
            @if let Some(line) = ask.line { " · " (desk.tell("money.of_line", &[("n", &line.0.to_string())])) }
            @if ask.category.is_some() { " · " (parts::category(desk, ask.category)) }
            @if let Some(month) = &ask.month { " · " (month.0) }
            @if let Some(amount) = ask.amount { " · " strong { (amount) } }
            @if let Some(reason) = &ask.reason { p { (widgets::text(&reason.0)) } }
            @if !caused.is_empty() { p.hint { (desk.tell("money.exception.caused", &[("who", &widgets::plain(&caused))])) } }
            div.steps { @for (at, step) in open.enumerate() {
                (step_form(desk, &format!("/approve/exceptions/{id}/{}", step.name), step, (at == 0, &html! {})))
            } }
        }
    }
}

/// Grants a request, or does not.
pub(super) fn act(desk: &Desk<'_>, name: &str, step: &str) -> Result<Reply, Fault> {
    let reason = desk.visit.form.get("reason").unwrap_or_default().to_owned();
    let (ask, step) = (name.to_owned(), step.to_owned());
    let done = desk.act(move |office, actor, now_ms| {
        let record = office.named_record(number::EXCEPTION, &ask)?;
        office.decide(record.id, actor, &Taken::step(&step, &reason), Vec::new(), now_ms)
    });
    match done {
        Ok(_) => Ok(Reply::go("/approve/exceptions?done=decided")),
        Err(fault) => Ok(desk.refused(&leaf(desk)?, &fault)),
    }
}
