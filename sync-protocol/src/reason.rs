//! Why HQ refuses an op: stable numbers, so that every device says it in its own language.
//!
//! Source: docs/PROTOCOL.md, Reasons.

use records::problems::Problem;
use records::rules;
use records::value::text::Lang;

/// So much of a fact is told.
const VALUE_CHARS_MAX: usize = 80;

/// Written under a test clock; this HQ is not a test.
pub const TEST_CLOCK: u16 = 1;
/// A kind, a step or a coding that HQ must understand and does not yet.
pub const NEWER: u16 = 2;
/// The document that it names was never created.
pub const NO_DOCUMENT: u16 = 3;
/// The document is of another kind.
pub const OTHER_KIND: u16 = 4;
/// The author may not write on this document.
pub const SCOPE: u16 = 5;
/// Only HQ writes this group, or takes this step.
pub const ONLY_HQ: u16 = 6;
/// Bytes that do not fit the schema.
pub const MALFORMED: u16 = 7;
/// A value outside its field's range.
pub const RANGE: u16 = 8;
/// The document was sealed, and the author knew.
pub const FROZEN: u16 = 9;
/// The author does not hold the role, or the role may not take this step on this document.
pub const ROLE: u16 = 10;
/// The step is not possible from the state that the author saw.
pub const STEP: u16 = 11;
/// The step lacks its reason, colleague or pick.
pub const INCOMPLETE: u16 = 12;
/// The author saw an open conflict and decided over it.
pub const CONFLICT: u16 = 13;
/// Nobody is known as the device's owner.
pub const NO_AUTHOR: u16 = 14;
/// The segment is not signed by the device.
pub const SIGNATURE: u16 = 15;
/// A rule of money stands against it; the text begins with the rule's id, see [`guard_text`].
pub const GUARD: u16 = 16;

/// The device has left as much as one may in a day, or as much of it waits for a person as may: what is refused so stays
/// with the device and is taken another day.
pub const QUOTA: u16 = 17;

/// Returns what a quarantine under [`GUARD`] says: the rule's id, and each fact of its sentence on a line of its own.
///
/// ```
/// use records::problems::Problem;
/// let problem = Problem { rule: "P-03", group: "decision", field: "", facts: vec![("typed", "3".into())] };
/// assert_eq!(sync_protocol::reason::guard_text(&problem), "P-03\ntyped=3");
/// ```
#[must_use]
pub fn guard_text(problem: &Problem) -> String {
    let mut text = problem.rule.to_owned();
    for (name, value) in &problem.facts {
        let value: String = value.chars().filter(|c| !c.is_control()).take(VALUE_CHARS_MAX).collect();
        text.push_str(&format!("\n{name}={value}"));
    }
    text
}

/// Returns the sentence of a quarantine under [`GUARD`] and what to do about it; `None` for a rule of a newer version.
#[must_use]
pub fn guard_sentence(text: &str, lang: Lang) -> Option<(String, String)> {
    let mut lines = text.lines();
    let rule = rules::by_id(lines.next()?)?;
    let facts: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once('=')).collect();
    let filled = |sentence: &str| {
        facts.iter().fold(sentence.to_owned(), |sentence, (name, value)| {
            sentence.replace(&format!("{{{name}}}"), value)
        })
    };
    Some((filled(rule.text(lang)), filled(rule.hint(lang))))
}
