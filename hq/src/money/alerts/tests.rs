//! What betrays a claim is told once.

use std::collections::BTreeMap;

use records::id::DocId;
use records::kinds::alert::Finding;
use records::kinds::staff::Role;
use records::kinds::{alert_machine, number};

use crate::author::{NewOp, On};
use crate::money::bench::Bench;
use crate::money::rows::put;
use crate::store::marks::Mark;

/// How many alerts a claim has, by rule.
fn alerts(bench: &mut Bench, claim: DocId) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for id in bench.desk.store.marked(&Mark::Claim(claim), number::ALERT).unwrap() {
        let finding: Finding = bench.desk.record(id).unwrap().unwrap().get().unwrap();
        *found.entry(finding.rule.unwrap().0).or_default() += 1;
    }
    found
}

#[test]
fn a_voucher_that_another_claim_holds_is_told_once_and_the_first_to_arrive_keeps_it() {
    let mut bench = Bench::new();
    let mut device = bench.device("E01");
    // The bench's vouchers have one key for one person and amount.
    let first = device.submit(5_000, "C1-E01-2026-0001");
    let second = device.submit(5_000, "C1-E01-2026-0002");
    assert_eq!(bench.rule(&mut device), "", "taken in all the same");
    assert_eq!(alerts(&mut bench, first).get("B6"), None);
    assert_eq!(alerts(&mut bench, second).get("B6"), Some(&1));
    let before = alerts(&mut bench, second);
    let now = bench.now_ms;
    bench.desk.transact(|desk| desk.tick(now)).unwrap();
    assert_eq!(alerts(&mut bench, second), before, "never twice");
}

#[test]
fn an_alert_goes_to_the_claimants_branch_and_not_to_him() {
    let mut bench = Bench::new();
    let mut device = bench.device("E01");
    device.submit(5_000, "C1-E01-2026-0001");
    let second = device.submit(5_000, "C1-E01-2026-0002");
    let _ = bench.push(&mut device);
    let alert = bench.desk.store.marked(&Mark::Claim(second), number::ALERT).unwrap()[0];
    let (owner, supervisor) = (bench.device("E01"), bench.device("S01"));
    let sees = |bench: &mut Bench, replica| {
        let device = bench.desk.store.device(replica).unwrap().unwrap();
        bench.desk.seen_by(&device).unwrap().contains_key(&alert)
    };
    assert!(!sees(&mut bench, owner.enrolment.replica));
    assert!(sees(&mut bench, supervisor.enrolment.replica));
}

#[test]
fn a_return_that_comes_after_others_built_on_the_approval_is_too_late_and_told() {
    let mut bench = Bench::new();
    let mut device = bench.device("E01");
    let claim = device.submit(12_300, "C1-E01-2026-0001");
    assert_eq!(bench.rule(&mut device), "");
    let submitted = device.last();
    let (mut supervisor, mut gm) = (bench.device("S01"), bench.device("G01"));
    supervisor.decide(claim, &[submitted], "sup_approve", Role::SUPERVISOR);
    assert_eq!(bench.rule(&mut supervisor), "");
    gm.decide(claim, &[submitted, supervisor.last()], "gm_approve", Role::BRANCH_GM);
    assert_eq!(bench.rule(&mut gm), "");
    // His second tablet had seen nothing of it.
    let mut tablet = bench.device("S01");
    tablet.decide(claim, &[submitted], "sup_return", Role::SUPERVISOR);
    assert_eq!(bench.rule(&mut tablet), "TooLate");
    assert_eq!(bench.state(claim), "gm_approved");
    assert_eq!(alerts(&mut bench, claim).get("C-37"), Some(&1));
}

/// After a restore the older alert came back beside a younger one. Whichever the clerk looked at first, both were answered
/// with each other's code where that was the younger one, and nobody was left to ask.
#[test]
fn of_two_alerts_of_one_finding_the_older_one_stays_open() {
    for younger_first in [false, true] {
        let mut bench = Bench::new();
        let mut device = bench.device("E01");
        device.submit(5_000, "C1-E01-2026-0001");
        let claim = device.submit(5_000, "C1-E01-2026-0002");
        let _ = bench.push(&mut device);
        let older = bench.desk.store.marked(&Mark::Claim(claim), number::ALERT).unwrap()[0];
        let finding: Finding = bench.desk.record(older).unwrap().unwrap().get().unwrap();
        let again = NewOp { kind: number::ALERT, on: On::Create, writes: vec![put(&[finding])] };
        let now = bench.now_ms;
        bench.desk.transact(|desk| desk.write(vec![again], now)).unwrap();
        let mut both = bench.desk.store.marked(&Mark::Claim(claim), number::ALERT).unwrap();
        assert_eq!((both.len(), both[0]), (2, older));
        if younger_first {
            both.reverse();
        }
        for id in both {
            let alert = bench.desk.document(id).unwrap().unwrap();
            bench.desk.transact(|desk| desk.told_twice(&alert, now)).unwrap();
        }
        let open = bench.desk.store.in_state(number::ALERT, &[alert_machine::OPEN]).unwrap();
        assert_eq!(open, [older], "{younger_first}");
    }
}
