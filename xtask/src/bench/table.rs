//! The table of goals: what was promised, what was measured, whether it was reached.

use std::fmt;
use std::time::Duration;

/// A measured number beside its goal.
#[derive(Debug)]
pub(crate) struct Goal {
    id: String,
    what: String,
    goal: String,
    measured: String,
    reached: Option<bool>,
}

/// All of them, shown in the order of their numbers.
#[derive(Debug)]
pub(crate) struct Table {
    rows: u64,
    goals: Vec<Goal>,
}

impl Goal {
    fn new(id: &str, what: &str, (measured, most): (u64, u64), shown: impl Fn(u64) -> String) -> Self {
        Self {
            id: id.to_owned(),
            what: what.to_owned(),
            goal: format!("≤ {}", shown(most)),
            measured: shown(measured),
            reached: Some(measured <= most),
        }
    }

    /// Bytes, at most `most`.
    pub(crate) fn bytes(id: &str, what: &str, measured: u64, most: u64) -> Self {
        Self::new(id, what, (measured, most), |bytes| format!("{} B", grouped(bytes)))
    }

    /// A count, at most `most`.
    pub(crate) fn count(id: &str, what: &str, measured: u64, most: u64) -> Self {
        Self::new(id, what, (measured, most), grouped)
    }

    /// Memory in KiB, at most `most`.
    pub(crate) fn kib(id: &str, what: &str, measured: u64, most: u64) -> Self {
        Self::new(id, what, (measured, most), mebi)
    }

    /// Microseconds, at most `most`.
    pub(crate) fn time(id: &str, what: &str, measured: u64, most: Duration) -> Self {
        Self::new(id, what, (measured, micros(most)), millis)
    }

    /// Nanoseconds, at most `most`.
    pub(crate) fn nanos(id: &str, what: &str, measured: u64, most: u64) -> Self {
        Self::new(id, what, (measured, most), |nanos| format!("{} ns", grouped(nanos)))
    }

    /// A share in thousandths, at least `least`.
    pub(crate) fn share(id: &str, what: &str, measured: u64, least: u64) -> Self {
        let shown = |thousandths: u64| format!("{}.{:03}×", thousandths / 1000, thousandths % 1000);
        let goal = format!("≥ {}", shown(least));
        Self { goal, reached: Some(measured >= least), ..Self::new(id, what, (measured, least), shown) }
    }

    /// A share in hundredths, at most `most`.
    pub(crate) fn ratio(id: &str, what: &str, measured: u64, most: u64) -> Self {
        let shown = |hundredths: u64| format!("{}.{:02}×", hundredths / 100, hundredths % 100);
        Self::new(id, what, (measured, most), shown)
    }
}

impl Table {
    /// An empty table of a measurement with so many rows.
    pub(crate) fn new(rows: u64) -> Self {
        Self { rows, goals: Vec::new() }
    }

    /// Returns how many rows were imported: goals that grow with them are scaled.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds a line.
    pub(crate) fn add(&mut self, goal: Goal) {
        println!("{goal}");
        self.goals.push(goal);
    }

    /// Adds a line that has no goal.
    pub(crate) fn tell(&mut self, id: &str, what: &str, measured: &str) {
        self.add(Goal {
            id: id.to_owned(),
            what: what.to_owned(),
            goal: "–".to_owned(),
            measured: measured.to_owned(),
            reached: None,
        });
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reached = match self.reached {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "–",
        };
        let Self { id, what, goal, measured, .. } = self;
        write!(f, "| {id} | {what} | {goal} | {measured} | {reached} |")
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| # | measure | goal | measured | reached |")?;
        writeln!(f, "|---|---|---|---|---|")?;
        // Those of a number stay as they were measured, and those without one come last.
        let number = |goal: &&Goal| goal.id.trim_start_matches('G').parse().unwrap_or(u32::MAX);
        let mut goals: Vec<&Goal> = self.goals.iter().collect();
        goals.sort_by_key(number);
        goals.iter().try_for_each(|goal| writeln!(f, "{goal}"))
    }
}

/// Returns the middle one, of an even number the lower; 0 of none.
pub(crate) fn median(mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    let middle = numbers.len().saturating_sub(1) / 2;
    numbers.get(middle).copied().unwrap_or(0)
}

/// Returns whole microseconds.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Shows microseconds as milliseconds.
pub(crate) fn millis(micros: u64) -> String {
    if micros < 10_000 {
        format!("{}.{:02} ms", micros / 1000, micros % 1000 / 10)
    } else {
        format!("{} ms", grouped(micros / 1000))
    }
}

/// Shows KiB as MiB.
pub(crate) fn mebi(kib: u64) -> String {
    format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024)
}

/// Shows a number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_says_itself_whether_it_was_reached() {
        let line = Goal::bytes("G1", "push", 1_100_001, 1_100_000).to_string();
        assert_eq!(line, "| G1 | push | ≤ 1,100,000 B | 1,100,001 B | **no** |");
        assert!(
            Goal::time("G14", "status", 25_000, Duration::from_millis(25))
                .to_string()
                .ends_with("| 25 ms | yes |")
        );
        assert!(Goal::kib("G13", "status", 12 * 1024 + 512, 12 * 1024).to_string().contains("12.5 MiB"));
        assert!(Goal::ratio("G8", "save", 105, 160).to_string().contains("1.05×"));
        let line = Goal::share("G11", "intake", 83, 200).to_string();
        assert_eq!(line, "| G11 | intake | ≥ 0.200× | 0.083× | **no** |");
        assert!(Goal::share("G11", "intake", 200, 200).to_string().ends_with("yes |"));
    }

    #[test]
    fn goals_stand_in_the_order_of_their_numbers() {
        let mut table = Table::new(0);
        table.tell("–", "import", "1 s");
        for id in ["G14", "G3"] {
            table.add(Goal::count(id, "what", 1, 1));
        }
        let text = table.to_string();
        let ids: Vec<&str> = text.lines().skip(2).filter_map(|line| line.split(' ').nth(1)).collect();
        assert_eq!(ids, ["G3", "G14", "–"]);
    }

    #[test]
    fn a_median_is_one_of_the_numbers() {
        assert_eq!(median(vec![5, 1, 9, 7, 3]), 5);
        assert_eq!(median(vec![4, 2]), 2);
        assert_eq!(median(vec![]), 0);
    }
}
