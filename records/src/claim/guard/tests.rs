//! Who may take which step, and who may not.

use std::collections::BTreeSet;

use crate::claim::facts::{Facts, PaymentFact};
use crate::claim::guard::{Actor, Given, guard};
use crate::claim::people::Delegation;
use crate::claim::system;
use crate::claim::view::Claim;
use crate::claim::world::{
    AUDITOR, BRANCH, CENTER, CLAIM_ID, COLLEAGUE, COMPANY, ENGINEER, FINANCE, GM, MANAGER, STAFF, STRANGER,
    SUPERVISOR, TRIP, VP, actor, approval, audited, cut, day, doc, draft, facts, given, policy_with, scanned,
    submitted, trip,
};
use crate::id::DocId;
use crate::kinds::claim::LineVerdict;
use crate::kinds::claim_machine::{self as at, CLAIM};
use crate::kinds::staff::Role;
use crate::kinds::{payment_machine, trip_machine};
use crate::machine::Reason;
use crate::money::Fen;

fn waiting() -> Claim {
    submitted(draft(), "HZ01-T011-2026-0001", "2026-02-01")
}

fn in_state(state: u8) -> Claim {
    Claim { state, ..waiting() }
}

/// Returns the rule that refuses; `ok` where none does.
fn refused(claim: &Claim, step: &str, staff: DocId, facts: &Facts) -> &'static str {
    by(claim, step, &actor(staff), facts)
}

fn by(claim: &Claim, step: &str, actor: &Actor, facts: &Facts) -> &'static str {
    with(claim, step, actor, &Given { reason: reason_of(step), ..given(claim) }, facts)
}

fn with(claim: &Claim, step: &str, actor: &Actor, given: &Given, facts: &Facts) -> &'static str {
    guard(claim, step, actor, given, facts).map_or_else(|problem| problem.rule, |()| "ok")
}

fn reason_of(step: &str) -> String {
    match CLAIM.step(step).map(|(_, step)| step.reason) {
        Some(Reason::OneOf(list)) => list.options[0].0.to_owned(),
        _ => "because".to_owned(),
    }
}

#[test]
fn the_supervisor_counts_the_vouchers() {
    let facts = facts("2026-02-02");
    let claim = waiting();
    let counted = |vouchers| {
        with(&claim, "sup_approve", &actor(SUPERVISOR), &Given { vouchers, ..Given::default() }, &facts)
    };
    assert_eq!([counted(None), counted(Some(2)), counted(Some(1))], ["P-03", "P-03", "ok"]);
    let mut free = facts.clone();
    free.policy = policy_with("review.sup.count_required = false");
    let given = Given { vouchers: None, ..Given::default() };
    assert_eq!(with(&claim, "sup_approve", &actor(SUPERVISOR), &given, &free), "ok");
    // A number that is given is looked at, whoever gives it.
    let approved = in_state(at::SUP_APPROVED);
    let given = Given { vouchers: Some(9), ..Given::default() };
    assert_eq!(with(&approved, "gm_approve", &actor(GM), &given, &facts), "P-03");
}

#[test]
fn each_anomaly_is_acknowledged() {
    let mut facts = facts("2026-02-02");
    facts.alerts.insert(CLAIM_ID, ["A3".to_owned(), "A7".to_owned()].into());
    let claim = waiting();
    let acked = |acks: &[&str]| {
        let acks = acks.iter().map(|ack| (*ack).to_owned()).collect();
        with(&claim, "sup_approve", &actor(SUPERVISOR), &Given { acks, ..given(&claim) }, &facts)
    };
    assert_eq!([acked(&[]), acked(&["A3"]), acked(&["A3", "A7"])], ["C-07", "C-07", "ok"]);
    assert_eq!(refused(&claim, "sup_return", SUPERVISOR, &facts), "ok", "sending back needs no word on them");
}

#[test]
fn each_looks_after_his_own_unit() {
    let facts = facts("2026-02-02");
    assert_eq!(refused(&waiting(), "sup_approve", STRANGER, &facts), "C-05");
    assert_eq!(refused(&waiting(), "sup_approve", GM, &facts), "C-02");
    assert_eq!(refused(&waiting(), "void", STRANGER, &facts), "C-05");
    assert_eq!(refused(&waiting(), "void", COLLEAGUE, &facts), "C-05");
    assert_eq!(refused(&in_state(at::INFO_REQUESTED), "answer", COLLEAGUE, &facts), "C-05");
    assert_eq!(refused(&in_state(at::INFO_REQUESTED), "answer", ENGINEER, &facts), "ok");
    assert_eq!([GM, AUDITOR].map(|who| refused(&waiting(), "void", who, &facts)), ["C-05", "C-05"]);
    assert_eq!([ENGINEER, SUPERVISOR].map(|who| refused(&waiting(), "void", who, &facts)), ["ok", "ok"]);
    let mut elsewhere = facts.clone();
    elsewhere.people_mut().staff.get_mut(&GM).unwrap().unit = Some(crate::claim::world::OTHER_BRANCH);
    elsewhere.people_mut().units.get_mut(&BRANCH).unwrap().manager = None;
    assert_eq!(refused(&in_state(at::SUP_APPROVED), "gm_approve", GM, &elsewhere), "C-05");
    // A supervisor of the branch compiles its batch, also with claims of another centre.
    let mut other = facts.clone();
    let unit = crate::claim::people::Unit { parent: Some(BRANCH), ..other.people.units[&CENTER].clone() };
    other.people_mut().units.insert(doc(6), unit);
    other.people_mut().staff.get_mut(&STRANGER).unwrap().unit = Some(doc(6));
    let ready = in_state(at::GM_APPROVED);
    assert_eq!(refused(&ready, "batch", STRANGER, &other), "ok");
    assert_eq!(refused(&waiting(), "sup_approve", STRANGER, &other), "C-05");
}

#[test]
fn only_the_claimant_submits_and_withdraws() {
    let facts = facts("2026-02-02");
    assert_eq!(refused(&draft(), "submit", ENGINEER, &facts), "ok");
    assert_eq!(refused(&draft(), "submit", COLLEAGUE, &facts), "C-12");
    assert_eq!(refused(&waiting(), "withdraw", COLLEAGUE, &facts), "C-12");
    assert_eq!(refused(&Claim { lines: Vec::new(), ..draft() }, "submit", ENGINEER, &facts), "B1");
    let mut short = draft();
    short.lines[0].claimed = Fen(12_000);
    assert_eq!(refused(&short, "submit", ENGINEER, &facts), "R1", "a reason is wanted");
    short.reasons.insert(("R1".to_owned(), 1), "lost it".to_owned());
    assert_eq!(refused(&short, "submit", ENGINEER, &facts), "ok");
}

#[test]
fn a_cut_is_taken_as_one() {
    let facts = facts("2026-02-02");
    let cutting = |to: i64, step: &str, by: DocId| {
        let mut claim = waiting();
        claim.cuts.push(cut(1, to, step, by));
        claim
    };
    assert_eq!(refused(&waiting(), "sup_cut", SUPERVISOR, &facts), "C-13");
    assert_eq!(refused(&cutting(8_000, "sup_cut", SUPERVISOR), "sup_cut", SUPERVISOR, &facts), "ok");
    assert_eq!(refused(&cutting(10_000, "sup_cut", SUPERVISOR), "sup_cut", SUPERVISOR, &facts), "C-14");
    assert_eq!(refused(&cutting(-1, "sup_cut", SUPERVISOR), "sup_cut", SUPERVISOR, &facts), "C-14");
    assert_eq!(refused(&cutting(8_000, "sup_cut", SUPERVISOR), "sup_approve", SUPERVISOR, &facts), "C-15");
    assert_eq!(refused(&cutting(8_000, "gm_cut", GM), "sup_cut", SUPERVISOR, &facts), "C-13");
}

#[test]
fn a_delegate_acts_in_the_principals_place_and_never_on_his_own_claim() {
    let mut facts = facts("2026-02-02");
    let for_him = |delegate: DocId| actor(delegate).on_behalf_of(SUPERVISOR);
    assert_eq!(by(&waiting(), "sup_approve", &for_him(COLLEAGUE), &facts), "C-06");
    let delegation = |to, from: &str, until: &str| Delegation {
        from: SUPERVISOR,
        to,
        roles: BTreeSet::new(),
        valid_from: day(from),
        valid_to: day(until),
    };
    facts.people_mut().delegations = vec![delegation(COLLEAGUE, "2026-02-01", "2026-02-10")];
    assert_eq!(by(&waiting(), "sup_approve", &for_him(COLLEAGUE), &facts), "ok");
    assert_eq!(by(&waiting(), "gm_approve", &for_him(COLLEAGUE), &facts), "C-01");
    facts.people_mut().delegations = vec![delegation(ENGINEER, "2026-02-01", "2026-02-10")];
    assert_eq!(by(&waiting(), "sup_approve", &for_him(ENGINEER), &facts), "C-03", "the claim is his own");
    let his = Claim { staff: SUPERVISOR, ..waiting() };
    facts.people_mut().delegations = vec![delegation(COLLEAGUE, "2026-02-01", "2026-02-10")];
    assert_eq!(by(&his, "sup_approve", &for_him(COLLEAGUE), &facts), "C-03", "nor the principal's");
    for (from, until) in
        [("2026-01-01", "2026-02-01"), ("2026-02-03", "2026-02-10"), ("2026-01-01", "2026-03-02")]
    {
        facts.people_mut().delegations = vec![delegation(COLLEAGUE, from, until)];
        assert_eq!(by(&waiting(), "sup_approve", &for_him(COLLEAGUE), &facts), "C-06", "{from} to {until}");
    }
    let mut audit_only = delegation(COLLEAGUE, "2026-02-01", "2026-02-10");
    audit_only.roles = [Role::AUDITOR].into();
    facts.people_mut().delegations = vec![audit_only];
    assert_eq!(
        by(&waiting(), "sup_approve", &for_him(COLLEAGUE), &facts),
        "C-06",
        "no role of his was given on"
    );
}

#[test]
fn nobody_decides_at_two_levels() {
    let mut facts = facts("2026-02-02");
    facts.people_mut().staff.get_mut(&SUPERVISOR).unwrap().roles.insert(Role::BRANCH_GM);
    let both = Actor::new(SUPERVISOR, [Role::SUPERVISOR, Role::BRANCH_GM]);
    let mut claim = in_state(at::SUP_APPROVED);
    assert_eq!(by(&claim, "gm_approve", &both, &facts), "ok");
    claim.approvals.push(approval("sup_approve", SUPERVISOR, "2026-02-02"));
    assert_eq!(by(&claim, "gm_approve", &both, &facts), "C-04");
    let mut by_delegate = in_state(at::SUP_APPROVED);
    by_delegate.approvals.push(approval("sup_approve", COLLEAGUE, "2026-02-02"));
    by_delegate.approvals[0].on_behalf_of = Some(SUPERVISOR);
    assert_eq!(by(&by_delegate, "gm_approve", &both, &facts), "C-04", "his delegate decided for him");
    let mut written = facts.clone();
    written.authors.insert(CLAIM_ID, [GM].into());
    assert_eq!(refused(&in_state(at::SUP_APPROVED), "gm_approve", GM, &written), "C-03", "he wrote it");
}

#[test]
fn a_step_whose_holder_claims_goes_upward() {
    let facts = facts("2026-02-02");
    let skips = |claim: &Claim| system::next(claim, &facts).map(|step| step.step);
    let supervisors = |state| Claim { staff: SUPERVISOR, ..in_state(state) };
    assert_eq!(skips(&waiting()), None);
    assert_eq!(skips(&supervisors(at::SUBMITTED)), Some("sup_skip"));
    assert_eq!(skips(&supervisors(at::SUP_APPROVED)), None);
    assert_eq!(refused(&supervisors(at::SUP_APPROVED), "gm_approve", GM, &facts), "ok");
    let gms = |state| Claim { staff: GM, unit: Some(BRANCH), ..in_state(state) };
    assert_eq!(
        [at::SUBMITTED, at::SUP_APPROVED].map(|state| skips(&gms(state))),
        [Some("sup_skip"), Some("gm_skip")]
    );
    let auditors = |state| Claim {
        staff: AUDITOR,
        unit: Some(COMPANY),
        papers: vec![scanned("2026-02-02")],
        ..in_state(state)
    };
    assert_eq!(skips(&auditors(at::SUBMITTED)), Some("sup_skip"));
    assert_eq!(skips(&auditors(at::SUP_APPROVED)), Some("gm_skip"));
    assert_eq!(refused(&auditors(at::GM_APPROVED), "receive", AUDITOR, &facts), "ok", "no branch sends it");
    let mut audit = auditors(at::RECEIVED);
    audit.audit.insert(1, audited(LineVerdict::OK, 10_000));
    assert_eq!(refused(&audit, "audit", AUDITOR, &facts), "C-03");
    assert_eq!(refused(&audit, "audit", MANAGER, &facts), "ok");
    audit.state = at::AUDITED;
    audit.approvals.push(approval("audit", MANAGER, "2026-02-02"));
    assert_eq!(refused(&audit, "mgr_approve", MANAGER, &facts), "C-04");
    assert_eq!(refused(&audit, "mgr_approve", VP, &facts), "ok");
    let mut managers = Claim { staff: MANAGER, ..audit.clone() };
    managers.approvals = vec![approval("audit", AUDITOR, "2026-02-02")];
    assert_eq!([MANAGER, VP].map(|who| refused(&managers, "mgr_approve", who, &facts)), ["C-03", "ok"]);
    // For everybody else neither the manager audits nor the vice-president manages.
    let mut plain = in_state(at::RECEIVED);
    plain.audit.insert(1, audited(LineVerdict::OK, 10_000));
    assert_eq!(refused(&plain, "audit", MANAGER, &facts), "C-08");
    plain.state = at::AUDITED;
    assert_eq!(refused(&plain, "mgr_approve", VP, &facts), "C-08");
    let mut strict = facts.clone();
    strict.policy = policy_with("segregation.skip_up = false");
    assert_eq!(system::next(&supervisors(at::SUBMITTED), &strict), None);
    strict.policy = policy_with("review.gm = false\nreview.manager = false");
    assert_eq!(system::next(&in_state(at::SUP_APPROVED), &strict).map(|step| step.step), Some("gm_skip"));
    assert_eq!(system::next(&in_state(at::AUDITED), &strict).map(|step| step.step), Some("mgr_skip"));
}

#[test]
fn the_paper_and_every_line_are_looked_at() {
    let facts = facts("2026-02-06");
    let mut claim = in_state(at::IN_TRANSIT);
    assert_eq!(refused(&claim, "receive", AUDITOR, &facts), "C-09");
    claim.papers.push(scanned("2026-02-06"));
    assert_eq!(refused(&claim, "receive", AUDITOR, &facts), "ok");
    claim.state = at::GM_APPROVED;
    assert_eq!(refused(&claim, "receive", AUDITOR, &facts), "C-16");
    claim.state = at::RECEIVED;
    assert_eq!(refused(&claim, "audit", AUDITOR, &facts), "P-05");
    claim.audit.insert(1, audited(LineVerdict::OK, 10_001));
    assert_eq!(refused(&claim, "audit", AUDITOR, &facts), "C-10");
    claim.audit.insert(1, audited(LineVerdict::FALSE_CLAIM, 1));
    assert_eq!(refused(&claim, "audit", AUDITOR, &facts), "C-10");
    claim.audit.insert(1, audited(LineVerdict::ADJUSTED, 9_000));
    assert_eq!(refused(&claim, "audit", AUDITOR, &facts), "ok");
}

#[test]
fn the_batch_takes_only_approved_summaries() {
    let mut facts = facts("2026-02-02");
    let ready = in_state(at::GM_APPROVED);
    assert_eq!(refused(&ready, "batch", SUPERVISOR, &facts), "ok");
    facts.trips.insert(TRIP, trip(ENGINEER, "2026-01-H2", trip_machine::SUBMITTED));
    assert_eq!(refused(&ready, "batch", SUPERVISOR, &facts), "B3");
    facts.trips.clear();
    assert_eq!(refused(&ready, "batch", SUPERVISOR, &facts), "B3");
}

#[test]
fn finance_takes_nothing_in_during_the_blackout() {
    let approved = || Claim {
        approvals: vec![
            approval("audit", AUDITOR, "2026-01-26"),
            approval("mgr_approve", MANAGER, "2026-01-27"),
        ],
        ..in_state(at::MGR_APPROVED)
    };
    let on = |today: &str, claim: &Claim, step: &str, who| refused(claim, step, who, &facts(today));
    assert_eq!(on("2026-01-28", &approved(), "hand_over", AUDITOR), "ok");
    assert_eq!(on("2026-01-28", &approved(), "hold", AUDITOR), "C-19");
    assert_eq!(on("2026-01-29", &approved(), "hand_over", AUDITOR), "P-24");
    assert_eq!(on("2026-01-29", &approved(), "hold", AUDITOR), "ok");
    let arrived = in_state(at::TO_FINANCE);
    assert_eq!(on("2026-02-09", &arrived, "accept", FINANCE), "P-24");
    assert_eq!(on("2026-02-10", &arrived, "accept", FINANCE), "ok");
    let mut large = approved();
    large.lines[0].claimed = Fen(200_001);
    assert_eq!(on("2026-01-28", &large, "hand_over", AUDITOR), "P-08");
    large.state = at::VP_APPROVED;
    assert_eq!(on("2026-01-28", &large, "hand_over", AUDITOR), "ok");
}

#[test]
fn a_claim_is_paid_by_one_confirmed_payment_batch() {
    let claim = in_state(at::FIN_RECEIVED);
    let paying = |batches: &[(u64, u8, Option<bool>)]| {
        let mut facts = facts("2026-02-12");
        let fact = |(id, state, paid): &(u64, u8, Option<bool>)| PaymentFact {
            payment: doc(*id),
            state: *state,
            paid: *paid,
        };
        facts.payments.insert(CLAIM_ID, batches.iter().map(fact).collect());
        refused(&claim, "pay", FINANCE, &facts)
    };
    use payment_machine::{CANCELLED, CONFIRMED, EXPORTED, PART_FAILED};
    assert_eq!(paying(&[]), "C-21");
    assert_eq!(paying(&[(1, EXPORTED, None)]), "C-21");
    assert_eq!(paying(&[(1, CONFIRMED, Some(true))]), "ok");
    assert_eq!(paying(&[(1, PART_FAILED, Some(false))]), "C-21");
    assert_eq!(paying(&[(1, PART_FAILED, Some(false)), (2, CONFIRMED, Some(true))]), "ok");
    assert_eq!(paying(&[(1, CANCELLED, None), (2, PART_FAILED, Some(true))]), "ok");
    assert_eq!(paying(&[(1, CONFIRMED, Some(true)), (2, EXPORTED, None)]), "C-22");
}

#[test]
fn a_paid_claim_is_closed_after_thirty_days() {
    let mut claim = in_state(at::PAID);
    claim.approvals.push(approval("pay", FINANCE, "2026-02-12"));
    let next = |today: &str| system::next(&claim, &facts(today)).map(|step| step.step);
    assert_eq!([next("2026-03-13"), next("2026-03-14")], [None, Some("close")]);
}

/// From every state every step leads on or is refused with a reason that speaks both languages.
#[test]
fn every_step_from_every_state_is_taken_or_refused_with_a_reason() {
    let facts = facts("2026-02-12");
    let mut taken = BTreeSet::new();
    for state in 0..u8::try_from(CLAIM.states.len()).unwrap() {
        for step in CLAIM.steps {
            for (staff, ..) in STAFF {
                let mut claim = in_state(state);
                claim.papers.push(scanned("2026-02-06"));
                claim.audit.insert(1, audited(LineVerdict::OK, 9_000));
                if step.name.ends_with("_cut") {
                    claim.cuts.push(cut(1, 5_000, step.name, staff));
                }
                let mut facts = facts.clone();
                if step.name == "hold" {
                    facts.today = day("2026-01-29");
                }
                let confirmed =
                    PaymentFact { payment: doc(9), state: payment_machine::CONFIRMED, paid: Some(true) };
                facts.payments.insert(CLAIM_ID, vec![confirmed]);
                let given = Given { reason: reason_of(step.name), ..given(&claim) };
                match guard(&claim, step.name, &actor(staff), &given, &facts) {
                    Ok(()) => {
                        assert!(
                            step.from.contains(&state) && !step.who.is_empty(),
                            "{} from {state}",
                            step.name
                        );
                        taken.insert(step.name);
                    }
                    Err(problem) => {
                        let rule = problem.rule().expect(problem.rule);
                        let lacking =
                            [rule.zh, rule.en, rule.hint_zh, rule.hint_en].iter().any(|text| text.is_empty());
                        assert!(
                            !lacking && !problem.text(crate::value::text::Lang::En).contains('{'),
                            "{problem:?}"
                        );
                    }
                }
            }
        }
    }
    let by_people: BTreeSet<&str> =
        CLAIM.steps.iter().filter(|step| !step.who.is_empty()).map(|step| step.name).collect();
    assert_eq!(taken, by_people, "each step has somebody who may take it");
}
