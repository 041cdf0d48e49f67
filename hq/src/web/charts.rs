//! Charts: pictures of how things stand, each with its table and with words for whoever does not see it.

mod draw;

use maud::{Markup, PreEscaped, html};
use pages::reply::Reply;
use pages::widgets::{self, Column};
use records::kinds::staff::Role;
use records::money::Fen;
use records::policy::calendar::DayKind;
use records::time::Day;

use crate::cli::answer::Fault;
use crate::figures::{self, Figure, MonthSeen, Name, Unit};
use crate::web::desk::{Desk, Leaf, Place};

/// Months of the calendar that are shown.
const MONTHS: i32 = 6;
/// Roles of whoever sees how devices and the log stand.
const KEEPERS: [Role; 2] = [Role::ADMIN, Role::CS_MANAGER];

/// Returns the page of all charts.
pub(super) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    desk.only(Place::Charts)?;
    let (staff, today, now_ms) = (desk.person.staff, desk.today(), desk.now_ms());
    let keeps = desk.holds(&KEEPERS);
    let (figures, months) = desk.look(|office| {
        let reader = office.list_reader(staff)?;
        let claims = office.claims_read(&reader, today)?;
        let mut figures = Vec::new();
        if !claims.is_empty() {
            figures.extend([figures::ages(&claims, today), figures::cycle_times(&claims)]);
            figures.extend(office.costs(&claims)?);
            figures.push(office.ceilings(&claims, today)?);
        }
        if keeps {
            figures.extend([office.silences(now_ms)?, office.open_matters()?]);
        }
        Ok((figures, office.months(today, MONTHS)?))
    })?;
    let content = html! {
        @for figure in &figures { (section(desk, figure)) }
        (calendar(desk, &months))
    };
    Ok(desk.page(&Leaf { place: Place::Charts, title: desk.say("console.tab.charts"), back: None, content }))
}

fn said(desk: &Desk<'_>, name: &Name) -> String {
    match name {
        Name::Key(key) => desk.say(&format!("console.charts.{key}")),
        Name::Text(text) => widgets::plain(text),
        Name::Of(text, zh, en) => format!("{} {}", widgets::plain(text), desk.lang.words().pick(zh, en)),
        Name::Words(zh, en) => desk.lang.words().pick(zh, en).to_owned(),
    }
}

/// Returns a number with its decimals, as the table has it and the chart writes it.
fn number(unit: Unit, n: i64) -> String {
    match unit {
        Unit::Count => n.to_string(),
        Unit::Fen => Fen(n).to_string(),
        Unit::TenthDays => format!("{}.{}", n.div_euclid(10), n.rem_euclid(10)),
    }
}

fn section(desk: &Desk<'_>, figure: &Figure) -> Markup {
    let title = desk.say(&format!("console.charts.{}", figure.key));
    let empty = figure.bars.iter().flat_map(|(_, pieces)| pieces).all(|piece| *piece == 0);
    html! {
        section id=(figure.key) {
            h2 { (title) }
            p.hint { (desk.say(&format!("console.charts.{}.hint", figure.key))) }
            @if empty { p.none { (desk.say("console.charts.nothing")) } } @else {
                (picture(desk, figure, &title))
                details { summary { (desk.say("console.charts.table")) } (table(desk, figure, &title)) }
            }
        }
    }
}

fn picture(desk: &Desk<'_>, figure: &Figure, title: &str) -> Markup {
    let names: Vec<String> = figure.bars.iter().map(|(name, _)| said(desk, name)).collect();
    let bars: Vec<draw::Bar<'_>> = names
        .iter()
        .zip(&figure.bars)
        .map(|(name, (_, pieces))| draw::Bar {
            name,
            pieces,
            total: number(figure.unit, pieces.iter().copied().fold(0, i64::saturating_add)),
        })
        .collect();
    let told: Vec<String> = bars.iter().map(|bar| format!("{} {}", bar.name, bar.total)).collect();
    let label = format!("{title}: {}", told.join("; "));
    html! {
        figure.chart {
            @if let Some(svg) = draw::bars(&bars, &label) { (PreEscaped(svg)) }
            @if figure.series.len() > 1 {
                figcaption { ul.legend {
                    @for (at, name) in figure.series.iter().enumerate() {
                        li { (swatch(draw::colour(at))) " " (widgets::short(&said(desk, name))) }
                    }
                } }
            }
        }
    }
}

fn swatch((red, green, blue): (u8, u8, u8)) -> Markup {
    html! {
        svg.swatch aria-hidden="true" viewBox="0 0 10 10" {
            rect width="10" height="10" fill=(format!("#{red:02x}{green:02x}{blue:02x}")) {}
        }
    }
}

fn table(desk: &Desk<'_>, figure: &Figure, title: &str) -> Markup {
    let first = Column { title: desk.say("console.charts.what"), number: false };
    let mut columns = vec![first];
    columns.extend(figure.series.iter().map(|name| Column { title: said(desk, name), number: true }));
    let sums = figure.series.len() > 1;
    if sums {
        columns.push(Column { title: desk.say("console.charts.total"), number: true });
    }
    let rows: Vec<Vec<Markup>> = figure
        .bars
        .iter()
        .map(|(name, pieces)| {
            let mut row = vec![widgets::short(&said(desk, name))];
            row.extend(pieces.iter().map(|piece| html! { (number(figure.unit, *piece)) }));
            if sums {
                let total = pieces.iter().copied().fold(0, i64::saturating_add);
                row.push(html! { (number(figure.unit, total)) });
            }
            row
        })
        .collect();
    widgets::table(title, &columns, &rows, "")
}

/// Returns months as finance sees them, with their table.
pub(super) fn calendar(desk: &Desk<'_>, months: &[MonthSeen]) -> Markup {
    let title = desk.say("console.charts.calendar");
    let list = |days: &mut dyn Iterator<Item = Day>| {
        days.map(|day| day.to_string().get(8..).unwrap_or_default().to_owned()).collect::<Vec<_>>().join(" ")
    };
    let named = |month: &MonthSeen| month.month.to_string();
    let label = months.iter().map(|month| {
        let mailings = month.mailings.iter().map(|(cycle, due)| format!("{cycle} {due}"));
        format!("{}: {}", named(month), mailings.collect::<Vec<_>>().join(", "))
    });
    let label = format!("{title}: {}", label.collect::<Vec<_>>().join("; "));
    let columns = ["month", "mailings", "closed", "free"]
        .map(|name| Column { title: desk.say(&format!("console.charts.calendar.{name}")), number: false });
    let rows: Vec<Vec<Markup>> = months
        .iter()
        .map(|month| {
            let free = month.days.iter().filter(|(_, kind)| *kind == DayKind::Holiday).map(|(day, _)| *day);
            vec![
                html! { (named(month)) },
                html! { @for (cycle, due) in &month.mailings { (cycle) ": " (due) " " } },
                html! { (list(&mut month.closed.iter().copied())) },
                html! { (list(&mut free.into_iter())) },
            ]
        })
        .collect();
    html! {
        section id="calendar" {
            h2 { (title) }
            p.hint { (desk.say("console.charts.calendar.hint")) }
            figure.chart {
                @if let Some(svg) = draw::months(months, &label) { (PreEscaped(svg)) }
                figcaption { ul.legend {
                    @for (at, key) in ["work", "free_day", "blackout", "mailing"].into_iter().enumerate() {
                        li { (swatch(draw::day_colour(at))) " " (desk.say(&format!("console.charts.calendar.{key}"))) }
                    }
                } }
            }
            details { summary { (desk.say("console.charts.table")) } (widgets::table(&title, &columns, &rows, "")) }
        }
    }
}

#[cfg(test)]
mod tests;
