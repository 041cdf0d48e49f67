//! Vouchers into lines: which of them share a line, and what a line takes over from its vouchers.

use std::collections::{BTreeMap, BTreeSet};

use records::claim::checks::is_travel;
use records::id::DocId;
use records::kinds::claim::Lines;
use records::kinds::voucher::Category;
use records::money::Fen;
use records::policy::cycle::Month;
use records::time::Day;
use records::value::{Count, Target, Text};

use crate::notebook::claim::paper::Paper;

/// A line that stands already, as far as vouchers may join it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// As it is written.
    pub line: Lines,
    /// What its vouchers come to.
    pub support: Fen,
    /// Its sheets.
    pub sheets: BTreeSet<Target>,
}

/// A line that vouchers went to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grown {
    /// As it is to be written.
    pub line: Lines,
    /// The vouchers that are new on it.
    pub vouchers: Vec<DocId>,
    /// The sheets that are new on it.
    pub sheets: BTreeSet<Target>,
}

/// What makes vouchers share a line: category, day, sheets; of a phone bill the month.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shared {
    category: Category,
    when: When,
    sheets: BTreeSet<Target>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Day(Day),
    Month(Month),
}

/// Returns whether several small tickets of one day may stand on one line; a hotel bill or a train ticket has its own.
const fn shares(category: Category) -> bool {
    matches!(
        category,
        Category::PHONE | Category::CITY_TRANSPORT | Category::MEAL | Category::FUEL_TOLL_PARKING
    )
}

/// Returns the lines that the vouchers go to, by number; `next` is the first free number.
///
/// A ticket joins a line of its sort, day and work, where that still claims exactly what its vouchers come to: what a
/// person changed stays as he wrote it. `work` holds the sheets of each day, for vouchers that name none.
/// Vouchers without category, day or amount are passed over.
#[must_use]
pub fn gather(
    papers: &[Paper],
    standing: &[Standing],
    work: &BTreeMap<Day, BTreeSet<DocId>>,
    mut next: u32,
) -> BTreeMap<u32, Grown> {
    let mut open: Vec<(Shared, u32)> = standing.iter().filter_map(joinable).collect();
    let mut lines: BTreeMap<u32, Grown> = BTreeMap::new();
    for paper in papers {
        let (Some(category), Some(date), Some(amount)) = (paper.category, paper.date, paper.amount) else {
            continue;
        };
        let shared = Shared {
            category,
            when: when(paper, category, date),
            sheets: sheets(paper, category, date, work),
        };
        let found = open.iter().find(|(other, _)| *other == shared).map(|(_, n)| *n);
        let n = found.unwrap_or(next);
        if found.is_none() {
            next = next.saturating_add(1);
            if shares(category) {
                open.push((shared.clone(), n));
            }
        }
        let grown = lines.entry(n).or_insert_with(|| {
            let old = standing.iter().find(|line| line.line.line == Some(Count(n)));
            let line = old.map_or_else(|| new(n, &shared, paper, date), |old| old.line.clone());
            let sheets = if old.is_some() { BTreeSet::new() } else { shared.sheets.clone() };
            Grown { line, vouchers: Vec::new(), sheets }
        });
        grown.take(paper, amount);
    }
    lines
}

fn joinable(standing: &Standing) -> Option<(Shared, u32)> {
    let line = &standing.line;
    let (category, date, n) = (line.category?, line.date?, line.line?.0);
    let month = line.service_month.as_ref().and_then(|month| month.0.parse().ok());
    let untouched = line.claimed == Some(standing.support) && line.adjusts.is_none();
    let when = match (category, month) {
        (Category::PHONE, Some(month)) => When::Month(month),
        _ => When::Day(date),
    };
    let shared = Shared { category, when, sheets: standing.sheets.clone() };
    (untouched && shares(category)).then_some((shared, n))
}

fn when(paper: &Paper, category: Category, date: Day) -> When {
    match paper.month.or_else(|| Month::of(date)) {
        Some(month) if category == Category::PHONE => When::Month(month),
        _ => When::Day(date),
    }
}

/// What the voucher names, else the work of its day; a phone bill belongs to no work.
fn sheets(
    paper: &Paper,
    category: Category,
    date: Day,
    work: &BTreeMap<Day, BTreeSet<DocId>>,
) -> BTreeSet<Target> {
    if !paper.sheets.is_empty() || matches!(category, Category::PHONE | Category::NON_SERVICE) {
        return paper.sheets.clone();
    }
    work.get(&date).into_iter().flatten().map(|id| Target::Doc(*id)).collect()
}

fn new(n: u32, shared: &Shared, paper: &Paper, date: Day) -> Lines {
    let month = match shared.when {
        When::Month(month) => Some(Text(month.to_string())),
        When::Day(_) => None,
    };
    Lines {
        line: Some(Count(n)),
        category: Some(shared.category),
        date: Some(date),
        service_month: month,
        from_to: said(&paper.place),
        claimed: Some(Fen(0)),
        trip_day: is_travel(shared.category).then_some(date),
        ..Lines::default()
    }
}

fn said<const MAX: u16>(text: &str) -> Option<Text<MAX>> {
    let cut: String = text.trim().chars().take(MAX.into()).collect();
    (!cut.is_empty()).then_some(Text(cut))
}

impl Grown {
    fn take(&mut self, paper: &Paper, amount: Fen) {
        self.vouchers.push(paper.id);
        let claimed = self.line.claimed.unwrap_or_default();
        self.line.claimed = Some(Fen(claimed.0.saturating_add(amount.0)));
        let told = self.line.detail.as_ref().map_or("", |text| text.0.as_str());
        if !paper.note.trim().is_empty() && !told.contains(paper.note.trim()) {
            let divider = if told.is_empty() { "" } else { "；" };
            self.line.detail = said(&format!("{told}{divider}{}", paper.note.trim()));
        }
        // Of a bill that came in parts the earliest day decides how old the line is.
        self.line.date = self.line.date.min(paper.date).or(paper.date);
    }
}

#[cfg(test)]
mod tests {
    use records::kinds::voucher_machine::CAPTURED;

    use super::*;

    fn id(seq: u64) -> DocId {
        format!("7.1.{seq}").parse().unwrap()
    }

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn paper(seq: u64, category: Category, date: &str, fen: i64) -> Paper {
        Paper {
            id: id(seq),
            state: CAPTURED,
            category: Some(category),
            date: Some(day(date)),
            month: None,
            amount: Some(Fen(fen)),
            currency: String::new(),
            kind: None,
            key: String::new(),
            sheets: BTreeSet::new(),
            place: String::new(),
            note: format!("note {seq}"),
            open: Vec::new(),
        }
    }

    fn amounts(lines: &BTreeMap<u32, Grown>) -> Vec<(u32, i64, usize)> {
        let row = |(n, grown): (&u32, &Grown)| (*n, grown.line.claimed.unwrap().0, grown.vouchers.len());
        lines.iter().map(row).collect()
    }

    #[test]
    fn taxis_of_one_day_and_work_share_a_line_and_each_hotel_bill_has_its_own() {
        let taxi = Category::CITY_TRANSPORT;
        let papers = [
            paper(1, taxi, "2026-11-03", 1_200),
            paper(2, taxi, "2026-11-03", 1_500),
            paper(3, taxi, "2026-11-04", 900),
            paper(4, Category::LODGING, "2026-11-04", 30_000),
            paper(5, Category::LODGING, "2026-11-04", 31_000),
        ];
        let lines = gather(&papers, &[], &BTreeMap::new(), 1);
        assert_eq!(amounts(&lines), [(1, 2_700, 2), (2, 900, 1), (3, 30_000, 1), (4, 31_000, 1)]);
        assert_eq!(lines[&1].line.detail, Some(Text("note 1；note 2".to_owned())));
        assert_eq!(lines[&1].line.trip_day, Some(day("2026-11-03")));
        let work = BTreeMap::from([(day("2026-11-03"), BTreeSet::from([id(90)]))]);
        let other = Paper { sheets: BTreeSet::from([Target::Doc(id(91))]), ..papers[1].clone() };
        let lines = gather(&[papers[0].clone(), other], &[], &work, 1);
        assert_eq!(amounts(&lines), [(1, 1_200, 1), (2, 1_500, 1)], "another job's ride stands apart");
        assert_eq!(lines[&1].sheets, BTreeSet::from([Target::Doc(id(90))]));
    }

    #[test]
    fn phone_bills_share_the_billed_month() {
        let bill = |seq, date, month: Option<&str>| Paper {
            month: month.map(|month| month.parse().unwrap()),
            ..paper(seq, Category::PHONE, date, 5_000)
        };
        let papers = [
            bill(1, "2026-11-02", Some("2026-10")),
            bill(2, "2026-11-09", Some("2026-10")),
            bill(3, "2026-11-09", None),
        ];
        let lines = gather(&papers, &[], &BTreeMap::new(), 1);
        assert_eq!(amounts(&lines), [(1, 10_000, 2), (2, 5_000, 1)]);
        assert_eq!(lines[&1].line.service_month, Some(Text("2026-10".to_owned())));
        assert_eq!((lines[&1].line.date, lines[&1].line.trip_day), (Some(day("2026-11-02")), None));
    }

    #[test]
    fn a_later_ticket_joins_its_line_unless_a_person_changed_the_sum() {
        let first = gather(&[paper(1, Category::MEAL, "2026-11-03", 2_000)], &[], &BTreeMap::new(), 1);
        let line = first[&1].line.clone();
        let standing = Standing { line: line.clone(), support: Fen(2_000), sheets: BTreeSet::new() };
        let later = [paper(2, Category::MEAL, "2026-11-03", 500)];
        let joined = gather(&later, std::slice::from_ref(&standing), &BTreeMap::new(), 2);
        assert_eq!(amounts(&joined), [(1, 2_500, 1)]);
        let changed = Standing { line: Lines { claimed: Some(Fen(1_800)), ..line }, ..standing };
        assert_eq!(amounts(&gather(&later, &[changed], &BTreeMap::new(), 2)), [(2, 500, 1)]);
    }
}
