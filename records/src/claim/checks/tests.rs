//! Each rule of a submission, kept and broken.

use crate::claim::checks::{check, in_the_way};
use crate::claim::facts::{Facts, Granted, QrFact, Use, VoucherFact};
use crate::claim::view::Claim;
use crate::claim::world::{
    CLAIM_ID, COLLEAGUE, ENGINEER, OTHER_CENTER, SHEET, TRIP, day, doc, draft, facts, line, policy_with,
    submitted, trip,
};
use crate::kinds::claim::CostOwner;
use crate::kinds::claim_machine as at;
use crate::kinds::exception::ExceptionKind;
use crate::kinds::voucher::Category;
use crate::kinds::{trip_machine, voucher_machine};
use crate::money::Fen;
use crate::value::text::Lang;

/// Returns the rules found; the notices on vouchers that are not here, which nearly every claim of these tests has, are
/// left out.
fn rules(claim: &Claim, facts: &Facts) -> Vec<&'static str> {
    let all = check(claim, facts);
    for problem in &all {
        for lang in [Lang::Zh, Lang::En] {
            let (text, hint) = (problem.text(lang), problem.hint(lang));
            assert!(!text.contains('{') && !hint.contains('{'), "{}: {text} {hint}", problem.rule);
        }
    }
    all.iter()
        .filter(|problem| problem.group != "voucher" || problem.rule != "N6")
        .map(|problem| problem.rule)
        .collect()
}

/// Asks a draft that was changed on 1 February, when the next mailing goes on the 3rd.
fn finds(change: impl FnOnce(&mut Claim), expected: &[&str]) {
    let mut claim = draft();
    change(&mut claim);
    assert_eq!(rules(&claim, &facts("2026-02-01")), expected);
}

/// The same with other facts.
fn finds_with(change: impl FnOnce(&mut Facts), expected: &[&str]) {
    let mut facts = facts("2026-02-01");
    change(&mut facts);
    assert_eq!(rules(&draft(), &facts), expected);
}

fn known(change: impl FnOnce(&mut VoucherFact)) -> VoucherFact {
    let mut fact = VoucherFact { state: voucher_machine::PLACED, files_here: true, alike: None, qr: None };
    change(&mut fact);
    fact
}

#[test]
fn a_claim_in_order_has_nothing_in_its_way() {
    finds(|_| {}, &[]);
    finds(|claim| claim.lines.clear(), &["B1"]);
    finds(|claim| claim.half = None, &["B14"]);
}

#[test]
fn a_line_needs_vouchers() {
    finds(|claim| claim.lines[0].vouchers.clear(), &["B2"]);
    finds(|claim| claim.lines[0].claimed = Fen(12_000), &["R1"]);
    finds(|claim| claim.lines[0].claimed = Fen(9_000), &["N2"]);
    finds_with(
        |facts| drop(facts.vouchers.insert(doc(1_001), known(|fact| fact.files_here = false))),
        &["B10"],
    );
    let qr = Some(QrFact { amount: Fen(1), checksum_ok: false });
    finds_with(|facts| drop(facts.vouchers.insert(doc(1_001), known(|fact| fact.qr = qr))), &["N5"]);
    let alike = Some("7K3M9XQ2".to_owned());
    finds_with(|facts| drop(facts.vouchers.insert(doc(1_001), known(|fact| fact.alike = alike))), &["R2"]);
}

#[test]
fn travel_needs_the_trip_summary_of_its_half_month() {
    finds(|claim| claim.trips.clear(), &["B3"]);
    finds(|claim| claim.lines[0].trip_day = None, &["B11"]);
    finds_with(
        |facts| drop(facts.trips.insert(TRIP, trip(ENGINEER, "2026-01-H1", trip_machine::APPROVED))),
        &["B3"],
    );
    finds_with(
        |facts| drop(facts.trips.insert(TRIP, trip(COLLEAGUE, "2026-01-H2", trip_machine::APPROVED))),
        &["B3"],
    );
    finds_with(
        |facts| drop(facts.trips.insert(TRIP, trip(ENGINEER, "2026-01-H2", trip_machine::DRAFT))),
        &["B3"],
    );
    let submitted = || trip(ENGINEER, "2026-01-H2", trip_machine::SUBMITTED);
    finds_with(|facts| drop(facts.trips.insert(TRIP, submitted())), &["R6"]);
    finds_with(|facts| facts.trips.clear(), &["N6", "B3"]);
    finds_with(|facts| facts.policy = policy_with("attach.trip_summary = \"optional\""), &[]);
    let mut facts = facts("2026-02-01");
    facts.trips.insert(TRIP, submitted());
    let approved = Claim { state: at::GM_APPROVED, ..draft() };
    assert_eq!(rules(&approved, &facts), ["B3"], "before the batch it must be approved");
    let phone =
        Claim { lines: vec![line(1, Category::PHONE, "2026-01-20", 5_000)], trips: Vec::new(), ..draft() };
    assert_eq!(rules(&phone, &facts), [""; 0], "a phone bill is no travel");
}

#[test]
fn work_sheets_stand_behind_travel() {
    finds(|claim| claim.lines[0].sheets.clear(), &["B4"]);
    finds(
        |claim| {
            claim.lines[0].sheets.clear();
            claim.lines[0].no_sheet_reason = "training".to_owned();
        },
        &[],
    );
    finds(|claim| claim.lines[0] = line(1, Category::MEAL, "2026-01-21", 5_000), &["R3"]);
    finds(|claim| claim.lines[0] = line(1, Category::FUEL_TOLL_PARKING, "2026-01-21", 5_000), &[]);
    finds_with(|facts| facts.sheets.get_mut(&SHEET).unwrap().stands = false, &["B4"]);
    finds_with(|facts| facts.sheets.clear(), &["N6"]);
    finds_with(|facts| facts.policy = policy_with("attach.work_sheet = \"optional\""), &[]);
    // The trip's sheets count for a line that names none.
    let mut claim = draft();
    claim.lines[0].sheets.clear();
    let mut facts = facts("2026-02-01");
    let listed = |on: &str| [(day(on), [SHEET].into())].into();
    facts.trips.get_mut(&TRIP).unwrap().sheets = listed("2026-01-20");
    assert_eq!(rules(&claim, &facts), [""; 0]);
    facts.trips.get_mut(&TRIP).unwrap().sheets = listed("2026-01-22");
    assert_eq!(rules(&claim, &facts), ["R3"]);
    facts.trips.get_mut(&TRIP).unwrap().sheets.clear();
    facts.exceptions.push(exception(ExceptionKind::MISSING_SHEET));
    assert_eq!(rules(&claim, &facts), [""; 0]);
}

fn exception(kind: ExceptionKind) -> Granted {
    Granted {
        kind,
        staff: None,
        claim: Some(CLAIM_ID),
        line: Some(1),
        voucher: None,
        batch: None,
        category: None,
        month: None,
        amount: Fen(0),
    }
}

#[test]
fn a_free_day_needs_a_sheet() {
    let courier = |date: &str| Claim {
        lines: vec![crate::claim::view::Line {
            sheets: Vec::new(),
            trip_day: None,
            ..line(1, Category::COURIER, date, 2_000)
        }],
        ..draft()
    };
    let facts = facts("2026-02-01");
    assert_eq!(rules(&courier("2026-01-24"), &facts), ["R4"], "a Saturday");
    assert_eq!(rules(&courier("2026-01-23"), &facts), [""; 0]);
    let mut explained = courier("2026-01-24");
    explained.lines[0].no_sheet_reason = "only on Saturdays".to_owned();
    assert_eq!(rules(&explained, &facts), [""; 0]);
}

#[test]
fn an_old_line_leaves_the_claim_unless_it_is_excused() {
    // The 20th of January could be submitted until the 24th of February.
    let on = |date: &str, change: &dyn Fn(&mut Facts)| {
        let mut facts = facts(date);
        change(&mut facts);
        rules(&draft(), &facts)
    };
    assert_eq!(on("2026-02-24", &|_| {}), [""; 0]);
    assert_eq!(on("2026-02-25", &|_| {}), ["B5"]);
    assert_eq!(
        on("2026-02-25", &|facts| facts.exceptions.push(exception(ExceptionKind::LATE_LINE))),
        [""; 0]
    );
    let voucher =
        Granted { claim: None, line: None, voucher: Some(doc(1_001)), ..exception(ExceptionKind::LATE_LINE) };
    assert_eq!(on("2026-02-25", &|facts| facts.exceptions.push(voucher.clone())), [""; 0]);
    assert_eq!(on("2026-02-25", &|facts| facts.policy = policy_with("age.action = \"warn\"")), ["N7"]);
    let late = submitted(draft(), "HZ01-T011-2026-0001", "2026-02-24");
    assert_eq!(rules(&late, &facts("2026-03-20")), [""; 0], "what was submitted in time does not grow old");
    let mut early = draft();
    early.lines[0] = line(1, Category::LODGING, "2026-01-05", 10_000);
    early.trips.push(doc(201));
    let mut known = facts("2026-02-04");
    known.trips.insert(doc(201), trip(ENGINEER, "2026-01-H1", trip_machine::APPROVED));
    known.sheets.get_mut(&SHEET).unwrap().days.insert(day("2026-01-05"));
    assert_eq!(rules(&early, &known), ["N4"], "until the 5th of February, the next mailing goes on the 24th");
}

#[test]
fn dates_lie_within_the_half_month() {
    finds(|claim| claim.lines[0] = line(1, Category::COURIER, "2026-02-01", 5_000), &["B7"]);
    finds(|claim| claim.lines[0] = line(1, Category::COURIER, "2026-03-02", 5_000), &["B7"]);
    let letter = policy_with("cycle.cutoff = \"before_dispatch_day\"");
    let mut claim = draft();
    claim.lines[0] = line(1, Category::COURIER, "2026-02-02", 5_000);
    let mut facts = facts("2026-02-02");
    assert_eq!(rules(&claim, &facts), ["B7"]);
    facts.policy = letter;
    assert_eq!(rules(&claim, &facts), [""; 0]);
}

#[test]
fn amounts_and_details() {
    finds(|claim| claim.lines[0].claimed = Fen(0), &["B9"]);
    finds(|claim| claim.lines[0].category = None, &["B12"]);
    let apart = |detail: &str, owner| {
        let mut claim = draft();
        claim.cost_owner = owner;
        claim.lines[0] = line(1, Category::NON_SERVICE, "2026-01-20", 5_000);
        claim.lines[0].detail = detail.to_owned();
        rules(&claim, &facts("2026-02-01"))
    };
    assert_eq!(apart("", CostOwner::NON_SERVICE), ["B8"]);
    assert_eq!(apart("客户年会礼品十份。", CostOwner::NON_SERVICE), ["B8"], "nine characters");
    assert_eq!(apart("客户年会礼品共十份。", CostOwner::NON_SERVICE), [""; 0]);
    assert_eq!(apart("客户年会礼品共十份。", CostOwner::SERVICE), ["B13"]);
    finds(
        |claim| {
            let lodging = &mut claim.lines[0];
            lodging.adjusts = Some((doc(9), 1));
            lodging.claimed = Fen(-500);
            lodging.vouchers.clear();
        },
        &[],
    );
    finds(
        |claim| {
            claim.lines[0].adjusts = Some((doc(9), 1));
            claim.lines[0].claimed = Fen(0);
        },
        &["B9"],
    );
}

#[test]
fn the_vice_presidents_limit_is_told() {
    let total = |fen: i64| {
        let mut claim = draft();
        claim.lines = vec![line(1, Category::LODGING, "2026-01-20", fen)];
        rules(&claim, &facts("2026-02-01"))
    };
    assert_eq!(total(190_000), [""; 0]);
    assert_eq!(total(190_001), ["R5"]);
    assert_eq!(total(200_000), ["R5"]);
    assert_eq!(total(200_001), ["N3"]);
}

#[test]
fn a_ceiling_is_told_and_the_scope_blocks() {
    let mut facts = facts("2026-02-01");
    facts.caps.push(crate::claim::world::cap(Category::LODGING, 6_000));
    assert_eq!(rules(&draft(), &facts), ["N1"]);
    facts.policy = policy_with("scope.root = \"HZ\"");
    assert_eq!(rules(&draft(), &facts), ["N1"]);
    let elsewhere = Claim { unit: Some(OTHER_CENTER), ..draft() };
    assert_eq!(rules(&elsewhere, &facts), ["P-02"]);
}

/// A train ticket that stands on two claims.
#[test]
fn of_two_claims_with_one_invoice_the_first_to_arrive_keeps_it() {
    let mut claim = draft();
    claim.lines[0].vouchers[0].key = "T:E123".to_owned();
    let used =
        |claim, no: &str, arrival| Use { claim, no: no.to_owned(), line: 1, staff: COLLEAGUE, arrival };
    let with = |uses: Vec<Use>, policy: &str, claim: &Claim| {
        let mut facts = facts("2026-02-01");
        facts.policy = policy_with(policy);
        facts.taken.insert("T:E123".to_owned(), uses.clone());
        facts.taken.insert("W:x".to_owned(), uses);
        let settled = crate::claim::settle::settle(claim, &facts);
        (rules(claim, &facts), settled.payable.0)
    };
    let other = doc(900);
    assert_eq!(with(vec![used(CLAIM_ID, "", None)], "", &claim), (vec![], 10_000), "its own use is no other");
    assert_eq!(with(vec![used(other, "B", None)], "", &claim), (vec!["B6", "R1"], 0));
    assert_eq!(
        with(vec![used(other, "B", Some(7)), used(CLAIM_ID, "A", Some(8))], "", &claim).0,
        ["B6", "R1"]
    );
    assert_eq!(
        with(vec![used(other, "B", Some(8)), used(CLAIM_ID, "A", Some(7))], "", &claim),
        (vec![], 10_000)
    );
    assert_eq!(with(vec![used(other, "B", None)], "dup.strong = \"reason\"", &claim).0, ["R2", "R1"]);
    let mut weak = claim.clone();
    weak.lines[0].vouchers[0].key = "W:x".to_owned();
    assert_eq!(with(vec![used(other, "B", None)], "", &weak), (vec!["R2"], 10_000), "alike is not the same");
    assert_eq!(with(vec![used(other, "B", None)], "dup.weak = \"block\"", &weak).0, ["B6"]);
    // The same paper twice on one claim counts once.
    let mut twice = claim;
    let mut again = twice.lines[0].clone();
    again.n = 2;
    again.vouchers[0].voucher = Some(doc(5_000));
    twice.lines.push(again);
    assert_eq!(with(vec![], "", &twice), (vec!["B6", "R1"], 10_000));
}

#[test]
fn a_reason_opens_the_way_for_its_rule_and_line_alone() {
    let mut claim = draft();
    claim.lines[0].claimed = Fen(12_000);
    claim.lines.push(line(2, Category::MEAL, "2026-01-21", 5_000));
    let facts = facts("2026-02-01");
    let problems = check(&claim, &facts);
    let way =
        |claim: &Claim| in_the_way(&problems, claim).iter().map(|problem| problem.rule).collect::<Vec<_>>();
    assert_eq!(way(&claim), ["R1", "R3"]);
    claim.reasons.insert(("R1".to_owned(), 1), "lost one".to_owned());
    assert_eq!(way(&claim), ["R3"]);
    claim.reasons.insert(("R3".to_owned(), 1), "another line".to_owned());
    claim.reasons.insert(("R3".to_owned(), 2), " ".to_owned());
    assert_eq!(way(&claim), ["R3"]);
    claim.reasons.insert(("R3".to_owned(), 2), "travelled back".to_owned());
    assert_eq!(way(&claim), [""; 0]);
}
