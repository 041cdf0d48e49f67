//! Tables and lists for people: as wide as the terminal, Chinese characters two wide, money to the right.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

/// How a terminal is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether colours may be used: a terminal, and no `NO_COLOR`.
    pub colour: bool,
    /// How many columns there are.
    pub width: u16,
}

/// What a colour says; never said by the colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// A heading.
    Heading,
    /// Well.
    Good,
    /// Somebody should look.
    Warning,
    /// Something is wrong.
    Bad,
}

impl Style {
    /// Returns the text in its colour, where there are colours.
    #[must_use]
    pub fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Heading => 1,
            Tone::Good => 32,
            Tone::Warning => 33,
            Tone::Bad => 31,
        };
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// What one column is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    title: String,
    right: bool,
}

impl Column {
    /// Returns a column of text.
    #[must_use]
    pub fn left(title: impl Into<String>) -> Self {
        Self { title: title.into(), right: false }
    }

    /// Returns a column of numbers: they stand at the right.
    #[must_use]
    pub fn right(title: impl Into<String>) -> Self {
        Self { title: title.into(), right: true }
    }
}

/// Returns the table, with a line end after each of its lines; the empty text for no rows.
#[must_use]
pub fn table(style: Style, columns: &[Column], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = bare(style);
    table.set_header(columns.iter().map(|column| {
        let cell = Cell::new(&column.title);
        if column.right { cell.set_alignment(CellAlignment::Right) } else { cell }
    }));
    for row in rows {
        table.add_row(row.iter().zip(columns).map(|(text, column)| {
            let cell = Cell::new(text);
            if column.right { cell.set_alignment(CellAlignment::Right) } else { cell }
        }));
    }
    let text = lines(&table);
    match text.split_once('\n') {
        Some((heading, rest)) => format!("{}\n{rest}", style.paint(Tone::Heading, heading)),
        None => text,
    }
}

/// Returns names and what belongs to them, one line each, names in one column.
#[must_use]
pub fn pairs(style: Style, rows: &[(String, String)]) -> String {
    let mut table = bare(style);
    for (name, value) in rows {
        table.add_row([name, value]);
    }
    lines(&table)
}

fn bare(style: Style) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(style.width);
    table
}

fn lines(table: &Table) -> String {
    let mut text = String::new();
    for line in table.lines() {
        // The table indents each line by the padding of its first column.
        let line = line.strip_prefix(' ').unwrap_or(&line);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Style = Style { colour: false, width: 80 };

    #[test]
    fn chinese_is_two_columns_wide_and_amounts_stand_right() {
        let columns = [Column::left("单号"), Column::left("Customer"), Column::right("金额")];
        let rows = [
            vec!["R1".to_owned(), "杭州第一医院".to_owned(), "35.00".to_owned()],
            vec!["R2".to_owned(), "Acme".to_owned(), "1200.00".to_owned()],
        ];
        let text = table(PLAIN, &columns, &rows);
        assert_eq!(
            text,
            "单号  Customer         金额\nR1    杭州第一医院    35.00\nR2    Acme          1200.00\n"
        );
    }

    #[test]
    fn a_long_text_wraps_within_eighty_columns() {
        let long = "维修记录 ".repeat(40);
        let text = table(PLAIN, &[Column::left("a"), Column::left("b")], &[vec!["x".to_owned(), long]]);
        let width = |line: &str| line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>();
        assert!(text.lines().count() > 3);
        assert!(text.lines().all(|line| width(line) <= 80), "{text}");
    }
}
