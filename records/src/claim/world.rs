//! A small company for the tests of claims: a branch with one centre, its people, and claims made by hand.

use std::collections::{BTreeMap, BTreeSet};

use crate::claim::facts::{CapRow, Facts, SheetFact, TripFact};
use crate::claim::guard::{Actor, Given, guard};
use crate::claim::people::{People, Person, Unit};
use crate::claim::view::{Approval, Audited, Claim, Cut, Line, Paper, Submitted, Ticket};
use crate::id::{DocId, Epoch, OpId, Replica};
use crate::kinds::claim::{CostOwner, CutReason, LineVerdict, PaperSeen};
use crate::kinds::claim_machine::{self as at, CLAIM};
use crate::kinds::org::OrgKind;
use crate::kinds::staff::Role;
use crate::kinds::trip_machine;
use crate::kinds::voucher::Category;
use crate::money::Fen;
use crate::policy::calendar::Calendar;
use crate::policy::cycle::HalfMonth;
use crate::policy::terms::Policy;
use crate::problems::Problem;
use crate::time::{Day, Ts};
use crate::value::Target;

pub(crate) const fn doc(seq: u64) -> DocId {
    DocId(OpId { replica: Replica(0), epoch: Epoch(1), seq })
}

pub(crate) const COMPANY: DocId = doc(1);
pub(crate) const BRANCH: DocId = doc(2);
pub(crate) const CENTER: DocId = doc(3);
pub(crate) const OTHER_BRANCH: DocId = doc(4);
pub(crate) const OTHER_CENTER: DocId = doc(5);
pub(crate) const ENGINEER: DocId = doc(11);
pub(crate) const COLLEAGUE: DocId = doc(12);
pub(crate) const SUPERVISOR: DocId = doc(13);
pub(crate) const GM: DocId = doc(14);
pub(crate) const AUDITOR: DocId = doc(15);
pub(crate) const MANAGER: DocId = doc(16);
pub(crate) const VP: DocId = doc(17);
pub(crate) const FINANCE: DocId = doc(18);
pub(crate) const CASHIER: DocId = doc(19);
pub(crate) const STRANGER: DocId = doc(20);
pub(crate) const CLAIM_ID: DocId = doc(100);
pub(crate) const TRIP: DocId = doc(200);
pub(crate) const SHEET: DocId = doc(300);

pub(crate) const STAFF: [(DocId, DocId, &[Role]); 10] = [
    (ENGINEER, CENTER, &[Role::ENGINEER]),
    (COLLEAGUE, CENTER, &[Role::ENGINEER]),
    (SUPERVISOR, CENTER, &[Role::SUPERVISOR, Role::ENGINEER]),
    (GM, BRANCH, &[Role::BRANCH_GM]),
    (AUDITOR, COMPANY, &[Role::AUDITOR]),
    (MANAGER, COMPANY, &[Role::CS_MANAGER]),
    (VP, COMPANY, &[Role::SALES_VP]),
    (FINANCE, COMPANY, &[Role::FINANCE]),
    (CASHIER, COMPANY, &[Role::FINANCE]),
    (STRANGER, OTHER_CENTER, &[Role::SUPERVISOR]),
];

pub(crate) fn day(text: &str) -> Day {
    text.parse().unwrap()
}

pub(crate) fn half(text: &str) -> HalfMonth {
    text.parse().unwrap()
}

/// Noon of a day in Shanghai.
pub(crate) fn noon(text: &str) -> Ts {
    Ts(day(text).start(crate::time::Zone::SHANGHAI).0 + 43_200_000)
}

pub(crate) fn policy_with(keys: &str) -> Policy {
    Policy::parse(&format!("version = \"t\"\n{keys}")).unwrap()
}

fn unit(code: &str, kind: OrgKind, parent: Option<DocId>) -> Unit {
    Unit { code: code.to_owned(), kind: Some(kind), parent, ..Unit::default() }
}

pub(crate) fn people() -> People {
    let centre = Unit {
        supervisor: Some(SUPERVISOR),
        lump_sum: true,
        ..unit("HZ01", OrgKind::SERVICE_CENTER, Some(BRANCH))
    };
    let units = [
        (COMPANY, unit("GS", OrgKind::COMPANY, None)),
        (BRANCH, Unit { manager: Some(GM), ..unit("HZ", OrgKind::BRANCH, Some(COMPANY)) }),
        (CENTER, centre),
        (OTHER_BRANCH, unit("SH", OrgKind::BRANCH, Some(COMPANY))),
        (OTHER_CENTER, unit("SH01", OrgKind::SERVICE_CENTER, Some(OTHER_BRANCH))),
    ];
    let person = |(id, unit, roles): (DocId, DocId, &[Role])| {
        let person = Person {
            code: format!("T{:03}", id.0.seq),
            unit: Some(unit),
            grade: String::new(),
            roles: roles.iter().copied().collect(),
        };
        (id, person)
    };
    People { units: units.into(), staff: STAFF.map(person).into(), delegations: Vec::new() }
}

/// What is known on a day in the standard policy, with the engineer's trip of January's second half approved.
pub(crate) fn facts(today: &str) -> Facts {
    let mut facts = Facts::new(day(today), Policy::parse("").unwrap(), Calendar::china());
    facts.people = people().into();
    facts.trips.insert(TRIP, trip(ENGINEER, "2026-01-H2", trip_machine::APPROVED));
    let sheet = SheetFact { days: [day("2026-01-20")].into(), staff: [ENGINEER].into(), stands: true };
    facts.sheets.insert(SHEET, sheet);
    facts
}

pub(crate) fn trip(staff: DocId, of: &str, state: u8) -> TripFact {
    TripFact { staff, half: half(of), state, sheets: BTreeMap::new() }
}

pub(crate) fn cap(category: Category, amount: i64) -> CapRow {
    CapRow {
        unit: BRANCH,
        category,
        grade: String::new(),
        staff: None,
        amount: Fen(amount),
        valid_from: day("2026-01-01"),
        valid_to: None,
    }
}

/// The engineer's draft for January's second half, with a line of 100.00 for lodging that nothing is wrong with.
pub(crate) fn draft() -> Claim {
    Claim {
        id: CLAIM_ID,
        no: None,
        staff: ENGINEER,
        unit: Some(CENTER),
        half: Some(half("2026-01-H2")),
        cost_owner: CostOwner::SERVICE,
        state: at::DRAFT,
        submission: None,
        lines: vec![line(1, Category::LODGING, "2026-01-20", 10_000)],
        trips: vec![TRIP],
        approvals: Vec::new(),
        cuts: Vec::new(),
        line_returns: Vec::new(),
        audit: BTreeMap::new(),
        papers: Vec::new(),
        questions: Vec::new(),
        reasons: BTreeMap::new(),
    }
}

/// A line with one voucher over its amount, on the day of its trip and with its sheet.
pub(crate) fn line(n: u32, category: Category, date: &str, fen: i64) -> Line {
    Line {
        n,
        category: Some(category),
        date: Some(day(date)),
        service_month: None,
        from_to: String::new(),
        claimed: Fen(fen),
        trip_day: Some(day(date)),
        detail: String::new(),
        no_sheet_reason: String::new(),
        note: String::new(),
        adjusts: None,
        vouchers: vec![ticket(1_000 + u64::from(n), fen)],
        sheets: vec![Target::Doc(SHEET)],
    }
}

pub(crate) fn ticket(voucher: u64, fen: i64) -> Ticket {
    Ticket { voucher: Some(doc(voucher)), amount: Fen(fen), date: None, kind: None, key: String::new() }
}

/// The same claim after a submission.
pub(crate) fn submitted(mut claim: Claim, no: &str, on: &str) -> Claim {
    claim.no = Some(no.to_owned());
    claim.state = at::SUBMITTED;
    claim.submission = Some(Submitted {
        rev: claim.submission.map_or(1, |before| before.rev + 1),
        day: day(on),
        at: noon(on),
        policy_version: "2022-06/1".to_owned(),
        cycle: "2026-02-A".to_owned(),
        claimed_total: Fen(claim.lines.iter().map(|line| line.claimed.0).sum()),
        vouchers: 1,
    });
    claim
}

pub(crate) fn approval(step: &str, by: DocId, on: &str) -> Approval {
    Approval {
        step: step.to_owned(),
        by: Some(by),
        on_behalf_of: None,
        rev: 1,
        content: Vec::new(),
        vouchers: None,
        acks: Vec::new(),
        note: String::new(),
        at: noon(on),
    }
}

pub(crate) fn audited(verdict: LineVerdict, payable: i64) -> Audited {
    Audited {
        verdict,
        payable: Fen(payable),
        self_paid: Fen(0),
        reason: String::new(),
        by: Some(AUDITOR),
        at: Ts(0),
    }
}

pub(crate) fn cut(line: u32, to: i64, step: &str, by: DocId) -> Cut {
    Cut {
        line,
        to: Fen(to),
        step: step.to_owned(),
        reason: Some(CutReason::UNREASONABLE),
        note: String::new(),
        by: Some(by),
        at: noon("2026-02-02"),
    }
}

pub(crate) fn scanned(on: &str) -> Paper {
    Paper { seen: PaperSeen::SCANNED, by: Some(AUDITOR), at: noon(on) }
}

pub(crate) fn actor(staff: DocId) -> Actor {
    let roles = STAFF.iter().find(|(id, ..)| *id == staff).map_or(&[][..], |(_, _, roles)| roles);
    Actor::new(staff, roles.iter().copied())
}

/// Everything that could be given with a step.
pub(crate) fn given(claim: &Claim) -> Given {
    Given {
        vouchers: Some(claim.voucher_count()),
        acks: BTreeSet::new(),
        reason: "other: because".to_owned(),
    }
}

/// Takes a step where the rules let him, and writes it down.
pub(crate) fn take(claim: &mut Claim, step: &str, staff: DocId, facts: &Facts) -> Result<(), Problem> {
    let machine_step = CLAIM.step(step).unwrap().1;
    let reason = match machine_step.reason {
        crate::machine::Reason::OneOf(list) => list.options[0].0.to_owned(),
        _ => "because".to_owned(),
    };
    guard(claim, step, &actor(staff), &Given { reason, ..given(claim) }, facts)?;
    write(claim, step, Some(staff), facts);
    Ok(())
}

/// Writes a step down, whoever took it.
pub(crate) fn write(claim: &mut Claim, step: &str, by: Option<DocId>, facts: &Facts) {
    let machine_step = CLAIM.step(step).unwrap().1;
    let row = approval(step, doc(0), &facts.today.to_string());
    let rev = claim.submission.as_ref().map_or(0, |submission| submission.rev);
    let before = claim.approvals.iter().rev().find(|row| row.step.starts_with("from:"));
    let to = match machine_step.back {
        true => before.and_then(|row| row.step[5..].parse().ok()).unwrap_or(machine_step.to),
        false => machine_step.to,
    };
    if step == "freeze" {
        claim.approvals.push(Approval {
            step: format!("from:{}", claim.state),
            by: None,
            rev,
            ..row.clone()
        });
    }
    claim.approvals.push(Approval { by, rev, ..row });
    claim.state = to;
}
