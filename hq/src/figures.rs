//! How things stand, in numbers: what the charts draw and their tables list.

use std::collections::{BTreeMap, BTreeSet};

use records::claim::ceiling;
use records::claim::facts::Account;
use records::claim::view::{Claim, Line};
use records::id::DocId;
use records::kinds::claim::CLAIM;
use records::kinds::claim_machine as at;
use records::kinds::voucher::Category;
use records::machine::Index;
use records::money::Fen;
use records::policy::calendar::{Calendar, DayKind};
use records::policy::choices::CapScope;
use records::policy::cycle::{Cycle, Letter, Month};
use records::policy::dispatch;
use records::policy::terms::Policy;
use records::time::{Day, Zone};

use crate::intake::desk::Desk;
use crate::lists::{Reader, Sieve};
use crate::store::StoreError;

/// Mailings that are looked back upon.
const CYCLES: usize = 6;
/// Accounts of ceilings that are shown: the fullest.
const ACCOUNTS: usize = 12;
/// So many days back claims are drawn that wait for nobody: seven months of mailings.
const DRAWN_DAYS: i32 = 215;
/// Days after which a claim stands in the next band of age.
const AGES: [i32; 3] = [3, 7, 15];
/// Milliseconds of silence after which a device stands in the next band.
const SILENCES_MS: [u64; 3] = [24 * 3_600_000, 3 * 24 * 3_600_000, 7 * 24 * 3_600_000];

/// What stands beside a bar, or at a colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// A sentence of the console: `console.charts.<it>`.
    Key(&'static str),
    /// The same in every language.
    Text(String),
    /// A text that is the same in every language, and a label in zh-CN and English behind it.
    Of(String, &'static str, &'static str),
    /// A label in zh-CN and English.
    Words(&'static str, &'static str),
}

/// What the numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// So many.
    Count,
    /// Fen.
    Fen,
    /// Tenths of days.
    TenthDays,
}

/// One chart: bars, each made of a piece for each series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Its name in addresses and sentences.
    pub key: &'static str,
    /// What the numbers are.
    pub unit: Unit,
    /// The series.
    pub series: Vec<Name>,
    /// The bars: the name, and a number for each series.
    pub bars: Vec<(Name, Vec<i64>)>,
}

/// A month as finance sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthSeen {
    /// Which.
    pub month: Month,
    /// What each day is.
    pub days: Vec<(Day, DayKind)>,
    /// The days on which finance is closed.
    pub closed: BTreeSet<Day>,
    /// The last days to send a mailing.
    pub mailings: Vec<(Cycle, Day)>,
}

impl Desk {
    /// Returns the claims that somebody may read and the charts draw: those that wait for somebody, and what was changed
    /// in the last months. Of all of them it would take a company with years behind it seconds to draw.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn claims_read(&mut self, reader: &Reader, today: Day) -> Result<Vec<Claim>, StoreError> {
        let since = today.plus(-DRAWN_DAYS);
        let open = (0..=Index::MAX).filter(|state| !waits_for(*state).is_empty()).collect();
        let recent = Sieve { since: Some(since), ..Sieve::default() };
        let older = Sieve { states: open, until: Some(since.plus(-1)), ..Sieve::default() };
        let mut claims = Vec::new();
        for sieve in [recent, older] {
            self.sift(reader, &CLAIM, &sieve, |_, indexed| {
                claims.extend(Claim::of(&indexed.document.record(&CLAIM)));
                Ok::<bool, StoreError>(true)
            })?;
        }
        Ok(claims)
    }

    /// Returns what was spent in the last mailings: by branch, then by category.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn costs(&mut self, claims: &[Claim]) -> Result<[Figure; 2], StoreError> {
        let people = self.people()?;
        let branch = |claim: &Claim| {
            let unit = claim.unit.map(|unit| people.branch(unit));
            unit.and_then(|unit| people.units.get(&unit)).map_or(String::new(), |unit| unit.name.clone())
        };
        let mut by_branch: BTreeMap<(String, String), i64> = BTreeMap::new();
        let mut by_category: BTreeMap<(String, u8), i64> = BTreeMap::new();
        let cycles = last_cycles(claims);
        for claim in claims.iter().filter(|claim| counts(claim.state)) {
            let Some(cycle) = cycle_of(claim).filter(|cycle| cycles.contains(cycle)) else { continue };
            for line in &claim.lines {
                let fen = cost(claim, line).0;
                *by_branch.entry((cycle.clone(), branch(claim))).or_default() += fen;
                if let Some(category) = line.category {
                    *by_category.entry((cycle.clone(), category.0)).or_default() += fen;
                }
            }
        }
        let branches: BTreeSet<&String> = by_branch.keys().map(|(_, branch)| branch).collect();
        let categories: BTreeSet<u8> = by_category.keys().map(|(_, category)| *category).collect();
        let branch_bars = cycles.iter().map(|cycle| {
            let of =
                |branch: &&String| by_branch.get(&(cycle.clone(), (*branch).clone())).copied().unwrap_or(0);
            (Name::Text(cycle.clone()), branches.iter().map(of).collect())
        });
        let category_bars = cycles.iter().map(|cycle| {
            let of = |category: &u8| by_category.get(&(cycle.clone(), *category)).copied().unwrap_or(0);
            (Name::Text(cycle.clone()), categories.iter().map(of).collect())
        });
        Ok([
            Figure {
                key: "branch",
                unit: Unit::Fen,
                series: branches.iter().map(|branch| Name::Text((*branch).clone())).collect(),
                bars: branch_bars.collect(),
            },
            Figure {
                key: "category",
                unit: Unit::Fen,
                series: categories.iter().map(|category| category_name(*category)).collect(),
                bars: category_bars.collect(),
            },
        ])
    }

    /// Returns how far the monthly ceilings of a month are used: the fullest accounts first, used and left.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn ceilings(&mut self, claims: &[Claim], today: Day) -> Result<Figure, StoreError> {
        let people = self.people()?;
        let mut accounts: BTreeMap<(DocId, u8), (i64, i64)> = BTreeMap::new();
        let month = Month::of(today);
        let in_month = |claim: &&Claim| {
            let months =
                claim.lines.iter().flat_map(|line| [line.date.and_then(Month::of), line.service_month]);
            months.flatten().any(|named| Some(named) == month)
        };
        for claim in claims.iter().filter(|claim| counts(claim.state)).filter(in_month) {
            let facts = self.plain_facts(claim, today)?;
            for line in &claim.lines {
                let Some(account) = ceiling::account(claim, line, &facts) else { continue };
                let Some(cap) = ceiling::cap_row(claim, &account, &facts) else { continue };
                if Some(account.month) != month {
                    continue;
                }
                let whose = match facts.policy.caps.scope {
                    CapScope::PerPerson => account.staff,
                    CapScope::PerUnit => claim.unit.unwrap_or(account.staff),
                };
                let Account { category, .. } = account;
                let held = accounts.entry((whose, category.0)).or_default();
                *held = (held.0.saturating_add(cost(claim, line).0), cap.0);
            }
        }
        let mut full: Vec<_> = accounts.into_iter().collect();
        // The fullest first: used · other's ceiling, compared without a division.
        full.sort_by(|(_, (used, cap)), (_, (other, than))| {
            (i128::from(*other) * i128::from(*cap)).cmp(&(i128::from(*used) * i128::from(*than)))
        });
        let name = |whose: DocId, category: u8| {
            let person = people.staff.get(&whose).map(|person| person.name.clone());
            let unit = || people.units.get(&whose).map(|unit| unit.name.clone());
            let (_, zh, en) = Category::CHOICES.option(category).unwrap_or_default();
            Name::Of(person.or_else(unit).unwrap_or_default(), zh, en)
        };
        let bars = full.into_iter().take(ACCOUNTS).map(|((whose, category), (used, cap))| {
            (name(whose, category), vec![used, cap.saturating_sub(used).max(0)])
        });
        let series = vec![Name::Key("used"), Name::Key("left")];
        Ok(Figure { key: "caps", unit: Unit::Fen, series, bars: bars.collect() })
    }

    /// Returns how long devices have been silent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn silences(&mut self, now_ms: u64) -> Result<Figure, StoreError> {
        let mut bands = [0_i64; 5];
        for one in self.watched()?.iter().filter(|one| one.device.standing.takes_part()) {
            let band =
                one.silent_ms(now_ms).map_or(4, |ms| SILENCES_MS.iter().filter(|to| ms >= **to).count());
            if let Some(n) = bands.get_mut(band) {
                *n += 1;
            }
        }
        let names = ["silent.day", "silent.three", "silent.week", "silent.more", "silent.never"];
        Ok(counted("devices", names.into_iter().map(Name::Key).zip(bands)))
    }

    /// Returns what waits for a person: conflicts, what was refused, held back, or lacks its past.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_matters(&mut self) -> Result<Figure, StoreError> {
        let (mut conflicts, mut refused, mut held) = (0_usize, 0_usize, 0_usize);
        for document in self.unsettled_documents()? {
            conflicts += document.conflicts().len();
            refused += document.refused.len();
        }
        for device in self.store.devices(None)? {
            held += self.store.held_back(device.replica)?.len();
        }
        let waiting = self.store.waiting_ops()?.len();
        let names = ["open.conflicts", "open.refused", "open.held", "open.waiting"];
        let counts = [conflicts, refused, held, waiting].map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        Ok(counted("open", names.into_iter().map(Name::Key).zip(counts)))
    }

    /// Returns the months from a day's on, as finance sees them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn months(&mut self, today: Day, n: i32) -> Result<Vec<MonthSeen>, StoreError> {
        let terms = self.terms()?;
        let (policy, calendar) = (terms.in_force.policy(today), &terms.in_force.calendar);
        let Some(first) = Month::of(today) else { return Ok(Vec::new()) };
        Ok((0..n).map(|at| month_seen(first.plus(at), policy, calendar)).collect())
    }
}

/// Returns a month as finance sees it.
#[must_use]
pub fn month_seen(month: Month, policy: &Policy, calendar: &Calendar) -> MonthSeen {
    let days: Vec<Day> = (month.day(1).0..=month.last().0).map(Day).collect();
    let mailing = |letter| {
        let cycle = Cycle { month, letter };
        dispatch::dispatch(cycle, policy, calendar).map(|dispatch| (cycle, dispatch.due))
    };
    MonthSeen {
        month,
        closed: days.iter().copied().filter(|day| policy.blackout.holds(*day)).collect(),
        days: days.into_iter().map(|day| (day, calendar.kind(day))).collect(),
        mailings: [Letter::A, Letter::B].into_iter().filter_map(mailing).collect(),
    }
}

/// Returns a chart of one series of counts.
fn counted(key: &'static str, bars: impl Iterator<Item = (Name, i64)>) -> Figure {
    let bars = bars.map(|(name, n)| (name, vec![n])).collect();
    Figure { key, unit: Unit::Count, series: vec![Name::Key("number")], bars }
}

/// Returns for whom open claims wait, and how long they have.
#[must_use]
pub fn ages(claims: &[Claim], today: Day) -> Figure {
    let steps =
        ["claimant", "supervisor", "branch_gm", "branch", "auditor", "cs_manager", "sales_vp", "finance"];
    let mut bars: Vec<(&'static str, Vec<i64>)> =
        steps.iter().map(|step| (*step, vec![0; AGES.len() + 1])).collect();
    for claim in claims {
        let waits = waits_for(claim.state);
        let days = since(claim).map_or(0, |since| today.0.saturating_sub(since.0));
        let band = AGES.iter().filter(|to| days > **to).count();
        let bar = bars.iter_mut().find(|(step, _)| *step == waits);
        if let Some(n) = bar.and_then(|(_, bar)| bar.get_mut(band)) {
            *n += 1;
        }
    }
    let name = |step: &'static str| match step {
        "claimant" => "waits.claimant",
        "supervisor" => "waits.supervisor",
        "branch_gm" => "waits.branch_gm",
        "branch" => "waits.branch",
        "auditor" => "waits.auditor",
        "cs_manager" => "waits.cs_manager",
        "sales_vp" => "waits.sales_vp",
        _ => "waits.finance",
    };
    Figure {
        key: "ages",
        unit: Unit::Count,
        series: ["age.three", "age.week", "age.half", "age.more"].map(Name::Key).to_vec(),
        bars: bars.into_iter().map(|(step, bar)| (Name::Key(name(step)), bar)).collect(),
    }
}

fn waits_for(state: Index) -> &'static str {
    crate::money::waiting::waits_for(state)
}

fn since(claim: &Claim) -> Option<Day> {
    crate::money::waiting::since(claim).map(|at| at.day(Zone::SHANGHAI))
}

/// Returns how long claims took from their submission to their payment, by mailing, on average.
#[must_use]
pub fn cycle_times(claims: &[Claim]) -> Figure {
    let mut sums: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let paid = |claim: &&Claim| [at::PAID, at::CLOSED].contains(&claim.state);
    for claim in claims.iter().filter(paid) {
        let begun = claim.submission.as_ref().map(|submission| submission.day);
        let Some(((cycle, from), to)) = cycle_of(claim).zip(begun).zip(paid_on(claim)) else { continue };
        let sum = sums.entry(cycle).or_default();
        *sum = (sum.0 + i64::from(to.0.saturating_sub(from.0)), sum.1 + 1);
    }
    let cycles = last_cycles(claims);
    let mean = |cycle: &String| {
        let (days, n) = sums.get(cycle).copied().unwrap_or_default();
        days.saturating_mul(10).checked_div(n).unwrap_or(0)
    };
    Figure {
        key: "time",
        unit: Unit::TenthDays,
        series: vec![Name::Key("mean_days")],
        bars: cycles.iter().map(|cycle| (Name::Text(cycle.clone()), vec![mean(cycle)])).collect(),
    }
}

fn paid_on(claim: &Claim) -> Option<Day> {
    let paid = claim.approvals.iter().rev().find(|approval| approval.step == "pay");
    paid.or(claim.approvals.last()).map(|approval| approval.at.day(Zone::SHANGHAI))
}

/// What was submitted and neither given up nor rejected.
fn counts(state: Index) -> bool {
    ![at::DRAFT, at::RETURNED, at::REJECTED, at::VOID].contains(&state)
}

fn cycle_of(claim: &Claim) -> Option<String> {
    claim.submission.as_ref().map(|submission| submission.cycle.clone()).filter(|cycle| !cycle.is_empty())
}

/// The last mailings that carried something, oldest first.
fn last_cycles(claims: &[Claim]) -> Vec<String> {
    let cycles: BTreeSet<String> = claims.iter().filter_map(cycle_of).collect();
    let skip = cycles.len().saturating_sub(CYCLES);
    cycles.into_iter().skip(skip).collect()
}

/// What a line costs: what the audit leaves of it, before it what is claimed.
fn cost(claim: &Claim, line: &Line) -> Fen {
    claim.audit.get(&line.n).map_or(line.claimed, |audited| audited.payable)
}

fn category_name(category: u8) -> Name {
    let (_, zh, en) = Category::CHOICES.option(category).unwrap_or(("?", "?", "?"));
    Name::Words(zh, en)
}
