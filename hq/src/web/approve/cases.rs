//! Disciplinary cases: what was done, who owes what, until when one may appeal, and the word on it.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit;
use pages::widgets::{self, Tone, Weight};
use records::both;
use records::kinds::case::{CASE, CaseKind, FineState};
use records::kinds::case_machine as at;
use records::kinds::staff::Role;
use records::time::Day;

use crate::cli::answer::Fault;
use crate::cli::case::list_of_fines;
use crate::cli::office::label;
use crate::money::cases::Case;
use crate::money::decide::Taken;
use crate::money::rows::linked;
use crate::web::approve::{listed, step_form};
use crate::web::claims::paged;
use crate::web::claims::parts::{self, Names};
use crate::web::desk::{Desk, Leaf};

/// Where something is still to be done.
const OPEN: [u8; 4] = [at::PROPOSED, at::APPEALED, at::CONFIRMED, at::UPHELD];

/// Returns the cases that are not over; `?all=1` all of them.
pub(super) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    Ok(desk.page(&leaf(desk)?))
}

/// A case, until when one may appeal, and its claim's name.
type Told = (Case, Option<Day>, Option<String>);

fn leaf(desk: &Desk<'_>) -> Result<Leaf, Fault> {
    let today = desk.today();
    let states: &[u8] = if desk.visit.query.get("all").is_some() { &[] } else { &OPEN };
    let (cases, names) = desk.look(|office| {
        let mut cases: Vec<Told> = Vec::new();
        for case in office.cases(states)? {
            let until = office.appeal_until(&case, today)?;
            let title = case.claim().map(|claim| office.title_of(claim)).transpose()?;
            cases.push((case, until, title));
        }
        cases.sort_by_key(|(case, ..)| (case.record.state != at::PROPOSED, case.record.id));
        Ok((cases, Names::read(office)?))
    })?;
    Ok(listed(
        desk,
        "/approve/cases",
        &html! {
            p {
                a href="/approve/cases?all=1" { (desk.say("money.all")) } " · "
                a #fines href="/approve/cases/fines.xlsx" download { (desk.say("money.fines")) }
            }
            @if cases.is_empty() { p.none { (desk.say("money.cases.none")) } }
            ul.findings { @for told in paged::part(desk, &cases) { (item(desk, told, &names)) } }
            (paged::more(desk, "/approve/cases", cases.len()))
            (late(desk))
        },
    ))
}

fn item(desk: &Desk<'_>, (case, until, title): &Told, names: &Names) -> Markup {
    let about = &case.about;
    let kind = about.kind_of.map_or(u8::MAX, |kind| kind.0);
    html! {
        li.bad[case.record.state == at::PROPOSED] {
            strong { (label(&CaseKind::CHOICES, kind, desk.lang)) } " " (parts::state(desk, &case.record)) " · " (case.record.id.code())
            @if let Some((id, title)) = case.claim().zip(title.as_ref()) { " · " a href=(parts::address(id)) { (widgets::short(title)) } }
            @if let Some(line) = about.line { " · " (desk.tell("money.of_line", &[("n", &line.0.to_string())])) }
            " · " (widgets::short(&names.of(linked(about.claimant.as_ref()))))
            @if about.branch.is_some() { " · " (widgets::short(&names.unit(linked(about.branch.as_ref())))) }
            @if let Some(evidence) = &about.evidence { p { (widgets::text(&both::said(&evidence.0, desk.lang.words()))) } }
            @if !case.fines.is_empty() {
                ul { @for fine in &case.fines {
                    li { (widgets::short(&names.of(Some(fine.person)))) " · " (fine.amount) " " (widgets::badge(Tone::Plain, label(&FineState::CHOICES, fine.state.0, desk.lang))) }
                } }
            }
            @if let Some((month, grade)) = &case.mark { p { (desk.tell("hq.case.mark", &[("month", month), ("grade", grade)])) } }
            @if let Some(until) = until { p.hint { (desk.tell("money.case.until", &[("day", &until.to_string())])) } }
            (steps(desk, case))
        }
    }
}

/// Returns the forms of the steps that lead on from here and that one of this person's roles may take.
fn steps(desk: &Desk<'_>, case: &Case) -> Markup {
    let id = visit::part(&case.record.id.to_string());
    let machine = CASE.machine.map_or(&[][..], |machine| machine.steps);
    let open = machine
        .iter()
        .filter(|step| step.from.contains(&case.record.state) && !step.own && desk.holds(step.who));
    html! { div.steps { @for (at, step) in open.enumerate() {
        (step_form(desk, &format!("/approve/cases/{id}/{}", step.name), step, (at == 0, &html! {})))
    } } }
}

/// Returns the proposal of a case about late audits.
fn late(desk: &Desk<'_>) -> Markup {
    if !desk.holds(&[Role::CS_MANAGER]) {
        return html! {};
    }
    html! {
        details {
            summary { (desk.say("money.case.late")) }
            (desk.form("/approve/cases/new/late", &html! {
                (widgets::input("branch", &desk.say("money.case.branch"), "", "text", None))
                (widgets::input("auditor", &desk.say("money.case.auditor"), "", "text", None))
                (widgets::button(Weight::Second, &desk.say("money.case.propose"), None))
            }))
        }
    }
}

/// Returns every fine as a workbook, for payroll.
pub(super) fn fines(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let list = desk.console.read(|office| list_of_fines(office, None, desk.lang))?;
    let unwritten = |error| Fault::usage("hq.file").with("file", "fines.xlsx").with("reason", error);
    let list = list.list(desk.lang.papers()).map_err(unwritten)?;
    let bytes = papers::lists::workbook(&[list]).map_err(unwritten)?;
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    Ok(Reply::download(kind, &format!("fines-{}.xlsx", desk.today()), bytes))
}

/// Takes a step on a case.
pub(super) fn act(desk: &Desk<'_>, name: &str, step: &str) -> Result<Reply, Fault> {
    let form = &desk.visit.form;
    let word = |field: &str| form.get(field).unwrap_or_default().to_owned();
    let (case, step, reason) = (name.to_owned(), step.to_owned(), word("reason"));
    let (branch, auditor) = (word("branch"), word("auditor"));
    let done = desk.act(move |office, actor, now_ms| match step.as_str() {
        "late" => office.propose_late(&branch, &auditor, actor, now_ms),
        "confirm" => office.confirm_case(&case, actor, now_ms),
        "waive" => office.waive(&case, &reason, actor, now_ms),
        "execute" => office.execute(&case, actor, now_ms),
        other => office.step_case(&case, &Taken::step(other, &reason), actor, now_ms),
    });
    match done {
        Ok(_) => Ok(Reply::go("/approve/cases?done=decided")),
        Err(fault) => Ok(desk.refused(&leaf(desk)?, &fault)),
    }
}
