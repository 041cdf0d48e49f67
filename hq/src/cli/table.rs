//! Tables for people: as wide as the terminal, Chinese characters two wide, no frames.

use comfy_table::{ContentArrangement, Table, presets};

/// Returns the table under its titles; the empty text for no rows.
pub(super) fn table(titles: &[String], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = bare();
    table.set_header(titles);
    table.add_rows(rows);
    lines(&table)
}

/// Returns rows without titles, each column below itself.
pub(super) fn rows(rows: Vec<Vec<String>>) -> String {
    let mut table = bare();
    table.add_rows(rows);
    lines(&table)
}

fn bare() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width(console::Term::stdout().size_checked().map(|(_, columns)| columns)));
    table
}

/// Returns how wide tables are on a terminal of so many columns, or on none: narrower than 40 each word would break,
/// across more than 120 no eye follows a line.
fn width(columns: Option<u16>) -> u16 {
    columns.map_or(80, |columns| columns.clamp(40, 120))
}

fn lines(table: &Table) -> String {
    // The table indents each line by the padding of its first column.
    let lines = table.lines();
    lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn tables_are_as_wide_as_the_terminal_within_limits() {
        let widths = [None, Some(0), Some(100), Some(500)].map(super::width);
        assert_eq!(widths, [80, 40, 100, 120]);
    }

    #[test]
    fn columns_stand_below_each_other_in_chinese_too() {
        let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let rows = vec![text(&["李建国", "x"]), text(&["Li", "y"])];
        let drawn = super::table(&text(&["姓名", "设备"]), rows);
        assert_eq!(drawn, "姓名    设备\n李建国  x\nLi      y\n");
        assert_eq!(super::table(&text(&["姓名"]), Vec::new()), "");
    }
}
