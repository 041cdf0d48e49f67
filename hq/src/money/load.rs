//! A version of the policy and years of the calendar, checked and written into HQ's log, from where devices get them.
//!
//! Source: docs/RULES.md, The policy file and The calendar.

use records::kinds::calendar::{CALENDAR, CalendarDays, Year};
use records::kinds::number;
use records::kinds::policy::PolicyText;
use records::policy::calendar_file::{self, CalendarError};
use records::policy::file::PolicyError;
use records::policy::terms::Policy;
use records::schema::Typed;
use records::table::rows::Row;
use records::time::Day;
use records::value::{Text, Value};
use sync_protocol::op::Write;

use crate::author::{AuthorError, NewOp, On};
use crate::import::{ImportError, Imported};
use crate::intake::desk::Desk;
use crate::store::StoreError;

/// The longest text of a policy: an op holds 16 KiB, its field 12,000 characters.
const POLICY_BYTES_MAX: usize = 12_000;

/// Why a policy or a calendar was not loaded; nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The policy file cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The calendar file cannot be used.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
    /// A version of that name was loaded before; claims name it.
    #[error("version {version} was loaded before")]
    SameVersion {
        /// Its name.
        version: String,
    },
    /// Longer than a record takes.
    #[error("the policy file has {bytes} bytes; at most {POLICY_BYTES_MAX} are taken")]
    TooLong {
        /// How many it has.
        bytes: usize,
    },
    /// Rows of the calendar.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// HQ's log.
    #[error(transparent)]
    Author(#[from] AuthorError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Desk {
    /// Loads a version of the policy that counts from a day on; returns it.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn load_policy(&mut self, text: &str, valid_from: Day, now_ms: u64) -> Result<Policy, LoadError> {
        let policy = Policy::parse(text)?;
        if text.len() > POLICY_BYTES_MAX {
            return Err(LoadError::TooLong { bytes: text.len() });
        }
        if self.terms()?.in_force.version(&policy.version).is_some()
            || self.store.numbered(number::POLICY, &policy.version)?.is_some()
        {
            return Err(LoadError::SameVersion { version: policy.version });
        }
        let row = PolicyText {
            version: Some(Text(policy.version.clone())),
            valid_from: Some(valid_from),
            text: Some(Text(text.to_owned())),
        };
        // Serialising plain data into a growing vector has no way to fail.
        let bytes = postcard::to_allocvec(&row).unwrap_or_default();
        let write = Write { tag: PolicyText::GROUP.tag(), bytes };
        self.write(vec![NewOp { kind: number::POLICY, on: On::Create, writes: vec![write] }], now_ms)?;
        Ok(policy)
    }

    /// Loads the years of a calendar file; a year that was loaded before reads as the file has it from now on.
    ///
    /// Returns the years with days, and what was done with them.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn load_calendar(&mut self, text: &str, now_ms: u64) -> Result<(Vec<i32>, Imported), LoadError> {
        let tables = calendar_file::years(text)?;
        let tables: Vec<_> = tables.into_iter().filter(|(_, days)| !days.is_empty()).collect();
        let years = tables.iter().map(|(year, _)| *year).collect();
        let rows = tables.iter().map(|(year, days)| Ok(row(*year, days)));
        let done = self.import_rows(rows, &CALENDAR, now_ms)?;
        Ok((years, done))
    }
}

/// A year of the calendar as a row of a file would be.
fn row(year: i32, days: &calendar_file::Days) -> Row {
    let name = |name: &String| (!name.is_empty()).then(|| Value::Text(name.clone()));
    let days = days.iter().map(|(day, (off, called))| {
        vec![Some(Value::Int(day.0.into())), name(called), Some(Value::Bool(*off))]
    });
    let year = year.to_string();
    Row {
        line: 0,
        key: records::table::rows::key_of(&CALENDAR, &[&year]),
        ordinal: 0,
        kind: &CALENDAR,
        groups: vec![
            (Year::GROUP.tag(), vec![vec![Some(Value::Text(year))]]),
            (CalendarDays::GROUP.tag(), days.collect()),
        ],
        then: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
