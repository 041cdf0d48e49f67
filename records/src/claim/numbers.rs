//! Claim numbers, written and read by the policy's pattern, such as `{center}-{staff}-{yyyy}-{seq:04}`.
//!
//! Source: docs/RULES.md P-25, Numbers.

use std::fmt::Write;

/// The longest number that a field takes.
const NUMBER_CHARS_MAX: usize = 60;
/// The longest code of a unit or a person in a number.
const CODE_CHARS_MAX: usize = 20;

/// The number of a claim, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClaimNo {
    /// The centre's code; empty where the pattern has no place for it.
    pub center: String,
    /// The staff code.
    pub staff: String,
    /// The year; `None` where the pattern has no place for it.
    pub year: Option<i32>,
    /// The number, from 1.
    pub seq: u32,
}

/// Places of one pattern: more of them could be read in too many ways.
const PLACES_MAX: usize = 4;

/// A part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'p> {
    Text(&'p str),
    Center,
    Staff,
    Year,
    Seq(usize),
}

impl ClaimNo {
    /// Writes it; the counted number has at least as many digits as the pattern says.
    ///
    /// ```
    /// use records::claim::numbers::ClaimNo;
    /// let no = ClaimNo { center: "HZ01".into(), staff: "T006".into(), year: Some(2026), seq: 7 };
    /// let pattern = "{center}-{staff}-{yyyy}-{seq:04}";
    /// assert_eq!(no.text(pattern), "HZ01-T006-2026-0007");
    /// assert_eq!(ClaimNo::parse("HZ01-T006-2026-0007", pattern), Some(no));
    /// ```
    #[must_use]
    pub fn text(&self, pattern: &str) -> String {
        let mut out = String::new();
        for part in parts(pattern) {
            // Writing into a text has no way to fail.
            let _ = match part {
                Part::Text(text) => out.write_str(text),
                Part::Center => out.write_str(&self.center),
                Part::Staff => out.write_str(&self.staff),
                Part::Year => write!(out, "{:04}", self.year.unwrap_or_default()),
                Part::Seq(width) => write!(out, "{:0width$}", self.seq),
            };
        }
        out
    }

    /// Reads one; `None` where it is not of the pattern, or not as [`Self::text`] writes it.
    #[must_use]
    pub fn parse(text: &str, pattern: &str) -> Option<Self> {
        if text.len() > NUMBER_CHARS_MAX {
            return None;
        }
        let parts: Vec<Part<'_>> = parts(pattern).collect();
        if parts.iter().filter(|part| !matches!(part, Part::Text(_))).count() > PLACES_MAX {
            return None;
        }
        let blank = Self { center: String::new(), staff: String::new(), year: None, seq: 0 };
        read(&parts, text, blank).filter(|no| no.seq > 0 && no.text(pattern) == text)
    }
}

fn parts(pattern: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = pattern;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((place, after)) = rest.strip_prefix('{').and_then(|open| open.split_once('}')) {
            rest = after;
            let (name, width) = place.split_once(':').unwrap_or((place, ""));
            return Some(match name {
                "center" => Part::Center,
                "staff" => Part::Staff,
                "yyyy" => Part::Year,
                _ => Part::Seq(width.parse().unwrap_or(1)),
            });
        }
        let end = rest.char_indices().skip(1).find(|(_, c)| *c == '{').map_or(rest.len(), |(at, _)| at);
        let (text, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(Part::Text(text))
    })
}

/// Reads part by part; of a code the shortest reading with which the rest can be read counts.
fn read(parts: &[Part<'_>], text: &str, no: ClaimNo) -> Option<ClaimNo> {
    let Some((part, rest)) = parts.split_first() else {
        return text.is_empty().then_some(no);
    };
    let code = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    let cuts = |takes: fn(char) -> bool, min: usize, max: usize| {
        let long = text.chars().take_while(|c| takes(*c)).count();
        (min..=max.min(long)).filter_map(|at| text.split_at_checked(at))
    };
    match part {
        Part::Text(same) => read(rest, text.strip_prefix(same)?, no),
        Part::Center => cuts(code, 1, CODE_CHARS_MAX)
            .find_map(|(taken, left)| read(rest, left, ClaimNo { center: taken.to_owned(), ..no.clone() })),
        Part::Staff => cuts(code, 1, CODE_CHARS_MAX)
            .find_map(|(taken, left)| read(rest, left, ClaimNo { staff: taken.to_owned(), ..no.clone() })),
        Part::Year => {
            let (year, left) = cuts(|c| c.is_ascii_digit(), 4, 4).next()?;
            read(rest, left, ClaimNo { year: Some(year.parse().ok()?), ..no })
        }
        Part::Seq(width) => cuts(|c| c.is_ascii_digit(), *width, 10)
            .find_map(|(seq, left)| read(rest, left, ClaimNo { seq: seq.parse().ok()?, ..no.clone() })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PATTERN: &str = "{center}-{staff}-{yyyy}-{seq:04}";

    #[test]
    fn a_number_of_another_shape_is_none() {
        let bad = [
            "",
            "HZ01-T006-2026-007",
            "HZ01-T006-2026-00007",
            "HZ01-T006-2026-0000",
            "HZ01-t006-2026-0007",
            "HZ01-T006-26-0007",
            "HZ01-T006-2026-0007 ",
            "HZ01-T006-2026-99999999999",
            "工号-T006-2026-0007",
        ];
        for text in bad {
            assert_eq!(ClaimNo::parse(text, PATTERN), None, "{text}");
        }
        assert_eq!(ClaimNo::parse("HZ01-T006-2026-12345", PATTERN).map(|no| no.seq), Some(12345));
    }

    #[test]
    fn other_patterns_are_read_too() {
        let no = ClaimNo::parse("报销单T006/20260007", "报销单{staff}/{yyyy}{seq:04}").unwrap();
        assert_eq!((no.staff.as_str(), no.year, no.seq, no.center.as_str()), ("T006", Some(2026), 7, ""));
        assert_eq!(ClaimNo::parse("12-T006", "{seq}-{staff}").map(|no| no.seq), Some(12));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn what_is_written_is_read_again(
            center in "[A-Z0-9]{2,6}", staff in "[A-Z0-9]{3,10}", year in 2000..2100_i32, seq in 1..100_000_u32,
        ) {
            let no = ClaimNo { center, staff, year: Some(year), seq };
            prop_assert_eq!(ClaimNo::parse(&no.text(PATTERN), PATTERN), Some(no));
        }

        #[test]
        fn no_text_is_too_strange(text in ".{0,80}", pattern in "[{}a-z:0-9-]{0,40}") {
            let _ = ClaimNo::parse(&text, &pattern);
        }
    }
}
