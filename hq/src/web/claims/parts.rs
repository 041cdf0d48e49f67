//! What the pages about claims are put together from: lines, pictures, findings, decisions, clocks.

use std::sync::Arc;

use maud::{Markup, html};
use pages::visit;
use pages::widgets::{self, Column, Tone};
use records::both;
use records::claim::clocks::Clock;
use records::claim::settle::SettledLine;
use records::claim::traces::papers::Alike;
use records::claim::view::Line;
use records::id::DocId;
use records::kinds::claim::{CLAIM, LineVerdict};
use records::kinds::voucher::{Category, InvoiceNo, PaperKind, Seller, VoucherKind};
use records::kinds::voucher_machine;
use records::money::Fen;
use records::record::Record;
use records::time::Zone;

use crate::cli::office::{label, state_label};
use crate::cli::policy::said;
use crate::intake;
use crate::money::audit::settled_line;
use crate::money::refusal::MoneyError;
use crate::money::seats::{Seat, seat_for};
use crate::money::story::{Alert, Picture, Slip, Story};
use crate::money::waiting::Waiting;
use crate::people::People;
use crate::web::desk::Desk;

/// Everybody's names.
pub(in crate::web) struct Names(pub(in crate::web) Arc<People>);

impl Names {
    /// Reads them.
    pub(in crate::web) fn read(office: &mut intake::desk::Desk) -> Result<Self, MoneyError> {
        Ok(Self(office.people()?))
    }

    /// Returns a person's name with his code; empty for nobody.
    pub(in crate::web) fn of(&self, staff: Option<DocId>) -> String {
        let person = staff.and_then(|staff| self.0.staff.get(&staff));
        person.map_or_else(String::new, |person| format!("{} ({})", person.name, person.code))
    }

    /// Returns a unit's name.
    pub(in crate::web) fn unit(&self, unit: Option<DocId>) -> String {
        let unit = unit.and_then(|unit| self.0.units.get(&unit));
        unit.map_or_else(String::new, |unit| unit.name.clone())
    }
}

/// Returns a claim's address.
pub(in crate::web) fn address(id: DocId) -> String {
    format!("/claims/{}", visit::part(&id.to_string()))
}

/// Returns a record's state as a badge.
pub(in crate::web) fn state(desk: &Desk<'_>, record: &Record) -> Markup {
    widgets::badge(Tone::Plain, state_label(record, desk.lang))
}

/// Returns until when a claim must be dealt with.
pub(in crate::web) fn due(desk: &Desk<'_>, waiting: &Waiting) -> Markup {
    let late = waiting.is_late(desk.today());
    let paused = waiting.open().is_some_and(|clock| clock.paused);
    html! {
        @if let Some(due) = waiting.due() { (due) } @else { "–" }
        @if late { " " (widgets::badge(Tone::Bad, &desk.say("money.late"))) }
        @if paused { " " (widgets::badge(Tone::Warning, &desk.say("money.paused"))) }
    }
}

/// Returns a heading of a table's column.
pub(in crate::web) fn column(desk: &Desk<'_>, key: &str, number: bool) -> Column {
    Column { title: desk.say(&format!("money.column.{key}")), number }
}

/// Returns what stands in a form of whoever acts for somebody, and says so.
pub(in crate::web) fn seat(desk: &Desk<'_>, seat: &Seat) -> Markup {
    html! {
        @if let Some(principal) = &seat.principal {
            input type="hidden" name="for" value=(principal);
            p.hint { (desk.tell("money.acts_for", &[("who", principal)])) }
        }
    }
}

/// Returns the seat from which this person takes a step on a claim.
pub(in crate::web) fn seated<'s>(seats: &'s [Seat], step: &str, story: &Story) -> Option<&'s Seat> {
    seat_for(seats, step, &story.known.held.claim, &story.known.facts)
}

/// Returns the name of a category.
pub(in crate::web) fn category(desk: &Desk<'_>, category: Option<Category>) -> &'static str {
    category.map_or("", |category| label(&Category::CHOICES, category.0, desk.lang))
}

/// Returns what is paid of a line: by the audit, else by the rules.
pub(in crate::web) fn payable(story: &Story, line: u32) -> Option<Fen> {
    let audited = story.known.held.claim.audit.get(&line).map(|audited| audited.payable);
    audited.or_else(|| settled_line(&story.settled, line).map(|settled| settled.paid.payable))
}

/// Returns a table of lines with what is claimed and paid.
pub(in crate::web) fn lines(desk: &Desk<'_>, story: &Story, lines: &[&Line]) -> Markup {
    let columns = [
        column(desk, "line", true),
        column(desk, "category", false),
        column(desk, "date", false),
        column(desk, "claimed", true),
        column(desk, "support", true),
        column(desk, "payable", true),
        column(desk, "verdict", false),
    ];
    let rows: Vec<Vec<Markup>> = lines.iter().map(|line| line_cells(desk, story, line)).collect();
    widgets::table(&desk.say("money.lines"), &columns, &rows, &desk.say("money.lines.none"))
}

fn line_cells(desk: &Desk<'_>, story: &Story, line: &Line) -> Vec<Markup> {
    let claim = &story.known.held.claim;
    let settled = settled_line(&story.settled, line.n);
    let audited = claim.audit.get(&line.n);
    let cut = [claim.cut_to(line.n, "sup_cut"), claim.cut_to(line.n, "gm_cut")].into_iter().flatten().min();
    let paid = payable(story, line.n);
    vec![
        html! { (line.n) },
        html! {
            (category(desk, line.category))
            @for words in [&line.from_to, &line.detail, &line.note, &line.no_sheet_reason] {
                @if !words.is_empty() { br; span.hint { (widgets::short(words)) } }
            }
        },
        html! { @if let Some(date) = line.date { span.day { (date) } } },
        html! { (line.claimed) @if let Some(cut) = cut { br; span.hint { (desk.tell("money.cut_to", &[("to", &cut.to_string())])) } } },
        html! { @if let Some(settled) = settled { (settled.paid.support) " / " (line.vouchers.len()) } },
        html! {
            @if let Some(paid) = paid { @if paid < line.claimed { strong { (paid) } } @else { (paid) } }
            @if let Some(settled) = settled.filter(|settled| settled.paid.self_paid > Fen(0)) {
                br; span.hint { (desk.tell("money.self_paid", &[("amount", &settled.paid.self_paid.to_string())])) }
            }
        },
        html! {
            @if let Some(audited) = audited {
                (widgets::badge(tone(audited.verdict), label(&LineVerdict::CHOICES, audited.verdict.0, desk.lang)))
                @if !audited.reason.is_empty() { br; (widgets::short(&both::said(&audited.reason, desk.lang.words()))) }
            }
        },
    ]
}

/// Returns the colour of a verdict.
pub(in crate::web) fn tone(verdict: LineVerdict) -> Tone {
    match verdict {
        LineVerdict::OK => Tone::Good,
        LineVerdict::SHORT_VOUCHER | LineVerdict::OVER_CAP | LineVerdict::ADJUSTED => Tone::Warning,
        _ => Tone::Bad,
    }
}

/// Returns how the rules come to what is paid of a line, step by step.
pub(in crate::web) fn reckoning(desk: &Desk<'_>, settled: &SettledLine) -> Markup {
    html! {
        ul.reckoning {
            @for step in &settled.paid.steps {
                li { (said(&step.sentence(), desk.lang)) }
            }
        }
    }
}

/// Returns what the rules find on a line, or on the claim as a whole.
pub(in crate::web) fn findings(desk: &Desk<'_>, story: &Story, line: Option<u32>) -> Markup {
    let words = desk.lang.words();
    let traces = story.traces.iter().filter(|trace| trace.line == line);
    let problems = story.problems.iter().filter(|problem| records::claim::checks::line_of(problem) == line);
    let found: Vec<Markup> = traces
        .map(|trace| html! { li.bad { strong { (trace.rule) } " " (widgets::text(&trace.text(words))) } })
        .chain(problems.map(|problem| {
            html! { li { strong { (problem.rule) } " " (widgets::text(&problem.text(words))) } }
        }))
        .collect();
    html! { @if !found.is_empty() { ul.findings { @for found in found { (found) } } } }
}

/// Returns the pictures of a line's vouchers, each with what stands on it.
pub(in crate::web) fn vouchers(desk: &Desk<'_>, story: &Story, line: &Line) -> Markup {
    html! {
        @for (n, ticket) in (1..).zip(&line.vouchers) {
            @let slip = ticket.voucher.and_then(|id| story.slips.get(&id));
            figure.voucher {
                figcaption {
                    strong { (line.n) "." (n) " " (ticket.amount) }
                    @if let Some(date) = ticket.date { " · " (date) }
                    @if let Some(slip) = slip { (stands_on(desk, slip)) }
                }
                @if let Some(slip) = slip {
                    (twins(desk, slip))
                    @for picture in &slip.pictures { (shown(desk, story.known.held.record.id, picture, &format!("{}.{n}", line.n))) }
                    @if slip.pictures.is_empty() { p.none { (desk.say("money.picture.none")) } }
                } @else { p.none { (desk.say("money.voucher.typed")) } }
            }
        }
        @if line.vouchers.is_empty() { p.none { (desk.say("money.voucher.none")) } }
    }
}

fn stands_on(desk: &Desk<'_>, slip: &Slip) -> Markup {
    let record = &slip.record;
    let kind = record.get::<PaperKind>().and_then(|row| row.kind);
    let seller = record.get::<Seller>().and_then(|row| row.seller);
    let number = record.get::<InvoiceNo>().and_then(|row| row.inv_no);
    html! {
        @if let Some(kind) = kind { " · " (label(&VoucherKind::CHOICES, kind.0, desk.lang)) }
        @if let Some(seller) = seller { " · " (widgets::short(&seller.0)) }
        @if let Some(number) = number { " · " (widgets::short(&number.0)) }
        @if record.state == voucher_machine::REJECTED { " " (widgets::badge(Tone::Bad, state_label(record, desk.lang))) }
    }
}

/// Returns the vouchers that may be the same paper.
fn twins(desk: &Desk<'_>, slip: &Slip) -> Markup {
    html! {
        @if !slip.twins.is_empty() {
            ul.findings {
                @for twin in &slip.twins {
                    li.bad {
                        (desk.say(match twin.alike {
                            Alike::Strong => "money.twin.strong",
                            Alike::Weak => "money.twin.weak",
                            Alike::Look(_) => "money.twin.look",
                        }))
                        " " (twin.voucher.code())
                        @for (id, no) in &twin.claims { " · " a href=(address(*id)) { (widgets::short(no)) } }
                    }
                }
            }
        }
    }
}

/// Returns one picture; a file that is no picture, or is not here, as a link or a word.
fn shown(desk: &Desk<'_>, claim: DocId, picture: &Picture, name: &str) -> Markup {
    let at = format!("{}/files/{}", address(claim), records::hex::of(&picture.file));
    let alt = desk.tell("money.picture", &[("n", name)]);
    html! {
        @if !picture.here { p.none { (desk.say("money.picture.absent")) } }
        @else if picture.mime.starts_with("image/") || picture.mime.is_empty() {
            a.picture href=(at) { img.picture src=(at) alt=(alt) loading="lazy"; }
        } @else { p { a href=(at) { (alt) " " (widgets::short(&picture.mime)) } } }
    }
}

/// Returns the work sheets with their pictures.
pub(in crate::web) fn sheets(desk: &Desk<'_>, story: &Story) -> Markup {
    html! {
        @if story.sheets.is_empty() { p.none { (desk.say("money.sheets.none")) } }
        @for slip in story.sheets.values() {
            details {
                summary {
                    (desk.lang.words().pick(slip.record.kind.zh, slip.record.kind.en)) " "
                    (widgets::short(&crate::money::decide::title(&slip.record))) " " (state(desk, &slip.record))
                }
                div.pictures { @for picture in &slip.pictures {
                    (shown(desk, story.known.held.record.id, picture, &crate::money::decide::title(&slip.record)))
                } }
            }
        }
    }
}

/// Returns who decided what, in order.
pub(in crate::web) fn decisions(desk: &Desk<'_>, story: &Story, names: &Names) -> Markup {
    let columns = ["at", "who", "step", "vouchers", "note"].map(|key| column(desk, key, key == "vouchers"));
    let row = |approval: &records::claim::view::Approval| {
        let step = CLAIM.machine.and_then(|machine| machine.step(&approval.step));
        let step = step
            .map_or(approval.step.as_str(), |(_, step)| desk.lang.words().pick(step.zh, step.en))
            .to_owned();
        vec![
            html! { span.when { (approval.at.minute(Zone::SHANGHAI)) } },
            html! {
                @if approval.by.is_none() { (desk.say("money.system")) } @else { (widgets::short(&names.of(approval.by))) }
                @if approval.on_behalf_of.is_some() { " → " (widgets::short(&names.of(approval.on_behalf_of))) }
            },
            html! { (step) },
            html! { @if let Some(n) = approval.vouchers { (n) } },
            html! { (widgets::short(&both::said(&approval.note, desk.lang.words()))) },
        ]
    };
    let rows: Vec<Vec<Markup>> = story.known.held.claim.approvals.iter().map(row).collect();
    widgets::table(&desk.say("money.decisions"), &columns, &rows, &desk.say("money.decisions.none"))
}

/// Returns the claimant's other claims.
pub(in crate::web) fn earlier(desk: &Desk<'_>, story: &Story) -> Markup {
    let columns = [("claim", false), ("date", false), ("claimed", true), ("state", false)]
        .map(|(key, number)| column(desk, key, number));
    let row = |held: &crate::money::claims::Held| {
        let submission = held.claim.submission.as_ref();
        vec![
            html! { a href=(address(held.record.id)) { (widgets::short(&held.no())) } },
            html! { @if let Some(submission) = submission { (submission.day) } },
            html! { (held.claim.claimed_total()) },
            html! { (state_label(&held.record, desk.lang)) },
        ]
    };
    let rows: Vec<Vec<Markup>> = story.earlier.iter().map(row).collect();
    widgets::table(&desk.say("money.earlier"), &columns, &rows, &desk.say("money.earlier.none"))
}

/// Returns the questions to the branch and its answers.
pub(in crate::web) fn questions(desk: &Desk<'_>, story: &Story, names: &Names) -> Markup {
    let questions = &story.known.held.claim.questions;
    html! {
        @if !questions.is_empty() {
            h2 { (desk.say("money.questions")) }
            ul.findings {
                @for question in questions {
                    li {
                        (desk.say(if question.answer { "money.answer" } else { "money.question" })) " "
                        (widgets::short(&names.of(question.by))) " " (question.at.minute(Zone::SHANGHAI))
                        p { (widgets::text(&question.text)) }
                    }
                }
            }
        }
    }
}

/// Returns the alerts about a claim.
pub(in crate::web) fn alerts(desk: &Desk<'_>, story: &Story, names: &Names) -> Markup {
    html! {
        @if !story.alerts.is_empty() {
            h2 { (desk.say("money.alerts")) }
            ul.findings { @for alert in &story.alerts { (alert_item(desk, alert, names)) } }
        }
    }
}

fn alert_item(desk: &Desk<'_>, alert: &Alert, names: &Names) -> Markup {
    let by = names.of(crate::money::rows::linked(alert.finding.by.as_ref()));
    html! {
        li.bad[alert.is_open()] {
            strong { (rule(desk, alert.rule())) } " " (state(desk, &alert.record))
            @if let Some(line) = alert.finding.line { " " (desk.tell("money.of_line", &[("n", &line.0.to_string())])) }
            @if !by.is_empty() { " " (widgets::short(&by)) }
            @if let Some(evidence) = &alert.finding.evidence { p { (widgets::text(&both::said(&evidence.0, desk.lang.words()))) } }
        }
    }
}

/// Returns what a rule is called; a person's alarm by that name.
pub(in crate::web) fn rule(desk: &Desk<'_>, rule: &str) -> String {
    if rule == "manual" { desk.say("money.alarm.manual") } else { rule.to_owned() }
}

/// Returns a box for each anomaly that has to be acknowledged.
pub(in crate::web) fn acks(desk: &Desk<'_>, story: &Story) -> Markup {
    let open = story.to_acknowledge();
    html! {
        @if !open.is_empty() {
            fieldset.choices {
                legend { (desk.say("money.acks")) }
                @for rule_id in open {
                    label.choice {
                        input type="checkbox" name="ack" value=(rule_id);
                        span { (rule(desk, rule_id)) }
                    }
                }
            }
        }
    }
}

/// Returns the clocks of a claim, each with its counted and skipped days.
pub(in crate::web) fn clocks(desk: &Desk<'_>, story: &Story) -> Markup {
    html! { @for clock in &story.clocks { (clock_of(desk, clock)) } }
}

/// Returns one clock with its days.
pub(in crate::web) fn clock_of(desk: &Desk<'_>, clock: &Clock) -> Markup {
    let day = |day: Option<records::time::Day>| day.map_or_else(|| "–".to_owned(), |day| day.to_string());
    html! {
        details {
            summary {
                (desk.say(&format!("hq.clock.of.{}", clock.what.name()))) ": "
                (desk.tell("money.clock", &[("started", &clock.started.to_string()), ("due", &day(clock.due)), ("done", &day(clock.done))]))
                @if clock.is_late(desk.today()) { (widgets::badge(Tone::Bad, &desk.say("money.late"))) }
            }
            ul { @for step in &clock.trace.steps { li { (said(&step.sentence(), desk.lang)) } } }
        }
    }
}

/// Returns what is known of a claim in one look.
pub(in crate::web) fn head(desk: &Desk<'_>, story: &Story, names: &Names) -> Markup {
    let held = &story.known.held;
    let claim = &held.claim;
    let say = |key: &str| desk.say(&format!("money.{key}"));
    let mut rows = vec![
        (say("column.state"), state(desk, &held.record)),
        (
            say("claimant"),
            html! { (widgets::short(&names.of(Some(claim.staff)))) " · " (widgets::short(&names.unit(claim.unit))) },
        ),
        (
            say("column.claimed"),
            html! { strong.big { (claim.claimed_total()) } " · " (desk.tell("money.n_vouchers", &[("n", &claim.voucher_count().to_string())])) },
        ),
        (
            say("rules_payable"),
            html! {
                (story.settled.payable)
                @if story.settled.self_paid > Fen(0) { " · " (desk.tell("money.self_paid", &[("amount", &story.settled.self_paid.to_string())])) }
            },
        ),
    ];
    if let Some(half) = claim.half {
        rows.push((say("half"), html! { (half) }));
    }
    if let Some(submission) = &claim.submission {
        rows.push((say("submitted"), html! { (submission.day) " · " (widgets::short(&submission.cycle)) }));
    }
    if let Some(clock) = story.clocks.iter().rev().find(|clock| clock.done.is_none()) {
        rows.push((desk.say(&format!("hq.clock.of.{}", clock.what.name())), clock_of(desk, clock)));
    }
    widgets::facts(&rows)
}
