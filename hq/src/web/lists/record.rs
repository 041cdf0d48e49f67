//! One record: its values, its lists, the decisions on it, what the merge did not choose, and who wrote what when.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::widgets::{self, Column, Tone};
use records::id::DocId;
use records::schema::{Class, Field, Group, Kind};
use records::time::Zone;
use records::value::{Row, Target, Value};
use sync_protocol::merge::conflict::Conflict;
use sync_protocol::merge::{Document, Register, Standing};

use crate::cli::answer::{Fault, Lang, REFUSED};
use crate::cli::{history, show};
use crate::intake::desk::Desk as Office;
use crate::lists::Line;
use crate::reading;
use crate::store::StoreError;
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::lists::{label, reader, state};

/// Changes that are shown; the latest.
const CHANGES: usize = 200;
/// Rows of one list that are shown.
const ROWS: usize = 200;

/// A value as it is shown: its text, and the record that it leads to.
struct Said(String, Option<DocId>);

/// A list of the record: its name, its columns, its rows, how many more there are.
struct Listed {
    group: &'static Group,
    rows: Vec<Vec<Said>>,
    more: usize,
}

/// One decision: what, who, when, why, and what became of it.
struct Decided {
    step: &'static str,
    who: String,
    when: String,
    reason: String,
    standing: Standing,
}

/// A group of which several values stand side by side.
struct Open {
    group: &'static Group,
    values: Vec<String>,
    hard: bool,
}

struct Shown {
    line: Line,
    values: Vec<(&'static str, Said)>,
    lists: Vec<Listed>,
    decided: Vec<Decided>,
    open: Vec<Open>,
    flags: Vec<&'static str>,
    changes: Vec<[String; 5]>,
}

/// Returns the page of a record.
pub(in crate::web) fn page(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let unknown = || Fault::new(REFUSED, "hq.record.unknown").with("id", id);
    let id: DocId = id.parse().map_err(|_| unknown())?;
    let (reader, lang) = (reader(desk)?, desk.lang);
    let shown = desk.console.read(|office| {
        let Some(line) = office.line_for(&reader, id)? else { return Ok::<_, Fault>(None) };
        shown(office, line, lang).map(Some)
    })?;
    let shown = shown.ok_or_else(unknown)?;
    Ok(desk.page(&Leaf {
        place: Place::Lists,
        title: format!("{} {}", label(desk, shown.line.kind), shown.line.no),
        back: Some(format!("/lists/{}", shown.line.kind.name)),
        content: content(desk, &shown),
    }))
}

fn shown(office: &mut Office, line: Line, lang: Lang) -> Result<Shown, Fault> {
    let (id, kind) = (line.id, line.kind);
    let document =
        office.document(id)?.ok_or_else(|| Fault::new(REFUSED, "hq.record.unknown").with("id", id))?;
    let (values, lists) = values(office, &document, kind, lang)?;
    let mut ops = office.history(id)?;
    ops.sort_by_key(|op| document.ops.iter().position(|known| *known == op.id));
    let first = ops.len().saturating_sub(CHANGES);
    let changes = history::lines(office, ops.get(first..).unwrap_or_default(), Some(kind), lang)?;
    let words = lang.words();
    Ok(Shown {
        decided: decided(office, &document, kind, lang)?,
        open: open(office, &document, kind, lang)?,
        flags: document.flags().iter().map(|flag| words.pick(flag.zh, flag.en)).collect(),
        line,
        values,
        lists,
        changes,
    })
}

type Values = (Vec<(&'static str, Said)>, Vec<Listed>);

fn values(office: &mut Office, document: &Document, kind: &Kind, lang: Lang) -> Result<Values, StoreError> {
    let (mut single, mut lists) = (Vec::new(), Vec::new());
    for group in kind.groups.iter().copied() {
        let rows = reading::rows(document, group);
        match group.class {
            Class::Decision => {}
            Class::Once | Class::Last | Class::Contested => {
                for (field, value) in group.fields.iter().zip(rows.into_iter().next().unwrap_or_default()) {
                    if let Some(value) = value {
                        single.push((
                            lang.words().pick(field.zh, field.en),
                            said(office, field, &value, lang)?,
                        ));
                    }
                }
            }
            Class::Ledger | Class::Set if rows.is_empty() => {}
            Class::Ledger | Class::Set => lists.push(Listed {
                group,
                more: rows.len().saturating_sub(ROWS),
                rows: rows
                    .iter()
                    .take(ROWS)
                    .map(|row| listed_row(office, group, row, lang))
                    .collect::<Result<_, _>>()?,
            }),
        }
    }
    Ok((single, lists))
}

fn listed_row(office: &mut Office, group: &Group, row: &Row, lang: Lang) -> Result<Vec<Said>, StoreError> {
    let cells = group.fields.iter().zip(row).map(|(field, value)| match value {
        Some(value) => said(office, field, value, lang),
        None => Ok(Said(String::new(), None)),
    });
    cells.collect()
}

fn said(office: &mut Office, field: &Field, value: &Value, lang: Lang) -> Result<Said, StoreError> {
    Ok(match value {
        Value::Ref(Target::Doc(id)) => Said(office.called(*id)?, Some(*id)),
        value => Said(value.label(field, Zone::SHANGHAI, lang.words()), None),
    })
}

fn decided(office: &mut Office, document: &Document, kind: &Kind, lang: Lang) -> Result<Vec<Decided>, Fault> {
    let mut decided = Vec::new();
    for ruled in &document.decisions {
        let Some(step) = kind.machine.and_then(|machine| machine.step_at(ruled.step)) else { continue };
        let Some(row) = office.row(ruled.op)? else { continue };
        let recorded = show::recorded(office, ruled.op, row.stamp)?;
        let decision = row.write(records::decision::DECISION_TAG);
        let decision: Option<records::decision::Decision> =
            decision.and_then(|bytes| postcard::from_bytes(bytes).ok());
        decided.push(Decided {
            step: lang.words().pick(step.zh, step.en),
            who: show::author(office, ruled.op)?,
            when: recorded.map(|recorded| show::recorded_text(&recorded, lang)).unwrap_or_default(),
            reason: decision.map(|decision| decision.reason).unwrap_or_default(),
            standing: ruled.standing,
        });
    }
    Ok(decided)
}

fn open(office: &mut Office, document: &Document, kind: &Kind, lang: Lang) -> Result<Vec<Open>, Fault> {
    let mut open = Vec::new();
    let hard = document.conflicts().into_iter().filter_map(|conflict| match conflict {
        Conflict::Values(tag, register) => Some((tag, register, true)),
        Conflict::Seals(_) => None,
    });
    let soft = document.soft_conflicts().map(|(tag, register)| (tag, register, false));
    for (tag, register, hard) in hard.chain(soft) {
        let Some(group) = kind.group(tag.number()) else { continue };
        open.push(Open { group, values: standing_values(office, group, register, lang)?, hard });
    }
    Ok(open)
}

fn standing_values(
    office: &mut Office,
    group: &'static Group,
    register: &Register,
    lang: Lang,
) -> Result<Vec<String>, Fault> {
    let mut values = Vec::new();
    for written in std::iter::once(&register.value).chain(&register.others) {
        let Some(row) = written.row(group) else { continue };
        let said: Vec<String> =
            show::row_text(group, &row, lang).into_iter().map(|(_, value)| value).collect();
        values.push(format!("{} — {}", said.join(", "), show::author(office, written.op)?));
    }
    Ok(values)
}

fn content(desk: &Desk<'_>, shown: &Shown) -> Markup {
    let words = desk.lang.words();
    let heads = |group: &Group| -> Vec<Column> {
        let title = |field: &Field| words.pick(field.zh, field.en).to_owned();
        group.fields.iter().map(|field| Column { title: title(field), number: false }).collect()
    };
    let facts: Vec<(String, Markup)> =
        shown.values.iter().map(|(name, said)| ((*name).to_owned(), cell(said))).collect();
    html! {
        p {
            @if !state(desk, &shown.line).is_empty() { (widgets::badge(Tone::Plain, state(desk, &shown.line))) " " }
            @for flag in &shown.flags { (widgets::badge(Tone::Warning, flag)) " " }
            (widgets::text(&shown.line.id.code())) " · " (desk.instant(shown.line.updated)) " "
            (widgets::text(&shown.line.author))
        }
        @for open in &shown.open {
            section {
                (widgets::told(if open.hard { Tone::Bad } else { Tone::Warning }, &desk.tell(
                    if open.hard { "console.record.conflict" } else { "console.record.others" },
                    &[("what", words.pick(open.group.zh, open.group.en))],
                )))
                ul { @for value in &open.values { li { (widgets::text(value)) } } }
            }
        }
        @if shown.line.kind.name == "job" && desk.only(Place::Jobs).is_ok() { div.actions { a.way href={ "/jobs/" (shown.line.id) } { (desk.say("console.jobs.open")) } } }
        @if !facts.is_empty() { (widgets::facts(&facts)) }
        @for list in &shown.lists {
            section {
                h2 { (words.pick(list.group.zh, list.group.en)) }
                @let rows: Vec<Vec<Markup>> = list.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
                (widgets::table(words.pick(list.group.zh, list.group.en), &heads(list.group), &rows, ""))
                @if list.more > 0 { p.hint { (desk.tell("console.record.more", &[("n", &list.more.to_string())])) } }
            }
        }
        @if !shown.decided.is_empty() { (decisions(desk, &shown.decided)) }
        (changes(desk, &shown.changes))
    }
}

fn cell(said: &Said) -> Markup {
    match said.1 {
        Some(id) => html! { a href={ "/records/" (id) } { (widgets::short(&said.0)) } },
        None => widgets::short(&said.0),
    }
}

fn columns<const N: usize>(desk: &Desk<'_>, names: [&str; N]) -> [Column; N] {
    names.map(|name| Column { title: desk.say(&format!("console.record.column.{name}")), number: false })
}

fn decisions(desk: &Desk<'_>, decided: &[Decided]) -> Markup {
    let standing = |standing: Standing| {
        let (tone, key) = match standing {
            Standing::Stands => (Tone::Good, "stands"),
            Standing::Stale => (Tone::Warning, "stale"),
            Standing::Superseded => (Tone::Plain, "superseded"),
            Standing::Contested => (Tone::Bad, "contested"),
            Standing::Void => (Tone::Plain, "void"),
            Standing::TooLate => (Tone::Warning, "too_late"),
        };
        widgets::badge(tone, &desk.say(&format!("text.standing.{key}")))
    };
    let rows: Vec<Vec<Markup>> = decided
        .iter()
        .map(|one| {
            vec![
                html! { (one.when) },
                widgets::short(&one.who),
                html! { (one.step) },
                widgets::short(&one.reason),
                standing(one.standing),
            ]
        })
        .collect();
    let title = desk.say("console.record.decisions");
    html! {
        section { h2 { (title) } (widgets::table(&title, &columns(desk, ["when", "who", "step", "reason", "standing"]), &rows, "")) }
    }
}

fn changes(desk: &Desk<'_>, changes: &[[String; 5]]) -> Markup {
    let rows: Vec<Vec<Markup>> =
        changes.iter().map(|line| line.iter().map(|cell| widgets::short(cell)).collect()).collect();
    let title = desk.say("console.record.history");
    html! {
        details { summary { (title) }
            (widgets::table(&title, &columns(desk, ["when", "who", "field", "value", "said"]), &rows, &desk.say("console.none")))
        }
    }
}
