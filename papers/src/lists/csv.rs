//! A list as CSV.

use records::table::cell;

use crate::lists::{Cell, List};

/// Returns the file.
pub(crate) fn written(list: &List, mark: bool) -> Vec<u8> {
    let mut out = csv::Writer::from_writer(if mark { "\u{feff}".as_bytes().to_vec() } else { Vec::new() });
    // Memory takes every row, and rows may be of any length.
    let _ = out.write_record(list.heads.iter().map(|head| harmless(head)));
    for row in &list.rows {
        let _ = out.write_record(row.iter().map(text));
    }
    out.into_inner().unwrap_or_default()
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => harmless(text),
        Cell::Money(amount) => amount.to_string(),
        Cell::Day(day) => day.to_string(),
        Cell::Count(n) => n.to_string(),
        Cell::Empty => String::new(),
    }
}

/// Puts a quote before what a spreadsheet would calculate: a seller's name must not call a program.
fn harmless(text: &str) -> String {
    let text: String = text.chars().filter(|c| *c != '\0').collect();
    if cell::formula(&text) { format!("{}{text}", cell::QUOTE) } else { text }
}
