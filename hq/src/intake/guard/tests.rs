//! What devices may not decide, each refused by its rule.

use records::id::OpId;
use records::kinds::claim::{Claimant, Cuts, Lines, Papers};
use records::kinds::number;
use records::kinds::staff::Role;
use records::money::Fen;
use records::value::Count;

use crate::money::bench::{Bench, Dev, approval, decision};
use crate::money::rows::{link, put, text};

/// A claim of E01 that was submitted as his first, with what another device has to have seen of it.
fn submitted(bench: &mut Bench) -> (Dev, records::id::DocId, Vec<OpId>) {
    let mut device = bench.device("E01");
    let claim = device.submit(12_300, "C1-E01-2026-0001");
    assert_eq!(bench.rule(&mut device), "");
    let seen = vec![device.last()];
    (device, claim, seen)
}

#[test]
fn a_submission_with_a_number_of_the_lease_is_taken_and_reviewed() {
    let mut bench = Bench::new();
    let (_, claim, seen) = submitted(&mut bench);
    assert_eq!(bench.state(claim), "submitted");
    let mut supervisor = bench.device("S01");
    supervisor.decide(claim, &seen, "sup_approve", Role::SUPERVISOR);
    assert_eq!(bench.rule(&mut supervisor), "");
    let mut gm = bench.device("G01");
    gm.decide(claim, &[seen[0], supervisor.last()], "gm_approve", Role::BRANCH_GM);
    assert_eq!(bench.rule(&mut gm), "");
    assert_eq!(bench.state(claim), "gm_approved");
}

#[test]
fn a_gm_does_not_approve_before_the_supervisor() {
    let mut bench = Bench::new();
    let (_, claim, seen) = submitted(&mut bench);
    let mut gm = bench.device("G01");
    gm.decide(claim, &seen, "gm_approve", Role::BRANCH_GM);
    assert!(bench.rule(&mut gm).contains("code: 11"), "the step is not possible there");
    // Nor blindly, where the supervisor has approved meanwhile.
    let mut supervisor = bench.device("S01");
    supervisor.decide(claim, &seen, "sup_approve", Role::SUPERVISOR);
    assert_eq!(bench.rule(&mut supervisor), "");
    gm.decide(claim, &seen, "gm_approve", Role::BRANCH_GM);
    assert_eq!(bench.rule(&mut gm), "C-01");
    assert_eq!(bench.state(claim), "sup_approved");
}

#[test]
fn a_supervisor_neither_approves_his_own_claim_nor_one_of_another_centre() {
    let mut bench = Bench::new();
    let mut supervisor = bench.device("S01");
    let own = supervisor.submit(5_000, "C1-S01-2026-0001");
    assert_eq!(bench.rule(&mut supervisor), "");
    supervisor.decide(own, &[], "sup_approve", Role::SUPERVISOR);
    assert!(bench.rule(&mut supervisor).contains("code: 10"), "nobody judges his own work");
    let (_, claim, seen) = submitted(&mut bench);
    let mut other = bench.device("S02");
    other.decide(claim, &seen, "sup_approve", Role::SUPERVISOR);
    assert!(bench.rule(&mut other).contains("code: 5"), "another branch's claim is out of his scope");
}

#[test]
fn an_approval_says_truly_who_gave_it_and_on_what() {
    let mut bench = Bench::new();
    let (_, claim, seen) = submitted(&mut bench);
    let mut supervisor = bench.device("S01");
    let (own, gm) = (supervisor.staff(), bench.staff("G01"));
    let write = |device: &mut Dev, approval| {
        let mut writes = vec![decision("sup_approve", Role::SUPERVISOR, "", None)];
        writes.extend(approval);
        device.write(number::CLAIM, Some(claim), seen.clone(), writes);
    };
    write(&mut supervisor, None);
    assert_eq!(bench.rule(&mut supervisor), "C-30", "no record at all");
    write(&mut supervisor, Some(put(&[approval("sup_approve", gm)])));
    assert_eq!(bench.rule(&mut supervisor), "C-35", "another's name");
    write(&mut supervisor, Some(put(&[approval("gm_approve", own)])));
    assert_eq!(bench.rule(&mut supervisor), "C-30", "another step");
    let mut for_another = approval("sup_approve", own);
    for_another.on_behalf_of = link(gm);
    write(&mut supervisor, Some(put(&[for_another])));
    assert_eq!(bench.rule(&mut supervisor), "C-30", "for somebody whom the decision does not name");
    let mut counted = approval("sup_approve", own);
    counted.vouchers = Some(Count(3));
    write(&mut supervisor, Some(put(&[counted])));
    assert_eq!(bench.rule(&mut supervisor), "P-03", "another number of vouchers");
    write(&mut supervisor, Some(put(&[approval("sup_approve", own)])));
    assert_eq!(bench.rule(&mut supervisor), "");
}

#[test]
fn a_delegate_acts_only_on_the_days_of_his_delegation() {
    let mut bench = Bench::new();
    let (_, claim, seen) = submitted(&mut bench);
    let mut supervisor = bench.device("S01");
    supervisor.decide(claim, &seen, "sup_approve", Role::SUPERVISOR);
    assert_eq!(bench.rule(&mut supervisor), "");
    // A second supervisor of the branch stands in for the GM.
    bench.import("staff", "code,name,unit,roles\nS09,Shi,B1,supervisor\n");
    let mut delegate = bench.device("S09");
    let gm = bench.staff("G01");
    let seen = vec![seen[0], supervisor.last()];
    let write = |device: &mut Dev| {
        let mut row = approval("gm_approve", device.staff());
        row.on_behalf_of = link(gm);
        let writes = vec![decision("gm_approve", Role::BRANCH_GM, "", Some(gm)), put(&[row])];
        device.write(number::CLAIM, Some(claim), seen.clone(), writes);
    };
    write(&mut delegate);
    assert!(bench.rule(&mut delegate).contains("code: 10"), "nobody asked him to");
    let head = "from,to,valid_from,valid_to,reason";
    bench.import("delegation", &format!("{head}\nG01,S09,2026-10-01,2026-10-31,leave\n"));
    write(&mut delegate);
    assert_eq!(bench.rule(&mut delegate), "C-06");
    bench.import("delegation", &format!("{head}\nG01,S09,2026-11-01,2026-11-30,leave\n"));
    write(&mut delegate);
    assert_eq!(bench.rule(&mut delegate), "");
    assert_eq!(bench.state(claim), "gm_approved");
}

#[test]
fn an_engineer_who_stands_in_for_his_supervisor_reads_the_branch_and_decides_in_it_on_those_days() {
    let mut bench = Bench::new();
    let (_, claim, seen) = submitted(&mut bench);
    let mut delegate = bench.device("E02");
    let supervisor = bench.staff("S01");
    let replica = delegate.enrolment.replica;
    let oversees = |bench: &mut Bench, days: u64| {
        let device = bench.desk.store.device(replica).unwrap().unwrap();
        let seen_ms = Some(bench.now_ms + days * 24 * 60 * 60 * 1000);
        bench.desk.oversees(&crate::store::devices::Device { seen_ms, ..device }).unwrap()
    };
    let mut row = approval("sup_approve", delegate.staff());
    row.on_behalf_of = link(supervisor);
    let writes = vec![decision("sup_approve", Role::SUPERVISOR, "", Some(supervisor)), put(&[row])];
    delegate.write(number::CLAIM, Some(claim), seen.clone(), writes.clone());
    assert!(bench.rule(&mut delegate).contains("code: 5"), "nobody asked him to");
    assert_eq!(oversees(&mut bench, 0), None);
    bench.import("delegation", "from,to,valid_from,valid_to,reason\nS01,E02,2026-11-20,2026-11-30,leave\n");
    assert!(oversees(&mut bench, 0).is_some());
    assert_eq!(oversees(&mut bench, 9), None, "the last day is over");
    delegate.write(number::CLAIM, Some(claim), seen, writes);
    assert_eq!(bench.rule(&mut delegate), "");
    assert_eq!(bench.state(claim), "sup_approved");
}

#[test]
fn a_number_is_of_the_devices_own_lease_and_stands_on_one_claim() {
    let mut bench = Bench::new();
    let (mut first, _, _) = submitted(&mut bench);
    let check = |bench: &mut Bench, device: &mut Dev, number: &str, rule: &str| {
        device.submit(700, number);
        assert_eq!(bench.rule(device), rule, "{number}");
    };
    check(&mut bench, &mut first, "C1-E01-2026-0001", "C-32");
    check(&mut bench, &mut first, "C1-E02-2026-0001", "C-31");
    check(&mut bench, &mut first, "C1-E01-2025-0002", "C-31");
    check(&mut bench, &mut first, "0002", "C-31");
    // His second device has no lease.
    let mut second = bench.device("E01");
    assert_eq!(second.enrolment.claim_lease, None);
    check(&mut bench, &mut second, "C1-E01-2026-0002", "C-31");
    check(&mut bench, &mut first, "C1-E01-2026-0002", "");
    // Two of one request.
    let writes = first.submission(700, "C1-E01-2026-0003");
    let (one, other) = (first.draft(700), first.draft(700));
    for claim in [one, other] {
        first.write(number::CLAIM, Some(claim), Vec::new(), writes.clone());
    }
    assert_eq!(bench.rule(&mut first), "C-32");
    assert_eq!([bench.state(one), bench.state(other)], ["submitted", "draft"]);
}

#[test]
fn what_a_lost_device_had_numbered_is_still_good_and_what_it_numbers_on_is_not() {
    let mut bench = Bench::new();
    let (mut lost, _, _) = submitted(&mut bench);
    let kept = lost.draft(900);
    let number = lost.submission(900, "C1-E01-2026-0002");
    lost.write(number::CLAIM, Some(kept), Vec::new(), number);
    let mut second = bench.device("E01");
    let now = bench.now_ms;
    let device = bench.desk.store.device(second.enrolment.replica).unwrap().unwrap();
    let moved = bench.desk.transact(|desk| desk.move_lease("E01", &device, Some(4), now)).unwrap();
    assert_eq!((moved.turn.epoch, moved.turn.next, moved.burned), (2, 4, vec![(2, 3)]));
    second.submit(100, "C1-E01-2026-0004");
    assert_eq!(bench.rule(&mut second), "");
    assert_eq!(bench.rule(&mut lost), "", "0002 was its own");
    lost.submit(300, "C1-E01-2026-0005");
    assert_eq!(bench.rule(&mut lost), "C-31");
}

#[test]
fn an_engineer_neither_writes_nor_voids_anothers_claim_nor_pays_his_own() {
    let mut bench = Bench::new();
    let (mut owner, claim, seen) = submitted(&mut bench);
    let mut other = bench.device("E02");
    other.decide(claim, &seen, "void", Role::ENGINEER);
    assert!(bench.rule(&mut other).contains("code: 5"), "not in his scope");
    let mut supervisor = bench.device("S01");
    let draft = owner.draft(400);
    assert_eq!(bench.rule(&mut owner), "");
    let line = Lines { line: Some(Count(1)), claimed: Some(Fen(90_000)), ..Lines::default() };
    supervisor.write(number::CLAIM, Some(draft), vec![owner.last()], vec![put(&[line])]);
    assert_eq!(bench.rule(&mut supervisor), "C-34");
    owner.decide(claim, &[], "pay", Role::FINANCE);
    assert!(bench.rule(&mut owner).contains("code: 10"), "he is no finance");
    owner.decide(claim, &[], "sup_skip", Role::ENGINEER);
    assert!(bench.rule(&mut owner).contains("code: 6"), "only headquarters skips");
    assert_eq!(bench.state(claim), "submitted");
}

#[test]
fn nobody_signs_a_cut_or_a_paper_in_anothers_name_and_nobody_fakes_the_trail() {
    let mut bench = Bench::new();
    let (mut owner, claim, _) = submitted(&mut bench);
    let supervisor = bench.staff("S01");
    let cut = Cuts { line: Some(Count(1)), to: Some(Fen(1)), by: link(supervisor), ..Cuts::default() };
    owner.write(number::CLAIM, Some(claim), Vec::new(), vec![put(&[cut])]);
    assert_eq!(bench.rule(&mut owner), "C-35");
    owner.write(number::CLAIM, Some(claim), Vec::new(), vec![put(&[Papers::default()])]);
    assert_eq!(bench.rule(&mut owner), "C-35");
    let trail = approval("sup_approve", owner.staff());
    owner.write(number::CLAIM, Some(claim), Vec::new(), vec![put(&[trail])]);
    assert_eq!(bench.rule(&mut owner), "C-30");
}

#[test]
fn a_submission_is_the_claimants_and_its_totals_are_true() {
    let mut bench = Bench::new();
    let mut device = bench.device("E01");
    let claim = device.draft(5_000);
    let writes = device.submission(4_000, "C1-E01-2026-0001");
    device.write(number::CLAIM, Some(claim), Vec::new(), writes);
    assert_eq!(bench.rule(&mut device), "C-33");
    // A claim in another's name.
    let claimant =
        Claimant { staff: link(bench.staff("E02")), half: text("2026-11-H2"), ..Claimant::default() };
    device.write(number::CLAIM, None, Vec::new(), vec![put(&[claimant])]);
    assert_eq!(bench.rule(&mut device), "C-34");
}
