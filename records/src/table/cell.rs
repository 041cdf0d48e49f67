//! Texts on their way into a field and into a spreadsheet's cell.

use unicode_normalization::UnicodeNormalization;

use crate::table::decimal::parts;
use crate::value::STRING_BYTES_MAX;

/// What stands before a text that a spreadsheet must not calculate.
pub const QUOTE: char = '\'';

/// Returns whether a spreadsheet would take a text for a formula; any number of [`QUOTE`]s may stand before it.
///
/// A plain number is none, whatever its sign. Excel in East Asia takes the wide signs too.
///
/// ```
/// use records::table::cell::formula;
/// assert!(formula("=1+1") && formula("@cmd") && formula("-2+3") && formula("'=1+1"));
/// assert!(!formula("-2.50") && !formula("3-4") && !formula("'quoted'"));
/// ```
#[must_use]
pub fn formula(text: &str) -> bool {
    let text = text.trim_start_matches(QUOTE);
    let starts = text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    starts && (parts(text).is_err() || text.starts_with('+'))
}

/// Takes off the quote that an export put before a formula.
pub(crate) fn unquoted(text: &str) -> &str {
    match text.strip_prefix(QUOTE) {
        Some(rest) if formula(rest) => rest,
        _ => text,
    }
}

/// Cuts a text to `max` characters and to the bytes that any text may have; an ellipsis says that it was.
pub(crate) fn shortened(text: &str, max: usize) -> String {
    let composed: String = text.nfc().collect();
    if composed.chars().count() <= max && composed.len() <= STRING_BYTES_MAX {
        return composed;
    }
    let room = STRING_BYTES_MAX - '…'.len_utf8();
    let kept =
        composed.char_indices().take(max.saturating_sub(1)).filter(|(at, c)| at + c.len_utf8() <= room);
    kept.map(|(_, c)| c).chain(['…']).collect()
}
