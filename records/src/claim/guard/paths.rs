//! Walks along the claim's steps: what no path allows, and that each claimant has one to his money.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::claim::facts::{Facts, PaymentFact};
use crate::claim::segregation::Level;
use crate::claim::system;
use crate::claim::view::Claim;
use crate::claim::world::{
    AUDITOR, CLAIM_ID, ENGINEER, GM, MANAGER, STAFF, SUPERVISOR, TRIP, audited, cut, doc, draft, facts,
    scanned, submitted, take, trip, write,
};
use crate::id::DocId;
use crate::kinds::claim::LineVerdict;
use crate::kinds::claim_machine::{self as at, CLAIM};
use crate::kinds::{payment_machine, trip_machine};

/// Walks at random through steps and people; whatever the rules let through is written down.
fn walk(
    claimant: DocId,
    choices: &[(prop::sample::Index, prop::sample::Index, prop::sample::Index)],
) -> Claim {
    let facts = paying_facts(claimant);
    let unit = facts.people.staff[&claimant].unit;
    let mut claim = submitted(Claim { staff: claimant, unit, ..draft() }, "N", "2026-02-01");
    claim.papers.push(scanned("2026-02-06"));
    for (total, step, person) in choices {
        if let Some(next) = system::next(&claim, &facts) {
            write(&mut claim, next.step, None, &facts);
            continue;
        }
        let state = claim.state;
        let steps: Vec<&str> =
            CLAIM.steps.iter().filter(|step| step.from.contains(&state)).map(|step| step.name).collect();
        if steps.is_empty() {
            break;
        }
        // Ends and detours are rarer, so that walks reach the payment.
        let tame =
            |name: &&str| !matches!(*name, "void" | "freeze" | "lose" | "withdraw") || total.index(4) == 0;
        let steps: Vec<&str> = steps.into_iter().filter(tame).collect();
        let Some(step) = steps.get(step.index(steps.len().max(1))) else { continue };
        let (staff, ..) = *person.get(&STAFF);
        if *step == "audit" {
            let payable =
                crate::claim::settle::settle(&Claim { audit: BTreeMap::new(), ..claim.clone() }, &facts)
                    .payable;
            claim.audit.insert(1, audited(LineVerdict::OK, payable.0));
        }
        if step.ends_with("_cut") {
            claim.cuts.push(cut(1, 9_000, step, staff));
        }
        if take(&mut claim, step, staff, &facts).is_err() {
            claim
                .cuts
                .retain(|cut| claim.approvals.iter().any(|row| row.step == cut.step && row.by == cut.by));
        }
    }
    claim
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_path_lets_anybody_approve_his_own_claim_or_decide_at_two_levels_or_pay_twice(
        claimant in prop::sample::select(vec![ENGINEER, SUPERVISOR, GM, AUDITOR, MANAGER]),
        choices in prop::collection::vec(any::<(prop::sample::Index, prop::sample::Index, prop::sample::Index)>(), 60..160),
    ) {
        let claim = walk(claimant, &choices);
        let mut levels: BTreeMap<DocId, BTreeSet<Level>> = BTreeMap::new();
        for row in &claim.approvals {
            if let (Some(level), Some(by)) = (Level::of(&row.step), row.by) {
                prop_assert_ne!(by, claimant, "{}", &row.step);
                levels.entry(by).or_default().insert(level);
            }
        }
        prop_assert!(levels.values().all(|levels| levels.len() == 1), "{levels:?}");
        let paid = claim.approvals.iter().filter(|row| row.step == "pay").count();
        prop_assert!(paid <= 1);
        if paid == 1 {
            let has = |level| claim.approvals.iter().any(|row| Level::of(&row.step) == Some(level));
            prop_assert!(has(Level::Audit) && has(Level::Manager) && has(Level::Finance));
            prop_assert!(has(Level::Gm) || [GM, AUDITOR, MANAGER].contains(&claimant));
            prop_assert!(has(Level::Supervisor) || claimant != ENGINEER);
        }
    }
}

/// The walks above are worth something only where some of them reach the payment.
#[test]
fn everybodys_claim_has_a_way_to_its_payment() {
    for claimant in [ENGINEER, SUPERVISOR, GM, AUDITOR, MANAGER] {
        let facts = paying_facts(claimant);
        let unit = facts.people.staff[&claimant].unit;
        let mut claim = submitted(Claim { staff: claimant, unit, ..draft() }, "N", "2026-02-01");
        claim.papers.push(scanned("2026-02-06"));
        claim.audit.insert(1, audited(LineVerdict::OK, 10_000));
        for _ in 0..20 {
            if claim.state == at::PAID {
                break;
            }
            if let Some(next) = system::next(&claim, &facts) {
                write(&mut claim, next.step, None, &facts);
                continue;
            }
            let forward = [
                "sup_approve",
                "gm_approve",
                "batch",
                "dispatch",
                "receive",
                "audit",
                "mgr_approve",
                "hand_over",
                "accept",
                "pay",
            ];
            let mut tries = forward.iter().flat_map(|step| STAFF.map(|(staff, ..)| (*step, staff)));
            let done = tries.any(|(step, staff)| take(&mut claim, step, staff, &facts).is_ok());
            assert!(done, "{claimant:?} is stuck in state {}", CLAIM.states[usize::from(claim.state)].name);
        }
        assert_eq!(claim.state, at::PAID, "{claimant:?}");
    }
}

fn paying_facts(claimant: DocId) -> Facts {
    let mut facts = facts("2026-02-12");
    facts.trips.insert(TRIP, trip(claimant, "2026-01-H2", trip_machine::APPROVED));
    let confirmed = PaymentFact { payment: doc(9), state: payment_machine::CONFIRMED, paid: Some(true) };
    facts.payments.insert(CLAIM_ID, vec![confirmed]);
    facts
}
