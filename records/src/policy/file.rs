//! A policy file: TOML, held against the standard one key by key.
//!
//! Source: docs/RULES.md, The policy file.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::policy::file_reader::Reader;
use crate::policy::terms::{Policy, STANDARD};

/// Why a policy file cannot be used; nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, {key}: {problem}")]
pub struct PolicyError {
    /// The line of the file, from 1.
    pub line: usize,
    /// The key, such as `cycle.A.dispatch_day`; empty where the file is not TOML.
    pub key: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a key of a policy file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not TOML.
    #[error("{0}")]
    Syntax(String),
    /// No such key.
    #[error("no such key; known here are {known}")]
    UnknownKey {
        /// The keys that there are.
        known: String,
    },
    /// A file with keys must have it.
    #[error("is missing: a file that differs from the standard names its own")]
    NoVersion,
    /// Another type of value.
    #[error("a table is expected")]
    NotATable,
    /// Another type of value.
    #[error("true or false is expected")]
    NotABool,
    /// Another type of value, or longer.
    #[error("a text of {min} to {max} characters is expected")]
    NotAText {
        /// The fewest characters.
        min: usize,
        /// The most.
        max: usize,
    },
    /// Another type of value, or out of range.
    #[error("a whole number from {min} to {max} is expected")]
    NotANumber {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
    },
    /// A word that the key does not take.
    #[error("\"{found}\" is none of {allowed}")]
    NotAWord {
        /// What stands there.
        found: String,
        /// What may.
        allowed: String,
    },
    /// A word that other programs know, and that would have no effect here.
    #[error("\"{found}\" is not carried out by this program: it does {does}")]
    NotCarriedOut {
        /// What stands there.
        found: String,
        /// What may.
        does: &'static str,
    },
    /// Neither a zone that is known nor an offset.
    #[error("Asia/Shanghai or an offset like +08:00 is expected")]
    NotAZone,
    /// One end of the blackout is 0, the other is not.
    #[error("from_dom and to_dom are both 0 or neither")]
    OneEnd,
    /// Finance would never open.
    #[error("no day of the month would stay open")]
    NeverOpen,
    /// Not a currency.
    #[error("three capital letters are expected, like CNY")]
    NotACurrency,
    /// A place that there is not, or one missing that makes numbers differ.
    #[error(
        "{{staff}} and {{seq}} or {{seq:04}} are expected, and {{yyyy}} where numbers begin again each year"
    )]
    NotAPattern,
    /// A mailing would go before its half-month has ended.
    #[error("the mailing would go before its half-month has ended")]
    BeforeItsEnd,
    /// Some half-month would never be sent.
    #[error("one half-month would never be sent")]
    HalfUnsent,
}

/// A key of the policy that a file sets to something else than the standard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The key.
    pub key: String,
    /// What the standard says.
    pub standard: String,
    /// What the file says.
    pub own: String,
}

impl Policy {
    /// Reads a policy file; a key that it leaves out is as in the standard, and the empty file is the standard.
    ///
    /// # Errors
    /// [`PolicyError`] with line and key.
    ///
    /// ```
    /// use records::policy::terms::Policy;
    /// let policy = Policy::parse("version = \"2027/1\"\n[sla]\naudit_wd = 5\n")?;
    /// assert_eq!((policy.sla.audit_wd, policy.sla.manager_wd), (5, 1));
    /// let wrong = Policy::parse("version = \"2027/1\"\n[sla]\naudit_days = 5\n").unwrap_err();
    /// assert_eq!((wrong.line, wrong.key.as_str()), (3, "sla.audit_days"));
    /// # Ok::<(), records::policy::file::PolicyError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let standard = table(STANDARD)?;
        let own = table(text)?;
        Reader { text, own: own.get_ref(), standard: standard.get_ref() }.policy()
    }

    /// Returns the policy where a company has none of its own.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the text is built in, and a test reads it")]
    pub fn standard() -> Self {
        Self::parse("").expect("the built-in policy is whole")
    }

    /// Returns the keys that a policy file sets to something else than the standard, in the order of the alphabet.
    ///
    /// # Errors
    /// As [`Policy::parse`].
    pub fn differences(text: &str) -> Result<Vec<Difference>, PolicyError> {
        let (standard, own) = (table(STANDARD)?, table(text)?);
        let mut found = Vec::new();
        differences(own.get_ref(), standard.get_ref(), "", &mut found);
        Ok(found)
    }
}

fn table(text: &str) -> Result<Spanned<DeTable<'_>>, PolicyError> {
    DeTable::parse(text).map_err(|error| PolicyError {
        line: line(text, error.span().unwrap_or(0..0)),
        key: String::new(),
        problem: Problem::Syntax(error.message().to_owned()),
    })
}

pub(crate) fn line(text: &str, at: Range<usize>) -> usize {
    text.as_bytes().iter().take(at.start).filter(|byte| **byte == b'\n').count() + 1
}

pub(crate) fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn differences(own: &DeTable<'_>, standard: &DeTable<'_>, path: &str, found: &mut Vec<Difference>) {
    for (key, value) in own.iter() {
        let key = key.get_ref().as_ref();
        let path = below(path, key);
        let other = standard.get(key).map(Spanned::get_ref);
        match (value.get_ref(), other) {
            (DeValue::Table(own), Some(DeValue::Table(standard))) => differences(own, standard, &path, found),
            (value, other) => {
                let (own, standard) = (plain(value), other.map(plain).unwrap_or_default());
                if own != standard {
                    found.push(Difference { key: path, standard, own });
                }
            }
        }
    }
}

/// Returns a text, a number or a yes as it is written.
pub(crate) fn plain(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(int) => int.as_str().to_owned(),
        DeValue::Boolean(yes) => yes.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_is_read_whole_and_the_empty_file_is_the_standard() {
        assert_eq!(Policy::parse(STANDARD), Policy::parse(""));
        assert_eq!(Policy::parse("").unwrap().version, "2022-06/1");
        assert_eq!(Policy::differences(STANDARD), Ok(Vec::new()));
    }

    #[test]
    fn a_wrong_key_or_value_is_named_with_its_line() {
        let check = |line: usize, key: &str, text: &str, problem: &str| {
            let error = Policy::parse(&format!("version = \"2027/1\"\n{text}")).unwrap_err();
            assert_eq!((error.line, error.key.as_str()), (line, key), "{text}: {error}");
            assert!(error.problem.to_string().contains(problem), "{text}: {error}");
        };
        check(3, "sla.audit_days", "[sla]\naudit_days = 3", "known here are audit_wd");
        check(3, "cycle.A.hlf", "[cycle]\nA = { hlf = 1 }", "dispatch_day");
        check(2, "sla", "sla = 3", "a table");
        check(3, "sla.audit_wd", "[sla]\naudit_wd = \"3\"", "from 0 to 250");
        check(3, "sla.audit_wd", "[sla]\naudit_wd = -1", "from 0 to 250");
        check(3, "sla.audit_wd", "[sla]\naudit_wd = 99999999999999999999", "from 0 to 250");
        check(3, "vp.threshold_fen", "[vp]\nthreshold_fen = 2000.00", "a whole number");
        check(3, "device.unlock_minutes", "[device]\nunlock_minutes = 0", "from 1 to 1440");
        check(3, "vp.strict", "[vp]\nstrict = \"yes\"", "true or false");
        check(3, "vp.basis", "[vp]\nbasis = \"paid\"", "\"paid\" is none of claimed, audited");
        check(2, "currency", "currency = \"RMB¥\"", "three capital letters");
        check(3, "alert.auditor_to", "[alert]\nauditor_to = \"boss\"", "cs_manager");
        check(
            3,
            "vp.place",
            "[vp]\nplace = \"before_manager\"",
            "not carried out by this program: it does after_manager",
        );
        check(3, "late_batch.action", "[late_batch]\naction = \"roll_over\"", "warn");
        check(2, "calendar", "calendar = \"DE\"", "CN");
        check(2, "timezone", "timezone = \"+09:00\"", "not carried out");
        for pattern in [
            "{staff}-{seq}",
            "{staff}-{yyyy}",
            "{staf}-{yyyy}-{seq}",
            "{staff}-{yyyy}-{seq:x4}",
            "{staff-{seq}",
        ] {
            check(2, "number.pattern", &format!("number.pattern = \"{pattern}\""), "{staff}");
        }
        check(2, "timezone", "timezone = \"+99:00\"", "Asia/Shanghai");
        check(3, "caps.month_basis.phon", "[caps]\nmonth_basis = { phon = \"date\" }", "phone");
        check(3, "caps.month_basis.meal", "[caps]\nmonth_basis = { meal = 1 }", "service_month, date");
        check(3, "caps.month_basis", "[caps]\nmonth_basis = 1", "a table");
        check(4, "", "[sla]\naudit_wd = 3\naudit_wd = 3", "duplicate key");
        check(2, "", "[cycle]  count=2 cutoff=\"half_month\"", "");
    }

    #[test]
    fn terms_that_do_not_hang_together_are_refused() {
        let check = |key: &str, text: &str, problem: Problem| {
            let error = Policy::parse(&format!("version = \"2027/1\"\n{text}")).unwrap_err();
            assert_eq!((error.key.as_str(), error.problem), (key, problem), "{text}");
        };
        check("cycle.B.dispatch_day", "cycle.B.dispatch_day = 15", Problem::BeforeItsEnd);
        check("cycle.A.dispatch_day", "cycle.A.month_offset = 0", Problem::BeforeItsEnd);
        check("cycle.B.half", "cycle.A.half = 1", Problem::HalfUnsent);
        check("cycle.count", "cycle.count = 1", Problem::HalfUnsent);
        check("blackout.from_dom", "blackout.from_dom = 10", Problem::NeverOpen);
        check("blackout.from_dom", "blackout.from_dom = 0", Problem::OneEnd);
    }

    #[test]
    fn a_file_that_sets_a_key_names_its_version() {
        let error = Policy::parse("[sla]\naudit_wd = 5").unwrap_err();
        assert_eq!((error.line, error.key.as_str(), error.problem), (1, "version", Problem::NoVersion));
    }

    #[test]
    fn what_a_file_leaves_out_is_as_in_the_standard_and_what_it_changes_is_listed() {
        let text =
            "version = \"2027/1\"\n[blackout]\nfrom_dom = 28\nto_dom = 9\n[cycle.A]\ndispatch_day = 5\n";
        let (own, standard) = (Policy::parse(text).unwrap(), Policy::parse("").unwrap());
        assert_eq!((own.blackout.from_dom, own.cycle.a.dispatch_day), (28, 5));
        assert_eq!((own.cycle.b, own.sla, own.fine), (standard.cycle.b, standard.sla, standard.fine));
        let changed = Policy::differences(text).unwrap();
        let keys: Vec<(&str, &str, &str)> =
            changed.iter().map(|d| (d.key.as_str(), d.standard.as_str(), d.own.as_str())).collect();
        let expected = [
            ("blackout.from_dom", "29", "28"),
            ("cycle.A.dispatch_day", "3", "5"),
            ("version", "2022-06/1", "2027/1"),
        ];
        assert_eq!(keys, expected);
    }
}
