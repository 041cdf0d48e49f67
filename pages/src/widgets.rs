//! What pages are put together from: text of strangers, badges, rows, tables, forms, fields from the schema table.

use maud::{Markup, html};
use records::schema::Field;
use records::value::Type;
use records::value::text::Lang;

/// What a colour says; a sign and a word say it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    Plain,
    /// Well.
    Good,
    /// Somebody should look.
    Warning,
    /// Something is wrong.
    Bad,
}

impl Tone {
    const fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }

    const fn sign(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Good => "✓ ",
            Self::Warning => "! ",
            Self::Bad => "✗ ",
        }
    }
}

/// Characters of one text that a list shows.
const CHARS_MAX: usize = 240;

/// Returns text that somebody else wrote: isolated, so that a right-to-left mark in it turns nothing around it.
#[must_use]
pub fn text(text: &str) -> Markup {
    html! { bdi { (visible(text)) } }
}

/// Returns the same, cut where a list has no room for all of it.
#[must_use]
pub fn short(text: &str) -> Markup {
    let cut: String = text.chars().take(CHARS_MAX).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    html! { bdi { (visible(&cut)) (more) } }
}

/// Returns text that somebody else wrote where no element may stand: in an option, in an attribute.
#[must_use]
pub fn plain(text: &str) -> String {
    visible(text)
}

/// Marks that steer the direction of text are shown as what they are: in an amount or a name they only deceive.
fn visible(text: &str) -> String {
    let steers = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}');
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// Returns a word in a colour, with its sign.
#[must_use]
pub fn badge(tone: Tone, word: &str) -> Markup {
    html! { span.badge.(tone.class()) { span aria-hidden="true" { (tone.sign()) } (word) } }
}

/// Returns one sentence about what was done, or went wrong; read out at once.
#[must_use]
pub fn told(tone: Tone, sentence: &str) -> Markup {
    let role = if tone == Tone::Bad { "alert" } else { "status" };
    html! { p.told.(tone.class()) role=(role) { span aria-hidden="true" { (tone.sign()) } (text(sentence)) } }
}

/// One long row of a list, tapped as a whole.
#[derive(Debug, Clone)]
pub struct Row {
    /// Where it leads.
    pub href: String,
    /// Its first line.
    pub title: String,
    /// Its second line.
    pub below: Markup,
    /// What stands at the right: an amount, a state.
    pub right: Markup,
}

/// Returns a list of rows; a sentence where there is none.
#[must_use]
pub fn rows(rows: &[Row], none: &str) -> Markup {
    html! {
        @if rows.is_empty() { p.none { (none) } } @else {
            ul.rows {
                @for row in rows {
                    li {
                        a.row href=(row.href) {
                            span.main { span.title { (short(&row.title)) } span.below { (row.below) } }
                            span.right { (row.right) }
                        }
                    }
                }
            }
        }
    }
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub title: String,
    /// Whether it holds numbers: they stand at the right.
    pub number: bool,
}

/// Returns a table that scrolls by itself where it is too wide; a sentence where there is no row.
#[must_use]
pub fn table(caption: &str, columns: &[Column], rows: &[Vec<Markup>], none: &str) -> Markup {
    let class = |at: usize| columns.get(at).is_some_and(|column| column.number).then_some("number");
    html! {
        @if rows.is_empty() { p.none { (none) } } @else {
            div.scroll tabindex="0" role="region" aria-label=(caption) {
                table {
                    caption { (caption) }
                    thead { tr { @for (at, column) in columns.iter().enumerate() { th scope="col" class=[class(at)] { (column.title) } } } }
                    tbody {
                        @for row in rows {
                            tr { @for (at, cell) in row.iter().enumerate() { td class=[class(at)] { (cell) } } }
                        }
                    }
                }
            }
        }
    }
}

/// Returns names and what belongs to them.
#[must_use]
pub fn facts(rows: &[(String, Markup)]) -> Markup {
    html! { dl.facts { @for (name, value) in rows { div { dt { (name) } dd { (value) } } } } }
}

/// Returns a form that is sent to `action` with the session's token; files can be in it.
#[must_use]
pub fn form(action: &str, token: &str, content: &Markup) -> Markup {
    html! {
        form method="post" action=(action) enctype="multipart/form-data" {
            input type="hidden" name="token" value=(token);
            (content)
        }
    }
}

/// Which button it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The one thing to do here.
    First,
    /// Another way.
    Second,
    /// What takes something away.
    Danger,
}

/// Returns a form's button; `name=value` is sent with it where a name is given.
#[must_use]
pub fn button(weight: Weight, label: &str, sent: Option<(&str, &str)>) -> Markup {
    let class = match weight {
        Weight::First => "first",
        Weight::Second => "second",
        Weight::Danger => "danger",
    };
    html! { button type="submit" class=(class) name=[sent.map(|s| s.0)] value=[sent.map(|s| s.1)] { (label) } }
}

/// Returns a link that looks like a button.
#[must_use]
pub fn way(href: &str, label: &str) -> Markup {
    html! { a.way href=(href) { (label) } }
}

/// Returns one large box to choose `value` with one tap.
#[must_use]
pub fn choice(name: &str, value: &str, label: &str, chosen: bool) -> Markup {
    html! {
        label.choice { input type="radio" name=(name) value=(value) checked[chosen]; span { (label) } }
    }
}

/// Returns a labelled input of plain HTML: `kind` is the input's type, `mode` the keyboard that a touch screen shows.
#[must_use]
pub fn input(name: &str, label: &str, value: &str, kind: &str, mode: Option<&str>) -> Markup {
    html! {
        label.field { span { (label) } input type=(kind) name=(name) value=(value) inputmode=[mode] autocomplete="off"; }
    }
}

/// Returns the input for one field of a record, as the schema table describes it; it is sent as `set.<field>`.
///
/// `value` is the value as it is typed (the text that a command line takes); empty for none.
#[must_use]
pub fn field(field: &Field, value: &str, lang: Lang) -> Markup {
    let name = format!("set.{}", field.name);
    let label = lang.pick(field.zh, field.en);
    let label = if field.unit.is_empty() { label.to_owned() } else { format!("{label} ({})", field.unit) };
    match field.ty {
        Type::Choice(choices) => select(
            &name,
            &label,
            &choices.options.iter().map(|(word, zh, en)| (*word, lang.pick(zh, en))).collect::<Vec<_>>(),
            value,
        ),
        Type::Bool => {
            select(&name, &label, &[("yes", lang.pick("是", "yes")), ("no", lang.pick("否", "no"))], value)
        }
        Type::Text(max) if max > 200 => html! {
            label.field { span { (label) } textarea name=(name) maxlength=(max) rows="3" { (value) } }
        },
        Type::Text(max) => html! {
            label.field { span { (label) } input type="text" name=(name) value=(value) maxlength=(max) autocomplete="off"; }
        },
        Type::Day => input(&name, &label, value, "date", None),
        Type::Ts => input(&name, &label, typed(field, value), "datetime-local", None),
        Type::Fen | Type::Qty => input(&name, &label, value, "text", Some("decimal")),
        Type::Min | Type::Count | Type::Metre => input(&name, &label, value, "text", Some("numeric")),
        _ => input(&name, &label, value, "text", None),
    }
}

/// Returns a value as the input of its field shows it: an instant without its zone, to the minute.
#[must_use]
pub fn typed<'v>(field: &Field, value: &'v str) -> &'v str {
    if field.ty == Type::Ts { value.get(..16).unwrap_or(value) } else { value }
}

/// Returns an input that a scanner types into; the button beside it reads a code by the camera, where the browser can.
#[must_use]
pub fn scanned(id: &str, name: &str, label: &str, value: &str, scan: &str) -> Markup {
    html! {
        div.scanned {
            label.field for=(id) { span { (label) } input type="text" id=(id) name=(name) value=(value) autocomplete="off"; }
            button type="button" hidden data-scans=(id) { (scan) }
        }
    }
}

/// Returns an input for photos, by the camera where there is one; they are shown before they are sent.
#[must_use]
pub fn camera(id: &str, name: &str, label: &str, several: bool) -> Markup {
    html! {
        label.field.camera for=(id) {
            span { (label) }
            input type="file" id=(id) name=(name) accept="image/*" capture="environment" multiple[several] data-preview={ (id) "-seen" };
        }
        div.pictures id={ (id) "-seen" } {}
    }
}

/// Returns a field to sign on; without script a picture of the signature is chosen instead.
#[must_use]
pub fn signature(id: &str, name: &str, label: &str, clear: &str, photo: &str) -> Markup {
    html! {
        canvas.sign id={ (id) "-pad" } data-into=(id) role="img" aria-label=(label) {}
        div.actions { button type="button" data-clears={ (id) "-pad" } { (clear) } }
        label.field for=(id) { span { (photo) } input type="file" id=(id) name=(name) accept="image/*"; }
    }
}

/// Returns a list to choose from; the first entry is empty.
#[must_use]
pub fn select(name: &str, label: &str, options: &[(&str, &str)], value: &str) -> Markup {
    html! {
        label.field { span { (label) }
            select name=(name) {
                option value="" {}
                @for (word, said) in options { option value=(word) selected[*word == value] { (said) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_strangers_is_text() {
        let shown = text("<script>alert(1)</script>\u{202e}xyz").into_string();
        assert_eq!(shown, "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;\u{fffd}xyz</bdi>");
        let long = short(&"院".repeat(4_000)).into_string();
        assert_eq!(long.chars().filter(|c| *c == '院').count(), CHARS_MAX);
        assert!(long.contains('…'));
    }

    #[test]
    fn a_quote_does_not_leave_its_attribute() {
        let shown = input("x", "y", "\" onfocus=\"alert(1)", "text", None).into_string();
        assert!(shown.contains("value=\"&quot; onfocus=&quot;alert(1)\""), "{shown}");
    }
}
