//! Who may take which step on trip summaries, batches, payments, cases, exceptions and alerts.

use std::collections::BTreeMap;

use crate::claim::facts::{Facts, Granted, PaymentFact};
use crate::claim::gaps::{Fault, Gap, Number};
use crate::claim::guard::batch::{Batch, Inside};
use crate::claim::guard::payment::{Payment, PaymentRow};
use crate::claim::guard::trip::Trip;
use crate::claim::guard::{Actor, Given, batch, case, payment, trip};
use crate::claim::view::Claim;
use crate::claim::world::{
    AUDITOR, BRANCH, CASHIER, CENTER, CLAIM_ID, COLLEAGUE, COMPANY, ENGINEER, FINANCE, GM, MANAGER, STRANGER,
    SUPERVISOR, TRIP, VP, actor, audited, day, doc, draft, facts, half, noon, policy_with, submitted,
};
use crate::id::DocId;
use crate::kinds::alert::{ALERT, Finding};
use crate::kinds::approval::Approvals;
use crate::kinds::batch_machine;
use crate::kinds::case::{About, CASE};
use crate::kinds::case_machine;
use crate::kinds::claim::LineVerdict;
use crate::kinds::claim_machine as at;
use crate::kinds::exception::{Ask, EXCEPTION, ExceptionKind};
use crate::kinds::voucher::Category;
use crate::kinds::{payment_machine, trip_machine};
use crate::money::Fen;
use crate::problems::Problem;
use crate::record::Record;
use crate::value::{Ref, Target, Text};

fn word() -> Given {
    Given { reason: "because".to_owned(), ..Given::default() }
}

fn rule(found: Result<(), Problem>) -> &'static str {
    found.map_or_else(|problem| problem.rule, |()| "ok")
}

#[test]
fn a_trip_summary_is_signed_one_level_up() {
    let mut facts = facts("2026-02-02");
    let asked = |staff: DocId, unit: DocId, state, step: &str, by: DocId, facts: &Facts| {
        let trip = Trip { id: TRIP, staff, unit: Some(unit), half: Some(half("2026-01-H2")), state };
        rule(trip::guard(&trip, step, &actor(by), &word(), facts))
    };
    let approve =
        |staff, unit, by, facts: &Facts| asked(staff, unit, trip_machine::SUBMITTED, "approve", by, facts);
    assert_eq!(
        [SUPERVISOR, GM, STRANGER, MANAGER].map(|by| approve(ENGINEER, CENTER, by, &facts)),
        ["ok", "C-05", "C-05", "C-05"]
    );
    assert_eq!([SUPERVISOR, GM].map(|by| approve(SUPERVISOR, CENTER, by, &facts)), ["C-03", "ok"]);
    assert_eq!([GM, MANAGER].map(|by| approve(GM, BRANCH, by, &facts)), ["C-03", "ok"]);
    assert_eq!([MANAGER, VP].map(|by| approve(MANAGER, COMPANY, by, &facts)), ["C-03", "ok"]);
    assert_eq!(asked(ENGINEER, CENTER, trip_machine::DRAFT, "submit", ENGINEER, &facts), "ok");
    assert_eq!(asked(ENGINEER, CENTER, trip_machine::DRAFT, "submit", COLLEAGUE, &facts), "C-12");
    assert_eq!(asked(ENGINEER, CENTER, trip_machine::DRAFT, "approve", SUPERVISOR, &facts), "C-01");
    let reopen = |facts: &Facts| asked(ENGINEER, CENTER, trip_machine::APPROVED, "reopen", SUPERVISOR, facts);
    assert_eq!(reopen(&facts), "ok");
    facts.sent_trips.insert(TRIP);
    assert_eq!(reopen(&facts), "T-01");
}

fn open_batch() -> (Batch, Inside) {
    let claim = Claim { state: at::BATCHED, ..submitted(draft(), "HZ01-T011-2026-0008", "2026-02-01") };
    let batch = Batch {
        id: doc(400),
        no: "HZ-202602-A".to_owned(),
        branch: Some(BRANCH),
        cycle: "2026-02-A".parse().ok(),
        due: Some(day("2026-02-03")),
        state: batch_machine::OPEN,
        claims: vec![(CLAIM_ID, "HZ01-T011-2026-0008".to_owned())],
        explained: BTreeMap::new(),
        dispatched: None,
        waybill: String::new(),
        late_reason: String::new(),
        received: BTreeMap::new(),
    };
    (batch, Inside { claims: [(CLAIM_ID, claim)].into(), ..Inside::default() })
}

#[test]
fn a_batch_is_sealed_whole_and_once_for_each_mailing() {
    let mut facts = facts("2026-02-02");
    let (mut batch, mut inside) = open_batch();
    let seal = |batch: &Batch, inside: &Inside, by, facts: &Facts| {
        rule(batch::guard(batch, "seal", &actor(by), &word(), inside, facts))
    };
    assert_eq!(
        [SUPERVISOR, STRANGER, GM].map(|by| seal(&batch, &inside, by, &facts)),
        ["ok", "C-05", "C-02"]
    );
    let number = |seq| Number { year: 2026, seq };
    inside.faults = vec![(ENGINEER, Gap { fault: Fault::NumberingFault, first: number(7), last: number(7) })];
    assert_eq!(seal(&batch, &inside, SUPERVISOR, &facts), "P-25");
    let loose = Facts { policy: policy_with("manifest.missing = \"warn\""), ..facts.clone() };
    assert_eq!(seal(&batch, &inside, SUPERVISOR, &loose), "ok");
    inside.faults.clear();
    inside.same_cycle = [batch.id, doc(401)].into();
    assert_eq!(seal(&batch, &inside, SUPERVISOR, &facts), "P-13");
    inside.same_cycle = [batch.id].into();
    inside.claims.get_mut(&CLAIM_ID).unwrap().state = at::GM_APPROVED;
    assert_eq!(seal(&batch, &inside, SUPERVISOR, &facts), "T-03");
    inside.claims.clear();
    assert_eq!(seal(&batch, &inside, SUPERVISOR, &facts), "T-03", "a claim that is not here");
    batch.claims.clear();
    assert_eq!(seal(&batch, &inside, SUPERVISOR, &facts), "T-02");
    let (extra, inside) = open_batch();
    let extra = Batch { cycle: None, ..extra };
    assert_eq!(seal(&extra, &inside, SUPERVISOR, &facts), "T-04");
    facts.exceptions.push(Granted {
        kind: ExceptionKind::EXTRA_BATCH,
        staff: None,
        claim: None,
        line: None,
        voucher: None,
        batch: Some(extra.id),
        category: None,
        month: None,
        amount: Fen(0),
    });
    assert_eq!(seal(&extra, &inside, SUPERVISOR, &facts), "ok");
}

#[test]
fn a_batch_goes_off_with_its_waybill_and_is_opened_at_headquarters() {
    let facts = facts("2026-02-06");
    let (batch, mut inside) = open_batch();
    let mut batch = Batch { state: batch_machine::SEALED, ..batch };
    let step = |batch: &Batch, inside: &Inside, name: &str, by| {
        rule(batch::guard(batch, name, &actor(by), &word(), inside, &facts))
    };
    assert_eq!(step(&batch, &inside, "dispatch", SUPERVISOR), "T-05");
    batch.dispatched = Some(day("2026-02-03"));
    batch.waybill = "SF1".to_owned();
    assert_eq!(step(&batch, &inside, "dispatch", SUPERVISOR), "ok");
    batch.dispatched = Some(day("2026-02-04"));
    assert_eq!(step(&batch, &inside, "dispatch", SUPERVISOR), "P-28");
    batch.late_reason = "snow".to_owned();
    assert_eq!(step(&batch, &inside, "dispatch", SUPERVISOR), "ok");
    batch.state = batch_machine::DISPATCHED;
    assert_eq!(step(&batch, &inside, "receive", AUDITOR), "T-06");
    assert_eq!(step(&batch, &inside, "receive_part", AUDITOR), "ok");
    batch.received.insert("HZ01-T011-2026-0008".to_owned(), true);
    assert_eq!(step(&batch, &inside, "receive", AUDITOR), "ok");
    batch.state = batch_machine::AUDITING;
    assert_eq!(step(&batch, &inside, "forward", AUDITOR), "T-07");
    inside.claims.get_mut(&CLAIM_ID).unwrap().state = at::TO_FINANCE;
    assert_eq!(step(&batch, &inside, "forward", AUDITOR), "ok");
}

#[test]
fn a_payment_is_approved_by_a_second_person_and_pays_what_was_audited() {
    let mut facts = facts("2026-02-12");
    facts.authors.insert(doc(500), [FINANCE].into());
    let mut claim = Claim { state: at::FIN_RECEIVED, ..submitted(draft(), "N", "2026-02-01") };
    claim.audit.insert(1, audited(LineVerdict::ADJUSTED, 9_000));
    let row =
        PaymentRow { claim: CLAIM_ID, claim_no: "N".to_owned(), staff: Some(ENGINEER), amount: Fen(9_000) };
    let made = Payment {
        id: doc(500),
        state: payment_machine::DRAFT,
        rows: vec![row.clone()],
        results: BTreeMap::new(),
        approvals: Vec::new(),
    };
    let claims: BTreeMap<DocId, Claim> = [(CLAIM_ID, claim.clone())].into();
    let approve = |payment: &Payment, claims: &BTreeMap<DocId, Claim>, by, facts: &Facts| {
        rule(payment::guard(payment, "approve", &actor(by), &word(), claims, facts))
    };
    assert_eq!(
        [FINANCE, CASHIER, MANAGER, AUDITOR].map(|by| approve(&made, &claims, by, &facts)),
        ["T-10", "ok", "ok", "C-02"]
    );
    let other =
        |row: PaymentRow| approve(&Payment { rows: vec![row], ..made.clone() }, &claims, CASHIER, &facts);
    assert_eq!(other(PaymentRow { amount: Fen(10_000), ..row.clone() }), "T-11");
    assert_eq!(other(PaymentRow { staff: Some(COLLEAGUE), ..row.clone() }), "T-11");
    assert_eq!(other(PaymentRow { claim: doc(9), ..row.clone() }), "T-11");
    assert_eq!(approve(&Payment { rows: Vec::new(), ..made.clone() }, &claims, CASHIER, &facts), "T-08");
    let paid: BTreeMap<DocId, Claim> = [(CLAIM_ID, Claim { state: at::PAID, ..claim })].into();
    assert_eq!(approve(&made, &paid, CASHIER, &facts), "T-11", "it was paid already");
    let elsewhere = PaymentFact { payment: doc(501), state: payment_machine::DRAFT, paid: None };
    facts.payments.insert(CLAIM_ID, vec![elsewhere.clone()]);
    assert_eq!(approve(&made, &claims, CASHIER, &facts), "C-22");
    facts.payments.insert(CLAIM_ID, vec![PaymentFact { paid: Some(false), ..elsewhere }]);
    assert_eq!(approve(&made, &claims, CASHIER, &facts), "ok", "the bank refused the other one");
    let exported = |results: &[(DocId, bool)], step: &str| {
        let payment = Payment {
            state: payment_machine::EXPORTED,
            results: results.iter().copied().collect(),
            ..made.clone()
        };
        rule(payment::guard(&payment, step, &actor(FINANCE), &word(), &claims, &facts))
    };
    assert_eq!([exported(&[], "confirm"), exported(&[], "fail")], ["T-09", "T-09"]);
    assert_eq!(exported(&[(CLAIM_ID, false)], "confirm"), "T-09");
    assert_eq!(exported(&[(CLAIM_ID, false)], "fail"), "ok");
    assert_eq!(exported(&[(CLAIM_ID, true)], "confirm"), "ok");
    let part = Payment { state: payment_machine::PART_FAILED, ..made };
    assert_eq!(payment::paid(&part, CLAIM_ID), Some(false), "what the bank did not name was not paid");
}

fn person<const KIND: u16>(staff: DocId) -> Option<Ref<KIND>> {
    Some(Ref(Target::Doc(staff)))
}

/// A case against the engineer and his supervisor, confirmed on Monday 2 February where it is.
fn case_in(state: u8, claimant: DocId) -> Record {
    let about = About { claimant: person(claimant), supervisor: person(SUPERVISOR), ..About::default() };
    let confirm = Approvals {
        step: Some(Text("confirm".to_owned())),
        by: person(MANAGER),
        at: Some(noon("2026-02-02")),
        ..Approvals::default()
    };
    let mut case = Record::new(doc(600), &CASE).with(&[about]).with(&[confirm]);
    case.state = state;
    case
}

#[test]
fn a_case_is_decided_by_others_and_carried_out_after_the_time_to_appeal() {
    let on = |today: &str, case: &Record, step: &str, by: DocId| {
        rule(case::guard_case(case, step, &actor(by), &word(), &facts(today)))
    };
    let proposed = case_in(case_machine::PROPOSED, ENGINEER);
    assert_eq!(
        [MANAGER, VP, AUDITOR].map(|by| on("2026-02-02", &proposed, "confirm", by)),
        ["ok", "C-08", "C-02"]
    );
    let managers = case_in(case_machine::PROPOSED, MANAGER);
    assert_eq!([MANAGER, VP].map(|by| on("2026-02-02", &managers, "confirm", by)), ["C-03", "ok"]);
    let confirmed = case_in(case_machine::CONFIRMED, ENGINEER);
    assert_eq!(
        [ENGINEER, SUPERVISOR, COLLEAGUE].map(|by| on("2026-02-09", &confirmed, "appeal", by)),
        ["ok", "ok", "C-12"]
    );
    assert_eq!(on("2026-02-10", &confirmed, "appeal", ENGINEER), "T-12");
    assert_eq!(on("2026-02-09", &confirmed, "execute", FINANCE), "T-13");
    assert_eq!(on("2026-02-10", &confirmed, "execute", FINANCE), "ok");
    assert_eq!(on("2026-02-03", &case_in(case_machine::UPHELD, ENGINEER), "execute", FINANCE), "ok");
}

#[test]
fn the_leader_grants_exceptions_and_not_his_own() {
    let asked = |ask: Ask, by: DocId| {
        let record = Record::new(doc(601), &EXCEPTION).with(&[ask]);
        rule(case::guard_exception(&record, "approve", &actor(by), &word(), &facts("2026-02-02")))
    };
    let late = Ask { kind_of: Some(ExceptionKind::LATE_BATCH), asked_by: person(ENGINEER), ..Ask::default() };
    assert_eq!([MANAGER, VP, SUPERVISOR].map(|by| asked(late.clone(), by)), ["ok", "C-08", "C-02"]);
    let own = Ask { asked_by: person(MANAGER), ..late.clone() };
    assert_eq!([MANAGER, VP].map(|by| asked(own.clone(), by)), ["C-03", "ok"]);
    let raise = Ask { kind_of: Some(ExceptionKind::CAP), amount: Some(Fen(2_000)), ..late };
    assert_eq!(asked(raise.clone(), MANAGER), "T-14");
    assert_eq!(asked(Ask { category: Some(Category::PHONE), ..raise }, MANAGER), "ok");
}

#[test]
fn an_alert_is_answered_by_a_reviewer_of_the_unit_or_of_headquarters() {
    let alert =
        Record::new(doc(602), &ALERT).with(&[Finding { staff: person(SUPERVISOR), ..Finding::default() }]);
    let answer = |by: Actor| rule(case::guard_alert(&alert, "explain", &by, &word(), &facts("2026-02-02")));
    let found = [SUPERVISOR, STRANGER, GM, AUDITOR, ENGINEER].map(|by| answer(actor(by)));
    assert_eq!(found, ["C-03", "C-05", "ok", "ok", "C-02"]);
    let silent = Given::default();
    let none = case::guard_alert(&alert, "explain", &actor(GM), &silent, &facts("2026-02-02"));
    assert_eq!(rule(none), "C-11", "it says why");
}

#[test]
fn a_batchs_rows_are_read_in_their_order() {
    use crate::kinds::batch::{BATCH, BatchClaims, BatchNo, Received};
    use crate::value::Count;
    let row = |seq, no: &str, at| BatchClaims {
        claim: person(doc(seq)),
        claim_no: Some(Text(no.to_owned())),
        at: Some(Count(at)),
    };
    let found = |ok| Received { claim_no: Some(Text("B".to_owned())), ok: Some(ok), ..Received::default() };
    let head =
        BatchNo { cycle: Some(Text("2026-02-A".to_owned())), branch: person(BRANCH), ..BatchNo::default() };
    let record = Record::new(doc(400), &BATCH)
        .with(&[head])
        .with(&[row(2, "B", 2), row(1, "A", 1)])
        .with(&[found(false), found(true)]);
    let batch = Batch::of(&record);
    assert_eq!(batch.claims, [(doc(1), "A".to_owned()), (doc(2), "B".to_owned())]);
    assert_eq!((batch.branch, batch.cycle), (Some(BRANCH), "2026-02-A".parse().ok()));
    assert_eq!(batch.received, BTreeMap::from([("B".to_owned(), true)]), "the last word counts");
    assert!(!batch.is_late());
}
