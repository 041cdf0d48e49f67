//! One claim on one screen: why it is here, its lines, sheets, pictures and history, and the word on it.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit;
use pages::widgets::{self, Tone};
use records::claim::system;
use records::kinds::claim::CLAIM;
use records::kinds::claim_machine as at;

use crate::cli::answer::Fault;
use crate::money::decide::Taken;
use crate::money::seats::Seat;
use crate::money::story::Story;
use crate::web::approve::step_form;
use crate::web::claims::parts::{self, Names};
use crate::web::desk::{Desk, Leaf, Place};

/// The steps of this desk, the one that agrees first.
const STEPS: [&str; 9] = [
    "mgr_approve",
    "vp_approve",
    "confirm_reject",
    "unfreeze",
    "mgr_back",
    "vp_back",
    "dismiss_reject",
    "vp_reject",
    "freeze",
];

/// The rule that finds a sum split over several claims.
const SPLIT: &str = "A3";

/// Returns the claim with the steps that this person may take.
pub(super) fn page(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    Ok(desk.page(&leaf(desk, name)?))
}

fn leaf(desk: &Desk<'_>, name: &str) -> Result<Leaf, Fault> {
    let (staff, today) = (desk.person.staff, desk.today());
    let (story, names, seats) = desk.look(|office| {
        let seats = office.seats(staff, today)?;
        Ok((office.story(name, &seats, today)?, Names::read(office)?, seats))
    })?;
    let lines: Vec<_> = story.known.held.claim.lines.iter().collect();
    Ok(Leaf {
        place: Place::Approve,
        title: story.known.held.no(),
        back: Some("/approve".to_owned()),
        content: html! {
            div.two {
                section aria-label=(desk.say("money.story")) {
                    (why(desk, &story))
                    (parts::head(desk, &story, &names))
                    (steps(desk, &story, &seats))
                    (parts::findings(desk, &story, None))
                    (parts::alerts(desk, &story, &names))
                    (parts::questions(desk, &story, &names))
                    h2 { (desk.say("money.decisions")) }
                    (parts::decisions(desk, &story, &names))
                    h2 { (desk.say("money.earlier")) }
                    (parts::earlier(desk, &story))
                }
                section.beside aria-label=(desk.say("money.lines")) {
                    (parts::lines(desk, &story, &lines))
                    h2 { (desk.say("money.sheets")) }
                    (parts::sheets(desk, &story))
                    h2 { (desk.say("money.vouchers")) }
                    @for line in &lines { (parts::vouchers(desk, &story, line)) }
                }
            }
        },
    })
}

/// Says why the claim is on this desk: above the limit, split, proposed for rejection.
fn why(desk: &Desk<'_>, story: &Story) -> Markup {
    let claim = &story.known.held.claim;
    let facts = &story.known.facts;
    let above = claim.state == at::VP_PENDING || system::needs_vp(claim, facts);
    let limit = facts.policy.vp.threshold.to_string();
    let amount = claim.claimed_total().to_string();
    let split = story.traces.iter().find(|trace| trace.rule == SPLIT);
    let proposed = claim.approvals.iter().rev().find(|approval| approval.step == "propose_reject");
    html! {
        @if above { (widgets::told(Tone::Warning, &desk.tell("money.approve.above", &[("amount", &amount), ("limit", &limit)]))) }
        @if let Some(split) = split { (widgets::told(Tone::Bad, &format!("{SPLIT} {}", split.text(desk.lang.words())))) }
        @if let Some(proposed) = proposed.filter(|_| claim.state == at::REJECT_PROPOSED) {
            (widgets::told(Tone::Bad, &desk.tell("money.approve.proposed", &[("reason", &proposed.note)])))
        }
    }
}

fn steps(desk: &Desk<'_>, story: &Story, seats: &[Seat]) -> Markup {
    let id = visit::part(&story.known.held.record.id.to_string());
    let open: Vec<(&str, &Seat)> =
        STEPS.iter().filter_map(|step| Some((*step, parts::seated(seats, step, story)?))).collect();
    html! {
        div.steps {
            @if open.iter().all(|(step, _)| *step == "freeze") { p.none { (desk.say("money.not_yours")) } }
            @for (at, (name, seat)) in open.iter().enumerate() {
                @if let Some((_, step)) = CLAIM.machine.and_then(|machine| machine.step(name)) {
                    @let approves = matches!(*name, "mgr_approve" | "vp_approve");
                    @let extra = html! { (parts::seat(desk, seat)) @if approves { (parts::acks(desk, story)) } };
                    @let form = step_form(desk, &format!("/approve/{id}/{name}"), step, (at == 0, &extra));
                    @if *name == "freeze" { details { summary { (desk.lang.words().pick(step.zh, step.en)) } (form) } }
                    @else { (form) }
                }
            }
        }
    }
}

/// Takes a step; the next claim that waits opens itself.
pub(super) fn act(desk: &Desk<'_>, name: &str, step: &str) -> Result<Reply, Fault> {
    let Some(step) = STEPS.iter().find(|known| **known == step) else {
        return Err(Fault::usage("console.fault.no_page"));
    };
    let acks: Vec<String> = desk.visit.form.all("ack").map(str::to_owned).collect();
    let reason = desk.visit.form.get("reason").unwrap_or_default().to_owned();
    let claim = name.to_owned();
    let done = desk.act(move |office, actor, now_ms| {
        office.step_claim(&claim, &Taken { acks: &acks, ..Taken::step(step, &reason) }, actor, now_ms)
    });
    match done {
        Ok(_) => {
            let (mine, _) = super::mine(desk)?;
            Ok(Reply::go(&match mine.first() {
                Some(next) => {
                    format!("/approve/{}?done=decided", visit::part(&next.held.record.id.to_string()))
                }
                None => "/approve?done=decided".to_owned(),
            }))
        }
        Err(fault) => Ok(desk.refused(&leaf(desk, name)?, &fault)),
    }
}
