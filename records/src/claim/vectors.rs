//! Claims worked out by hand against the real calendar.

use std::collections::BTreeSet;

use crate::claim::clocks::{What, clock, clocks};
use crate::claim::facts::{BatchFact, Facts, Granted};
use crate::claim::mailing::{batch_no, excuse, extra_batch_no, going};
use crate::claim::settle::{room_freed, settle, spends};
use crate::claim::system;
use crate::claim::view::Claim;
use crate::claim::world::{
    AUDITOR, BRANCH, CENTER, CLAIM_ID, COLLEAGUE, ENGINEER, FINANCE, GM, MANAGER, SUPERVISOR, VP, approval,
    audited, cap, cut, day, doc, draft, facts, line, policy_with, submitted, ticket,
};
use crate::kinds::batch_machine;
use crate::kinds::claim::LineVerdict;
use crate::kinds::claim_machine as at;
use crate::kinds::exception::ExceptionKind;
use crate::kinds::voucher::Category;
use crate::money::Fen;

fn with_lines(id: u64, no: &str, on: &str, lines: Vec<crate::claim::view::Line>) -> Claim {
    submitted(Claim { id: doc(id), lines, ..draft() }, no, on)
}

fn granted(kind: ExceptionKind) -> Granted {
    Granted {
        kind,
        staff: None,
        claim: None,
        line: None,
        voucher: None,
        batch: None,
        category: None,
        month: None,
        amount: Fen(0),
    }
}

fn totals(claim: &Claim, facts: &Facts) -> (i64, i64, i64) {
    let settled = settle(claim, facts);
    (settled.payable.0, settled.self_paid.0, settled.taken_off.0)
}

#[test]
fn vouchers_decide_what_is_paid() {
    let facts = facts("2026-02-01");
    let check = |tickets: &[i64], expected| {
        let mut claim = draft();
        claim.lines[0].vouchers = tickets.iter().zip(500..).map(|(fen, n)| ticket(n, *fen)).collect();
        assert_eq!(totals(&claim, &facts), expected, "{tickets:?}");
    };
    check(&[6_000, 6_000], (10_000, 0, 0));
    check(&[6_000, 3_000], (9_000, 0, 1_000));
    check(&[], (0, 0, 10_000));
}

#[test]
fn a_rejected_voucher_supports_nothing() {
    let mut facts = facts("2026-02-01");
    let mut claim = draft();
    claim.lines[0].vouchers = vec![ticket(500, 12_000), ticket(501, 9_000)];
    let fact = |state| crate::claim::facts::VoucherFact { state, files_here: true, alike: None, qr: None };
    facts.vouchers.insert(doc(500), fact(crate::kinds::voucher_machine::REJECTED));
    assert_eq!(totals(&claim, &facts), (9_000, 0, 1_000));
}

/// 0007 claims 100.00, 0008 80.00 of a ceiling of 150.00.
#[test]
fn a_ceiling_is_used_up_in_the_order_of_submission() {
    let mut facts = facts("2026-04-05");
    facts.caps.push(cap(Category::CITY_TRANSPORT, 15_000));
    let lines = |fen| vec![line(1, Category::CITY_TRANSPORT, "2026-03-31", fen)];
    let first = with_lines(107, "HZ01-T011-2026-0007", "2026-04-01", lines(10_000));
    let second = with_lines(108, "HZ01-T011-2026-0008", "2026-04-01", lines(8_000));
    let one = settle(&first, &facts);
    assert_eq!(one.payable, Fen(10_000));
    let account = one.lines[0].account.unwrap();
    assert_eq!(account.month.to_string(), "2026-03", "a line of 31 March in April's claim counts in March");
    let mut told = facts.clone();
    spends(&first, &one).into_iter().for_each(|(account, spent)| told.spend(account, spent));
    assert_eq!(totals(&second, &told), (5_000, 3_000, 0));
    let exception = Granted {
        staff: Some(ENGINEER),
        category: Some(Category::CITY_TRANSPORT),
        month: Some(account.month),
        amount: Fen(2_000),
        ..granted(ExceptionKind::CAP)
    };
    told.exceptions.push(exception);
    assert_eq!(totals(&second, &told), (7_000, 1_000, 0));
    // What was not audited yet and comes later takes nothing from the one before it.
    let mut told = facts;
    let two = settle(&second, &told);
    spends(&second, &two).into_iter().for_each(|(account, spent)| told.spend(account, spent));
    assert_eq!(totals(&first, &told), (10_000, 0, 0));
    // Once it was audited, it does, and the auditor is told what its reversal leaves.
    let mut audited_second = second.clone();
    audited_second.audit.insert(1, audited(LineVerdict::OK, 8_000));
    told.spent.clear();
    for claim in [&audited_second, &Claim { audit: audited_second.audit.clone(), ..first.clone() }] {
        let settled = settle(claim, &told);
        spends(claim, &settled).into_iter().for_each(|(account, spent)| told.spend(account, spent));
    }
    assert_eq!(totals(&first, &told), (7_000, 3_000, 0));
    assert_eq!(room_freed(&audited_second, &told), [(account, Fen(8_000))]);
}

#[test]
fn a_phone_bill_counts_in_the_billed_month_and_the_narrowest_ceiling_counts() {
    let mut facts = facts("2026-02-01");
    let mut bill = line(1, Category::PHONE, "2026-01-20", 20_000);
    bill.service_month = "2025-12".parse().ok();
    let claim = Claim { lines: vec![bill], ..draft() };
    facts.caps.push(cap(Category::PHONE, 10_000));
    assert_eq!(totals(&claim, &facts), (20_000, 0, 0), "the ceiling is of January on");
    facts.caps[0].valid_from = day("2025-12-31");
    assert_eq!(totals(&claim, &facts), (10_000, 10_000, 0), "the month of its first day counts whole");
    facts.caps.push(crate::claim::facts::CapRow {
        unit: CENTER,
        amount: Fen(11_000),
        ..facts.caps[0].clone()
    });
    facts.caps.push(crate::claim::facts::CapRow {
        grade: "senior".into(),
        amount: Fen(1),
        ..facts.caps[0].clone()
    });
    assert_eq!(totals(&claim, &facts), (11_000, 9_000, 0), "the centre's goes before the branch's");
    let own =
        crate::claim::facts::CapRow { staff: Some(ENGINEER), amount: Fen(12_000), ..facts.caps[0].clone() };
    facts.caps.push(own);
    assert_eq!(totals(&claim, &facts), (12_000, 8_000, 0));
    facts.people_mut().units.get_mut(&CENTER).unwrap().lump_sum = false;
    assert_eq!(totals(&claim, &facts), (20_000, 0, 0), "only lump-sum centres have ceilings");
}

#[test]
fn ceilings_of_a_unit_and_over_a_year_where_the_policy_says_so() {
    let mut facts = facts("2026-04-05");
    facts.caps.push(cap(Category::CITY_TRANSPORT, 15_000));
    let lines = |date, fen| vec![line(1, Category::CITY_TRANSPORT, date, fen)];
    let colleague =
        Claim { staff: COLLEAGUE, ..with_lines(107, "A", "2026-04-01", lines("2026-03-30", 10_000)) };
    let claim = with_lines(108, "B", "2026-04-01", lines("2026-03-31", 8_000));
    let settled = settle(&colleague, &facts);
    spends(&colleague, &settled).into_iter().for_each(|(account, spent)| facts.spend(account, spent));
    assert_eq!(totals(&claim, &facts), (8_000, 0, 0));
    facts.policy = policy_with("caps.scope = \"per_unit\"");
    assert_eq!(totals(&claim, &facts), (5_000, 3_000, 0));
    facts.policy = policy_with("caps.carry_over = true");
    let large = with_lines(109, "C", "2026-04-02", lines("2026-04-01", 99_000));
    assert_eq!(totals(&large, &facts), (60_000, 39_000, 0), "January to April");
    // What April took of March's room is not there for March any more.
    let settled = settle(&large, &facts);
    spends(&large, &settled).into_iter().for_each(|(account, spent)| {
        facts.spend(account, crate::claim::facts::Spent { audited: true, ..spent });
    });
    assert_eq!(totals(&claim, &facts), (0, 8_000, 0));
}

#[test]
fn cuts_verdicts_and_adjustments_add_up() {
    let facts = facts("2026-02-05");
    let mut claim = submitted(draft(), "HZ01-T011-2026-0001", "2026-02-01");
    claim.cuts.push(cut(1, 8_000, "sup_cut", SUPERVISOR));
    assert_eq!(totals(&claim, &facts), (10_000, 0, 0), "nobody decided on that cut");
    claim.approvals.push(approval("sup_cut", SUPERVISOR, "2026-02-02"));
    assert_eq!(totals(&claim, &facts), (8_000, 0, 2_000));
    for (verdict, payable, expected) in [
        (LineVerdict::OK, 8_000, 8_000),
        (LineVerdict::ADJUSTED, 7_000, 7_000),
        (LineVerdict::OK, 9_000, 8_000),
        (LineVerdict::FALSE_CLAIM, 8_000, 0),
        (LineVerdict::VOID, 8_000, 0),
        (LineVerdict(99), 8_000, 0),
    ] {
        claim.audit.insert(1, audited(verdict, payable));
        assert_eq!(totals(&claim, &facts), (expected, 0, 10_000 - expected), "{verdict:?}");
    }
    let mut back = line(2, Category::LODGING, "2026-01-20", -3_000);
    back.adjusts = Some((doc(77), 1));
    back.vouchers.clear();
    claim.audit.clear();
    claim.lines.push(back);
    assert_eq!(totals(&claim, &facts), (5_000, 0, 2_000));
}

#[test]
fn a_late_batch_pays_nothing_unless_somebody_excuses_it() {
    let mut facts = facts("2026-02-10");
    let mut claim = submitted(draft(), "HZ01-T011-2026-0001", "2026-01-30");
    let mut batch = BatchFact {
        batch: doc(400),
        branch: Some(BRANCH),
        state: batch_machine::DISPATCHED,
        due: Some(day("2026-02-03")),
        dispatched: Some(day("2026-02-03")),
    };
    facts.batch.insert(CLAIM_ID, batch.clone());
    assert_eq!(totals(&claim, &facts), (10_000, 0, 0));
    assert_eq!(excuse(&claim, &batch, &facts), None, "the batch was in time");
    batch.dispatched = Some(day("2026-02-04"));
    facts.batch.insert(CLAIM_ID, batch.clone());
    assert_eq!(totals(&claim, &facts), (0, 0, 10_000));
    let asked = excuse(&claim, &batch, &facts).unwrap();
    assert_eq!((asked.asked_by, asked.caused_by), (ENGINEER, Some(SUPERVISOR)));
    claim.submission.as_mut().unwrap().day = day("2026-02-02");
    assert_eq!(excuse(&claim, &batch, &facts), None, "submitted one working day before");
    facts.exceptions.push(Granted { batch: Some(doc(400)), ..granted(ExceptionKind::LATE_BATCH) });
    assert_eq!(totals(&claim, &facts), (10_000, 0, 0));
    facts.exceptions.clear();
    facts.policy = policy_with("late_batch.action = \"warn\"");
    assert_eq!(totals(&claim, &facts), (10_000, 0, 0));
}

#[test]
fn a_whole_cycle_keeps_its_days() {
    let mut facts = facts("2026-03-20");
    let mut claim = submitted(draft(), "HZ01-T011-2026-0001", "2026-03-16");
    let steps = [
        ("sup_approve", SUPERVISOR, "2026-03-16"),
        ("gm_approve", GM, "2026-03-16"),
        ("receive", AUDITOR, "2026-03-20"),
        ("audit", AUDITOR, "2026-03-25"),
        ("mgr_approve", MANAGER, "2026-03-26"),
        ("accept", FINANCE, "2026-03-26"),
    ];
    claim.approvals = steps.map(|(step, by, on)| approval(step, by, on)).into();
    claim.state = at::FIN_RECEIVED;
    facts.today = day("2026-04-07");
    let due = |what| clock(&claim, what, &facts).and_then(|clock| clock.due);
    assert_eq!(due(What::Audit), Some(day("2026-03-25")));
    assert_eq!(due(What::Manager), Some(day("2026-03-26")));
    assert_eq!(due(What::Finance), Some(day("2026-04-07")), "Qingming is skipped");
    assert_eq!((due(What::Supervisor), due(What::Gm), due(What::Vp)), (None, None, None));
    assert!(clocks(&claim, &facts).iter().all(|clock| !clock.is_late(facts.today)));
    facts.today = day("2026-04-09");
    let finance = clock(&claim, What::Finance, &facts).unwrap();
    assert!(finance.is_late(facts.today));
    assert_eq!(finance.late_days(facts.today, &BTreeSet::new(), &facts.calendar).len(), 2);
}

/// Received on Tuesday 20 January: three working days end on Friday the 23rd.
#[test]
fn a_question_and_a_freeze_stop_the_auditors_clock() {
    let mut facts = facts("2026-01-30");
    let mut claim = submitted(draft(), "HZ01-T011-2026-0001", "2026-01-19");
    claim.state = at::RECEIVED;
    claim.approvals = vec![approval("receive", AUDITOR, "2026-01-20")];
    let due = |claim: &Claim, facts: &Facts| clock(claim, What::Audit, facts).unwrap();
    assert_eq!(due(&claim, &facts).due, Some(day("2026-01-23")));
    claim.approvals.push(approval("ask", AUDITOR, "2026-01-21"));
    claim.approvals.push(approval("answer", SUPERVISOR, "2026-01-23"));
    assert_eq!(due(&claim, &facts).due, Some(day("2026-01-27")), "the 22nd and 23rd do not count");
    // The question stays open: after five working days the clock goes on by itself.
    claim.approvals.pop();
    claim.state = at::INFO_REQUESTED;
    facts.today = day("2026-01-26");
    let open = due(&claim, &facts);
    assert!(open.paused && !open.is_late(facts.today));
    assert_eq!(clock(&claim, What::Answer, &facts).unwrap().due, Some(day("2026-01-28")));
    facts.today = day("2026-02-10");
    let over = due(&claim, &facts);
    assert_eq!((over.due, over.paused), (Some(day("2026-01-30")), false));
    assert!(over.is_late(facts.today));
    facts.policy = policy_with("sla.pause_on_info_request = false");
    assert_eq!(due(&claim, &facts).due, Some(day("2026-01-23")));
    facts.policy = policy_with("");
    claim.approvals.truncate(1);
    claim.approvals.push(approval("freeze", MANAGER, "2026-01-20"));
    claim.approvals.push(approval("unfreeze", MANAGER, "2026-02-05"));
    assert_eq!(due(&claim, &facts).due, Some(day("2026-02-10")));
}

#[test]
fn the_manager_sends_back_and_the_clock_begins_again() {
    let facts = facts("2026-02-02");
    let mut claim = submitted(draft(), "HZ01-T011-2026-0001", "2026-01-19");
    let steps = [
        ("receive", AUDITOR, "2026-01-20"),
        ("audit", AUDITOR, "2026-01-22"),
        ("mgr_back", MANAGER, "2026-01-23"),
    ];
    claim.approvals = steps.map(|(step, by, on)| approval(step, by, on)).into();
    let audit = clock(&claim, What::Audit, &facts).unwrap();
    assert_eq!((audit.started, audit.due, audit.done), (day("2026-01-23"), Some(day("2026-01-28")), None));
    claim.approvals.push(approval("audit", AUDITOR, "2026-01-30"));
    let audit = clock(&claim, What::Audit, &facts).unwrap();
    let late = audit.late_days(facts.today, &BTreeSet::new(), &facts.calendar);
    assert_eq!(late, BTreeSet::from([day("2026-01-29"), day("2026-01-30")]));
    let excused = BTreeSet::from([day("2026-01-30")]);
    assert_eq!(audit.late_days(facts.today, &excused, &facts.calendar).len(), 1);
}

#[test]
fn a_held_claim_opens_with_finance() {
    let mut facts = facts("2026-01-29");
    let mut claim = submitted(draft(), "HZ01-T011-2026-0001", "2026-01-19");
    claim.state = at::HELD_BLACKOUT;
    claim.approvals = vec![approval("hold", AUDITOR, "2026-01-29")];
    assert_eq!(clock(&claim, What::Opening, &facts).unwrap().due, Some(day("2026-02-10")));
    assert_eq!(system::next(&claim, &facts), None);
    facts.today = day("2026-02-10");
    assert_eq!(system::next(&claim, &facts).map(|step| step.step), Some("release"));
}

#[test]
fn the_vice_president_is_asked_above_two_thousand_yuan_of_what_was_claimed() {
    let facts = facts("2026-02-12");
    let check = |claimed: i64, payable: i64, asked: bool| {
        let mut claim = submitted(draft(), "HZ01-T011-2026-0001", "2026-02-01");
        claim.lines[0].claimed = Fen(claimed);
        claim.audit.insert(1, audited(LineVerdict::OK, payable));
        claim.state = at::MGR_APPROVED;
        claim.approvals = vec![approval("mgr_approve", MANAGER, "2026-02-12")];
        let found = system::next(&claim, &facts).map(|step| step.step);
        assert_eq!(found, asked.then_some("vp_ask"), "{claimed}");
        // Where he took the manager's step himself, he is not asked again.
        claim.approvals = vec![approval("mgr_approve", VP, "2026-02-12")];
        assert_eq!(system::next(&claim, &facts), None);
    };
    check(200_000, 200_000, false);
    check(200_001, 200_001, true);
    check(210_000, 190_000, true);
}

#[test]
fn a_claim_goes_with_its_own_mailing_or_the_next() {
    let check = |today: &str, with: &str, by: &str| {
        let facts = facts(today);
        let going = going(&draft(), &facts).unwrap();
        assert_eq!(
            (going.with.cycle.to_string(), going.submit_by),
            (with.to_owned(), Some(day(by))),
            "{today}"
        );
        assert_eq!(going.oldest_line, Some(1));
    };
    check("2026-01-25", "2026-02-A", "2026-02-24");
    check("2026-02-03", "2026-02-A", "2026-02-24");
    check("2026-02-04", "2026-02-B", "2026-02-24");
    check("2026-01-10", "2026-02-A", "2026-02-24");
    assert_eq!(batch_no("HZ", "2026-02-A".parse().unwrap()), "HZ-202602-A");
    assert_eq!(extra_batch_no("HZ", "2026-02".parse().unwrap(), 1), "HZ-202602-S1");
}
