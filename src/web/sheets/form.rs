//! The fields of a sheet by topic, each topic one form; only what was changed is sent on.

use maud::{Markup, html};
use pages::visit::{Fields, Verb};
use pages::widgets::{self, Tone, Weight};
use records::schema::{Field, Group, Writer};
use records::value::Type;

use crate::notebook::pair::Pair;
use crate::web::desk::Desk;
use crate::web::sheets::read::{Sheet, is_single};

/// Groups of fields that are filled in together, in the order of a visit. What stands in none of them comes last.
const TOPICS: [(&str, &[&str]); 4] = [
    ("place", &["order", "place", "engineer", "visit"]),
    ("machine", &["equipment", "plate", "warranty", "location", "task", "run_hours"]),
    ("work", &["inspected", "route", "problem", "fault", "found", "cause", "work", "barrier", "downtime"]),
    ("outcome", &["result", "raise", "charge", "cost", "rating", "next"]),
];

/// Groups with a place of their own, or that nobody fills in by hand.
const APART: [&str; 6] = ["customer_sign", "sheet_no", "amends", "checklist", "origin", "fix"];

/// Returns the topic that a group is filled in under; `None` of one with a place of its own.
pub(super) fn topic_of(group: &str) -> Option<&'static str> {
    if APART.contains(&group) {
        return None;
    }
    let topic = TOPICS.iter().find(|(_, groups)| groups.contains(&group));
    Some(topic.map_or("rest", |(topic, _)| topic))
}

fn groups(sheet: &Sheet, topic: &str) -> Vec<&'static Group> {
    let own = |group: &&'static Group| is_single(group) && group.writer == Writer::Scope;
    let named: Vec<_> = sheet.kind.groups.iter().copied().filter(own).collect();
    match TOPICS.iter().find(|(name, _)| *name == topic) {
        // In the order of the topic, not of the table.
        Some((_, wanted)) => {
            wanted.iter().filter_map(|name| named.iter().copied().find(|group| group.name == *name)).collect()
        }
        None => named.into_iter().filter(|group| topic_of(group.name) == Some("rest")).collect(),
    }
}

/// Returns the topics as forms; `open` is the one that is not folded.
pub(super) fn topics(desk: &Desk<'_>, sheet: &Sheet, open: Option<&str>) -> Markup {
    let all = TOPICS.iter().map(|(topic, _)| *topic).chain(["rest"]);
    html! {
        @for topic in all {
            @let groups = groups(sheet, topic);
            @if !groups.is_empty() {
                details id={ "t-" (topic) } open[open == Some(topic)] {
                    summary { (desk.say(&format!("web.sheet.topic.{topic}"))) (filled(sheet, &groups)) }
                    (form(desk, sheet, topic, &groups))
                }
            }
        }
    }
}

/// How many of a topic's fields say something, and whether two say different things.
fn filled(sheet: &Sheet, groups: &[&'static Group]) -> Markup {
    let fields = groups.iter().flat_map(|group| group.fields).filter(|field| is_typed(field));
    let (all, said) = fields
        .fold((0, 0), |(all, said), field| (all + 1, said + u32::from(sheet.typed.contains_key(field.name))));
    let clash = groups.iter().any(|group| sheet.shown.open.contains(&group.name));
    html! {
        span.count { (said) "/" (all) }
        @if clash { (widgets::badge(Tone::Bad, "!")) }
    }
}

fn is_typed(field: &Field) -> bool {
    !matches!(field.ty, Type::File | Type::Digest | Type::Fix)
}

fn form(desk: &Desk<'_>, sheet: &Sheet, topic: &str, groups: &[&'static Group]) -> Markup {
    let content = html! {
        input type="hidden" name="topic" value=(topic);
        @for group in groups {
            @if sheet.shown.open.contains(&group.name) {
                p { a href="/conflicts" { (widgets::badge(Tone::Bad, &desk.say("web.sheet.clash"))) } }
            }
            @for field in group.fields.iter().filter(|field| is_typed(field)) {
                (one(desk, sheet, field))
            }
        }
        (widgets::button(Weight::First, &desk.say("web.save"), Some(("save", topic))))
    };
    desk.form(&format!("{}/set", sheet.address()), &content)
}

fn one(desk: &Desk<'_>, sheet: &Sheet, field: &Field) -> Markup {
    let stored = sheet.typed.get(field.name).map_or("", String::as_str);
    let name = format!("set.{}", field.name);
    let typed = desk.visit.form.0.iter().find(|(sent, _)| *sent == name);
    let typed = typed.filter(|_| desk.visit.verb == Verb::Post).map_or(stored, |(_, value)| value.as_str());
    let called = sheet.said(desk, field.name);
    html! {
        input type="hidden" name={ "was." (field.name) } value=(widgets::typed(field, stored));
        @if field.name == "serial" {
            (widgets::scanned("plate-serial", &name, desk.lang.label(field.zh, field.en), typed, &desk.say("web.scan")))
        } @else {
            (widgets::field(field, typed, desk.lang.of_labels()))
        }
        @if matches!(field.ty, Type::Ref(_)) && !called.is_empty() && called != stored {
            p.hint { (widgets::short(&called)) }
        }
    }
}

/// Returns what a form changed: fields whose value is another than the one that its page showed.
///
/// What somebody else wrote meanwhile in a field that nobody touched here stays.
pub(in crate::web) fn changed(form: &Fields) -> Vec<Pair> {
    let lines = |text: &str| text.trim().replace("\r\n", "\n");
    let was: Vec<(&str, &str)> = form.under("was.");
    let touched = |(name, value): &(&str, &str)| {
        let before = was.iter().find(|(known, _)| known == name).map_or("", |(_, value)| *value);
        lines(before) != lines(value)
    };
    form.under("set.")
        .into_iter()
        .filter(touched)
        .map(|(name, value)| Pair::new(name, lines(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_changed_is_sent_on() {
        let form = Fields::parse(
            "was.problem=a%0D%0Ab&set.problem=a%0Ab&was.brand=X&set.brand=&set.product=Pump&was.found=&set.found=",
        );
        assert_eq!(changed(&form), [Pair::new("brand", ""), Pair::new("product", "Pump")]);
    }
}
