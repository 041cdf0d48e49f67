//! One claim under audit: its lines beside their pictures, worked with the keyboard.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit;
use pages::widgets::{self, Tone, Weight};
use records::claim::view::Line;
use records::kinds::case::CaseKind;
use records::kinds::claim::{CutReason, LineVerdict};
use records::kinds::claim_machine as at;
use records::kinds::voucher_machine::RejectReason;
use records::money::Fen;

use crate::cli::answer::Fault;
use crate::cli::office::label;
use crate::intake;
use crate::money::actor::Actor;
use crate::money::audit::{Ruling, settled_line, verdict_for, verdict_of};
use crate::money::cases::Proposal;
use crate::money::decide::Taken;
use crate::money::refusal::MoneyError;
use crate::money::seats::Seat;
use crate::money::story::Story;
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

/// Returns what the auditor can say of the lines before him.
fn verdicts(desk: &Desk<'_>, story: &Story, lines: &[&Line], here: usize, seat: &Seat) -> Markup {
    let at = address(story);
    let common = |which: &Markup| {
        html! {
            (parts::seat(desk, seat)) input type="hidden" name="at" value=(here); (which)
        }
    };
    let all = html! { @for line in lines { input type="hidden" name="line" value=(line.n); } };
    let one = one_of(desk, lines);
    html! {
        (desk.form(&format!("{at}/ok"), &common(&html! { (all)
            button #audit-ok.first type="submit" data-key=" " { (desk.say("money.audit.ok")) }
        })))
        (desk.form(&format!("{at}/cut"), &common(&html! {
            fieldset.inline { legend { kbd { "2" } " " (desk.say("money.audit.cut")) }
                (one)
                label.field { span { (desk.say("money.audit.to")) } input #audit-cut type="text" name="payable" inputmode="decimal" data-key="2" autocomplete="off"; }
                (cut_reasons(desk))
                label.field { span { (desk.say("money.note")) } input type="text" name="note" maxlength="200" autocomplete="off"; }
                (widgets::button(Weight::Second, &desk.say("money.audit.cut_send"), None))
            }
        })))
        (desk.form(&format!("{at}/reject"), &common(&html! {
            fieldset.inline { legend { kbd { "3" } " " (desk.say("money.audit.reject")) }
                (one) (vouchers_of(desk, lines)) (reject_reasons(desk))
                label.field { span { (desk.say("money.note")) } input type="text" name="note" maxlength="200" autocomplete="off"; }
                (widgets::button(Weight::Danger, &desk.say("money.audit.reject_send"), None))
            }
        })))
        (alarm(desk, story))
        (ask(desk, story, seat))
        (case(desk, story, lines))
    }
}

/// Returns the choice of a line where there are several.
fn one_of(desk: &Desk<'_>, lines: &[&Line]) -> Markup {
    html! {
        @match lines {
            [line] => input type="hidden" name="line" value=(line.n);,
            lines => label.field { span { (desk.say("money.column.line")) }
                select name="line" { @for line in lines { option value=(line.n) { (line.n) " · " (line.claimed) } } }
            },
        }
    }
}

/// Returns the choice of a voucher; without one all of the line's are meant.
fn vouchers_of(desk: &Desk<'_>, lines: &[&Line]) -> Markup {
    let several = lines.iter().any(|line| line.vouchers.len() > 1);
    html! {
        @if several {
            label.field { span { (desk.say("money.voucher")) }
                select name="voucher" {
                    option value="" { (desk.say("money.voucher.all")) }
                    @for line in lines { @for (n, ticket) in (1..).zip(&line.vouchers) { @if let Some(id) = ticket.voucher {
                        option value=(id) { (line.n) "." (n) " · " (ticket.amount) }
                    } } }
                }
            }
        }
    }
}

/// The usual reason is chosen beforehand: an exception is a key, an amount and Enter.
fn cut_reasons(desk: &Desk<'_>) -> Markup {
    let words = desk.lang.words();
    html! {
        label.field { span { (desk.say("money.reason")) }
            select name="reason" { @for (word, zh, en) in CutReason::CHOICES.options { option value=(word) { (words.pick(zh, en)) } } }
        }
    }
}

fn reject_reasons(desk: &Desk<'_>) -> Markup {
    let words = desk.lang.words();
    html! {
        label.field { span { (desk.say("money.reason")) }
            select #audit-reject name="reason" data-key="3" {
                @for (word, zh, en) in RejectReason::CHOICES.options { option value=(word) { (words.pick(zh, en)) } }
            }
        }
    }
}

/// Returns the alarm, for the manager.
fn alarm(desk: &Desk<'_>, story: &Story) -> Markup {
    desk.form(&format!("{}/alarm", address(story)), &html! {
        fieldset.inline { legend { kbd { "!" } " " (desk.say("money.alarm")) }
            label.field { span { (desk.say("money.alarm.what")) } input #audit-alarm type="text" name="text" maxlength="1000" data-key="!" autocomplete="off"; }
            (widgets::button(Weight::Danger, &desk.say("money.alarm.raise"), None))
        }
    })
}

/// Returns the question to the branch, or the place for its answer.
fn ask(desk: &Desk<'_>, story: &Story, seat: &Seat) -> Markup {
    let asked = story.known.held.claim.state == at::INFO_REQUESTED;
    let (step, key) = if asked { ("answer", "money.audit.answer") } else { ("ask", "money.audit.ask") };
    desk.form(&format!("{}/{step}", address(story)), &html! {
        (parts::seat(desk, seat))
        fieldset.inline { legend { kbd { "q" } " " (desk.say(key)) }
            label.field { span { (desk.say(&format!("{key}.what"))) } input #audit-ask type="text" name="text" maxlength="1000" data-key="q" autocomplete="off"; }
            (widgets::button(Weight::Second, &desk.say("money.send"), None))
        }
    })
}

/// Returns the proposal of a case.
fn case(desk: &Desk<'_>, story: &Story, lines: &[&Line]) -> Markup {
    let words = desk.lang.words();
    let kinds = CaseKind::CHOICES.options.iter().filter(|(word, ..)| *word != "audit_late");
    html! {
        details {
            summary { (desk.say("money.case.propose")) }
            (desk.form(&format!("{}/case", address(story)), &html! {
                (one_of(desk, lines))
                label.field { span { (desk.say("money.column.kind")) }
                    select name="kind" { @for (word, zh, en) in kinds { option value=(word) { (words.pick(zh, en)) } } }
                }
                label.field { span { (desk.say("money.case.evidence")) } input type="text" name="evidence" maxlength="1000" autocomplete="off"; }
                (widgets::button(Weight::Danger, &desk.say("money.case.propose"), None))
            }))
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

/// Does what a form of this page says, and goes on to what comes next.
pub(super) fn act(desk: &Desk<'_>, name: &str, what: &str) -> Result<Reply, Fault> {
    let done = match what {
        "ok" => accept(desk, name),
        "cut" => cut(desk, name),
        "reject" => reject(desk, name),
        "done" => end(desk, name),
        "alarm" => alarmed(desk, name),
        "ask" | "answer" => asked(desk, name, what),
        "copy" | "lose" => paper(desk, name, what),
        "propose-reject" => propose(desk, name),
        "case" => propose_case(desk, name),
        _ => return Err(Fault::usage("console.fault.no_page")),
    };
    match done {
        Ok(reply) => Ok(reply),
        Err(fault) => Ok(desk.refused(&leaf(desk, name)?, &fault)),
    }
}

/// Returns the way to the group after the one that the form was sent from.
fn on(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let looked = look(desk, name)?;
    let at = desk.visit.form.get("at").and_then(|at| at.parse::<usize>().ok());
    let next = at.map_or(usize::MAX, |at| at.saturating_add(1));
    let next = if next < looked.groups.len() { next.to_string() } else { END.to_owned() };
    Ok(Reply::go(&format!("{}?at={next}", address(&looked.story))))
}

fn stay(name: &str, done: &str) -> Reply {
    Reply::go(&format!("/audit/{}?done={done}", visit::part(name)))
}

fn accept(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let lines: Vec<u32> = desk.visit.form.all("line").filter_map(|line| line.parse().ok()).collect();
    let claim = name.to_owned();
    desk.act(move |office, actor, now_ms| office.accept_lines(&claim, &lines, actor, now_ms))?;
    on(desk, name)
}

/// Returns the reason that was chosen with what was noted beside it.
fn noted(desk: &Desk<'_>, word: &str) -> String {
    let note = desk.visit.form.get("note").unwrap_or_default();
    if note.is_empty() { word.to_owned() } else { format!("{word}: {note}") }
}

fn line_of(desk: &Desk<'_>) -> u32 {
    desk.visit.form.get("line").and_then(|line| line.parse().ok()).unwrap_or_default()
}

fn cut(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let typed = desk.visit.form.get("payable").unwrap_or_default();
    let payable: Fen = typed.parse().map_err(|_| Fault::usage("console.fault.amount").with("text", typed))?;
    let word = desk.visit.form.get("reason").unwrap_or_default();
    let chosen = CutReason::CHOICES.options.iter().find(|(known, ..)| *known == word);
    let (_, zh, en) = chosen.ok_or_else(|| Fault::usage("console.fault.reason"))?;
    // The claimant reads it as a sentence, in the auditor's words.
    let reason = noted(desk, desk.lang.words().pick(zh, en));
    let (claim, line) = (name.to_owned(), line_of(desk));
    desk.act(move |office, actor, now_ms| {
        let ruling = Ruling {
            line,
            verdict: LineVerdict::ADJUSTED,
            payable: Some(payable),
            reject: &[],
            reason: &reason,
        };
        office.rule_line(&claim, &ruling, actor, now_ms)
    })?;
    on(desk, name)
}

fn reject(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let word = desk.visit.form.get("reason").unwrap_or_default();
    let chosen = RejectReason::CHOICES.index(word).map(RejectReason);
    let chosen = chosen.ok_or_else(|| Fault::usage("console.fault.reason"))?;
    let said = noted(desk, word);
    let (claim, line, voucher) =
        (name.to_owned(), line_of(desk), desk.visit.form.get("voucher").map(str::to_owned));
    desk.act(move |office, actor, now_ms| {
        let reject = rejected(office, (&claim, line), voucher, &said)?;
        let ruling =
            Ruling { line, verdict: verdict_for(chosen), payable: None, reject: &reject, reason: &said };
        office.rule_line(&claim, &ruling, actor, now_ms)
    })?;
    on(desk, name)
}

/// Returns the vouchers that are meant: the chosen one, else all of the line that were not rejected before.
fn rejected(
    office: &mut intake::desk::Desk,
    (claim, line): (&str, u32),
    voucher: Option<String>,
    reason: &str,
) -> Result<Vec<(String, String)>, MoneyError> {
    if let Some(voucher) = voucher {
        return Ok(vec![(voucher, reason.to_owned())]);
    }
    let held = office.claim(claim)?;
    let mut reject = Vec::new();
    for id in
        held.claim.line(line).into_iter().flat_map(|line| &line.vouchers).filter_map(|ticket| ticket.voucher)
    {
        let submitted = records::kinds::voucher_machine::SUBMITTED;
        if office.record(id)?.is_some_and(|voucher| voucher.state == submitted) {
            reject.push((id.to_string(), reason.to_owned()));
        }
    }
    Ok(reject)
}

fn end(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let acks: Vec<String> = desk.visit.form.all("ack").map(str::to_owned).collect();
    let claim = name.to_owned();
    desk.act(move |office, actor, now_ms| office.end_audit(&claim, &acks, actor, now_ms))?;
    let today = desk.today();
    let waiting = desk.look(|office| Ok(office.waiting(&[at::RECEIVED], today)?))?;
    // The next one that waits opens itself.
    match waiting.first() {
        Some(next) => Ok(stay(&next.held.record.id.to_string(), "audited")),
        None => Ok(Reply::go("/audit?done=audited")),
    }
}

fn words(desk: &Desk<'_>, field: &str) -> String {
    desk.visit.form.get(field).unwrap_or_default().to_owned()
}

fn alarmed(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let (claim, text) = (name.to_owned(), words(desk, "text"));
    desk.act(move |office, actor, now_ms| office.alarm(&claim, &text, actor, now_ms))?;
    Ok(stay(name, "alarm"))
}

fn asked(desk: &Desk<'_>, name: &str, step: &str) -> Result<Reply, Fault> {
    let (claim, text, taken) = (name.to_owned(), words(desk, "text"), step.to_owned());
    desk.act(move |office, actor, now_ms| office.ask(&claim, &taken, &text, actor, now_ms))?;
    Ok(stay(name, step))
}

fn paper(desk: &Desk<'_>, name: &str, what: &str) -> Result<Reply, Fault> {
    let (claim, reason, copy) = (name.to_owned(), words(desk, "reason"), what == "copy");
    desk.act(move |office, actor, now_ms| match copy {
        true => office.found(&claim, true, actor, now_ms),
        false => office.lose(&claim, &reason, actor, now_ms),
    })?;
    Ok(stay(name, "decided"))
}

fn propose(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let said = noted(desk, &words(desk, "reason"));
    let claim = name.to_owned();
    desk.act(move |office, actor, now_ms| {
        step(office, &claim, &Taken::step("propose_reject", &said), actor, now_ms)
    })?;
    Ok(Reply::go("/audit?done=reject_proposed"))
}

fn step(
    office: &mut intake::desk::Desk,
    claim: &str,
    taken: &Taken<'_>,
    actor: &Actor,
    now_ms: u64,
) -> Result<(), MoneyError> {
    office.step_claim(claim, taken, actor, now_ms).map(drop)
}

fn propose_case(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let kind = CaseKind::CHOICES.index(&words(desk, "kind")).map(CaseKind);
    let kind = kind
        .filter(|kind| *kind != CaseKind::AUDIT_LATE)
        .ok_or_else(|| Fault::usage("console.fault.reason"))?;
    let (claim, line, evidence) = (name.to_owned(), line_of(desk), words(desk, "evidence"));
    desk.act(move |office, actor, now_ms| {
        let line = Some(line).filter(|line| *line > 0);
        office.propose(&Proposal { kind, claim: &claim, line, evidence: &evidence }, actor, now_ms)
    })?;
    Ok(stay(name, "case_proposed"))
}

/// Returns the badge of how a claim's audit stands.
pub(super) fn progress(desk: &Desk<'_>, waiting: &crate::money::waiting::Waiting) -> Markup {
    let claim = &waiting.held.claim;
    let ruled = claim.lines.iter().filter(|line| claim.audit.contains_key(&line.n)).count();
    html! { @if ruled > 0 && claim.state == at::RECEIVED {
        (widgets::badge(Tone::Plain, &desk.tell("money.audit.ruled", &[("n", &ruled.to_string()), ("all", &claim.lines.len().to_string())])))
    } }
}
