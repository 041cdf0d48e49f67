//! One claim under audit: its lines beside their pictures, worked with the keyboard.

pub(super) mod acts;
mod forms;

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit;
use pages::widgets::{self, Tone, Weight};
use records::claim::view::Line;
use records::kinds::claim::LineVerdict;
use records::kinds::claim_machine as at;
use records::kinds::voucher_machine::RejectReason;

use crate::cli::answer::Fault;
use crate::cli::office::label;
use crate::money::audit::{settled_line, verdict_of};
use crate::money::seats::Seat;
use crate::money::story::Story;
use crate::web::audit::claim::forms::{alarm, ask, verdicts};
use crate::web::claims::parts::{self, Names};
use crate::web::desk::{Desk, Leaf, Place};

/// What stands behind `?at=` once every group was looked at.
const END: &str = "end";

/// Returns the claim at the group of lines that `?at=` names; without it at the first one without a verdict.
pub(super) fn page(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    Ok(desk.page(&leaf(desk, name)?))
}

struct Looked {
    story: Story,
    names: Names,
    seats: Vec<Seat>,
    groups: Vec<Vec<u32>>,
}

fn look(desk: &Desk<'_>, name: &str) -> Result<Looked, Fault> {
    let (staff, today) = (desk.person.staff, desk.today());
    desk.look(|office| {
        let seats = office.seats(staff, today)?;
        let story = office.story(name, &seats, today)?;
        let groups = story.groups();
        Ok(Looked { names: Names::read(office)?, story, seats, groups })
    })
}

fn leaf(desk: &Desk<'_>, name: &str) -> Result<Leaf, Fault> {
    let looked = look(desk, name)?;
    let claim = &looked.story.known.held.claim;
    let asked = desk.visit.query.get("at").or_else(|| desk.visit.form.get("at"));
    let first = looked.groups.iter().position(|group| group.iter().any(|n| !claim.audit.contains_key(n)));
    let here = match asked {
        Some(END) => None,
        Some(number) => number.parse::<usize>().ok().filter(|at| *at < looked.groups.len()),
        None => first,
    };
    let under_audit = claim.state == at::RECEIVED;
    let content = html! {
        (bar(desk, &looked, here))
        @match here.filter(|_| under_audit) {
            Some(here) => (group(desk, &looked, here)),
            None => (ending(desk, &looked)),
        }
        (keys(desk))
    };
    let title = looked.story.known.held.no();
    Ok(Leaf { place: Place::Audit, title, back: Some("/audit".to_owned()), content })
}

/// Returns the claim's address at the audit.
fn address(story: &Story) -> String {
    format!("/audit/{}", visit::part(&story.known.held.record.id.to_string()))
}

/// Returns who claims how much until when, and the way through the groups.
fn bar(desk: &Desk<'_>, looked: &Looked, here: Option<usize>) -> Markup {
    let Looked { story, names, groups, .. } = looked;
    let held = &story.known.held;
    let link = address(story);
    let clock = story.clocks.iter().rev().find(|clock| clock.done.is_none());
    let tone = |group: &[u32]| group.iter().all(|n| held.claim.audit.contains_key(n));
    html! {
        p {
            (widgets::short(&names.of(Some(held.claim.staff)))) " · " (parts::state(desk, &held.record)) " · "
            strong { (held.claim.claimed_total()) } " → " strong { (story.settled.payable) } " · "
            (desk.tell("money.n_vouchers", &[("n", &held.claim.voucher_count().to_string())])) " · "
            a href=(parts::address(held.record.id)) { (desk.say("money.story")) }
        }
        @if let Some(clock) = clock { (parts::clock_of(desk, clock)) }
        nav.chips aria-label=(desk.say("money.lines")) {
            @for (at, group) in groups.iter().enumerate() {
                a href={ (link) "?at=" (at) } aria-current=[(here == Some(at)).then_some("step")] {
                    (span_of(group)) @if tone(group) { " ✓" }
                }
            }
            a #audit-end href={ (link) "?at=" (END) } data-key="e" aria-current=[here.is_none().then_some("step")] { (desk.say("money.audit.end")) }
        }
    }
}

/// Returns the numbers of a group: `3` or `3–5`.
fn span_of(group: &[u32]) -> String {
    match (group.first(), group.last()) {
        (Some(first), Some(last)) if first != last => format!("{first}–{last}"),
        (Some(first), _) => first.to_string(),
        _ => String::new(),
    }
}

/// Returns a group of lines on the left, its pictures on the right.
fn group(desk: &Desk<'_>, looked: &Looked, here: usize) -> Markup {
    let story = &looked.story;
    let claim = &story.known.held.claim;
    let numbers = looked.groups.get(here).map(Vec::as_slice).unwrap_or_default();
    let lines: Vec<&Line> = numbers.iter().filter_map(|n| claim.line(*n)).collect();
    let seat = parts::seated(&looked.seats, "audit", story);
    html! {
        div.two {
            div {
                (parts::lines(desk, story, &lines))
                @for line in &lines { (rules(desk, story, line)) (parts::findings(desk, story, Some(line.n))) }
                @if let Some(seat) = seat { (verdicts(desk, story, &lines, here, seat)) }
                @else { p.none { (desk.say("money.not_yours")) } }
            }
            section.beside aria-label=(desk.say("money.vouchers")) {
                @for line in &lines { (parts::vouchers(desk, story, line)) }
            }
        }
    }
}

/// Returns how the rules reckon a line: a ceiling, a shortage.
fn rules(desk: &Desk<'_>, story: &Story, line: &Line) -> Markup {
    let Some(settled) = settled_line(&story.settled, line.n) else { return html! {} };
    html! {
        @if settled.paid.payable != line.claimed {
            p { (desk.tell("money.rules_line", &[
                ("n", &line.n.to_string()),
                ("amount", &settled.paid.payable.to_string()),
                ("verdict", label(&LineVerdict::CHOICES, verdict_of(&story.known.held.claim, settled).0, desk.lang)),
            ])) }
            (parts::reckoning(desk, settled))
        }
    }
}

/// Returns the end of the audit: all lines with their verdicts, anomalies to acknowledge, the last word.
fn ending(desk: &Desk<'_>, looked: &Looked) -> Markup {
    let story = &looked.story;
    let claim = &story.known.held.claim;
    let lines: Vec<&Line> = claim.lines.iter().collect();
    let at = address(story);
    let open = claim.lines.iter().filter(|line| !claim.audit.contains_key(&line.n)).count();
    let seat = parts::seated(&looked.seats, "audit", story);
    let answers = parts::seated(&looked.seats, "answer", story);
    html! {
        (parts::lines(desk, story, &lines))
        (parts::findings(desk, story, None))
        (parts::alerts(desk, story, &looked.names))
        (parts::questions(desk, story, &looked.names))
        @if claim.state == at::MISSING_PAPER { (paper_gone(desk, &at)) }
        @if let Some(seat) = answers.filter(|_| claim.state == at::INFO_REQUESTED) { (ask(desk, story, seat)) }
        @if let Some(seat) = seat {
            (desk.form(&format!("{at}/done"), &html! {
                (parts::seat(desk, seat)) input type="hidden" name="at" value=(END);
                @if open > 0 { p.hint { (desk.tell("money.audit.by_rules", &[("n", &open.to_string())])) } }
                (parts::acks(desk, story))
                button #audit-done.first type="submit" data-key=" " { (desk.say("money.audit.done")) }
            }))
            (alarm(desk, story))
            (ask(desk, story, seat))
            details {
                summary { (desk.say("money.audit.reject_claim")) }
                (desk.form(&format!("{at}/propose-reject"), &html! {
                    (parts::seat(desk, seat)) input type="hidden" name="at" value=(END);
                    label.field { span { (desk.say("money.reason")) }
                        select name="reason" { @for (word, zh, en) in RejectReason::CHOICES.options { option value=(word) { (desk.lang.words().pick(zh, en)) } } }
                    }
                    label.field { span { (desk.say("money.note")) } input type="text" name="note" maxlength="200" autocomplete="off"; }
                    (widgets::button(Weight::Danger, &desk.say("money.audit.reject_claim"), None))
                }))
            }
        } @else { p.none { (desk.say("money.not_yours")) } }
    }
}

/// Returns the ways on for a claim whose paper did not come: a copy is taken in its place, or it is given up.
fn paper_gone(desk: &Desk<'_>, at: &str) -> Markup {
    html! {
        (desk.form(&format!("{at}/copy"), &widgets::button(Weight::Second, &desk.say("money.receive.copy"), None)))
        (desk.form(&format!("{at}/lose"), &html! {
            fieldset.inline { legend { (desk.say("money.receive.lose")) }
                label.field { span { (desk.say("money.reason")) } input type="text" name="reason" maxlength="400" autocomplete="off" required; }
                (widgets::button(Weight::Danger, &desk.say("money.receive.lose"), None))
            }
        }))
    }
}

fn keys(desk: &Desk<'_>) -> Markup {
    let keys = ["space", "2", "3", "!", "q", "e", "?"];
    html! {
        details #keys {
            summary data-key="?" { kbd { "?" } " " (desk.say("money.keys")) }
            dl.facts { @for key in keys {
                div { dt { kbd { (if key == "space" { desk.say("money.key.space_bar") } else { key.to_owned() }) } }
                    dd { (desk.say(&format!("money.key.{}", match key { "!" => "alarm", "?" => "help", "2" => "cut", "3" => "reject", "q" => "ask", "e" => "end", other => other }))) } }
            } }
        }
    }
}

/// Returns the badge of how a claim's audit stands.
pub(super) fn progress(desk: &Desk<'_>, waiting: &crate::money::waiting::Waiting) -> Markup {
    let claim = &waiting.held.claim;
    let ruled = claim.lines.iter().filter(|line| claim.audit.contains_key(&line.n)).count();
    html! { @if ruled > 0 && claim.state == at::RECEIVED {
        (widgets::badge(Tone::Plain, &desk.tell("money.audit.ruled", &[("n", &ruled.to_string()), ("all", &claim.lines.len().to_string())])))
    } }
}
