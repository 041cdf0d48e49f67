//! A company of any size: people, policy, claims of 8 lines and 12 vouchers each, fifty of each person.

use std::collections::BTreeMap;
use std::error::Error;

use records::claim::facts::{CapRow, Facts, SheetFact, TripFact, Use, VoucherFact};
use records::claim::people::{Person, Unit};
use records::claim::view::{Claim, Line, Submitted, Ticket};
use records::id::{DocId, Epoch, OpId, Replica};
use records::kinds::claim::CostOwner;
use records::kinds::voucher::Category;
use records::kinds::{claim_machine, trip_machine, voucher_machine};
use records::money::Fen;
use records::policy::calendar::Calendar;
use records::policy::cycle::HalfMonth;
use records::policy::terms::Policy;
use records::time::{Day, Ts, Zone};
use records::value::Target;

/// Claims of one person.
pub(crate) const EACH: u64 = 50;
/// Lines of one claim.
pub(crate) const LINES: u32 = 8;
/// The centre of everybody.
const CENTER: DocId = doc(1, 1);
/// What the lines are for, in turn.
const CATEGORIES: [Category; 4] =
    [Category::LODGING, Category::CITY_TRANSPORT, Category::MEAL, Category::COURIER];

const fn doc(series: u32, n: u64) -> DocId {
    DocId(OpId { replica: Replica(0), epoch: Epoch(series), seq: n })
}

/// Returns what is known before the first claim.
pub(crate) fn company() -> Result<Facts, Box<dyn Error>> {
    let mut facts = Facts::new("2026-02-01".parse()?, Policy::parse("")?, Calendar::china());
    facts.people_mut().units.insert(CENTER, Unit { lump_sum: true, ..Unit::default() });
    facts.caps.push(CapRow {
        unit: CENTER,
        category: Category::CITY_TRANSPORT,
        grade: String::new(),
        staff: None,
        amount: Fen(15_000),
        valid_from: "2025-01-01".parse()?,
        valid_to: None,
    });
    Ok(facts)
}

/// Makes the n-th claim and enters what is known with it: its person, trip summary, sheets and voucher keys.
pub(crate) fn claim(n: u64, facts: &mut Facts) -> Result<Claim, Box<dyn Error>> {
    let (staff, id) = (doc(2, n / EACH + 1), doc(3, n + 1));
    let half: HalfMonth = "2026-01-H2".parse()?;
    let trip = doc(4, n / EACH + 1);
    if n.is_multiple_of(EACH) {
        facts.people_mut().staff.insert(staff, Person { unit: Some(CENTER), ..Person::default() });
        let approved = TripFact { staff, half, state: trip_machine::APPROVED, sheets: BTreeMap::new() };
        facts.trips.insert(trip, approved);
        for day in 0..15_u64 {
            let days = [half.first().plus(i32::try_from(day)?)].into();
            let sheet = SheetFact { days, staff: [staff].into(), stands: true };
            facts.sheets.insert(doc(5, n / EACH * 15 + day + 1), sheet);
        }
    }
    let lines: Vec<Line> = (1..=LINES).map(|at| line(n, at, half)).collect::<Result<_, _>>()?;
    let uses = lines.iter().flat_map(|line| line.vouchers.iter().map(|ticket| (line.n, ticket.key.clone())));
    let uses: Vec<(u32, String)> = uses.collect();
    for (line, key) in uses {
        let at = Use { claim: id, no: String::new(), line, staff, arrival: Some(n) };
        facts.taken.entry(key).or_default().push(at);
    }
    for ticket in lines.iter().flat_map(|line| &line.vouchers) {
        let fact = VoucherFact { state: voucher_machine::SUBMITTED, files_here: true, alike: None, qr: None };
        facts.vouchers.extend(ticket.voucher.map(|id| (id, fact)));
    }
    let day: Day = "2026-02-01".parse()?;
    let at = Ts(day.start(Zone::SHANGHAI).0 + i64::try_from(n)?);
    let submission = Submitted {
        rev: 1,
        day,
        at,
        policy_version: String::new(),
        cycle: String::new(),
        claimed_total: Fen(0),
        vouchers: 0,
    };
    Ok(Claim {
        id,
        no: Some(format!("HZ01-T{:04}-2026-{:04}", n / EACH, n % EACH + 1)),
        staff,
        unit: Some(CENTER),
        half: Some(half),
        cost_owner: CostOwner::SERVICE,
        state: claim_machine::SUBMITTED,
        submission: Some(submission),
        lines,
        trips: vec![trip],
        approvals: Vec::new(),
        cuts: Vec::new(),
        line_returns: Vec::new(),
        audit: BTreeMap::new(),
        papers: Vec::new(),
        questions: Vec::new(),
        reasons: BTreeMap::new(),
    })
}

/// Makes a line: every second one has two vouchers, every 97th voucher stood on a claim before.
fn line(claim: u64, n: u32, half: HalfMonth) -> Result<Line, Box<dyn Error>> {
    let serial = claim * u64::from(LINES) + u64::from(n);
    let date = half.first().plus(i32::try_from(serial % 15)?);
    let amount = Fen(i64::try_from(serial % 400)? * 10 + 1_000);
    let ticket = |serial: u64| Ticket {
        voucher: Some(doc(6, serial + 1)),
        amount,
        date: Some(date),
        kind: None,
        key: format!("D:{:020}", if serial.is_multiple_of(97) { serial / 2 } else { serial }),
    };
    let category = CATEGORIES.iter().cycle().nth(usize::try_from(serial % 4)?).copied();
    Ok(Line {
        n,
        category,
        date: Some(date),
        service_month: None,
        from_to: String::new(),
        claimed: if n.is_multiple_of(2) { Fen(amount.0 * 2) } else { amount },
        trip_day: Some(date),
        detail: String::new(),
        no_sheet_reason: String::new(),
        note: String::new(),
        adjusts: None,
        vouchers: (0..=u64::from(n.is_multiple_of(2))).map(|more| ticket(serial * 2 + more)).collect(),
        sheets: vec![Target::Doc(doc(5, claim / EACH * 15 + serial % 15 + 1))],
    })
}
