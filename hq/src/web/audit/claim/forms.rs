//! What the auditor can say of a claim: the forms beside its lines.

use maud::{Markup, html};
use pages::widgets::{self, Weight};
use records::claim::view::Line;
use records::kinds::case::CaseKind;
use records::kinds::claim::CutReason;
use records::kinds::claim_machine as at;
use records::kinds::voucher_machine::RejectReason;

use crate::money::seats::Seat;
use crate::money::story::Story;
use crate::web::audit::claim::address;
use crate::web::claims::parts;
use crate::web::desk::Desk;

/// Returns what the auditor can say of the lines before him.
pub(super) fn verdicts(desk: &Desk<'_>, story: &Story, lines: &[&Line], here: usize, seat: &Seat) -> Markup {
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
pub(super) fn alarm(desk: &Desk<'_>, story: &Story) -> Markup {
    desk.form(&format!("{}/alarm", address(story)), &html! {
        fieldset.inline { legend { kbd { "!" } " " (desk.say("money.alarm")) }
            label.field { span { (desk.say("money.alarm.what")) } input #audit-alarm type="text" name="text" maxlength="1000" data-key="!" autocomplete="off"; }
            (widgets::button(Weight::Danger, &desk.say("money.alarm.raise"), None))
        }
    })
}

/// Returns the question to the branch, or the place for its answer.
pub(super) fn ask(desk: &Desk<'_>, story: &Story, seat: &Seat) -> Markup {
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
