//! What a run measured, written into the page of benchmarks between its marks, so that the prose around it stays.

use std::path::Path;

use crate::step::{self, Failed};

/// The page, from the workspace's folder.
const PAGE: &str = "docs/BENCHMARKS.md";

/// Writes `text` in the place of what stood between the marks of `part`.
///
/// # Errors
/// [`Failed`] where the page cannot be read or written or has no such marks.
pub(crate) fn write(tree: &Path, part: &str, text: &str) -> Result<(), Failed> {
    write_into(&tree.join(PAGE), part, text)
}

/// The same into another page.
///
/// # Errors
/// As [`write()`].
pub(crate) fn write_into(page: &Path, part: &str, text: &str) -> Result<(), Failed> {
    let old = std::fs::read_to_string(page).map_err(|error| said(page, &error.to_string()))?;
    let new = replaced(&old, part, text).ok_or_else(|| said(page, &format!("no marks of `{part}`")))?;
    std::fs::write(page, new).map_err(|error| said(page, &error.to_string()))
}

/// Returns the page with `text` between the marks of `part`; `None` where it has none.
fn replaced(page: &str, part: &str, text: &str) -> Option<String> {
    let (open, close) = (format!("<!-- bench: {part} -->\n"), format!("<!-- end: {part} -->"));
    let (before, rest) = page.split_once(&open)?;
    let (_, after) = rest.split_once(&close)?;
    Some(format!("{before}{open}\n{}\n\n{close}{after}", text.trim()))
}

/// Returns one line: the day, the machine, the versions, and how busy the machine is.
///
/// # Errors
/// [`Failed`] where the machine does not tell; this chore measures on Linux only.
pub(crate) fn machine(tree: &Path) -> Result<String, Failed> {
    let word = |command: &str| step::output(tree, command).map(|text| text.trim().to_owned());
    let read =
        |file: &str| std::fs::read_to_string(file).map_err(|error| said(Path::new(file), &error.to_string()));
    let cpus = read("/proc/cpuinfo")?;
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let load = read("/proc/loadavg")?;
    Ok(format!(
        "{}, {}, {} cores, {}, {}, load {} when it was written.",
        word("date -u +%F")?,
        model.trim_start_matches([' ', '\t', ':']),
        cpus.lines().filter(|line| line.starts_with("processor")).count(),
        word("uname -sr")?,
        word("rustc --version")?,
        load.split(' ').next().unwrap_or_default(),
    ))
}

fn said(file: &Path, what: &str) -> Failed {
    eprintln!("{}: {what}", file.display());
    Failed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prose_around_a_table_stays() {
        let page = "before\n<!-- bench: peers -->\nold\n<!-- end: peers -->\nafter\n";
        let new = replaced(page, "peers", "| new |\n").unwrap();
        assert_eq!(new, "before\n<!-- bench: peers -->\n\n| new |\n\n<!-- end: peers -->\nafter\n");
        assert_eq!(replaced(&new, "peers", "| new |"), Some(new.clone()));
        assert_eq!(replaced(page, "engines", "| new |"), None);
    }
}
