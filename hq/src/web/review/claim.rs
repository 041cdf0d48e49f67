//! One claim under review: lines beside pictures, the count of vouchers, cuts, the way back.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::visit;
use pages::widgets;
use records::kinds::claim::CutReason;
use records::kinds::claim_machine as at;
use records::money::Fen;

use crate::cli::answer::Fault;
use crate::money::review::{Cut, Review};
use crate::money::seats::Seat;
use crate::money::story::Story;
use crate::web::claims::parts::{self, Names};
use crate::web::desk::{Desk, Leaf, Place};

/// Returns the claim with its forms.
pub(super) fn page(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    Ok(desk.page(&leaf(desk, name)?))
}

fn leaf(desk: &Desk<'_>, name: &str) -> Result<Leaf, Fault> {
    let (staff, today) = (desk.person.staff, desk.today());
    let (story, names, seats) = desk.look(|office| {
        let seats = office.seats(staff, today)?;
        Ok((office.story(name, &seats, today)?, Names::read(office)?, seats))
    })?;
    let claim = &story.known.held.claim;
    let lines: Vec<_> = claim.lines.iter().collect();
    let first = claim.state == at::SUBMITTED;
    let seat = parts::seated(&seats, if first { "sup_approve" } else { "gm_approve" }, &story);
    Ok(Leaf {
        place: Place::Review,
        title: story.known.held.no(),
        back: Some("/review".to_owned()),
        content: html! {
            div.two {
                div {
                    (parts::head(desk, &story, &names))
                    @match seat {
                        Some(seat) => (forms(desk, &story, seat, first)),
                        None => p.none { (desk.say("money.not_yours")) },
                    }
                    h2 { (desk.say("money.lines")) }
                    (parts::lines(desk, &story, &lines))
                    (parts::findings(desk, &story, None))
                    (parts::alerts(desk, &story, &names))
                    h2 { (desk.say("money.decisions")) }
                    (parts::decisions(desk, &story, &names))
                }
                section.beside aria-label=(desk.say("money.vouchers")) {
                    @for line in &lines {
                        h2 { (line.n) " · " (parts::category(desk, line.category)) " · " (line.claimed) }
                        (parts::findings(desk, &story, Some(line.n)))
                        (parts::vouchers(desk, &story, line))
                    }
                    h2 { (desk.say("money.sheets")) }
                    (parts::sheets(desk, &story))
                }
            }
        },
    })
}

fn forms(desk: &Desk<'_>, story: &Story, seat: &Seat, first: bool) -> Markup {
    let at = format!("/review/{}", visit::part(&story.known.held.record.id.to_string()));
    html! {
        (desk.form(&format!("{at}/approve"), &html! {
            (parts::seat(desk, seat))
            @if first {
                label.field { span { (desk.say("money.review.count")) }
                    input #review-count type="text" name="vouchers" inputmode="numeric" autocomplete="off" autofocus
                        value=(desk.visit.form.get("vouchers").unwrap_or_default());
                }
            }
            (parts::acks(desk, story))
            (cuts(desk, story))
            button #review-approve.first type="submit" { (desk.say("money.review.approve")) }
        }))
        details {
            summary { (desk.say("money.review.return")) }
            (desk.form(&format!("{at}/return"), &html! {
                (parts::seat(desk, seat))
                label.field { span { (desk.say("money.column.line")) }
                    select name="line" {
                        option value="" { (desk.say("money.review.whole")) }
                        @for line in &story.known.held.claim.lines { option value=(line.n) { (line.n) " · " (line.claimed) } }
                    }
                }
                (reasons(desk, "reason", false))
                label.field { span { (desk.say("money.note")) } input type="text" name="note" maxlength="400" autocomplete="off"; }
                button #review-return.danger type="submit" { (desk.say("money.review.return")) }
            }))
        }
    }
}

/// Returns the fields with which single lines are cut before the approval.
fn cuts(desk: &Desk<'_>, story: &Story) -> Markup {
    html! {
        details {
            summary { (desk.say("money.review.cut")) }
            @for line in &story.known.held.claim.lines {
                fieldset.inline {
                    legend { (line.n) " · " (parts::category(desk, line.category)) " · " (line.claimed) }
                    (widgets::input(&format!("cut.{}", line.n), &desk.say("money.review.cut_to"), "", "text", Some("decimal")))
                    (reasons(desk, &format!("why.{}", line.n), true))
                    (widgets::input(&format!("note.{}", line.n), &desk.say("money.note"), "", "text", None))
                }
            }
        }
    }
}

fn reasons(desk: &Desk<'_>, name: &str, none: bool) -> Markup {
    let words = desk.lang.words();
    html! {
        label.field { span { (desk.say("money.reason")) }
            select name=(name) {
                @if none { option value="" {} }
                @for (word, zh, en) in CutReason::CHOICES.options { option value=(word) { (words.pick(zh, en)) } }
            }
        }
    }
}

/// Does what a form of this page says; the next claim that waits opens itself.
pub(super) fn act(desk: &Desk<'_>, name: &str, what: &str) -> Result<Reply, Fault> {
    let done = match what {
        "approve" => approve(desk, name),
        "return" => send_back(desk, name),
        _ => return Err(Fault::usage("console.fault.no_page")),
    };
    match done {
        Ok(done) => next(desk, done),
        Err(fault) => Ok(desk.refused(&leaf(desk, name)?, &fault)),
    }
}

fn next(desk: &Desk<'_>, done: &str) -> Result<Reply, Fault> {
    let (mine, _) = super::mine(desk)?;
    Ok(Reply::go(&match mine.first() {
        Some(next) => {
            format!("/review/{}?done={done}", visit::part(&next.waiting.held.record.id.to_string()))
        }
        None => format!("/review?done={done}"),
    }))
}

fn approve(desk: &Desk<'_>, name: &str) -> Result<&'static str, Fault> {
    let form = &desk.visit.form;
    let typed = form.get("vouchers").map(str::to_owned);
    let vouchers = typed.as_deref().map(str::parse::<u32>).transpose();
    let vouchers = vouchers.map_err(|_| Fault::usage("console.fault.count"))?;
    let acks: Vec<String> = form.all("ack").map(str::to_owned).collect();
    let mut cuts: Vec<(u32, Fen, String)> = Vec::new();
    for (line, amount) in form.under("cut.").into_iter().filter(|(_, amount)| !amount.is_empty()) {
        let to = amount.parse().map_err(|_| Fault::usage("console.fault.amount").with("text", amount))?;
        let line: u32 = line.parse().map_err(|_| Fault::usage("console.fault.no_page"))?;
        cuts.push((line, to, reason(form.get(&format!("why.{line}")), form.get(&format!("note.{line}")))));
    }
    let claim = name.to_owned();
    desk.act(move |office, actor, now_ms| {
        let cuts: Vec<Cut<'_>> =
            cuts.iter().map(|(line, to, reason)| Cut { line: *line, to: *to, reason }).collect();
        office.review(&claim, &Review::Approve { vouchers, acks: &acks, cuts: &cuts }, actor, now_ms)
    })?;
    Ok("reviewed")
}

fn send_back(desk: &Desk<'_>, name: &str) -> Result<&'static str, Fault> {
    let form = &desk.visit.form;
    let line = form.get("line").and_then(|line| line.parse().ok());
    let (claim, reason) = (name.to_owned(), reason(form.get("reason"), form.get("note")));
    desk.act(move |office, actor, now_ms| {
        office.review(&claim, &Review::Return { line, reason: &reason }, actor, now_ms)
    })?;
    Ok("returned")
}

/// Returns a reason as the rules read it: its word, then the words of whoever gave it.
fn reason(word: Option<&str>, note: Option<&str>) -> String {
    let word = word.unwrap_or_default();
    note.map_or_else(|| word.to_owned(), |note| format!("{word}: {note}"))
}
