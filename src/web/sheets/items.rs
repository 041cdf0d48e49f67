//! The checklist of a sheet: one tap an item; what is typed or photographed has a form of its own.

use maud::{Markup, html};
use pages::widgets::{self, Tone, Weight};
use records::kinds::sheet::Answer;
use records::kinds::template::ItemKind;
use records::problems::Problem;
use records::value::{Type, Value};

use crate::notebook::round::Asked;
use crate::web::desk::Desk;
use crate::web::sheets::read::Sheet;

/// The answers of a yes-or-no item, the good one first.
const YES_NO: [&str; 2] = ["yes", "no"];
/// The answers of an item that is looked at, the good one first.
const LOOKED_AT: [&str; 3] = ["ok", "watch", "fault"];

/// Returns the items; `back` says to which page an answer comes back: `round` or the sheet.
pub(in crate::web) fn list(desk: &Desk<'_>, sheet: &Sheet, back: &str) -> Markup {
    html! {
        form #answers method="post" action={ (sheet.address()) "/answer" } {
            input type="hidden" name="token" value=(desk.token);
            input type="hidden" name="back" value=(back);
        }
        ol.items {
            @for (at, item) in sheet.items.iter().enumerate() {
                li.item.answered[item.is_answered()] id={ "item-" (at + 1) } {
                    (head(desk, sheet, at, item))
                    @if sheet.is_open() { (ways(desk, sheet, at, item, back)) }
                }
            }
        }
        div #end {}
    }
}

fn head(desk: &Desk<'_>, sheet: &Sheet, at: usize, item: &Asked) -> Markup {
    let said = said(desk, sheet, item);
    let note = item.answer.as_ref().and_then(|answer| answer.note.as_ref());
    html! {
        p.question {
            span { (at + 1) ". " (widgets::short(item.label())) }
            @if item.item.required == Some(true) && !item.is_answered() { " " (widgets::badge(Tone::Warning, &desk.say("web.round.required"))) }
            @if let Some((tone, said)) = said { " " (widgets::badge(tone, &said)) }
        }
        @if let Some(note) = note { p.hint { (widgets::text(&note.0)) } }
        @if let Some(problem) = item.problem.as_ref().filter(|_| item.is_answered()) { (wrong(desk, problem)) }
    }
}

/// Returns a problem as a sentence in red.
pub(super) fn wrong(desk: &Desk<'_>, problem: &Problem) -> Markup {
    let lang = desk.lang.of_labels();
    html! { p.wrong { span aria-hidden="true" { "✗ " } (widgets::text(&problem.text(lang))) " " (widgets::text(&problem.hint(lang))) } }
}

/// Returns what was answered, in words.
fn said(desk: &Desk<'_>, sheet: &Sheet, item: &Asked) -> Option<(Tone, String)> {
    if matches!(item.item.kind, Some(ItemKind::PHOTO | ItemKind::SIGN)) {
        return (item.photos > 0).then(|| (Tone::Good, item.photos.to_string()));
    }
    let answer = item.answer.as_ref()?;
    if let Some(found) = answer.answer {
        let (_, zh, en) = Answer::CHOICES.option(found.0)?;
        let tone = match found {
            Answer::OK | Answer::YES => Tone::Good,
            Answer::WATCH | Answer::NO => Tone::Warning,
            _ => Tone::Bad,
        };
        return Some((tone, desk.lang.label(zh, en).to_owned()));
    }
    let value = answer.value.clone().map(|value| Value::Meter(value).text(Type::Meter, sheet.zone));
    Some((Tone::Good, value.or_else(|| answer.text.as_ref().map(|text| text.0.clone()))?))
}

fn ways(desk: &Desk<'_>, sheet: &Sheet, at: usize, item: &Asked, back: &str) -> Markup {
    match item.item.kind {
        Some(ItemKind::YESNO) => taps(desk, at, item, &YES_NO),
        Some(ItemKind::OK_WATCH_FAULT) => taps(desk, at, item, &LOOKED_AT),
        Some(ItemKind::PHOTO) => photo(desk, sheet, at, item, back),
        Some(ItemKind::SIGN) => sign(desk, sheet, at, item),
        Some(ItemKind::CHOICE) => typed(desk, sheet, item, back, &choices(item)),
        Some(ItemKind::MULTI) => typed(desk, sheet, item, back, &several(desk, item)),
        Some(ItemKind::NUMBER) => typed(desk, sheet, item, back, &number(desk, item)),
        Some(ItemKind::DATE) => typed(desk, sheet, item, back, &text(desk, at, item, "date")),
        _ => typed(desk, sheet, item, back, &text(desk, at, item, "text")),
    }
}

/// One tap is the answer; the first one is as long as the row.
fn taps(desk: &Desk<'_>, at: usize, item: &Asked, words: &[&str]) -> Markup {
    let chosen = item.answer.as_ref().and_then(|answer| Answer::CHOICES.option(answer.answer?.0));
    html! {
        div.taps {
            @for (place, word) in words.iter().enumerate() {
                @let option = Answer::CHOICES.options.iter().find(|(known, ..)| known == word);
                @let label = option.map_or("", |(_, zh, en)| desk.lang.label(zh, en));
                @let stands = chosen.is_some_and(|(known, ..)| known == *word);
                button type="submit" form="answers" name="answer" value={ (word) " " (item.key) }
                    id={ "item-" (at + 1) "-" (word) } class=(if place == 0 && !stands { "first" } else { "second" })
                    aria-pressed=(stands) aria-label={ (at + 1) ". " (item.label()) ": " (label) } {
                    (label)
                }
            }
        }
    }
}

fn typed(desk: &Desk<'_>, sheet: &Sheet, item: &Asked, back: &str, content: &Markup) -> Markup {
    let content = html! {
        input type="hidden" name="item" value=(item.key);
        input type="hidden" name="back" value=(back);
        (content)
    };
    desk.form(&format!("{}/answer", sheet.address()), &content)
}

fn options(item: &Asked) -> Vec<String> {
    let listed = item.item.options.as_ref().map_or("", |options| options.0.as_str());
    listed
        .split([';', '；'])
        .map(|option| option.trim().to_owned())
        .filter(|option| !option.is_empty())
        .collect()
}

fn choices(item: &Asked) -> Markup {
    let chosen = item.answer.as_ref().and_then(|answer| answer.text.as_ref());
    html! {
        div.taps {
            @for option in options(item) {
                button type="submit" name="text" value=(option) class="second"
                    aria-pressed=(chosen.is_some_and(|text| text.0 == option)) { (option) }
            }
        }
    }
}

fn several(desk: &Desk<'_>, item: &Asked) -> Markup {
    let chosen =
        item.answer.as_ref().and_then(|answer| answer.text.as_ref()).map_or("", |text| text.0.as_str());
    let is_chosen = |option: &str| chosen.split([';', '；']).any(|one| one.trim() == option);
    html! {
        fieldset.choices {
            legend { (widgets::short(item.label())) }
            @for option in options(item) {
                label.choice { input type="checkbox" name="option" value=(option) checked[is_chosen(&option)]; span { (option) } }
            }
        }
        (widgets::button(Weight::Second, &desk.say("web.save"), None))
    }
}

fn number(desk: &Desk<'_>, item: &Asked) -> Markup {
    let meter = |value: &records::value::MeterValue| {
        Value::Meter(value.clone()).text(Type::Meter, records::time::Zone(0))
    };
    let standing =
        item.answer.as_ref().and_then(|answer| answer.value.as_ref()).map(meter).unwrap_or_default();
    let unit = item.item.unit.as_ref().map_or("", |unit| unit.0.as_str());
    let limit = |limit: &Option<records::value::MeterValue>| limit.as_ref().map_or("…".to_owned(), meter);
    let limits = (item.item.min.is_some() || item.item.max.is_some())
        .then(|| format!("{} – {}", limit(&item.item.min), limit(&item.item.max)));
    let label = [unit, limits.as_deref().unwrap_or_default()].join(" ");
    let label = if label.trim().is_empty() { desk.say("web.round.value") } else { label.trim().to_owned() };
    html! {
        input type="hidden" name="unit" value=(unit);
        (widgets::input("value", &label, &standing, "text", Some("decimal")))
        @if item.problem.is_some() && item.is_answered() {
            (widgets::input("note", &desk.say("web.round.why"), "", "text", None))
        }
        (widgets::button(Weight::Second, &desk.say("web.save"), None))
    }
}

fn text(desk: &Desk<'_>, at: usize, item: &Asked, kind: &str) -> Markup {
    let standing =
        item.answer.as_ref().and_then(|answer| answer.text.as_ref()).map_or("", |text| text.0.as_str());
    let id = format!("item-{}-text", at + 1);
    html! {
        @if item.item.kind == Some(ItemKind::SCAN) {
            (widgets::scanned(&id, "text", item.label(), standing, &desk.say("web.scan")))
        } @else {
            (widgets::input("text", item.label(), standing, kind, None))
        }
        (widgets::button(Weight::Second, &desk.say("web.save"), None))
    }
}

fn photo(desk: &Desk<'_>, sheet: &Sheet, at: usize, item: &Asked, back: &str) -> Markup {
    let content = html! {
        input type="hidden" name="item" value=(item.key);
        input type="hidden" name="kind" value="during";
        input type="hidden" name="back" value=(back);
        (widgets::camera(&format!("item-{}-photo", at + 1), "photo", &desk.say("web.photo.take"), true))
        (widgets::button(Weight::Second, &desk.say("web.photo.add"), None))
    };
    desk.form(&format!("{}/photos", sheet.address()), &content)
}

fn sign(desk: &Desk<'_>, sheet: &Sheet, at: usize, item: &Asked) -> Markup {
    let id = format!("item-{}-sign", at + 1);
    let content = html! {
        input type="hidden" name="item" value=(item.key);
        input type="hidden" name="kind" value="signature";
        (widgets::signature(&id, "photo", item.label(), &desk.say("web.sign.clear"), &desk.say("web.sign.photo")))
        (widgets::button(Weight::Second, &desk.say("web.save"), None))
    };
    desk.form(&format!("{}/photos", sheet.address()), &content)
}
