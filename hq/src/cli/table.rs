//! Tables for people: 80 columns, Chinese characters two wide, no frames.

use comfy_table::{ContentArrangement, Table, presets};

/// Returns the table under its titles; the empty text for no rows.
pub(super) fn table(titles: &[String], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(80);
    table.set_header(titles);
    table.add_rows(rows);
    // The table indents each line by the padding of its first column.
    let lines = table.lines();
    lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_stand_below_each_other_in_chinese_too() {
        let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let rows = vec![text(&["李建国", "x"]), text(&["Li", "y"])];
        let drawn = super::table(&text(&["姓名", "设备"]), rows);
        assert_eq!(drawn, "姓名    设备\n李建国  x\nLi      y\n");
        assert_eq!(super::table(&text(&["姓名"]), Vec::new()), "");
    }
}
