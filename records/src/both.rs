//! A text that headquarters writes once for readers of both languages, and how each reads his own.

use crate::value::text::Lang;

/// What divides the Chinese half of a line from the English one; nobody types it.
const BETWEEN: &str = " ∕ ";

/// Returns a line in both languages.
///
/// ```
/// use records::both::{both, said};
/// use records::value::text::Lang;
/// let text = both("金额为整数", "the amounts are round") + "\nseen by hand";
/// assert_eq!(said(&text, Lang::En), "the amounts are round\nseen by hand");
/// assert_eq!(said(&text, Lang::Zh), "金额为整数\nseen by hand");
/// ```
#[must_use]
pub fn both(zh: &str, en: &str) -> String {
    format!("{}{BETWEEN}{}", zh.replace(BETWEEN, " / "), en.replace(BETWEEN, " / "))
}

/// Returns what a reader of one language reads of a text: of each line his half, and the whole of a line that has none.
#[must_use]
pub fn said(text: &str, lang: Lang) -> String {
    let own = |line: &str| match (line.split_once(BETWEEN), lang) {
        (Some((zh, _)), Lang::Zh | Lang::ZhTw) => zh.to_owned(),
        (Some((_, en)), Lang::En) => en.to_owned(),
        (None, _) => line.to_owned(),
    };
    text.lines().map(own).collect::<Vec<_>>().join("\n")
}
