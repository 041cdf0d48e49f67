//! Which version of the policy and which calendar count: the company's own, on top of what the program holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::kinds::calendar::{CalendarDays, Year};
use crate::kinds::policy::PolicyText;
use crate::policy::calendar::Calendar;
use crate::policy::terms::Policy;
use crate::time::Day;

/// The versions of the policy by the day from which each counts, and the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    versions: Vec<(Day, Policy)>,
    standard: Policy,
    /// The built-in calendar with the company's years.
    pub calendar: Arc<Calendar>,
}

impl InForce {
    /// Builds it from the company's documents: of the policies those that were loaded earlier come first.
    ///
    /// A text that this build cannot read is passed over: a newer version's key would else stop every rule.
    ///
    /// ```
    /// use records::policy::in_force::InForce;
    /// let none = InForce::of([], []);
    /// assert_eq!(none.policy("2026-11-22".parse()?).version, "2022-06/1");
    /// # Ok::<(), records::time::TimeError>(())
    /// ```
    #[must_use]
    pub fn of(
        policies: impl IntoIterator<Item = PolicyText>,
        years: impl IntoIterator<Item = (Year, Vec<CalendarDays>)>,
    ) -> Self {
        let read = |row: PolicyText| Some((row.valid_from?, Policy::parse(&row.text?.0).ok()?));
        let mut versions: Vec<(Day, Policy)> = policies.into_iter().filter_map(read).collect();
        versions.sort_by_key(|(day, _)| *day);
        Self { versions, standard: Policy::standard(), calendar: Arc::new(calendar(years)) }
    }

    /// Returns the version in force on a day: of those whose day has come the latest, else the standard.
    #[must_use]
    pub fn policy(&self, day: Day) -> &Policy {
        let come = self.versions.iter().rev().find(|(from, _)| *from <= day);
        come.map_or(&self.standard, |(_, policy)| policy)
    }

    /// Returns the names of all versions, the standard first, with the day from which each counts.
    pub fn versions(&self) -> impl Iterator<Item = (Option<Day>, &str)> {
        let own = self.versions.iter().map(|(day, policy)| (Some(*day), policy.version.as_str()));
        std::iter::once((None, self.standard.version.as_str())).chain(own)
    }

    /// Returns the version of that name; `None` where this company never had it.
    #[must_use]
    pub fn version(&self, name: &str) -> Option<&Policy> {
        let own = self.versions.iter().map(|(_, policy)| policy);
        own.chain([&self.standard]).find(|policy| policy.version == name)
    }

    /// Returns the policy that a claim is judged by: the version that it names, else the one in force on its day.
    ///
    /// Source: docs/RULES.md, The policy file.
    #[must_use]
    pub fn of_claim(&self, named: Option<&str>, submitted: Day) -> &Policy {
        named.and_then(|name| self.version(name)).unwrap_or_else(|| self.policy(submitted))
    }
}

fn calendar(years: impl IntoIterator<Item = (Year, Vec<CalendarDays>)>) -> Calendar {
    let number = |year: &Year| year.year.as_ref()?.0.parse::<i32>().ok();
    let tables: BTreeMap<i32, Vec<CalendarDays>> =
        years.into_iter().filter_map(|(year, days)| Some((number(&year)?, days))).collect();
    let mut calendar = Calendar::china();
    for (year, days) in tables {
        calendar.load_year(year, days.into_iter().filter_map(|row| Some((row.date?, row.off?))));
    }
    calendar
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Text;

    fn version(name: &str, from: &str, rest: &str) -> PolicyText {
        PolicyText {
            version: Some(Text(name.to_owned())),
            valid_from: Some(from.parse().unwrap()),
            text: Some(Text(format!("version = \"{name}\"\n{rest}"))),
        }
    }

    #[test]
    fn of_the_versions_whose_day_has_come_the_latest_day_counts_and_of_one_day_the_last_loaded() {
        let loaded = [
            version("b", "2026-07-01", ""),
            version("a", "2026-01-01", ""),
            version("c", "2026-07-01", ""),
            version("broken", "2026-01-02", "[sla]\naudit_days = 5\n"),
        ];
        let terms = InForce::of(loaded, []);
        let on = |day: &str| terms.policy(day.parse().unwrap()).version.clone();
        assert_eq!(on("2025-12-31"), "2022-06/1");
        assert_eq!(on("2026-01-02"), "a");
        assert_eq!(on("2026-07-01"), "c");
        let judged = |named| terms.of_claim(named, "2026-08-01".parse().unwrap()).version.clone();
        assert_eq!([judged(Some("a")), judged(Some("z")), judged(None)], ["a", "c", "c"]);
    }

    #[test]
    fn a_year_of_the_company_rules_its_days_and_december_before() {
        let day =
            |date: &str, off| CalendarDays { date: Some(date.parse().unwrap()), name: None, off: Some(off) };
        let year = Year { year: Some(Text("2027".to_owned())) };
        let terms = InForce::of([], [(year, vec![day("2026-12-31", true), day("2027-01-02", false)])]);
        let works = |date: &str| terms.calendar.is_working(date.parse().unwrap());
        assert_eq!([works("2026-12-31"), works("2027-01-02"), works("2027-01-03")], [false, true, false]);
        assert!(terms.calendar.missing("2026-12-31".parse().unwrap()).next().is_none());
    }
}
