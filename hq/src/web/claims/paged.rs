//! Long lists in parts: the address's `from` says how many rows came before.

use maud::{Markup, html};
use pages::widgets;

use crate::web::desk::Desk;

/// Rows of a page.
const ROWS: usize = 50;

/// Returns how many rows come before this page.
fn from(desk: &Desk<'_>) -> usize {
    desk.visit.query.get("from").and_then(|from| from.parse().ok()).unwrap_or(0)
}

/// Returns the part of a list that this page shows.
pub(in crate::web) fn part<'l, T>(desk: &Desk<'_>, list: &'l [T]) -> &'l [T] {
    part_after(desk, 0, list)
}

/// Returns the part of a list that this page shows, where `before` rows of other lists stand above it.
pub(in crate::web) fn part_after<'l, T>(desk: &Desk<'_>, before: usize, list: &'l [T]) -> &'l [T] {
    let first = from(desk);
    let within = |row: usize| row.saturating_sub(before).min(list.len());
    list.get(within(first)..within(first.saturating_add(ROWS))).unwrap_or_default()
}

/// Returns the ways to the rows before and to those that come next, where there are any of `n`.
pub(in crate::web) fn more(desk: &Desk<'_>, here: &str, n: usize) -> Markup {
    let (from, all) = (from(desk), if desk.visit.query.get("all").is_some() { "&all=1" } else { "" });
    let next = from.saturating_add(ROWS);
    let way = |from: usize, key: &str| widgets::way(&format!("{here}?from={from}{all}"), &desk.say(key));
    html! {
        @if from > 0 || next < n {
            div.actions {
                @if from > 0 { (way(from.saturating_sub(ROWS), "money.before")) }
                @if next < n { (way(next, "money.more")) }
            }
        }
    }
}
