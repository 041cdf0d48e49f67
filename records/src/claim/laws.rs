//! What holds of every claim: nothing is paid without support, no ceiling is exceeded, and the sums add up.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::claim::facts::Facts;
use crate::claim::settle::{Settled, settle, spends};
use crate::claim::view::{Audited, Claim, Line};
use crate::claim::world::{
    COLLEAGUE, ENGINEER, SUPERVISOR, approval, audited, cap, cut, doc, draft, facts, line, policy_with,
    submitted, ticket,
};
use crate::kinds::claim::LineVerdict;
use crate::kinds::claim_machine::CLAIM;
use crate::kinds::voucher::Category;
use crate::kinds::{batch_machine, case_machine, exception_machine, payment_machine, trip_machine};
use crate::machine::Machine;
use crate::money::Fen;
use crate::policy::cycle::Month;
use crate::rules::Weight;
use crate::time::Day;

/// A line: its category, day of the year's first quarter, amount, and vouchers.
fn any_line() -> impl Strategy<Value = (Category, i32, i64, Vec<i64>)> {
    let category = prop::sample::select(vec![Category::CITY_TRANSPORT, Category::PHONE, Category::LODGING]);
    (category, 0..89_i32, 1..30_000_i64, prop::collection::vec(1..20_000_i64, 0..4))
}

fn made(n: u32, (category, after, fen, tickets): (Category, i32, i64, Vec<i64>)) -> Line {
    let date = Day::from_ymd(2026, 1, 1).unwrap().plus(after);
    let vouchers =
        tickets.into_iter().zip(0..).map(|(fen, at)| ticket(u64::from(n) * 10 + at, fen)).collect();
    Line { vouchers, ..line(n, category, &date.to_string(), fen) }
}

/// Claims of two people in one centre, submitted one after the other.
fn any_claims() -> impl Strategy<Value = Vec<Claim>> {
    let one = (any::<bool>(), prop::collection::vec(any_line(), 1..6));
    prop::collection::vec(one, 1..7).prop_map(|claims| {
        let claim = |(at, (colleague, lines)): (u64, (bool, Vec<_>))| {
            let lines = (1..).zip(lines).map(|(n, line)| made(n, line)).collect();
            let staff = if colleague { COLLEAGUE } else { ENGINEER };
            submitted(Claim { id: doc(700 + at), staff, lines, ..draft() }, &format!("N{at}"), "2026-04-01")
        };
        (0..).zip(claims).map(claim).collect()
    })
}

fn capped(policy: &str) -> Facts {
    let mut facts = facts("2026-04-01");
    facts.policy = policy_with(&format!("age.limit_months = 12\n{policy}"));
    facts.caps = vec![cap(Category::CITY_TRANSPORT, 15_000), cap(Category::PHONE, 10_000)];
    facts
}

fn adds_up(claim: &Claim, settled: &Settled) -> Result<(), TestCaseError> {
    let sum = settled.payable.0 + settled.self_paid.0 + settled.taken_off.0;
    prop_assert_eq!(sum, claim.claimed_total().0);
    prop_assert_eq!(settled.claimed, claim.claimed_total());
    for (line, paid) in claim.lines.iter().zip(&settled.lines) {
        let paid = &paid.paid;
        prop_assert!(paid.payable >= Fen(0) && paid.self_paid >= Fen(0) && paid.taken_off >= Fen(0));
        prop_assert!(paid.payable <= line.claimed.min(line.support()));
    }
    Ok(())
}

/// Enters what an audit paid, as headquarters does.
fn enter(claim: &mut Claim, settled: &Settled, facts: &mut Facts) {
    let row = |line: &crate::claim::settle::SettledLine| {
        (line.n, Audited { self_paid: line.paid.self_paid, ..audited(LineVerdict::OK, line.paid.payable.0) })
    };
    claim.audit = settled.lines.iter().map(row).collect();
    for (account, spent) in spends(claim, settled) {
        assert!(spent.audited);
        facts.spend(account, spent);
    }
}

/// What was paid of each person (or of all) in each month and category that has a ceiling.
fn paid_by_month(facts: &Facts, joined: bool) -> BTreeMap<(bool, Category, Month), i64> {
    let mut paid = BTreeMap::new();
    for (account, rows) in &facts.spent {
        let who = !joined && account.staff == COLLEAGUE;
        let sum: i64 = rows.iter().map(|spent| spent.paid.0).sum();
        *paid.entry((who, account.category, account.month)).or_default() += sum;
    }
    paid
}

const fn ceiling_of(category: Category) -> i64 {
    if category.0 == Category::PHONE.0 { 10_000 } else { 15_000 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_order_of_audits_exceeds_a_ceiling_and_every_sum_adds_up(
        claims in any_claims().prop_shuffle(),
        joined in any::<bool>(),
    ) {
        let mut facts = capped(if joined { "caps.scope = \"per_unit\"" } else { "" });
        for mut claim in claims {
            let settled = settle(&claim, &facts);
            adds_up(&claim, &settled)?;
            enter(&mut claim, &settled, &mut facts);
            // Asked again, the audit says the same.
            prop_assert_eq!(settle(&claim, &facts).payable, settled.payable);
        }
        for ((_, category, _), paid) in paid_by_month(&facts, joined) {
            prop_assert!(paid <= ceiling_of(category));
        }
    }

    #[test]
    fn what_a_month_leaves_goes_on_and_is_never_given_twice(claims in any_claims().prop_shuffle()) {
        let mut facts = capped("caps.carry_over = true");
        for mut claim in claims {
            let settled = settle(&claim, &facts);
            adds_up(&claim, &settled)?;
            enter(&mut claim, &settled, &mut facts);
        }
        let paid = paid_by_month(&facts, false);
        for who in [false, true] {
            for category in [Category::PHONE, Category::CITY_TRANSPORT] {
                let months = ["2026-01", "2026-02", "2026-03"].map(|month| month.parse().unwrap());
                let mut all = 0;
                for (n, month) in (1..).zip(months) {
                    all += paid.get(&(who, category, month)).copied().unwrap_or(0);
                    prop_assert!(all <= n * ceiling_of(category), "{month}");
                }
            }
        }
    }

    #[test]
    fn cuts_and_verdicts_only_take_off(
        lines in prop::collection::vec((any_line(), 0..30_000_i64, 0..13_u8, 0..40_000_i64), 1..5),
    ) {
        let facts = capped("");
        let mut claim = submitted(draft(), "N", "2026-04-01");
        claim.lines = (1..).zip(&lines).map(|(n, (one, ..))| made(n, one.clone())).collect();
        let before = settle(&claim, &facts);
        claim.approvals.push(approval("sup_cut", SUPERVISOR, "2026-04-01"));
        for (n, (_, to, verdict, payable)) in (1..).zip(&lines) {
            claim.cuts.push(cut(n, *to, "sup_cut", SUPERVISOR));
            claim.audit.insert(n, audited(LineVerdict(*verdict), *payable));
        }
        let after = settle(&claim, &facts);
        adds_up(&claim, &after)?;
        for (n, (_, to, _, payable)) in (1..).zip(&lines) {
            let paid = after.line(n).unwrap().paid.payable;
            prop_assert!(paid <= Fen(*to) && paid <= Fen(*payable));
        }
        prop_assert!(after.payable <= before.payable);
    }
}

/// Returns a machine's states, each with its steps from the strictest to the mildest.
fn strictness(machine: &Machine) -> Vec<String> {
    let mut rows = Vec::new();
    for (index, state) in (0..).zip(machine.states) {
        let mut steps: Vec<_> = machine.steps.iter().filter(|step| step.from.contains(&index)).collect();
        steps.sort_by_key(|step| std::cmp::Reverse(step.strictness));
        let named: Vec<String> =
            steps.iter().map(|step| format!("{} {}", step.name, step.strictness)).collect();
        if !named.is_empty() {
            rows.push(format!("| {} | {} |", state.name, named.join(" > ")));
        }
    }
    rows
}

#[test]
fn the_document_has_every_states_order_of_strictness() {
    let document = include_str!("../../../docs/RULES.md");
    for machine in [
        &CLAIM,
        &trip_machine::TRIP,
        &batch_machine::BATCH,
        &payment_machine::PAYMENT,
        &case_machine::CASE,
        &exception_machine::EXCEPTION,
        &crate::kinds::alert_machine::ALERT,
    ] {
        let rows = strictness(machine).join("\n");
        let lacking = rows.lines().find(|row| !document.contains(row));
        assert_eq!(lacking, None, "docs/RULES.md, {}, should have\n{rows}", machine.name);
    }
}

#[test]
fn every_weight_in_the_document_is_the_rules_own() {
    let document = include_str!("../../../docs/RULES.md");
    let mut seen = BTreeSet::new();
    for line in document.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, id, _, weight, _, _, _] = *cells.as_slice() else { continue };
        let Some(rule) = crate::rules::by_id(id) else { continue };
        let expected = match rule.weight {
            Weight::Blocks => "blocks",
            Weight::Reason => "wants a reason",
            Weight::Notice => "notice",
        };
        assert_eq!(weight, expected, "{id}");
        assert!(seen.insert(id), "{id} stands twice");
    }
    assert!(seen.len() > 60, "{}", seen.len());
}
